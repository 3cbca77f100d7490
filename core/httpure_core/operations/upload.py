"""A request's body on its way out piece by piece: before the response, and beside it.

Until the head of the response is there, `exchange` takes the steps. A good answer (below 300) may begin while the body
is still going out, and then both go on: whoever reads the response takes the steps, as there is nobody else. While
nothing has come to be read, more is sent; if no more can be sent, we wait for either. So a server that sends back what
it gets, and holds little of it, never waits for us while we wait for it; and no task or thread is needed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..content.streams import ByteStream
from ..contracts import Link, Stream
from ..effects import Effect, Flush, Operation, Pull, Receive
from ..errors import LocalProtocolError
from .budget import Budget, telling
from .closing import or_let_go
from .sending import Sending

if TYPE_CHECKING:
    from ..models.request import Request

__all__ = ["PIECE_SIZE", "Upload", "expects", "without_expectation"]

#: A body goes out in pieces of at most this many bytes, so that a link holds no more of it; in views of what is given,
#: so that nothing is copied. With 256 KiB, 100 MB in memory took a third more CPU time; 1 MiB is hardly better.
PIECE_SIZE = 512 * 1024
#: Seconds between two looks whether the server has answered meanwhile: a look costs a fifth of what a small piece does.
LOOK_INTERVAL = 0.001
_NO_PIECE = " because the next piece of the request's body did not come"
#: Seconds to wait for 100 Continue before the body is sent all the same.
PATIENCE = 1.0


def expects(raw: list[tuple[bytes, bytes]]) -> bool:
    """Whether header fields ask to be told to go on before the body is sent (RFC 9110 section 10.1.1)."""
    for name, value in raw:  # without an index of the fields, for which perhaps nobody asks
        if len(name) == 6 and name.lower() == b"expect":
            return value.strip().lower() == b"100-continue"
    return False


def without_expectation(budget: Budget) -> Request | None:
    """Return what takes the place of a request whose Expect was refused (417); None if that cannot be sent again."""
    request = budget.request
    if not expects(request.headers.raw):
        return None
    if budget.sending is None:  # the body was begun
        from .resending import may_resend

        if not may_resend(request):
            return None
    again = request.__copy__()
    del again.headers["expect"]
    return again


class Upload(Sending):
    """A body that is sent step by step. Whoever takes the steps lets go of its source if they fail."""

    __slots__ = ("_looked", "_pull", "_rest", "begun", "patience", "who")

    def __init__(self, stream: Stream, link: Link, budget: Budget) -> None:
        super().__init__(stream, link, budget, False)
        source = budget.request.stream
        #: True when some of the body has been sent, so that its source may have been used up.
        self.begun = False
        #: Seconds to wait for 100 Continue first; None for not at all.
        self.patience = _patience(budget) if expects(budget.request.headers.raw) else None
        #: Who sends, in words of the trace; told when the end is.
        self.who = ""
        self._pull: Pull | None = None
        self._rest = memoryview(b"")
        self._looked = -math.inf
        if type(source) is ByteStream:
            self._rest = memoryview(source.content)
            self.flushed = self.patience is None  # then the head goes out with the first piece
        else:
            self._pull = Pull(source)
            # Where the first piece is at hand, the head goes out with it; a user's iterator may take its time.
            self.flushed = self.patience is None and getattr(source, "exact", False)

    def send_body(self) -> Operation[bool]:
        """Send until all has gone, or there is an answer. Returns True if something is left that could be sent."""
        stream = self.stream
        if self.patience is not None:
            yield from self.wait_for_continue(self.patience)
            if stream.status:
                # The server wants no body. After 417 another request may send it: see `without_expectation`.
                return stream.status == 417
        while not stream.status:
            if not (yield from self.step()):
                return False
        if self.over:
            yield from self.stop()
            return False
        return True

    def step(self) -> Operation[bool]:
        """Queue a piece, and send what is queued (runs once per piece). Returns False if there is no step left to take.

        None is taken while there is something to be read.
        """
        stream = self.stream
        signal = stream.signal
        # Clear the signal, look at the state, then wait.
        signal.ready = False
        if stream.informational:
            yield from self.inform()
        if self.lost is not None or self.over:
            yield from self.stop()
            return False
        if stream.buffered:
            return True
        if self.flushed and not stream.flush_due:
            if stream.blocked:
                yield from self.wait_for_leave()
                return True
            if self.whole:
                return False
            yield from self.queue_more()
            if self.flushed or signal.ready:
                return True  # there is nothing, or news to be looked at before we wait for room
        yield from self._flush_once()
        return True

    def go_on(self) -> Operation[bool]:
        """As `step`, beside the response: let go of the source if it fails, and tell those who listen of the end."""
        step = self.step()
        stepping = or_let_go(step, self.ending, self.let_go)
        report = self.budget.report
        if report is not None:
            stepping = report.until_end(self.who, "send_request_body", stepping, unless=bool)
        try:
            return (yield from stepping)
        except LocalProtocolError as exc:
            raise telling(exc, self.budget.request) from exc.__cause__

    def stop(self) -> Operation[bool]:
        """Send nothing more: close the source."""
        effect = self.ending()
        if effect is not None:
            yield effect
            self._pull = None
        return True

    def ending(self) -> Effect | None:
        """Return what closes the source of the body, awaited where it must be; None if there is none."""
        return self._pull.ending() if self._pull is not None and self.begun else None

    def let_go(self) -> None:
        """Let go of the source at once, as far as that goes without waiting."""
        if self._pull is not None:
            self._pull.close()

    def _flush_once(self) -> Operation[bool]:
        """Send what is queued, or wait until some of it has gone, or something has come."""
        flush = Flush(self.link, self.stream.signal, self.budget.seconds("write"))
        self.budget.sent = True
        try:
            yield flush
        except TimeoutError:
            raise self.budget.spent("write") from None
        except OSError as exc:
            self.lost = exc
            return False
        if flush.flushed and self.begun and not self.whole:
            now = self.budget.clock()
            if now - self._looked >= LOOK_INTERVAL:
                self._looked = now
                self.link.is_stale()  # feeds what has arrived while nobody read: an upload can take long
        # With news, there may be more to send: what the peer has given leave for, and what it waits to hear.
        self.flushed = flush.flushed and not self.stream.signal.ready
        return True

    def queue_more(self) -> Operation[bool]:
        """Queue the next piece of the body, or its end."""
        piece: bytes | memoryview | None = None
        if self._rest:
            piece = self._next_of_rest()
        elif self._pull is not None:
            self.begun = True
            if self.budget.ends is not None:
                self._pull.timeout = self.budget.rest()
            # A link sends what is queued also when it receives: the head may go out before the first piece is there.
            self.budget.sent = True
            try:
                yield self._pull
            except TimeoutError:
                if not self.budget.over:
                    raise  # the user's own
                raise self.budget.spent("write", _NO_PIECE) from None
            piece, self._pull.piece = self._pull.piece, None  # it is gone before the next one is made
            if piece is not None and not isinstance(piece, bytes):
                # A stream of the user may fill the same memory again, while the link still holds it.
                piece = memoryview(piece).tobytes()
            if piece is None:
                self._pull.close()
                self._pull = None
            elif not piece:
                return False
            elif len(piece) > PIECE_SIZE:
                self._rest = memoryview(piece)
                piece = self._next_of_rest()
        with self.link.mutex:
            if piece is None:
                self.stream.end_data()
            else:
                self.stream.send_data(piece)
        self.whole = piece is None
        self.begun = True
        self.flushed = False
        return True

    def _next_of_rest(self) -> memoryview:
        piece, self._rest = self._rest[:PIECE_SIZE], self._rest[PIECE_SIZE:]
        return piece

    def wait_for_continue(self, patience: float) -> Operation[bool]:
        """Wait until the server wants the body, or answers without it, or has had its time.

        RFC 9110 section 10.1.1: a server may know nothing of this, so nobody waits for it without end.
        """
        stream, budget = self.stream, self.budget
        yield from self.flush()
        ends = budget.clock() + patience
        while True:
            # Clear the signal, look at the state, then wait.
            stream.signal.ready = False
            if stream.informational:
                yield from self.inform()
            if stream.status or stream.failure is not None or any(s == 100 for s, _ in stream.informational):
                return True
            left, limit = ends - budget.clock(), budget.seconds("read")
            if left <= 0:
                return False
            try:
                yield Receive(self.link, stream.signal, left if limit is None else min(left, limit))
            except TimeoutError:
                budget.seconds("read")  # raises if it was the total that is over
                return False


def _patience(budget: Budget) -> float:
    seconds = budget.request.extensions.get("expect_timeout", PATIENCE)
    if isinstance(seconds, (int, float)) and seconds >= 0:
        return seconds
    raise TypeError(f"The extension 'expect_timeout' is a number of seconds, and not {seconds!r}.")
