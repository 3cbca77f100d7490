"""One request and its response on an HTTP/2 connection, as the operations see it."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from ..contracts import Fields, RawMachine
from ..errors import LocalProtocolError, TransportError
from ..signals import Signal
from .limits import FIRST_WINDOW
from .vigil import Vigil

__all__ = ["NOTHING", "Http2Stream", "StreamOwner"]

#: An empty queue, which keeps no body in memory.
NOTHING = memoryview(b"")


class StreamOwner(Protocol):
    """What a stream asks of its connection."""

    #: Who looks whether the peer is there; None where nobody does.
    vigil: Vigil | None

    def send_queued(self, stream: Http2Stream, /) -> None:
        """Send what the peer's windows allow of the request's body. Called with the link's mutex held."""
        ...

    def settle_later(self, stream: Http2Stream, /) -> None:
        """Look at the stream when next the mutex is held: it was read from, or given up. Never waits."""
        ...


class Http2Stream:
    """What is known of one exchange. See `contracts.Stream` for the attributes.

    Several threads may use one connection, each a stream of it, and any of them may read for all. So what is
    written without the link's mutex, by `take()` and `discard()`, has one writer only, or is atomic.
    """

    __slots__ = (
        "_chunks",
        "_missing",
        "_owner",
        "all_sent",
        "body_ended",
        "credit",
        "credited",
        "discarded",
        "ended",
        "failure",
        "fields",
        "flush_due",
        "granted",
        "informational",
        "length",
        "method",
        "open",
        "padding",
        "queue",
        "reason",
        "received",
        "signal",
        "signs",
        "status",
        "stream_id",
        "taken",
        "trailers",
        "widen_at",
        "window",
    )

    http_version = b"HTTP/2"
    duplex = True
    raw: RawMachine | None = None

    def __init__(
        self,
        owner: StreamOwner,
        stream_id: int,
        method: bytes,
        body_length: int | None = None,
        signs: int = 0,
    ) -> None:
        self.stream_id = stream_id
        self.method = method
        self.signal = Signal()
        self.status = 0
        self.reason = b""
        self.fields: Fields = []
        self.trailers: Fields = []
        self.informational: tuple[tuple[int, Fields], ...] = ()
        self.length: int | None = None  #: bytes of body that Content-Length promised
        self.ended = False
        self.failure: TransportError | None = None
        self.flush_due = False
        #: False when both sides have said all, or one has reset the stream, or the connection is over.
        self.open = True
        self.discarded = False  #: nobody wants the rest
        #: How often whole frames had come on the connection when the stream was opened.
        self.signs = signs
        self.received = 0  #: bytes of the response's body that came
        self.taken = 0  #: those that the reader has
        self.credited = 0  #: those that the peer got leave to send anew
        self.padding = 0  #: bytes of padding for which it did not, yet
        self.granted = FIRST_WINDOW  #: bytes that the peer may send before any of them was read
        self.window = FIRST_WINDOW  #: those of them that it may still send
        #: Bytes that the reader takes before the peer gets leave to send as many again: a quarter of the window, so
        #: that neither the peer waits nor a frame is spent on each piece.
        self.credit = FIRST_WINDOW // 4
        self.widen_at = FIRST_WINDOW // 2  #: bytes received from which on a wider window is due
        self._chunks: deque[bytes] = deque()
        #: What of the request's body waits for the peer's leave, whether the end comes behind it, and is gone, too.
        self.queue = NOTHING
        self.body_ended = False
        self.all_sent = False
        self._missing = body_length  # bytes that Content-Length promises and that were not queued yet
        self._owner = owner

    @property
    def vigil(self) -> Vigil | None:
        """Who looks whether the peer is there, while this stream waits for it; None where nobody does."""
        return self._owner.vigil

    @property
    def unanswered(self) -> bool:
        """True while nothing at all has come back that could be for this request."""
        return not self.status and not self.informational

    @property
    def buffered(self) -> int:
        """Bytes of the response's body that wait for `take()`."""
        return self.received - self.taken

    @property
    def blocked(self) -> bool:
        """True while some of the request's body waits for the peer to open its window (RFC 9113 section 5.2)."""
        return self.open and bool(self.queue)

    def send_data(self, data: bytes | memoryview) -> None:
        """Queue a piece of the request's body, and send what the peer's windows allow of it."""
        if self.open and data:
            if self._missing is not None:
                self._missing -= len(data)
                if self._missing < 0:
                    raise _wrong_length("longer")
            elif self.body_ended:
                raise LocalProtocolError(
                    "The request's body was said to be whole, and no more of it can be sent"
                )
            self.queue = memoryview(b"".join((self.queue, data)) if self.queue else data)
            self.body_ended = self._missing == 0  # so that an answer to the last byte is no early one
            self._owner.send_queued(self)

    def end_data(self) -> None:
        """Say that the request's body is whole."""
        if self.open:
            if self._missing:
                raise _wrong_length("shorter")
            self.body_ended = True
            self._owner.send_queued(self)

    def put(self, data: bytes) -> None:
        """Keep a piece of the response's body for the reader."""
        self._chunks.append(data)
        self.received += len(data)

    def take(self) -> bytes:
        """Return the bytes of the response's body that have come since the last call."""
        chunks = self._chunks
        if not chunks:
            return b""
        data = chunks.popleft()
        if chunks:
            pieces = [data]
            while chunks:  # another thread may add to them meanwhile, but nobody else takes
                pieces.append(chunks.popleft())
            data = b"".join(pieces)
        self.taken += len(data)
        if self.taken - self.credited >= self.credit and self.open:
            self.flush_due = True
            self._owner.settle_later(self)
        return data

    def discard(self) -> None:
        """Give the exchange up: the server is told, and the connection goes on without it."""
        if not self.discarded:
            self.discarded = True
            if self.open:
                self._owner.settle_later(self)


def _wrong_length(wrong: str) -> LocalProtocolError:
    return LocalProtocolError(
        f"The request's body is {wrong} than its Content-Length says (RFC 9110 section 8.6)"
    )
