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
    "buffered",
    "used_up",
]

#: Bytes read from a file, or given out by a decoder, at a time.
PIECE_SIZE = 64 * 1024


class SyncByteStream:
    """A body that is read with `for piece in stream`. Subclass it to write a transport.

    >>> class Countdown(httpure.SyncByteStream):
    ...     def __iter__(self):
    ...         yield from (b"3 ", b"2 ", b"1")
    >>> httpure.Response(200, stream=Countdown()).read()
    b'3 2 1'
    """

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
    """A body that is read with `async for piece in stream`. Subclass it to write a transport.

    >>> class Countdown(httpure.AsyncByteStream):
    ...     async def __aiter__(self):
    ...         for piece in (b"3 ", b"2 ", b"1"):
    ...             yield piece
    >>> asyncio.run(httpure.Response(200, stream=Countdown()).aread())
    b'3 2 1'
    """

    #: False where a second iteration raises StreamConsumed.
    replayable: bool = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError(f"{type(self).__name__} must implement __aiter__().")
        yield b""  # pragma: no cover - makes this an async generator function, as its overrides are

    async def aclose(self) -> None:
        """Free what the stream holds. Called once, whether or not it was read to the end."""


class ByteStream(SyncByteStream, AsyncByteStream):
    """A body that is wholly in memory: any number of readers, blocking and asynchronous ones.

    >>> httpure.Response(200, stream=httpure.ByteStream(b"hello")).read()
    b'hello'
    """

    __slots__ = ("content",)

    #: The whole body.
    content: bytes

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
        raise StreamClosed(_GONE)
        yield b""  # pragma: no cover

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise StreamClosed(_GONE)
        yield b""  # pragma: no cover


_GONE = "This body was not read before its message was pickled or copied, and is gone: call .read() before."


def used_up() -> StreamConsumed:
    """Return the error for a caller's body that is to be read again and cannot be."""
    return StreamConsumed(
        "This body comes from an iterator, or from a file that cannot seek, and was used up when it was first read. "
        "To have it read again, as a redirect or an answer to a challenge does, give bytes, a list or a file that "
        "can seek, or call .read() first."
    )


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

    @property
    def begun(self) -> bool:
        """True when somebody has begun to read it."""
        return self._first is not None

    def __iter__(self) -> Iterator[bytes]:
        first = self._first
        if first is not None and not self.replayable:
            raise used_up()
        pieces = iter(self._source)
        # Some iterables hand out the same spent iterator each time, and only now does it show.
        if pieces is first:
            self.replayable = False
            raise used_up()
        self._first = pieces
        try:
            for piece in pieces:
                if data := as_bytes(piece):  # an empty piece would end a chunked body
                    yield data
        finally:
            if hasattr(pieces, "throw"):  # a generator, which nobody will go on with
                pieces.close()  # type: ignore[attr-defined]


class AsyncIterableStream(AsyncByteStream):
    """The caller's own async iterable of bytes. An iterator or generator cannot be read again."""

    __slots__ = ("_first", "_source", "replayable")

    def __init__(self, source: AsyncIterable[bytes]) -> None:
        self._source = source
        self._first: AsyncIterator[bytes] | None = None
        self.replayable = not hasattr(source, "__anext__")

    @property
    def begun(self) -> bool:
        """True when somebody has begun to read it."""
        return self._first is not None

    def __aiter__(self) -> AsyncIterator[bytes]:
        first = self._first
        if first is not None and not self.replayable:
            raise used_up()
        pieces = aiter(self._source)
        if pieces is first:
            self.replayable = False
            raise used_up()
        self._first = pieces
        return _Checked(pieces)


class _Checked(AsyncIterator[bytes]):
    """The pieces of a caller's async iterator, checked. No generator: what is left open is the caller's alone."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        async for piece in self._pieces:
            if data := as_bytes(piece):
                return data
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the caller's iterator, if that can be closed."""
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()


def as_bytes(piece: object) -> bytes:
    """Turn one piece of a caller's body into bytes: any object with a buffer will do.

    Raises TypeError, naming the type, for anything else.
    """
    content = buffered(piece)
    if content is not None:
        return content
    if hasattr(piece, "__await__") and (close := getattr(piece, "close", None)) is not None:
        close()  # a coroutine, as a file's read() returned it, that nobody will await
    raise TypeError(f"A body is made of bytes, but one of its pieces is of type {type(piece).__name__}.")


def buffered(value: object) -> bytes | None:
    """Return the bytes of an object that has a buffer (bytes, bytearray, memoryview, array, NumPy), or None."""
    if isinstance(value, bytes):
        return value
    try:
        return memoryview(value).tobytes()  # type: ignore[arg-type]
    except TypeError:
        return None
