"""Puts scissors before a peer: of all that it says, a client gets the first so many bytes, and then an end."""

from __future__ import annotations

from collections.abc import Callable

from tests.peers import Channel, Peer

__all__ = ["Cut", "Meter", "cut"]


class Meter:
    """What became of a connection: how many bytes its peer has sent."""

    def __init__(self) -> None:
        self.sent = 0
        #: True if not all of it went through.
        self.cut = False


class Cut(Peer):
    """Passes all on, until `size` bytes were sent; then it hangs up, or breaks off. None: never."""

    def __init__(
        self, inner: Peer, size: int | None, resets: bool = False, meter: Meter | None = None
    ) -> None:
        self.inner = inner
        self.left = size
        self.resets = resets
        self.meter = meter or Meter()
        self.over = False
        self.heard = False

    # What the network calls.

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        self.inner.connected(self)

    def receive_data(self, data: bytes) -> None:
        self.heard = True
        if self.left == 0:
            self.end()
        if not self.over:
            self.inner.receive_data(data)

    def receive_eof(self) -> None:
        self.over = True
        self.inner.receive_eof()

    # What the peer inside calls.

    def send(self, data: bytes) -> None:
        if self.over:
            self.meter.cut = True
            return
        if self.left is not None:
            self.meter.cut = self.meter.cut or len(data) > self.left
            data = data[: self.left]
            self.left -= len(data)
        self.meter.sent += len(data)
        self.channel.send(data)
        if self.left == 0 and self.heard:  # not earlier, or it might be no connection yet
            self.end()

    def end(self) -> None:
        self.over = True
        if self.resets:
            self.channel.reset()
        else:
            self.channel.close()

    def close(self) -> None:
        self.channel.close()

    def reset(self) -> None:
        self.channel.reset()

    @property
    def unsent(self) -> int:
        return self.channel.unsent

    def pause(self) -> None:
        self.channel.pause()

    def resume(self) -> None:
        self.channel.resume()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        self.channel.call_later(seconds, callback)


def cut(
    factory: Callable[[], Peer], size: int | None, resets: bool = False, meter: Meter | None = None
) -> Callable[[], Peer]:
    """Return a factory of such peers."""
    return lambda: Cut(factory(), size, resets, meter)
