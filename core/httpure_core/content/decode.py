"""Content-Encoding undone: gzip, deflate, br, zstd, and chains of them (RFC 9110 section 8.4).

Decoding is pulled. `decode` and `flush` return iterators whose pieces have at most 64 KiB, produced when
asked for: a body of 1 MB that would swell to 1 GB never exists in memory, and the reader may stop at any
piece. Iterate to the end before the next call.

What a coding may cost is limited: in number, in what comes out between two of them, in members that hold nothing, and
by whoever takes the pieces (see `models/stages.py`), who may stop at any of them.

A body is whole or it is an error: an end marker or checksum that is missing or wrong raises
`DecodingError`. No bytes at all are no error, whatever the coding: answers to HEAD have headers without a
body. Bytes after the end:

    gzip      further members are decoded; zeros and junk are ignored, as by gzip(1) and browsers
    deflate   ignored
    zstd      further frames are decoded, anything else is an error, as with zstd(1)
    br        an error, because the brotli library says so
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Protocol

from ..errors import BodyTooLarge, DecodingError
from ..limits import DEFAULT_LIMITS, Limits
from .libraries import brotli_library, zstd_library
from .streams import PIECE_SIZE

__all__ = ["LARGE_PIECE", "PIECE_SIZE", "Decoder", "accept_encoding", "decoder_for"]

#: Bytes that a chain of codings may have between two of them, whatever they were before; beyond that, `max_expansion`
#: for each byte received. What was compressed once can hardly be compressed a second time.
MAX_BETWEEN = 1024 * 1024
#: Members (gzip) or frames (zstd) of which nothing comes, one after the other. Each takes some microseconds, 20 where
#: it is one of zstd, and as little as 9 bytes.
MAX_EMPTY = 1000
#: Bytes of the pieces for those who keep them all: gzip takes a sixth less time so.
LARGE_PIECE = 256 * 1024
# Input is fed in slices, because zlib, brotli and zstd copy what they leave over at each step.
_SLICE_SIZE = 16 * 1024
# brotli allocates in blocks of 32 KiB, 96 KiB, ... and stops at the first block that reaches the limit.
_BROTLI_LIMIT = 32_000


class Decoder(Protocol):
    """What undoes a coding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` decodes to, in pieces of at most 64 KiB. Raises DecodingError for broken data."""
        ...

    def flush(self) -> Iterator[bytes]:
        """Yield what is left when all data was given. Raises DecodingError if the data ended too early."""
        ...


def decoder_for(
    codings: Sequence[str], piece_size: int = PIECE_SIZE, limits: Limits = DEFAULT_LIMITS
) -> Decoder | None:
    """Return what undoes these codings, given in the order they were applied; None if that is nothing.

    >>> import gzip
    >>> from httpure_core.content.decode import decoder_for
    >>> decoder = decoder_for(["gzip"])
    >>> b"".join([*decoder.decode(gzip.compress(b"hello")), *decoder.flush()])
    b'hello'

    A coding that is not known (or whose library is not installed) cannot be undone, nor can those below it:
    the body is passed through from there. Raises BodyTooLarge for more than `max_codings` of the limits, of which
    `max_expansion` counts here, too: for what comes out between two codings.

    Pieces of gzip and deflate have at most `piece_size` bytes instead.
    """
    wanted = [name for coding in codings if (name := coding.strip().lower()) not in ("", "identity")]
    if len(wanted) > limits.max_codings:
        raise BodyTooLarge(
            f"The body has {len(wanted)} content codings, and at most {limits.max_codings} are undone (max_codings); "
            f"allow more with Limits(max_codings=...)",
            limit="max_codings",
        )
    decoder: Decoder | None = None
    for name in reversed(wanted):
        next_one = _new_decoder(name, piece_size)
        if next_one is None:
            break
        decoder = next_one if decoder is None else _Chain(decoder, next_one, limits.max_expansion)
    return decoder


@cache
def accept_encoding() -> str:
    """Return the Accept-Encoding header that says what this installation can decode."""
    codings = ["gzip", "deflate"]
    if brotli_library() is not None:
        codings.append("br")
    if zstd_library() is not None:
        codings.append("zstd")
    return ", ".join(codings)


def _new_decoder(coding: str, piece_size: int) -> Decoder | None:
    if coding in ("gzip", "x-gzip"):
        return _Gzip(piece_size)
    if coding == "deflate":
        return _Deflate(piece_size)
    if coding == "br" and (brotli := brotli_library()) is not None:
        return _Brotli(brotli)
    if coding == "zstd" and (zstd := zstd_library()) is not None:
        return _Zstd(*zstd)
    return None


class _Chain:
    """Two decoders, the outer coding undone first. They nest: a chain of five is pulled the same way.

    What comes out between the two is weighed: it can be a bomb of which nothing at all comes out in the end, such as a
    thousand million empty gzip members, and then no reader could stop at any piece.
    """

    __slots__ = ("_between", "_inner", "_outer", "_ratio", "_received")

    def __init__(self, outer: Decoder, inner: Decoder, ratio: float | None) -> None:
        self._outer = outer
        self._inner = inner
        self._ratio = ratio
        self._received = 0
        self._between = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._received += len(data)
        for piece in self._outer.decode(data):
            yield from self._inner.decode(self._weighed(piece))

    def flush(self) -> Iterator[bytes]:
        for piece in self._outer.flush():
            yield from self._inner.decode(self._weighed(piece))
        yield from self._inner.flush()

    def _weighed(self, piece: bytes) -> bytes:
        self._between += len(piece)
        ratio = self._ratio
        if ratio is not None and self._between > MAX_BETWEEN and self._between > ratio * self._received:
            raise BodyTooLarge(
                f"The body has several content codings, and grows from {self._received:,} bytes to {self._between:,} "
                f"between two of them, more than {ratio:g} to one (max_expansion), while what is encoded once more "
                f"hardly shrinks by that; allow more with Limits(max_expansion=...)",
                limit="max_expansion",
            )
        return piece


class _Gzip:
    """RFC 1952: one member, or several one after the other."""

    __slots__ = ("_after_first", "_empty", "_held", "_member", "_piece_size", "_received", "_trailing")

    def __init__(self, piece_size: int) -> None:
        self._piece_size = piece_size
        self._member: Any = None  # the zlib object of the member being decoded
        self._after_first = False
        self._held = b""  # the first byte of what may be the next member
        self._trailing = False  # what follows is no member
        self._empty = 0  # members in a row that have brought nothing
        self._received = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._received += len(data)
        for rest in _slices(data, self._piece_size // 4):
            while rest:
                if self._member is None:
                    rest = self._open_member(rest)
                    if self._member is None:
                        break
                for piece in _inflate("gzip", self._member, rest, self._received, self._piece_size):
                    self._empty = -1  # when it ends, it is none of these
                    yield piece
                rest = b""
                if self._member.eof:
                    rest = self._member.unused_data
                    self._member = None
                    self._after_first = True
                    self._empty += 1
                    if self._empty > MAX_EMPTY:
                        raise _of_nothing("gzip", "members", self._received)

    def flush(self) -> Iterator[bytes]:
        if self._member is not None or self._held:
            raise _cut_off("gzip", self._received)
        return _NOTHING

    def _open_member(self, data: bytes) -> bytes:
        """Start on the member that begins in `data`, if one does, and return the bytes of it."""
        if self._after_first:
            if self._trailing:
                return b""
            data = self._held + data if self._held else data.lstrip(b"\0")
            self._held = b""
            if data in (b"", b"\x1f"):
                self._held = data
                return b""
            if not data.startswith(b"\x1f\x8b"):
                self._trailing = True
                return b""
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return data


class _Deflate:
    """The zlib format (RFC 1950), or the bare one (RFC 1951) that some servers take `deflate` to mean."""

    __slots__ = ("_held", "_inflater", "_piece_size", "_received")

    def __init__(self, piece_size: int) -> None:
        self._piece_size = piece_size
        self._inflater: Any = None
        self._held = b""
        self._received = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._received += len(data)
        if self._inflater is None:
            data = self._held + data
            if len(data) < 2:
                self._held = data
                return
            # RFC 1950 section 2.2: method 8, and a multiple of 31. Bare deflate practically never looks so.
            is_zlib = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        for piece in _slices(data, self._piece_size // 4):
            if self._inflater.eof:
                return
            yield from _inflate("deflate", self._inflater, piece, self._received, self._piece_size)

    def flush(self) -> Iterator[bytes]:
        if self._received and (self._inflater is None or not self._inflater.eof):
            raise _cut_off("deflate", self._received)
        return _NOTHING


class _Brotli:
    """RFC 7932, by either of the two libraries."""

    __slots__ = ("_decompressor", "_error", "_received")

    def __init__(self, library: Any) -> None:
        self._decompressor = library.Decompressor()
        self._error: type[Exception] = library.error
        self._received = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._received += len(data)
        decompressor = self._decompressor
        try:
            for rest in _slices(data):
                piece = decompressor.process(rest, output_buffer_limit=_BROTLI_LIMIT)
                # can_accept_more_data() alone may say yes while output is still to come.
                while len(piece) >= _BROTLI_LIMIT or not decompressor.can_accept_more_data():
                    yield piece
                    piece = decompressor.process(b"", output_buffer_limit=_BROTLI_LIMIT)
                if piece:
                    yield piece
        except self._error as error:
            raise _broken("br", str(error), self._received) from None

    def flush(self) -> Iterator[bytes]:
        if self._received and not self._decompressor.is_finished():
            raise _cut_off("br", self._received)
        return _NOTHING


class _Zstd:
    """RFC 8878: one frame, or several one after the other; skippable ones are skipped."""

    __slots__ = ("_empty", "_error", "_frame", "_new_frame", "_received")

    def __init__(self, new_frame: Any, error: type[Exception]) -> None:
        self._new_frame = new_frame
        self._error = error
        self._frame: Any = None
        self._empty = 0  # frames in a row that have brought nothing
        self._received = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._received += len(data)
        try:
            for rest in _slices(data):
                while rest:
                    frame = self._frame = self._frame or self._new_frame()
                    while True:
                        if piece := frame.decompress(rest, PIECE_SIZE):
                            self._empty = -1  # when it ends, it is none of these
                            yield piece
                        rest = b""
                        if frame.needs_input or frame.eof:
                            break
                    if frame.eof:
                        rest = frame.unused_data
                        self._frame = None
                        self._empty += 1
                        if self._empty > MAX_EMPTY:
                            raise _of_nothing("zstd", "frames", self._received)
        except self._error as error:
            raise _broken("zstd", str(error), self._received) from None

    def flush(self) -> Iterator[bytes]:
        if self._frame is not None:
            raise _cut_off("zstd", self._received)
        return _NOTHING


_NOTHING: Iterator[bytes] = iter(())


def _slices(data: bytes, size: int = _SLICE_SIZE) -> Sequence[bytes]:
    if len(data) <= size:
        return (data,)
    return [data[start : start + size] for start in range(0, len(data), size)]


def _inflate(coding: str, inflater: Any, data: bytes, received: int, piece_size: int) -> Iterator[bytes]:
    try:
        piece = inflater.decompress(data, piece_size)
        while len(piece) == piece_size:
            yield piece
            piece = inflater.decompress(inflater.unconsumed_tail, piece_size)
    except zlib.error as error:
        raise _broken(coding, str(error), received) from None
    if piece:
        yield piece


def _broken(coding: str, reason: str, received: int) -> DecodingError:
    reason = reason.rpartition(": ")[2].rstrip(".")  # without its own "Error -3 while decompressing"
    return DecodingError(f"The {coding} body is broken, within its first {received:,} bytes: {reason}")


def _cut_off(coding: str, received: int) -> DecodingError:
    return DecodingError(
        f"The {coding} body ended before its end marker: {received:,} bytes of it were received"
    )


def _of_nothing(coding: str, members: str, received: int) -> DecodingError:
    return DecodingError(
        f"The {coding} body has more than {MAX_EMPTY:,} {members} in a row that hold nothing, within its first "
        f"{received:,} bytes"
    )
