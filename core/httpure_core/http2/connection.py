"""HTTP/2 (RFC 9113): requests go in and bytes come out, bytes go in and responses come out, many at a time.

    open_stream ──▶ data_to_send        receive_data, receive_eof ──▶ each stream's attributes, and its signal

    >>> from httpure_core.http2.connection import Http2Connection
    >>> connection = Http2Connection()
    >>> stream = connection.open_stream(b"GET", b"/hello", [(b"Host", b"shop.example")], b"")
    >>> connection.data_to_send()[:14]
    b'PRI * HTTP/2.0'
    >>> connection.receive_data(bytes.fromhex("000000040000000000"))  # SETTINGS
    >>> connection.receive_data(bytes.fromhex("00000101050000000188"))  # HEADERS: 200, and no more
    >>> stream.stream_id, stream.status, stream.ended
    (1, 200, True)

h2 is the authority on the states of connection and streams, on settings, and on the windows of flow control. Before
it stands what it does not do, or does to the whole connection where one stream is meant:

- *Frames* are cut here, and h2 gets them one by one: what came before a bad one counts, however the bytes were cut.
- *Header blocks* are decoded and checked here, and h2 is told of each as an empty one. It would end the connection for
  any bad field, and check Content-Length also where a response has no body.
- *GOAWAY* is for this file alone: to h2 it is the end, while to RFC 9113 (section 6.8) the streams up to the last
  one go on.
- *DATA of a stream that was given up* is paid back and dropped. h2 would answer each frame by one more RST_STREAM.

This file knows no sockets and no pool. A malformed message never raises from `receive_data`: it ends a stream with a
`failure`, or all of them, and the connection with a `close_reason`. Nothing of h2 is seen from outside.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..contracts import Fields
from ..errors import LocalProtocolError, ReadError
from ..layers import UnannouncedEnd
from .failures import broken_off, cut_off, farewell, going_away, malformed, reset_by_peer, words_of
from .faults import Code, ConnectionFault, StreamFault
from .fields import is_secret, read_head, read_trailers, write_head
from .frames import Block, BlockReader, Flag, Frame, FrameReader, Kind, data_size, head_frame
from .library import library
from .limits import MAX_INFORMATIONAL, MAX_TABLE_SIZE, STREAMS_BEFORE_SETTINGS, Patience
from .stream import Http2Stream
from .table import StreamTable, fail

if TYPE_CHECKING:
    from ..contracts import Link

__all__ = ["CloseReason", "Http2Connection"]

_LAST_STREAM_ID = 2**31 - 1
#: The shortest head, `:status: 200`, as an index into the static table (RFC 7541 appendix A).
_ANY_HEAD = b"\x88"


class CloseReason(enum.Enum):
    """Why a connection will carry no further request. Streams that are open may go on all the same."""

    FAILED = "the connection failed or the peer broke the rules"
    PEER_CLOSED = "the peer closed the connection"
    PEER_WILL_CLOSE = "the peer said that it will close the connection"
    SILENT = "a request was given up to which the peer had not said anything at all: it may be gone"
    USED_UP = "all numbers of streams were used"


class Http2Connection:
    """One HTTP/2 connection: exchanges, many at a time. See `contracts.Connection`.

    `scheme` is that of the requests: b"https", or b"http" where HTTP/2 is spoken without TLS (prior knowledge).
    Raises ImportError where h2 is not installed.
    """

    __slots__ = (
        "_allowed",
        "_blocks",
        "_close_reason",
        "_decoder",
        "_frames",
        "_goodbye",
        "_greeted",
        "_h2",
        "_library",
        "_next_id",
        "_patience",
        "_scheme",
        "_table",
        "changed",
        "idle_limit",
        "link",
        "requests_left",
    )

    multiplexed = True
    suspect = False
    #: Set by whoever dials, before the first stream is opened.
    link: Link

    def __init__(self, scheme: bytes = b"https") -> None:
        self.changed: Callable[[], None] | None = None
        self.idle_limit: float | None = None
        self.requests_left: int | None = None
        self._library = library()
        self._h2 = self._library.connection()
        self._decoder = self._library.decoder()
        self._patience = Patience()
        self._table = StreamTable(self._h2, self._patience)
        self._frames = FrameReader()
        self._blocks = BlockReader()
        self._scheme = scheme
        self._next_id = 1
        self._greeted = False  # whether the peer's settings have come
        self._allowed = STREAMS_BEFORE_SETTINGS  # how many streams may be open at a time
        self._goodbye = ""  # what GOAWAY said
        self._close_reason: CloseReason | None = None

    @property
    def close_reason(self) -> CloseReason | None:
        """Why no further stream can be opened, whatever the peer allows; None while one can."""
        if self._close_reason is None and self._table.silent:
            return CloseReason.SILENT
        return self._close_reason

    @property
    def available_streams(self) -> int:
        """How many more streams can be opened at this moment. May be looked at without the link's mutex."""
        return 0 if self.close_reason is not None else self._table.available(self._allowed)

    @property
    def reusable(self) -> bool:
        """True while a further stream can be opened."""
        return self.available_streams > 0

    @property
    def wants_data(self) -> bool:
        """True while it is alive: no stream waits for a slow reader of another. The windows bound what that holds."""
        return not self._is_over

    def open_stream(self, method: bytes, target: bytes, fields: Fields, body: bytes | None) -> Http2Stream:
        """Queue a request's head and, where it is given, its whole body (runs once per request).

        What the peer's windows do not allow of the body stays with the stream, which is `blocked` then.
        """
        table = self._table
        table.settle()
        if not self.available_streams:
            raise self._refusal()
        head = write_head(self._scheme, method, target, fields)
        if body is not None and head.length not in (None, len(body)):
            raise LocalProtocolError(
                f"The request's body has {len(body)} bytes, and its Content-Length says {head.length}"
            )
        number = self._next_id
        never_indexed = self._library.never_indexed
        pairs = [never_indexed(*pair) if is_secret(*pair) else pair for pair in head.fields]
        stream = Http2Stream(table, number, method, head.length, table.arrivals)
        self._h2.send_headers(number, pairs, end_stream=body == b"")
        self._next_id += 2
        if self._next_id > _LAST_STREAM_ID:
            self._close_reason = self._close_reason or CloseReason.USED_UP
        table.begin(stream, body)
        return stream

    def data_to_send(self) -> bytes:
        """Return what is queued, of all streams."""
        table = self._table
        table.settle()
        if not table.out:
            return self._h2.data_to_send()
        out, table.out = table.out, []
        return b"".join((*out, self._h2.data_to_send()))

    def receive_data(self, data: bytes) -> None:
        """Feed bytes from the peer; sets the signals of the streams that they bring forward."""
        self._table.arrived()
        if self._is_over:
            return
        self._table.settle()
        self._patience.arrival()
        self._frames.feed(data)
        try:
            while (frame := self._frames.next_frame()) is not None:
                self._receive_frame(frame)
        except ConnectionFault as fault:
            if not fault.told:
                self._h2.close_connection(fault.code)
            self._close_reason = CloseReason.FAILED
            for stream in self._table.leave_all():
                fail(stream, broken_off(fault))

    def receive_eof(self, error: OSError | None = None) -> None:
        """The peer will send nothing more: that cuts off all responses that are not whole."""
        if self._is_over:
            return
        if isinstance(error, UnannouncedEnd):
            error = None  # a stream itself tells where it ends
        self._close_reason = CloseReason.PEER_CLOSED if error is None else CloseReason.FAILED
        for stream in self._table.leave_all():
            if error is not None:
                fail(stream, ReadError(f"The connection was lost: {words_of(error)}"))
            else:
                fail(stream, cut_off(stream, self._greeted, self._goodbye))

    @property
    def _is_over(self) -> bool:
        return self._close_reason in (CloseReason.FAILED, CloseReason.PEER_CLOSED)

    def _refusal(self) -> LocalProtocolError:
        reason = self.close_reason
        why = f"the server allows {self._allowed} at a time" if reason is None else reason.value
        refusal = LocalProtocolError(f"No further stream can be opened on the HTTP/2 connection: {why}")
        refusal.unprocessed = True
        return refusal

    # Frames.

    def _receive_frame(self, frame: Frame) -> None:
        if not self._greeted:
            self._receive_greeting(frame)
        elif self._blocks.stream_id:
            self._receive_block(self._blocks.go_on(frame))
        else:
            _RECEIVERS.get(frame.kind, Http2Connection._ignore)(self, frame)

    def _feed(self, raw: bytes) -> list[Any]:
        """Tell h2 of a frame, and return its events. Raises ConnectionFault."""
        try:
            return self._h2.receive_data(raw)
        except self._library.errors as exc:
            code = getattr(exc, "error_code", Code.PROTOCOL_ERROR)
            raise ConnectionFault(int(code), _in_words(exc), told=True) from None

    def _receive_greeting(self, frame: Frame) -> None:
        if frame.kind != Kind.SETTINGS or frame.flags & Flag.ACK:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it did not begin with its settings")
        self._greeted = True
        self._receive_settings(frame)

    def _receive_settings(self, frame: Frame) -> None:
        self._patience.spend()
        self._feed(frame.raw)
        self._allowed = self._h2.remote_settings.max_concurrent_streams
        encoder = self._h2.encoder
        if encoder.header_table_size > MAX_TABLE_SIZE:
            encoder.header_table_size = MAX_TABLE_SIZE
        self._table.resume()

    def _receive_window_update(self, frame: Frame) -> None:
        self._patience.spend()
        for event in self._feed(frame.raw):
            if type(event) is self._library.stream_reset:
                stream = self._table.streams[frame.stream_id]
                self._table.leave(stream)
                fail(stream, malformed("the server opened a window of flow control too far"))
        self._table.resume()

    def _receive_reset(self, frame: Frame) -> None:
        self._patience.spend_reset()
        self._feed(frame.raw)
        self._table.forget(frame.stream_id)
        stream = self._table.streams.get(frame.stream_id)
        if stream is not None:
            self._table.leave(stream)
            fail(stream, reset_by_peer(stream, int.from_bytes(frame.payload)))

    def _receive_goaway(self, frame: Frame) -> None:
        self._patience.spend()
        payload = frame.payload
        if frame.stream_id or len(payload) < 8:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it sent a GOAWAY frame that is not valid")
        last = int.from_bytes(payload[:4]) & _LAST_STREAM_ID
        self._goodbye = farewell(int.from_bytes(payload[4:8]), payload[8:])
        self._close_reason = self._close_reason or CloseReason.PEER_WILL_CLOSE
        for stream in list(self._table.streams.values()):
            if stream.stream_id > last:
                self._table.forsake(stream, Code.CANCEL)
                fail(stream, going_away(self._goodbye))

    def _receive_other(self, frame: Frame) -> None:
        self._patience.spend()
        self._feed(frame.raw)

    def _ignore(self, frame: Frame) -> None:
        self._patience.spend()

    def _refuse_push(self, frame: Frame) -> None:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "it pushed a response, though it was told not to")

    def _refuse_continuation(self, frame: Frame) -> None:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "it sent a CONTINUATION frame that continues nothing")

    # Responses.

    def _receive_headers(self, frame: Frame) -> None:
        self._receive_block(self._blocks.begin(frame))

    def _receive_block(self, block: Block | None) -> None:
        """Take the head of a response, an informational one perhaps, or its trailers."""
        if block is None:
            return
        pairs = self._decode(block.data)  # always, as the blocks to come depend on it
        stream = self._table.streams.get(block.stream_id)
        if stream is None:
            self._drop_block(block)
            return
        try:
            if stream.status:
                self._receive_trailers(stream, block, pairs)
            else:
                self._receive_head(stream, block, pairs)
        except StreamFault as fault:
            self._refuse(stream, fault, block.ended)

    def _receive_head(self, stream: Http2Stream, block: Block, pairs: list[tuple[bytes, bytes]]) -> None:
        head = read_head(pairs, stream.method)
        if head.status < 200:
            stream.informational = (*stream.informational, (head.status, head.fields))
            if block.ended or head.status == 101 or len(stream.informational) > MAX_INFORMATIONAL:
                raise StreamFault(
                    f"its informational response ({head.status}) is one too many, or not allowed"
                )
            stream.signal.set()
            return
        if block.ended and head.length:
            raise _wrong_length(head.length, 0)
        self._feed(head_frame(stream.stream_id, _ANY_HEAD, block.ended))
        stream.fields, stream.length = head.fields, head.length
        stream.status = head.status
        self._advance(stream, block.ended)

    def _receive_trailers(self, stream: Http2Stream, block: Block, pairs: list[tuple[bytes, bytes]]) -> None:
        if not block.ended:
            raise StreamFault("it has two heads, or trailers before its end")
        if stream.received < (stream.length or 0):
            raise _wrong_length(stream.length, stream.received)
        trailers = read_trailers(pairs)
        self._feed(head_frame(stream.stream_id, b"", True))
        stream.trailers = trailers
        self._advance(stream, True)

    def _drop_block(self, block: Block) -> None:
        self._patience.spend()
        if not self._table.is_forsaken(block.stream_id):
            self._feed(head_frame(block.stream_id, _ANY_HEAD, block.ended))  # h2 knows what to make of it
        elif block.ended:
            self._table.forget(block.stream_id)

    def _receive_body(self, frame: Frame) -> None:
        stream = self._table.streams.get(frame.stream_id)
        if stream is not None:
            try:
                _check_body(stream, frame)
            except StreamFault as fault:
                self._refuse(stream, fault, ended=False)
        if self._table.is_forsaken(frame.stream_id):
            self._table.refund(frame)
            return
        events = self._feed(frame.raw)
        if stream is None:
            self._patience.spend()  # h2 has put up with it
            return
        data: bytes = events[0].data
        padding: int = events[0].flow_controlled_length - len(data)
        if padding:
            self._table.pad(stream, padding)
        ended = bool(frame.flags & Flag.END_STREAM)
        if data:
            stream.put(data)
        elif not ended:
            self._patience.spend()
            return
        self._advance(stream, ended)

    def _advance(self, stream: Http2Stream, ended: bool) -> None:
        """The response has come further, perhaps to its end."""
        self._patience.progress()
        if ended:
            stream.ended = True
            if not stream.all_sent:
                # Nobody wants the rest of the request any more (RFC 9113 section 8.1).
                self._table.reset(stream, Code.NO_ERROR)
            self._table.leave(stream)
        stream.signal.set()

    def _refuse(self, stream: Http2Stream, fault: StreamFault, ended: bool) -> None:
        """A response is malformed: give its stream up."""
        self._table.forsake(stream, Code.PROTOCOL_ERROR)
        if ended:
            self._table.forget(stream.stream_id)
        fail(stream, malformed(f"The response is not valid HTTP/2: {fault}"))

    def _decode(self, data: bytes) -> list[tuple[bytes, bytes]]:
        try:
            return list(self._decoder.decode(data, raw=True))
        except self._library.too_large:
            text = f"it sent a header list of more than {self._decoder.max_header_list_size} bytes"
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, text) from None
        except self._library.undecodable:
            text = "it sent a header block that cannot be decoded"
            raise ConnectionFault(Code.COMPRESSION_ERROR, text) from None


