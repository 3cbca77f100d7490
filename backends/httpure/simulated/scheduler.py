"""Tasks, virtual time, and the choice of who goes next.

A coroutine suspends by awaiting a `Wait`, which says in words what for; somebody wakes it, or its time runs
out. Tasks that can go on and events that are due stand in one list, and the seeded `Random` picks from it.
Time stands still while that list holds anything, then jumps to the next event. With no event left there is
a deadlock, and its report names what each task waits for.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from math import inf, nextafter
from random import Random
from typing import Any, Generic, TypeVar, cast

from httpure_core.signals import Signal

__all__ = ["Cancelled", "Deadlock", "Event", "Mutex", "Scheduler", "Task", "Wait"]

T = TypeVar("T")


class Cancelled(BaseException):
    """Raised where a task waits, by `Task.cancel()`; and by `Task.join()` if that ended the task."""


class Deadlock(RuntimeError):
    """Every task waits and nothing is left that could happen. The message names what each one waits for."""


class Wait:
    """One wait of one task. `why` says what for: it is read in logs and in the report of a deadlock."""

    __slots__ = ("error", "over", "task", "why")

    def __init__(self, why: str) -> None:
        self.why = why
        self.over = False
        self.error: BaseException | None = None
        #: Who waits here; set by the scheduler.
        self.task: Task[Any] | None = None

    def wake(self) -> None:
        """End the wait. Does nothing if it is over."""
        if not self.over:
            self.over = True
            if self.task is not None:
                self.task.make_ready()

    def fail(self, error: BaseException) -> None:
        """End the wait by raising `error` in it. Does nothing if it is over."""
        if not self.over:
            self.error = error
            self.wake()

    def __await__(self) -> Generator[Wait, None, None]:
        try:
            if not self.over:
                yield self
        finally:
            self.over = True
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # which knows this frame, and all that is kept by it


class Event:
    """Something that will happen at a moment, unless it is cancelled before."""

    __slots__ = ("action", "label")

    def __init__(self, action: Callable[[], object], label: str) -> None:
        self.action: Callable[[], object] | None = action
        self.label = label

    def cancel(self) -> None:
        """Let it not happen. Legal in every state."""
        self.action = None


class Mutex:
    """A lock for one thread: whoever would wait for it would wait for ever, so that is an error."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken = False

    def acquire(self, blocking: bool = True, /) -> bool:
        """Take the lock. Returns False, or raises RuntimeError if it should block, where it is taken."""
        if self._taken:
            if blocking:
                raise RuntimeError(
                    "This would wait for ever: the only thread there is holds the mutex already."
                )
            return False
        self._taken = True
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._taken = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._taken = False


class Task(Generic[T]):
    """A coroutine on its way. Made by `Simulation.spawn`."""

    __slots__ = (
        "_cancelling",
        "_coroutine",
        "_joining",
        "_ready",
        "_result",
        "_scheduler",
        "done",
        "error",
        "joined",
        "name",
        "wait",
    )

    def __init__(self, scheduler: Scheduler, coroutine: Coroutine[Any, Any, T], name: str) -> None:
        self.name = name
        #: True when the coroutine has returned or raised.
        self.done = False
        #: What it raised.
        self.error: BaseException | None = None
        #: True if somebody has asked for the result, and so is told of the error.
        self.joined = False
        #: What it waits for now.
        self.wait: Wait | None = None
        self._scheduler = scheduler
        self._coroutine = coroutine
        self._result: T | None = None
        self._joining: list[Wait] = []
        self._ready = False
        self._cancelling = False

    @property
    def cancelled(self) -> bool:
        """True if a cancellation ended the task."""
        return isinstance(self.error, Cancelled)

    def cancel(self) -> None:
        """Raise `Cancelled` at the task's await, or at its next one. Does nothing to a task that is done."""
        if not self.done:
            self._scheduler.record(f"cancel {self.name}")
            self._cancelling = True
            self.make_ready()

    @property
    def result(self) -> T:
        """What the coroutine returned."""
        return cast("T", self._result)

    async def join(self) -> T:
        """Wait for the task and return its result. Raises what it raised, `Cancelled` too."""
        self.joined = True
        if not self.done:
            wait = Wait(f"the end of {self.name}")
            self._joining.append(wait)
            await wait
        if self.error is not None:
            raise self.error
        return self.result

    def make_ready(self) -> None:
        """Line the task up to go on."""
        if not self._ready and not self.done and self._scheduler.current is not self:
            self._ready = True
            self._scheduler.ready.append(self)

    def step(self) -> None:
        """Run the coroutine up to its next wait."""
        self._ready = False
        self.wait = None
        try:
            if self._cancelling:
                self._cancelling = False
                wait = self._coroutine.throw(Cancelled())
            else:
                wait = self._coroutine.send(None)
        except StopIteration as stop:
            self._end(stop.value, None)
        except BaseException as exc:
            self._end(None, exc)
            if not isinstance(exc, (Exception, Cancelled)):
                raise
        else:
            self._suspend(wait)

    def _suspend(self, wait: object) -> None:
        if not isinstance(wait, Wait):
            self._coroutine.close()
            self._end(None, TypeError(f"A simulated task can await only what is simulated, not {wait!r}."))
            return
        wait.task = self
        self.wait = wait
        if wait.over or self._cancelling:
            self._scheduler.current = None
            self.make_ready()

    def _end(self, result: T | None, error: BaseException | None) -> None:
        self.done, self._result, self.error = True, result, error
        joining, self._joining = self._joining, []
        for wait in joining:
            wait.wake()


