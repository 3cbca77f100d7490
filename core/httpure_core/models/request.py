"""`Request`: method, URL, headers and body, checked when it is made.

A request that exists can be sent: its method is a token, its headers frame the body as it is, and say so once
(RFC 9112 section 6). Who changes the headers afterwards is checked again by the writer of the wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..content.encode import encode_request
from ..content.multipart import MultipartStream, boundary_from_content_type
from ..content.streams import ByteStream, UnattachedStream
from ..errors import RequestNotRead
from .cookies import Cookies
from .headers import Headers
from .url import URL

if TYPE_CHECKING:
    from ..content.streams import AsyncByteStream, SyncByteStream
    from ..content.types import RequestContent, RequestData, RequestFiles
    from .cookies import CookieTypes
    from .headers import HeaderTypes
    from .query import QueryParamTypes

__all__ = ["Request", "checked_method", "complete_headers", "masked"]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_COMMON = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
_KNOWN_METHODS: Final = {name: name for name in _COMMON} | {name.lower(): name for name in _COMMON}
#: Methods whose body means something: without one, they say that its length is 0 (RFC 9110 section 8.6).
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_FRAMING: Final = ("Content-Length", "Transfer-Encoding")
_MAX_LENGTH_DIGITS: Final = 18


class Request:
    """An HTTP request.

    `params` replace the URL's own query. The body is one of `content`, `data` and `files`, or `json`; the
    headers that describe it, and Host, are added where `headers` does not have them. `stream` gives a body
    as it is, and adds no header. `extensions` are words to the transport, such as "timeout".

    Raises ValueError for a method that is no token, for invalid headers, for a Content-Length other than the
    body's and a Transfer-Encoding other than chunked; InvalidURL; TypeError for arguments of wrong types or
    that exclude each other.
    """

    _content: bytes | None = None

    def __init__(
        self,
        method: str,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: Any | None = None,
        stream: SyncByteStream | AsyncByteStream | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.method = _KNOWN_METHODS.get(method) or checked_method(method)
        self.url = URL(url) if params is None else URL(url, params=params)
        self.headers = Headers(headers)
        self.extensions: dict[str, Any] = {} if extensions is None else dict(extensions)
        if cookies:
            Cookies(cookies).set_cookie_header(self)
        if stream is not None:
            self.stream = stream
            _check_framing(self.headers, _known_length(stream, {}))
        else:
            boundary = boundary_from_content_type(self.headers.get("content-type")) if files else None
            described, self.stream = encode_request(content, data, files, json, boundary)
            self.headers = complete_headers(self.method, self.url, self.headers, described, self.stream)
        if isinstance(self.stream, ByteStream):
            self._content = self.stream.content

    @classmethod
    def assemble(
        cls,
        method: str,
        url: URL,
        headers: Headers,
        stream: SyncByteStream | AsyncByteStream,
        content: bytes | None,
        extensions: dict[str, Any],
    ) -> Request:
        """Make a request of parts that are known to be right, without copying them. Runs once per request.

        The method is in capitals, the headers are complete, `content` is the body if it is known.
        """
        self = cls.__new__(cls)
        self.method = method
        self.url = url
        self.headers = headers
        self.stream = stream
        self._content = content
        self.extensions = extensions
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.method!r}, {masked(self.url)!r})>"

    @property
    def content(self) -> bytes:
        """The body. Raises RequestNotRead where it is a stream that was not read."""
        if self._content is None:
            raise RequestNotRead
        return self._content

    def read(self) -> bytes:
        """Read the body into memory and return it; the request can be sent any number of times from then on.

        Raises RuntimeError if it can only be read with `aread()`, StreamConsumed if it was sent before.
        """
        if self._content is None:
            stream: Any = self.stream
            if not hasattr(stream, "__iter__"):
                raise RuntimeError(
                    "read() cannot use the asynchronous stream of this request: use request.aread()."
                )
            self._keep(b"".join(stream))
        return self.content

    async def aread(self) -> bytes:
        """As `read()`, for a body of either colour. A blocking one is read as it is: it blocks."""
        if self._content is None:
            stream: Any = self.stream
            if hasattr(stream, "__aiter__"):
                self._keep(b"".join([piece async for piece in stream]))
            else:
                self._keep(b"".join(stream))
        return self.content

    def _keep(self, content: bytes) -> None:
        self._content = content
        self.stream = ByteStream(content)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        # They are of this process: open files, sockets, callbacks.
        del state["stream"], state["extensions"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.extensions = {}
        self.stream = UnattachedStream() if self._content is None else ByteStream(self._content)


def checked_method(method: str) -> str:
    """Return the method in capitals. Raises ValueError if it is no token (RFC 9110 section 9.1)."""
    if not isinstance(method, str):
        raise TypeError(f"The method is a str, not {type(method).__name__}.")
    if not _TOKEN.fullmatch(method):
        raise ValueError(
            f"The method {method[:80]!r} is no token: it may hold ASCII letters, digits and !#$%&'*+-.^_`|~ "
            f"only (RFC 9110 section 9.1)."
        )
    return method.upper()


def complete_headers(
    method: str,
    url: URL,
    headers: Headers,
    described: dict[str, str],
    stream: SyncByteStream | AsyncByteStream,
) -> Headers:
    """Return the caller's headers with Host and what `encode_request` said of the body; the caller's win.

    New headers: those given are not changed. Host comes first, what describes the body last. Raises
    ValueError where the caller's describe another body. Runs once per request.
    """
    framed = _check_framing(headers, _known_length(stream, described))
    index = headers._indexed()
    raw = headers._raw
    front: list[tuple[bytes, bytes]] = []
    if "host" not in index and url.raw_host:
        front.append((b"Host", url.netloc))
    if not described:
        if not framed and method in _METHODS_WITH_BODY:
            front.append((b"Content-Length", b"0"))
        complete = Headers.from_wire(front + raw)
    else:
        back = [
            (name.encode(), value.encode())
            for name, value in described.items()
            if name.lower() not in index and not (framed and name in _FRAMING)
        ]
        complete = Headers.from_wire(front + raw + back)
    complete._encoding = headers._encoding
    if isinstance(stream, MultipartStream):
        _tell_boundary(complete, stream.content_type)
    return complete


def masked(url: URL) -> str:
    """Return the URL as text that may stand in a message: `[secure]` for the password."""
    return url._reference.text(masked=True)


def _known_length(stream: SyncByteStream | AsyncByteStream, described: dict[str, str]) -> int | None:
    if isinstance(stream, ByteStream):
        return len(stream.content)
    length = described.get("Content-Length")
    return None if length is None else int(length)


def _check_framing(headers: Headers, known: int | None) -> bool:
    """Tell whether the caller frames the body. Raises ValueError if that is wrong (RFC 9112 section 6)."""
    index = headers._indexed()
    length = index.get("content-length")
    coding = index.get("transfer-encoding")
    if coding is not None:
        if coding.strip().lower() != b"chunked":
            raise ValueError(
                f"Transfer-Encoding {coding[:80]!r} is not supported for requests: only chunked is."
            )
        if length is not None:
            raise ValueError(
                "A request has Content-Length or Transfer-Encoding, not both (RFC 9112 section 6.2)."
            )
        return True
    if length is None:
        return False
    if not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
        raise ValueError(f"Content-Length {length[:80]!r} is not one number (RFC 9110 section 8.6).")
    if known is not None and int(length) != known:
        raise ValueError(f"Content-Length is {length.decode()}, but the body has {known} bytes.")
    return True


def _tell_boundary(headers: Headers, content_type: str) -> None:
    """Add the boundary to a caller's multipart Content-Type without one: no server could read the body."""
    given = headers["content-type"]
    if given.lstrip().lower().startswith("multipart/") and boundary_from_content_type(given) is None:
        headers["Content-Type"] = given.rstrip("; ") + ";" + content_type.partition(";")[2]
