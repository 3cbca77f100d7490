"""multipart/form-data (RFC 7578), as browsers send it, streamed: no file is ever held in memory.

The parts are made in `parts.py`: heads in bytes, and bodies that are bytes or streams. What can seek is sent
whole, as often as asked; what cannot makes the form a one-shot. A form whose parts are all read without
waiting has both colours; one part that must be awaited makes all of it asynchronous.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from .. import ambient
from ..effects import Pull
from ..errors import LocalProtocolError
from .media_type import parameter
from .parts import Section, sections
from .pulling import Stepped, Steps, pull_at_once, pull_here
from .streams import PIECE_SIZE, AsyncByteStream, AtOnce, SyncByteStream, used_up

if TYPE_CHECKING:
    from .types import RequestData, RequestFiles

__all__ = [
    "AsyncMultipartStream",
    "Multipart",
    "MultipartStream",
    "boundary_from_content_type",
    "encode_multipart",
]

# RFC 2046 section 5.1.1: 1 to 70 of these, not ending in a space. Outside a token it must be quoted.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def boundary_from_content_type(header: str | bytes | None) -> bytes | None:
    """Return the boundary that a multipart Content-Type names; None if it names none or is no such type.

    The boundary is not validated here: `encode_multipart` does that.
    """
    if isinstance(header, bytes):
        header = header.decode("latin-1")
    if header is None or not header.lstrip().lower().startswith("multipart/"):
        return None
    boundary = parameter(header, "boundary")
    return None if boundary is None else boundary.encode("latin-1")


def encode_multipart(
    data: RequestData, files: RequestFiles, boundary: bytes | None = None
) -> MultipartStream | AsyncMultipartStream:
    """Make the body of a form.

    `data` is a mapping or pairs of str, bytes, int, float, bool, None or `Part`; a list repeats the field.
    These parts come first. `files` is a mapping or pairs too; a value is a binary file, bytes or str, or a
    tuple (file name, that), (file name, that, media type) or (file name, that, media type, headers), or a
    `Part`. In a tuple without a file name the part is an ordinary field, and has a media type only if one is
    given.

    `boundary` is 1 to 70 bytes (RFC 2046 section 5.1.1), by default 128 random bits in hex.

    Raises TypeError for values, names and files of a wrong type, ValueError for a boundary that is none, for
    part headers that hold control characters, and for a `Part` of another length than it says.
    """
    parts = sections(data, files)
    waits = any(not isinstance(part.body, (bytes, SyncByteStream)) for part in parts)
    return (AsyncMultipartStream if waits else MultipartStream)(data, files, boundary, parts)


class Multipart:
    """What forms of either colour have in common. `parts` are `data` and `files`, if they were made already.

    `content_type` is the header to send; `content_length` the number of bytes, None if a part cannot tell its
    length.
    """

    def __init__(
        self,
        data: RequestData,
        files: RequestFiles,
        boundary: bytes | None = None,
        parts: list[Section] | None = None,
    ) -> None:
        if boundary is None:
            boundary = ambient.random_bytes(16).hex().encode()
        elif not _BOUNDARY.fullmatch(boundary):
            raise ValueError(
                f"{boundary!r} is no multipart boundary: 1 to 70 letters, digits, spaces or '()+_,-./:=? , "
                "and no space at the end (RFC 2046 section 5.1.1)."
            )
        parts = sections(data, files) if parts is None else parts
        name = boundary.decode()
        self.boundary = boundary
        self.content_type = (
            f"multipart/form-data; boundary={name}"
            if _TOKEN.fullmatch(boundary)
            else f'multipart/form-data; boundary="{name}"'
        )
        self.content_length = _total_length(parts, boundary)
        bodies = [part.body for part in parts if not isinstance(part.body, bytes)]
        self.replayable = all(getattr(body, "replayable", True) for body in bodies)
        #: True if it takes no more than reading, and ends by itself with its last byte: see `pulled`.
        self.exact = self.content_length is not None and all(getattr(body, "exact", False) for body in bodies)
        self.may_block = any(getattr(body, "may_block", False) for body in bodies)
        self._parts = parts
        self._consumed = False

    def steps(self) -> Steps:
        """Return the steps of reading the form: pieces, and pulls from the bodies of its parts.

        Raises StreamConsumed, at the first step, if it was read before and that cannot be repeated, and
        LocalProtocolError where a part is not as long as it said.
        """
        if self._consumed and not self.replayable:
            raise used_up()
        self._consumed = True
        # Heads and short contents are gathered, so that a small form is one piece and one write.
        gathered: list[bytes] = []
        size = 0
        for step in self._segments():
            if isinstance(step, Pull):
                yield step
                continue
            if size and size + len(step) > PIECE_SIZE:
                yield b"".join(gathered)
                gathered.clear()
                size = 0
            gathered.append(step)
            size += len(step)
        yield b"".join(gathered)

    def stepped(self, perform: Callable[[Pull], Awaitable[None] | None]) -> AsyncIterator[bytes]:
        """Return an iterator that has its parts read by `perform`: a driver reads files in threads."""
        return Stepped(self.steps(), perform)

    def _segments(self) -> Steps:
        opening = b"--%b\r\n" % self.boundary
        for part in self._parts:
            yield opening + part.head
            if isinstance(part.body, bytes):
                yield part.body
            else:
                yield from _content(part)
            yield b"\r\n"
        yield b"--%b--\r\n" % self.boundary


class MultipartStream(Multipart, SyncByteStream, AsyncByteStream):
    """A form that can be read in either colour. See `encode_multipart`."""

    def __iter__(self) -> Iterator[bytes]:
        with closing(self.steps()) as steps:
            for step in steps:
                if isinstance(step, Pull):
                    pull_at_once(step)
                else:
                    yield step

    def __aiter__(self) -> AsyncIterator[bytes]:
        return AtOnce(iter(self))


class AsyncMultipartStream(Multipart, AsyncByteStream):
    """A form of which at least one part must be awaited. See `encode_multipart`."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.stepped(pull_here)


def _total_length(parts: list[Section], boundary: bytes) -> int | None:
    line = len(boundary) + 4  # "--" boundary CRLF
    total = line + 2  # the last one has two more hyphens
    for part in parts:
        if part.length is None:
            return None
        total += line + len(part.head) + part.length + 2
    return total


def _content(part: Section) -> Steps:
    pull = Pull(part.body)
    sent = 0
    try:
        yield pull
        while pull.piece is not None:
            sent += len(pull.piece)
            if part.length is not None and sent > part.length:
                raise LocalProtocolError(f"The part {part.name!r} is longer than its {part.length} bytes")
            yield pull.piece
            if sent == part.length and getattr(part.body, "exact", False):
                break  # as in `pulled`
            yield pull
    finally:
        pull.close()
    if part.length is not None and sent < part.length:
        raise LocalProtocolError(f"The part {part.name!r} ended after {sent} of its {part.length} bytes")
