"""What stands for `httpx._transports.default`, and for the use of httpcore beside it."""

from __future__ import annotations

from ...._transports.http import AsyncHTTPTransport, HTTPTransport
from ...._transports.http import SocketOption as SOCKET_OPTION
from ..._httpcore import AsyncResponseStream, ResponseStream, map_httpcore_exceptions

__all__ = [
    "SOCKET_OPTION",
    "AsyncHTTPTransport",
    "AsyncResponseStream",
    "HTTPTransport",
    "ResponseStream",
    "map_httpcore_exceptions",
]
