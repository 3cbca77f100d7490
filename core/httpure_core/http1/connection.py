"""HTTP/1.1 (RFC 9112) on h11: a request goes in and bytes come out, bytes go in and a response comes out.

Nothing of h11 is seen from outside: events become attributes of a stream, h11's errors become ours.
This file knows no sockets and no pool. A malformed message never raises from `receive_data`: it ends
the stream with a `failure`, and the connection with a `close_reason`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import h11

from ..contracts import READ_AHEAD, Fields
from ..errors import LocalProtocolError, ReadError, RemoteProtocolError, TransportError
from ..signals import Signal

if TYPE_CHECKING:
    from ..contracts import Link

__all__ = ["MAX_HEAD_SIZE", "CloseReason", "Http1Connection", "Http1Stream"]

#: Bytes of status line and fields that are held before giving up.
MAX_HEAD_SIZE = 256 * 1024
#: Informational responses (1xx) accepted before the final one.
MAX_INFORMATIONAL = 16


class CloseReason(enum.Enum):
    """Why a connection will carry no further request."""

    ABANDONED = "the exchange was given up before its end"
    ANSWERED_EARLY = "the server answered before the request was sent in full"
    FAILED = "the connection failed or the peer broke the rules"
    PEER_CLOSED = "the peer closed the connection"
    PEER_WILL_CLOSE = "the peer said that it will close the connection"
    UNSOLICITED = "bytes came that no request had asked for"
    UPGRADED = "the connection left HTTP/1.1"


class Http1Stream:
    """One request and its response. See `contracts.Stream` for the attributes."""

    __slots__ = (
        "_chunks",
        "_connection",
        "buffered",
        "ended",
        "failure",
        "fields",
        "http_version",
        "informational",
        "reason",
        "signal",
        "status",
        "trailers",
    )

    def __init__(self, connection: Http1Connection) -> None:
        self._connection = connection
        self._chunks: list[bytes] = []
        self.buffered = 0
        self.signal = Signal()
        self.status = 0
        self.http_version = b"HTTP/1.1"
        self.reason = b""
        self.fields: Fields = []
        self.trailers: Fields = []
        self.informational = 0
        self.ended = False
        self.failure: TransportError | None = None

    def send_data(self, data: bytes) -> None:
        """Queue a piece of the body, chunked or not as the head said."""
        self._connection.send(h11.Data(data))

    def end_data(self) -> None:
        """Say that the body is whole."""
        self._connection.send(h11.EndOfMessage())

    def take(self) -> bytes:
        """Return the body's bytes that have arrived since the last call."""
        chunks = self._chunks
        if not chunks:
            return b""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._chunks = []
        self.buffered = 0
        return data

    def put(self, data: bytes) -> None:
        """Keep a piece of the body for the reader."""
        self._chunks.append(data)
        self.buffered += len(data)

    def discard(self) -> None:
        """Give the exchange up; the connection cannot be used again unless the exchange is over."""
        if not self.ended:
            self._connection.close_reason = self._connection.close_reason or CloseReason.ABANDONED
            self._chunks = []
            self.buffered = 0


