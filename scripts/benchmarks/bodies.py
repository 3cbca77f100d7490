"""The bytes that travel: known on both sides, so that every body can be checked wherever it ends up."""

from __future__ import annotations

import functools
import random
from pathlib import Path

#: The long pattern repeats after a prime number of bytes: a lost or doubled block of any usual size shows.
PERIOD = 1_000_003

#: Serialises to about 1 KiB of JSON.
PAYLOAD = {"name": "httpure", "numbers": list(range(100)), "text": "x" * 590}

#: What the bulk server answers to an upload whose file arrived byte for byte.
ACCEPTED = b"accepted"


class WrongBody(Exception):
    """A body was not what the other side had sent."""


@functools.cache
def body_of(size: int) -> bytes:
    """Return the body of `size` bytes that the server sends: letters and digits, always the same."""
    return bytes(random.Random(size).choices(b"abcdefghijklmnopqrstuvwxyz0123456789", k=size))


@functools.cache
def pattern() -> bytes:
    """Return two periods of the long pattern: any slice of up to one period can be cut from it."""
    return random.Random(PERIOD).randbytes(PERIOD) * 2


class PatternCheck:
    """Compares a stream, piece by piece, with the first `size` bytes of the repeated pattern."""

    def __init__(self, size: int) -> None:
        self.size, self.received = size, 0

    def take(self, piece: bytes | bytearray | memoryview) -> None:
        """Compare the next piece; raise `WrongBody` at the first difference."""
        for start in range(0, len(piece), PERIOD):
            part = piece[start : start + PERIOD]
            if not pattern().startswith(part, self.received % PERIOD):
                raise WrongBody(f"{len(part)} bytes from offset {self.received} differ from what was sent")
            self.received += len(part)

    def finish(self) -> None:
        """Raise `WrongBody` unless exactly `size` bytes came."""
        if self.received != self.size:
            raise WrongBody(f"{self.received} bytes came instead of {self.size}")


def difference(body: bytes, expected: bytes) -> str:
    """Say where a body begins to differ from the expected one."""
    pairs = enumerate(zip(body, expected, strict=False))
    at = next((at for at, (got, sent) in pairs if got != sent), min(len(body), len(expected)))
    got, sent = body[at : at + 20], expected[at : at + 20]
    return f"{len(body)} bytes came, {len(expected)} were sent; at offset {at} {got!r} instead of {sent!r}"


def check_accepted(answer: bytes) -> None:
    """Raise `WrongBody` unless the bulk server found the uploaded file to be what was sent."""
    if answer != ACCEPTED:
        raise WrongBody(f"the server says {answer[:200]!r}")


def upload_path(folder: str | Path, size: int) -> Path:
    """Return where the file of `size` pattern bytes lies."""
    return Path(folder) / f"upload-{size}.bin"


def write_upload(folder: str | Path, size: int) -> None:
    """Write the file that uploads read."""
    path = upload_path(folder, size)
    if path.exists():
        return
    with path.open("wb") as file:
        for _ in range(size // PERIOD + 1):
            file.write(pattern()[:PERIOD])
        file.truncate(size)
