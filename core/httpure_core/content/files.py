"""Binary files as bodies: how long they are and how they are read, piece by piece.

A file is whatever has a `read` method; the core never opens one. Nothing is known of the operating system:
a length is found by seeking to the end and back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..errors import StreamConsumed
from .streams import PIECE_SIZE, AsyncByteStream, SyncByteStream, as_bytes

__all__ = ["AsyncFileStream", "FileStream", "file_extent", "is_async_file", "read_pieces", "refuse_text_file"]

_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE; the inspect module is slow to import


def is_async_file(file: Any) -> bool:
    """Tell whether reading this file takes an `await` (aiofiles, anyio, trio, Starlette)."""
    if hasattr(file, "aread") or (hasattr(file, "__aiter__") and not hasattr(file, "__iter__")):
        return True
    code = getattr(file.read, "__code__", None)
    return bool(getattr(code, "co_flags", 0) & _CO_COROUTINE)


def refuse_text_file(file: Any, argument: str) -> None:
    """Raise TypeError if the file gives out text: its length in bytes is not what the server would see."""
    if hasattr(file, "encoding"):  # every io.TextIOBase has it, no binary file does
        raise TypeError(
            f"{argument} takes files that are opened in binary mode ('rb'), or io.BytesIO; "
            f"this {type(file).__name__} is in text mode."
        )


def file_extent(file: Any) -> tuple[int, int] | None:
    """Return (offset, end) of a file in bytes: where it stands and how long it is. None if it cannot seek."""
    try:
        offset = file.tell()
        file.seek(0, 2)
        end = file.tell()  # not seek()'s own result: mmap returns None
        file.seek(offset)
    except (AttributeError, OSError, TypeError):
        return None
    return offset, max(offset, end)


def read_pieces(file: Any, left: int | None) -> Iterator[bytes]:
    """Yield the file's bytes from where it stands, at most `left` of them, in pieces of 64 KiB.

    The bound matters for a file that grows meanwhile: its Content-Length has been sent.
    """
    while left is None or left > 0:
        piece = file.read(PIECE_SIZE if left is None or left > PIECE_SIZE else left)
        if type(piece) is not bytes:
            piece = as_bytes(piece)
        if not piece:
            return
        if left is not None:
            left -= len(piece)
        yield piece


class FileStream(SyncByteStream):
    """What is left of a binary file, from the offset it stands at. A file that can seek can be sent again.

    `content_length` is the number of those bytes, or None if the file cannot tell. The file is not closed.
    """

    __slots__ = ("_consumed", "_file", "_offset", "content_length", "replayable")
    may_block = True

    def __init__(self, file: Any) -> None:
        extent = file_extent(file)
        self._file = file
        self._consumed = False
        self._offset = extent and extent[0]
        self.content_length = extent and extent[1] - extent[0]
        self.replayable = extent is not None

    def __iter__(self) -> Iterator[bytes]:
        if self._offset is not None:
            self._file.seek(self._offset)
        elif self._consumed:
            raise StreamConsumed
        self._consumed = True
        yield from read_pieces(self._file, self.content_length)


class AsyncFileStream(AsyncByteStream):
    """What is left of a file whose `read` is awaited: of unknown length, and sent once."""

    __slots__ = ("_consumed", "_read")
    replayable = False

    def __init__(self, file: Any) -> None:
        self._read: Any = getattr(file, "aread", None) or file.read
        self._consumed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._consumed:
            raise StreamConsumed
        self._consumed = True
        while piece := as_bytes(await self._read(PIECE_SIZE)):
            yield piece
