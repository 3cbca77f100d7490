"""The limits of waits, in one run of trio: one task sleeps for all of them.

A cancel scope with a deadline takes 70,000 instructions, a fifth of a small request and more than the wait inside of
it. Nearly every wait ends long before its limit. So a wait only writes down when it is to end. The task looks at it
when that moment comes, and finds it over, or a later one of which it writes down the moment then.

    wait    | 0 s ──── 5 s |  wait | 2 s ──── 7 s |
    task    sleeps ─────── 5 s: the moment is now 7 s ── sleeps ── 7 s: nobody waits, forgotten
"""

from __future__ import annotations

import contextlib
import heapq
from itertools import count
from math import inf

import trio

from httpure_core.signals import Signal

__all__ = ["Limit", "Limits", "limits_of_this_run"]


class Limit:
    """The limit of a wait, and then of another one. At its end it is `late`, and nudges who waits."""

    __slots__ = ("due", "ends", "late", "signal")

    def __init__(self) -> None:
        self.signal: Signal | None = None  # of the one who waits, if anybody does
        self.ends = inf
        self.late = False
        self.due = inf  # when the task looks at it; never later than `ends`

    def look(self, now: float) -> None:
        """Wake who has waited for too long. Who is awake already looks at `late` before it waits again."""
        if self.signal is not None and self.ends <= now:
            self.late = True
            self.signal.nudge()


class Limits:
    """Those of one run. There are as many as there were ever waits at a time; each is used over and over again."""

    __slots__ = ("_due", "_made", "_numbers", "_scope", "_spare")

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Limit]] = []  # a heap; the numbers tell equal moments apart
        self._numbers = count()
        self._spare: list[Limit] = []
        self._made = 0
        self._scope: trio.CancelScope | None = None  # in which the task sleeps, if there is one

    def begin(self, signal: Signal, seconds: float) -> Limit:
        """Return the limit of a wait that begins now (runs once per wait). Hand it back with `end`."""
        if self._spare:
            limit = self._spare.pop()
        else:
            limit = Limit()
            self._made += 1
        limit.signal = signal
        limit.late = False
        limit.ends = ends = trio.current_time() + seconds
        if ends < limit.due:
            self._look_at(limit, ends)
        return limit

    def end(self, limit: Limit) -> None:
        """The wait is over. The moment is left where it stands: to find it outdated once is cheaper."""
        limit.signal = None
        self._spare.append(limit)

    def _look_at(self, limit: Limit, when: float) -> None:
        limit.due = when
        if len(self._due) > 2 * self._made + 64:
            # Most are outdated, by others of the same limits that come earlier.
            self._due = [entry for entry in self._due if entry[2].due == entry[0]]
            heapq.heapify(self._due)
        heapq.heappush(self._due, (when, next(self._numbers), limit))
        if self._scope is None:
            self._scope = trio.CancelScope(deadline=when)
            with contextlib.suppress(RuntimeError):  # at the end of a run: each wait is cancelled anyway
                trio.lowlevel.spawn_system_task(self._watch, name="httpure: the limits of waits")
        elif when < self._scope.deadline:
            self._scope.deadline = when

    async def _watch(self) -> None:
        """Sleep until the next moment, for as long as there is one."""
        try:
            while self._due:
                self._scope = trio.CancelScope(deadline=self._due[0][0])
                with self._scope:
                    await trio.sleep_forever()
                self._look_at_all(trio.current_time())
        finally:
            self._scope = None

    def _look_at_all(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            when, number, limit = heapq.heappop(self._due)
            if limit.due != when:
                continue  # outdated: the limit has been looked at since, or will be
            limit.due = inf
            if limit.signal is None:
                continue
            limit.look(now)
            if not limit.late:
                limit.due = limit.ends
                heapq.heappush(self._due, (limit.ends, number, limit))


_limits: trio.lowlevel.RunVar[Limits] = trio.lowlevel.RunVar("httpure: limits")


def limits_of_this_run() -> Limits:
    """Return the limits of the run of trio that this is called in."""
    try:
        return _limits.get()
    except LookupError:
        limits = Limits()
        _limits.set(limits)
        return limits
