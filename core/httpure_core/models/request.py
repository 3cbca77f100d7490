"""`Request`: method, URL, headers and body, checked when it is made.

A request that exists can be sent: its method is a token, its headers frame the body as it is, and say so once
(RFC 9112 section 6). Who changes the headers afterwards is checked again by the writer of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..content.encode import encode_request
from ..content.streams import ByteStream, UnattachedStream
from ..errors import RequestNotRead
from ..warned import QueryDroppedWarning, warn
from .cookies import Cookies, set_cookies
from .field import CONTROLS, HOST, key_of
from .headers import Headers, part_removals
from .query import QueryParams
from .url import URL

if TYPE_CHECKING:
    from ..content.streams import AsyncByteStream, SyncByteStream
    from ..content.types import RequestContent, RequestData, RequestFiles
    from .cookies import CookieTypes
    from .headers import HeaderTypes
    from .query import QueryParamTypes

__all__ = [
    "METHODS_WITH_BODY",
    "Request",
    "check_fields",
    "checked_method",
    "complete_headers",
    "extensions_of",
    "masked",
    "place",
    "warn_of_dropped",
]

_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_COMMON = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
_KNOWN_METHODS: Final = {name: name for name in _COMMON} | {name.lower(): name for name in _COMMON}
#: Methods whose body means something: without one, they say that its length is 0 (RFC 9110 section 8.6).
METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_FRAMING: Final = ("Content-Length", "Transfer-Encoding")
_MAX_LENGTH_DIGITS: Final = 18


class Request:
    """An HTTP request.

    >>> request = httpure.Request("POST", "https://httpbin.org/post", json={"name": "pen"})
    >>> request.content, request.headers["Content-Type"]
    (b'{"name":"pen"}', 'application/json')
    >>> with httpure.Client() as client:
    ...     client.send(request)
    <Response [200 OK]>

    `params` replace the URL's own query; what is lost by that is warned of (QueryDroppedWarning). The body is
    one of `content`, `data` and `files`, or `json`; the headers that describe it, and Host, are added where
    `headers` does not have them; `{"Content-Type": None}` adds none. `cookies` go with this request and its
    redirects within the same origin. `stream` gives a body as it is, and adds no header. `extensions` are
    words to the transport, such as "timeout".

    A pickled request has its body only if that is in memory or was read, and no extensions.

    Raises ValueError for a method that is no token, for invalid headers, for a Content-Length other than the
    body's and a Transfer-Encoding other than chunked; InvalidURL; TypeError for arguments of wrong types or
    that exclude each other.
    """

    #: In capitals.
    method: str
    url: URL
    headers: Headers
    #: Where the bytes of the body come from.
    stream: SyncByteStream | AsyncByteStream
    #: Words to the transport, and to event hooks and the like.
    extensions: dict[str, Any]

    _content: bytes | None = None
    #: Those given for this request alone: a redirect within the origin takes them along, no store keeps them.
    _cookies: Cookies | None = None
    #: True where a redirect led to another origin: the client's own auth is not for it, whoever sends the request.
    _to_stranger: bool = False

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
        self.method = (type(method) is str and _KNOWN_METHODS.get(method)) or checked_method(method)
        self.url = URL(url) if params is None else _with_params(URL(url), QueryParams(params))
        given, removed = part_removals(headers or ())
        self.headers = Headers(given)
        self.extensions = {} if extensions is None else extensions_of(extensions)
        if cookies:
            self._cookies = Cookies(cookies)
            set_cookies(self, None)
        if stream is not None:
            self.stream = stream
            check_fields(self.headers)
            _check_framing(self.headers, _known_length(stream, {}))
        else:
            given = self.headers.get("content-type") if data or files else None
            described, self.stream = encode_request(content, data, files, json, given)
            if "content-type" in removed:
                described.pop("Content-Type", None)
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
        """As `read()`, for any body, blocking or asynchronous. A blocking one is read as it is: it blocks."""
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

    def __copy__(self) -> Request:
        """Return a request with headers and extensions of its own, and the very same body."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.headers = self.headers.copy()
        other.extensions = dict(self.extensions)
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Request:
        return self.__copy__()  # streams and callbacks have no copies

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        # They are of this process: open files, sockets, callbacks.
        del state["stream"], state["extensions"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.extensions = {}
        self.stream = UnattachedStream() if self._content is None else ByteStream(self._content)


def _with_params(url: URL, params: QueryParams) -> URL:
    replaced = url.copy_with(params=params)
    if url.query:
        warn_of_dropped(url, params, params)
    return replaced


def warn_of_dropped(url: URL, given: QueryParams, sent: QueryParams) -> None:
    """Warn if something of the URL's own query is not sent, without `given` having another value for it."""
    own = url.params
    dropped = [name for name in own if name not in given and own.get_list(name) != sent.get_list(name)]
    if dropped:
        warn(
            "params= takes the place of the URL's own query: "
            f"{', '.join(repr(name[:80]) for name in dropped[:5])}{', ...' if len(dropped) > 5 else ''} "
            "in it will not be sent. To send both, give URL(url).copy_merge_params(params) as the URL, and no "
            "params=. To send params only, give the URL without its query.",
            QueryDroppedWarning,
        )


def extensions_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extensions as a new dict. Raises TypeError for what is no mapping of names."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise TypeError(f"extensions= is a dict with names as its keys, not {type(given).__name__}.")
    name = given.get("sni_hostname")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"The extension 'sni_hostname' is a host name, not {type(name).__name__}.")
    if name is not None and not name.isprintable():
        raise ValueError("The extension 'sni_hostname' holds what no host name may hold.")
    for called in ("trace", "informational"):
        function = given.get(called)
        if function is not None and not callable(function):
            raise TypeError(f"The extension {called!r} is a function, not {type(function).__name__}.")
    return dict(given)


