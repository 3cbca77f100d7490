r"""HTTP/1.1 (RFC 9112): a request goes in and bytes come out, bytes go in and a response comes out.

    open_stream ──▶ data_to_send        receive_data, receive_eof ──▶ the stream's attributes, and its signal

    >>> from httpure_core.http1.connection import Http1Connection
    >>> connection = Http1Connection()
    >>> stream = connection.open_stream(b"GET", b"/hello", [(b"Host", b"shop.example")], b"")
    >>> connection.data_to_send()
    b'GET /hello HTTP/1.1\r\nHost: shop.example\r\n\r\n'
    >>> connection.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    >>> stream.status, stream.take(), stream.ended, connection.reusable
    (200, b'hi', True, True)

h11 is the authority, in the slow lane of `slow.py`. The fast lane of `strict.py` takes what is plain; the first odd
thing in an exchange brings h11 up to what has been said so far and leaves the rest of the exchange to it.

This file knows no sockets and no pool. A malformed message never raises from `receive_data`: it ends the stream with a
`failure`, and the connection with a `close_reason`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..contracts import FieldBlock, Fields
from ..errors import LocalProtocolError, ReadError, RemoteProtocolError, TransportError
from ..layers import UnannouncedEnd, in_words, reason_of
from ..limits import DEFAULT_LIMITS, Limits
from ..models.field_block import field_block
from .endings import CloseReason, cut_off, is_framed
from .measures import DEFAULT_MEASURES, Measures
from .outgoing import OutgoingBody
from .place import LEAST, Place
from .raw import RawBytes
from .stream import Http1Stream
from .strict import ChunkedBody, read_head, read_keep_alive, write_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..contracts import Basket, Link
    from .slow import SlowLane

__all__ = ["CloseReason", "Http1Connection"]


class Http1Connection:
    """One HTTP/1.1 connection: exchanges, one after the other. See `contracts.Connection`.

    With `fast=False`, h11 reads and writes everything. `limits` says how much is taken of a response's head, trailers
    and chunks; beyond, the exchange fails with `HeadTooLarge`.
    """

    __slots__ = (
        "_chunked",
        "_end",
        "_fast",
        "_head",
        "_may_be_fast",
        "_measures",
        "_out",
        "_sent",
        "_slow_lane",
        "_upload",
        "changed",
        "close_reason",
        "idle_limit",
        "inner",
        "link",
        "requests_left",
        "reusable",
        "room",
        "stream",
    )

    multiplexed = False
    reads_views = True
    stream_limit: int | None = None
    suspect = False
    #: Set by whoever dials, before the first stream is opened.
    link: Link

    def __init__(self, fast: bool = True, limits: Limits = DEFAULT_LIMITS) -> None:
        self.changed: Callable[[], None] | None = None
        self.idle_limit: float | None = None
        self.requests_left: int | None = None
        #: The exchange that is going on, if any.
        self.stream: Http1Stream | None = None
        self.close_reason: CloseReason | None = None
        #: True between two exchanges while nothing speaks against a next one: no stream, no reason to close. No
        #: property, as it is asked for three times a request, which would take 0.15 µs each time.
        self.reusable = True
        #: See `contracts.Machine`.
        self.room: Callable[[], memoryview] | None = None
        #: Takes all bytes, once the connection has left HTTP/1.1.
        self.inner: RawBytes | None = None
        self._out: list[bytes | memoryview] = []
        self._measures = DEFAULT_MEASURES if limits is DEFAULT_LIMITS else Measures(limits)
        self._may_be_fast = fast
        # How the connection ended while there was no exchange to tell of it.
        self._end: tuple[OSError | None] | None = None
        self._fast = False  # whether this exchange is in the fast lane
        # Made when first needed.
        self._slow_lane: SlowLane | None = None
        # What h11 must be told if the fast lane meets something odd: the request, and the head of the response.
        self._sent: tuple[bytes, Fields, bytes | None] | None = None
        self._head = b""
        self._chunked: ChunkedBody | None = None
        # The request's body, where that goes out piece by piece in the fast lane.
        self._upload: OutgoingBody | None = None

    @property
    def available_streams(self) -> int:
        """One, between two exchanges, while nothing speaks against a next one."""
        return int(self.reusable)

    def expect_streams(self, limit: int) -> None:
        """There are no streams in HTTP/1.1."""

    @property
    def wants_data(self) -> bool:
        """False while the reader has `READ_AHEAD` bytes to catch up with, and when nobody will ever read more."""
        stream = self.stream
        if stream is None:
            return self.close_reason is None if self.inner is None else self.inner.wants_data
        return stream.buffered < stream.read_ahead

    def open_stream(
        self,
        method: bytes,
        target: bytes,
        fields: Fields,
        body: bytes | None,
        block: FieldBlock | None = None,
    ) -> Http1Stream:
        """Queue a request's head and, where it is given, its whole body (runs once per request).

        With `body=None` the caller goes on with `send_data` and `end_data` of the stream. A client has the `block` as a
        rule, once for many requests: to make it takes 3 µs. Raises LocalProtocolError, with nothing queued, for a
        request that breaks the rules of HTTP. One exchange at a time: see `reusable`.
        """
        stream = Http1Stream(method, self)
        if self._may_be_fast:
            block = block or field_block(fields)
            request = None if block is None else write_request(method, target, block, body)
            if block is not None and request is not None:
                self._fast = True
                self._out.append(request)
                self._sent = (target, fields, body)
                if body is None:
                    self._upload = OutgoingBody(block[1])
                self.stream = stream
                self.reusable = False
                return stream
        self._fast = False
        self._out += self._slow.send_head(method, target, fields)
        try:
            if body:
                stream.send_data(body)
            if body is not None:
                stream.end_data()
        except LocalProtocolError:
            self._out = []
            raise
        self.stream = stream
        self.reusable = False
        if self._end is not None:
            self._out = []  # nobody is there to read it
            self.receive_eof(*self._end)
        return stream

    def data_to_send(self) -> bytes | memoryview:
        """Return what is queued, head and small body in one piece; a piece of a body as it was given, uncopied."""
        out = self._out
        if not out:
            return b"" if self.inner is None else self.inner.data_to_send()
        self._out = []
        return out[0] if len(out) == 1 else b"".join(out)

    def receive_data(self, data: bytes | memoryview) -> None:
        """Feed bytes from the peer; sets the stream's signal (runs once per arrival of bytes)."""
        stream = self.stream
        if stream is None:
            if self.inner is not None:
                self.inner.receive_data(bytes(data))
            self._end_idly(CloseReason.UNSOLICITED)
            return
        if stream.failure is not None:
            return  # the first failure is the one to tell
        stream.unanswered = False
        if not self._fast:
            self._slow.receive(stream, bytes(data))
        elif stream.status:
            self._receive_body(stream, data)
        else:
            self._receive_head(stream, data)
        if stream.clock is None or stream.ended:
            stream.signal.set()
        else:  # whoever gathers the body wants to hear of its end only
            stream.heard = stream.clock()

    def filled(self, size: int) -> None:
        """As `receive_data`, of bytes that have come into `room()`: some, and perhaps the last, of a body."""
        stream = self.stream
        if stream is None or stream.place is None:
            return  # it was given up meanwhile
        place = stream.place
        place.fill(size)
        size += min(place.missing, 0)
        stream.received += size
        stream.buffered += size
        stream.heard = stream.clock()  # type: ignore[misc]  # who has a place is gathered
        if place.missing <= 0:
            self.finish(stream, place.missing < 0)
            stream.signal.set()

    def receive_eof(self, error: OSError | None = None) -> None:
        """The peer will send nothing more: that ends a response, or cuts it off."""
        stream = self.stream
        if stream is None:
            if self.inner is not None:
                self.inner.receive_eof(error)
            else:
                # A server may hang up before it was asked anything: who asks nevertheless has to hear of it.
                self._end, self._may_be_fast = (error,), False
            self._end_idly(CloseReason.PEER_CLOSED)
        elif stream.failure is not None:
            pass
        elif error is not None and not (isinstance(error, UnannouncedEnd) and is_framed(stream)):
            lost = ReadError(f"The connection was lost: {in_words(error)}")
            lost.reason = reason_of(error)
            self._lose(stream, lost)
        elif self._fast or stream.unanswered:
            self._lose(stream, cut_off(stream))
        else:
            self._slow.receive_eof(stream)
            self.close_reason = self.close_reason or CloseReason.PEER_CLOSED
            self.reusable = False
            stream.signal.set()

    # The fast lane.

    def _receive_head(self, stream: Http1Stream, data: bytes | memoryview) -> None:
        head = read_head(data, stream.method, self._measures)
        if head is None:
            self._slow_down(stream, data)
            return
        stream.status, stream.reason, stream.fields, size, stream.length, closes, keep_alive = head
        if closes:
            self.close_reason = CloseReason.PEER_WILL_CLOSE
            stream.duplex = False
        if keep_alive is not None or self.requests_left:
            self.heed(keep_alive)
        if stream.length is None:
            self._chunked = ChunkedBody(self._measures.limits.max_chunk_overhead)
            self._head = bytes(data[:size])
        if len(data) > size:
            self._receive_body(stream, data[size:])
        elif stream.length == 0:
            self.finish(stream)

    def _receive_body(self, stream: Http1Stream, data: bytes | memoryview) -> None:
        if stream.length is None:
            self._receive_chunks(stream, bytes(data))
            return
        missing = stream.length - stream.received
        if len(data) <= missing:
            stream.put(data)
            if len(data) < missing:
                return
        elif missing:
            stream.put(data[:missing])
        self.finish(stream, len(data) > missing)

    def make_place(self, stream: Http1Stream, basket: Basket) -> Place | None:
        """Have the rest of a plain body received in place, if it is worth that."""
        if not self._fast or stream.length is None or stream.failure is not None:
            return None
        missing = stream.length - stream.received
        if missing < LEAST:
            return None
        place = Place(basket, stream.buffered, missing)
        self.room = place.room
        return place

    def end_place(self) -> None:
        """Receive nothing in place any more."""
        self.room = None

    def _receive_chunks(self, stream: Http1Stream, data: bytes) -> None:
        chunked: ChunkedBody = self._chunked  # type: ignore[assignment]  # there is one where there is no length
        for piece in chunked.receive(data, stream.copies):
            stream.put(piece)
        if chunked.ended:
            self.finish(stream, bool(chunked.rest))
        elif chunked.broken:
            text = "The body of the response is not valid HTTP/1.1: a chunk does not end with a line end"
            self.fail(stream, RemoteProtocolError(text))
        elif chunked.excess > chunked.most:
            self.fail(stream, self._measures.too_much_overhead(chunked.excess))
        elif chunked.odd:
            self._slow_down(stream, self._head + chunked.rest, chunked.excess)

    # The slow lane.

    @property
    def _slow(self) -> SlowLane:
        if self._slow_lane is None:
            from .slow import SlowLane

            self._slow_lane = SlowLane(self, self._measures)
        return self._slow_lane

    def _slow_down(self, stream: Http1Stream, data: bytes | memoryview, excess: int = 0) -> None:
        """Leave the exchange to h11: tell it what was sent, and what of the answer is unread."""
        target, fields, body = self._sent  # type: ignore[misc]  # there is an exchange, and it was a plain one
        self._fast = False
        upload = self._upload
        # Of a piece, h11 looks at the length only, and a range has one: what has gone need not be kept for it.
        gone: Any = body if upload is None else range(upload.queued)
        missing = 0 if upload is None or upload.whole else upload.missing
        self._upload = None
        self._slow.catch_up(stream.method, target, fields, gone, missing)
        self._slow.receive(stream, bytes(data), excess)

    def send_piece(self, data: bytes | memoryview | None) -> None:
        """Queue a piece of the request's body, or its end where it is None.

        A body of known length ends with its last byte, so that an answer to that is no early one.
        """
        if self._upload is not None:
            if self._upload.queue(data, self._out):
                return
        else:
            sent = self._slow.send_piece(data)
            if sent is not None:
                self._out += sent
                return
        self.close_reason = CloseReason.ABANDONED
        self.reusable = False
        wrong = "shorter" if data is None else "longer"
        raise LocalProtocolError(
            f"The request's body is {wrong} than its Content-Length says (RFC 9110 section 8.6)"
        )

    def leave(self, stream: Http1Stream, behind: bytes) -> None:
        """Leave HTTP/1.1 (RFC 9110 sections 7.8 and 9.3.6): what stands behind the head is none of its business."""
        self.inner = stream.raw = RawBytes()
        if behind:
            self.inner.receive_data(behind)
        self.finish(stream, False, CloseReason.UPGRADED)

    # Both.

    def finish(
        self, stream: Http1Stream, unsolicited: bool = False, close_reason: CloseReason | None = None
    ) -> None:
        """The response is whole. The lanes say so, and what stands below."""
        if self._upload is not None:
            if not self._upload.whole and self.close_reason in (None, CloseReason.PEER_WILL_CLOSE):
                self.close_reason = CloseReason.ANSWERED_EARLY
            self._upload = None
        self.close_reason = self.close_reason or close_reason
        if unsolicited:
            self.close_reason = self.close_reason or CloseReason.UNSOLICITED
        stream.ended = True
        self.stream = self.room = None
        self.reusable = self.close_reason is None

    def heed(self, keep_alive: bytes | None) -> None:
        """Take to heart what the server says of the connection's future."""
        if keep_alive is not None:
            self.idle_limit, self.requests_left = read_keep_alive(keep_alive)
        elif self.requests_left:
            self.requests_left -= 1

    def _end_idly(self, reason: CloseReason) -> None:
        """The connection will carry no further request, and no exchange is there to tell of it."""
        if self.close_reason is None:
            self.close_reason = reason
            self.reusable = False
            if self.changed is not None:
                self.changed()

    def _lose(self, stream: Http1Stream, failure: TransportError) -> None:
        failure.unanswered = stream.unanswered
        self.fail(stream, failure)

    def fail(self, stream: Http1Stream, failure: TransportError) -> None:
        """The response will never be whole."""
        self.close_reason = CloseReason.FAILED
        stream.failure = failure
        self.room = None
        stream.signal.set()

    def abandon(self) -> None:
        """Nobody wants the rest of the exchange."""
        self.close_reason = self.close_reason or CloseReason.ABANDONED
