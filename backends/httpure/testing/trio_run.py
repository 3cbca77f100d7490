"""trio in virtual time: a real run of trio, with a clock that lets the world go on whenever all tasks wait."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar, cast

import trio

from ..simulated.scheduler import Deadlock, Scheduler
from .bridges import Waits, bridge_to, idle
from .faces import AsyncFace

__all__ = ["run_in_trio"]

T = TypeVar("T")


class Clock(trio.abc.Clock):
    """The world's time. trio asks it how long to sleep when no task can go on: that is the world's turn."""

    def __init__(self, scheduler: Scheduler, waits: Waits) -> None:
        self._scheduler = scheduler
        self._waits = waits
        self.scope = trio.CancelScope()
        #: What ends the run, as no task is to blame for it.
        self.error: BaseException | None = None
        #: True when the function is done, and trio has only itself to bring to an end.
        self.over = False

    def start_clock(self) -> None:
        """Nothing has to be started."""

    def current_time(self) -> float:
        """Return the seconds since the world began."""
        return self._scheduler.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Let the world go on; never sleep."""
        if self.over:
            return 0
        try:
            if not idle(self._scheduler, None if deadline == float("inf") else deadline):
                raise Deadlock(self._report())
        except BaseException as exc:
            if self.error is not None:
                raise
            self.error = exc
            self.scope.cancel()
        return 0

    def _report(self) -> str:
        lines = [f"Nothing can happen any more at {self._scheduler.now:.6f} s, and these wait:"]
        lines += [f"  {name}: {wait.why}" for wait, name in self._waits.items()]
        if not self._waits:
            lines.append("  tasks of trio, for something else than the network")
        return "\n".join(lines)


def run_in_trio(
    scheduler: Scheduler,
    face: AsyncFace,
    coroutine: Coroutine[Any, Any, T],
) -> T:
    """Run a coroutine in a run of trio of its own."""
    waits: Waits = {}
    clock = Clock(scheduler, waits)
    results: list[T] = []

    async def main() -> None:
        try:
            with clock.scope:
                results.append(await coroutine)
        finally:
            clock.over = True

    face.bridge, face.limited = bridge_to(_park, waits, _name), _limit
    try:
        with _repeatable(scheduler):
            trio.run(main, clock=clock)
    finally:
        face.bridge = face.limited = None
    if clock.error is not None:
        raise clock.error
    return results[0]


async def _park(attach: Callable[[Callable[[], object]], object]) -> None:
    task, woken = trio.lowlevel.current_task(), False

    def wake() -> None:
        nonlocal woken
        if not woken:
            woken = True
            trio.lowlevel.reschedule(task)

    def abort(_: object) -> trio.lowlevel.Abort:
        nonlocal woken
        woken = True
        return trio.lowlevel.Abort.SUCCEEDED

    attach(wake)
    await trio.lowlevel.wait_task_rescheduled(abort)


def _name() -> str:
    return trio.lowlevel.current_task().name


async def _limit(function: Callable[[], Awaitable[Any]], seconds: float | None) -> Any:
    try:
        with trio.fail_after(float("inf") if seconds is None else seconds):
            return await function()
    except trio.TooSlowError:
        raise TimeoutError from None


@contextlib.contextmanager
def _repeatable(scheduler: Scheduler) -> Iterator[None]:
    """Seed the one thing that trio leaves to chance: which of two tasks goes first."""
    chance = cast("Any", getattr(trio._core._run, "_r", None))
    if chance is None:
        yield
        return
    state = chance.getstate()
    chance.seed(scheduler.random.random())
    try:
        yield
    finally:
        chance.setstate(state)
