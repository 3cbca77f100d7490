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

h2 is the authority on the states of connection and streams, on settings, and on the windows of what we send. Before
it stands what it does not do, or does to the whole connection where one stream is meant, or costs too much:

- *Frames* are cut here, and h2 gets them one by one: what came before a bad one counts, however the bytes were cut.
- *Header blocks* are encoded, decoded and checked here. h2 frames those of requests, and would end the connection for
  any bad field of a response.
- *The HEADERS and DATA of a response* are for `responses.py` alone, and so are the windows that they use up.
- *GOAWAY* is for this file alone: to h2 it is the end, while to RFC 9113 (section 6.8) the streams up to the last
  one go on.
- *DATA of a stream that was given up* is paid back and dropped. h2 would answer each frame by one more RST_STREAM.

This file knows no sockets and no pool. A malformed message never raises from `receive_data`: it ends a stream with a
`failure`, or all of them, and the connection with a `close_reason`. Nothing of h2 is seen from outside.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..contracts import FieldBlock, Fields
from ..errors import LocalProtocolError, TransportError
from ..layers import UnannouncedEnd
from ..limits import DEFAULT_LIMITS, Limits
from .failures import broken_off, cut_off, farewell, going_away, lost, malformed, reset_by_peer, unheard
from .faults import Code, ConnectionFault
from .fields import check_target, write_head
from .frames import Flag, Frame, FrameReader, Kind
from .library import library
from .limits import MAX_HEADER_LIST_SIZE, MAX_STREAMS, MAX_TABLE_SIZE, STREAMS_BEFORE_SETTINGS, Patience
from .responses import Responses
from .stream import Http2Stream
from .table import StreamTable, fail
from .vigil import Vigil

if TYPE_CHECKING:
    from ..contracts import Link

__all__ = ["CloseReason", "Http2Connection"]

_LAST_STREAM_ID = 2**31 - 1


class CloseReason(enum.Enum):
    """Why a connection will carry no further request. Streams that are open may go on all the same."""

    FAILED = "the connection failed or the peer broke the rules"
    PEER_CLOSED = "the peer closed the connection"
    PEER_WILL_CLOSE = "the peer said that it will close the connection"
    USED_UP = "all numbers of streams were used"


