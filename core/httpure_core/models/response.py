"""`Response`: status, headers and body, and what follows from them.

How the body is read is in `reading.py`. Nothing here decides anything: redirects, cookies of a client and
errors for statuses are looked at by those who ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from ..content.encode import encode_response
from ..content.streams import ByteStream, UnattachedStream
from ..errors import HTTPStatusError, InvalidURL
from .cookies import Cookies
from .headers import Headers
from .reading import Body
from .request import extensions_of, masked
from .url import URL

if TYPE_CHECKING:
    import datetime

    from ..content.streams import AsyncByteStream, SyncByteStream
    from ..content.types import ResponseContent
    from .headers import FieldTypes
    from .request import Request

__all__ = ["Response"]

_REDIRECTS_WITH_LOCATION = frozenset({301, 302, 303, 307, 308})
#: The words are those of httpx: programs, and their logs and tests, look for them.
_KINDS = {
    1: "Informational response",
    3: "Redirect response",
    4: "Client error",
    5: "Server error",
}
_EXPLANATIONS = "https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/"
_MAX_SHOWN = 500
# What survives pickling of the extensions: the others are of a connection that another process does not have.
_PLAIN_EXTENSIONS = ("http_version", "reason_phrase")


class Response(Body):
    """An HTTP response, as clients return it, or made by hand for tests and transports.

    >>> response = httpure.Response(200, json={"name": "pen"})
    >>> response.is_success, response.headers["Content-Type"], response.json()
    (True, 'application/json', {'name': 'pen'})

    `content` (bytes, str or an iterable), `text`, `html` or `json` give it a body, with the headers that
    describe it where `headers` does not; `stream` gives a body as it is, and adds no header. Raises
    DecodingError if `headers` say that the content is encoded and it is not.

    `default_encoding` is the charset of text where Content-Type names none: a name, or a function that
    finds it from the content.
    """

    status_code: int
    headers: Headers
    #: Where the raw bytes of the body come from.
    stream: SyncByteStream | AsyncByteStream
    #: Words of the transport: "http_version", "reason_phrase", "network_stream" and others.
    extensions: dict[str, Any]
    #: The redirect responses that led here, oldest first.
    history: list[Response]
    #: A name, or a function of the content, for text whose charset the server does not say.
    default_encoding: str | Callable[[bytes], str]
    #: The request that a redirect leads to, where the client was told not to follow it.
    next_request: Request | None = None
    #: How often the request had been sent again before, as the client's `retries` says.
    retries: int = 0

    _cookies: Cookies | None = None
    _trailers: Headers | None = None

    def __init__(
        self,
        status_code: int,
        *,
        headers: FieldTypes | None = None,
        content: ResponseContent | None = None,
        text: str | None = None,
        html: str | None = None,
        json: Any = None,
        stream: SyncByteStream | AsyncByteStream | None = None,
        request: Request | None = None,
        extensions: Mapping[str, Any] | None = None,
        history: list[Response] | None = None,
        default_encoding: str | Callable[[bytes], str] = "utf-8",
    ) -> None:
        self.status_code = status_code
        self.headers = Headers(headers)
        self._request = request
        self.extensions = {} if extensions is None else extensions_of(extensions)
        if not isinstance(history, list | tuple | None):
            raise TypeError(f"history is a list of responses, not {type(history).__name__}.")
        self.history = list(history or ())
        self.default_encoding = default_encoding
        if stream is not None:
            self.stream = stream
            return
        defaults, self.stream = encode_response(content, text, html, json)
        for name, value in defaults.items():
            if name != "Transfer-Encoding" or "content-length" not in self.headers:
                self.headers.setdefault(name, value)
        if isinstance(self.stream, ByteStream):
            self.absorb(self.stream.content)

    @classmethod
    def assemble(
        cls,
        status_code: int,
        headers: Headers,
        stream: SyncByteStream | AsyncByteStream,
        request: Request | None,
        extensions: dict[str, Any],
        default_encoding: str | Callable[[bytes], str] = "utf-8",
    ) -> Response:
        """Make a response of parts known to be right, without copying them. Runs once per request."""
        self = cls.__new__(cls)
        self.status_code = status_code
        self.headers = headers
        self.stream = stream
        self._request = request
        self.extensions = extensions
        self.default_encoding = default_encoding
        self.history = []
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code} {self.reason_phrase}]>"

    # Where it comes from

    @property
    def request(self) -> Request:
        """The request that this answers. Raises RuntimeError if it was never set."""
        if self._request is None:
            raise RuntimeError(
                "This response has no request: give Response(..., request=...), or set .request."
            )
        return self._request

    @request.setter
    def request(self, value: Request) -> None:
        self._request = value

    @property
    def url(self) -> URL:
        """The URL of the request. Raises RuntimeError if there is none."""
        return self.request.url

    @property
    def http_version(self) -> str:
        """The version of HTTP it was spoken in: "HTTP/1.0", "HTTP/1.1" or "HTTP/2"."""
        version = self.extensions.get("http_version")
        return "HTTP/1.1" if version is None else str(version, "ascii", "ignore")

    @property
    def trailers(self) -> Headers:
        """The fields that came behind the body (RFC 9110 section 6.5); empty until that was read to its end.

        They stay apart from `headers`: nothing that a server says so late changes how the response was framed, stored
        or understood, whatever the name of the field. May be set, for responses that no network brought.
        """
        if self._trailers is None:
            incoming = getattr(self.stream, "incoming", None)
            fields = [] if incoming is None else incoming.trailers
            if not fields:
                return Headers()
            self._trailers = Headers.from_wire(fields)
        return self._trailers

    @trailers.setter
    def trailers(self, trailers: FieldTypes) -> None:
        self._trailers = Headers(trailers)

    @property
    def elapsed(self) -> datetime.timedelta:
        """The time from sending the request to the end of the body, or to the closing.

        Raises RuntimeError before that, and for responses that no client received.
        """
        seconds = self._seconds()
        if seconds is None:
            raise RuntimeError("The elapsed time is known only when the response has been read or closed.")
        import datetime

        return datetime.timedelta(seconds=seconds)

    @elapsed.setter
    def elapsed(self, elapsed: datetime.timedelta) -> None:
        self._elapsed_seconds = elapsed.total_seconds()

    def clock_from(self, started: float, clock: Callable[[], float]) -> None:
        """Measure `elapsed` from a moment of this clock on; for responses whose stream does not tell."""
        if self.is_closed:
            self._elapsed_seconds = clock() - started
        else:
            self._clock = (started, clock)

    def _seconds(self) -> float | None:
        if self._elapsed_seconds is not None:
            return self._elapsed_seconds
        incoming = getattr(self.stream, "incoming", None)  # what the core receives knows when it was over
        return None if incoming is None else incoming.elapsed

    # The status

    @property
    def reason_phrase(self) -> str:
        """What the server called the status; with HTTP/2, which has no such words, what RFC 9110 calls it."""
        phrase = self.extensions.get("reason_phrase")
        return _usual_phrase(self.status_code) if phrase is None else str(phrase, "ascii", "ignore")

    @property
    def is_informational(self) -> bool:
        """True for 1xx."""
        return 100 <= self.status_code <= 199

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status_code <= 299

    @property
    def is_redirect(self) -> bool:
        """True for 3xx, also where there is nowhere to go: see `has_redirect_location`."""
        return 300 <= self.status_code <= 399

    @property
    def is_client_error(self) -> bool:
        """True for 4xx."""
        return 400 <= self.status_code <= 499

    @property
    def is_server_error(self) -> bool:
        """True for 5xx."""
        return 500 <= self.status_code <= 599

    @property
    def is_error(self) -> bool:
        """True for 4xx and 5xx."""
        return 400 <= self.status_code <= 599

    @property
    def has_redirect_location(self) -> bool:
        """True for 301, 302, 303, 307 and 308 with a Location."""
        return self.status_code in _REDIRECTS_WITH_LOCATION and "location" in self.headers

    def raise_for_status(self, *, errors_only: bool = False) -> Self:
        """Return the response itself if its status is 2xx, and raise HTTPStatusError if not.

        Redirects that were not followed raise, too, and so does 304 Not Modified, which is what a conditional
        request hopes for. With `errors_only=True`, only 4xx, 5xx and what is no status of HTTP do.

        >>> httpure.get("https://httpbin.org/status/404").raise_for_status()
        Traceback (most recent call last):
        httpure.HTTPStatusError: Client error '404 Not Found' for url 'https://httpbin.org/status/404'
        For more information check: ...

        The message names the URL without its query, which may hold secrets; `exc.request.url` has it. Raises
        RuntimeError if the response has no request.
        """
        request = self.request
        if self.is_success or (errors_only and (self.is_informational or self.is_redirect)):
            return self
        kind = _KINDS.get(self.status_code // 100, "Invalid status code")
        phrase = self.reason_phrase or _usual_phrase(self.status_code)
        message = f"{kind} '{self.status_code} {phrase}' for url {_shown(request.url)}"
        if self.has_redirect_location:
            message += f"\nRedirect location: {_shown(self.headers['location'])}"
        message += f"\nFor more information check: {_EXPLANATIONS}{self.status_code}"
        raise HTTPStatusError(message, request=request, response=self)

    # What the headers say

    @property
    def cookies(self) -> Cookies:
        """The cookies that this response sets. Raises RuntimeError if there is no request.

        Also the Secure ones that came over plain http, which a client does not keep (RFC 6265bis).
        """
        if self._cookies is None:
            self._cookies = Cookies(limits=self._limits)
            self._cookies._extract(self, secure=True)
        return self._cookies

    @property
    def links(self) -> dict[str | None, dict[str, str]]:
        """The Link headers (RFC 8288), by their `rel`, or by their `url` where there is none.

        Each is a dict of its parameters and its `url`, which may be relative: `response.url.join(...)` it.

        >>> httpure.Response(200, headers={"Link": '</items?page=2>; rel="next"'}).links["next"]
        {'url': '/items?page=2', 'rel': 'next'}
        """
        header = self.headers.get("link")
        if header is None:
            return {}
        from .links import parse_links

        return {link.get("rel") or link["url"]: link for link in parse_links(header)}

    # Pickling: all but the connection

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["stream"]
        state.pop("_cookies", None)  # they are in the headers
        state.pop("_clock", None)
        state.pop("_limits", None)  # they are the client's
        state["_elapsed_seconds"] = self._seconds()
        if trailers := self.trailers:
            state["_trailers"] = trailers
        extensions = self.extensions
        state["extensions"] = {name: extensions[name] for name in _PLAIN_EXTENSIONS if name in extensions}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.is_closed = True
        self.stream = UnattachedStream()


def _shown(url: URL | str) -> str:
    """Return a URL in quotes as it may stand in a message: no password, no query, no endless length."""
    if isinstance(url, str):
        try:
            url = URL(url)
        except InvalidURL:
            return "(not a valid URL)"
    text = masked(url.copy_with(query=None, fragment=None))
    return repr(text) if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]!r}..."


def _usual_phrase(status_code: int) -> str:
    from .status import codes  # here, as servers send a phrase; the sixty names take a millisecond to make

    return codes.get_reason_phrase(status_code)