class Http1Connection:
    """One HTTP/1.1 connection: exchanges, one after the other. See `contracts.Connection`."""

    __slots__ = ("_h11", "_out", "close_reason", "link", "stream")

    #: Set by whoever dials, before the first stream is opened.
    link: Link

    def __init__(self) -> None:
        self.stream: Http1Stream | None = None
        self.close_reason: CloseReason | None = None
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
        self._out: list[bytes] = []

    @property
    def reusable(self) -> bool:
        """True between two exchanges while nothing speaks against a next one."""
        return self.close_reason is None and (self.stream is None or self.stream.ended)

    @property
    def wants_data(self) -> bool:
        """False while the reader has `READ_AHEAD` bytes of body to catch up with."""
        stream = self.stream
        return stream is None or stream.buffered < READ_AHEAD

    def open_stream(self, method: bytes, target: bytes, fields: Fields, body: bytes | None) -> Http1Stream:
        """Queue a request's head and, where it is given, its whole body (runs once per request)."""
        try:
            head = h11.Request(method=method, target=target, headers=fields)
        except h11.LocalProtocolError as exc:
            raise LocalProtocolError(f"The request cannot be sent over HTTP/1.1: {exc}") from None
        self.stream = stream = Http1Stream(self)
        self.send(head)
        if body is not None:
            if body:
                stream.send_data(body)
            stream.end_data()
        return stream

    def send(self, event: h11.Event) -> None:
        """Queue what `event` is on the wire. Raises LocalProtocolError if it does not fit what came before."""
        try:
            pieces = self._h11.send_with_data_passthrough(event)
        except h11.LocalProtocolError as exc:
            self.close_reason = CloseReason.ABANDONED
            raise LocalProtocolError(_about_request(exc, event)) from None
        if pieces:
            self._out += pieces

    def data_to_send(self) -> bytes:
        """Return what is queued, head and small body in one piece."""
        out = self._out
        if not out:
            return b""
        self._out = []
        return out[0] if len(out) == 1 else b"".join(out)

    def receive_data(self, data: bytes) -> None:
        """Feed bytes from the peer; sets the stream's signal."""
        stream = self.stream
        if stream is None or stream.ended:
            self.close_reason = CloseReason.UNSOLICITED
            return
        self._h11.receive_data(data)
        self._advance(stream)

    def receive_eof(self, error: OSError | None = None) -> None:
        """The peer will send nothing more: that ends a response, or cuts it off."""
        stream = self.stream
        if stream is None or stream.ended:
            self.close_reason = self.close_reason or CloseReason.PEER_CLOSED
        elif error is not None:
            self._fail(stream, ReadError(f"The connection was lost: {_in_words(error)}"))
        else:
            self._h11.receive_data(b"")
            self._advance(stream, at_eof=True)
            self.close_reason = self.close_reason or CloseReason.PEER_CLOSED

    def _advance(self, stream: Http1Stream, at_eof: bool = False) -> None:
        """Turn what h11 makes of the bytes into news for the stream (runs once per arrival of bytes)."""
        next_event = self._h11.next_event
        try:
            while not stream.ended:
                event = next_event()
                kind = type(event)
                if kind is h11.Data:
                    stream.put(bytes(event.data))  # type: ignore[union-attr]
                elif kind is h11.Response:
                    self._begin(stream, event)  # type: ignore[arg-type]
                elif kind is h11.EndOfMessage:
                    self._end(stream, event)  # type: ignore[arg-type]
                elif kind is h11.InformationalResponse:
                    self._inform(stream, event)  # type: ignore[arg-type]
                else:
                    break  # more bytes are needed
        except h11.RemoteProtocolError as exc:
            self._fail(stream, RemoteProtocolError(_about_response(exc, stream, at_eof)))
        stream.signal.set()

    def _begin(self, stream: Http1Stream, head: h11.Response) -> None:
        fields = head.headers.raw_items()
        names = {name.lower() for name, _ in fields}
        if b"transfer-encoding" in names and b"content-length" in names:
            raise h11.RemoteProtocolError(
                "it has both Content-Length and Transfer-Encoding (RFC 9112 section 6.3)"
            )
        stream.http_version = b"HTTP/" + head.http_version
        stream.reason = head.reason
        stream.fields = fields
        stream.status = head.status_code

    def _inform(self, stream: Http1Stream, head: h11.InformationalResponse) -> None:
        stream.informational += 1
        if stream.informational > MAX_INFORMATIONAL:
            raise h11.RemoteProtocolError(f"more than {MAX_INFORMATIONAL} informational responses came")
        if head.status_code == 101:
            stream.http_version = b"HTTP/" + head.http_version
            stream.reason = head.reason
            stream.fields = head.headers.raw_items()
            stream.status = 101
            stream.ended = True
            self.close_reason = CloseReason.UPGRADED

    def _end(self, stream: Http1Stream, event: h11.EndOfMessage) -> None:
        if event.headers:
            stream.trailers = event.headers.raw_items()
        stream.ended = True
        machine = self._h11
        if machine.our_state is not h11.DONE and machine.our_state is not h11.MUST_CLOSE:
            self.close_reason = CloseReason.ANSWERED_EARLY
        elif machine.our_state is h11.MUST_CLOSE or machine.their_state is not h11.DONE:
            self.close_reason = CloseReason.PEER_WILL_CLOSE
        elif machine.trailing_data[0]:
            self.close_reason = CloseReason.UNSOLICITED
        else:
            machine.start_next_cycle()

    def _fail(self, stream: Http1Stream, failure: TransportError) -> None:
        self.close_reason = CloseReason.FAILED
        stream.failure = failure
        stream.signal.set()


def _about_request(exc: h11.LocalProtocolError, event: h11.Event) -> str:
    if isinstance(event, h11.EndOfMessage):
        return "The request's body is shorter than its Content-Length says"
    if isinstance(event, h11.Data):
        return "The request's body is longer than its Content-Length says"
    return f"The request cannot be sent over HTTP/1.1: {exc}"


def _about_response(exc: h11.RemoteProtocolError, stream: Http1Stream, at_eof: bool) -> str:
    if at_eof and not stream.status:
        return "The server closed the connection before its response was there"
    if at_eof:
        return f"The server closed the connection before the response's body was whole: {exc}"
    part = "body" if stream.status else "head"
    return f"The {part} of the response is not valid HTTP/1.1: {exc}"


def _in_words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
