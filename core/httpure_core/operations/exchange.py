"""One request out, the head of its response in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..content.streams import ByteStream
from ..contracts import Connection, Fields, Link, Stream
from ..effects import Flush, Operation, Pull, Receive
from ..errors import LocalProtocolError, ReadError, WriteError
from .budget import Budget, telling
from .closing import or_let_go

if TYPE_CHECKING:
    from ..models.request import Request
    from .report import Report

__all__ = ["exchange", "give_up", "news"]

#: A body in memory goes out in pieces of this many bytes, so that the write timeout is one of progress.
PIECE_SIZE = 256 * 1024
#: A body up to this size goes out together with the head, in one write.
SMALL_BODY = 64 * 1024

_TARGET = re.compile(rb"[\x21-\x7e]+")


def exchange(connection: Connection, budget: Budget) -> Operation[Stream]:
    """Send the request and wait for the head of its response.

    Returns the stream, whose status is set then. After an error, the stream is discarded.
    """
    request = budget.request
    link = connection.link
    content = request.stream.content if type(request.stream) is ByteStream else None
    whole = content is not None and len(content) <= SMALL_BODY
    stream: Stream | None = None
    try:
        parts = (
            request.method.encode("ascii"),
            _target(request),
            request.headers.raw,
            content if whole else None,
        )
        if budget.report is not None:
            return (yield from _exchange_aloud(connection, budget, budget.report, parts))
        with link.mutex:
            stream = connection.open_stream(*parts)
        sending = Sending(stream, link, budget, whole)
        if whole:
            yield from sending.flush()
        elif content is not None:
            yield from sending.send_pieces(content)
        else:
            yield from sending.send_pulled()
        while not stream.status:
            if stream.failure is not None:
                sending.check()
            yield from news(stream, link, budget)
    except (LocalProtocolError, WriteError) as exc:
        _give_up(stream, link)
        raise telling(exc, request) from exc.__cause__
    except BaseException:
        _give_up(stream, link)
        raise
    return stream


def give_up(stream: Stream, link: Link) -> None:
    """Discard an exchange. A peer that keeps the connection hears of it now, if that can be done without waiting."""
    stream.discard()
    if stream.stream_id is not None:
        link.nudge()


def news(stream: Stream, link: Link, budget: Budget) -> Operation[Stream]:
    """Wait until something happens to the stream. Raises what it failed of, or ReadTimeout."""
    # Clear the signal, look at the state, then wait: in that order, or a wake-up is lost.
    stream.signal.ready = False
    if stream.failure is not None:
        raise telling(stream.failure, budget.request)
    if not stream.ended and not stream.buffered:
        if stream.flush_due:
            yield from _flush_in_passing(stream, link, budget)
        try:
            yield Receive(link, stream.signal, budget.seconds("read"))
        except TimeoutError:
            raise budget.spent("read") from None
    return stream


def _flush_in_passing(stream: Stream, link: Link, budget: Budget) -> Operation[bool]:
    """Send what the peer waits for before it sends more. If the connection is lost, the reader will be told."""
    while True:
        flush = Flush(link, stream.signal, budget.seconds("read"))
        try:
            yield flush
        except TimeoutError:
            raise budget.spent("read") from None
        except OSError:
            return False
        if flush.flushed or stream.signal.ready:
            return True


def _exchange_aloud(
    connection: Connection,
    budget: Budget,
    report: Report,
    parts: tuple[bytes, bytes, Fields, bytes | None],
) -> Operation[Stream]:
    """As `exchange`, while somebody listens. A body that goes out with its head has gone when its turn comes."""
    who = "http2" if getattr(connection, "multiplexed", False) else "http11"
    info: dict[str, Any] = {"request": budget.request}
    opening = _open(connection, budget, parts)
    sending = yield from report.around(
        who, "send_request_headers", info, opening, undo=lambda sending: give_up(sending.stream, sending.link)
    )
    if sending.stream.stream_id is not None:
        info = {**info, "stream_id": sending.stream.stream_id}
    try:
        body = sending.send_rest(parts[3] is not None)
        yield from report.around(who, "send_request_body", info, body)
        head = sending.wait_for_head()
        yield from report.around(who, "receive_response_headers", info, head, told=_told)
    except BaseException:
        give_up(sending.stream, sending.link)
        raise
    return sending.stream


def _open(
    connection: Connection, budget: Budget, parts: tuple[bytes, bytes, Fields, bytes | None]
) -> Operation[Sending]:
    with connection.link.mutex:
        stream = connection.open_stream(*parts)
    sending = Sending(stream, connection.link, budget, parts[3] is not None)
    try:
        yield from sending.flush()
    except BaseException:
        give_up(stream, connection.link)
        raise
    return sending


def _told(stream: Stream) -> tuple[Any, ...]:
    # As httpx's users have it: HTTP/2 has one version, and no reasons.
    if stream.stream_id is not None:
        return (stream.status, stream.fields)
    return (stream.http_version, stream.status, stream.reason, stream.fields)


class Sending:
    """The way of one request's bytes out. Each method tells whether more is wanted."""

    __slots__ = ("budget", "flushed", "link", "lost", "stream", "whole")

    def __init__(self, stream: Stream, link: Link, budget: Budget, whole: bool) -> None:
        self.stream = stream
        self.link = link
        self.budget = budget
        #: The error that sending ended with. The server may have answered before it hung up: look for that first.
        self.lost: OSError | None = None
        #: True when all that was queued has gone out.
        self.flushed = False
        #: True when the body's end is queued.
        self.whole = whole

    def flush(self) -> Operation[bool]:
        """Send what is queued; False if the server hung up or has answered already."""
        stream = self.stream
        signal = stream.signal
        while True:
            # Clear the signal, look at the state, then wait.
            signal.ready = False
            if (stream.status or stream.failure is not None) and self.over:
                return False
            flush = Flush(self.link, signal, self.budget.seconds("write"))
            try:
                yield flush
            except TimeoutError:
                raise self.budget.spent("write") from None
            except OSError as exc:
                self.lost = exc
                return False
            self.flushed = flush.flushed
            if flush.flushed and not signal.ready:
                if not stream.blocked:
                    return True
                yield from self._wait_for_leave()

    def _wait_for_leave(self) -> Operation[Stream]:
        """Wait until the peer opens its window of flow control, or something else happens (RFC 9113 section 5.2)."""
        try:
            yield Receive(self.link, self.stream.signal, self.budget.seconds("write"))
        except TimeoutError:
            raise self.budget.spent("write") from None
        return self.stream

    @property
    def over(self) -> bool:
        """True if what is left of the request is not wanted any more: the exchange has failed, or was answered.

        Where streams are duplex, the head of a good answer may come before the request was sent, and mean to go on.
        """
        stream = self.stream
        if stream.failure is not None or stream.ended:
            return True
        return stream.status != 0 and not (stream.duplex and stream.status < 300)

    def send_rest(self, whole: bool) -> Operation[bool]:
        """Send the body, unless it is `whole` already, or the server has answered to the head."""
        if whole or self.over:
            return False
        stream = self.budget.request.stream
        if type(stream) is ByteStream:
            return (yield from self.send_pieces(stream.content))
        return (yield from self.send_pulled())

    def wait_for_head(self) -> Operation[Stream]:
        """Wait until the head of the response is there."""
        while not self.stream.status:
            self.check()
            yield from news(self.stream, self.link, self.budget)
        return self.stream

    def check(self) -> None:
        """Raise WriteError if the connection was lost without an answer, and before all of the request had gone.

        Whether the reader or the writer notices first is a matter of chance: the error must not be.
        """
        failure = self.stream.failure
        if self.lost is not None and failure is not None:
            raise WriteError(f"The connection was lost: {self.lost}") from self.lost
        if type(failure) is ReadError and not (self.whole and self.flushed):
            raise WriteError(str(failure))

    def flush_and_look(self) -> Operation[bool]:
        """As `flush`, and see also what has arrived while nobody read: an upload can take long."""
        wanted = yield from self.flush()
        self.link.is_stale()
        return wanted and not self.over

    def send_pieces(self, content: bytes) -> Operation[bool]:
        """Send a large body from memory."""
        with memoryview(content) as view:
            for start in range(0, len(content), PIECE_SIZE):
                with self.link.mutex:
                    self.stream.send_data(bytes(view[start : start + PIECE_SIZE]))
                if not (yield from self.flush_and_look()):
                    return False
        return (yield from self._end())

    def send_pulled(self) -> Operation[bool]:
        """Send a body piece by piece, as its source yields them."""
        if not (yield from self.flush()):
            return False
        pull = Pull(self.budget.request.stream)
        pulling = self._pull_all(pull)
        wanted = yield from or_let_go(pulling, pull.ending, pull.close)
        return wanted and (yield from self._end())

    def _pull_all(self, pull: Pull) -> Operation[bool]:
        yield pull
        while pull.piece is not None:
            if pull.piece:
                with self.link.mutex:
                    self.stream.send_data(pull.piece)
                if not (yield from self.flush_and_look()):
                    yield pull.ending()
                    return False
            yield pull
        pull.close()
        return True

    def _end(self) -> Operation[bool]:
        with self.link.mutex:
            self.stream.end_data()
        self.whole = True
        return (yield from self.flush())


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
    if not _TARGET.fullmatch(target):
        # It may hold secrets, so it is not shown.
        raise LocalProtocolError(
            "The extension 'target' is empty, or has other bytes than visible ASCII (RFC 9112 section 3.2)"
        )
    return target


def _give_up(stream: Stream | None, link: Link) -> None:
    if stream is not None:
        give_up(stream, link)
