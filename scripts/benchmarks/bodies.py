"""The bytes that travel: known on both sides, so that every body can be checked wherever it ends up."""

from __future__ import annotations

import functools
import gzip
import json
import random
from pathlib import Path
from typing import Any

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
    """Return the body of `size` bytes that the server sends, always the same: letters and digits, or the pattern."""
    if size > PERIOD:
        return (pattern()[:PERIOD] * (size // PERIOD + 1))[:size]
    return bytes(random.Random(size).choices(b"abcdefghijklmnopqrstuvwxyz0123456789", k=size))


@functools.cache
def pattern() -> bytes:
    """Return two periods of the long pattern: any slice of up to one period can be cut from it."""
    return random.Random(PERIOD).randbytes(PERIOD) * 2


@functools.cache
def document_of(size: int) -> bytes:
    """Return JSON of about `size` bytes, as an API that lists records sends it: numbers, words, flags, a few nests."""
    chance = random.Random(size)
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "größe", "naïve", "東京"]
    records: list[dict[str, Any]] = []
    left = size
    while left > 0:
        record = {
            "id": len(records),
            "name": " ".join(chance.choices(words, k=3)),
            "price": round(chance.random() * 1000, 2),
            "active": chance.random() < 0.5,
            "tags": chance.choices(words, k=4),
            "place": {"x": chance.random(), "y": chance.random(), "note": None},
            "text": " ".join(chance.choices(words, k=12)),
        }
        records.append(record)
        left -= len(json.dumps(record, ensure_ascii=False).encode()) + 2
    return json.dumps({"records": records}, ensure_ascii=False).encode()


@functools.cache
def gzipped(size: int) -> bytes:
    """Return the document of `size` bytes, compressed."""
    return gzip.compress(document_of(size), 6, mtime=0)


@functools.cache
def chunked(size: int) -> bytes:
    """Return the body of `size` bytes in the chunked coding: chunks of 8 to 64 KiB, as servers cut them."""
    chance, body, pieces, at = random.Random(size), body_of(size), [], 0
    while at < size:
        chunk = body[at : at + chance.choice((8_192, 16_384, 16_384, 32_768, 65_536))]
        pieces.append(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        at += len(chunk)
    return b"".join(pieces) + b"0\r\n\r\n"


class Sketch:
    """What a parsed document is compared with, at three places: all of it would cost more than to receive it."""

    def __init__(self, size: int) -> None:
        records = json.loads(document_of(size))["records"]
        self.count, self.some = len(records), [records[at] for at in self._places(len(records))]

    def __eq__(self, document: object) -> bool:
        records = document.get("records", []) if isinstance(document, dict) else []
        return len(records) == self.count and [records[at] for at in self._places(self.count)] == self.some

    @staticmethod
    def _places(count: int) -> tuple[int, int, int]:
        return 0, count // 2, count - 1


@functools.cache
def sketch_of(size: int) -> Sketch:
    """Return the sketch of the document of `size` bytes."""
    return Sketch(size)


class PatternCheck:
    """Compares a stream, piece by piece, with the first `size` bytes of the repeated pattern.

    It must not cost more than to receive the stream. So of most pieces only both ends are compared, of which each is
    found at one place of the pattern only, and every 16th as a whole.
    """

    def __init__(self, size: int) -> None:
        self.size, self.received, self.pieces = size, 0, 0
        self.pattern = pattern()

    def take(self, piece: bytes | bytearray | memoryview) -> None:
        """Compare the next piece; raise `WrongBody` at the first difference."""
        count = len(piece)
        if count > PERIOD or self.pieces % 16 == 0:
            self._compare(piece)
        else:
            self._compare_at(piece[:32], self.received)
            self._compare_at(piece[-32:], self.received + max(0, count - 32))
        self.pieces += 1
        self.received += count

    def skip(self, count: int) -> None:
        """Go on behind bytes that nobody looked at."""
        self.received += count

    def _compare(self, piece: bytes | bytearray | memoryview) -> None:
        for start in range(0, len(piece), PERIOD):
            self._compare_at(piece[start : start + PERIOD], self.received + start)

    def _compare_at(self, part: bytes | bytearray | memoryview, offset: int) -> None:
        if not self.pattern.startswith(part, offset % PERIOD):
            raise WrongBody(f"{len(part)} bytes from offset {offset} differ from what was sent")

    def finish(self) -> None:
        """Raise `WrongBody` unless exactly `size` bytes came."""
        if self.received != self.size:
            raise WrongBody(f"{self.received} bytes came instead of {self.size}")


def difference(body: Any, expected: Any) -> str:
    """Say where a body begins to differ from the expected one."""
    if isinstance(expected, Sketch):
        return f"the document is not what was sent: {str(body)[:60]}"
    body = bytes(body)
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
