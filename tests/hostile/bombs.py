"""Bodies that swell: many bytes out of few, without ever making the many."""

from __future__ import annotations

import functools
import gzip
import zlib

from httpure_core.content.libraries import brotli_library

__all__ = ["MIB", "bomb", "packed"]

MIB = 1024 * 1024


def packed(coding: str, body: bytes) -> bytes:
    """Encode a body by this coding."""
    if coding == "gzip":
        return gzip.compress(body, 6, mtime=0)
    if coding == "deflate":
        return zlib.compress(body)
    if coding == "br":
        return brotli_library().compress(body, quality=4)  # type: ignore[no-any-return, union-attr]
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        from backports import zstd
    return zstd.compress(body)  # type: ignore[no-any-return, unused-ignore]


@functools.cache
def bomb(coding: str, size: int, unit: bytes = bytes(MIB)) -> bytes:
    """Return what decodes to `size` bytes: `unit` again and again, which `size` is a multiple of.

    It is whole, save that gzip and deflate have a wrong checksum if it is larger than 64 MiB, which takes a while to
    compute. Nobody should ever get there.
    """
    times = size // len(unit)
    if coding == "zstd":
        return packed(coding, unit) * times  # frames one after the other
    if coding == "br":
        packer = brotli_library().Compressor(quality=1)  # type: ignore[union-attr]
        first = packer.process(unit) + packer.flush()
        later = packer.process(unit) + packer.flush()
        return first + later * (times - 1) + b"\x03"
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS)
    first = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    later = packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(wbits=-zlib.MAX_WBITS).flush()
    check = zlib.crc32 if coding == "gzip" else zlib.adler32
    total = check(b"")
    if size <= 64 * MIB:
        for _ in range(times):
            total = check(unit, total)
    if coding == "gzip":
        end = total.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    else:
        end = total.to_bytes(4, "big")
    return first + later * (times - 1) + last + end
