"""asyncio in virtual time: a real event loop, whose waiting lets the world go on instead of waiting.

All that is asyncio's own works: tasks, `sleep`, `timeout`, queues, locks, task groups, cancellation. Functions for
threads (`to_thread`, `run_in_executor`) are called at once, as in a world that repeats itself there is one thread.
Real sockets, subprocesses and threads are none of the world: nobody waits for them.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from ..simulated.scheduler import Deadlock, Scheduler
from .bridges import Waits, bridge_to, idle
from .faces import AsyncFace
from .forbidding import NetworkForbidden

__all__ = ["run_in_asyncio"]

T = TypeVar("T")

_LATE = float("inf")


def run_in_asyncio(
    scheduler: Scheduler,
    face: AsyncFace,
    coroutine: Coroutine[Any, Any, T],
    left: list[str],
) -> T:
    """Run a coroutine on a loop of its own. What is still running at its end is named in `left`."""
    waits: Waits = {}

    async def main() -> T:
        try:
            return await coroutine
        finally:
            current = asyncio.current_task()
            left.extend(task.get_name() for task in asyncio.all_tasks() if task is not current)

    face.bridge, face.limited = bridge_to(_park, waits, _name), _limit
    try:
        with asyncio.Runner(loop_factory=lambda: Loop(scheduler, waits)) as runner:
            return runner.run(main())
    finally:
        face.bridge = face.limited = None


async def _park(attach: Callable[[Callable[[], object]], object]) -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    attach(wake)
    await future


def _name() -> str:
    task = asyncio.current_task()
    return "a callback" if task is None else task.get_name()


async def _limit(function: Callable[[], Awaitable[Any]], seconds: float | None) -> Any:
    async with asyncio.timeout(seconds):
        return await function()


class Loop(asyncio.SelectorEventLoop):
    """Its time is the world's."""

    def __init__(self, scheduler: Scheduler, waits: Waits) -> None:
        self._scheduler = scheduler
        self._clock_resolution = 1e-9
        super().__init__(Selector(self, scheduler, waits))

    def time(self) -> float:
        """Return the seconds since the world began."""
        return self._scheduler.now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Call the function at once."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as exc:
            future.set_exception(exc)
        return future

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        """Refuse: this is the way to a real network."""
        raise NetworkForbidden(
            "A scripted world has no real connections: asyncio was asked for one in world.run()."
        )

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Refuse."""
        await self.create_connection()


class Selector(selectors.BaseSelector):
    """Waits for nothing but what other threads and signals have to say."""

    def __init__(self, loop: Loop, scheduler: Scheduler, waits: Waits) -> None:
        self._loop = loop
        self._scheduler = scheduler
        self._waits = waits
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """As any selector."""
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """As any selector."""
        return self._real.unregister(fileobj)

    def get_map(self) -> Any:
        """As any selector."""
        return self._real.get_map()

    def close(self) -> None:
        """As any selector."""
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the world go on by one thing, or, if the loop has nothing to do, in time."""
        found = self._real.select(0)
        if found:
            return found
        scheduler = self._scheduler
        if timeout is not None and timeout <= 0:
            if scheduler.ready:
                scheduler.go_on()
            return []
        if not idle(scheduler, self._due(timeout)):
            raise Deadlock(_report(scheduler, self._waits))
        return []

    def _due(self, timeout: float | None) -> float | None:
        """Return the moment for which the loop waits, exactly, and not by way of a difference."""
        scheduled: list[asyncio.TimerHandle] = getattr(self._loop, "_scheduled", [])
        if scheduled:
            return scheduled[0].when()
        return None if timeout is None else self._scheduler.now + timeout


def _report(scheduler: Scheduler, waits: Waits) -> str:
    lines = [f"Nothing can happen any more at {scheduler.now:.6f} s, and these wait:"]
    lines += [f"  {name}: {wait.why}" for wait, name in waits.items()]
    if not waits:
        lines.append("  tasks of asyncio, for something else than the network")
    return "\n".join(lines)
