"""One request out, the head of its response in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..content.streams import ByteStream
from ..contracts import Connection, Link, Stream
from ..effects import Flush, Operation, Pull, Receive
from ..errors import LocalProtocolError, WriteError
from .budget import Budget, telling

if TYPE_CHECKING:
    from ..models.request import Request

__all__ = ["exchange", "news"]

#: A body in memory goes out in pieces of this many bytes, so that the write timeout is one of progress.
PIECE_SIZE = 256 * 1024
#: A body up to this size goes out together with the head, in one write.
SMALL_BODY = 64 * 1024


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
        with link.mutex:
            stream = connection.open_stream(
                request.method.encode("ascii"),
                _target(request),
                request.headers.raw,
                content if whole else None,
            )
        sending = Sending(stream, link, budget)
        if whole:
            yield from sending.flush()
        elif content is not None:
            yield from sending.send_pieces(content)
        else:
            yield from sending.send_pulled()
        while not stream.status:
            if stream.failure is not None and sending.lost is not None:
                raise WriteError(f"The connection was lost: {sending.lost}") from sending.lost
            yield from news(stream, link, budget)
    except (LocalProtocolError, WriteError) as exc:
        _discard(stream)
        raise telling(exc, request) from exc.__cause__
    except BaseException:
        _discard(stream)
        raise
    return stream


def news(stream: Stream, link: Link, budget: Budget) -> Operation[Stream]:
    """Wait until something happens to the stream. Raises what it failed of, or ReadTimeout."""
    # Clear the signal, look at the state, then wait: in that order, or a wake-up is lost.
    stream.signal.ready = False
    if stream.failure is not None:
        raise telling(stream.failure, budget.request)
    if not stream.ended and not stream.buffered:
        try:
            yield Receive(link, stream.signal, budget.seconds("read"))
        except TimeoutError:
            raise budget.spent("read") from None
    return stream


class Sending:
    """The way of one request's bytes out. Each method tells whether more is wanted."""

    __slots__ = ("budget", "link", "lost", "stream")

    def __init__(self, stream: Stream, link: Link, budget: Budget) -> None:
        self.stream = stream
        self.link = link
        self.budget = budget
        #: The error that sending ended with. The server may have answered before it hung up: look for that first.
        self.lost: OSError | None = None

    def flush(self) -> Operation[bool]:
        """Send what is queued; False if the server hung up or has answered already."""
        stream = self.stream
        signal = stream.signal
        while True:
            # Clear the signal, look at the state, then wait.
            signal.ready = False
            if stream.status or stream.failure is not None:
                return False
            flush = Flush(self.link, signal, self.budget.seconds("write"))
            try:
                yield flush
            except TimeoutError:
                raise self.budget.spent("write") from None
            except OSError as exc:
                self.lost = exc
                return False
            if flush.flushed and not signal.ready:
                return True

    def flush_and_look(self) -> Operation[bool]:
        """As `flush`, and see also what has arrived while nobody read: an upload can take long."""
        wanted = yield from self.flush()
        self.link.is_stale()
        return wanted and not self.stream.status and self.stream.failure is None

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
        wanted = False
        error: Exception | None = None
        try:
            wanted = yield from self._pull_all(pull)
        except Exception as exc:
            error = exc
        finally:
            pull.close()
        if not wanted:
            # It is no cancellation: there is time to close the caller's async generator in order.
            pull.finished = True
            yield pull
        if error is not None:
            raise error
        return wanted and (yield from self._end())

    def _pull_all(self, pull: Pull) -> Operation[bool]:
        yield pull
        while pull.piece is not None:
            if pull.piece:
                with self.link.mutex:
                    self.stream.send_data(pull.piece)
                if not (yield from self.flush_and_look()):
                    return False
            yield pull
        return True

    def _end(self) -> Operation[bool]:
        with self.link.mutex:
            self.stream.end_data()
        return (yield from self.flush())


def _target(request: Request) -> bytes:
    target = request.extensions.get("target")
    return target if isinstance(target, bytes) else request.url.target


def _discard(stream: Stream | None) -> None:
    if stream is not None:
        stream.discard()