class Http2Connection:
    """One HTTP/2 connection: exchanges, many at a time. See `contracts.Connection`.

    `scheme` is that of the requests: b"https", or b"http" where HTTP/2 is spoken without TLS (prior knowledge).
    `ping_interval` is how many seconds the peer may be silent while requests wait for it, before it is asked whether it
    is there, and how many it has to answer; None for any number. `limits` says how much is taken of a response's head
    and trailers; beyond, its stream fails with `HeadTooLarge`. Raises ImportError where h2 is not installed.
    """

    __slots__ = (
        "_allowed",
        "_close_reason",
        "_frames",
        "_goodbye",
        "_greeted",
        "_h2",
        "_library",
        "_lost",
        "_next_id",
        "_patience",
        "_responses",
        "_scheme",
        "_table",
        "changed",
        "idle_limit",
        "link",
        "requests_left",
    )

    multiplexed = True
    #: Set by whoever dials, before the first stream is opened.
    link: Link

    def __init__(
        self, scheme: bytes = b"https", ping_interval: float | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.changed: Callable[[], None] | None = None
        self.idle_limit: float | None = None
        self.requests_left: int | None = None
        self._library = library()
        self._h2 = self._library.engine(min(limits.max_head_size, MAX_HEADER_LIST_SIZE))
        self._patience = Patience()
        self._table = StreamTable(self._h2, self._patience)
        if ping_interval is not None:
            self._table.vigil = Vigil(self, ping_interval)
        self._frames = FrameReader()
        self._responses = Responses(self._h2, self._table, self._patience, limits)
        self._scheme = scheme
        self._next_id = 1
        self._greeted = False  # whether the peer's settings have come
        self._allowed = STREAMS_BEFORE_SETTINGS  # how many streams may be open at a time
        self._goodbye = ""  # what GOAWAY said
        self._close_reason: CloseReason | None = None
        self._lost: OSError | None = None  # what it ended with, if that was an error of the system or of TLS

    @property
    def close_reason(self) -> CloseReason | None:
        """Why no further stream can be opened, whatever the peer allows; None while one can."""
        return self._close_reason

    @property
    def available_streams(self) -> int:
        """How many more streams can be opened at this moment. May be looked at without the link's mutex."""
        if self._close_reason is not None or self._table.suspect:
            return 0
        return self._table.available(self._allowed)

    @property
    def stream_limit(self) -> int | None:
        """How many streams the peer allows at a time, and no more than we do; None before it has said so."""
        return self._allowed if self._greeted else None

    def expect_streams(self, limit: int) -> None:
        """Until the peer has said how many streams it allows, assume so many, and not 100."""
        if not self._greeted:
            self._allowed = min(limit, MAX_STREAMS)

    @property
    def suspect(self) -> bool:
        """True while the peer has not said anything since a request that was given up: it has been asked to (PING)."""
        return self._table.suspect and self._close_reason is None

    @property
    def arrivals(self) -> int:
        """How often bytes have come."""
        return self._table.arrivals

    @property
    def reusable(self) -> bool:
        """True while a further stream can be opened."""
        return self.available_streams > 0

    @property
    def wants_data(self) -> bool:
        """True while it is alive: no stream waits for a slow reader of another. The windows bound what that holds."""
        return not self._is_over

    def open_stream(
        self,
        method: bytes,
        target: bytes,
        fields: Fields,
        body: bytes | None,
        block: FieldBlock | None = None,
    ) -> Http2Stream:
        """Queue a request's head and, where it is given, its whole body (runs once per request).

        What the peer's windows do not allow of the body stays with the stream, which is `blocked` then.
        """
        table = self._table
        table.settle()
        if not self.available_streams:
            raise self._refusal()
        encoder = self._h2.encoder
        key = (method, tuple(fields))
        known = encoder.known(key)
        # Encoded last: from there on, the peer's table follows ours.
        if known is None:
            head = write_head(self._scheme, method, target, fields)
            length = head.length
            _check_length(body, length)
            encoded = encoder.prepare(head, key)
        else:
            check_target(target)
            length = known.length
            _check_length(body, length)
            encoded = known.block(target)
        number = self._next_id
        stream = Http2Stream(table, number, method, length, table.signs)
        self._h2.send_block(number, encoded, body == b"")
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

    def ping(self) -> None:
        """Ask the peer for a sign of life; does nothing while that was done and nothing has come."""
        if not self._is_over:
            self._table.ping()

    def receive_data(self, data: bytes) -> None:
        """Feed bytes from the peer; sets the signals of the streams that they bring forward."""
        table = self._table
        doubted = table.suspect
        table.arrivals += 1
        if self._is_over:
            return
        table.settle()
        self._patience.arrival()
        frames = self._frames
        frames.feed(data)
        try:
            frame = frames.next_frame()
            if frame is not None:
                table.heard()
            while frame is not None:
                self._receive_frame(frame)
                frame = frames.next_frame()
        except ConnectionFault as fault:
            if not fault.told:
                self._h2.close_connection(fault.code)
            broken, limit = str(fault), fault.limit
            self._end(CloseReason.FAILED, lambda stream: broken_off(broken, limit))
        if doubted and not table.suspect:
            self._tell()

    def receive_eof(self, error: OSError | None = None) -> None:
        """The peer will send nothing more: that cuts off all responses that are not whole."""
        if self._is_over:
            return
        if error is None or isinstance(error, UnannouncedEnd):
            # A stream itself tells where it ends.
            self._end(CloseReason.PEER_CLOSED, lambda stream: _lost(stream, self._cut_off(stream)))
        else:
            self._lost = why = error
            self._end(CloseReason.FAILED, lambda stream: _lost(stream, lost(why)))

    def end_silence(self, seconds: float) -> None:
        """Nothing has come for so long after a PING: the peer is gone. See `vigil.py`."""
        if not self._is_over:
            self._end(CloseReason.FAILED, lambda stream: _lost(stream, unheard(seconds)))

    def _end(self, reason: CloseReason, why: Callable[[Http2Stream], TransportError]) -> None:
        """The connection is over: all streams end with it."""
        self._close_reason = reason
        for stream in self._table.leave_all():
            fail(stream, why(stream))
        self._tell()

    def _cut_off(self, stream: Http2Stream) -> TransportError:
        return cut_off(stream, self._greeted, self._goodbye)

    def _tell(self) -> None:
        """More can be carried now, or less."""
        if self.changed is not None:
            self.changed()

    @property
    def _is_over(self) -> bool:
        return self._close_reason in (CloseReason.FAILED, CloseReason.PEER_CLOSED)

    def _refusal(self) -> TransportError:
        reason = self.close_reason
        if self._lost is not None and self._next_id == 1:
            # Before anything was asked: it is the server, not who asks, that is to blame.
            return lost(self._lost)
        if reason is not None:
            why = reason.value
        elif self._table.suspect:
            why = "the server was asked for a sign of life, and has not given any yet"
        else:
            why = f"{self._allowed} at a time are allowed"
        refusal = LocalProtocolError(f"No further stream can be opened on the HTTP/2 connection: {why}")
        refusal.unprocessed = True
        return refusal

    # Frames.

    def _receive_frame(self, frame: Frame) -> None:
        kind = frame.kind
        if not self._greeted:
            self._receive_greeting(frame)
        elif self._responses.blocks.stream_id:
            self._responses.go_on(frame)
        elif kind == Kind.DATA:
            self._responses.receive_body(frame)
        elif kind == Kind.HEADERS:
            self._responses.receive_headers(frame)
        elif (receive := _RECEIVERS.get(kind)) is not None:
            receive(self, frame)
        else:
            self._patience.spend()  # of a kind that nobody knows

    def _receive_greeting(self, frame: Frame) -> None:
        if frame.kind != Kind.SETTINGS or frame.flags & Flag.ACK:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it did not begin with its settings")
        self._greeted = True
        self._receive_settings(frame)

    def _receive_settings(self, frame: Frame) -> None:
        self._patience.spend()
        if not frame.flags & Flag.ACK:
            self._table.hearing.answer()
        self._h2.receive_data(frame.raw)
        allowed = self._allowed
        self._allowed = min(self._h2.remote_settings.max_concurrent_streams, MAX_STREAMS)
        encoder = self._h2.encoder
        if encoder.header_table_size > MAX_TABLE_SIZE:
            encoder.header_table_size = MAX_TABLE_SIZE
        self._table.resume()
        if self._allowed != allowed:
            self._tell()

    def _receive_window_update(self, frame: Frame) -> None:
        self._patience.spend()
        for event in self._h2.receive_data(frame.raw):
            if type(event) is self._library.stream_reset:
                stream = self._table.streams[frame.stream_id]
                self._table.leave(stream)
                fail(stream, malformed("the server opened a window of flow control too far"))
        self._table.resume()

    def _receive_reset(self, frame: Frame) -> None:
        self._patience.spend_reset()
        if frame.stream_id >= self._next_id or frame.stream_id % 2 == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it reset a stream that was never opened")
        self._h2.receive_data(frame.raw)
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
                fail(stream, going_away(stream, self._goodbye))
        self._tell()

    def _receive_ping(self, frame: Frame) -> None:
        self._receive_other(frame)
        if frame.flags & Flag.ACK:
            self._table.hearing.hear(frame)
        else:
            self._table.hearing.answer()

    def _receive_other(self, frame: Frame) -> None:
        self._patience.spend()
        self._h2.receive_data(frame.raw)

    def _refuse_push(self, frame: Frame) -> None:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "it pushed a response, though it was told not to")

    def _refuse_continuation(self, frame: Frame) -> None:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "it sent a CONTINUATION frame that continues nothing")


def _check_length(body: bytes | None, length: int | None) -> None:
    """Raise LocalProtocolError if a request's body is not what Content-Length says."""
    if body is not None and length is not None and length != len(body):
        raise LocalProtocolError(
            f"The request's body has {len(body)} bytes, and its Content-Length says {length}"
        )


def _lost(stream: Http2Stream, failure: TransportError) -> TransportError:
    failure.unanswered = stream.unanswered
    return failure


#: What takes a frame that is not of a response, by its kind.
_RECEIVERS: dict[int, Callable[[Http2Connection, Frame], None]] = {
    Kind.PRIORITY: Http2Connection._receive_other,
    Kind.RST_STREAM: Http2Connection._receive_reset,
    Kind.SETTINGS: Http2Connection._receive_settings,
    Kind.PUSH_PROMISE: Http2Connection._refuse_push,
    Kind.PING: Http2Connection._receive_ping,
    Kind.GOAWAY: Http2Connection._receive_goaway,
    Kind.WINDOW_UPDATE: Http2Connection._receive_window_update,
    Kind.CONTINUATION: Http2Connection._refuse_continuation,
}
