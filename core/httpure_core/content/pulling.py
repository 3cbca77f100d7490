"""Reading a body piece by piece, in either colour: the effect `Pull`, performed.

A body made of several sources, such as a form with files, is a generator of *steps*: a step is a piece, or a
`Pull` that has to be performed before the generator goes on. So the order of reading is written once, and who
performs the pulls decides how: at once, awaited, or in a worker thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, TypeAlias

from ..effects import Pull

__all__ = ["Stepped", "Steps", "pull_at_once", "pull_awaited", "pull_here", "pulled"]

Steps: TypeAlias = Generator[bytes | Pull, None, None]


class Stepped(AsyncIterator[bytes]):
    """The steps of a reading as an async iterator: bytes are pieces, and a `Pull` is to be performed first.

    `perform` does that, in a thread perhaps. No generator, so that nothing is left to finalise.
    """

    __slots__ = ("_last", "_perform", "_steps")

    def __init__(self, steps: Steps, perform: Callable[[Pull], Awaitable[None] | None]) -> None:
        self._steps = steps
        self._perform = perform
        self._last: Pull | None = None

    async def __anext__(self) -> bytes:
        for step in self._steps:
            if not isinstance(step, Pull):
                return step
            self._last = step
            waiting = self._perform(step)
            if waiting is not None:
                await waiting
        raise StopAsyncIteration

    def close(self) -> None:
        """Let go of the source at once, as `Pull.close` does."""
        self._steps.close()

    async def aclose(self) -> None:
        """Close the source that is being read, and read no other."""
        self._steps.close()
        last, self._last = self._last, None
        if last is not None:
            last.finished = True
            waiting = self._perform(last)
            if waiting is not None:
                await waiting


def pull_at_once(pull: Pull) -> None:
    """Perform a `Pull` of a blocking stream."""
    if pull.finished:
        pull.close()
        return
    if pull.iterator is None:
        pull.iterator = iter(pull.source)
    pull.piece = next(pull.iterator, None)


async def pull_awaited(pull: Pull) -> None:
    """Perform a `Pull` of an asynchronous stream."""
    if pull.finished:
        if hasattr(pull.iterator, "aclose"):
            await pull.iterator.aclose()
        return
    if pull.iterator is None:
        pull.iterator = aiter(pull.source)
    pull.piece = await anext(pull.iterator, None)


def pull_here(pull: Pull) -> Awaitable[None] | None:
    """Perform a `Pull` of either kind, where nobody else can: a blocking one is read as it is, and blocks."""
    if hasattr(pull.source, "__aiter__"):
        return pull_awaited(pull)
    pull_at_once(pull)
    return None


def pulled(source: Any) -> Steps:
    """Return the steps of reading a stream, for `Stepped`.

    An `exact` stream is not asked for more when its `content_length` bytes have come: to be told of its end may take
    a worker thread, which is half of the time that a small file takes.
    """
    pull = Pull(source)
    left = source.content_length if getattr(source, "exact", False) else None
    try:
        yield pull
        while pull.piece is not None:
            if left is not None:
                left -= len(pull.piece)
            yield pull.piece
            if left == 0:
                break
            yield pull
    finally:
        pull.close()
