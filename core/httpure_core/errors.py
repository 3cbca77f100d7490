"""Everything that can go wrong, as one tree of exceptions.

The class says whose fault it is and in which phase; the message says what happened, with the value
and the rule. Floor 1: this module imports nothing of ours at run time.

    HTTPError
    ├── RequestError
    │   ├── TransportError
    │   │   ├── TimeoutException    ConnectTimeout ReadTimeout WriteTimeout PoolTimeout
    │   │   ├── NetworkError        ConnectError ReadError WriteError CloseError
    │   │   │                       of ConnectError: ResolveError TLSError (of that: CertificateError)
    │   │   ├── ProtocolError       LocalProtocolError RemoteProtocolError
    │   │   ├── ProxyError
    │   │   └── UnsupportedProtocol
    │   ├── DecodingError
    │   └── LimitExceeded           TooManyRedirects
    │                               HeadTooLarge (a RemoteProtocolError) BodyTooLarge (a DecodingError)
    └── HTTPStatusError
    InvalidURL   CookieConflict
    StreamError (a RuntimeError)    StreamConsumed StreamClosed ResponseNotRead RequestNotRead
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models.request import Request
    from .models.response import Response

__all__ = [
    "BodyTooLarge",
    "CertificateError",
    "CloseError",
    "ConnectError",
    "ConnectTimeout",
    "CookieConflict",
    "DecodingError",
    "HTTPError",
    "HTTPStatusError",
    "HeadTooLarge",
    "InvalidURL",
    "LimitExceeded",
    "LocalProtocolError",
    "NetworkError",
    "PoolTimeout",
    "ProtocolError",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "RequestError",
    "RequestNotRead",
    "ResolveError",
    "ResponseNotRead",
    "StreamClosed",
    "StreamConsumed",
    "StreamError",
    "TLSError",
    "TimeoutException",
    "TooManyRedirects",
    "TransportError",
    "UnsupportedProtocol",
    "WriteError",
    "WriteTimeout",
]


class HTTPError(Exception):
    """A request failed, or its response says so. Catch this to catch both.

    >>> try:
    ...     httpure.get("https://httpbin.org/status/503").raise_for_status()
    ... except httpure.HTTPStatusError as exc:  # what came is an error
    ...     print(exc.response.status_code, exc.request.method)
    ... except httpure.RequestError as exc:  # nothing came, or not all of it
    ...     print(type(exc).__name__, exc)
    503 GET
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._request: Request | None = None

    @property
    def request(self) -> Request:
        """The request that failed. Raises RuntimeError where none is known."""
        if self._request is None:
            raise RuntimeError("This error was raised without a request: its .request is not set.")
        return self._request

    @request.setter
    def request(self, request: Request) -> None:
        self._request = request


class RequestError(HTTPError):
    """The request could not be carried out: there is no (whole) response."""

    #: Whether a server may have seen any of the request. False: it left no byte of it, or the server said that it has
    #: not looked at it; to send it again is safe, whatever its method. True: bytes of it were sent. None: not known,
    #: as where a transport of another make carried it and the class does not say.
    request_sent: bool | None = None
    #: How often the request had been sent again, as `retries` says; see `retries.py`.
    retries = 0
    #: True if it is of what an event hook did, and not of the request itself, which is not sent again for it.
    _of_a_hook = False

    def __init__(self, message: str, *, request: Request | None = None) -> None:
        super().__init__(message)
        self._request = request


class TransportError(RequestError):
    """The failure happened between the client and the server."""

    #: True if the server has not looked at the request, so that to send it again is safe whatever its method: it
    #: said so (HTTP/2: REFUSED_STREAM, GOAWAY), or the request was never sent.
    unprocessed = False
    #: True if the connection was lost before any byte of an answer came.
    unanswered = False
    #: What happened, in one word where there is one, the same on every backend; else None. "refused": nobody listens
    #: there; "reset": the peer broke the connection off; "unreachable": there is no way, or nobody answers;
    #: "closed": the connection was closed in order, by the peer or by the client; "resolve": the name leads to no
    #: address; "tls": TLS failed, during the handshake or later; "certificate": the peer's is not trusted; "policy":
    #: the address policy, or the rules of a SOCKS proxy, do not allow the address.
    reason: str | None = None


class TimeoutException(TransportError):
    """A limit of time passed; the subclass says in which phase."""


class ConnectTimeout(TimeoutException):
    """Name resolution, TCP, proxy and TLS together took longer than `connect` seconds."""

    request_sent = False


class ReadTimeout(TimeoutException):
    """No byte arrived from the server for `read` seconds, or the body came more slowly than `min_rate`."""


class WriteTimeout(TimeoutException):
    """The server took no byte of the request for `write` seconds."""


class PoolTimeout(TimeoutException):
    """No connection of the pool became free for `pool` seconds."""

    request_sent = False


