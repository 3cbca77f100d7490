"""What waits in a simulation, awaited by an event loop that has its own way of waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

from ..simulated.scheduler import Scheduler, Wait
from .faces import Bridge

__all__ = ["Waits", "bridge_to", "idle"]

#: The waits that are under way, and whose they are, for the report of a deadlock.
Waits = dict[Wait, str]


#: Is given what ends a pause.
Attach: TypeAlias = Callable[[Callable[[], object]], object]


class Waker:
    """Stands where a wait has its task, and is woken in its place."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake

    def make_ready(self) -> None:
        """The wait is over."""
        self._wake()


def bridge_to(park: Callable[[Attach], Awaitable[None]], waits: Waits, name: Callable[[], str]) -> Bridge:
    """Return what has a loop await the coroutines of a simulation.

    `park(attach)` suspends the caller until what it gives to `attach` was called; `name()` says who the caller is.
    """

    async def bridged(coroutine: Coroutine[Any, Any, None]) -> None:
        step: Callable[[], Any] = partial(coroutine.send, None)
        while True:
            try:
                wait: Any = step()
            except StopIteration:
                return
            try:
                if not wait.over:
                    waits[wait] = name()
                    await park(partial(_attach, wait))
            except BaseException as exc:
                step = partial(coroutine.throw, exc)
            else:
                step = partial(coroutine.send, None)
            finally:
                waits.pop(wait, None)

    return bridged


def _attach(wait: Any, wake: Callable[[], object]) -> None:
    wait.task = Waker(wake)


def idle(scheduler: Scheduler, until: float | None) -> bool:
    """The loop has nothing to do until that moment: let the world go on, by one thing or in time.

    Returns False where nothing can happen any more.
    """
    if scheduler.ready:
        scheduler.go_on()
        return True
    moments = [moment for moment in (until, scheduler.next_moment) if moment is not None]
    if not moments:
        return False
    scheduler.jump(max(scheduler.now, min(moments)))
    return True
