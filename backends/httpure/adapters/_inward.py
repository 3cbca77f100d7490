"""Transports of httpure whose requests a transport of httpx carries."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

from httpure_core.content.streams import AsyncByteStream, SyncByteStream
from httpure_core.errors import RequestNotRead
from httpure_core.models.request import Request
from httpure_core.models.response import Response

from .._transports.base import AsyncBaseTransport, BaseTransport
from ._errors import raised_as

__all__ = ["inward"]

_FAMILIES = ("httpx", "httpx2")


def inward(transport: Any) -> Any:
    """Return a transport of ours, of the colour of theirs, or of both. Raises TypeError."""
    blocking = hasattr(transport, "handle_request")
    asynchronous = hasattr(transport, "handle_async_request")
    if not blocking and not asynchronous:
        raise TypeError(f"A transport of httpx is needed, not an object of type {type(transport).__name__}.")
    if isinstance(transport, (BaseTransport, AsyncBaseTransport)):
        return transport  # where `import httpx` gives httpure
    return _KINDS[blocking, asynchronous](transport, _family(type(transport)))


def _family(kind: type) -> str:
    """Return the package that the class descends from; httpx for one that descends from nothing."""
    for ancestor in kind.__mro__:
        package = ancestor.__module__.partition(".")[0]
        if package in _FAMILIES:
            return package
    return "httpx"


class _Carried:
    """What both colours have in common."""

    def __init__(self, transport: Any, package: str) -> None:
        self._transport = transport
        self._package = package
        self._home: Any = importlib.import_module(package)

    def _theirs(self, ours: Request, wrap: Any) -> Any:
        try:
            stream = self._home.ByteStream(ours.content)
        except RequestNotRead:
            stream = wrap(self._package)(ours.stream)
        return self._home.Request(
            ours.method,
            str(ours.url),
            headers=ours.headers.raw,
            stream=stream,
            extensions=ours.extensions,
        )


def _ours(theirs: Any, stream: SyncByteStream | AsyncByteStream) -> Response:
    return Response(
        theirs.status_code, headers=theirs.headers.raw, stream=stream, extensions=theirs.extensions
    )


class _Blocking(_Carried, BaseTransport):
    def __enter__(self) -> Any:
        self._transport.__enter__()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._transport.__exit__(*exc_info)

    def handle_request(self, request: Request) -> Response:
        with raised_as("httpure", (self._package,), request):
            response = self._transport.handle_request(self._theirs(request, _upload_kind))
        return _ours(response, _Body(response, self._package, request))

    def close(self) -> None:
        self._transport.close()


class _Async(_Carried, AsyncBaseTransport):
    async def __aenter__(self) -> Any:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self._transport.__aexit__(*exc_info)

    async def handle_async_request(self, request: Request) -> Response:
        with raised_as("httpure", (self._package,), request):
            response = await self._transport.handle_async_request(self._theirs(request, _async_upload_kind))
        return _ours(response, _AsyncBody(response, self._package, request))

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Both(_Blocking, _Async):
    """For one that serves clients of both colours."""


_KINDS: dict[tuple[bool, bool], Any] = {
    (True, False): _Blocking,
    (False, True): _Async,
    (True, True): _Both,
}


@cache
def _upload_kind(package: str) -> Any:
    home: Any = importlib.import_module(package)

    class Upload(home.SyncByteStream):  # type: ignore[misc]  # of either package
        def __init__(self, source: Any) -> None:
            self._source = source

        def __iter__(self) -> Iterator[bytes]:
            return iter(self._source)

    return Upload


@cache
def _async_upload_kind(package: str) -> Any:
    home: Any = importlib.import_module(package)

    class AsyncUpload(home.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, source: Any) -> None:
            self._source = source

        def __aiter__(self) -> AsyncIterator[bytes]:
            return aiter(self._source) if hasattr(self._source, "__aiter__") else _at_once(self._source)

    return AsyncUpload


async def _at_once(pieces: Any) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


class _Arriving:
    """The body of a response of theirs."""

    def __init__(self, response: Any, package: str, request: Request) -> None:
        self._response = response
        self._package = package
        self._request = request
        self._pieces: Any = None


class _Body(_Arriving, SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        with raised_as("httpure", (self._package,), self._request):
            yield from self._response.stream

    def close(self) -> None:
        self._response.stream.close()


class _AsyncBody(_Arriving, AsyncByteStream):
    def __aiter__(self) -> AsyncIterator[bytes]:
        self._pieces = aiter(self._response.stream)
        return self

    async def __anext__(self) -> bytes:
        with raised_as("httpure", (self._package,), self._request):
            piece: bytes = await anext(self._pieces)
        return piece

    async def aclose(self) -> None:
        await self._response.stream.aclose()