def _check_body(stream: Http2Stream, frame: Frame) -> None:
    """Look before h2 does, to which any fault is one of the connection. Raises StreamFault."""
    if not stream.status:
        raise StreamFault("its body comes before its head")
    if stream.length is not None:
        received = stream.received + data_size(frame)
        if received > stream.length or (frame.flags & Flag.END_STREAM and received < stream.length):
            raise _wrong_length(stream.length, received)


def _wrong_length(length: int | None, received: int) -> StreamFault:
    return StreamFault(f"its body should have {length} bytes, and {received} came")


def _in_words(exc: Exception) -> str:
    number = getattr(exc, "stream_id", None)
    return str(exc) if number is None else f"it sent a frame for stream {number}, which is not open"


_RECEIVERS: dict[int, Callable[[Http2Connection, Frame], None]] = {
    Kind.DATA: Http2Connection._receive_body,
    Kind.HEADERS: Http2Connection._receive_headers,
    Kind.PRIORITY: Http2Connection._receive_other,
    Kind.RST_STREAM: Http2Connection._receive_reset,
    Kind.SETTINGS: Http2Connection._receive_settings,
    Kind.PUSH_PROMISE: Http2Connection._refuse_push,
    Kind.PING: Http2Connection._receive_other,
    Kind.GOAWAY: Http2Connection._receive_goaway,
    Kind.WINDOW_UPDATE: Http2Connection._receive_window_update,
    Kind.CONTINUATION: Http2Connection._refuse_continuation,
}
