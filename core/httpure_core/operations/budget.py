"""How long each phase of a request may take, and the words for when it took longer.

The phases are those of `Timeout`: connect, read, write, pool, in seconds. `total`, where it is set, ends them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..contracts import Clock
from ..errors import ConnectTimeout, PoolTimeout, ReadTimeout, TimeoutException, TransportError, WriteTimeout
from ..models.request import place

if TYPE_CHECKING:
    from ..models.request import Request
    from .report import Report
    from .upload import Upload

__all__ = ["Budget", "no_limits", "place", "telling"]

_NO_LIMITS: Mapping[str, float | None] = {}
#: Seconds by which drivers may wake a waiter too early: the clocks of event loops tick in milliseconds (uvloop), or in
#: 16 of them (Windows).
_TICK = 0.02

#: Of each phase: the exception, what happened, the word before the limit, and what the user can do.
_TIMEOUTS: dict[str, tuple[type[TimeoutException], str, str, str]] = {
    "connect": (ConnectTimeout, "No connection was made", "within", "allow more with Timeout(connect=...)"),
    "read": (ReadTimeout, "Nothing was received", "for", "allow more with Timeout(read=...)"),
    "write": (WriteTimeout, "Nothing could be sent", "for", "allow more with Timeout(write=...)"),
    "pool": (
        PoolTimeout,
        "No connection of the pool became free",
        "within",
        "allow more with Limits(max_connections=...) or Timeout(pool=...), and close streamed responses",
    ),
}


class Budget:
    """The time limits of one request. `ends` is the moment, on `clock`, at which the total is used up.

    Raises TypeError if the request's extension "timeout" is no mapping.
    """

    __slots__ = ("clock", "ends", "report", "request", "sending", "sent", "timeouts")

    def __init__(self, request: Request, clock: Clock, ends: float | None = None) -> None:
        self.request = request
        self.clock = clock
        #: Who is told what happens to the request; None where nobody listens.
        self.report: Report | None = None
        #: What is left to send of the request while its response is read; None where that is nothing, as a rule.
        self.sending: Upload | None = None
        #: True once bytes of the request were handed to the system: it may have sent them.
        self.sent = False
        #: What the request's user has set, as `Timeout.as_dict()`; empty where that is nothing.
        self.timeouts: Mapping[str, float | None] = request.extensions.get("timeout") or _NO_LIMITS
        try:
            total = self.timeouts.get("total")
        except AttributeError:
            raise no_limits(self.timeouts) from None
        if ends is None and total is not None:
            ends = clock() + total
        self.ends = ends

    def seconds(self, phase: str) -> float | None:
        """Return what an effect of this phase may take from now on; None for no limit.

        Raises the phase's TimeoutException if the total is used up.
        """
        limit = self.timeouts.get(phase)
        if self.ends is None:
            return limit
        left = self.ends - self.clock()
        if left <= 0:
            raise self.spent(phase)
        return left if limit is None or left < limit else limit

    def silence(self, since: float) -> float | None:
        """As `seconds("read")`, where nothing has come since a moment that has passed already."""
        limit = self.timeouts.get("read")
        if limit is None:
            return self.seconds("read")
        now = self.clock()
        ends = since + limit
        if self.ends is not None and self.ends < ends:
            ends = self.ends
        if ends <= now:
            raise self.spent("read")
        return ends - now

    def rest(self) -> float | None:
        """Return what is left of the total for what has no limit of its own; None for no limit.

        Raises WriteTimeout if it is used up.
        """
        if self.ends is None:
            return None
        left = self.ends - self.clock()
        if left <= 0:
            raise self.spent("write")
        return left

    @property
    def over(self) -> bool:
        """True if the total is used up, or as good as."""
        return self.ends is not None and self.clock() >= self.ends - _TICK

    def left(self) -> Left:
        """Return the limits as they are by now, with less of the total. Raises ConnectTimeout if that is used up."""
        self.seconds("connect")
        return Left(self.timeouts, None if self.ends is None else self.ends - self.clock())

    def spent(self, phase: str, detail: str = "") -> TimeoutException:
        """Return the exception for an effect of this phase that took too long."""
        kind, what, before, remedy = _TIMEOUTS[phase]
        limit = self.timeouts.get(phase)
        if self.over:
            total = _as_given(self.timeouts).get("total")
            why = (
                "before the total timeout passed"
                if total is None
                else f"within {total:g} s (the total timeout)"
            )
            remedy = "allow more with Timeout(total=...)"
        elif limit is None:
            why = "in time"
        else:
            why = f"{before} {limit:g} s (the {phase} timeout)"
        error = kind(f"{what} {why}{detail}, {place(self.request)}; {remedy}", request=self.request)
        error.request_sent = self.sent
        return error


class Left(dict[str, float | None]):
    """Limits of which some of the total is used up: lent to a request for as long as a custom transport has it."""

    __slots__ = ("_before", "_over", "given")

    def __init__(self, limits: Mapping[str, float | None], total: float | None) -> None:
        super().__init__(limits, total=total)
        #: Those that the user gave.
        self.given = _as_given(limits)
        self._before: Any = None
        self._over = False

    def lend(self, request: Request) -> None:
        """Put them in the place of the request's own."""
        self._before = request.extensions.get("timeout")
        request.extensions["timeout"] = self

    def take_back(self, request: Request) -> None:
        """Put back what was there, whoever else has lent the same request something meanwhile, and not got it back."""
        self._over = True
        limits = request.extensions.get("timeout")
        if limits is not self:
            return
        while isinstance(limits, Left) and limits._over:
            limits = limits._before
        if limits is None:
            del request.extensions["timeout"]
        else:
            request.extensions["timeout"] = limits


def _as_given(limits: Mapping[str, float | None]) -> Mapping[str, float | None]:
    return limits.given if isinstance(limits, Left) else limits


def no_limits(timeout: object) -> TypeError:
    """Return the error for an extension "timeout" that is no mapping."""
    return TypeError(f"The extension 'timeout' is a dict such as Timeout(5.0).as_dict(), not {timeout!r}.")


def telling(error: TransportError, request: Request) -> TransportError:
    """Return the error again, of the same class, telling also which request it ended; as it is, where it tells that.

    All that is known of it is kept, and whatever its class asks of those who make one, nobody does here. What a stream
    failed of is none that was not sent; who knows better than that says so afterwards.
    """
    if error._request is not None:
        return error
    kind: Any = type(error)
    told: TransportError = kind.__new__(kind)
    told.args = (f"{error}, {place(request)}",)
    told.__dict__.update(error.__dict__)
    told.request = request
    told.request_sent = not error.unprocessed
    told.__cause__ = error.__cause__
    return told