def checked_method(method: str) -> str:
    """Return the method in capitals. Raises ValueError if it is no token (RFC 9110 section 9.1)."""
    if not isinstance(method, str):
        raise TypeError(f"The method is a str, not {type(method).__name__}.")
    if not method or not _TOKEN.issuperset(method):
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
    check_fields(headers)
    framed = _check_framing(headers, _known_length(stream, described))
    index = headers._indexed()
    raw = headers._raw
    front: list[tuple[bytes, bytes]] = []
    if "host" not in index and url.raw_host:
        front.append((b"Host", url.netloc))
    if not described:
        if not framed and method in METHODS_WITH_BODY:
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
    if type(stream) is not ByteStream:
        _tell_boundary(complete, stream)
    return complete


def masked(url: URL) -> str:
    """Return the URL as text that may stand in a message.

    `[secure]` stands for the password, and for the values of parameters that are named like secrets.
    """
    from .masks import without_values

    return without_values(url._reference.text(masked=True))


def place(request: Request) -> str:
    """Return which request it was, without query, credentials or fragment, which may hold secrets."""
    url = request.url
    host = url.host
    where = f"[{host}]" if ":" in host else host
    port = "" if url.port is None else f":{url.port}"
    return f"{request.method} {url.scheme}://{where}{port}{url.path}"


def _known_length(stream: SyncByteStream | AsyncByteStream, described: dict[str, str]) -> int | None:
    if isinstance(stream, ByteStream):
        return len(stream.content)
    length = described.get("Content-Length")
    return None if length is None else int(length)


def check_fields(headers: Headers) -> None:
    """Raise ValueError for control characters in a field's value, and for a Host that is none (RFC 9110 5.5, 7.2).

    Responses may hold the former: what has come from a server can be copied.
    """
    raw = headers._raw
    if len(values := b"".join([value for _, value in raw])) != len(values.translate(None, CONTROLS)):
        name = next(name for name, value in raw if value != value.translate(None, CONTROLS))
        raise ValueError(
            f"The value of header {key_of(name)!r} holds a control character, which no field can (RFC 9110, 5.5)."
        )
    host = headers._indexed().get("host")
    if host is not None and host.strip(b" \t").translate(None, HOST):
        raise ValueError(
            "The Host header is one host name or address, and maybe a port: what was given holds other characters, or "
            "is more than one (RFC 9110, 7.2)."
        )


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


def _tell_boundary(headers: Headers, stream: SyncByteStream | AsyncByteStream) -> None:
    """Add a form's boundary to a caller's multipart Content-Type without one: no server could read the body."""
    from ..content.multipart import Multipart, boundary_from_content_type  # here, as few requests have files

    if not isinstance(stream, Multipart):
        return
    content_type = stream.content_type
    given = headers.get("content-type", "")
    if given.lstrip().lower().startswith("multipart/") and boundary_from_content_type(given) is None:
        headers["Content-Type"] = given.rstrip("; ") + ";" + content_type.partition(";")[2]