class Scheduler:
    """Runs tasks and events, one at a time, in an order drawn from `random`."""

    def __init__(self, random: Random) -> None:
        self.random = random
        #: Seconds since the beginning.
        self.now = 0.0
        #: What happened, in words, one string for each thing.
        self.log: list[str] = []
        #: Tasks that can go on and events that are due, in the order in which they became so.
        self.ready: list[Task[Any] | Event] = []
        self.tasks: dict[Task[Any], None] = {}
        #: Tasks that ended with an error, other than being cancelled.
        self.failed: list[Task[Any]] = []
        #: The task that is being stepped.
        self.current: Task[Any] | None = None
        #: Called after each step, with the world at rest.
        self.watchers: list[Callable[[], object]] = []
        self._events: list[tuple[float, int, Event]] = []
        self._spawned = 0
        self._planned = 0

    def record(self, text: str) -> None:
        """Add a line to the log."""
        self.log.append(f"{self.now:.6f} {text}")

    def spawn(self, coroutine: Coroutine[Any, Any, T], name: str | None = None) -> Task[T]:
        """Start a task."""
        self._spawned += 1
        task = Task(self, coroutine, name or f"task {self._spawned}")
        self.tasks[task] = None
        task.make_ready()
        return task

    def call_later(self, seconds: float, action: Callable[[], object], label: str = "") -> Event:
        """Plan an event. One with `seconds=0` competes with whatever is ready now."""
        event = Event(action, label)
        if seconds <= 0:
            self.ready.append(event)
        else:
            self._planned += 1
            heapq.heappush(self._events, (self._after(seconds), self._planned, event))
        return event

    def run_until_done(self, task: Task[T]) -> None:
        """Run until the task is done. Raises Deadlock if it never will be."""
        while not task.done:
            if not self.ready:
                self._advance()
            else:
                self.go_on()

    async def pause(self, seconds: float, why: str) -> None:
        """Wait for some seconds."""
        wait = Wait(why)
        event = self.call_later(seconds, wait.wake)
        try:
            await wait
        finally:
            event.cancel()

    async def until(self, signal: Signal, timeout: float | None, why: str) -> None:
        """Wait until the signal is set. Raises TimeoutError after `timeout` seconds."""
        ends = None if timeout is None else self._after(timeout)
        while not signal.ready:
            wait = Wait(why)
            signal.wake = wait.wake
            try:
                await self.limited(wait, None if ends is None else ends - self.now)
            finally:
                signal.wake = None

    async def limited(self, wait: Wait, timeout: float | None) -> None:
        """Await the wait, for at most `timeout` seconds. Raises TimeoutError."""
        if timeout is None:
            await wait
            return
        event = self.call_later(timeout, partial(wait.fail, TimeoutError()), f"timeout of {wait.why}")
        try:
            await wait
        finally:
            event.cancel()

    def _after(self, seconds: float) -> float:
        """Return a moment that is later than now, also where so little more would be rounded away.

        Who waits for the rest of a time, and looks at the clock, and waits again, would wait for ever.
        """
        return max(self.now + seconds, nextafter(self.now, inf)) if seconds > 0 else self.now

    def go_on(self) -> None:
        """Let one of those that are ready go on. Only where there is one."""
        ready = self.ready
        chosen = ready.pop(self.random.randrange(len(ready)) if len(ready) > 1 else 0)
        if isinstance(chosen, Task):
            self.step(chosen)
        elif (action := chosen.action) is not None:
            if chosen.label:
                self.record(chosen.label)
            action()
        else:
            return
        for watch in self.watchers:
            watch()

    def step(self, task: Task[Any]) -> None:
        """Let a task go on, whether or not it is its turn."""
        if task in self.ready:
            self.ready.remove(task)
        self.record(f"run {task.name}")
        self.current = task
        try:
            task.step()
        finally:
            self.current = None
            if task.done:
                self._bury(task)

    def _bury(self, task: Task[Any]) -> None:
        del self.tasks[task]
        if task.error is not None and not task.cancelled:
            self.failed.append(task)
        how = "done" if task.error is None else f"raised {type(task.error).__name__}"
        self.record(f"{task.name} {how}")

    @property
    def next_moment(self) -> float | None:
        """When the next of the events is due that nothing has made ready yet; None without any."""
        events = self._events
        while events and events[0][2].action is None:
            heapq.heappop(events)
        return events[0][0] if events else None

    def jump(self, moment: float) -> None:
        """Let it be that moment, and make the events ready that are due then."""
        events = self._events
        self.now = moment
        while events and events[0][0] <= moment:
            self.ready.append(heapq.heappop(events)[2])

    def _advance(self) -> None:
        """Jump to the next event's moment."""
        moment = self.next_moment
        if moment is None:
            raise Deadlock(self.report())
        self.jump(moment)

    def report(self) -> str:
        """Tell what each task waits for."""
        lines = [f"Nothing can happen any more at {self.now:.6f} s, and these wait:"]
        for task in self.tasks:
            why = task.wait.why if task.wait is not None else "nothing: it never ran"
            lines.append(f"  {task.name}: {why}")
        return "\n".join(lines)
