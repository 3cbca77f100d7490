"""Decoders that others wrote, brotli and zstd: optional, and imported when first needed.

Only libraries that can limit their output, or can be fed so that it stays limited, are used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

__all__ = ["MAX_ZSTD_WINDOW_LOG", "brotli_library", "zstd_library"]

#: The memory a zstd frame may ask for, as a power of two: 8 MiB (RFC 9659 section 3).
MAX_ZSTD_WINDOW_LOG = 23
# A zstd block takes at least 4 bytes and gives at most 128 KiB, so this many bytes give at most 2 MiB.
_ZSTANDARD_FEED = 64


@cache
def brotli_library() -> Any:
    """Import brotli, or brotlicffi, of version 1.2 or later; None if neither is there."""
    for load in (_import_brotli, _import_brotlicffi):
        try:
            library = load()
        except ImportError:
            continue
        if hasattr(library.Decompressor, "can_accept_more_data"):  # before 1.2 output had no limit
            return library
    return None


@cache
def zstd_library() -> tuple[Callable[[], Any], type[Exception]] | None:
    """Import a zstd library and return what makes the decompressor of one frame, and the library's exception.

    The decompressor has the interface of Python 3.14's `compression.zstd.ZstdDecompressor`. None where no
    library is installed.
    """
    for load in (_import_backports_zstd, _import_compression_zstd):
        try:
            library = load()
        except ImportError:
            continue
        options = {library.DecompressionParameter.window_log_max: MAX_ZSTD_WINDOW_LOG}
        return partial(library.ZstdDecompressor, options=options), library.ZstdError
    try:
        library = _import_zstandard()
    except ImportError:
        return None
    return partial(_ZstandardFrame, library), library.ZstdError


def _import_brotli() -> Any:
    import brotli

    return brotli


def _import_brotlicffi() -> Any:
    import brotlicffi

    return brotlicffi


def _import_backports_zstd() -> Any:
    from backports import zstd

    return zstd


def _import_compression_zstd() -> Any:
    from compression import zstd  # pyright: ignore[reportMissingImports]  # Python 3.14

    return zstd


def _import_zstandard() -> Any:
    import zstandard

    return zstandard


class _ZstandardFrame:
    """One frame, by the `zstandard` package, whose output has no limit: so its input is fed in crumbs."""

    __slots__ = ("_decompressor", "_input", "_output", "eof", "needs_input", "unused_data")

    def __init__(self, library: Any) -> None:
        self._decompressor = library.ZstdDecompressor(
            max_window_size=1 << MAX_ZSTD_WINDOW_LOG
        ).decompressobj()
        self._input = memoryview(b"")
        self._output = memoryview(b"")
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._input = memoryview(data)
        decompressor = self._decompressor
        while self._input and not self._output and not decompressor.eof:
            self._output = memoryview(decompressor.decompress(self._input[:_ZSTANDARD_FEED]))
            self._input = self._input[_ZSTANDARD_FEED:]
        piece = bytes(self._output[:max_length])
        self._output = self._output[max_length:]
        self.needs_input = not self._input and not self._output
        self.eof = decompressor.eof and not self._output
        if self.eof:
            self.unused_data = decompressor.unused_data + bytes(self._input)
        return piece
