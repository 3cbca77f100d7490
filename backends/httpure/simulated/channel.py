"""A server's end of a simulated connection, and what a simulated server looks like."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, Protocol

from .pipe import Pipe
from .scheduler import Scheduler

__all__ = ["Channel", "Peer"]


class Peer(Protocol):
    """A server, or whatever stands at the other end, without I/O of its own. One for each connection."""

    def connected(self, channel: Any, /) -> None:
        """A client has connected; `channel` is the way to it. It has the methods of `Channel`."""
        ...

    def receive_data(self, data: bytes, /) -> None:
        """Bytes came from the client, never none."""
        ...

    def receive_eof(self) -> None:
        """The client will send nothing more, or is gone. Called once at most."""
        ...


class Channel:
    """The server's way to a client. None of its methods waits."""

    __slots__ = (
        "_closing",
        "_ended",
        "_ending",
        "_incoming",
        "_outgoing",
        "_peer",
        "_reading",
        "_scheduler",
        "_unsent",
        "delivered",
    )

    def __init__(self, scheduler: Scheduler, peer: Peer) -> None:
        self._scheduler = scheduler
        self._peer = peer
        self._unsent = bytearray()
        self._closing = False
        self._ending = False
        self._ended = False
        self._reading = True
        #: Called whenever all that was sent has been delivered.
        self.delivered: Callable[[], object] | None = None
        self._incoming: Pipe
        self._outgoing: Pipe

    def connect(self, incoming: Pipe, outgoing: Pipe) -> None:
        """Join the two pipes and tell the peer. Called once, by the network."""
        self._incoming, self._outgoing = incoming, outgoing
        outgoing.room = self._pump
        self._peer.connected(self)

    def send(self, data: bytes) -> None:
        """Send bytes, without limit: what the network does not take now is kept."""
        if not self._closing:
            self._unsent += data
            self._pump()

    @property
    def unsent(self) -> int:
        """Bytes that were given to `send` and that the network has not taken."""
        return len(self._unsent)

    def end(self) -> None:
        """Send nothing more when all is sent, and go on reading: half of the connection is closed."""
        self._ending = True
        self._pump()

    def close(self) -> None:
        """Hang up when all is sent. What still comes from the client is thrown away."""
        if not self._closing:
            self._closing = True
            self.resume()
            self._pump()

    def reset(self) -> None:
        """Break the connection off. What has not been delivered yet still is."""
        self._closing = True
        self._unsent.clear()
        self._incoming.stop()
        self._outgoing.end(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))

    def pause(self) -> None:
        """Read nothing more for the time being."""
        self._reading = False

    def resume(self) -> None:
        """Read again."""
        self._reading = True
        self._incoming.resume()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call a function after some seconds, whatever has become of the connection by then."""
        self._scheduler.call_later(seconds, callback, "a server's timer")

    @property
    def wants_data(self) -> bool:
        """True while the peer reads."""
        return self._reading

    def receive_data(self, data: bytes) -> None:
        """Bytes came from the client."""
        if not self._closing:
            self._peer.receive_data(data)

    def receive_eof(self, error: OSError | None = None) -> None:
        """The client has hung up, or the connection is broken."""
        if not self._ended:
            self._ended = True
            self._peer.receive_eof()

    def _pump(self) -> None:
        if self._unsent:
            del self._unsent[: self._outgoing.write(self._unsent)]
        elif self.delivered is not None and self._outgoing.empty:
            self.delivered()
        if (self._closing or self._ending) and not self._unsent:
            self._outgoing.end()
