"""Which connection carries which request: decided here, and only decided.

The pool never waits and does no I/O. It grants each ticket a connection, an idle one or a stream of a shared one, or
the permission to dial a new one; a ticket that gets none of it waits, first come first served. Each grant costs O(1),
amortised, and O(log n) for those who wait.

A place has one owner: the ticket from `admit()` on, the pool again from `release()` on. `release()` is legal in
every state, never blocks, and is therefore what cancellation, errors and garbage collection all end in.

That last one needs care. Garbage collection may run in the middle of any step here, in any thread, and may
end an abandoned operation whose `finally` calls `release()`. Waiting for the mutex would then wait for oneself. So
`release()` leaves the ticket in `_returned` and settles at once if the mutex is free; if it is taken, its holder
settles when done. Hence a real lock on every backend, also where only one thread runs. What connections tell of
themselves (`Connection.changed`, in the middle of a step of theirs) goes the same way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from .contracts import Connection, Mutex
from .lanes import NEWEST, Lane, Line, Route, Slot, Statistics, Ticket
from .places import Places
from .signals import Signal

__all__ = ["Pool", "Route", "Statistics", "Ticket"]

_INFINITY = float("inf")
#: How many routes are remembered that speak no HTTP/2, though they might.
_MOST_PLAIN = 1000

# Why a ticket is not served.
_HELD = "its own route: the limit of that, or a dial that is going on"
_FULL = "all places are taken"


class Pool:
    """Grants connections. `max_connections` and `max_idle` are counts (None: no limit), `expiry` is in seconds.

    `max_per_route` is a count, too; `max_age` is in seconds from dialling, and `max_requests` how many a connection
    carries in its life.
    """

    def __init__(
        self,
        mutex: Mutex,
        max_connections: int | None = None,
        max_idle: int | None = None,
        expiry: float | None = None,
        *,
        max_per_route: int | None = None,
        max_age: float | None = None,
        max_requests: int | None = None,
    ) -> None:
        self._max_connections = _INFINITY if max_connections is None else max_connections
        self._max_per_route = _INFINITY if max_per_route is None else max_per_route
        self._mutex = mutex
        #: Makes another mutex, for `abandon`. Filled in by whoever watches over forks.
        self.new_mutex: Callable[[], Mutex] | None = None
        self._closed = False
        self._refuses = False  # closing: nobody new
        self._quiet: list[Signal] = []  # to be set when nothing is going on any more
        self._begin(
            Places(
                _INFINITY if max_idle is None else max_idle,
                _INFINITY if expiry is None else expiry,
                _INFINITY if max_age is None else max_age,
                _INFINITY if max_requests is None else max_requests,
            )
        )

    def _begin(self, places: Places) -> None:
        # All this is guarded by the mutex, save `_returned`, whose appends are atomic.
        self._places = places
        self._line = Line()
        self._plain: dict[Route, None] = {}  # routes that turned out to speak no HTTP/2
        self._now = 0.0  # the last moment that we were told of, in about
        # What was given back, with the moment; or, without one, slots to look at.
        self._returned: deque[tuple[Ticket, float] | tuple[Slot, None]] = deque()

    @property
    def closed(self) -> bool:
        """True when `close()` was called."""
        return self._closed

    @property
    def statistics(self) -> Statistics:
        """The pool's figures at this moment."""
        return self._places.statistics(self._line.waiting)

    def statistics_by_route(self) -> dict[Route, Statistics]:
        """Return the figures of each route that has a connection, or somebody who waits for one."""
        return self._places.statistics_by_route()

    def admit(self, ticket: Ticket, now: float) -> None:
        """Serve a ticket, or line it up (runs once per request). If it is not decided then, park on its signal.

        Call this inside of the `try` whose `finally` releases the ticket: then no interrupt can fall between.
        """
        with self._mutex:
            if self._closed or self._refuses:
                self._refuse(ticket)
            else:
                lanes = self._places.lanes
                lane = lanes.get(ticket.route)
                if lane is None:
                    lane = lanes[ticket.route] = Lane(ticket.route)
                ticket.lane = lane
                if lane.waiting or self._line.routes or self._denied(ticket, lane, now):
                    self._line_up(ticket, lane, now)
        if self._returned or self._places.doomed:
            self._settle()

    def dialled(self, ticket: Ticket, connection: Connection, now: float | None = None) -> bool:
        """Put a new connection into the ticket's place. False if the pool was closed meanwhile: close it.

        Those who wait for it get their share, as far as its streams go.
        """
        with self._mutex:
            lane = ticket.lane
            if lane is not None and ticket.may_dial and not (self._closed or lane.gone):
                self._take_in(ticket, lane, connection, self._now if now is None else now)
        self._settle()
        return ticket.connection is connection

    def redial(self, ticket: Ticket, now: float | None = None, stale: bool = True) -> None:
        """The ticket's connection is of no use to it: let the ticket dial instead, or wait anew.

        Where nobody else uses the connection, or where it is `stale`, its place is the ticket's: it belongs to another
        event loop or process, or was closed, so nobody shall share it any more. Those who do have it until they are
        done. Else the ticket joins the end of the line.
        """
        with self._mutex:
            slot, ticket.slot, ticket.connection = ticket.slot, None, None
            lane = ticket.lane
            if slot is not None and lane is not None:
                self._places.leave(slot, ticket)
                ticket.reused = ticket.ready = ticket.opened = ticket.awaits_dial = False
                if slot.kept and (stale or not slot.users):
                    self._places.let_go(slot)
                    self._may_dial(ticket, lane)
                    if self._line.routes:
                        # Who is first in the line may wait for this dial now, and hold up nobody any more.
                        self._serve(self._now if now is None else now)
                elif self._closed or lane.gone:
                    self._refuse(ticket)
                else:
                    ticket.number = NEWEST
                    self._line_up(ticket, lane, self._now if now is None else now)
        self._settle()

    def release(self, ticket: Ticket, now: float) -> None:
        """Give back what the ticket has, in whatever state it is (runs once per request)."""
        self._returned.append((ticket, now))
        self._settle()

    def sweep(self) -> None:
        """Ask some idle connections whether they are stale, and close those: before another one is dialled.

        Meanwhile they belong to nobody else. Call this where no lock is held.
        """
        if not self._places.idle:
            return
        asked: list[Slot] = []
        try:
            with self._mutex:
                self._places.borrow(asked)
            for slot in asked:
                slot.stale = slot.connection.link.is_stale()
        finally:
            self._returned.extend((slot, None) for slot in reversed(asked))
            self._settle()

    def drain(self, refuse: bool) -> Signal:
        """Return what is set when all requests are done. With `refuse`, nobody new is admitted from now on."""
        quiet = Signal()
        with self._mutex:
            self._quiet.append(quiet)
            self._refuses = self._refuses or refuse
            self._look_if_quiet()
        self._settle()
        return quiet

    def retire(self) -> None:
        """Close what is idle, and keep nothing from now on: nobody is expected any more, but who comes is served."""
        with self._mutex:
            self._places.max_idle = 0
            self._places.expire(self._now)
        self._settle()

    def close(self) -> None:
        """Close every connection, busy ones too, and refuse everybody who waits."""
        with self._mutex:
            self._closed = True
            self._places.close()
            for lane in list(self._places.lanes.values()):
                for ticket in self._line.empty(lane):
                    self._refuse(ticket)
                self._places.forget(lane)
            if self._quiet:
                self._look_if_quiet()
        self._settle()

    def abandon(self, mutex: Mutex) -> None:
        """Begin anew, in a process that was forked off: all connections are its parent's, who goes on with them.

        Whoever held the mutex at that time is not here any more, so there is another `mutex`. The links are closed
        here: they know what that means. Tickets from before may still be released.
        """
        places = self._places
        old = [*places.slots, *places.leaving]
        connections = [*places.doomed, *(slot.connection for slot in old)]
        for lane in places.lanes.values():
            lane.gone = True
            lane.waiting.clear()
        for slot in old:
            slot.kept = False
            slot.connection.changed = None
        self._mutex = mutex
        self._begin(places.anew())
        for connection in connections:
            connection.link.close()

    def _settle(self) -> None:
        while (self._returned or self._places.doomed) and self._mutex.acquire(False):
            try:
                while self._returned:
                    self._take_back(*self._returned.popleft())
                doomed = self._places.doomed
                if doomed:
                    self._places.doomed = []
            finally:
                self._mutex.release()
            for connection in doomed:
                connection.link.close()

    def _notice(self, slot: Slot) -> None:
        """A connection has changed: `Connection.changed`. Never waits."""
        self._returned.append((slot, None))
        self._settle()

    # Each of the following is called with the mutex held.

    def _take_back(self, what: Ticket | Slot, now: float | None) -> None:
        if now is None:
            self._look_at(what)  # type: ignore[arg-type]  # what has no moment is a slot
            return
        ticket: Ticket = what  # type: ignore[assignment]
        places, line = self._places, self._line
        connection, ticket.connection = ticket.connection, None
        lane: Lane = ticket.lane  # type: ignore[assignment]  # None only where nothing is to be given back
        if connection is not None:
            slot: Slot = ticket.slot  # type: ignore[assignment]  # there is one with each connection
            ticket.slot = None
            places.give_back(slot, ticket, now)
        elif ticket.may_dial:
            ticket.may_dial = False
            if lane.gone:
                return
            places.cancel(lane)
            if lane.first is ticket:
                if ticket.failed:
                    lane.free_until = line.number
                self._dial_is_over(lane, now)
        elif lane is not None and ticket in lane.waiting:
            line.leave(ticket, lane)
        else:
            return
        if lane.waiting or line.routes:
            line.call(lane)
            self._serve(now)
        if places.idle > places.max_idle or places.order.next < now:
            places.expire(now)
        if not lane.count:
            places.forget(lane)
        if self._quiet:
            self._look_if_quiet()

    def _denied(self, ticket: Ticket, lane: Lane, now: float) -> str:
        """Serve a ticket, whom nobody older must come before. Returns why it cannot be served, "" where it was."""
        if lane.open and self._share(ticket, lane, now):
            return ""
        places, idle = self._places, lane.idle
        while idle:
            slot = idle.popitem()[0]  # the one used last is the least likely to be closed by its server
            if slot.number <= ticket.newer_than:
                idle[slot] = None
                break
            places.idle -= 1
            connection = slot.connection
            if slot.expires >= now and (connection.reusable or connection.suspect):
                slot.users = 1
                slot.left -= 1
                if connection.multiplexed:
                    slot.granted += 1
                    lane.open[slot] = None
                ticket.slot = slot
                ticket.seen = places.made
                ticket.connection = connection
                ticket.reused = ticket.ready = True
                if ticket.wake is not None:
                    ticket.nudge()
                return ""
            places.drop(slot)
        if lane.first is not None and ticket.number > lane.free_until:
            return _HELD
        victim = None
        if lane.count >= self._max_per_route:
            if not idle:
                return _HELD
            victim = next(iter(idle))
        elif places.count >= self._max_connections:
            victim = places.order.first() if places.idle else None  # mostly none, where thousands wait
            if victim is None:
                return _FULL
        places.reserve(lane)
        if victim is not None:
            places.evict(victim)
        self._may_dial(ticket, lane)
        return ""

    def _share(self, ticket: Ticket, lane: Lane, now: float) -> bool:
        passed: list[Slot] | None = None
        shared = False
        while lane.open and not shared:
            slot = next(reversed(lane.open))
            if not (slot.room > 0 and slot.left > 0 and slot.retires > now):
                del lane.open[slot]
            elif slot.number <= ticket.newer_than:
                # It will do for others, and must not hide those that will do for this one.
                del lane.open[slot]
                passed = [slot, *(passed or ())]
            else:
                slot.users += 1
                slot.granted += 1
                slot.left -= 1
                ticket.slot = slot
                ticket.seen = self._places.made
                ticket.connection = slot.connection
                ticket.reused = True
                ticket.set()
                shared = True
        if passed:
            lane.open |= dict.fromkeys(passed)
        return shared

    def _may_dial(self, ticket: Ticket, lane: Lane) -> None:
        ticket.may_dial = True
        if ticket.shares and lane.first is None and lane.route not in self._plain:
            lane.first = ticket
        ticket.set()

    def _take_in(self, ticket: Ticket, lane: Lane, connection: Connection, now: float) -> None:
        shared = connection.multiplexed
        slot = self._places.take_in(connection, lane, now)
        connection.changed = partial(self._notice, slot)
        ticket.may_dial = False
        ticket.connection = connection
        ticket.slot = slot
        if shared:
            lane.open[slot] = None
            if lane.stream_limit is not None:
                connection.expect_streams(lane.stream_limit)
            self._plain.pop(lane.route, None)
        elif ticket.shares and lane.route not in self._plain:
            self._plain[lane.route] = None
            if len(self._plain) > _MOST_PLAIN:
                del self._plain[next(iter(self._plain))]
        if lane.first is not None and (lane.first is ticket or not shared):
            self._dial_is_over(lane, now)
        elif shared:
            self._line.call(lane)
            self._serve(now)

    # Those who wait.

    def _line_up(self, ticket: Ticket, lane: Lane, now: float) -> None:
        self._now = now
        self._line.join(ticket, lane)
        self._serve(now)
        if lane.first is not None and not lane.queued and ticket in lane.waiting:
            ticket.awaits_dial = True
            lane.hopeful.append(ticket)

    def _serve(self, now: float) -> None:
        """Serve those who wait, in the order of their coming, until one of them finds all places taken.

        Those who wait for something of their own route only are not in this line, and hold nobody up.
        """
        line = self._line
        while (first := line.first()) is not None:
            ticket, lane = first
            why = self._denied(ticket, lane, now)
            if why is _FULL:
                return
            if why:
                line.step_aside()
            else:
                line.leave(ticket, lane)

    def _dial_is_over(self, lane: Lane, now: float) -> None:
        """Who has dialled for others has done so, or failed, or gives up."""
        lane.first = None
        self._line.call(lane)
        self._serve(now)
        if lane.first is None:
            hopeful, lane.hopeful = lane.hopeful, []
            for ticket in hopeful:
                if ticket in lane.waiting:
                    ticket.awaits_dial = False
                    ticket.set()  # another limit of time holds from now on
        elif len(lane.hopeful) > 2 * len(lane.waiting):
            lane.hopeful = [ticket for ticket in lane.hopeful if ticket in lane.waiting]

    def _refuse(self, ticket: Ticket) -> None:
        ticket.refused = True
        ticket.set()

    # Connections.

    def _look_at(self, slot: Slot) -> None:
        """Its machine has something new, or somebody has asked whether it is stale."""
        lane = slot.lane
        if slot.checking:
            self._places.put_back(slot)
        if not slot.kept:
            return
        # Known for the next connection before its peer says so, or many streams of that would be refused.
        lane.stream_limit = slot.connection.stream_limit or lane.stream_limit
        if slot.users:
            if slot.granted:
                lane.open[slot] = None
        elif slot.stale or not slot.usable:
            self._places.evict(slot)
        self._line.call(lane)
        self._serve(self._now)
        if self._quiet:
            self._look_if_quiet()

    def _look_if_quiet(self) -> None:
        places = self._places
        if places.count == places.idle and not self._line.waiting and not places.leaving:
            for quiet in self._quiet:
                quiet.set()
