from __future__ import annotations

import array
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from httpure_core.content.streams import (
    AsyncByteStream,
    AsyncIterableStream,
    ByteStream,
    IterableStream,
    SyncByteStream,
    UnattachedStream,
)
from httpure_core.errors import StreamClosed, StreamConsumed

from .bodies import finish, pieces_of


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


def test_pieces_may_have_a_buffer_but_must_not_be_anything_else() -> None:
    buffers: list[Any] = [bytearray(b"a"), memoryview(b"b"), array.array("B", b"c")]
    assert list(IterableStream(buffers)) == [b"a", b"b", b"c"]
    for wrong in ("a", 5, None, [b"a"]):
        with pytest.raises(TypeError, match=f"of type {type(wrong).__name__}"):
            list(IterableStream([wrong]))  # type: ignore[list-item]


def test_a_coroutine_as_a_piece_is_not_left_unawaited() -> None:
    async def read() -> bytes:
        raise AssertionError

    with pytest.raises(TypeError, match="of type coroutine"):
        list(IterableStream([read()]))  # type: ignore[list-item]


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
