"""What a client holds in memory for each connection that is idle, and for each request that waits for one."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from typing import Any

from .machine import own_memory

#: Begins a response, calls back, waits for the event, and takes the rest. Without an event: an ordinary request.
Hold = Callable[[Callable[[], None], asyncio.Event | None], Coroutine[Any, Any, None]]
Reply = Callable[..., None]
#: Seconds in which all that is to be said and done about a connection is over.
SETTLED = 0.5


class Holding:
    """Measures one client by its `hold`."""

    def __init__(self, hold: Hold, queued: bool) -> None:
        self.hold = hold
        self.measure = self.queue if queued else self.connect

    async def connect(self, count: int, reply: Reply) -> None:
        """Open so many connections at once, and see what they leave when all have become idle."""
        before, open_before = own_memory(), _open_descriptors()
        go_on, left = asyncio.Event(), count

        def arrived() -> None:
            nonlocal left
            left -= 1
            if not left:
                go_on.set()

        await asyncio.gather(*[self.hold(arrived, go_on) for _ in range(count)])
        await asyncio.sleep(SETTLED)
        new = _open_descriptors() - open_before
        reply(held=_each(before, new) if new else None, wall=0.0)

    async def queue(self, count: int, reply: Reply) -> None:
        """Let one request keep the only connection while so many wait for it."""
        arrived, go_on = asyncio.Event(), asyncio.Event()
        first = asyncio.ensure_future(self.hold(arrived.set, go_on))
        await arrived.wait()
        before, began = own_memory(), 0

        def counted() -> None:
            nonlocal began
            began += 1

        waiting = [asyncio.ensure_future(self.hold(counted, None)) for _ in range(count)]
        await asyncio.sleep(SETTLED)
        held = _each(before, count)
        assert not began, f"{began} requests did not wait"
        reply(held=held, wall=0.0)
        for task in (first, *waiting):
            task.cancel()
        await asyncio.gather(first, *waiting, return_exceptions=True)


def _open_descriptors() -> int:
    """Return how many there are: a client need not open a connection for each request. 0 where it is not known."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/fd"))
    return 0


def _each(before: float | None, count: int) -> float | None:
    """Return KiB."""
    after = own_memory()
    return None if after is None or before is None else (after - before) / count / 1024
