"""Files as bodies, read at once or awaited."""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from httpure_core.content.files import READ_SIZE, AsyncFileStream, FileStream, file_extent, is_async_file
from httpure_core.errors import StreamConsumed

from .bodies import AsyncFile, AsyncSeekableFile, Pipe, finish, pieces_of


class AsyncFileOfHttpx:
    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)

    def read(self) -> bytes:
        raise NotImplementedError

    async def aread(self, size: int = -1) -> bytes:
        return self.file.read(size)


class AsyncLines:
    """As trio's files are: `read` is found by __getattr__, and iterating gives lines."""

    read = staticmethod(lambda size: None)

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError


@pytest.mark.parametrize("kind", [AsyncFile, AsyncFileOfHttpx])
def test_async_file_is_read_once_in_pieces(kind: type[AsyncFile]) -> None:
    file = kind(b"x" * (READ_SIZE + 1))
    assert is_async_file(file)
    stream = AsyncFileStream(file)
    assert not stream.replayable
    assert [len(piece) for piece in finish(pieces_of(stream))] == [READ_SIZE, 1]
    with pytest.raises(StreamConsumed):
        finish(pieces_of(stream))


def test_async_files_are_told_from_others() -> None:
    assert is_async_file(AsyncLines())
    assert not is_async_file(io.BytesIO())
    assert not is_async_file(Pipe(b""))


def test_file_is_sent_from_where_it_stands_and_again() -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    stream = FileStream(file)
    assert stream.content_length == 6
    assert stream.replayable and stream.may_block
    assert list(stream) == list(stream) == [b"456789"]


def test_file_is_read_in_pieces() -> None:
    stream = FileStream(io.BytesIO(b"x" * (2 * READ_SIZE + 5)))
    assert [len(piece) for piece in stream] == [READ_SIZE, READ_SIZE, 5]


def test_real_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"abcdef")
    with path.open("rb", buffering=0) as file:
        file.seek(2)
        stream = FileStream(file)
        with path.open("ab") as log:
            log.write(b"more")  # Content-Length has been promised
        assert stream.content_length == 4
        assert list(stream) == [b"cdef"]


def test_file_that_shrank_gives_what_is_left() -> None:
    file = io.BytesIO(b"abcdef")
    stream = FileStream(file)
    file.truncate(2)
    assert list(stream) == [b"ab"]


def test_mmap(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(b"abcdef")
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped.seek(1)
        stream = FileStream(mapped)
        assert stream.content_length == 5
        assert b"".join(stream) == b"".join(stream) == b"bcdef"


def test_file_past_its_end_has_nothing_left() -> None:
    file = io.BytesIO(b"abc")
    file.seek(10)
    assert file_extent(file) == (10, 10)
    stream = FileStream(file)
    assert stream.content_length == 0
    assert list(stream) == []


def test_pipe_is_read_once() -> None:
    stream = FileStream(Pipe(b"x" * (READ_SIZE + 3)))
    assert stream.content_length is None
    assert not stream.replayable and stream.may_block
    assert [len(piece) for piece in stream] == [READ_SIZE, 3]
    with pytest.raises(StreamConsumed):
        list(stream)


def test_file_that_reads_what_is_not_bytes() -> None:
    class Odd(Pipe):
        def read(self, size: int = -1) -> Any:
            return None

    with pytest.raises(TypeError, match="NoneType"):
        list(FileStream(Odd(b"")))


def test_closed_file_is_refused_at_once() -> None:
    file = io.BytesIO(b"abc")
    file.close()
    with pytest.raises(ValueError, match="closed"):
        FileStream(file)


def test_a_whole_file_is_sent_from_its_beginning() -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    stream = FileStream(file, whole=True)
    assert stream.content_length == 10
    assert list(stream) == list(stream) == [b"0123456789"]
    pipe = Pipe(b"abc")
    pipe.read(1)
    assert list(FileStream(pipe, whole=True)) == [b"bc"]


def read_again(stream: AsyncFileStream) -> bytes:
    first = b"".join(finish(pieces_of(stream)))
    assert b"".join(finish(pieces_of(stream))) == first
    return first


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize(("whole", "sent"), [(False, b"456789"), (True, b"0123456789")])
def test_async_file_that_can_seek_is_sent_again(shown: bool, whole: bool, sent: bytes) -> None:
    file = AsyncSeekableFile(b"0123456789", shown)
    file.ordinary.seek(4)
    stream = AsyncFileStream(file, whole)
    assert stream.replayable
    assert stream.content_length == (len(sent) if shown else None)
    assert read_again(stream) == sent


@pytest.mark.parametrize("name", ["wrapped", "file", "_file"])
def test_async_file_is_as_long_as_the_file_that_it_wraps(name: str) -> None:
    file = AsyncSeekableFile(b"x" * (READ_SIZE + 1), shown=False)
    setattr(file, name, file.ordinary)
    stream = AsyncFileStream(file)
    file.ordinary.seek(0, 2)
    file.ordinary.write(b"more")  # Content-Length has been promised
    assert stream.content_length == READ_SIZE + 1
    assert [len(piece) for piece in finish(pieces_of(stream))] == [READ_SIZE, 1]


def test_async_file_within_an_async_file_cannot_be_asked() -> None:
    file = AsyncSeekableFile(b"abc", shown=False)
    file.wrapped = AsyncSeekableFile(b"abc")  # type: ignore[assignment]
    assert AsyncFileStream(file).content_length is None


def test_what_cannot_seek_may_give_out_other_bytes_than_it_wraps() -> None:
    stream = AsyncFileStream(AsyncFile(b"packed"))  # which has its BytesIO in `file`
    assert (stream.content_length, stream.replayable) == (None, False)


def test_async_file_whose_other_methods_are_plain() -> None:
    class Half(AsyncFile):
        def tell(self) -> int:
            return self.file.tell()

        def seek(self, offset: int) -> int:
            return self.file.seek(offset)

    file = Half(b"abc")
    file.hidden, file.file = file.file, None  # type: ignore[attr-defined,assignment]
    stream = AsyncFileStream(file)
    file.file = file.hidden  # type: ignore[attr-defined]
    assert stream.replayable
    assert read_again(stream) == b"abc"


def test_async_file_that_only_seems_to_seek_is_read_once() -> None:
    class Fifo(AsyncSeekableFile):
        async def seek(self, offset: int, whence: int = 0) -> int:
            raise io.UnsupportedOperation("underlying stream is not seekable")

    stream = AsyncFileStream(Fifo(b"abc", shown=False))
    assert stream.replayable
    assert finish(pieces_of(stream)) == [b"abc"]
    assert not stream.replayable
    with pytest.raises(StreamConsumed):
        finish(pieces_of(stream))


def test_async_pipe_whose_ordinary_file_says_that_it_cannot_seek() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as pipe, os.fdopen(writing, "wb"):
        file = AsyncSeekableFile(b"", shown=False)
        file.wrapped = pipe  # type: ignore[assignment]
        stream = AsyncFileStream(file)
        assert (stream.content_length, stream.replayable) == (None, False)


def test_ordinary_file_that_turns_out_to_be_async() -> None:
    class Disguised(Pipe):
        def read(self, size: int = -1) -> Any:
            return AsyncFile(b"abc").read(size)

    assert not is_async_file(Disguised(b""))
    with pytest.raises(TypeError, match="of type coroutine"):
        list(FileStream(Disguised(b"")))
