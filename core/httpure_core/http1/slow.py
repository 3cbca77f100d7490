"""The slow lane: whatever is not plain, written and read by h11, with the gate before it.

It is made with the first odd thing that a connection meets, and may then carry several exchanges. Nothing of h11 is
seen from outside: its events become attributes of a stream, its errors ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from ..contracts import Fields
from ..errors import HeadTooLarge, LocalProtocolError, RemoteProtocolError, TransportError
from ..models.field import CONTROLS, HOST
from .endings import CloseReason, cut_off
from .gate import Gate, new_peer
from .lines import Malformed
from .measures import Measures
from .reasons import of_request, of_response
from .stream import Http1Stream
from .strict import closes

if TYPE_CHECKING:
    import h11
else:
    from .late import h11

__all__ = ["Owner", "SlowLane"]


class Owner(Protocol):
    """What the lane asks of its connection."""

    close_reason: CloseReason | None

    def heed(self, keep_alive: bytes | None, /) -> None:
        """Take to heart what the server says of the connection's future."""
        ...

    def leave(self, stream: Http1Stream, behind: bytes, /) -> None:
        """The connection leaves HTTP/1.1; what stands behind the head is none of its business."""
        ...

    def finish(self, stream: Http1Stream, unsolicited: bool, reason: CloseReason | None, /) -> None:
        """The response is whole."""
        ...

    def fail(self, stream: Http1Stream, failure: TransportError, /) -> None:
        """The response will never be whole."""
        ...


