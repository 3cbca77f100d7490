"""Beside httpcore: packages that mock or record HTTP change its pools, and then expect requests to pass through them.

httpx sends by httpcore, httpure does not. Where a package has replaced the method of httpcore's pool that handles
requests, the transports of httpure hand their requests to a pool of httpcore's (`carry`), which so meets the
replacement; if that lets the request pass, the pool asks for a connection, and gets one that is httpure's own
transport (`Passage`). httpcore itself is left as it is, and is not needed where nobody uses it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from httpure_core.content.streams import AsyncByteStream, SyncByteStream
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL

from .._transports.http import AsyncHTTPTransport, HTTPTransport
from ..adapters._errors import translated
from .views._content import AsyncIteratorByteStream, IteratorByteStream

__all__ = [
    "AsyncResponseStream",
    "ResponseStream",
    "carry",
    "carry_async",
    "is_patched",
    "map_httpcore_exceptions",
    "pool_of",
]

# As they are before anybody replaces them.
_send = HTTPTransport.handle_request
_send_async = AsyncHTTPTransport.handle_async_request

#: That of httpx first: the one of httpx2 is asked for only where no other is loaded.
_PACKAGES = ("httpcore", "httpcore2")


@contextmanager
def map_httpcore_exceptions() -> Iterator[None]:
    """Raise what httpcore raises in the block as what stands for it here."""
    try:
        yield
    except Exception as exc:
        found = translated(exc, _PACKAGES, "httpure")
        if found is None:
            raise
        raise found from exc


class ResponseStream(SyncByteStream):
    """The body of a response of httpcore's."""

    def __init__(self, httpcore_stream: Any) -> None:
        self._httpcore_stream = httpcore_stream

    def __iter__(self) -> Iterator[bytes]:
        with map_httpcore_exceptions():
            yield from self._httpcore_stream

    def close(self) -> None:
        """Close it."""
        if hasattr(self._httpcore_stream, "close"):
            self._httpcore_stream.close()


class AsyncResponseStream(AsyncByteStream):
    """The body of an asynchronous response of httpcore's."""

    def __init__(self, httpcore_stream: Any) -> None:
        self._httpcore_stream = httpcore_stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with map_httpcore_exceptions():
            async for piece in self._httpcore_stream:
                yield piece

    async def aclose(self) -> None:
        """Close it."""
        if hasattr(self._httpcore_stream, "aclose"):
            await self._httpcore_stream.aclose()


def is_patched(method: str) -> bool:
    """Whether anyone has replaced `handle_request` or `handle_async_request` of httpcore's pools."""
    return any(_replaced(package, method) for name in _PACKAGES if (package := sys.modules.get(name)))


def pool_of(transport: Any) -> Any:
    """Return the pool of httpcore's that a transport of httpure is reached by. Raises AttributeError where none is."""
    package = _patched_package("handle_request") or _patched_package("handle_async_request") or _loaded()
    known: dict[str, Any] = transport.__dict__.setdefault("_pools_of_httpcore", {})
    if package.__name__ not in known:
        known[package.__name__] = _new_pool(package, transport)
    return known[package.__name__]


def carry(transport: Any, request: Request) -> Response:
    """Have httpcore's pool, whose method somebody has replaced, handle the request. Raises TransportError."""
    package = _patched_package("handle_request")
    with map_httpcore_exceptions():
        answer = pool_of(transport).handle_request(_for_httpcore(package, request))
    return Response(
        answer.status,
        headers=answer.headers,
        stream=ResponseStream(answer.stream),
        extensions=answer.extensions,
    )


async def carry_async(transport: Any, request: Request) -> Response:
    """As `carry`."""
    package = _patched_package("handle_async_request")
    with map_httpcore_exceptions():
        answer = await pool_of(transport).handle_async_request(_for_httpcore(package, request))
    return Response(
        answer.status,
        headers=answer.headers,
        stream=AsyncResponseStream(answer.stream),
        extensions=answer.extensions,
    )


