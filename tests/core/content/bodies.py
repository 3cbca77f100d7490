"""Files and coroutines for the tests of bodies."""

from __future__ import annotations

import io
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from httpure_core.content.streams import AsyncByteStream

T = TypeVar("T")


def finish(operation: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never really waits."""
    with pytest.raises(StopIteration) as stop:
        operation.send(None)
    result: T = stop.value.value
    return result


async def pieces_of(stream: AsyncByteStream) -> list[bytes]:
    return [piece async for piece in stream]


class Pipe:
    """A file that cannot seek."""

    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)


class AsyncFile:
    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)

    async def read(self, size: int = -1) -> bytes:
        return self.file.read(size)


class AsyncSeekableFile(AsyncFile):
    """As trio and anyio have them: the ordinary file is in `wrapped`, if it is to be shown."""

    def __init__(self, content: bytes, shown: bool = True) -> None:
        self.ordinary = io.BytesIO(content)
        if shown:
            self.wrapped = self.ordinary

    async def read(self, size: int = -1) -> bytes:
        return self.ordinary.read(size)

    async def seek(self, offset: int, whence: int = 0) -> int:
        return self.ordinary.seek(offset, whence)

    async def tell(self) -> int:
        return self.ordinary.tell()
