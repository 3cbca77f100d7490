"""`Response`: status, headers and body, and what follows from them.

How the body is read is in `reading.py`. Nothing here decides anything: redirects, cookies of a client and
errors for statuses are looked at by those who ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..content.encode import encode_response
from ..content.streams import ByteStream, UnattachedStream
from ..errors import HTTPStatusError, InvalidURL
from .cookies import Cookies
from .headers import Headers
from .reading import Body
from .request import masked
from .status import codes
from .url import URL

if TYPE_CHECKING:
    import datetime

    from ..content.streams import AsyncByteStream, SyncByteStream
    from ..content.types import ResponseContent
    from .headers import HeaderTypes
    from .request import Request

__all__ = ["Response"]

_REDIRECTS_WITH_LOCATION = frozenset({301, 302, 303, 307, 308})
_KINDS = {1: "informational", 3: "redirect", 4: "client error", 5: "server error"}
_MAX_SHOWN = 500
# What survives pickling of the extensions: the others are of a connection that another process does not have.
_PLAIN_EXTENSIONS = ("http_version", "reason_phrase")


class Response(Body):
    """An HTTP response.

    `content` (bytes, str or an iterable), `text`, `html` or `json` give it a body, with the headers that
    describe it where `headers` does not; `stream` gives a body as it is, and adds no header. Raises
    DecodingError if `headers` say that the content is encoded and it is not.

    `default_encoding` is the charset of text where Content-Type names none: a name, or a function that
    finds it from the content.
    """

    #: The request that a redirect leads to, where the client was told not to follow it.
    next_request: Request | None = None

    _cookies: Cookies | None = None

    def __init__(
        self,
        status_code: int,
        *,
        headers: HeaderTypes | None = None,
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
        self.extensions: dict[str, Any] = {} if extensions is None else dict(extensions)
        #: The redirect responses that led here, oldest first.
        self.history: list[Response] = [] if history is None else list(history)
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
        return codes.get_reason_phrase(self.status_code) if phrase is None else str(phrase, "ascii", "ignore")

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

    def raise_for_status(self) -> Response:
        """Return the response itself if its status is 2xx, and raise HTTPStatusError if not.

        Redirects that were not followed raise, too. Raises RuntimeError if the response has no request.
        """
        request = self.request
        if self.is_success:
            return self
        kind = _KINDS.get(self.status_code // 100, "invalid status")
        status = f"{self.status_code} {self.reason_phrase}".rstrip()
        message = f"{status} ({kind}) in answer to {request.method} {_shown(request.url)}"
        if self.has_redirect_location:
            message += f"\nRedirect location: {_shown(self.headers['location'])}"
        raise HTTPStatusError(message, request=request, response=self)

    # What the headers say

    @property
    def cookies(self) -> Cookies:
        """The cookies that this response sets. Raises RuntimeError if there is no request."""
        if self._cookies is None:
            cookies = Cookies()
            cookies.extract_cookies(self)
            self._cookies = cookies
        return self._cookies

    @property
    def links(self) -> dict[str | None, dict[str, str]]:
        """The Link headers (RFC 8288), by their `rel`, or by their `url` where there is none.

        Each is a dict of its parameters and its `url`, which may be relative: `response.url.join(...)` it.
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
        state["_elapsed_seconds"] = self._seconds()
        extensions = self.extensions
        state["extensions"] = {name: extensions[name] for name in _PLAIN_EXTENSIONS if name in extensions}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.is_closed = True
        self.stream = UnattachedStream()


def _shown(url: URL | str) -> str:
    """Return a URL in quotes as it may stand in a message: no password, no endless length."""
    if isinstance(url, str):
        try:
            url = URL(url)
        except InvalidURL:
            return "(not a valid URL)"
    text = masked(url)
    return repr(text) if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]!r}..."
