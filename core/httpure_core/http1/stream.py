"""One request and its response on an HTTP/1.1 connection, as the operations see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..contracts import READ_AHEAD, Fields, RawMachine
from ..errors import TransportError
from ..signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..contracts import Basket, Clock
    from .place import Place

__all__ = ["Http1Stream", "StreamOwner"]

#: More than any body has.
_NO_LIMIT = 1 << 62


class StreamOwner(Protocol):
    """What a stream asks of its connection."""

    def send_piece(self, data: bytes | memoryview | None, /) -> None:
        """Queue a piece of the request's body, or its end where that is None."""
        ...

    def make_place(self, stream: Http1Stream, basket: Basket, /) -> Place | None:
        """Have the rest of the body received in a place, behind what the basket holds, if it is plain and large."""
        ...

    def end_place(self) -> None:
        """Receive nothing in place any more."""
        ...

    def abandon(self) -> None:
        """Nobody wants the rest of the exchange."""
        ...


class Http1Stream:
    """What is known of one exchange. See `contracts.Stream` for the attributes."""

    __slots__ = (
        "_chunks",
        "_owner",
        "_sink",
        "_whole",
        "buffered",
        "clock",
        "duplex",
        "ended",
        "failure",
        "fields",
        "heard",
        "http_version",
        "informational",
        "length",
        "method",
        "place",
        "raw",
        "read_ahead",
        "reason",
        "received",
        "signal",
        "status",
        "trailers",
        "unanswered",
    )

    heard: float
    # What only streams of HTTP/2 do.
    stream_id: int | None = None
    blocked = False
    flush_due = False
    vigil = None

    def __init__(self, method: bytes, owner: StreamOwner) -> None:
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
        self.read_ahead = READ_AHEAD  #: bytes that are held for the reader before the link stops reading
        self.ended = False
        self.failure: TransportError | None = None
        self.raw: RawMachine | None = None
        #: Tells when bytes come, once the body is gathered; None before that.
        self.clock: Clock | None = None
        #: Where the rest of the body is received, if that is one place.
        self.place: Place | None = None
        #: What takes the pieces of a body that is gathered, and gives all of it in the end.
        self._sink: Callable[[bytes | memoryview], object] | None = None
        self._whole: Callable[[], bytes] | None = None
        self._chunks: list[bytes] = []
        self._owner = owner

    def send_data(self, data: bytes | memoryview) -> None:
        """Queue a piece of the body, chunked or not as the head said."""
        if not self.ended:
            self._owner.send_piece(data)

    def end_data(self) -> None:
        """Say that the body is whole."""
        if not self.ended:
            self._owner.send_piece(None)

    @property
    def copies(self) -> bool:
        """True while pieces may be views of something that will be gone: they are copied at once."""
        return self._sink is not None

    def put(self, data: bytes | memoryview) -> None:
        """Keep a piece of the response's body for the reader."""
        if self._sink is not None:
            self._sink(data)
        else:
            self._chunks.append(bytes(data))  # of bytes, that is no copy
        self.buffered += len(data)
        self.received += len(data)

    def take(self) -> bytes:
        """Return the bytes of the response's body that have come since the last call."""
        if self._whole is not None:
            data = self._whole()
            self._let_go()
            return data
        chunks = self._chunks
        if not chunks:
            return b""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._chunks = []
        self.buffered = 0
        return data

    def gather(self, clock: Clock, basket: Basket | None) -> None:
        """See `contracts.Stream`."""
        self.read_ahead = _NO_LIMIT
        self.clock = clock
        self.heard = clock()
        if basket is not None:
            for piece in self._chunks:
                basket.write(piece)
            self._chunks = []
            self._sink, self._whole = basket.write, basket.getvalue
            place = self.place = self._owner.make_place(self, basket)
            if place is not None:
                self._sink, self._whole = place.put, place.take

    def discard(self) -> None:
        """Give the exchange up; the connection cannot be used again unless the exchange is over."""
        if not self.ended:
            self._owner.abandon()
            self._chunks = []
            self._let_go()

    def _let_go(self) -> None:
        """Gather no more."""
        self.buffered = 0
        self._sink = self._whole = None
        if self.place is not None:
            self.place = None
            if not self.ended:
                self._owner.end_place()
