"""What the pool remembers: of each connection a `Slot`, of each route a `Lane`, of each request a `Ticket`.

Those who wait stand in a `Line`. Nothing is decided here; see `pool.py`, whose mutex guards all of it, save what is
said to need none.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from heapq import heappop, heappush, heapreplace
from typing import NamedTuple, TypeAlias

from .contracts import Connection, FieldBlock, Fields, Stream
from .signals import Signal

__all__ = ["NEWEST", "Lane", "Line", "Route", "Share", "Slot", "Statistics", "Ticket"]

#: What two requests must have in common to use the same connection: whatever changes the peer or the trust in it.
Route: TypeAlias = Hashable

#: The number of a ticket that has not had to wait yet: it comes after all who wait.
NEWEST = 1 << 62


class _Figures(NamedTuple):
    connections: int
    idle: int
    waiting: int


class Statistics(_Figures):
    """How a pool is used at this moment: a tuple of `connections`, `idle` and `waiting`, which also has `requests`.

    - `connections`: open, or being made; what `max_connections` limits
    - `idle`: of them, those that are open and carry no request
    - `waiting`: requests that wait for a connection
    - `requests`: those that have one: of HTTP/2, there can be more of them than connections
    """

    #: Requests that have a connection, those included whose response is still being read.
    requests: int

    def __new__(cls, connections: int, idle: int, waiting: int, requests: int = 0) -> Statistics:
        """Make one; the first three are the items of the tuple."""
        made = super().__new__(cls, connections, idle, waiting)
        made.requests = requests
        return made

    def plus(self, other: Statistics) -> Statistics:
        """Return the sum of both, figure by figure."""
        return Statistics(
            self.connections + other.connections,
            self.idle + other.idle,
            self.waiting + other.waiting,
            self.requests + other.requests,
        )

    def __reduce__(self) -> tuple[type[Statistics], tuple[int, int, int, int]]:
        return (Statistics, (self.connections, self.idle, self.waiting, self.requests))


class Lane:
    """One route: its connections, and those who wait for one."""

    __slots__ = (
        "count",
        "first",
        "free_until",
        "gone",
        "hopeful",
        "idle",
        "open",
        "queued",
        "route",
        "stream_limit",
        "waiting",
    )

    def __init__(self, route: Route) -> None:
        self.route = route
        #: How many streams a connection of it is known to allow at a time.
        self.stream_limit: int | None = None
        #: How many connections it has, those that are being dialled included.
        self.count = 0
        #: The idle ones, the one used last at the end.
        self.idle: dict[Slot, None] = {}
        #: Those in use that can perhaps carry another request; which was found out last at the end.
        self.open: dict[Slot, None] = {}
        #: Who dials for all, as what comes of it may be shared.
        self.first: Ticket | None = None
        #: Up to this number, tickets do not wait for `first`: they had waited for another dial, which failed.
        self.free_until = 0
        #: In the order of their coming.
        self.waiting: OrderedDict[Ticket, None] = OrderedDict()
        #: Those who were told that they wait for a dial; some of them wait no more.
        self.hopeful: list[Ticket] = []
        #: True while it is in the pool's line: its first ticket waits for a slot, or behind one who does.
        self.queued = False
        #: True when the pool has begun anew, in a process that was forked off.
        self.gone = False


class Slot:
    """A connection in the pool."""

    __slots__ = (
        "checking",
        "connection",
        "expires",
        "granted",
        "kept",
        "lane",
        "left",
        "listed",
        "number",
        "opened",
        "retires",
        "since",
        "stale",
        "users",
    )

    def __init__(
        self, connection: Connection, lane: Lane, number: int, retires: float, left: float, shared: bool
    ) -> None:
        self.connection = connection
        self.lane = lane
        #: Grows with each connection: which is the newer one?
        self.number = number
        #: The moment from which it carries nothing new, and how many more requests it may carry.
        self.retires = retires
        self.left = left
        #: How many tickets have it: more than one only where it is multiplexed.
        self.users = 1
        #: Of a multiplexed one, how many streams were granted, and opened. Each has one writer: the holder of the
        #: pool's mutex, and that of the link's.
        self.granted = int(shared)
        self.opened = 0
        #: Of an idle one: since when, until when, and which `expires` stands in the pool's order.
        self.since = self.expires = 0.0
        self.listed: float | None = None
        #: True while it counts: it is open, and its link works in this process and event loop.
        self.kept = True
        #: True while somebody looks whether it is stale, and when that was found.
        self.checking = self.stale = False

    @property
    def usable(self) -> bool:
        """True if the next request may go to it, perhaps after a look at what has come meanwhile."""
        connection = self.connection
        return connection.reusable or connection.suspect

    @property
    def room(self) -> int:
        """How many more streams can be granted. The machine knows nothing yet of those that are about to be opened."""
        return self.connection.available_streams - self.granted + self.opened


class Line:
    """Those who wait, first come first served.

    In it are routes, by the number of their first ticket. Where that waits for something of its own route only, its
    route steps aside, and holds nobody up, until it is called again.
    """

    __slots__ = ("number", "routes", "waiting")

    def __init__(self) -> None:
        #: How many wait, those included whose route has stepped aside.
        self.waiting = 0
        #: A heap; what stands here is put right when it comes first.
        self.routes: list[tuple[int, Lane]] = []
        #: That of the ticket that came last.
        self.number = 0

    def join(self, ticket: Ticket, lane: Lane) -> None:
        """Take a ticket in, behind all others."""
        self.number += 1
        ticket.number = self.number
        lane.waiting[ticket] = None
        self.waiting += 1
        self.call(lane)

    def leave(self, ticket: Ticket, lane: Lane) -> None:
        """A ticket that has joined is served, or gives up."""
        del lane.waiting[ticket]
        self.waiting -= 1

    def empty(self, lane: Lane) -> list[Ticket]:
        """Send all those away who wait for a route, and return them."""
        tickets = list(lane.waiting)
        self.waiting -= len(tickets)
        lane.waiting.clear()
        lane.hopeful.clear()
        return tickets

    def call(self, lane: Lane) -> None:
        """Something has changed for those who wait for this route: have the first of them looked at in its turn."""
        if lane.waiting and not lane.queued:
            lane.queued = True
            heappush(self.routes, (next(iter(lane.waiting)).number, lane))

    def first(self) -> tuple[Ticket, Lane] | None:
        """Return the ticket that came before all others, of the routes in line; None where there is none."""
        routes = self.routes
        while routes:
            number, lane = routes[0]
            if not lane.waiting:
                self.step_aside()
                continue
            ticket = next(iter(lane.waiting))
            if ticket.number == number:
                return ticket, lane
            heapreplace(routes, (ticket.number, lane))
        return None

    def step_aside(self) -> None:
        """Let the next route come first: the one in front waits for something of its own."""
        heappop(self.routes)[1].queued = False


class Ticket(Signal):
    """One request's claim: it waits, or may dial, or holds a connection; in the end it is released.

    As a signal, it is set when the pool has decided, or when what it waits for has changed.

    `shares`: what is dialled for it may turn out to be HTTP/2. `newer_than`: only connections that were made after so
    many will do, as those before may all be dead.
    """

    __slots__ = (
        "awaits_dial",
        "connection",
        "failed",
        "lane",
        "may_dial",
        "newer_than",
        "number",
        "opened",
        "refused",
        "reused",
        "route",
        "seen",
        "shares",
        "slot",
    )

    def __init__(self, route: Route, shares: bool = False, newer_than: int = 0) -> None:
        self.ready = False
        self.wake = None
        #: Which connections will do.
        self.route = route
        self.shares = shares
        self.newer_than = newer_than
        #: The connection that this ticket has, to itself or as one of several.
        self.connection: Connection | None = None
        self.slot: Slot | None = None
        #: True while the ticket owns a place in the pool with no connection in it yet.
        self.may_dial = False
        #: True if the connection was there before.
        self.reused = False
        #: True if the pool was closed before it could serve the ticket.
        self.refused = False
        #: True while it waits for what another one dials.
        self.awaits_dial = False
        #: To be set by who dials for others, too, if that fails: they then try for themselves.
        self.failed = False
        #: True when a stream was opened for it. Guarded by the link's mutex.
        self.opened = False
        self.number = NEWEST
        #: How many connections there had ever been when it got one of them.
        self.seen = 0
        self.lane: Lane | None = None

    @property
    def decided(self) -> bool:
        """True when there is nothing to wait for any more."""
        return self.connection is not None or self.may_dial or self.refused


class Share:
    """A multiplexed connection, as the one sees it who may open a stream: the pool learns when that is done."""

    __slots__ = ("_connection", "_ticket", "link")

    multiplexed = True

    def __init__(self, connection: Connection, ticket: Ticket) -> None:
        self._connection = connection
        self._ticket = ticket
        self.link = connection.link

    def open_stream(
        self,
        method: bytes,
        target: bytes,
        fields: Fields,
        body: bytes | None,
        block: FieldBlock | None = None,
    ) -> Stream:
        """As `Connection.open_stream`. Called with the link's mutex held."""
        stream = self._connection.open_stream(method, target, fields, body)
        ticket = self._ticket
        ticket.opened = True
        ticket.slot.opened += 1  # type: ignore[union-attr]  # it has one until it is released
        return stream
