"""One request and its response on an HTTP/1.1 connection, as the operations see it."""

from __future__ import annotations

from collections.abc import Callable

from ..contracts import Fields, RawMachine
from ..errors import TransportError
from ..signals import Signal

__all__ = ["Http1Stream"]


class Http1Stream:
    """What is known of one exchange. See `contracts.Stream` for the attributes.

    `send` queues a piece of the request's body, or its end where that is None; `abandon` tells the connection
    that nobody wants the rest of the exchange.
    """

    __slots__ = (
        "_abandon",
        "_chunks",
        "_send",
        "buffered",
        "duplex",
        "ended",
        "failure",
        "fields",
        "http_version",
        "informational",
        "length",
        "method",
        "raw",
        "reason",
        "received",
        "signal",
        "status",
        "trailers",
        "unanswered",
    )

    # What only streams of HTTP/2 do.
    stream_id: int | None = None
    blocked = False
    flush_due = False
    vigil = None

    def __init__(
        self, method: bytes, send: Callable[[bytes | None], None], abandon: Callable[[], None]
    ) -> None:
        self.method = method
        self.signal = Signal()
        self.status = 0
        self.http_version = b"HTTP/1.1"
        self.reason = b""
        self.fields: Fields = []
        self.trailers: Fields = []
        self.informational: tuple[tuple[int, Fields], ...] = ()
        self.unanswered = True
        self.duplex = True  # until the head of the response says that the connection ends with it
        self.length: int | None = None  #: bytes of body that Content-Length promised
        self.received = 0  #: bytes of body that came
        self.buffered = 0
        self.ended = False
        self.failure: TransportError | None = None
        self.raw: RawMachine | None = None
        self._chunks: list[bytes] = []
        self._send = send
        self._abandon = abandon

    def send_data(self, data: bytes) -> None:
        """Queue a piece of the body, chunked or not as the head said."""
        if not self.ended:
            self._send(data)

    def end_data(self) -> None:
        """Say that the body is whole."""
        if not self.ended:
            self._send(None)

    def put(self, data: bytes) -> None:
        """Keep a piece of the response's body for the reader."""
        self._chunks.append(data)
        self.buffered += len(data)
        self.received += len(data)

    def take(self) -> bytes:
        """Return the bytes of the response's body that have come since the last call."""
        chunks = self._chunks
        if not chunks:
            return b""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._chunks = []
        self.buffered = 0
        return data

    def discard(self) -> None:
        """Give the exchange up; the connection cannot be used again unless the exchange is over."""
        if not self.ended:
            self._abandon()
            self._chunks = []
            self.buffered = 0
