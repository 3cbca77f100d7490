"""Bodies that the server sends and the tests compute for themselves: by size alone, the same everywhere."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Iterator

__all__ = ["block_sha256", "large_body", "large_sha256", "line", "random_body", "text_body"]

#: What a large body repeats. Random: no coding shrinks it. One object: sending it costs little.
BLOCK = random.Random(2026).randbytes(256 * 1024)


def random_body(size: int) -> bytes:
    """Return `size` bytes that no coding makes smaller."""
    return random.Random(size).randbytes(size)


def text_body(size: int) -> bytes:
    """Return `size` bytes of ASCII that the codings shrink to about half."""
    return random_body((size + 1) // 2).hex().encode()[:size]


def large_body(size: int) -> Iterator[bytes]:
    """Yield `size` bytes in pieces of 256 KiB, without holding more than one."""
    for _ in range(size // len(BLOCK)):
        yield BLOCK
    if size % len(BLOCK):
        yield BLOCK[: size % len(BLOCK)]


@functools.lru_cache
def large_sha256(size: int) -> str:
    """Return the hash of `large_body(size)`, in hex."""
    digest = hashlib.sha256()
    for piece in large_body(size):
        digest.update(piece)
    return digest.hexdigest()


def block_sha256(data: bytes) -> str:
    """Return the hash of `data`, in hex."""
    return hashlib.sha256(data).hexdigest()


def line(number: int) -> str:
    """Return the text of line `number` of `/lines`, without its end."""
    return f"line {number}: grüße, 世界"
