"""How long each phase of a request may take, and the words for when it took longer.

The phases are those of `Timeout`: connect, read, write, pool, in seconds. `total`, where it is set, ends them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..contracts import Clock
from ..errors import ConnectTimeout, PoolTimeout, ReadTimeout, TimeoutException, TransportError, WriteTimeout

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

    __slots__ = ("_limits", "clock", "ends", "report", "request", "sending")

    def __init__(self, request: Request, clock: Clock, ends: float | None = None) -> None:
        self.request = request
        self.clock = clock
        #: Who is told what happens to the request; None where nobody listens.
        self.report: Report | None = None
        #: What is left to send of the request while its response is read; None where that is nothing, as a rule.
        self.sending: Upload | None = None
        self._limits: Mapping[str, float | None] = request.extensions.get("timeout") or _NO_LIMITS
        try:
            total = self._limits.get("total")
        except AttributeError:
            raise no_limits(self._limits) from None
        if ends is None and total is not None:
            ends = clock() + total
        self.ends = ends

    def seconds(self, phase: str) -> float | None:
        """Return what an effect of this phase may take from now on; None for no limit.

        Raises the phase's TimeoutException if the total is used up.
        """
        limit = self._limits.get(phase)
        if self.ends is None:
            return limit
        left = self.ends - self.clock()
        if left <= 0:
            raise self.spent(phase)
        return left if limit is None or left < limit else limit

    def silence(self, since: float) -> float | None:
        """As `seconds("read")`, where nothing has come since a moment that has passed already."""
        limit = self._limits.get("read")
        if limit is None:
            return self.seconds("read")
        now = self.clock()
        ends = since + limit
        if self.ends is not None and self.ends < ends:
            ends = self.ends
        if ends <= now:
            raise self.spent("read")
        return ends - now

    def left(self) -> Left:
        """Return the limits as they are by now, with less of the total. Raises ConnectTimeout if that is used up."""
        self.seconds("connect")
        return Left(self._limits, None if self.ends is None else self.ends - self.clock())

    def spent(self, phase: str, detail: str = "") -> TimeoutException:
        """Return the exception for an effect of this phase that took too long."""
        kind, what, before, remedy = _TIMEOUTS[phase]
        limit = self._limits.get(phase)
        if self.ends is not None and self.clock() >= self.ends - _TICK:
            total = _as_given(self._limits).get("total")
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
        return kind(f"{what} {why}{detail}, {place(self.request)}; {remedy}", request=self.request)


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


def place(request: Request) -> str:
    """Return which request it was, without query, credentials or fragment, which may hold secrets."""
    url = request.url
    host = url.host
    where = f"[{host}]" if ":" in host else host
    port = "" if url.port is None else f":{url.port}"
    return f"{request.method} {url.scheme}://{where}{port}{url.path}"


def telling(error: TransportError, request: Request, detail: str = "") -> TransportError:
    """Return the error again, of the same class, telling also which request it ended."""
    told: Any = type(error)(f"{error}{detail}, {place(request)}", request=request)
    told.__cause__ = error.__cause__
    told.unprocessed = error.unprocessed
    told.unanswered = error.unanswered
    return told  # type: ignore[no-any-return]
