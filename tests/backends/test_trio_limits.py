"""The limits of waits in a run of trio: one task for all of them, on a clock that jumps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from httpure.trio.limits import Limit, Limits, limits_of_this_run
from httpure_core.signals import Signal


class Waiter:
    """Waits as a link does: looks at its limit, then until it is nudged."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.signal = Signal()

    async def wait(self, seconds: float) -> float | None:
        """Return when the limit came, None if the signal did before."""
        limit = self._limits.begin(self.signal, seconds)
        try:
            while not self.signal.ready:
                if limit.late:
                    return trio.current_time()
                woken = trio.Event()
                self.signal.wake = woken.set
                await woken.wait()
            return None
        finally:
            self._limits.end(limit)


def run(main: Callable[[Limits], Awaitable[None]]) -> None:
    """Run on a clock that begins at 0 and jumps as soon as everybody waits."""

    async def inside() -> None:
        await main(limits_of_this_run())

    trio.run(inside, clock=MockClock(autojump_threshold=0))


def tasks_of(limits: Limits) -> bool:
    """Return whether a task sleeps."""
    return limits._scope is not None


def test_a_wait_ends_at_its_limit_and_the_task_with_the_last() -> None:
    async def main(limits: Limits) -> None:
        assert limits is limits_of_this_run()
        assert await Waiter(limits).wait(5) == 5
        await wait_all_tasks_blocked()
        assert not tasks_of(limits)
        assert await Waiter(limits).wait(3) == 8

    run(main)


def test_a_later_wait_of_the_same_limit_has_its_own_end() -> None:
    async def main(limits: Limits) -> None:
        first = Waiter(limits)
        first.signal.set()
        assert await first.wait(5) is None
        await trio.sleep(3)
        assert await Waiter(limits).wait(4) == 7  # the task looked at 5, and again at 7
        assert limits._made == 1

    run(main)


def test_an_earlier_end_than_the_one_that_is_slept_for() -> None:
    async def main(limits: Limits) -> None:
        ends: list[float | None] = []

        async def one(seconds: float) -> None:
            ends.append(await Waiter(limits).wait(seconds))

        async with trio.open_nursery() as nursery:
            for seconds in (9, 2, 2, 5):
                nursery.start_soon(one, seconds)
                await wait_all_tasks_blocked(0)
        assert ends == [2, 2, 5, 9]
        assert limits._made == 4

    run(main)


def test_news_that_come_together_with_the_limit() -> None:
    """Who is late is nudged; it looks at its signal first."""

    async def main(limits: Limits) -> None:
        waiter = Waiter(limits)
        async with trio.open_nursery() as nursery:

            async def bring() -> None:
                await trio.sleep(5)
                waiter.signal.set()

            nursery.start_soon(bring)
            assert await waiter.wait(5) in (5, None)
        waiter.signal.ready = False
        assert await waiter.wait(1) == 6  # not late from before

    run(main)


def test_who_is_cancelled_leaves_nothing() -> None:
    async def main(limits: Limits) -> None:
        waiter = Waiter(limits)
        with trio.move_on_after(1):
            await waiter.wait(5)
        assert [limit.signal for limit in limits._spare] == [None]
        await trio.sleep(5)
        assert (limits._due, tasks_of(limits), waiter.signal.ready) == ([], False, False)

    run(main)


def test_no_end_at_all() -> None:
    async def main(limits: Limits) -> None:
        waiter = Waiter(limits)
        waiter.signal.set()
        assert await waiter.wait(float("inf")) is None
        assert not tasks_of(limits)

    run(main)


def test_short_and_long_limits_in_turn_do_not_pile_up() -> None:
    async def main(limits: Limits) -> None:
        waiter = Waiter(limits)
        for _ in range(300):
            waiter.signal.ready = False
            await waiter.wait(0.001)  # its moment comes, so the next long one is written down anew
            waiter.signal.set()
            await waiter.wait(1000)
        assert len(limits._due) < 100

    run(main)


def test_where_no_task_can_be_started_any_more() -> None:
    """In the `finally` of a generator that the run closes in the end: whatever waits there is cancelled anyway."""
    ends: list[str] = []

    async def generator() -> object:
        try:
            yield 1
        finally:
            limit = limits_of_this_run().begin(Signal(), 1)
            assert isinstance(limit, Limit)
            with pytest.raises(trio.Cancelled):
                await trio.sleep_forever()
            ends.append("cancelled")

    async def main(limits: Limits) -> None:
        left_open = generator()
        await anext(left_open)  # type: ignore[call-overload]
        kept.append(left_open)

    kept: list[object] = []
    run(main)
    assert ends == ["cancelled"]
