"""What stands for `httpx._content`: byte streams, and making them of what callers give."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, TypeAlias

from httpure_core.content import encode
from httpure_core.content.encode import encode_response
from httpure_core.content.streams import (
    AsyncByteStream,
    ByteStream,
    SyncByteStream,
    UnattachedStream,
    as_bytes,
)
from httpure_core.content.types import RequestContent, RequestData, RequestFiles
from httpure_core.errors import StreamConsumed

__all__ = [
    "AsyncIteratorByteStream",
    "ByteStream",
    "IteratorByteStream",
    "UnattachedStream",
    "encode_content",
    "encode_html",
    "encode_json",
    "encode_multipart_data",
    "encode_request",
    "encode_response",
    "encode_text",
    "encode_urlencoded_data",
]

#: Headers that describe a body, and the body.
Encoded: TypeAlias = tuple[dict[str, str], SyncByteStream | AsyncByteStream]


class IteratorByteStream(SyncByteStream):
    """An iterable of bytes as a stream. Raises StreamConsumed where an iterator is read twice."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._pieces = stream
        self._started = False

    def __iter__(self) -> Iterator[bytes]:
        if self._started and hasattr(self._pieces, "__next__"):
            raise StreamConsumed
        self._started = True
        for piece in self._pieces:
            yield as_bytes(piece)


class AsyncIteratorByteStream(AsyncByteStream):
    """An async iterable of bytes as a stream. Raises StreamConsumed where an iterator is read twice."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._async_pieces = stream
        self._async_started = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._async_started and hasattr(self._async_pieces, "__anext__"):
            raise StreamConsumed
        self._async_started = True
        async for piece in self._async_pieces:
            yield as_bytes(piece)


def encode_request(
    content: RequestContent | None = None,
    data: RequestData | None = None,
    files: RequestFiles | None = None,
    json: Any | None = None,
    boundary: bytes | None = None,
) -> Encoded:
    """Encode the body of a request. Raises TypeError, ValueError."""
    content_type = None if boundary is None else f'multipart/form-data; boundary="{boundary.decode()}"'
    return encode.encode_request(content, data, files, json, content_type)


def encode_content(content: RequestContent) -> Encoded:
    """Encode `content=`."""
    return encode_request(content=content)


def encode_urlencoded_data(data: RequestData) -> Encoded:
    """Encode a form."""
    return encode_request(data=data)


def encode_multipart_data(data: RequestData, files: RequestFiles, boundary: bytes | None = None) -> Encoded:
    """Encode a form with files."""
    return encode_request(data=data, files=files, boundary=boundary)


def encode_json(json: Any) -> Encoded:
    """Encode a value as JSON."""
    return encode_request(json=json)


def encode_text(text: str) -> Encoded:
    """Encode text in UTF-8."""
    return encode_response(text=text)


def encode_html(html: str) -> Encoded:
    """Encode HTML in UTF-8."""
    return encode_response(html=html)
