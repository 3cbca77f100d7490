"""One request out, the head of its response in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from ..content.duplex import DuplexBody
from ..content.streams import ByteStream
from ..contracts import Connection, FieldBlock, Fields, Link, Stream
from ..effects import Flush, Operation, Receive
from ..errors import LocalProtocolError, ReadError, WriteError
from .budget import Budget, telling
from .closing import or_let_go
from .sending import Sending, give_up
from .upload import Upload, expects

if TYPE_CHECKING:
    from ..models.request import Request
    from .report import Report

__all__ = ["SMALL_BODY", "exchange"]

#: A body up to this size goes out together with the head, in one write.
SMALL_BODY = 64 * 1024

_TARGET = rb"[\x21-\x7e]+"  # compiled by `re` when first used: few requests have such an extension

#: What `Connection.open_stream` takes: method, target, fields, the body where it goes out with them, and the encoded
#: fields where a client has those.
Parts: TypeAlias = tuple[bytes, bytes, Fields, bytes | None, FieldBlock | None]


def exchange(connection: Connection, budget: Budget) -> Operation[Stream]:
    """Send the request and wait for the head of its response.

    Returns the stream, whose status is set then. If the response is there before all of the request has gone, and both
    are to go on, `budget.sending` is what whoever reads the response goes on with. After an error, the stream is
    discarded.
    """
    request = budget.request
    link = connection.link
    content = request.stream.content if type(request.stream) is ByteStream else None
    stream: Stream | None = None
    try:
        headers = request.headers
        fields = headers._raw  # never changed in place, so it need not be copied
        if content is None or len(content) > SMALL_BODY or (content and expects(fields)):
            content = None
        parts = (request.method.encode("ascii"), _target(request), fields, content, headers._block)
        if budget.report is not None:
            return (yield from _exchange_aloud(connection, budget, budget.report, parts))
        if content is None:
            return (yield from _exchange_at_length(connection, budget, parts))
        try:
            with link.mutex:
                stream = connection.open_stream(*parts)
        except BaseException as exc:
            _close_if_interrupted(link, exc)
            raise
        # Most requests go out in one go, and one wait brings their answer: that is told right here, as each generator
        # more would take 0.5 µs. For all else there is `Sending`.
        signal = stream.signal
        lost: OSError | None = None
        flush = Flush(link, signal, budget.seconds("write"))
        budget.sent = True
        try:
            yield flush
        except TimeoutError:
            raise budget.spent("write") from None
        except OSError as exc:
            lost = exc
        else:
            if flush.flushed and not signal.ready and not stream.blocked and stream.vigil is None:
                try:
                    yield Receive(link, signal, budget.seconds("read"))
                except TimeoutError:
                    raise budget.spent("read") from None
                if stream.status and not stream.informational:
                    return stream
        return (yield from Sending(stream, link, budget).resume(flush, lost))
    except (LocalProtocolError, ReadError, WriteError) as exc:
        if stream is not None:
            give_up(stream, link)
        if exc._request is not None:
            raise  # it tells already
        raise telling(exc, request) from exc.__cause__
    except BaseException:
        if stream is not None:
            give_up(stream, link)
        raise


def _exchange_at_length(connection: Connection, budget: Budget, parts: Parts) -> Operation[Stream]:
    """As `exchange`, of a request whose body takes several steps."""
    sending = _open(connection, budget, parts)
    try:
        uploading = _upload(sending, budget)
        yield from or_let_go(uploading, sending.ending, sending.let_go)
    except BaseException:
        give_up(sending.stream, sending.link)
        raise
    return sending.stream


def _upload(sending: Sending, budget: Budget) -> Operation[Stream]:
    going_on = yield from sending.send_body()
    stream = yield from sending.wait_for_head()
    if going_on and isinstance(sending, Upload):
        budget.sending = sending
    return stream


def _exchange_aloud(
    connection: Connection, budget: Budget, report: Report, parts: Parts
) -> Operation[Stream]:
    """As `exchange`, while somebody listens. A body that goes out with its head has gone when its turn comes."""
    who = "http2" if getattr(connection, "multiplexed", False) else "http11"
    info: dict[str, Any] = {"request": budget.request}
    opening = _open_aloud(connection, budget, parts)
    sending = yield from report.around(
        who, "send_request_headers", info, opening, undo=lambda sending: give_up(sending.stream, sending.link)
    )
    if sending.stream.stream_id is not None:
        info = {**info, "stream_id": sending.stream.stream_id}
    try:
        uploading = _upload_aloud(sending, budget, report, who, info)
        yield from or_let_go(uploading, sending.ending, sending.let_go)
    except BaseException:
        give_up(sending.stream, sending.link)
        raise
    return sending.stream


def _upload_aloud(
    sending: Sending, budget: Budget, report: Report, who: str, info: dict[str, Any]
) -> Operation[Stream]:
    body = sending.send_body()
    going_on = yield from report.around(
        who, "send_request_body", info, body, unless=lambda left: left and not sending.over
    )
    head = sending.wait_for_head()
    stream = yield from report.around(who, "receive_response_headers", info, head, told=_told)
    if going_on and isinstance(sending, Upload):
        sending.who = who
        budget.sending = sending
    return stream


def _open_aloud(connection: Connection, budget: Budget, parts: Parts) -> Operation[Sending]:
    sending = _open(connection, budget, parts)
    try:
        yield from sending.flush()
    except BaseException:
        give_up(sending.stream, sending.link)
        raise
    return sending


def _open(connection: Connection, budget: Budget, parts: Parts) -> Sending:
    link, source = connection.link, budget.request.stream
    try:
        with link.mutex:
            stream = connection.open_stream(*parts)
    except BaseException as exc:
        _close_if_interrupted(link, exc)
        raise
    try:
        if parts[3] is not None:
            return Sending(stream, link, budget)
        if not isinstance(source, DuplexBody):
            return Upload(stream, link, budget)
        from .duplex import DuplexUpload

        return DuplexUpload(stream, link, budget, source)
    except BaseException:
        give_up(stream, link)
        raise


def _close_if_interrupted(link: Link, error: BaseException) -> None:
    # Ctrl-C in the middle of a step: nobody knows what of the request is queued, or what the peer's tables will hold.
    if not isinstance(error, Exception):
        link.close()


def _told(stream: Stream) -> tuple[Any, ...]:
    # As httpx's users have it: HTTP/2 has one version, and no reasons.
    if stream.stream_id is not None:
        return (stream.status, stream.fields)
    return (stream.http_version, stream.status, stream.reason, stream.fields)


def _target(request: Request) -> bytes:
    target = request.extensions.get("target")
    if target is None:
        if request.method != "CONNECT":
            return request.url.target
        raise LocalProtocolError(
            "A CONNECT request says where to connect to by extensions={'target': b'host:port'} "
            "(RFC 9110 section 9.3.6)"
        )
    if not isinstance(target, bytes):
        raise TypeError(f"The extension 'target' is bytes, such as b'*', not {type(target).__name__}.")
    if not re.fullmatch(_TARGET, target):
        # It may hold secrets, so it is not shown.
        raise LocalProtocolError(
            "The extension 'target' is empty, or has other bytes than visible ASCII (RFC 9112 section 3.2)"
        )
    return target
