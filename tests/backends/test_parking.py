"""Those who wait for something other than a link, on asyncio: one timer ends the waits of all of them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from httpure.asyncio import parked as module
from httpure.asyncio.backend import Backend
from httpure_core.effects import Park
from httpure_core.signals import Signal


async def parked(signal: Signal, seconds: float | None) -> str:
    try:
        await Backend().park(Park(signal, seconds))
    except TimeoutError:
        return "too long"
    return "news" if signal.ready else "nudged"


def timers(loop: asyncio.AbstractEventLoop) -> int:
    return sum(not handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]


def test_each_wait_ends_in_time_with_one_timer_for_all() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        waits = [asyncio.create_task(parked(Signal(), 0.005)) for _ in range(50)]
        await asyncio.sleep(0)
        assert timers(loop) == 1
        assert await asyncio.gather(*waits) == ["too long"] * 50
        assert timers(loop) == 0

    asyncio.run(main())


def test_who_has_less_time_than_others_ends_before_them() -> None:
    async def main() -> None:
        long, short, none = Signal(), Signal(), Signal()
        waits = [asyncio.create_task(parked(long, 60)), asyncio.create_task(parked(short, 0.001))]
        waits.append(asyncio.create_task(parked(none, None)))
        assert await waits[1] == "too long"
        assert not waits[0].done()
        long.set()
        none.set()
        assert [await waits[0], await waits[2]] == ["news", "news"]

    asyncio.run(main())


def test_news_and_nudges_end_a_wait_and_the_others_go_on() -> None:
    async def main() -> None:
        signals = [Signal() for _ in range(3)]
        waits = [asyncio.create_task(parked(signal, 0.01)) for signal in signals]
        await asyncio.sleep(0)
        signals[0].set()
        signals[1].nudge()
        assert await asyncio.gather(*waits) == ["news", "nudged", "too long"]
        ready = Signal()
        ready.set()
        assert await parked(ready, 60) == "news"

    asyncio.run(main())


def test_those_who_are_gone_are_not_kept() -> None:
    async def main() -> None:
        first = Signal()
        waiting = asyncio.create_task(parked(first, 60))
        await asyncio.sleep(0)
        for _ in range(500):
            signal = Signal()
            other = asyncio.create_task(parked(signal, 60))
            await asyncio.sleep(0)
            signal.set()
            await other
        assert len(module.parked._ends) < 200
        first.set()
        await waiting

    asyncio.run(main())


def test_another_loop_begins_anew() -> None:
    async def left() -> None:
        asyncio.create_task(parked(Signal(), 60))  # noqa: RUF006 - given up with the loop
        await asyncio.sleep(0)

    async def main() -> None:
        assert await parked(Signal(), 0.001) == "too long"

    asyncio.run(left())
    asyncio.run(main())
    asyncio.run(main())


def test_a_timer_of_another_loop_is_not_heeded() -> None:
    parking = module.Parked()
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        ends = [loop.create_future() for loop in (first, second)]
        for loop, end in zip((first, second), ends, strict=True):
            assert parking.limit(end, 60, loop) is None
        parking._tick(first)
        assert parking._timer is not None
    finally:
        first.close()
        second.close()


def test_threads_have_their_own() -> None:
    results: list[str] = []

    def work() -> None:
        results.append(asyncio.run(parked(Signal(), 0.002)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["too long"] * 4


def test_who_is_cancelled_waits_no_more() -> None:
    async def main() -> None:
        task = asyncio.create_task(parked(Signal(), 60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert all(end.done() for _, end in module.parked._ends)

    asyncio.run(main())
