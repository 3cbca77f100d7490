"""What becomes of a connection that leaves HTTP (RFC 9110 sections 7.8 and 9.3.6): a machine that passes bytes on."""

from __future__ import annotations

from ..contracts import READ_AHEAD, Machine
from ..signals import Signal

__all__ = ["RawBytes"]


class RawBytes:
    """Keeps what comes until it is taken, and what is to go until it is sent. See `contracts.RawMachine`."""

    __slots__ = ("_in", "_out", "ended", "inner", "lost", "signal")

    #: Bytes can still be sent when the peer has said that it will send nothing more.
    half_open = True

    def __init__(self) -> None:
        self.signal = Signal()
        self.inner: Machine | None = None
        self.ended = False
        self.lost: OSError | None = None
        self._in = bytearray()
        self._out: list[bytes] = []

    @property
    def buffered(self) -> int:
        """Bytes that wait for `take()`."""
        return len(self._in)

    @property
    def wants_data(self) -> bool:
        """False while the reader has `READ_AHEAD` bytes to catch up with."""
        return len(self._in) < READ_AHEAD if self.inner is None else self.inner.wants_data

    def receive_data(self, data: bytes) -> None:
        """Keep the bytes, or hand them to TLS."""
        if self.inner is not None:
            self.inner.receive_data(data)
        else:
            self._in += data
            self.signal.set()

    def receive_eof(self, error: OSError | None = None) -> None:
        """The peer will send nothing more."""
        if self.inner is not None:
            self.inner.receive_eof(error)
        elif not self.ended:
            self.ended, self.lost = True, error
            self.signal.set()

    def data_to_send(self) -> bytes:
        """Return what is queued."""
        out, self._out = self._out, []
        if self.inner is not None:
            out.append(bytes(self.inner.data_to_send()))
        return b"".join(out)

    def send(self, data: bytes) -> None:
        """Queue bytes."""
        self._out.append(data)

    def take(self, size: int) -> bytes:
        """Return the next bytes, at most so many."""
        data = bytes(self._in[:size])
        del self._in[: len(data)]
        return data
