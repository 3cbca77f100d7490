"""Sending a request again as its user's `Retry` says: who asks it, waits, and counts.

One count holds for all that becomes of one request of the user's: each exchange of its redirects and of its auth flow,
and the reading of the last body. The policy decides by itself; what holds whatever it says is decided here:

    total          no more goes than that, even if a subclass decides otherwise
    time           no pause that would end after the total timeout: the user gets at once what there is
    body           none that can be read only once, and was begun
    budget         asked last, so that nothing is taken out of it in vain

A response that is not given to the user is read, if that is little, or closed; its cookies are kept, and hooks have
seen it, as those of a redirect. Nothing is held during a pause: no connection, no place in the pool.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import ambient
from ..contracts import Clock, Log
from ..effects import Close, Operation, Sleep
from ..errors import RequestError
from ..models.response import Response
from ..retries import Outcome, Retry
from .closing import or_close
from .report import INFO
from .resending import may_resend

if TYPE_CHECKING:
    from ..models.request import Request

__all__ = ["Retrying"]

#: In the place of a pause: the response counts. As for None, no operation returns that.
_KEPT = -1.0


class Retrying:
    """The goes of one request of the user's.

    `send` is one exchange, and `drain` is done with a response that nobody gets. `ends` is when the total timeout is.
    """

    __slots__ = ("_clock", "_drain", "_ends", "_log", "_policy", "_seen", "_send", "count")

    def __init__(
        self,
        policy: Retry,
        clock: Clock,
        ends: float | None,
        log: Log,
        send: Callable[[Request], Operation[Response]],
        drain: Callable[[Response], Operation[Response]],
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._ends = ends
        self._log = log
        self._send = send
        self._drain = drain
        #: How often it was sent again.
        self.count = 0
        #: The request that is sent again, if a server may have seen any of it in a go that is over.
        self._seen: Request | None = None
        if policy.budget is not None:
            policy.budget.pay_in()

    def exchange(self, request: Request) -> Operation[Response]:
        """Send a request, and again where the policy says so, and return the response that counts."""
        # The frame that an error has passed never knows the response: the error may live on, and a response that its
        # user drops must not.
        while True:
            came = yield from self._go(request)
            if isinstance(came, Response):
                return came
            yield from self.wait(came)

    def _go(self, request: Request) -> Operation[Response | float]:
        """Send a request once. Returns the response that counts, or the pause before it is sent again."""
        try:
            response = yield from self._send(request)
        except RequestError as exc:
            if self._seen is request:
                exc.request_sent = True
            pause = self.pause_after(request, error=exc)
            if pause is None:
                raise
        else:
            judging = self._judge(request, response)
            pause = yield from or_close(response, judging)
            if pause == _KEPT:
                return response
        return pause

    def pause_after(
        self, request: Request, response: Response | None = None, error: RequestError | None = None
    ) -> float | None:
        """Return in how many seconds to send the request again, which counts then; None for not at all."""
        policy, number = self._policy, self.count + 1
        if number > policy.total or (error is not None and error._of_a_hook):
            return None
        chance = int.from_bytes(ambient.random_bytes(6)) / 2**48
        outcome = Outcome(
            number, request, response=response, error=error, now=ambient.wall_time(), chance=chance
        )
        pause = policy.decide(outcome)
        if pause is None:
            return None
        what = type(error).__name__ if response is None else str(response.status_code)
        hindrance = self._hindrance(request, pause)
        if hindrance:
            self._write("HTTP Retry: %s %s not sent again after %s: %s", request, what, hindrance)
            return None
        self.count = number
        if error is None or error.request_sent is not False:
            self._seen = request
        self._write(
            "HTTP Retry: %s %s again in %.3f s after %s (%d of %d)",
            request,
            pause,
            what,
            number,
            policy.total,
        )
        return max(0.0, pause)

    def wait(self, pause: float) -> Operation[bool]:
        """Let a pause pass."""
        if pause:
            yield Sleep(pause)
        return True

    def _judge(self, request: Request, response: Response) -> Operation[float]:
        """Return the pause before the next go, where nothing is left of the response; or `_KEPT`, if it counts."""
        pause = self.pause_after(request, response)
        if pause is None:
            return _KEPT
        began = self._clock()
        with suppress(RequestError):  # if it cannot be read, that is no loss
            yield from self._drain(response)
        if not response.is_closed:
            with suppress(RequestError):
                yield Close(response)
        # The pause runs from the answer on: reading what is left of that must not push it beyond the total.
        return max(0.0, pause - (self._clock() - began))

    def _hindrance(self, request: Request, pause: float) -> str:
        """Return why a request cannot be sent again, whatever the policy says; "" where it can."""
        budget = self._policy.budget
        if self._ends is not None and self._clock() + pause >= self._ends:
            return f"a pause of {pause:.3g} s would not end before the total timeout"
        if not may_resend(request):
            return "its body can be read only once"
        if budget is not None and not budget.take():
            return "the retry budget is used up"
        return ""

    def _write(self, text: str, request: Request, *arguments: object) -> None:
        if self._log.enabled(INFO):
            from .masking import masked_url

            self._log.record(INFO, text, request.method, masked_url(request.url), *arguments)
