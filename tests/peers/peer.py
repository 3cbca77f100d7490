"""What a server without I/O is, and what it is given to speak with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Channel", "Peer"]


class Channel(Protocol):
    """The way to one client. None of its methods waits."""

    def send(self, data: bytes) -> None:
        """Send bytes, without limit."""

    @property
    def unsent(self) -> int:
        """Bytes that were given to `send` and that the network has not taken."""

    def close(self) -> None:
        """Hang up when all is sent; throw away what still comes."""

    def reset(self) -> None:
        """Break the connection off."""

    def pause(self) -> None:
        """Read nothing more for the time being."""

    def resume(self) -> None:
        """Read again."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call a function after some seconds."""


class Peer:
    """One connection's server; this one takes everything in and says nothing. Subclasses do more."""

    channel: Channel

    def connected(self, channel: Channel) -> None:
        """A client has connected."""
        self.channel = channel

    def receive_data(self, data: bytes) -> None:
        """Bytes came, never none."""

    def receive_eof(self) -> None:
        """The client hung up, or was lost. Called once at most."""
        self.channel.close()
