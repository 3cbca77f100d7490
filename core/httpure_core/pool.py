"""Which connection carries which request: decided here, and only decided.

The pool never waits and does no I/O. It grants each ticket either an idle connection or the permission to dial
a new one; a ticket that gets neither waits, first come first served. Each grant costs O(1).

A slot has one owner: the ticket from `admit()` on, the pool again from `release()` on. `release()` is legal in
every state, never blocks, and is therefore what cancellation, errors and garbage collection all end in.

That last one needs care. Garbage collection may run in the middle of any step here, in any thread, and may
end an abandoned operation whose `finally` calls `release()`. Waiting for the mutex would then wait for oneself. So
`release()` leaves the ticket in `_returned` and settles at once if the mutex is free; if it is taken, its holder
settles when done. Hence a real lock on every backend, also where only one thread runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import NamedTuple, TypeAlias

from .contracts import Connection, Mutex
from .signals import Signal

__all__ = ["Pool", "Route", "Statistics", "Ticket"]

#: What two requests must have in common to use the same connection: whatever changes the peer or the trust in it.
Route: TypeAlias = Hashable


class Statistics(NamedTuple):
    """How a pool is used at this moment."""

    connections: int  #: open, or being dialled
    idle: int  #: open and waiting for a request
    waiting: int  #: requests that wait for a connection


class Ticket:
    """One request's claim: it waits, or may dial, or holds a connection; in the end it is released."""

    __slots__ = ("connection", "may_dial", "refused", "reused", "route", "signal")

    def __init__(self, route: Route) -> None:
        #: Which connections will do.
        self.route = route
        #: Set when the pool has decided.
        self.signal = Signal()
        #: The connection that this ticket has to itself.
        self.connection: Connection | None = None
        #: True while the ticket owns a slot with no connection in it yet.
        self.may_dial = False
        #: True if the connection has carried a request before.
        self.reused = False
        #: True if the pool was closed before it could serve the ticket.
        self.refused = False


class Pool:
    """Grants connections. `max_connections` and `max_idle` are counts (None: no limit), `expiry` is in seconds."""

    def __init__(
        self,
        mutex: Mutex,
        max_connections: int | None = None,
        max_idle: int | None = None,
        expiry: float | None = None,
    ) -> None:
        infinite = float("inf")
        self._max_connections = infinite if max_connections is None else max_connections
        self._max_idle = infinite if max_idle is None else max_idle
        self._expiry = infinite if expiry is None else expiry
        self._mutex = mutex
        # All below is guarded by the mutex, save `_returned`, whose appends are atomic.
        self._count = 0  # slots in use: dialling, busy or idle
        self._busy: dict[Connection, None] = {}  # ordered, unlike a set: a simulation repeats itself
        self._idle: dict[Route, deque[Connection]] = {}  # of one route: longest idle first
        self._expires: dict[Connection, tuple[Route, float]] = {}  # of all routes: longest idle first
        self._waiting: dict[Ticket, None] = {}  # in the order of their coming
        self._doomed: list[Connection] = []  # to be closed when the mutex is free
        self._returned: deque[tuple[Ticket, float]] = deque()
        self._closed = False

    @property
    def statistics(self) -> Statistics:
        """The pool's figures at this moment."""
        return Statistics(self._count, len(self._expires), len(self._waiting))

    def admit(self, ticket: Ticket, now: float) -> None:
        """Serve a ticket, or line it up (runs once per request). If its signal is not ready then, park on it.

        Call this inside of the `try` whose `finally` releases the ticket: then no interrupt can fall between.
        """
        with self._mutex:
            if self._closed:
                self._refuse(ticket)
            elif self._waiting or not self._grant(ticket, now):
                self._waiting[ticket] = None
        if self._returned or self._doomed:
            self._settle()

    def dialled(self, ticket: Ticket, connection: Connection) -> bool:
        """Put a new connection into the ticket's slot. False if the pool was closed meanwhile: close it."""
        with self._mutex:
            if not self._closed:
                ticket.may_dial = False
                ticket.connection = connection
                self._busy[connection] = None
        self._settle()
        return ticket.connection is connection

    def redial(self, ticket: Ticket) -> None:
        """The ticket's connection turned out to be stale: drop it and let the ticket dial instead."""
        with self._mutex:
            connection = ticket.connection
            if connection in self._busy:
                del self._busy[connection]
                self._doomed.append(connection)
                ticket.connection, ticket.reused, ticket.may_dial = None, False, True
        self._settle()

    def release(self, ticket: Ticket, now: float) -> None:
        """Give back what the ticket has, in whatever state it is (runs once per request)."""
        self._returned.append((ticket, now))
        self._settle()

    def close(self) -> None:
        """Close every connection, busy ones too, and refuse everybody who waits."""
        with self._mutex:
            self._closed = True
            self._doomed += [*self._expires, *self._busy]
            self._count -= len(self._expires) + len(self._busy)
            self._expires.clear()
            self._idle.clear()
            self._busy.clear()
            for ticket in self._waiting:
                self._refuse(ticket)
            self._waiting.clear()
        self._settle()

    def _settle(self) -> None:
        while (self._returned or self._doomed) and self._mutex.acquire(False):
            try:
                while self._returned:
                    self._take_back(*self._returned.popleft())
                doomed = self._doomed
                if doomed:
                    self._doomed = []
            finally:
                self._mutex.release()
            for connection in doomed:
                connection.link.close()

    # Each of the following is called with the mutex held.

    def _take_back(self, ticket: Ticket, now: float) -> None:
        connection, ticket.connection = ticket.connection, None
        if connection is not None:
            if connection not in self._busy:
                return  # the pool was closed meanwhile
            del self._busy[connection]
            if connection.reusable and self._max_idle > 0:
                self._keep(ticket.route, connection, now)
            else:
                self._drop(connection)
        elif ticket.may_dial:
            ticket.may_dial = False
            self._count -= 1
        else:
            self._waiting.pop(ticket, None)
            return
        while self._waiting and self._grant(first := next(iter(self._waiting)), now):
            del self._waiting[first]
        while len(self._expires) > self._max_idle:
            self._evict_longest_idle()

    def _grant(self, ticket: Ticket, now: float) -> bool:
        idle = self._idle.get(ticket.route)
        while idle:
            connection = idle.pop()  # the one used last is the least likely to be closed by its server
            if self._expires.pop(connection)[1] >= now and connection.reusable:
                if not idle:
                    del self._idle[ticket.route]
                self._busy[connection] = None
                ticket.connection = connection
                ticket.reused = True
                ticket.signal.set()
                return True
            self._drop(connection)
        if idle is not None:
            del self._idle[ticket.route]
        if self._count >= self._max_connections:
            if not self._expires:
                return False
            self._evict_longest_idle()
        self._count += 1
        ticket.may_dial = True
        ticket.signal.set()
        return True

    def _keep(self, route: Route, connection: Connection, now: float) -> None:
        idle = self._idle.get(route)
        if idle is None:
            idle = self._idle[route] = deque()
        idle.append(connection)
        self._expires[connection] = (route, now + self._expiry)
        while next(iter(self._expires.values()))[1] < now:
            self._evict_longest_idle()

    def _evict_longest_idle(self) -> None:
        connection, (route, _) = next(iter(self._expires.items()))
        del self._expires[connection]
        idle = self._idle[route]
        idle.popleft()
        if not idle:
            del self._idle[route]
        self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._count -= 1
        self._doomed.append(connection)

    def _refuse(self, ticket: Ticket) -> None:
        ticket.refused = True
        ticket.signal.set()
