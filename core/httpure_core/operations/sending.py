"""The way of a request's bytes out, and of news about its answer in."""

from __future__ import annotations

from ..contracts import Link, Stream
from ..effects import Call, Effect, Flush, Operation, Receive
from ..errors import ReadError, TransportError, WriteError
from ..layers import in_words, reason_of
from .budget import Budget, telling
from .watching import watch

__all__ = ["Sending", "give_up", "news"]


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
        if stream.vigil is not None:
            return (yield from watch(stream.vigil, stream, link, budget, "read"))
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


class Sending:
    """A request whose body, if it has one, is queued with its head. `Upload` is one that takes longer."""

    __slots__ = ("budget", "flushed", "informed", "link", "lost", "stream", "whole")

    def __init__(self, stream: Stream, link: Link, budget: Budget, whole: bool = True) -> None:
        self.stream = stream
        self.link = link
        self.budget = budget
        #: The error that sending ended with. The server may have answered before it hung up: look for that first.
        self.lost: OSError | None = None
        #: True when all that was queued has gone out.
        self.flushed = False
        #: True when the body's end is queued.
        self.whole = whole
        #: How many informational responses have been looked at.
        self.informed = 0

    @property
    def over(self) -> bool:
        """True if what is left of the request is not wanted any more: the exchange has failed, or was answered.

        Where streams are duplex, the head of a good answer may come before the request was sent, and mean to go on.
        """
        stream = self.stream
        if stream.failure is not None or stream.ended:
            return True
        return stream.status != 0 and not (stream.duplex and stream.status < 300)

    def resume(self, flush: Flush, lost: OSError | None) -> Operation[Stream]:
        """Go on after a first flush, in which the connection may have been lost, and wait for the response's head."""
        self.lost = lost
        if lost is None:
            yield from self.flush(flush)
        return (yield from self.wait_for_head())

    def flush(self, flush: Flush | None = None) -> Operation[bool]:
        """Send what is queued; False if the server hung up or has answered already.

        With `flush`, that one has been done, and what came of it is looked at first.
        """
        stream = self.stream
        signal = stream.signal
        while True:
            if flush is None:
                # Clear the signal, look at the state, then wait.
                signal.ready = False
                if (stream.status or stream.failure is not None) and self.over:
                    return False
                flush = Flush(self.link, signal, self.budget.seconds("write"))
                self.budget.sent = True
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
                yield from self.wait_for_leave()
            flush = None

    def wait_for_leave(self) -> Operation[Stream]:
        """Wait until the peer opens its window of flow control, or something else happens (RFC 9113 section 5.2)."""
        stream, vigil = self.stream, self.stream.vigil
        if vigil is not None:
            yield from watch(vigil, stream, self.link, self.budget, "write")
        else:
            try:
                yield Receive(self.link, stream.signal, self.budget.seconds("write"))
            except TimeoutError:
                raise self.budget.spent("write") from None
        self.flushed = False  # the leave has been used at once
        return stream

    def inform(self) -> Operation[bool]:
        """Hand the informational responses that have come to who wants to know of them; there are few."""
        stream = self.stream
        callback = self.budget.request.extensions.get("informational")
        while self.informed < len(stream.informational):
            status, fields = stream.informational[self.informed]
            self.informed += 1
            if callback is not None and status != 101:  # which is the last one, and the response
                from ..models.headers import Headers

                yield Call(callback, status, Headers.from_wire(fields))
        return True

    def send_body(self) -> Operation[bool]:
        """Send what did not go out with the head. Returns True if the response is there and some is left to send."""
        yield from ()
        return False

    def wait_for_head(self) -> Operation[Stream]:
        """Wait until the head of the response is there."""
        stream = self.stream
        while True:
            if stream.informational:
                yield from self.inform()
            if stream.status:
                return stream
            if stream.failure is not None:
                self.check(stream.failure)
            yield from news(stream, self.link, self.budget)

    def check(self, failure: TransportError) -> None:
        """Raise WriteError if the connection was lost without an answer, and before all of the request had gone.

        Whether the reader or the writer notices first is a matter of chance: the error must not be.
        """
        if failure.reason == "tls":
            return  # the peer's last word, which tells why it hung up
        lost = self.lost
        if lost is not None and reason_of(lost) == failure.reason == "closed":
            lost = None  # that the link is closed says less than how that came about
        if lost is not None:
            error = WriteError(f"The connection was lost: {in_words(lost)}")
            error.__cause__ = lost
            error.reason = reason_of(lost)
        elif type(failure) is ReadError and not (self.whole and self.flushed):
            error = WriteError(str(failure))
            error.reason = failure.reason
        else:
            return
        error.unanswered = failure.unanswered
        try:
            raise error
        finally:
            del error  # or this frame and the error's traceback would keep each other alive

    # What an upload holds.

    def ending(self) -> Effect | None:
        """Return what closes the source of the body, awaited where it must be; None if there is none."""
        return None

    def let_go(self) -> None:
        """Let go of the source of the body at once, as far as that goes without waiting."""
