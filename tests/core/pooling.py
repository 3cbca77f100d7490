"""What of connections and links the pool uses, for its tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from httpure_core.lanes import Share
from httpure_core.pool import Pool, Route, Ticket


class Link:
    """What of a link the pool uses."""

    def __init__(self) -> None:
        self.closed = 0
        self.stale = False
        self.asked = 0
        self.on_close: Callable[[], None] = lambda: None

    def close(self) -> None:
        self.closed += 1
        self.on_close()

    def is_stale(self) -> bool:
        self.asked += 1
        return self.stale


class Connection:
    """What of a connection the pool uses. With a number of `streams`, it is one of HTTP/2."""

    def __init__(self, streams: int | None = None) -> None:
        self.link = Link()
        self.alive = True
        self.multiplexed = streams is not None
        self.streams = streams or 1
        self.open = 0
        self.suspect = False
        self.changed: Callable[[], None] | None = None
        self.idle_limit: float | None = None
        self.requests_left: int | None = None
        self.stream_limit: int | None = None

    def expect_streams(self, limit: int) -> None:
        self.streams = limit

    @property
    def reusable(self) -> bool:
        return self.available_streams > 0

    @reusable.setter
    def reusable(self, alive: bool) -> None:
        self.alive = alive

    @property
    def available_streams(self) -> int:
        return max(0, self.streams - self.open) if self.alive and not self.suspect else 0

    def open_stream(self, *parts: Any) -> Any:
        self.open += self.multiplexed
        return object()

    def tell(self) -> None:
        """Have the pool know that something has changed."""
        if self.changed is not None:
            self.changed()


def pool(
    max_connections: int | None = None, max_idle: int | None = None, expiry: float | None = None, **more: Any
) -> Pool:
    return Pool(threading.Lock(), max_connections, max_idle, expiry, **more)


def admitted(pool: Pool, route: Route = "a", now: float = 0.0, shares: bool = False) -> Ticket:
    ticket = Ticket(route, shares)
    pool.admit(ticket, now)
    return ticket


def connected(
    pool: Pool, route: Route = "a", now: float = 0.0, streams: int | None = None
) -> tuple[Ticket, Any]:
    """A ticket that may dial and has dialled."""
    ticket = admitted(pool, route, now, streams is not None)
    assert ticket.may_dial
    connection: Any = Connection(streams)
    assert pool.dialled(ticket, connection, now)
    return ticket, connection


def idle(pool: Pool, route: Route = "a", now: float = 0.0, streams: int | None = None) -> Any:
    """A connection that was used at this moment and is idle."""
    ticket, connection = connected(pool, route, now, streams)
    pool.release(ticket, now)
    return connection


def opened(ticket: Ticket) -> Ticket:
    """Have the ticket open its stream."""
    assert ticket.connection is not None
    Share(ticket.connection, ticket).open_stream(b"", b"", [], b"")
    return ticket


def done(pool: Pool, ticket: Ticket, now: float = 0.0) -> None:
    """End the ticket's stream, and release it."""
    if ticket.opened and ticket.connection is not None:
        ticket.connection.open -= 1  # type: ignore[attr-defined]
    pool.release(ticket, now)
