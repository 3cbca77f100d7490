"""What tests of both event loops need: to sleep, to cancel, and to see which tasks of ours run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from httpure._detection import running_backend

__all__ = ["cancelled_after", "cancelled_at_step", "event", "left_running", "rounds", "sleep", "together"]


def _on_trio() -> bool:
    return running_backend().name == "trio"


async def sleep(seconds: float) -> None:
    """Sleep, on whichever loop runs."""
    await (trio.sleep(seconds) if _on_trio() else asyncio.sleep(seconds))


def event() -> Any:
    """Return a new event of the loop."""
    return trio.Event() if _on_trio() else asyncio.Event()


async def cancelled_after(seconds: float, function: Callable[[], Awaitable[object]]) -> bool:
    """Call the function, cancel it after so many seconds, and tell whether that ended it."""
    if _on_trio():
        with trio.move_on_after(seconds) as scope:
            await function()
        return scope.cancelled_caught
    task = asyncio.ensure_future(function())
    await asyncio.wait([task], timeout=seconds)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return task.cancelled()


async def cancelled_at_step(number: int, function: Callable[[], Awaitable[object]]) -> bool:
    """Call the function, and cancel it after the loop has gone round so many times; True if that ended it."""
    if _on_trio():
        scope = trio.CancelScope()

        async def scoped() -> None:
            with scope:
                await function()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(scoped)
            for _ in range(number):
                await trio.lowlevel.checkpoint()
            scope.cancel()
        return scope.cancelled_caught
    task = asyncio.ensure_future(function())
    for _ in range(number):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return task.cancelled()


async def rounds(number: int = 30) -> None:
    """Let the loop go round so many times: what is on its way without waiting for time has happened then."""
    for _ in range(number):
        await sleep(0)


async def together(*functions: Callable[[], Awaitable[object]]) -> None:
    """Call all functions, each in a task."""
    if _on_trio():
        async with trio.open_nursery() as nursery:
            for function in functions:
                nursery.start_soon(function)
    else:
        await asyncio.gather(*(function() for function in functions))


async def left_running() -> list[str]:
    """Return the names of the tasks that run apps."""
    if not _on_trio():
        return sorted(task.get_name() for task in asyncio.all_tasks() if "ASGI" in task.get_name())
    root = trio.lowlevel.current_root_task()
    assert root is not None
    found, tasks = [], [root]
    while tasks:
        task = tasks.pop()
        tasks += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        found += [task.name] if "ASGI" in task.name else []
    return sorted(found)