class NetworkError(TransportError):
    """The network, or the peer's operating system, broke the exchange off."""


class ConnectError(NetworkError):
    """No connection could be made: name resolution, TCP or TLS failed."""

    request_sent = False


class ResolveError(ConnectError):
    """The host's name leads to no address."""


class TLSError(ConnectError):
    """TCP was there, and TLS failed: no common version, an alert, an end, or no TLS at all on the other side.

    Or our own side of it failed: certificates that cannot be loaded, a name that TLS has no form for.
    """


class CertificateError(TLSError):
    """The peer's certificate is not trusted, is over, or is for another name."""


class ReadError(NetworkError):
    """The connection failed while reading the response."""


class WriteError(NetworkError):
    """The connection failed while sending the request."""


class CloseError(NetworkError):
    """The connection failed while being closed."""


class ProtocolError(TransportError):
    """One side broke the rules of HTTP."""


class LocalProtocolError(ProtocolError):
    """The request breaks the rules of HTTP and was not sent, or not in full."""


class RemoteProtocolError(ProtocolError):
    """The server broke the rules of HTTP, or left before its answer was whole."""

    request_sent = True


class ProxyError(TransportError):
    """The proxy refused, or failed, to reach the server."""

    request_sent = False
    #: What an HTTP proxy answered instead of opening a tunnel, with at most the first 16 KiB of its body. It is no
    #: response of the server, and None where the proxy has not answered in HTTP.
    proxy_response: Response | None = None


class UnsupportedProtocol(TransportError):
    """The URL's scheme is missing, or none that this client speaks."""

    request_sent = False


class DecodingError(RequestError):
    """The response's content coding is broken, truncated, or beyond a limit."""

    request_sent = True


class LimitExceeded(RequestError):
    """A limit of `Limits`, or of the client, was met; the subclass says where, `limit` which."""

    request_sent = True
    #: The name of the parameter that sets it, as "max_fields".
    limit = ""

    def __init__(self, message: str, *, limit: str = "", request: Request | None = None) -> None:
        super().__init__(message, request=request)
        if limit:
            self.limit = limit


class HeadTooLarge(LimitExceeded, RemoteProtocolError):
    """Head, trailers, informational responses or the framing of the body are beyond a limit."""


def head_too_large(
    what: str, met: int, things: str, most: int, limit: str, fixed: bool = False
) -> HeadTooLarge:
    """Return the error that says: `what` has `met` `things`, and `most` are allowed by the parameter `limit`.

    `met` may be what was there when it became too much. Where that is `fixed`, the parameter does not allow more.
    """
    remedy = f": take more of a server that you trust with Limits({limit}=...)"
    advice = f", whatever {limit} says" if fixed else remedy
    return HeadTooLarge(f"{what} {met:,} {things}, and {most:,} are allowed{advice}", limit=limit)


class BodyTooLarge(LimitExceeded, DecodingError):
    """The body, or what it becomes when it is decoded, is beyond a limit."""


class TooManyRedirects(LimitExceeded):
    """More redirects than `max_redirects` were followed."""

    limit = "max_redirects"


class HTTPStatusError(HTTPError):
    """`Response.raise_for_status()` met a status that is not a success."""

    #: The response with that status.
    response: Response

    def __init__(self, message: str, *, request: Request, response: Response) -> None:
        super().__init__(message)
        self._request = request
        self.response = response

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made again of its `args`, and those do not hold what `__init__` demands.
        return (_made_again, (type(self), self.args), self.__dict__)


def _made_again(kind: type[HTTPStatusError], args: tuple[Any, ...]) -> HTTPStatusError:
    return kind.__new__(kind, *args)


class InvalidURL(Exception):
    """The URL cannot be parsed, or holds what no URL may hold."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class CookieConflict(Exception):
    """More than one cookie has that name; say the domain or the path too."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class StreamError(RuntimeError):
    """The caller used a stream in a way its state does not allow."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class StreamConsumed(StreamError):
    """The stream was iterated before and cannot be iterated again."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message
            or "The stream was read before, and a stream can be read only once. "
            "Keep what you need of the first reading, or call .read() and use .content."
        )


class StreamClosed(StreamError):
    """The response was closed before its body was read."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message
            or "The response is closed, so its body can no longer be read. Read it inside the `with` block."
        )


class ResponseNotRead(StreamError):
    """The response is a stream whose content was not read yet."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message or "The response's body has not been read: call .read(), or await .aread(), first."
        )


class RequestNotRead(StreamError):
    """The request's body is a stream whose content was not read yet."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message or "The request's body has not been read: call .read(), or await .aread(), first."
        )


def how_far(status: int, received: int, length: int | None) -> str:
    """Return, in words, what of a response was there when something ended it."""
    if not status:
        return "before its response was there"
    came = f"{received} bytes" if length is None else f"{received} of {length} bytes"
    return f"before the response's body was whole: {came} of it had come"
