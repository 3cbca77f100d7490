"""What packages reach for on the clients and transports of httpx, below what is public.

Each of these is asked for by packages in use: starlette's TestClient merges URLs itself, respx replaces the method
that chooses the transport, pytest-httpx looks at the pool. They are put on the classes when the stand-in is
installed and taken off again with it: httpure does not have them otherwise.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from httpure_core import ambient
from httpure_core.config.merge import merge_cookies, merge_headers, merge_params, merge_url
from httpure_core.content.files import FileStream
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL

from .._base_client import BaseClient
from .._logging import Journal, journal
from .._transports.http import AsyncHTTPTransport, HTTPTransport
from ._httpcore import carry, carry_async, is_patched, pool_of
from .views._urlparse import ParseResult

__all__ = ["LOGGER", "extend", "restore"]

#: Where programs expect the lines about requests: they set its level, and its handlers.
LOGGER = "httpx"

_ABSENT = object()
#: What was there before: class, name, value.
_before: list[tuple[type, str, Any]] = []

_choose = BaseClient.transport_for
_send = HTTPTransport.handle_request
_send_async = AsyncHTTPTransport.handle_async_request


def extend() -> None:
    """Put on the classes what packages reach for."""
    _put(BaseClient, "_transport_for_url", _choose)
    _put(BaseClient, "transport_for", lambda self, url: self._transport_for_url(url))
    _put(BaseClient, "_merge_url", lambda self, url: merge_url(self.base_url, url))
    _put(BaseClient, "_merge_headers", lambda self, headers=None: merge_headers(self.headers, headers))
    _put(BaseClient, "_merge_cookies", lambda self, cookies=None: merge_cookies(self.cookies, cookies))
    _put(BaseClient, "_merge_queryparams", lambda self, params=None: merge_params(self.params, params))
    _put(BaseClient, "_default_encoding", property(lambda self: self.default_encoding))
    _put(BaseClient, "build_request", _one_body(BaseClient.build_request))
    _put(Request, "__init__", _one_body(Request.__init__))
    _put(FileStream, "_stream", property(lambda self: self._file))
    _put(Headers, "_list", property(_fields))
    _put(Response, "__delattr__", _delete)
    _put(URL, "_uri_reference", property(lambda self: ParseResult(*self._reference)))
    _put(HTTPTransport, "handle_request", _handle_request)
    _put(HTTPTransport, "transmitter", property(_transmitter))
    _put(HTTPTransport, "_pool", property(pool_of))
    _put(AsyncHTTPTransport, "handle_async_request", _handle_async_request)
    _put(AsyncHTTPTransport, "transmitter", property(_async_transmitter))
    _put(AsyncHTTPTransport, "_pool", property(pool_of))
    _rename(journal(), LOGGER)
    ambient.install(random_bytes=lambda size: os.urandom(size))  # looked up late: tests replace it


def restore() -> None:
    """Take all of it off."""
    while _before:
        kind, name, value = _before.pop()
        if value is _ABSENT:
            delattr(kind, name)
        else:
            setattr(kind, name, value)
    _rename(journal(), "httpure")
    ambient.install(random_bytes=os.urandom)


def _put(kind: type, name: str, value: Any) -> None:
    _before.append((kind, name, vars(kind).get(name, _ABSENT)))
    setattr(kind, name, value)


def _one_body(function: Callable[..., Any]) -> Callable[..., Any]:
    """Choose among several bodies as httpx does, where httpure would refuse: `content`, then a form, then `json`.

    SDKs that upload files give them, and their other fields once more as `json`.
    """

    @functools.wraps(function)
    def choosing(*args: Any, **kwargs: Any) -> Any:
        data = kwargs.get("data")
        if data and not isinstance(data, (Mapping, list, tuple)) and kwargs.get("content") is None:
            # In the words of httpx: packages filter the warning by them.
            words = "Use 'content=<...>' to upload raw bytes/text content."
            warnings.warn(words, DeprecationWarning, stacklevel=3)
            kwargs["content"] = data
        if kwargs.get("content") is not None:
            kwargs.update(data=None, files=None, json=None)
        elif kwargs.get("data") or kwargs.get("files"):
            kwargs["json"] = None
        return function(*args, **kwargs)

    return choosing


def _fields(self: Headers) -> list[tuple[bytes, bytes, bytes]]:
    """Return name, name in lower case, and value of each field."""
    return [(name, name.lower(), value) for name, value in self.raw]


def _delete(self: Response, name: str) -> None:
    """Let a mock delete `_content`, to give the response out once more, also where there is none."""
    if name == "_content":
        self.__dict__.pop(name, None)
    else:
        object.__delattr__(self, name)


def _rename(log: Journal, name: str) -> None:
    log.__init__(name)  # type: ignore[misc]  # the same object, which others hold, begun anew


def _handle_request(self: HTTPTransport, request: Any) -> Any:
    return carry(self, request) if is_patched("handle_request") else _send(self, request)


async def _handle_async_request(self: AsyncHTTPTransport, request: Any) -> Any:
    if is_patched("handle_async_request"):
        return await carry_async(self, request)
    return await _send_async(self, request)


def _transmitter(self: HTTPTransport) -> Any:
    handler = self.handle_request
    direct = type(handler) is MethodType and handler.__func__ is _handle_request
    return self._transmitter if direct and not is_patched("handle_request") else None


def _async_transmitter(self: AsyncHTTPTransport) -> Any:
    handler = self.handle_async_request
    direct = type(handler) is MethodType and handler.__func__ is _handle_async_request
    return self._transmitter if direct and not is_patched("handle_async_request") else None
