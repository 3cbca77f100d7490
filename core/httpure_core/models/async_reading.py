"""The body of a response, read asynchronously. What is shared with the blocking way is in `reading.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .reading import Body
    from .stages import Stage

__all__ = ["AsyncReading", "replay"]

T = TypeVar("T")


class AsyncReading(AsyncIterator[T]):
    """One asynchronous reading of a body. No generator, so that nothing is left to finalise by who breaks off."""

    __slots__ = ("_body", "_called", "_over", "_raw", "_ready", "_stage")

    def __init__(self, body: Body, stage: Stage[T], called: str) -> None:
        self._body = body
        self._stage = stage
        self._called = called
        self._raw: AsyncIterator[bytes] | None = None
        self._over = False  # nothing more will come from the stream
        self._ready: Iterator[T] = iter(())

    def replay(self, content: bytes) -> AsyncReading[T]:
        """Read the content instead of the stream."""
        self._over = True
        self._ready = replay(self._stage, content)
        return self

    async def __anext__(self) -> T:
        try:
            while True:
                for piece in self._ready:
                    return piece
                if self._over:
                    break
                self._ready = iter(await self._more())
        except GeneratorExit:
            raise  # nobody goes on with this, so nothing can be awaited
        except BaseException as error:
            self._over = True
            self._ready = iter(())
            self._body._attach(error)
            if self._raw is not None:
                with suppress(Exception):
                    await self._body.aclose()
            raise
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the reading. The response stays open, as it does after a `break`."""
        self._over = True
        self._ready = iter(())

    async def _more(self) -> Iterable[T]:
        body = self._body
        if self._raw is None:
            body._begin("__aiter__", self._called)
            self._raw = aiter(body.stream)  # type: ignore[arg-type]
            if self._stage.most_raw is not None:
                body._check_length(self._stage.most_raw)
        raw = await anext(self._raw, None)
        if raw is None:
            self._over = True
            await body.aclose()  # before the rest is handed out: the connection is free from here on
            return self._stage.finish()
        body._num_bytes_downloaded += len(raw)
        return self._stage.feed(raw)


def replay(stage: Stage[T], content: bytes) -> Iterator[T]:
    """Read the content instead of a stream."""
    yield from stage.feed(content)
    yield from stage.finish()
