"""Tasks and the bell, where a loop would have to be lucky to show it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from httpure._detection import running_backend
from httpure._transports.asgi_tasks import Bell, Task, pause, start
from httpure_core.effects import Park, Sleep
from tests.running import on_each_loop

from .loops import event, sleep


class FakeBackend:
    """A backend that does at once what it is told to do when it is asked to wait."""

    name = "fake"

    def __init__(self, park: Callable[[Park], Awaitable[None] | None]) -> None:
        self.park = park
        self.slept: list[float] = []

    def sleep(self, effect: Sleep) -> None:
        self.slept.append(effect.seconds)


def finished(coroutine: Any) -> None:
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_ring_and_timeout_at_once() -> None:
    """Then it is a ring."""

    def park(effect: Park) -> None:
        bell.ring()
        raise TimeoutError

    bell = Bell(FakeBackend(park))  # type: ignore[arg-type]
    finished(bell.wait(1.0))


def test_timeout() -> None:
    def park(effect: Park) -> None:
        assert effect.timeout == 1.0
        raise TimeoutError

    with pytest.raises(TimeoutError):
        Bell(FakeBackend(park)).wait(1.0).send(None)  # type: ignore[arg-type]


def test_backend_that_waits_without_awaiting() -> None:
    backend = FakeBackend(lambda effect: None)
    finished(Bell(backend).wait())  # type: ignore[arg-type]
    finished(pause(backend))  # type: ignore[arg-type]
    assert backend.slept == [0]


@on_each_loop
async def test_what_becomes_of_a_task(http: Any) -> None:
    ends: list[int] = []
    never = event()

    async def returns() -> None:
        await sleep(0)

    async def raises() -> None:
        raise ValueError

    tasks = [
        start(http.Backend(), each, "test", lambda: ends.append(1)) for each in (returns, raises, never.wait)
    ]
    for ended in tasks[:2]:
        await ended.wait(10)
    await tasks[2].wait(0.001)
    assert [(task.done, task.returned, type(task.error)) for task in tasks] == [
        (True, True, type(None)),
        (True, False, ValueError),
        (False, False, type(None)),
    ]
    tasks[2].cancel()
    await tasks[2].wait(1)
    await sleep(0)
    assert (tasks[2].done, tasks[2].returned, tasks[2].error, len(ends)) == (True, False, None, 3)
    for task in tasks:
        task.cancel()
        task.cancel_soon()


def test_cancelling_when_the_loop_is_gone() -> None:
    async def main(tasks: list[Task]) -> None:
        tasks.append(start(running_backend(), event().wait, "test", lambda: None))
        await sleep(0)

    of_trio: list[Task] = []
    trio.run(main, of_trio)
    of_asyncio: list[Task] = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main(of_asyncio))
    left = asyncio.all_tasks(loop)
    of_asyncio[0].cancel()
    loop.run_until_complete(asyncio.wait(left))
    loop.close()
    for task in of_trio + of_asyncio:
        task.cancel()
        task.cancel_soon()
        assert task.done
