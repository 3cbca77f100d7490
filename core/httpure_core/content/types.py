"""What callers may hand over as a body, as type aliases."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping, Sequence
from typing import IO, Any, Protocol, TypeAlias

from .parts import Part

__all__ = [
    "AsyncFile",
    "DataValue",
    "FileContent",
    "FileTypes",
    "PartContent",
    "RequestContent",
    "RequestData",
    "RequestFiles",
    "ResponseContent",
]


class AsyncFile(Protocol):
    """A binary file whose `read` is awaited, as those of trio, anyio and aiofiles. Async clients only."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """Return at most `size` bytes, none at the end."""
        ...


#: `content=` of a request: text (sent as UTF-8), bytes, a binary file, or pieces.
RequestContent: TypeAlias = (
    str | bytes | bytearray | memoryview | Iterable[bytes] | AsyncIterable[bytes] | AsyncFile
)
#: `content=` of a response.
ResponseContent: TypeAlias = str | bytes | bytearray | memoryview | Iterable[bytes] | AsyncIterable[bytes]
#: One value of a form field.
DataValue: TypeAlias = str | bytes | int | float | bool | Part | None
#: `data=`: a form, as a mapping or as pairs. A sequence as a value repeats the field.
RequestData: TypeAlias = Mapping[str, Any] | Sequence[tuple[str, Any]]
#: The content of one file part.
FileContent: TypeAlias = IO[bytes] | AsyncFile | bytes | str
#: The content of a `Part`.
PartContent: TypeAlias = FileContent | bytearray | memoryview | Iterable[bytes] | AsyncIterable[bytes]
#: One file part: content, (name, content), (name, content, type) or (name, content, type, headers).
FileTypes: TypeAlias = (
    FileContent
    | Part
    | tuple[str | None, FileContent]
    | tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
#: `files=`: parts by field name, as a mapping or as pairs.
RequestFiles: TypeAlias = Mapping[str, FileTypes] | Sequence[tuple[str, FileTypes]]
