"""httpure: an HTTP client with a pure core and pluggable backends.

    >>> import httpure
    >>> httpure.get("https://example.org")
    <Response [200 OK]>

`Client` blocks; `AsyncClient` works on asyncio and trio. `httpure.sockets`, `httpure.asyncio` and `httpure.trio` are
the same client for those who choose the backend by an import. The protocol itself is in `httpure_core`.
"""

from __future__ import annotations

import os as _os
import sys as _sys
import time as _time
from typing import TYPE_CHECKING, Any

from httpure_core import __version__, ambient
from httpure_core.auth import Auth, BasicAuth, FunctionAuth
from httpure_core.config.options import USE_CLIENT_DEFAULT, Limits, Proxy, Timeout
from httpure_core.content.streams import AsyncByteStream, ByteStream, SyncByteStream
from httpure_core.effects import Address
from httpure_core.errors import (
    BodyTooLarge,
    CertificateError,
    CloseError,
    ConnectError,
    ConnectTimeout,
    CookieConflict,
    DecodingError,
    HeadTooLarge,
    HTTPError,
    HTTPStatusError,
    InvalidURL,
    LimitExceeded,
    LocalProtocolError,
    NetworkError,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    RequestNotRead,
    ResolveError,
    ResponseNotRead,
    StreamClosed,
    StreamConsumed,
    StreamError,
    TimeoutException,
    TLSError,
    TooManyRedirects,
    TransportError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
)
from httpure_core.models.cookies import Cookies
from httpure_core.models.cookies import install_jar_view as _install_jar_view
from httpure_core.models.headers import Headers
from httpure_core.models.query import QueryParams
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL
from httpure_core.warned import QueryDroppedWarning

from ._api import delete, get, head, options, patch, post, put, request, stream
from ._client import Client
from ._defaults import default_headers as _default_headers
from ._transports.base import AsyncBaseTransport, BaseTransport
from ._transports.http import AsyncHTTPTransport, HTTPTransport
from .sockets import Backend as _Backend  # noqa: F401  # now, rather than when the first client is made

if TYPE_CHECKING:
    from httpure_core.auth import DigestAuth
    from httpure_core.content.parts import Part
    from httpure_core.models.cookie_store import CookieStore as _CookieStore
    from httpure_core.models.status import codes
    from httpure_core.retries import Outcome, Retry, RetryBudget

    from ._address_policy import public_addresses_only
    from ._async_client import AsyncClient
    from ._cli.command import main
    from ._duplex import AsyncDuplex, Duplex
    from ._netrc import NetRCAuth
    from ._tls import TLSConfig, create_ssl_context
    from ._transports.asgi import ASGITransport
    from ._transports.mock import MockTransport
    from ._transports.wsgi import WSGITransport

__title__ = "httpure"
__description__ = "An HTTP client with a pure core and pluggable backends."

__all__ = [
    "URL",
    "USE_CLIENT_DEFAULT",
    "ASGITransport",
    "Address",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncDuplex",
    "AsyncHTTPTransport",
    "Auth",
    "BaseTransport",
    "BasicAuth",
    "BodyTooLarge",
    "ByteStream",
    "CertificateError",
    "Client",
    "CloseError",
    "ConnectError",
    "ConnectTimeout",
    "CookieConflict",
    "Cookies",
    "DecodingError",
    "DigestAuth",
    "Duplex",
    "FunctionAuth",
    "HTTPError",
    "HTTPStatusError",
    "HTTPTransport",
    "HeadTooLarge",
    "Headers",
    "InvalidURL",
    "LimitExceeded",
    "Limits",
    "LocalProtocolError",
    "MockTransport",
    "NetRCAuth",
    "NetworkError",
    "Outcome",
    "Part",
    "PoolTimeout",
    "ProtocolError",
    "Proxy",
    "ProxyError",
    "QueryDroppedWarning",
    "QueryParams",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "Request",
    "RequestError",
    "RequestNotRead",
    "ResolveError",
    "Response",
    "ResponseNotRead",
    "Retry",
    "RetryBudget",
    "StreamClosed",
    "StreamConsumed",
    "StreamError",
    "SyncByteStream",
    "TLSConfig",
    "TLSError",
    "Timeout",
    "TimeoutException",
    "TooManyRedirects",
    "TransportError",
    "UnsupportedProtocol",
    "WSGITransport",
    "WriteError",
    "WriteTimeout",
    "__description__",
    "__title__",
    "__version__",
    "codes",
    "create_ssl_context",
    "delete",
    "get",
    "head",
    "main",
    "options",
    "patch",
    "post",
    "public_addresses_only",
    "put",
    "request",
    "stream",
]

#: What is imported when somebody asks for it, and where it is: it would import `ssl` or click, or is for few programs.
_LATE = {
    "ASGITransport": "httpure._transports.asgi",
    "AsyncClient": "httpure._async_client",
    "AsyncDuplex": "httpure._duplex",
    "DigestAuth": "httpure_core.auth.digest",
    "Duplex": "httpure._duplex",
    "MockTransport": "httpure._transports.mock",
    "NetRCAuth": "httpure._netrc",
    "Outcome": "httpure_core.retries",
    "Part": "httpure_core.content.parts",
    "Retry": "httpure_core.retries",
    "RetryBudget": "httpure_core.retries",
    "TLSConfig": "httpure._tls",
    "WSGITransport": "httpure._transports.wsgi",
    "codes": "httpure_core.models.status",
    "create_ssl_context": "httpure._tls",
    "public_addresses_only": "httpure._address_policy",
}


def __getattr__(name: str) -> Any:
    if name == "main":
        from ._cli import load_main

        return load_main()
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = _shown_as_public(getattr(import_module(_LATE[name]), name))
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _shown_as_public(value: Any) -> Any:
    # Users find the class here: so say tracebacks, reprs and pickles.
    if isinstance(value, type) and value.__module__.startswith("httpure"):
        value.__module__ = __name__
    return value


def _guess_type(name: str) -> str | None:
    from ._types_of_files import guess_type

    return guess_type(name)


def _is_public_suffix(domain: str) -> bool:
    from ._public_suffixes import is_public_suffix

    return is_public_suffix(domain)


def _jar_view(cookies: Cookies) -> Any:
    from ._jar import jar_view

    return jar_view(cookies)


def _store_of_jar(cookies: Any) -> _CookieStore | None:
    if "http.cookiejar" not in _sys.modules:  # there can be no jar then
        return None
    from ._jar import store_of_jar

    return store_of_jar(cookies)


ambient.install(
    random_bytes=_os.urandom,
    wall_time=_time.time,
    guess_type=_guess_type,
    public_suffix=_is_public_suffix,
)
_install_jar_view(_jar_view, _store_of_jar)
_default_headers()  # finds out which decoders are installed: now, rather than when the first client is made
for _name in __all__:
    _shown_as_public(globals().get(_name))
