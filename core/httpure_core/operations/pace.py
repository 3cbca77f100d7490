"""How fast the body of a response must come: `Timeout(min_rate=...)`.

Counted are the seconds in which somebody waits for the body, and the bytes that come of it: who takes a pause, while
bytes wait for him or not, does not count against the server. A window is `rate_window` such seconds. It is over earlier
when it has brought what it must, and the next one begins. So a body that comes too slowly is found out after two
windows at most, and what is reported is one in which it was too slow.
"""

from __future__ import annotations

from ..config.options import RATE_WINDOW
from ..errors import ReadTimeout, TimeoutException
from .budget import Budget, place

__all__ = ["Paced"]


class Paced(Budget):
    """The limits of a request while its response's body is read. Where it is gathered, it is looked at now and then."""

    __slots__ = ("_brought", "_counted", "_rate", "_since", "_slow", "_waited", "_window")

    def __init__(self, budget: Budget) -> None:
        for name in Budget.__slots__:
            setattr(self, name, getattr(budget, name))
        self._rate = self.timeouts["min_rate"] or 0.0
        self._window = self.timeouts.get("rate_window") or RATE_WINDOW
        #: Bytes that came in this window, and the seconds of it that are over.
        self._brought = 0
        self._waited = 0.0
        #: Bytes of a body that is gathered, when it was last looked at.
        self._counted = 0
        #: When the waiting that is under way began.
        self._since = self.clock()
        #: Whether what ends first is the window, and not another limit.
        self._slow = False

    def begin(self) -> None:
        """Somebody begins to wait."""
        self._since = self.clock()

    def end(self) -> None:
        """Something has come, or nobody waits any more."""
        self._waited += self.clock() - self._since

    def took(self, size: int) -> bool:
        """So many bytes have come since the last call. Returns True if that makes the window full."""
        self._brought += size
        full = self._brought >= self._rate * self._window
        if full:
            self._brought = 0
            self._waited = 0.0
        return full

    def seconds(self, phase: str) -> float | None:
        """See `Budget`. Of the body nothing has come since `begin()`, or it would not be waited for."""
        return self.at_most(super().seconds(phase))

    def at_most(self, seconds: float | None) -> float:
        """Return the seconds, or those that are left of the window, if they are fewer."""
        left = max(0.0, self._window - self._waited - (self.clock() - self._since))
        self._slow = seconds is None or left <= seconds
        return left if seconds is None or self._slow else seconds

    def spent(self, phase: str, detail: str = "") -> TimeoutException:
        """See `Budget`."""
        if not self._slow:
            return super().spent(phase, detail)
        seconds = self._waited + self.clock() - self._since
        error = ReadTimeout(
            f"The body came too slowly: {self._brought:,} bytes in {max(seconds, self._window):.3g} s, and at least "
            f"{self._rate:g} per second must come (min_rate), {place(self.request)}; allow less with "
            f"Timeout(min_rate=...)",
            request=self.request,
        )
        error.request_sent = self.sent
        return error

    def look(self, received: int) -> bool:
        """Of a body that is gathered, so many bytes are there now, and the waiting took too long for some limit.

        Returns False if that was not the window. Raises ReadTimeout if that has not brought what it must.
        """
        if not self._slow:
            return False
        more, self._counted = received - self._counted, received
        if not self.took(more):
            raise self.spent("read") from None
        self.begin()
        return True
