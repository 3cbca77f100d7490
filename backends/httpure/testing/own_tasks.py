"""Tasks of the world's own: no event loop, and an order of turns that is drawn from the seed."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from ..simulated.scheduler import Scheduler

__all__ = ["run_in_tasks"]

T = TypeVar("T")


def run_in_tasks(
    scheduler: Scheduler,
    coroutine: Coroutine[Any, Any, T],
    left: list[str],
) -> T:
    """Run a coroutine as a task. What is still running at its end is named in `left`, and cancelled."""
    before = set(scheduler.tasks)
    main = scheduler.spawn(coroutine, "main")
    main.joined = True
    try:
        scheduler.run_until_done(main)
        left += [task.name for task in scheduler.tasks if task not in before]
    finally:
        for task in [task for task in scheduler.tasks if task not in before]:
            task.cancel()
            scheduler.run_until_done(task)
    failed, scheduler.failed[:] = list(scheduler.failed), []
    if main.error is not None:
        raise main.error
    for task in failed:
        if not task.joined and task.error is not None:
            raise task.error
    return main.result