class SlowLane:
    """h11 on one connection, for one exchange after the other."""

    __slots__ = ("_gate", "_measures", "_missing", "_owner", "_peer")

    def __init__(self, owner: Owner, measures: Measures) -> None:
        self._owner = owner
        self._measures = measures
        # Between exchanges it is idle, so it does not mind not having seen those of the fast lane.
        self._peer = new_peer(measures)
        self._gate = Gate(self._peer, measures)
        # Bytes of the request's body that Content-Length promises and that were not queued yet.
        self._missing: int | None = None

    # The request.

    def send_head(self, method: bytes, target: bytes, fields: Fields) -> list[Any]:
        """Return the head of a request as bytes. Raises LocalProtocolError."""
        values = {name.lower(): value for name, value in fields}
        length = values.get(b"content-length")
        if length is not None and b"transfer-encoding" in values:
            raise LocalProtocolError(
                "The request has both Content-Length and Transfer-Encoding (RFC 9112 section 6.2)"
            )
        _check_values(fields)
        try:
            sent = self._send(h11.Request(method=method, target=target, headers=fields))
        except h11.LocalProtocolError as exc:
            text = f"The request cannot be sent over HTTP/1.1: {of_request(exc, fields)}"
            raise LocalProtocolError(text) from None
        self._missing = int(length) if length is not None and length.isdigit() else None
        self._gate.begin(method)
        return sent

    def send_piece(self, data: bytes | memoryview | None) -> list[Any] | None:
        """Return a piece of the request's body as bytes, or its end where it is None; None for a wrong length.

        A body of known length ends with its last byte, so that an answer to that is no early one.
        """
        sent: list[Any] = []
        try:
            if data is not None:
                sent += self._send(h11.Data(data=data))  # type: ignore[arg-type]  # it is passed on as it is
                if self._missing is not None:
                    self._missing -= len(data)
            if self._missing == 0 or (data is None and self._peer.our_state is h11.SEND_BODY):
                self._missing = None
                sent += self._send(h11.EndOfMessage())
        except h11.LocalProtocolError:
            return None
        return sent

    def catch_up(self, method: bytes, target: bytes, fields: Fields, gone: Any, missing: int | None) -> None:
        """Tell h11 of a request that others have written: its head, what of its body has gone, and what has not.

        `missing` is 0 where the body is whole, and None where nobody has said how long it will be.
        """
        self.send_head(method, target, fields)
        if gone:
            self._send(h11.Data(data=gone))
        self._missing = missing
        if missing == 0:
            self._missing = None
            self._send(h11.EndOfMessage())

    def _send(self, event: h11.Event) -> list[Any]:
        return self._peer.send_with_data_passthrough(event) or []

    # The response.

    def receive(self, stream: Http1Stream, data: bytes, excess: int = 0) -> None:
        """Turn bytes into news for the stream. `excess` is that of the chunks that others have read."""
        self._advance(stream, self._gate.receive(data, excess), at_end=False)

    def receive_eof(self, stream: Http1Stream) -> None:
        """Nothing more comes: that ends the response, or cuts it off."""
        self._advance(stream, self._gate.end(), at_end=True)

    def _advance(self, stream: Http1Stream, events: Iterator[Any], at_end: bool) -> None:
        try:
            for event in events:
                if isinstance(event, h11.Data):
                    stream.put(event.data)
                elif isinstance(event, h11.Response):
                    self._begin(stream, event)
                elif isinstance(event, h11.EndOfMessage):
                    self._end(stream, event)
                else:
                    self._inform(stream, event)
                if stream.ended:
                    return
        except HeadTooLarge as exc:
            self._owner.fail(stream, exc)
        except (h11.RemoteProtocolError, Malformed) as exc:
            part = "body" if stream.status else "head"
            why = of_response(exc) if isinstance(exc, h11.RemoteProtocolError) else str(exc)
            text = f"The {part} of the response is not valid HTTP/1.1: {why}"
            self._owner.fail(stream, cut_off(stream) if at_end else RemoteProtocolError(text))

    def _begin(self, stream: Http1Stream, head: h11.Response) -> None:
        if stream.status:
            return  # the fast lane has read it already
        if stream.method == b"CONNECT" and 200 <= head.status_code < 300:
            self._leave(stream, head)
            return
        values = {name.lower(): value for name, value in head.headers.raw_items()}
        if b"transfer-encoding" in values and b"content-length" in values:
            raise Malformed("both Content-Length and Transfer-Encoding (RFC 9112 section 6.3)")
        if b"content-length" in values:
            stream.length = int(values[b"content-length"])
        self._owner.heed(values.get(b"keep-alive"))
        stream.duplex = (
            head.http_version == b"1.1"
            and (stream.length is not None or b"transfer-encoding" in values)
            and not any(closes(value) for name, value in head.headers if name == b"connection")
        )
        if head.status_code == 204 and (stream.length or b"transfer-encoding" in values):
            # There is no body (RFC 9112 section 6.3), but this server may think that there is.
            self._owner.close_reason = CloseReason.DOUBTFUL
        _describe(stream, head)

    def _inform(self, stream: Http1Stream, head: h11.InformationalResponse) -> None:
        stream.informational = (*stream.informational, (head.status_code, head.headers.raw_items()))
        count = len(stream.informational)
        if count > self._measures.limits.max_informational:
            raise self._measures.too_many_informational(count)
        if head.status_code == 101:
            self._leave(stream, head)

    def _leave(self, stream: Http1Stream, head: h11.Response | h11.InformationalResponse) -> None:
        if self._peer.our_state is not h11.SWITCHED_PROTOCOL:
            raise Malformed("the protocol was switched before the request was sent in full")
        _describe(stream, head)
        self._owner.leave(stream, self._gate.unread)

    def _end(self, stream: Http1Stream, event: h11.EndOfMessage) -> None:
        stream.trailers = event.headers.raw_items()
        machine = self._peer
        ours, theirs = machine.our_state, machine.their_state
        reason = None
        if ours is not h11.DONE and ours is not h11.MUST_CLOSE:
            reason = CloseReason.ANSWERED_EARLY
        elif ours is h11.MUST_CLOSE or theirs is not h11.DONE:
            reason = CloseReason.PEER_WILL_CLOSE
        self._owner.finish(stream, bool(self._gate.unread), reason)
        if self._owner.close_reason is None:
            machine.start_next_cycle()


def _describe(stream: Http1Stream, head: h11.Response | h11.InformationalResponse) -> None:
    stream.http_version = b"HTTP/" + head.http_version
    stream.reason = head.reason
    stream.fields = head.headers.raw_items()
    stream.status = head.status_code


def _check_values(fields: Fields) -> None:
    """Raise LocalProtocolError for what h11 would let pass, and no request may hold, whenever it was put there."""
    for name, value in fields:
        if value.strip(b" \t") != value:
            continue  # which h11 will say
        if value.translate(None, CONTROLS) != value:
            what = f"the value of {name.decode('latin-1')!r} holds a control character (RFC 9110, 5.5)"
        elif name.lower() == b"host" and value.translate(None, HOST):
            what = "its Host holds characters that no host name, address or port has (RFC 9110, 7.2)"
        else:
            continue
        raise LocalProtocolError(f"The request cannot be sent over HTTP/1.1: {what}")
