"""Bodies as streams of bytes: what a request sends and a response brings.

A stream is an object that can be iterated over, blocking (`SyncByteStream`), asynchronously
(`AsyncByteStream`), or both. Nothing here reads by itself.

A body may have to be sent again: after a redirect, a challenge, or on a new connection. What can be read
only once says so (`replayable`) and raises `StreamConsumed` the second time: it never turns into an empty
body.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from ..errors import StreamClosed, StreamConsumed

__all__ = [
    "PIECE_SIZE",
    "AsyncByteStream",
    "AsyncIterableStream",
    "ByteStream",
    "IterableStream",
    "SyncByteStream",
    "UnattachedStream",
    "as_bytes",
]

#: Bytes read from a file, or given out by a decoder, at a time.
PIECE_SIZE = 64 * 1024


class SyncByteStream:
    """A body that is read with `for piece in stream`. Subclass it to write a transport."""

    #: True where taking the next piece may block on a file: async backends then take it in a worker thread.
    may_block: bool = False
    #: False where a second iteration raises StreamConsumed.
    replayable: bool = True

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError(f"{type(self).__name__} must implement __iter__().")
        yield b""  # pragma: no cover - makes this a generator function, as its overrides are

    def close(self) -> None:
        """Free what the stream holds. Called once, whether or not it was read to the end."""


class AsyncByteStream:
    """A body that is read with `async for piece in stream`. Subclass it to write a transport."""

    #: False where a second iteration raises StreamConsumed.
    replayable: bool = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError(f"{type(self).__name__} must implement __aiter__().")
        yield b""  # pragma: no cover - makes this an async generator function, as its overrides are

    async def aclose(self) -> None:
        """Free what the stream holds. Called once, whether or not it was read to the end."""


class ByteStream(SyncByteStream, AsyncByteStream):
    """A body that is wholly in memory: any number of readers, of either colour."""

    __slots__ = ("content",)

    def __init__(self, stream: bytes) -> None:
        self.content = stream

    def __iter__(self) -> Iterator[bytes]:
        yield self.content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


class UnattachedStream(SyncByteStream, AsyncByteStream):
    """Stands where a stream was before its message was pickled: its bytes are gone."""

    replayable = False

    def __iter__(self) -> Iterator[bytes]:
        raise StreamClosed
        yield b""  # pragma: no cover

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise StreamClosed
        yield b""  # pragma: no cover


class AtOnce(AsyncIterator[bytes]):
    """A blocking iterator as an asynchronous one. No generator: there is nothing to finalise if it is left."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


class IterableStream(SyncByteStream):
    """The caller's own iterable of bytes. A list can be read again, an iterator or generator cannot."""

    __slots__ = ("_first", "_source", "replayable")

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = source
        self._first: Iterator[bytes] | None = None
        self.replayable = not hasattr(source, "__next__")

    def __iter__(self) -> Iterator[bytes]:
        first = self._first
        if first is not None and not self.replayable:
            raise StreamConsumed
        pieces = iter(self._source)
        # Some iterables hand out the same spent iterator each time, and only now does it show.
        if pieces is first:
            self.replayable = False
            raise StreamConsumed
        self._first = pieces
        for piece in pieces:
            if piece:  # an empty piece would end a chunked body
                yield piece if type(piece) is bytes else as_bytes(piece)


class AsyncIterableStream(AsyncByteStream):
    """The caller's own async iterable of bytes. An iterator or generator cannot be read again."""

    __slots__ = ("_first", "_source", "replayable")

    def __init__(self, source: AsyncIterable[bytes]) -> None:
        self._source = source
        self._first: AsyncIterator[bytes] | None = None
        self.replayable = not hasattr(source, "__anext__")

    def __aiter__(self) -> AsyncIterator[bytes]:
        first = self._first
        if first is not None and not self.replayable:
            raise StreamConsumed
        pieces = aiter(self._source)
        if pieces is first:
            self.replayable = False
            raise StreamConsumed
        self._first = pieces
        return _Checked(pieces)


class _Checked(AsyncIterator[bytes]):
    """The pieces of a caller's async iterator, checked. No generator: what is left open is the caller's alone."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        async for piece in self._pieces:
            if piece:
                return piece if type(piece) is bytes else as_bytes(piece)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the caller's iterator, if that can be closed."""
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()


def as_bytes(piece: object) -> bytes:
    """Turn one piece of a caller's body into bytes. Raises TypeError, naming the type, if it is none."""
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    raise TypeError(f"A body is made of bytes, but one of its pieces is of type {type(piece).__name__}.")
