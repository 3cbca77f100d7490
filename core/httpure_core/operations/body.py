"""The rest of the response: its body, piece by piece, and then the connection back to the pool.

Where the response has begun before all of the request was sent, whoever reads it sends the rest, too: see `upload.py`.
After 101, or 2xx to CONNECT, there is no body: the connection is then for `raw.py` to use, until `close()`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..contracts import READ_AHEAD, Fields, Link, RawMachine, Stream
from ..effects import Operation, Receive
from ..errors import ReadError, StreamClosed, TransportError
from ..pool import Pool, Ticket
from .budget import Budget, telling
from .sending import give_up, news

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..contracts import Basket, Clock
    from .pace import Paced
    from .upload import Upload

__all__ = ["IncomingBody"]


class IncomingBody:
    """A response's body that is still on its way. Owns the stream and the pool's ticket until it is over.

    `started` is when the request was, in seconds of the budget's clock.
    """

    __slots__ = (
        "_budget",
        "_link",
        "_pace",
        "_pool",
        "_stream",
        "_ticket",
        "_waits",
        "elapsed",
        "sending",
        "started",
    )

    #: True for a `ReportedBody`, which is better closed with its `finish()` where there is time for an operation.
    reported = False

    def __init__(
        self, stream: Stream, link: Link, pool: Pool, ticket: Ticket, budget: Budget, started: float
    ) -> None:
        self._stream = stream
        self._link = link
        self._pool = pool
        self._ticket: Ticket | None = ticket
        self._waits = False  # whether somebody is at it: another may close it meanwhile
        self._budget = budget
        #: How fast it must come, once it was waited for; None where it need not.
        self._pace: Paced | None = None
        #: The rest of the request, where there is some. Then it is better to close this with `finish()`.
        self.sending = budget.sending
        self.started = started
        #: Seconds from the request to the end of the body; None before that.
        self.elapsed: float | None = None
        if stream.ended and stream.raw is None:
            self._release()

    @property
    def link(self) -> Link:
        """What the response comes over."""
        return self._link

    @property
    def budget(self) -> Budget:
        """The request, and its limits."""
        return self._budget

    @property
    def raw(self) -> RawMachine | None:
        """What is behind the response, if that is HTTP no more."""
        return self._stream.raw

    @property
    def trailers(self) -> Fields:
        """The fields behind the body, once that has been read to its end (RFC 9110 section 6.5); until then none."""
        stream = self._stream
        return stream.trailers if stream.ended and not stream.buffered else []

    @property
    def length(self) -> int | None:
        """Bytes that the body has as it is sent, and never more; None where the server has not said."""
        return self._stream.length

    @property
    def released(self) -> bool:
        """True once the connection is the pool's again: the response has come to its end, or was closed."""
        return self._ticket is None

    def next_piece(self) -> Operation[bytes]:
        """Return more of the body, or b"" at its end. Raises what the exchange failed of."""
        stream = self._stream
        if self._ticket is None and not stream.ended and stream.failure is None:
            raise StreamClosed
        ours = self._ticket is not None
        self._waits = True
        try:
            if self._budget.ends is not None and self._ticket is not None:
                self._budget.seconds("read")  # a server that never pauses must not outrun the total timeout
            while not (data := stream.take()) and not stream.ended:
                if ours and self._ticket is None:
                    raise _closed_meanwhile()
                if self.sending is not None:
                    yield from self._send(self.sending)
                elif self._budget.timeouts.get("min_rate"):
                    yield from self._paced_news(stream)
                else:
                    yield from news(stream, self._link, self._budget)
            if self.sending is not None and stream.ended:
                yield from self._send(self.sending)  # the server wants no more: lets go of the source
        except BaseException as exc:
            self._fail(exc, ours)
            raise
        self._waits = False
        if self._pace is not None:
            self._pace.took(len(data))
        if len(data) >= READ_AHEAD:
            self._link.nudge()  # it may have stopped reading for want of room
        if stream.ended and stream.raw is None:
            self._release()
        return data

    def arrived(self) -> bytes | None:
        """Return the body if it is here, and nothing else to be done, as with a small one that came with its head."""
        stream = self._stream
        return stream.take() if stream.ended and self._ticket is None and self.sending is None else None

    def read_all(self) -> Operation[bytes]:
        """Return all that is left of the body (runs once per request that is not streamed)."""
        stream = self._stream
        if self.sending is None:
            if stream.ended:
                return stream.take()  # a small response, that came in one go
            gather = getattr(stream, "gather", None)
            if gather is not None and self._ticket is not None:
                return (yield from self._gather(stream, gather))
        pieces = []
        while data := (yield from self.next_piece()):
            pieces.append(data)
        return b"".join(pieces)

    def _gather(self, stream: Any, gather: Callable[[Clock, Basket | None], None]) -> Operation[bytes]:
        """Wait for the end of the body, and not for each piece of it: an arrival costs some 2 µs then, and not 15.

        So nobody counts the time from each piece on. But the stream knows when the last one came, and a wait that was
        too short is followed by one for the rest of the time.
        """
        link, budget = self._link, self._budget
        self._waits = True
        try:
            basket = getattr(link, "basket", None)
            with link.mutex:
                reads = stream.buffered < READ_AHEAD
                gather(budget.clock, basket and basket())
            if not reads:
                link.nudge()  # it has stopped reading for want of room
            pace = self._begin_pace() if budget.timeouts.get("min_rate") else None
            while True:
                # Clear the signal, look at the state, then wait.
                stream.signal.ready = False
                if stream.failure is not None:
                    raise telling(stream.failure, budget.request)
                if stream.ended:
                    break
                if self._ticket is None:
                    raise _closed_meanwhile()
                heard = stream.heard
                seconds = budget.silence(heard)
                if pace is not None:
                    seconds = pace.at_most(seconds)
                try:
                    yield Receive(link, stream.signal, seconds)
                except TimeoutError:
                    if pace is not None and pace.look(stream.buffered):
                        continue
                    if stream.heard == heard:
                        raise budget.spent("read") from None
        except BaseException as exc:
            self._fail(exc, True)
            raise
        self._waits = False
        data: bytes = stream.take()
        self._release()
        return data

    def _begin_pace(self) -> Paced:
        """Somebody begins to wait for a body that must come fast enough."""
        if self._pace is None:
            from .pace import Paced  # here, as hardly anybody asks for that

            self._pace = Paced(self._budget)
        self._pace.begin()
        return self._pace

    def _paced_news(self, stream: Stream) -> Operation[Stream]:
        pace = self._begin_pace()
        try:
            return (yield from news(stream, self._link, pace))
        finally:
            pace.end()

    def _send(self, sending: Upload) -> Operation[bool]:
        """Take a step with the rest of the request, or wait for news."""
        more = yield from sending.go_on()
        if not more:
            self.sending = None
        return more

    def finish(self) -> Operation[bool]:
        """As `close()`, for those who have time. Raises what closing the source of the request's body raises."""
        sending = self.sending
        closing = None if sending is None else sending.ending()
        if closing is not None:
            self.sending = None
        self.close()
        if sending is not None and closing is not None:
            try:
                yield closing
            finally:
                sending.let_go()
        return True

    def drain(self, size: int) -> Operation[bytes]:
        """Return the body if it is not longer than `size` bytes; else b"", and give the rest up.

        A short body that nobody will look at is worth reading, as its connection can be used again. One that is said to
        be longer is not begun.
        """
        if not self._stream.ended and (self.length or 0) > size:
            yield from self.finish()
            return b""
        pieces = []
        length = 0
        while data := (yield from self.next_piece()):
            pieces.append(data)
            length += len(data)
            if length > size:
                yield from self.finish()
                return b""
        return b"".join(pieces)

    def close(self) -> None:
        """Give up what has not arrived. Never waits; does nothing the second time.

        Whoever waits for more of it meanwhile, in another thread or task, gets a ReadError.
        """
        if self._ticket is not None:
            self._interrupt()  # before the link tells of its end in other words
            give_up(self._stream, self._link)
            self._release()
            self._interrupt()  # who has begun to wait since; who begins now sees that the ticket is gone
        if self.sending is not None:
            sending, self.sending = self.sending, None
            with suppress(Exception):
                sending.let_go()

    def _interrupt(self) -> None:
        if self._waits:
            stream = self._stream
            stream.failure = stream.failure or _closed_meanwhile()
            stream.signal.set()

    def _fail(self, error: BaseException, ours: bool) -> None:
        """Close, as reading has failed. Raises another error where that is because somebody has closed it meanwhile."""
        self._waits = False
        if ours and self._ticket is None and isinstance(error, TransportError):
            raise telling(_closed_meanwhile(), self._budget.request) from None
        self.close()

    def _release(self) -> None:
        ticket = self._ticket
        if ticket is not None:
            now = self._budget.clock()
            self.elapsed = now - self.started
            self._pool.release(ticket, now)
            self._ticket = None  # last: an interrupt may fall anywhere, and to release it twice does no harm

    def __del__(self) -> None:
        # A streamed response that was dropped without being closed must not keep its slot.
        try:
            if self._ticket is not None or self.sending is not None:
                self.close()
        except AttributeError:
            pass  # an interrupt fell while it was made


def _closed_meanwhile() -> ReadError:
    error = ReadError("The response was closed while its body was being read")
    error.reason = "closed"
    return error
