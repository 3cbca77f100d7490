from __future__ import annotations

import io
import mmap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from httpure_core.content.files import AsyncFileStream, FileStream, file_extent, is_async_file
from httpure_core.content.streams import (
    PIECE_SIZE,
    AsyncByteStream,
    AsyncIterableStream,
    ByteStream,
    IterableStream,
    SyncByteStream,
    UnattachedStream,
)
from httpure_core.errors import StreamClosed, StreamConsumed

from .bodies import AsyncFile, Pipe, finish, pieces_of


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


def test_byte_stream_is_read_in_either_colour_as_often_as_asked() -> None:
    stream = ByteStream(b"abc")
    assert list(stream) == list(stream) == [b"abc"]
    assert finish(pieces_of(stream)) == finish(pieces_of(stream)) == [b"abc"]
    assert stream.replayable and not stream.may_block
    stream.close()
    finish(stream.aclose())


def test_abstract_streams_say_what_is_missing() -> None:
    class Mine(SyncByteStream, AsyncByteStream):
        pass

    with pytest.raises(NotImplementedError, match=r"Mine must implement __iter__\(\)"):
        list(Mine())
    with pytest.raises(NotImplementedError):
        # The sync half comes first, so __aiter__ is the async half's.
        finish(pieces_of(Mine()))


def test_unattached_stream_is_closed() -> None:
    stream = UnattachedStream()
    assert not stream.replayable
    with pytest.raises(StreamClosed):
        list(stream)
    with pytest.raises(StreamClosed):
        finish(pieces_of(stream))


def test_list_is_replayed() -> None:
    stream = IterableStream([b"a", b"", b"b"])
    assert stream.replayable
    assert list(stream) == list(stream) == [b"a", b"b"]


@pytest.mark.parametrize(
    "source", [iter([b"a", b"b"]), (piece for piece in [b"a", b"b"]), map(bytes, [b"a", b"b"])]
)
def test_iterator_never_becomes_an_empty_body(source: Iterator[bytes]) -> None:
    stream = IterableStream(source)
    assert not stream.replayable
    assert list(stream) == [b"a", b"b"]
    with pytest.raises(StreamConsumed):
        list(stream)


def test_iterable_that_hands_out_its_spent_iterator_is_found_out() -> None:
    class Wrapper:
        def __init__(self) -> None:
            self.pieces = iter([b"a"])

        def __iter__(self) -> Iterator[bytes]:
            return self.pieces

    stream = IterableStream(Wrapper())
    assert stream.replayable
    assert list(stream) == [b"a"]
    for _ in range(2):
        with pytest.raises(StreamConsumed):
            list(stream)
    assert not stream.replayable


def test_pieces_may_be_bytes_like_but_nothing_else() -> None:
    assert list(IterableStream([bytearray(b"a"), memoryview(b"b")])) == [b"a", b"b"]  # type: ignore[list-item]
    with pytest.raises(TypeError, match="of type str"):
        list(IterableStream(["a"]))  # type: ignore[list-item]


async def generate() -> AsyncIterator[bytes]:
    for piece in (b"a", b"", bytearray(b"b")):
        yield piece  # type: ignore[misc]


def test_async_generator_is_read_once() -> None:
    stream = AsyncIterableStream(generate())
    assert not stream.replayable
    assert finish(pieces_of(stream)) == [b"a", b"b"]
    with pytest.raises(StreamConsumed):
        finish(pieces_of(stream))


def test_async_iterable_is_replayed_unless_its_iterator_is_spent() -> None:
    class Fresh:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return generate()

    stream = AsyncIterableStream(Fresh())
    assert stream.replayable
    assert finish(pieces_of(stream)) == finish(pieces_of(stream)) == [b"a", b"b"]

    class Spent:
        def __init__(self) -> None:
            self.pieces = generate()

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self.pieces

    stream = AsyncIterableStream(Spent())
    assert finish(pieces_of(stream)) == [b"a", b"b"]
    for _ in range(2):
        with pytest.raises(StreamConsumed):
            finish(pieces_of(stream))
    assert not stream.replayable


@pytest.mark.parametrize("kind", [AsyncFile, AsyncFileOfHttpx])
def test_async_file_is_read_once_in_pieces(kind: type[AsyncFile]) -> None:
    file = kind(b"x" * (PIECE_SIZE + 1))
    assert is_async_file(file)
    stream = AsyncFileStream(file)
    assert not stream.replayable
    assert [len(piece) for piece in finish(pieces_of(stream))] == [PIECE_SIZE, 1]
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
    stream = FileStream(io.BytesIO(b"x" * (2 * PIECE_SIZE + 5)))
    assert [len(piece) for piece in stream] == [PIECE_SIZE, PIECE_SIZE, 5]


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
    stream = FileStream(Pipe(b"x" * (PIECE_SIZE + 3)))
    assert stream.content_length is None
    assert not stream.replayable and stream.may_block
    assert [len(piece) for piece in stream] == [PIECE_SIZE, 3]
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


async def one_by_one() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


def test_async_iterator_is_closed_with_its_stream() -> None:
    source = one_by_one()
    pieces: Any = aiter(AsyncIterableStream(source))
    assert finish(anext(pieces)) == b"one"
    finish(pieces.aclose())
    assert finish(pieces_of(AsyncIterableStream(source))) == []


def test_async_iterator_that_cannot_be_closed_is_left() -> None:
    class Endless:
        def __aiter__(self) -> Endless:
            return self

        async def __anext__(self) -> bytes:
            return b"x"

    pieces: Any = aiter(AsyncIterableStream(Endless()))
    assert finish(anext(pieces)) == b"x"
    finish(pieces.aclose())
    assert finish(anext(pieces)) == b"x"
