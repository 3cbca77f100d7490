"""What happens to each piece of a body between the wire and the reader, as push machines of one shape.

    raw piece ── decoder ── text decoder ── lines ── the reader's piece

A stage is fed raw pieces and gives out pieces of its kind; `finish` gives out what it held back. It never
reads: the blocking and the asynchronous reader feed the same stages, so that they cannot differ. Decoders
work while their output is taken, and hold no more than one bounded piece.

The stages weigh, too: they raise BodyTooLarge where a body is beyond its `Limits`, before the piece that is too much
is given out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ..content.text import ByteChunker, LineDecoder, TextChunker, TextDecoder
from ..errors import BodyTooLarge
from ..limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from ..content.decode import Decoder
    from ..limits import Limits

__all__ = ["Bytes", "Lines", "Raw", "Stage", "Text", "Whole", "body_too_large"]

#: Raw bytes that are decoded before it is looked what has become of them: the most that a bomb has to itself.
_SLICE: Final = 64 * 1024
#: How many raw bytes a body may have that is decoded, for each of the `max_body` that it may have then, and besides. A
#: coding makes nothing larger by more than a few bytes for each piece that its sender flushes.
_MOST_RAW: Final = 2
_FREE_RAW: Final = 64 * 1024

T_co = TypeVar("T_co", covariant=True)


class Stage(Protocol[T_co]):
    """Pieces of the wire in, pieces of some kind out."""

    @property
    def most_raw(self) -> int | None:
        """Bytes of the wire that it takes at most: a body that is said to have more need not be begun. None: any."""
        ...

    def feed(self, raw: bytes) -> Iterable[T_co]:
        """Return the pieces that one raw piece completes. Take all of them before the next call.

        Raises BodyTooLarge, here or while they are taken.
        """
        ...

    def finish(self) -> Iterable[T_co]:
        """Return what is left at the end of the body. Raises DecodingError if that is not its end."""
        ...


class Raw:
    """The bytes of the wire, at most `max_body` of them, re-cut to `chunk_size` if that is given."""

    def __init__(self, chunk_size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self._chunker = ByteChunker(chunk_size)
        self._received = 0
        self.most_raw = limits.max_body

    def feed(self, raw: bytes) -> list[bytes]:
        """See `Stage`."""
        if self.most_raw is not None:
            self._received += len(raw)
            if self._received > self.most_raw:
                raise body_too_large(self.most_raw)
        return self._chunker.decode(raw)

    def finish(self) -> list[bytes]:
        """See `Stage`."""
        return self._chunker.flush()


class Bytes:
    """The decoded bytes, at most `max_body` of them, re-cut to `chunk_size` if that is given.

    Of what is decoded, the raw bytes are limited, too: such as never become anything could come for ever.
    """

    def __init__(
        self, decoder: Decoder, chunk_size: int | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._decoder = decoder
        self._chunker = ByteChunker(chunk_size)
        self._limits = limits
        self._received = 0
        self._decoded = 0
        most = limits.max_body
        self.most_raw = None if most is None else _MOST_RAW * most + _FREE_RAW

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """See `Stage`."""
        self._received += len(raw)
        if self.most_raw is not None and self._received > self.most_raw:
            raise BodyTooLarge(
                f"The body has more than {self.most_raw:,} bytes before it is decoded, and may have no more than "
                f"{self._limits.max_body:,} when it is (max_body); allow more with Limits(max_body=...)",
                limit="max_body",
            )
        for piece in self._decoder.decode(raw):
            yield from self._chunker.decode(self._weighed(piece))

    def finish(self) -> Iterator[bytes]:
        """See `Stage`."""
        for piece in self._decoder.flush():
            yield from self._chunker.decode(self._weighed(piece))
        yield from self._chunker.flush()

    def _weighed(self, piece: bytes) -> bytes:
        self._decoded += len(piece)
        most = self._limits.max_body
        if most is not None and self._decoded > most:
            raise body_too_large(most)
        return piece


class Whole(Bytes):
    """The decoded bytes for a reader that keeps them all: refuses also what only a bomb contains, or beyond `most`."""

    def __init__(self, decoder: Decoder, limits: Limits = DEFAULT_LIMITS, most: int | None = None) -> None:
        super().__init__(decoder, None, limits)
        self._most = most

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """See `Stage`."""
        for piece in _sliced(raw):
            yield from super().feed(piece)

    def _weighed(self, piece: bytes) -> bytes:
        super()._weighed(piece)
        if self._most is not None and self._decoded > self._most:
            raise body_too_large(self._most)
        _check_expansion("The body", self._decoded, self._received, self._limits)
        return piece


class Text:
    """The decoded bytes as text, re-cut to `chunk_size` characters if that is given."""

    def __init__(self, bytes_stage: Stage[bytes], encoding: str, chunk_size: int | None = None) -> None:
        self._bytes = bytes_stage
        self._decoder = TextDecoder(encoding)
        self._chunker = TextChunker(chunk_size)

    @property
    def most_raw(self) -> int | None:
        """See `Stage`."""
        return self._bytes.most_raw

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
    r"""The text line by line, without the line ends. Only \n, \r\n and \r end a line.

    A line is a whole read of a kind: where `limits` are given, as those of a body that is decoded, one that grows as
    only a bomb does is refused.
    """

    def __init__(self, text_stage: Stage[str], limits: Limits | None = None) -> None:
        self._text = text_stage
        self._lines = LineDecoder()
        self._limits = limits
        self._received = 0

    @property
    def most_raw(self) -> int | None:
        """See `Stage`."""
        return self._text.most_raw

    def feed(self, raw: bytes) -> Iterator[str]:
        """See `Stage`."""
        limits = self._limits
        for piece in _sliced(raw) if limits is not None else (raw,):
            self._received += len(piece)
            for text in self._text.feed(piece):
                yield from self._lines.decode(text)
                if limits is not None:
                    _check_expansion("A line of the body", self._lines.held, self._received, limits)

    def finish(self) -> Iterator[str]:
        """See `Stage`."""
        for text in self._text.finish():
            yield from self._lines.decode(text)
        yield from self._lines.flush()


def body_too_large(most: int, said: str = "") -> BodyTooLarge:
    """Return the error for a body that has more bytes than `max_body`; `said` is how many, where that is known."""
    return BodyTooLarge(
        f"The body has more than {most:,} bytes (max_body){said}; allow more with Limits(max_body=...)",
        limit="max_body",
    )


def _sliced(raw: bytes) -> Iterator[bytes]:
    for start in range(0, len(raw), _SLICE):
        yield raw[start : start + _SLICE]


def _check_expansion(what: str, grown: int, received: int, limits: Limits) -> None:
    ratio = limits.max_expansion
    if ratio is not None and grown > limits.free_expansion and grown > ratio * received:
        raise BodyTooLarge(
            f"{what} grows from {received:,} bytes to {grown:,}: beyond {limits.free_expansion:,} (free_expansion), "
            f"more than {ratio:g} to one (max_expansion) is refused where it is kept as a whole; read it piece by "
            f"piece, with iter_bytes(), or allow more with Limits(max_expansion=...)",
            limit="max_expansion",
        )
