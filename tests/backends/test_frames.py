"""How many Python frames one warm request takes: a number that noise does not touch, so a regression shows in it.

Each call of a function is a frame, and so is each time that a generator or coroutine goes on. Counted are those of the
event loop, too. A frame is 0.1 to 0.3 µs, and stands for what is done in it.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Answer, RealNetwork, Site

#: What is reached, with a little room for other versions of Python and of the event loops.
CEILINGS = {"blocking": 95, "asyncio": 118, "trio": 143}

Count = Counter[str]


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of 1 KiB."""
    site = Site(lambda call: Answer(200, b"x" * 1024, [("Content-Type", "text/plain")]))
    with RealNetwork() as network:
        yield f"http://127.0.0.1:{network.listen(site)}/1k"


class Counting:
    """Counts the frames of this thread."""

    def __init__(self) -> None:
        self.frames: Count = Counter()

    def __enter__(self) -> Counting:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *reason: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code is not Counting.__exit__.__code__:
            self.frames[f"{frame.f_code.co_filename.rpartition('/')[2]}: {frame.f_code.co_qualname}"] += 1


def fewest(counts: list[Count]) -> Count:
    """Return the count of the shortest way: now and then a timer rings, or an answer comes in two pieces."""
    return min(counts, key=Count.total)


def blocking(url: str) -> Count:
    counts = []
    with httpure.Client() as client:
        for _ in range(12):
            with Counting() as counting:
                client.get(url)
            counts.append(counting.frames)
    return fewest(counts[2:])


async def counted(client: httpure.AsyncClient, url: str) -> Count:
    counts = []
    async with client:
        for _ in range(12):
            with Counting() as counting:
                await client.get(url)
            counts.append(counting.frames)
    return fewest(counts[2:])


def on_asyncio(url: str) -> Count:
    return asyncio.run(counted(httpure.AsyncClient(), url))


def on_trio(url: str) -> Count:
    count: Callable[..., Awaitable[Count]] = counted
    return trio.run(count, httpure.AsyncClient(), url)


@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer counts itself")
@pytest.mark.parametrize(
    ("name", "way"), [("blocking", blocking), ("asyncio", on_asyncio), ("trio", on_trio)]
)
def test_frames_of_a_warm_get(url: str, name: str, way: Callable[[str], Count]) -> None:
    before = sys.getprofile()
    try:
        count = way(url)
    finally:
        sys.setprofile(before)
    listing = "\n".join(f"{times:4} {where}" for where, times in count.most_common())
    assert count.total() <= CEILINGS[name], f"{count.total()} frames for a warm GET, {name}:\n{listing}"
