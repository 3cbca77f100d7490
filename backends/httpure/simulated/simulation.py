"""A world in a box: scheduler, network and backend, all from one seed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

from httpure_core import ambient

from .backend import Backend
from .conditions import Conditions
from .network import Network
from .scheduler import Scheduler, Task

__all__ = ["EPOCH", "Simulation", "repeatable"]

T = TypeVar("T")

#: The wall-clock time at which every simulation begins: 2025-06-15 15:06:40 UTC.
EPOCH = 1_750_000_000.0


class Simulation:
    """Runs coroutines in virtual time; whatever may happen is drawn from `seed`.

    `network` says what the network does to connections; the default is a perfect one.
    """

    def __init__(self, seed: int = 0, network: Conditions | None = None) -> None:
        self.seed = seed
        #: The source of all chance. Draw from it too what your own test leaves to chance.
        self.random = Random(seed)
        self._scheduler = Scheduler(self.random)
        #: Say here who listens where: `simulation.network.listen(host, port, peer_factory)`.
        self.network = Network(self._scheduler, network or Conditions())
        #: For `AsyncClient(backend=...)`.
        self.backend = Backend(self._scheduler, self.network)

    @property
    def log(self) -> list[str]:
        """What has happened so far. The same seed and the same code give the same log."""
        return self._scheduler.log

    def clock(self) -> float:
        """Return the seconds since the simulation began."""
        return self._scheduler.now

    def run(self, async_function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """Run `async_function(*args)` to its end and return its result.

        Tasks that are still on their way then are cancelled. Raises what the function raised, or else what
        a task raised that nobody joined; and Deadlock if the function waits for what cannot happen.
        """
        scheduler = self._scheduler
        with repeatable(scheduler):
            main = scheduler.spawn(async_function(*args), "main")
            main.joined = True
            try:
                scheduler.run_until_done(main)
            finally:
                self._end_tasks()
        if main.error is not None:
            raise main.error
        for task in scheduler.failed:
            if not task.joined and task.error is not None:
                raise task.error
        return main.result

    def spawn(self, coroutine: Coroutine[Any, Any, T], name: str | None = None) -> Task[T]:
        """Start a task beside the one that runs. `name` stands in the log."""
        return self._scheduler.spawn(coroutine, name)

    async def sleep(self, seconds: float) -> None:
        """Wait for some virtual seconds."""
        await self._scheduler.pause(seconds, f"sleep {seconds:g} s")

    def watch(self, check: Callable[[], object]) -> None:
        """Call `check` after each step from now on; what it raises ends the run."""
        self._scheduler.watchers.append(check)

    def _end_tasks(self) -> None:
        for task in list(self._scheduler.tasks):
            task.cancel()
        while self._scheduler.tasks:
            self._scheduler.run_until_done(next(iter(self._scheduler.tasks)))


@contextmanager
def repeatable(scheduler: Scheduler) -> Iterator[None]:
    """Give the core seeded chance and virtual dates, and hold back the one thing that comes when it likes.

    That is the garbage collector: what it ends in the middle of a run would differ from run to run.
    """
    random_bytes, wall_time = ambient._random_bytes, ambient._wall_time
    ambient.install(
        random_bytes=scheduler.random.randbytes,
        wall_time=lambda: EPOCH + scheduler.now,
    )
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        ambient.install(random_bytes=random_bytes, wall_time=wall_time)
