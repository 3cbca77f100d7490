"""The rest of the response: its body, piece by piece, and then the connection back to the pool.

Where the response has begun before all of the request was sent, whoever reads it sends the rest, too: see `upload.py`.
After 101, or 2xx to CONNECT, there is no body: the connection is then for `raw.py` to use, until `close()`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..contracts import READ_AHEAD, Fields, Link, RawMachine, Stream
from ..effects import Operation, Receive
from ..errors import StreamClosed
from ..pool import Pool, Ticket
from .budget import Budget, telling
from .sending import give_up, news

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..contracts import Basket, Clock
    from .upload import Upload

__all__ = ["IncomingBody"]


class IncomingBody:
    """A response's body that is still on its way. Owns the stream and the pool's ticket until it is over.

    `started` is when the request was, in seconds of the budget's clock.
    """

    __slots__ = ("_budget", "_link", "_pool", "_stream", "_ticket", "elapsed", "sending", "started")

    #: True for a `ReportedBody`, which is better closed with its `finish()` where there is time for an operation.
    reported = False

    def __init__(
        self, stream: Stream, link: Link, pool: Pool, ticket: Ticket, budget: Budget, started: float
    ) -> None:
        self._stream = stream
        self._link = link
        self._pool = pool
        self._ticket: Ticket | None = ticket
        self._budget = budget
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
    def released(self) -> bool:
        """True once the connection is the pool's again: the response has come to its end, or was closed."""
        return self._ticket is None

    def next_piece(self) -> Operation[bytes]:
        """Return more of the body, or b"" at its end. Raises what the exchange failed of."""
        stream = self._stream
        if self._ticket is None and not stream.ended and stream.failure is None:
            raise StreamClosed
        try:
            if self._budget.ends is not None and self._ticket is not None:
                self._budget.seconds("read")  # a server that never pauses must not outrun the total timeout
            while not (data := stream.take()) and not stream.ended:
                if self.sending is not None:
                    yield from self._send(self.sending)
                else:
                    yield from news(stream, self._link, self._budget)
            if self.sending is not None and stream.ended:
                yield from self._send(self.sending)  # the server wants no more: lets go of the source
        except BaseException:
            self.close()
            raise
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
        try:
            basket = getattr(link, "basket", None)
            with link.mutex:
                reads = stream.buffered < READ_AHEAD
                gather(budget.clock, basket and basket())
            if not reads:
                link.nudge()  # it has stopped reading for want of room
            while True:
                # Clear the signal, look at the state, then wait.
                stream.signal.ready = False
                if stream.failure is not None:
                    raise telling(stream.failure, budget.request)
                if stream.ended:
                    break
                heard = stream.heard
                try:
                    yield Receive(link, stream.signal, budget.silence(heard))
                except TimeoutError:
                    if stream.heard == heard:
                        raise budget.spent("read") from None
        except BaseException:
            self.close()
            raise
        data: bytes = stream.take()
        self._release()
        return data

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

        A short body that nobody will look at is worth reading, as its connection can be used again.
        """
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
        """Give up what has not arrived. Never waits; does nothing the second time."""
        if self._ticket is not None:
            give_up(self._stream, self._link)
            self._release()
        if self.sending is not None:
            sending, self.sending = self.sending, None
            with suppress(Exception):
                sending.let_go()

    def _release(self) -> None:
        ticket = self._ticket
        if ticket is not None:
            now = self._budget.clock()
            self.elapsed = now - self.started
            self._pool.release(ticket, now)
            self._ticket = None  # last: an interrupt may fall anywhere, and to release it twice does no harm

    def __del__(self) -> None:
        # A streamed response that was dropped without being closed must not keep its slot.
        if self._ticket is not None or self.sending is not None:
            self.close()
