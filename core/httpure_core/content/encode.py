"""From the arguments of a call to a body: `content=`, `data=`, `files=`, `json=` -> headers and a stream.

The headers are defaults: those that the caller gave win, and that is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from ..warned import warn
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
    from collections.abc import Callable
    from json import JSONEncoder

    from .types import RequestContent, RequestData, RequestFiles, ResponseContent

__all__ = ["encode_request", "encode_response"]

#: Default headers, and the body.
Encoded: TypeAlias = tuple[dict[str, str], SyncByteStream | AsyncByteStream]

_CHUNKED = {"Transfer-Encoding": "chunked"}


def encode_request(
    content: RequestContent | None = None,
    data: RequestData | None = None,
    files: RequestFiles | None = None,
    json: Any = None,
    content_type: str | None = None,
) -> Encoded:
    """Encode the body of a request; runs once per request.

    Returns the headers that describe the body (Content-Length or Transfer-Encoding, Content-Type) and the
    stream. No body, and empty `content`, give no headers: whether the method then needs `Content-Length: 0`
    is the request's business. `content_type` is the Content-Type that the caller wrote, if any: it may bring
    the boundary of a form with files, and ask for a form without files to be sent as multipart/form-data.

    Raises TypeError for arguments of the wrong type, or that exclude each other (`content` with any other,
    `json` with `data` or `files`); ValueError for JSON that is none (NaN, cycles) and for part headers with
    line breaks.
    """
    form = not data or isinstance(data, Mapping) or _is_pairs(data)
    if data and files and form and content is None and json is None:
        return _encode_multipart(data, files, content_type)
    if (content is not None) + bool(data) + bool(files) + (json is not None) > 1:
        raise _conflict(content=content, data=data or None, files=files or None, json=json)
    if content is not None:
        return _encode_content(content)
    if json is not None:
        return _encode_json(json)
    if files:
        return _encode_multipart({}, files, content_type)
    if not data:
        return {}, ByteStream(b"")
    if not form:
        return _encode_raw_data(data)
    return _encode_form(data, content_type)


def encode_response(
    content: ResponseContent | None = None,
    text: str | None = None,
    html: str | None = None,
    json: Any = None,
) -> Encoded:
    """Encode the body of a response that is made by hand (mock transports, tests).

    Returns headers and stream like `encode_request`. Raises TypeError for more than one argument.
    """
    if (content is not None) + (text is not None) + (html is not None) + (json is not None) > 1:
        raise _conflict(content=content, text=text, html=html, json=json)
    if content is not None:
        return _encode_content(content)
    if text is not None:
        return _encode_bytes(_written("text=", text), "text/plain; charset=utf-8")
    if html is not None:
        return _encode_bytes(_written("html=", html), "text/html; charset=utf-8")
    return _encode_json(json) if json is not None else ({}, ByteStream(b""))


def _conflict(**arguments: object) -> TypeError:
    *names, last = [f"{name}=" for name, value in arguments.items() if value is not None]
    return TypeError(
        f"Only one of {', '.join(names)} and {last} can be the body, and more than one was given."
    )


def _is_pairs(data: object) -> bool:
    # A list of bytes is how requests spells content=; anything else in a list is meant as form fields.
    return isinstance(data, (list, tuple)) and not isinstance(data[0], bytes)


def _is_multipart(content_type: str | None) -> bool:
    return content_type is not None and content_type.lstrip().lower().startswith("multipart/form-data")


# The modules of forms and files are imported where one is sent: together they take two milliseconds.


@cache
def _of_forms() -> tuple[Callable[[Any], bytes], Callable[[Any], bool]]:
    # Kept, as an import within a function takes 10,000 instructions each time.
    from .forms import urlencode
    from .parts import has_parts

    return urlencode, has_parts


def _encode_form(data: RequestData, content_type: str | None) -> Encoded:
    urlencode, has_parts = _of_forms()
    if _is_multipart(content_type) or has_parts(data):
        return _encode_multipart(data, {}, content_type)
    return _encode_bytes(urlencode(data), "application/x-www-form-urlencoded")


def _encode_raw_data(data: Any) -> Encoded:
    warn("data= is for forms: send bytes or text with content=.", DeprecationWarning)
    return _encode_content(data)


def _encode_content(content: Any) -> Encoded:
    if isinstance(content, str):
        content = utf8(content, "content=")
    if isinstance(content, bytes):
        return ({"Content-Length": str(len(content))} if content else {}), ByteStream(content)
    if isinstance(content, ByteStream):
        return _encode_content(content.content)
    if isinstance(content, (SyncByteStream, AsyncByteStream)):
        return dict(_CHUNKED), content
    if hasattr(content, "read"):
        return _encode_file(content)
    whole = buffered(content)
    if whole is not None:
        return _encode_content(whole)
    # A dict is an iterable too, but whoever passes one means json= or data=.
    if isinstance(content, Iterable) and not isinstance(content, Mapping):
        return dict(_CHUNKED), IterableStream(content)
    if isinstance(content, AsyncIterable):
        return dict(_CHUNKED), AsyncIterableStream(content)
    raise TypeError(
        "content= takes str, bytes, a binary file or an iterable of bytes, "
        f"not a value of type {type(content).__name__}."
    )


def _encode_file(file: Any) -> Encoded:
    from .files import AsyncFileStream, FileStream, is_async_file, refuse_text_file

    refuse_text_file(file, "content=")
    stream = AsyncFileStream(file) if is_async_file(file) else FileStream(file)
    return _framing(stream.content_length), stream


def _encode_multipart(data: RequestData, files: RequestFiles, content_type: str | None) -> Encoded:
    from .multipart import boundary_from_content_type, encode_multipart

    stream = encode_multipart(data, files, boundary_from_content_type(content_type))
    return {**_framing(stream.content_length), "Content-Type": stream.content_type}, stream


def _framing(length: int | None) -> dict[str, str]:
    return dict(_CHUNKED) if length is None else {"Content-Length": str(length)}


def _encode_json(value: Any) -> Encoded:
    return _encode_bytes(utf8(_json_encoder().encode(value), "json="), "application/json")


def _written(argument: str, text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{argument} is a text, not {type(text).__name__}: give bytes with content=.")
    return utf8(text, argument)


def _encode_bytes(body: bytes, content_type: str) -> Encoded:
    return {"Content-Length": str(len(body)), "Content-Type": content_type}, ByteStream(body)


@cache
def _json_encoder() -> JSONEncoder:
    from json import JSONEncoder

    return JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
