"""multipart/form-data (RFC 7578), as browsers send it, streamed: no file is ever held in memory.

Each part is a head in bytes and a content, which is bytes or a file. Files that can seek are sent whole, from
their beginning, as often as asked; a file that cannot seek makes the stream a one-shot of unknown length.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import ambient
from ..errors import StreamConsumed
from .files import file_extent, is_async_file, read_pieces, refuse_text_file
from .forms import form_items, primitive_text
from .media_type import parameter
from .streams import PIECE_SIZE, AsyncByteStream, AtOnce, SyncByteStream

if TYPE_CHECKING:
    from .types import RequestData, RequestFiles

__all__ = ["MultipartStream", "boundary_from_content_type"]

# RFC 2046 section 5.1.1: 1 to 70 of these, not ending in a space. Outside a token it must be quoted.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LINE_BREAK = re.compile(r"[\r\n\0]")
# Browsers escape quote and line breaks only; servers that read RFC 2183 need the backslash doubled.
_ESCAPED = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')


def boundary_from_content_type(header: str | bytes | None) -> bytes | None:
    """Return the boundary that a multipart Content-Type names; None if it names none or is no such type.

    The boundary is not validated here: `MultipartStream` does that.
    """
    if isinstance(header, bytes):
        header = header.decode("latin-1")
    if header is None or not header.lstrip().lower().startswith("multipart/"):
        return None
    boundary = parameter(header, "boundary")
    return None if boundary is None else boundary.encode("latin-1")


class MultipartStream(SyncByteStream, AsyncByteStream):
    """The body of a form with files; read it in either colour.

    `data` is a mapping or pairs of str, bytes, int, float, bool or None; a list repeats the field. These
    parts come first. `files` is a mapping or pairs too; a value is a binary file, bytes or str, or a tuple
    (file name, that), (file name, that, media type) or (file name, that, media type, headers). Without a
    file name the part is an ordinary field, and has a media type only if one is given.

    `boundary` is 1 to 70 bytes (RFC 2046 section 5.1.1), by default 128 random bits in hex. `content_type`
    is the header to send; `content_length` the number of bytes, None if a file cannot tell its length.

    Raises TypeError for values, names and files of a wrong type, ValueError for a boundary that is none and
    for part headers that hold CR, LF or NUL.
    """

    __slots__ = (
        "_consumed",
        "_parts",
        "boundary",
        "content_length",
        "content_type",
        "may_block",
        "replayable",
    )

    def __init__(self, data: RequestData, files: RequestFiles, boundary: bytes | None = None) -> None:
        if boundary is None:
            boundary = ambient.random_bytes(16).hex().encode()
        elif not _BOUNDARY.fullmatch(boundary):
            raise ValueError(
                f"{boundary!r} is no multipart boundary: 1 to 70 letters, digits, spaces or '()+_,-./:=? , "
                "and no space at the end (RFC 2046 section 5.1.1)."
            )
        name = boundary.decode()
        self.boundary = boundary
        self.content_type = (
            f"multipart/form-data; boundary={name}"
            if _TOKEN.fullmatch(name)
            else f'multipart/form-data; boundary="{name}"'
        )
        self._consumed = False
        self._parts = [_DataPart(name, value) for name, value in form_items(data)] + [
            _FilePart(name, value) for name, value in _file_items(files)
        ]
        file_parts = [part for part in self._parts if part.file is not None]
        self.may_block = bool(file_parts)
        self.replayable = all(part.length is not None for part in file_parts)
        self.content_length = self._total_length()

    def _total_length(self) -> int | None:
        line = len(self.boundary) + 4  # "--" boundary CRLF
        total = line + 2  # the last one has two more hyphens
        for part in self._parts:
            if part.length is None:
                return None
            total += line + len(part.head) + part.length + 2
        return total

    def _segments(self) -> Iterator[bytes]:
        opening = b"--%b\r\n" % self.boundary
        for part in self._parts:
            yield opening + part.head
            if part.file is None:
                yield part.content
            else:
                if part.length is not None:
                    part.file.seek(0)
                yield from read_pieces(part.file, part.length)
            yield b"\r\n"
        yield b"--%b--\r\n" % self.boundary

    def __iter__(self) -> Iterator[bytes]:
        if self._consumed and not self.replayable:
            raise StreamConsumed
        self._consumed = True
        # Heads and short contents are gathered, so that a small form is one piece and one write.
        gathered: list[bytes] = []
        size = 0
        for segment in self._segments():
            if size and size + len(segment) > PIECE_SIZE:
                yield b"".join(gathered)
                gathered.clear()
                size = 0
            gathered.append(segment)
            size += len(segment)
        yield b"".join(gathered)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return AtOnce(iter(self))


def _file_items(files: Any) -> Iterator[tuple[Any, Any]]:
    for item in files.items() if isinstance(files, Mapping) else files:
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise TypeError(
                "files= takes a mapping or a list of (name, file) pairs, "
                f"but one item of the list is of type {type(item).__name__}."
            )
        yield item[0], item[1]


class _DataPart:
    """A form field: its value is in memory."""

    __slots__ = ("content", "file", "head", "length")

    def __init__(self, name: Any, value: Any) -> None:
        disposition = _disposition(name)
        if value is not None and not isinstance(value, (str, bytes, int, float)):
            raise TypeError(
                f"The value of form field {name!r} is of type {type(value).__name__}; "
                "it must be str, bytes, int, float, bool or None."
            )
        self.file: Any = None
        self.head = disposition + b"\r\n\r\n"
        self.content = value if isinstance(value, bytes) else _text(value).encode()
        self.length: int | None = len(self.content)


class _FilePart:
    """A file field: its content is in memory or in a file."""

    __slots__ = ("content", "file", "head", "length")

    def __init__(self, name: Any, value: Any) -> None:
        if isinstance(value, tuple):
            if not 2 <= len(value) <= 4:
                raise ValueError(
                    f"The file {name!r} is a tuple of {len(value)}; it must be (file name, file), "
                    "(file name, file, media type) or (file name, file, media type, headers)."
                )
            file_name, file, media_type, headers = (*value, None, None)[:4]
        else:
            file_name, file, media_type, headers = _name_of(value), value, None, None
        self.head = _file_head(name, file_name, media_type, headers or {})
        self.content = b""
        self.file: Any = None
        self.length: int | None
        if isinstance(file, (str, bytes, bytearray, memoryview)):
            self.content = file.encode() if isinstance(file, str) else bytes(file)
            self.length = len(self.content)
        else:
            _refuse_unreadable(name, file)
            extent = file_extent(file)
            self.file = file
            self.length = extent and extent[1]


def _refuse_unreadable(name: str, file: Any) -> None:
    if not hasattr(file, "read"):
        raise TypeError(
            f"The file {name!r} is of type {type(file).__name__}; it must be a binary file, bytes or str."
        )
    if is_async_file(file):
        raise TypeError(
            f"The file {name!r} is of type {type(file).__name__}, whose read() must be awaited, which a form "
            "cannot do: pass its content, or an ordinary file."
        )
    refuse_text_file(file, "files=")


def _name_of(file: Any) -> str:
    name = getattr(file, "name", None)
    if name is None:
        return "upload"
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    # A local path is nobody else's business: only its last part is sent, whichever system it is of.
    return re.split(r"[/\\]", str(name).rstrip("/\\"))[-1] or "upload"


def _file_head(name: Any, file_name: str | None, media_type: str | None, headers: Mapping[Any, Any]) -> bytes:
    head = _disposition(name)
    if file_name:
        head += b'; filename="%b"' % _escaped(file_name)
        media_type = media_type or ambient.guess_type(file_name) or "application/octet-stream"
    lines = [(_text(key), _text(value)) for key, value in headers.items()]
    if media_type is not None and not any(key.lower() == "content-type" for key, _ in lines):
        lines.append(("Content-Type", media_type))
    for key, value in lines:
        if not _TOKEN.fullmatch(key):
            raise ValueError(f"{key!r} in the file {name!r} is no header name (RFC 9110 section 5.1).")
        if _LINE_BREAK.search(value):
            raise ValueError(
                f"The header {key} of the file {name!r} holds CR, LF or NUL (RFC 9110 section 5.5)."
            )
        head += f"\r\n{key}: {value}".encode()
    return head + b"\r\n\r\n"


def _disposition(name: Any) -> bytes:
    if not isinstance(name, str):
        raise TypeError(
            f"The name of a form field must be str, but {name!r} is of type {type(name).__name__}."
        )
    return b'Content-Disposition: form-data; name="%b"' % _escaped(name)


def _escaped(name: str) -> bytes:
    return _ESCAPED.sub(_escape, name).encode()


def _escape(match: re.Match[str]) -> str:
    return "\\\\" if match[0] == "\\" else f"%{ord(match[0]):02X}"


def _text(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else value.decode()
        if isinstance(value, bytes)
        else primitive_text(value)
    )
