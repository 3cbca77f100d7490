"""A body that its user sends by hand while the exchange goes on: what is sent may depend on what was received.

Two or more may be at work on one exchange: who reads the response, or waits for its head, by the operations of
`exchange.py` and `body.py`; and who sends, by `DuplexUpload.go`. Each waits at a signal of its own. The machine knows
one per stream, so that one is a `Fork` here, and passes on to the others what it is told.
"""

from __future__ import annotations

from typing import Any

from ..content.duplex import DuplexBody
from ..contracts import Link, Stream
from ..effects import Flush, Lend, Operation, Receive, Sleep
from ..errors import LocalProtocolError, WriteError
from ..layers import in_words, reason_of
from ..signals import Signal
from .budget import Budget, place, telling
from .sending import news
from .upload import Upload

__all__ = ["DuplexUpload", "Fork"]


class Fork(Signal):
    """A stream's signal that also rings for those who send."""

    __slots__ = ("others",)

    def __init__(self, ready: bool = False) -> None:
        super().__init__()
        self.ready = ready
        #: Changed without a lock, as garbage collection may do it in the middle of any step.
        self.others: set[Signal] = set()

    def set(self) -> None:
        """Say to all that something happened."""
        super().set()
        for other in tuple(self.others):
            other.set()


class DuplexUpload(Upload):
    """Sends what was kept before the request was under way; from then on, users send by `go`, with `driver`."""

    __slots__ = ("_body", "_closed", "_fork", "driver")

    def __init__(self, stream: Stream, link: Link, budget: Budget, body: DuplexBody) -> None:
        super().__init__(stream, link, budget)
        self._pull = None
        self._body = body
        with link.mutex:
            stream.signal = self._fork = Fork(stream.signal.ready)
        self._closed = False
        #: What runs `go`, in the colour of the client.
        self.driver: Any = None

    def send_body(self) -> Operation[bool]:
        """As `Upload.send_body`; from here on the user can send, or is told that nothing more is wanted."""
        if self.patience is not None:
            yield from self.wait_for_continue(self.patience)
            self.patience = None
            if self.stream.status == 417:
                return True  # nothing was sent yet: another request may send it
        lend = Lend()
        yield lend
        self.driver = lend.driver
        self._body.take_up(self)
        self.begun = True
        return (yield from super().send_body())

    def queue_more(self) -> Operation[bool]:
        """Queue what was kept; if that is nothing, wait for news."""
        if self._body.kept:
            self._queue_kept()
            self.flushed = False
        else:
            yield from news(self.stream, self.link, self.budget)
        return True

    def go(self) -> Operation[bool]:
        """Send all that was given, while others read. Returns when the peer's windows and the system have taken it.

        Raises WriteError if the exchange is over, or nothing more of the request is wanted, unless the end is all that
        was left to say; WriteTimeout, LocalProtocolError.
        """
        last = not any(self._body.kept)
        yield Sleep(0)  # who sends on and on, and never has to wait, must not keep others from reading
        signal = Signal()
        self._fork.others.add(signal)
        try:
            if self._is_wanted(last):
                self._queue_or_fail()
            while True:
                # Clear the signal, look at the state, then wait.
                signal.ready = False
                if not self._is_wanted(last) or (yield from self._send(signal)):
                    return True
        finally:
            self._fork.others.discard(signal)

    def let_go(self) -> None:
        """The response is closed: nothing more is sent."""
        self._closed = True

    def _queue_kept(self) -> None:
        kept = self._body.kept
        with self.link.mutex:
            while kept:
                piece = kept.popleft()
                if piece is None:
                    self.stream.end_data()
                    self.whole = True
                else:
                    self.stream.send_data(piece)

    def _is_wanted(self, last: bool) -> bool:
        """Whether more of the request can be sent. Raises WriteError if not, and if that does harm."""
        stream, request = self.stream, self.budget.request
        reason = None
        if self._closed:
            why = "The response was closed, and so nothing more of the request can be sent"
        elif stream.failure is not None:
            why, reason = str(stream.failure), stream.failure.reason
        elif self.over:
            why = f"The server has answered ({stream.status}), and takes nothing more of the request"
        else:
            return True
        self._body.kept.clear()
        if last:
            return False
        error = WriteError(f"{why}, {place(request)}", request=request)
        error.reason, error.request_sent = reason, self.budget.sent
        try:
            raise error
        finally:
            del error  # or this frame and the error's traceback would keep each other alive

    def _send(self, signal: Signal) -> Operation[bool]:
        """Send some of what is queued; True if that was all."""
        budget = self.budget
        flush = Flush(self.link, signal, budget.seconds("write"))
        budget.sent = True
        try:
            yield flush
            if flush.flushed and self.stream.blocked:
                yield Receive(self.link, signal, budget.seconds("write"))
                return False
            return flush.flushed
        except TimeoutError:
            raise budget.spent("write") from None
        except OSError as exc:
            what = f"The connection was lost: {in_words(exc)}, {place(budget.request)}"
            error = WriteError(what, request=budget.request)
            error.reason, error.request_sent = reason_of(exc), True
            try:
                raise error from exc
            finally:
                del error

    def _queue_or_fail(self) -> None:
        """As `_queue_kept`. If the request turns out to be wrong, whoever waits for the response is told, too."""
        try:
            self._queue_kept()
        except LocalProtocolError as exc:
            with self.link.mutex:
                self.stream.failure = exc
                self.stream.signal.set()
            if self.stream.stream_id is None:
                self.link.close()  # nobody else has it, and who waits for it is woken
            raise telling(exc, self.budget.request) from None