def _replaced(package: ModuleType, method: str) -> bool:
    kind = "AsyncConnectionPool" if "async" in method else "ConnectionPool"
    pool = getattr(package, kind, None)
    if pool is None:
        return False  # it is being imported
    # Wrappers take over the name of what they wrap, but not that of its code.
    handler = vars(pool).get(method)
    return type(handler) is not FunctionType or handler.__code__.co_qualname != f"{kind}.{method}"


def _patched_package(method: str) -> Any:
    for name in _PACKAGES:
        package = sys.modules.get(name)
        if package is not None and _replaced(package, method):
            return package
    return None


def _loaded() -> Any:
    import importlib

    for name in sorted(_PACKAGES, key=lambda name: name not in sys.modules):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise AttributeError("_pool is a pool of httpcore's, and httpcore is not installed.")


def _for_httpcore(package: Any, request: Request) -> Any:
    url = request.url
    target = request.extensions.get("target", url.raw_path)
    return package.Request(
        request.method,
        package.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _from_httpcore(request: Any, kind: type, wrap: Callable[[Any], Any]) -> Request:
    url = request.url
    stream = request.stream
    wrapped: Any = stream if isinstance(stream, kind) else wrap(stream)
    return Request(
        request.method.decode("ascii"),
        URL(scheme=url.scheme.decode(), host=url.host.decode(), port=url.port, raw_path=url.target),
        headers=request.headers,
        stream=wrapped,
        extensions=request.extensions,
    )


def _new_pool(package: Any, transport: Any) -> Any:
    is_async = hasattr(transport, "handle_async_request")
    proxy = getattr(transport._transmitter.dialler, "proxy", None)
    if proxy is None:
        name, arguments = "ConnectionPool", {}
    else:
        url = proxy.url
        at = package.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target="/")
        arguments = {"proxy_url": at, "proxy_auth": proxy.raw_auth}
        name = "SOCKSProxy" if url.scheme.startswith("socks") else "HTTPProxy"
        if name == "HTTPProxy":
            arguments["proxy_headers"] = proxy.headers.raw
    kind = getattr(package, f"Async{name}" if is_async else name)
    pool = kind(max_connections=None, **arguments)  # the limits are those of our own pool, behind it
    passage = (_async_passage if is_async else _blocking_passage)(package)
    pool.create_connection = lambda origin: passage(transport)
    return pool


@cache
def _blocking_passage(package: Any) -> Any:
    class Passage(_passage(package.ConnectionInterface)):  # type: ignore[misc]  # of either package
        def handle_request(self, request: Any) -> Any:
            asked = _from_httpcore(request, SyncByteStream, IteratorByteStream)
            response = _send(self.transport, asked)
            return package.Response(
                response.status_code,
                headers=response.headers.raw,
                content=response.stream,
                extensions=response.extensions,
            )

        def close(self) -> None:
            pass

    return Passage


@cache
def _async_passage(package: Any) -> Any:
    class Passage(_passage(package.AsyncConnectionInterface)):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            asked = _from_httpcore(request, AsyncByteStream, AsyncIteratorByteStream)
            response = await _send_async(self.transport, asked)
            return package.Response(
                response.status_code,
                headers=response.headers.raw,
                content=response.stream,
                extensions=response.extensions,
            )

        async def aclose(self) -> None:
            pass

    return Passage


def _passage(interface: Any) -> Any:
    """Return what both colours of a connection have in common: it serves one request, and the pool forgets it."""

    class Common(interface):  # type: ignore[misc]
        def __init__(self, transport: Any) -> None:
            self.transport = transport

        def info(self) -> str:
            return "a transport of httpure"

        def can_handle_request(self, origin: Any) -> bool:
            return False

        def is_available(self) -> bool:
            return False

        def has_expired(self) -> bool:
            return False

        def is_idle(self) -> bool:
            return False

        def is_closed(self) -> bool:
            return True  # never asked of one that serves a request

    return Common
