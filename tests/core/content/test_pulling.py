"""Steps of a reading, performed by whoever can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import pytest

from httpure_core.content.pulling import Stepped, Steps, pull_at_once, pull_here, pulled
from httpure_core.content.streams import AsyncByteStream, AsyncIterableStream, IterableStream, SyncByteStream
from httpure_core.effects import Pull

from .bodies import finish, pieces_of


class Source:
    """Pieces of either colour, and whether they were closed."""

    def __init__(self) -> None:
        self.closed: list[str] = []

    def pieces(self) -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            self.closed.append("plain")

    async def async_pieces(self) -> AsyncIterator[bytes]:
        try:
            yield b"c"
            yield b"d"
        finally:
            self.closed.append("async")


def both(source: Source) -> Steps:
    yield b"["
    yield from pulled(IterableStream(source.pieces()))
    yield b"|"
    yield from pulled(AsyncIterableStream(source.async_pieces()))
    yield b"]"


def test_steps_of_both_colours() -> None:
    source = Source()
    pieces: Any = Stepped(both(source), pull_here)
    assert finish(pieces_of(pieces)) == [b"[", b"a", b"b", b"|", b"c", b"d", b"]"]
    assert source.closed == ["plain", "async"]


@pytest.mark.parametrize(
    ("taken", "closed"), [(0, []), (1, []), (2, ["plain"]), (4, ["plain"]), (5, ["plain", "async"])]
)
def test_what_is_left_early_is_closed_in_order(taken: int, closed: list[str]) -> None:
    source = Source()
    pieces = Stepped(both(source), pull_here)
    for _ in range(taken):
        finish(anext(pieces))  # type: ignore[arg-type]
    finish(pieces.aclose())
    assert source.closed == closed
    finish(pieces.aclose())
    with pytest.raises(StopAsyncIteration):
        finish(anext(pieces))  # type: ignore[arg-type]


def test_what_cannot_wait_closes_what_needs_no_waiting() -> None:
    source = Source()
    pieces = Stepped(both(source), pull_here)
    assert [finish(anext(pieces)) for _ in range(2)] == [b"[", b"a"]  # type: ignore[arg-type]
    pieces.close()
    assert source.closed == ["plain"]


def test_whoever_performs_the_pulls_sees_each_of_them() -> None:
    seen: list[Pull] = []

    def perform(pull: Pull) -> Awaitable[None] | None:
        seen.append(pull)
        return pull_here(pull)

    source = Source()
    pieces = Stepped(both(source), perform)
    finish(pieces_of(pieces))  # type: ignore[arg-type]
    assert len(seen) == 6 and len(set(map(id, seen))) == 2


def test_a_source_that_fails() -> None:
    def failing() -> Iterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    pieces = Stepped(pulled(IterableStream(failing())), pull_here)
    assert finish(anext(pieces)) == b"a"  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        finish(anext(pieces))  # type: ignore[arg-type]
    finish(pieces.aclose())


def test_closing_what_was_never_begun() -> None:
    for stream in (IterableStream([b"a"]), AsyncIterableStream(Source().async_pieces())):
        pull = Pull(stream)
        pull.finished = True
        waiting = pull_here(pull)
        if isinstance(stream, AsyncByteStream):
            assert waiting is not None
            finish(waiting)  # type: ignore[arg-type]
        assert (pull.piece, pull.iterator) == (None, None)


def test_at_once() -> None:
    pull = Pull(IterableStream([b"a"]))
    pull_at_once(pull)
    assert pull.piece == b"a"
    pull_at_once(pull)
    assert pull.piece is None


@pytest.mark.parametrize(("length", "pulls"), [(5, 2), (6, 3), (None, 3)])
def test_what_is_exact_is_not_asked_for_its_end(length: int | None, pulls: int) -> None:
    class Exact(SyncByteStream):
        exact = True
        content_length = length

        def __iter__(self) -> Iterator[bytes]:
            yield from (b"abc", b"de")

    performed: list[Pull] = []

    def perform(pull: Pull) -> None:
        performed.append(pull)
        pull_at_once(pull)

    assert finish(pieces_of(Stepped(pulled(Exact()), perform))) == [b"abc", b"de"]
    assert len(performed) == pulls
