"""What callers may hand over as a body, as type aliases."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import IO, Any, TypeAlias

__all__ = [
    "DataValue",
    "FileContent",
    "FileTypes",
    "RequestContent",
    "RequestData",
    "RequestFiles",
    "ResponseContent",
]

#: `content=` of a request: text (sent as UTF-8), bytes, a binary file, or pieces.
RequestContent: TypeAlias = str | bytes | bytearray | memoryview | Iterable[bytes] | AsyncIterable[bytes]
#: `content=` of a response.
ResponseContent: TypeAlias = RequestContent
#: One value of a form field.
DataValue: TypeAlias = str | bytes | int | float | bool | None
#: `data=`: a form, as a mapping or as pairs. A sequence as a value repeats the field.
RequestData: TypeAlias = Mapping[str, Any] | Sequence[tuple[str, Any]]
#: The content of one file part.
FileContent: TypeAlias = IO[bytes] | bytes | str
#: One file part: content, (name, content), (name, content, type) or (name, content, type, headers).
FileTypes: TypeAlias = (
    FileContent
    | tuple[str | None, FileContent]
    | tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
#: `files=`: parts by field name, as a mapping or as pairs.
RequestFiles: TypeAlias = Mapping[str, FileTypes] | Sequence[tuple[str, FileTypes]]
