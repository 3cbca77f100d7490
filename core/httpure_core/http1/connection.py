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

h11 is the authority. The fast lane of `strict.py` takes what is plain; the first odd thing in an exchange brings h11 up
to what has been said so far and leaves the rest of the exchange to it. Nothing of h11 is seen from outside: its events
become attributes of a stream, its errors ours.

This file knows no sockets and no pool. A malformed message never raises from `receive_data`: it ends the stream with a
`failure`, and the connection with a `close_reason`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from ..contracts import FieldBlock, Fields
from ..errors import LocalProtocolError, ReadError, RemoteProtocolError, TransportError
from ..layers import UnannouncedEnd
from ..models.field_block import field_block
from .measures import MAX_HEAD_SIZE, check_head, check_trailers
from .outgoing import OutgoingBody
from .place import LEAST, Place
from .raw import RawBytes
from .reasons import of_request, of_response
from .stream import Http1Stream
from .strict import ChunkedBody, closes, read_head, read_keep_alive, write_request

if TYPE_CHECKING:
    from collections.abc import Callable

    import h11

    from ..contracts import Basket, Link
else:
    from .late import h11

__all__ = ["MAX_HEAD_SIZE", "MAX_INFORMATIONAL", "CloseReason", "Http1Connection"]

#: Informational responses (1xx) accepted before the final one.
MAX_INFORMATIONAL = 16


class CloseReason(enum.Enum):
    """Why a connection will carry no further request."""

    ABANDONED = "the exchange was given up before its end"
    ANSWERED_EARLY = "the server answered before the request was sent in full"
    FAILED = "the connection failed or the peer broke the rules"
    PEER_CLOSED = "the peer closed the connection"
    PEER_WILL_CLOSE = "one side said that it will close the connection"
    UNSOLICITED = "bytes came that no request had asked for"
    UPGRADED = "the connection left HTTP/1.1"


