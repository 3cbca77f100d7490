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
