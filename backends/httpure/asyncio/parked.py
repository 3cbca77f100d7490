"""When those who wait for a connection, or a look-up, have waited long enough: one timer for all of a thread.

Most have the same limit, so their ends come in order. 10,000 timers would be a heap, whose comparisons in Python take
4 µs for each request in line, and 0.3 KiB.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque

__all__ = ["parked", "time_out"]


class Parked(threading.local):
    """Those of a thread who wait for something other than a link."""

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
        self._ends: deque[tuple[float, asyncio.Future[bool]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._gone = 0  # how many of those in line do not wait any more, at least

    def limit(
        self, future: asyncio.Future[bool], timeout: float, loop: asyncio.AbstractEventLoop
    ) -> asyncio.TimerHandle | None:
        """Have a wait end in time. Who is out of order gets a timer of their own, which is returned."""
        if self._loop is not loop:
            self._begin(loop)
        when = loop.time() + timeout
        ends = self._ends
        while ends and ends[-1][1].done():
            ends.pop()
        if ends and when < ends[-1][0]:
            return loop.call_at(when, time_out, future)
        ends.append((when, future))
        if self._timer is None:
            self._timer = loop.call_at(when, self._tick, loop)
        return None

    def leave(self) -> None:
        """Somebody who got no timer waits no more."""
        ends = self._ends
        self._gone += 1
        if self._gone > 64 and 2 * self._gone > len(ends):
            self._ends = deque(end for end in ends if not end[1].done())
            self._gone = 0

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            return  # others have begun to wait, in another loop
        self._timer = None
        ends, now = self._ends, loop.time()
        while ends and (ends[0][1].done() or ends[0][0] <= now):
            time_out(ends.popleft()[1])
        if ends:
            self._timer = loop.call_at(ends[0][0], self._tick, loop)


#: Those of whichever thread this is looked at in.
parked = Parked()


def time_out(future: asyncio.Future[bool]) -> None:
    """End a wait that lasts too long, if it has not ended yet."""
    if not future.done():
        future.set_exception(TimeoutError())