class Http1Connection:
    """One HTTP/1.1 connection: exchanges, one after the other. See `contracts.Connection`.

    With `fast=False`, h11 reads and writes everything.
    """

    __slots__ = (
        "_chunked",
        "_fast",
        "_h11",
        "_head",
        "_may_be_fast",
        "_missing",
        "_out",
        "_sent",
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

    def __init__(self, fast: bool = True) -> None:
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
        self._may_be_fast = fast
        self._fast = False  # whether this exchange is in the fast lane
        # Made when first needed. Between exchanges it is idle, so it does not mind not having seen the fast ones.
        self._h11: h11.Connection | None = None
        # What h11 must be told if the fast lane meets something odd: the request, and the head of the response.
        self._sent: tuple[bytes, Fields, bytes | None] | None = None
        self._head = b""
        self._chunked: ChunkedBody | None = None
        # The request's body, where that goes out piece by piece in the fast lane.
        self._upload: OutgoingBody | None = None
        # Bytes of it that Content-Length promises and that were not queued yet, where h11 writes it.
        self._missing: int | None = None

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
        self._send_head(method, target, fields)
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
            self._peer.receive_data(bytes(data))
            self._advance(stream)
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
            self._finish(stream, place.missing < 0)
            stream.signal.set()

    def receive_eof(self, error: OSError | None = None) -> None:
        """The peer will send nothing more: that ends a response, or cuts it off."""
        stream = self.stream
        if stream is None:
            if self.inner is not None:
                self.inner.receive_eof(error)
            self._end_idly(CloseReason.PEER_CLOSED)
        elif stream.failure is not None:
            pass
        elif error is not None and not (isinstance(error, UnannouncedEnd) and _is_framed(stream)):
            self._lose(stream, ReadError(f"The connection was lost: {_in_words(error)}"))
        elif self._fast or stream.unanswered:
            self._lose(stream, _cut_off(stream))
        else:
            self._peer.receive_data(b"")
            self._advance(stream, at_eof=True)
            self.close_reason = self.close_reason or CloseReason.PEER_CLOSED
            self.reusable = False
            stream.signal.set()

    # The fast lane.

    def _receive_head(self, stream: Http1Stream, data: bytes | memoryview) -> None:
        head = read_head(data, stream.method)
        if head is None:
            self._call_h11(stream, data)
            return
        stream.status, stream.reason, stream.fields, size, stream.length, closes, keep_alive = head
        if closes:
            self.close_reason = CloseReason.PEER_WILL_CLOSE
            stream.duplex = False
        if keep_alive is not None or self.requests_left:
            self._heed(keep_alive)
        if stream.length is None:
            self._chunked = ChunkedBody()
            self._head = bytes(data[:size])
        if len(data) > size:
            self._receive_body(stream, data[size:])
        elif stream.length == 0:
            self._finish(stream)

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
        self._finish(stream, len(data) > missing)

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
            self._finish(stream, bool(chunked.rest))
        elif chunked.broken:
            text = "The body of the response is not valid HTTP/1.1: a chunk does not end with a line end"
            self._fail(stream, RemoteProtocolError(text))
        elif chunked.odd:
            self._call_h11(stream, self._head + chunked.rest)

    def _call_h11(self, stream: Http1Stream, data: bytes | memoryview) -> None:
        """Leave the exchange, and the connection, to h11: tell it what was sent, and what of the answer is unread."""
        target, fields, body = self._sent  # type: ignore[misc]  # there is an exchange, and it was a plain one
        self._fast = False
        out, self._out = self._out, []
        self._send_head(stream.method, target, fields)
        upload = self._upload
        # Of a piece, h11 looks at the length only, and a range has one: what has gone need not be kept for it.
        gone: Any = body if upload is None else range(upload.queued)
        if gone:
            self._send(h11.Data(data=gone))
        if upload is None or upload.whole:
            self._missing = None
            self._send(h11.EndOfMessage())
        else:
            self._missing = upload.missing
        self._upload = None
        self._out = out
        self._peer.receive_data(bytes(data))
        self._advance(stream)

    # h11.

    @property
    def _peer(self) -> h11.Connection:
        if self._h11 is None:
            self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
        return self._h11

    def _send_head(self, method: bytes, target: bytes, fields: Fields) -> None:
        values = {name.lower(): value for name, value in fields}
        length = values.get(b"content-length")
        if length is not None and b"transfer-encoding" in values:
            raise LocalProtocolError(
                "The request has both Content-Length and Transfer-Encoding (RFC 9112 section 6.2)"
            )
        try:
            self._send(h11.Request(method=method, target=target, headers=fields))
        except h11.LocalProtocolError as exc:
            text = f"The request cannot be sent over HTTP/1.1: {of_request(exc, fields)}"
            raise LocalProtocolError(text) from None
        self._missing = int(length) if length is not None and length.isdigit() else None

    def _send(self, event: h11.Event) -> None:
        self._out += self._peer.send_with_data_passthrough(event) or ()

    def send_piece(self, data: bytes | memoryview | None) -> None:
        """Queue a piece of the request's body, or its end where it is None.

        A body of known length ends with its last byte, so that an answer to that is no early one.
        """
        upload = self._upload
        if upload is not None:
            if not upload.queue(data, self._out):
                raise self._wrong_length(data)
            return
        try:
            if data is not None:
                self._send(h11.Data(data=data))  # type: ignore[arg-type]  # it is passed on as it is
                if self._missing is not None:
                    self._missing -= len(data)
            if self._missing == 0 or (data is None and self._peer.our_state is h11.SEND_BODY):
                self._missing = None
                self._send(h11.EndOfMessage())
        except h11.LocalProtocolError:
            raise self._wrong_length(data) from None

    def _wrong_length(self, data: bytes | memoryview | None) -> LocalProtocolError:
        self.close_reason = CloseReason.ABANDONED
        self.reusable = False
        wrong = "shorter" if data is None else "longer"
        return LocalProtocolError(
            f"The request's body is {wrong} than its Content-Length says (RFC 9110 section 8.6)"
        )

    def _advance(self, stream: Http1Stream, at_eof: bool = False) -> None:
        """Turn what h11 makes of the bytes into news for the stream."""
        next_event = self._peer.next_event
        try:
            while not stream.ended:
                event = next_event()
                if isinstance(event, h11.Data):
                    stream.put(event.data)
                elif isinstance(event, h11.Response):
                    self._begin(stream, event)
                elif isinstance(event, h11.EndOfMessage):
                    self._end(stream, event)
                elif isinstance(event, h11.InformationalResponse):
                    self._inform(stream, event)
                else:
                    break  # more bytes are needed
        except h11.RemoteProtocolError as exc:
            part = "body" if stream.status else "head"
            text = f"The {part} of the response is not valid HTTP/1.1: {of_response(exc)}"
            self._fail(stream, _cut_off(stream) if at_eof else RemoteProtocolError(text))

    def _begin(self, stream: Http1Stream, head: h11.Response) -> None:
        if stream.status:
            return  # the fast lane has read it already
        check_head(head.headers)
        if stream.method == b"CONNECT" and 200 <= head.status_code < 300:
            self._leave(stream, head)
            return
        values = {name.lower(): value for name, value in head.headers.raw_items()}
        if b"transfer-encoding" in values and b"content-length" in values:
            raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding (RFC 9112 section 6.3)")
        if b"content-length" in values:
            stream.length = int(values[b"content-length"])
        self._heed(values.get(b"keep-alive"))
        stream.duplex = (
            head.http_version == b"1.1"
            and (stream.length is not None or b"transfer-encoding" in values)
            and not any(closes(value) for name, value in head.headers if name == b"connection")
        )
        self._describe(stream, head)

    def _inform(self, stream: Http1Stream, head: h11.InformationalResponse) -> None:
        stream.informational = (*stream.informational, (head.status_code, head.headers.raw_items()))
        check_head(head.headers)
        if len(stream.informational) > MAX_INFORMATIONAL:
            raise h11.RemoteProtocolError(f"more than {MAX_INFORMATIONAL} informational responses")
        if head.status_code == 101:
            self._leave(stream, head)

    def _leave(self, stream: Http1Stream, head: h11.Response | h11.InformationalResponse) -> None:
        """Leave HTTP/1.1 (RFC 9110 sections 7.8 and 9.3.6): what stands behind this head is none of its business."""
        machine = self._peer
        if machine.our_state is not h11.SWITCHED_PROTOCOL:
            raise h11.RemoteProtocolError("the protocol was switched before the request was sent in full")
        self._describe(stream, head)
        self.inner = stream.raw = RawBytes()
        behind = machine.trailing_data[0]
        if behind:
            self.inner.receive_data(behind)
        self._finish(stream, close_reason=CloseReason.UPGRADED)

    def _describe(self, stream: Http1Stream, head: h11.Response | h11.InformationalResponse) -> None:
        stream.http_version = b"HTTP/" + head.http_version
        stream.reason = head.reason
        stream.fields = head.headers.raw_items()
        stream.status = head.status_code

    def _end(self, stream: Http1Stream, event: h11.EndOfMessage) -> None:
        check_trailers(event.headers)
        stream.trailers = event.headers.raw_items()
        machine = self._peer
        ours, theirs = machine.our_state, machine.their_state
        reason = None
        if ours is not h11.DONE and ours is not h11.MUST_CLOSE:
            reason = CloseReason.ANSWERED_EARLY
        elif ours is h11.MUST_CLOSE or theirs is not h11.DONE:
            reason = CloseReason.PEER_WILL_CLOSE
        self._finish(stream, bool(machine.trailing_data[0]), reason)
        if self.close_reason is None:
            machine.start_next_cycle()

    # Both.

    def _finish(
        self, stream: Http1Stream, unsolicited: bool = False, close_reason: CloseReason | None = None
    ) -> None:
        """The response is whole."""
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

    def _heed(self, keep_alive: bytes | None) -> None:
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
        self._fail(stream, failure)

    def _fail(self, stream: Http1Stream, failure: TransportError) -> None:
        self.close_reason = CloseReason.FAILED
        stream.failure = failure
        self.room = None
        stream.signal.set()

    def abandon(self) -> None:
        """Nobody wants the rest of the exchange."""
        self.close_reason = self.close_reason or CloseReason.ABANDONED


def _is_framed(stream: Http1Stream) -> bool:
    """Whether the response itself tells where it ends: with a length, with its last chunk, or not before its head."""
    if not stream.status or stream.length is not None:
        return True
    return any(name.lower() == b"transfer-encoding" for name, _ in stream.fields)


def _cut_off(stream: Http1Stream) -> RemoteProtocolError:
    if not stream.status:
        return RemoteProtocolError("The server closed the connection before its response was there")
    came = (
        f"{stream.received} bytes" if stream.length is None else f"{stream.received} of {stream.length} bytes"
    )
    return RemoteProtocolError(
        f"The server closed the connection before the response's body was whole: {came} of it had come"
    )


def _in_words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
