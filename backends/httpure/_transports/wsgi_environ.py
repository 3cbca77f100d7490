"""The `environ` of a request: what PEP 3333 and CGI (RFC 3875 section 4.1) make of it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from httpure_core.content.streams import ByteStream, as_bytes
from httpure_core.models.request import Request

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["RequestBody", "input_of", "request_environ"]

#: These two fields stand under their own names, all others behind HTTP_.
_OWN_NAMES = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


def request_environ(request: Request, script_name: str) -> dict[str, Any]:
    """Return the variables that describe the request: all but `wsgi.*` and those about the client.

    Text is what PEP 3333 calls native strings: bytes, decoded as ISO-8859-1.
    """
    url = request.url
    target = request.extensions.get("target")
    raw_path, _, query = (target if isinstance(target, bytes) else url.raw_path).partition(b"?")
    host = url.raw_host.decode("ascii")
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": script_name,
        "PATH_INFO": _below(unquote_to_bytes(raw_path).decode("latin-1"), script_name),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": f"[{host}]" if ":" in host else host,
        "SERVER_PORT": str(url.origin.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        **_fields(request),
    }


def _below(path: str, script_name: str) -> str:
    """Return the path without the script's, where it begins with that: together, the two are the path."""
    if script_name and (path == script_name or path.startswith(script_name.rstrip("/") + "/")):
        return path[len(script_name.rstrip("/")) :]
    return path


def _fields(request: Request) -> dict[str, str]:
    """Return the header fields; those that are repeated are joined, for a variable has one value."""
    fields: dict[str, str] = {}
    for raw_name, raw_value in request.headers.raw:
        name = raw_name.decode("ascii").upper().replace("-", "_")
        if name not in _OWN_NAMES:
            name = f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if name in fields:
            value = f"{fields[name]}{'; ' if name == 'HTTP_COOKIE' else ', '}{value}"
        fields[name] = value
    return fields


def input_of(request: Request) -> tuple[io.BufferedIOBase, RequestBody | None]:
    """Return `wsgi.input`, and what it reads from, if that is not in memory. Raises RuntimeError for async bodies."""
    stream: Any = request.stream
    if type(stream) is ByteStream:
        return io.BytesIO(stream.content), None
    if not hasattr(stream, "__iter__"):
        raise RuntimeError(
            "The body of this request can only be read asynchronously, and a WSGI app blocks: "
            "send it with an AsyncClient, or read it first with `await request.aread()`."
        )
    body = RequestBody(iter(stream))
    return io.BufferedReader(body), body


class RequestBody(io.RawIOBase):
    """The caller's iterator of bytes, as a file. Takes the next piece when the app reads, and not before."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        #: What the caller's iterator raised: it is the caller's to know, whatever the app makes of it.
        self.failure: BaseException | None = None

    def give_up(self) -> None:
        """Close the caller's iterator: the app reads no further."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            with contextlib.suppress(ValueError):  # it is at work in another thread
                close()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as one piece goes; return 0 at the end."""
        while not self._piece:
            try:
                piece = next(self._pieces, None)
                if piece is None:
                    return 0
                self._piece = memoryview(as_bytes(piece))
            except BaseException as exc:
                self.failure = exc
                raise
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._piece))
        target[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size
