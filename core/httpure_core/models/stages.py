"""What happens to each piece of a body between the wire and the reader, as push machines of one shape.

    raw piece ── decoder ── text decoder ── lines ── the reader's piece

A stage is fed raw pieces and gives out pieces of its kind; `finish` gives out what it held back. It never
reads: the blocking and the asynchronous reader feed the same stages, so that they cannot differ. Decoders
work while their output is taken, and hold no more than one bounded piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ..content.text import ByteChunker, LineDecoder, TextChunker, TextDecoder
from ..errors import DecodingError

if TYPE_CHECKING:
    from ..content.decode import Decoder

__all__ = ["FREE_EXPANSION", "MAX_RATIO", "Bytes", "Lines", "Raw", "Stage", "Text", "Whole"]

#: Decoded bytes that a whole read accepts whatever they were before.
FREE_EXPANSION: Final = 16 * 1024 * 1024
#: Beyond that, the most decoded bytes that it accepts for one byte received.
MAX_RATIO: Final = 100

T_co = TypeVar("T_co", covariant=True)


class Stage(Protocol[T_co]):
    """Pieces of the wire in, pieces of some kind out."""

    def feed(self, raw: bytes) -> Iterable[T_co]:
        """Return the pieces that one raw piece completes. Take all of them before the next call."""
        ...

    def finish(self) -> Iterable[T_co]:
        """Return what is left at the end of the body. Raises DecodingError if that is not its end."""
        ...


class Raw:
    """The bytes of the wire, re-cut to `chunk_size` if that is given."""

    def __init__(self, chunk_size: int | None = None) -> None:
        self._chunker = ByteChunker(chunk_size)

    def feed(self, raw: bytes) -> list[bytes]:
        """See `Stage`."""
        return self._chunker.decode(raw)

    def finish(self) -> list[bytes]:
        """See `Stage`."""
        return self._chunker.flush()


class Bytes:
    """The decoded bytes, re-cut to `chunk_size` if that is given."""

    def __init__(self, decoder: Decoder, chunk_size: int | None = None) -> None:
        self._decoder = decoder
        self._chunker = ByteChunker(chunk_size)

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """See `Stage`."""
        for piece in self._decoder.decode(raw):
            yield from self._chunker.decode(piece)

    def finish(self) -> Iterator[bytes]:
        """See `Stage`."""
        for piece in self._decoder.flush():
            yield from self._chunker.decode(piece)
        yield from self._chunker.flush()


class Whole:
    """The decoded bytes for a reader that keeps them all: refuses what only a bomb contains, or more than `most`."""

    def __init__(self, decoder: Decoder, most: int | None = None) -> None:
        self._decoder = decoder
        self._most = most
        self._received = 0
        self._decoded = 0

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """See `Stage`."""
        self._received += len(raw)
        return self._weigh(self._decoder.decode(raw))

    def finish(self) -> Iterator[bytes]:
        """See `Stage`."""
        return self._weigh(self._decoder.flush())

    def _weigh(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        allowed = max(FREE_EXPANSION, MAX_RATIO * self._received) if self._most is None else self._most
        for piece in pieces:
            self._decoded += len(piece)
            if self._decoded > allowed:
                raise DecodingError(
                    f"The body grows to more than {allowed} bytes from {self._received} received: beyond "
                    f"{FREE_EXPANSION} bytes, more than {MAX_RATIO} to one is refused when it is read as "
                    f"a whole. Read it piece by piece, with iter_bytes(), if you trust the server."
                )
            yield piece


class Text:
    """The decoded bytes as text, re-cut to `chunk_size` characters if that is given."""

    def __init__(self, bytes_stage: Stage[bytes], encoding: str, chunk_size: int | None = None) -> None:
        self._bytes = bytes_stage
        self._decoder = TextDecoder(encoding)
        self._chunker = TextChunker(chunk_size)

    def feed(self, raw: bytes) -> Iterator[str]:
        """See `Stage`."""
        for piece in self._bytes.feed(raw):
            yield from self._chunker.decode(self._decoder.decode(piece))

    def finish(self) -> Iterator[str]:
        """See `Stage`."""
        for piece in self._bytes.finish():
            yield from self._chunker.decode(self._decoder.decode(piece))
        yield from self._chunker.decode(self._decoder.flush())
        yield from self._chunker.flush()


class Lines:
    r"""The text line by line, without the line ends. Only \n, \r\n and \r end a line."""

    def __init__(self, text_stage: Stage[str]) -> None:
        self._text = text_stage
        self._lines = LineDecoder()

    def feed(self, raw: bytes) -> Iterator[str]:
        """See `Stage`."""
        for text in self._text.feed(raw):
            yield from self._lines.decode(text)

    def finish(self) -> Iterator[str]:
        """See `Stage`."""
        for text in self._text.finish():
            yield from self._lines.decode(text)
        yield from self._lines.flush()
