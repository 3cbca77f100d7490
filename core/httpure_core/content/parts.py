"""The parts of a multipart form (RFC 7578): what the head of each one says, and where its content comes from.

A value in `data=` or `files=` becomes a `Section`: a head in bytes, and a body that is bytes or a stream.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import ambient
from .files import AsyncFileStream, FileStream, is_async_file, refuse_text_file
from .forms import form_items, primitive_text
from .streams import (
    AsyncByteStream,
    AsyncIterableStream,
    ByteStream,
    IterableStream,
    SyncByteStream,
    buffered,
)
from .utf8 import utf8

if TYPE_CHECKING:
    from .types import PartContent, RequestData, RequestFiles

__all__ = ["Part", "Section", "has_parts", "sections"]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Browsers escape quote and line breaks only; servers that read RFC 2183 need the backslash doubled.
_ESCAPED = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')


class Part:
    """A part of a multipart form, for what a plain value or a tuple cannot say.

    It stands as a value in `files=`, or in `data=`: a form with a `Part` in it is sent as
    multipart/form-data, whether or not it has files, and with its fields in the order given.

    >>> fields = {"title": "Report", "text": httpure.Part("a form without files")}
    >>> httpure.post("https://httpbin.org/post", data=fields)
    <Response [200 OK]>
    >>> pieces = (b"abc" for _ in range(100))
    >>> upload = httpure.Part(pieces, filename="letters.txt", length=300)
    >>> httpure.post("https://httpbin.org/post", data=[("key", "letters.txt"), ("file", upload)])
    <Response [200 OK]>

    - `content`: bytes, str (sent as UTF-8), a binary file (sent whole, from its beginning) or an iterable of
      bytes. The async client also takes async iterables, and files whose `read` is awaited.
    - `filename`: by default the name of the file, if the content is one. A part without a name, or with "",
      is an ordinary field.
    - `content_type`: by default what the file name suggests; ordinary fields have none.
    - `headers`: further header fields of the part.
    - `length`: the number of bytes, for a content that cannot tell it. If the lengths of all parts are known,
      the request has a Content-Length; otherwise it is chunked.

    Raises ValueError for a negative length. When the request is made, ValueError is raised for a length that
    the content is known not to have, and TypeError for contents of other types; when it is sent,
    LocalProtocolError for a content that has more or fewer bytes than `length` says.
    """

    __slots__ = ("content", "content_type", "filename", "headers", "length")

    content: PartContent
    content_type: str | None
    filename: str | None
    headers: Mapping[str, str] | None
    length: int | None

    def __init__(
        self,
        content: PartContent,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        if length is not None and length < 0:
            raise ValueError(f"The length of a part is a number of bytes, not {length}.")
        self.content = content
        self.filename = filename
        self.content_type = content_type
        self.headers = headers
        self.length = length

    def __repr__(self) -> str:
        return f"<Part({type(self.content).__name__}, filename={self.filename!r}, length={self.length})>"


class Section:
    """A part as it is sent. `length` is that of the body, None if nobody knows it."""

    __slots__ = ("body", "head", "length", "name")

    def __init__(
        self, name: str, head: bytes, body: bytes | SyncByteStream | AsyncByteStream, declared: int | None
    ) -> None:
        self.name = name
        self.head = head
        self.body = body
        known: int | None = len(body) if isinstance(body, bytes) else getattr(body, "content_length", None)
        if declared is not None and known is not None and declared != known:
            raise ValueError(f"The part {name!r} has {known} bytes, and not length={declared}.")
        self.length = declared if known is None else known


def has_parts(data: Any) -> bool:
    """Tell whether there is a `Part` in the fields of `data=`. Raises TypeError as `form_items` does."""
    return any(isinstance(value, Part) for _, value in form_items(data))


def sections(data: RequestData, files: RequestFiles) -> list[Section]:
    """Return what `data=` and `files=` are sent as, in this order.

    Raises TypeError for names, values and files of a wrong type, ValueError for headers that hold CR, LF or
    NUL and for lengths that are wrong.
    """
    return [
        *[_of_part(name, value) if isinstance(value, Part) else _of_field(name, value)
          for name, value in form_items(data)],
        *[_of_part(name, value) if isinstance(value, Part) else _of_file(name, value)
          for name, value in _file_items(files)],
    ]  # fmt: skip


def _file_items(files: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(files, Mapping) and not hasattr(files, "__iter__"):
        raise TypeError(f"files= is a mapping or a list of (name, file) pairs, not {type(files).__name__}.")
    for item in files.items() if isinstance(files, Mapping) else files:
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise TypeError(
                "files= takes a mapping or a list of (name, file) pairs, "
                f"but one item of the list is of type {type(item).__name__}."
            )
        yield item[0], item[1]


def _of_field(name: Any, value: Any) -> Section:
    head = _disposition(name) + b"\r\n\r\n"
    if value is not None and not isinstance(value, (str, bytes, int, float)):
        raise TypeError(
            f"The value of form field {name!r} is of type {type(value).__name__}; "
            "it must be str, bytes, int, float, bool, None or a Part."
        )
    return Section(name, head, value if isinstance(value, bytes) else _text(value).encode(), None)


def _of_file(name: Any, value: Any) -> Section:
    if isinstance(value, tuple):
        if not 2 <= len(value) <= 4:
            raise ValueError(
                f"The file {name!r} is a tuple of {len(value)}; it must be (file name, file), "
                "(file name, file, media type) or (file name, file, media type, headers)."
            )
        file_name, file, media_type, headers = (*value, None, None)[:4]
    else:
        file_name, file, media_type, headers = _name_of(value) or "upload", value, None, None
    head = _head(name, file_name, media_type, headers)
    if hasattr(file, "read"):
        return Section(name, head, _open_file(file, "files="), None)
    body = _in_memory(file)
    if body is None:
        raise TypeError(
            f"The file {name!r} is of type {type(file).__name__}; it must be a binary file, bytes or str, "
            "or a Part, which also takes an iterable of bytes."
        )
    return Section(name, head, body, None)


def _of_part(name: Any, part: Part) -> Section:
    content = part.content
    file_name = _name_of(content) if part.filename is None else part.filename
    head = _head(name, file_name, part.content_type, part.headers)
    return Section(name, head, _body(name, content), part.length)


def _body(name: Any, content: Any) -> bytes | SyncByteStream | AsyncByteStream:
    if hasattr(content, "read"):  # first: an mmap has a buffer, too
        return _open_file(content, "A Part")
    body = _in_memory(content)
    if body is not None:
        return body
    if isinstance(content, (SyncByteStream, AsyncByteStream)):
        return content.content if isinstance(content, ByteStream) else content
    if isinstance(content, Iterable) and not isinstance(content, Mapping):
        return IterableStream(content)
    if isinstance(content, AsyncIterable):
        return AsyncIterableStream(content)
    raise TypeError(
        f"The content of the part {name!r} is of type {type(content).__name__}; it must be str, bytes, "
        "a binary file or an iterable of bytes."
    )


def _in_memory(content: Any) -> bytes | None:
    return utf8(content, "The content of a part") if isinstance(content, str) else buffered(content)


def _open_file(file: Any, argument: str) -> FileStream | AsyncFileStream:
    refuse_text_file(file, argument)
    return AsyncFileStream(file, whole=True) if is_async_file(file) else FileStream(file, whole=True)


def _name_of(file: Any) -> str | None:
    name = getattr(file, "name", None)
    if name is None:
        name = getattr(file, "filename", None)  # of an upload that a server got
    if name is None:
        return None
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    # A local path is nobody else's business: only its last part is sent, whichever system it is of.
    return re.split(r"[/\\]", str(name).rstrip("/\\"))[-1] or None


def _head(
    name: Any, file_name: str | None, media_type: str | None, headers: Mapping[Any, Any] | None
) -> bytes:
    head = _disposition(name)
    _check_texts(name, file_name, media_type, headers)
    if file_name:
        head += b'; filename="%b"' % _escaped(file_name)
        media_type = media_type or ambient.guess_type(file_name) or "application/octet-stream"
    lines = [(_text(key), _text(value)) for key, value in (headers or {}).items()]
    if media_type is not None and not any(key.lower() == "content-type" for key, _ in lines):
        lines.append(("Content-Type", media_type))
    for key, value in lines:
        if not _TOKEN.fullmatch(key):
            raise ValueError(f"{key!r} in the file {name!r} is no header name (RFC 9110 section 5.1).")
        if _CONTROL.search(value):
            raise ValueError(
                f"The header {key} of the file {name!r} holds a control character (RFC 9110 section 5.5)."
            )
        head += utf8(f"\r\n{key}: {value}", f"The header {key} of the file {name!r}")
    return head + b"\r\n\r\n"


def _check_texts(name: Any, file_name: Any, media_type: Any, headers: Any) -> None:
    """Raise TypeError for what the tuple of a file holds at a wrong place."""
    for what, value in (("name", file_name), ("content type", media_type)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"The {what} of the file {name!r} is a text, not {type(value).__name__}.")
    if headers is not None and not isinstance(headers, Mapping):
        raise TypeError(f"The headers of the file {name!r} are a mapping, not {type(headers).__name__}.")


def _disposition(name: Any) -> bytes:
    if not isinstance(name, str):
        raise TypeError(
            f"The name of a form field must be str, but {name!r} is of type {type(name).__name__}."
        )
    return b'Content-Disposition: form-data; name="%b"' % _escaped(name)


def _escaped(name: str) -> bytes:
    return utf8(_ESCAPED.sub(_escape, name), "The name of a form field, or of its file,")


def _escape(match: re.Match[str]) -> str:
    return "\\\\" if match[0] == "\\" else f"%{ord(match[0]):02X}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return value.decode() if isinstance(value, bytes) else primitive_text(value)
