"""What stands for `httpx._transports`."""

from __future__ import annotations

from httpure import ASGITransport, WSGITransport

from ...._transports.base import AsyncBaseTransport, BaseTransport
from ...._transports.http import AsyncHTTPTransport, HTTPTransport
from ...._transports.mock import MockTransport

__all__ = [
    "ASGITransport",
    "AsyncBaseTransport",
    "AsyncHTTPTransport",
    "BaseTransport",
    "HTTPTransport",
    "MockTransport",
    "WSGITransport",
]
