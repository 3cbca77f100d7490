"""Binary files as bodies: how long they are and how they are read, piece by piece, blocking or awaited.

A file is whatever has a `read` method; the core never opens one. Nothing is known of the operating system:
a length is found by seeking to the end and back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from .streams import AsyncByteStream, SyncByteStream, as_bytes, used_up

__all__ = ["AsyncFileStream", "FileStream", "file_extent", "is_async_file", "refuse_text_file"]

#: Bytes of a file that are read in one go. Async clients go to a worker thread and back for each, which costs them
#: some 45 µs: with 256 KiB, 100 MB took half as much CPU time again; with 1 MiB, no less, as caches are of this size.
READ_SIZE = 512 * 1024

_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE; the inspect module is slow to import
#: Where async files keep the ordinary file that they wrap: trio and anyio, Starlette's UploadFile, aiofiles
#: (which has no public name for it).
_WRAPPED = ("wrapped", "file", "_file")


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


class FileStream(SyncByteStream):
    """What is left of a binary file, from the offset it stands at; with `whole`, from its beginning.

    `content_length` is the number of those bytes, or None if the file cannot tell. A file that can seek can
    be sent again; one that cannot is read from where it stands, once. The file is not closed.
    """

    __slots__ = ("_consumed", "_file", "_offset", "content_length", "replayable")
    may_block = True
    exact = True

    def __init__(self, file: Any, whole: bool = False) -> None:
        self._file = file
        self._consumed = False
        self._offset, self.content_length = _bounds(file, whole)
        self.replayable = self._offset is not None

    def __iter__(self) -> Iterator[bytes]:
        if self._offset is not None:
            self._file.seek(self._offset)
        elif self._consumed:
            raise used_up()
        self._consumed = True
        left = self.content_length
        while piece := as_bytes(self._file.read(_next_size(left))):
            if left is not None:
                left -= len(piece)
            yield piece
            del piece  # or there would be two of them in memory


class AsyncFileStream(AsyncByteStream):
    """As `FileStream`, for a file whose `read` is awaited.

    Its length is known where the file shows the ordinary file that it wraps, as those of trio, anyio,
    aiofiles and Starlette do. It can be sent again if it has a `seek`.
    """

    __slots__ = ("_consumed", "_file", "_offset", "_whole", "content_length", "replayable")
    exact = True

    def __init__(self, file: Any, whole: bool = False) -> None:
        self._file = file
        self._consumed = False
        self._whole = whole
        seekable = hasattr(file, "seek")
        # Without a `seek` of its own it is something else than a file: what it gives out may be other bytes.
        ordinary = _ordinary_file(file) if seekable else None
        self._offset, self.content_length = _bounds(ordinary, whole)
        # Without an ordinary file to ask, only trying shows whether it can seek.
        self.replayable = self._offset is not None or (
            seekable and ordinary is None and (whole or hasattr(file, "tell"))
        )

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncFilePieces(self)

    async def _rewind(self) -> None:
        """Go to where the body begins. Raises StreamConsumed where that was left and cannot be gone back to."""
        if self.replayable:
            try:
                if self._offset is None:
                    self._offset = 0 if self._whole else await _result(self._file.tell())
                await _result(self._file.seek(self._offset))
            except OSError:  # a pipe, which has the methods and cannot do it
                self.replayable = False
        if self._consumed and not self.replayable:
            raise used_up()
        self._consumed = True


class _AsyncFilePieces(AsyncIterator[bytes]):
    """One reading of an async file. No generator: there is nothing to finalise if it is left."""

    __slots__ = ("_begun", "_left", "_read", "_stream")

    def __init__(self, stream: AsyncFileStream) -> None:
        self._stream = stream
        self._begun = False
        self._left = stream.content_length
        self._read: Any = getattr(stream._file, "aread", None) or stream._file.read

    async def __anext__(self) -> bytes:
        if not self._begun:
            await self._stream._rewind()
            self._begun = True
        piece = as_bytes(await self._read(_next_size(self._left)))
        if not piece:
            raise StopAsyncIteration
        if self._left is not None:
            self._left -= len(piece)
        return piece


async def _result(returned: Any) -> Any:
    return await returned if hasattr(returned, "__await__") else returned


def _next_size(left: int | None) -> int:
    # The bound matters for a file that grows meanwhile: its Content-Length has been sent.
    return READ_SIZE if left is None or left > READ_SIZE else left


def _bounds(file: Any, whole: bool) -> tuple[int | None, int | None]:
    """Return offset and length of what is to be sent, (None, None) where the file cannot tell."""
    extent = None if file is None else file_extent(file)
    if extent is None:
        return None, None
    return (0, extent[1]) if whole else (extent[0], extent[1] - extent[0])


def _ordinary_file(file: Any) -> Any:
    for name in _WRAPPED:
        wrapped = getattr(file, name, None)
        if hasattr(wrapped, "read"):
            return None if is_async_file(wrapped) else wrapped
    return None
