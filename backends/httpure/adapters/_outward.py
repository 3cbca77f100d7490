"""Transports of httpx that httpure carries requests for."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

from httpure_core.content.streams import AsyncByteStream, ByteStream, SyncByteStream
from httpure_core.models.request import Request
from httpure_core.models.response import Response

from .._async_client import AsyncClient
from .._client import Client
from ._errors import OURS, raised_as

__all__ = ["outward"]


def outward(carrier: Any, package: str) -> Any:
    """Return a transport of the package, of the carrier's colour, or of both. Raises TypeError, ImportError."""
    blocking = isinstance(carrier, Client) or hasattr(carrier, "handle_request")
    asynchronous = isinstance(carrier, AsyncClient) or hasattr(carrier, "handle_async_request")
    if not blocking and not asynchronous:
        raise TypeError(
            f"A transport or client of httpure is needed, not an object of type {type(carrier).__name__}."
        )
    return _kind(package, blocking, asynchronous)(carrier, package)


@cache
def _kind(package: str, blocking: bool, asynchronous: bool) -> Any:
    """Make the class: httpx itself is imported no earlier than here."""
    home = importlib.import_module(package)
    bases: list[type] = []
    if blocking:
        bases += [_Blocking, home.BaseTransport]
    if asynchronous:
        bases += [_Async, home.AsyncBaseTransport]
    return type("HttpureTransport", tuple(bases), {"__module__": __package__})


class _Carrying:
    """What both colours have in common."""

    def __init__(self, carrier: Any, package: str) -> None:
        self._carrier = carrier
        self._package = package
        self._home: Any = importlib.import_module(package)

    def _ours(self, theirs: Any, wrap: Any) -> Request:
        try:
            stream = ByteStream(theirs.content)
        except self._home.RequestNotRead:
            stream = wrap(theirs.stream)
        try:
            return Request(
                theirs.method,
                str(theirs.url),
                headers=theirs.headers.raw,
                stream=stream,
                extensions=theirs.extensions,
            )
        except ValueError as exc:  # headers that contradict each other, or the body
            raise self._home.LocalProtocolError(str(exc), request=theirs) from exc

    def _theirs(self, ours: Response, stream: Any) -> Any:
        return self._home.Response(
            ours.status_code, headers=ours.headers.raw, stream=stream, extensions=ours.extensions
        )


class _Blocking(_Carrying):
    def __enter__(self) -> Any:
        if not isinstance(self._carrier, Client):  # a client opens itself
            self._carrier.__enter__()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def handle_request(self, request: Any) -> Any:
        with raised_as(self._package, OURS, request):
            ours = self._ours(request, _Upload)
            if isinstance(self._carrier, Client):
                response = self._carrier.send(ours, stream=True, follow_redirects=False)
            else:
                response = self._carrier.handle_request(ours)
        return self._theirs(response, _body_kind(self._package)(response, self._package, request))

    def close(self) -> None:
        self._carrier.close()


class _Async(_Carrying):
    async def __aenter__(self) -> Any:
        if not isinstance(self._carrier, AsyncClient):
            await self._carrier.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self.aclose()

    async def handle_async_request(self, request: Any) -> Any:
        with raised_as(self._package, OURS, request):
            ours = self._ours(request, _AsyncUpload)
            if isinstance(self._carrier, AsyncClient):
                response = await self._carrier.send(ours, stream=True, follow_redirects=False)
            else:
                response = await self._carrier.handle_async_request(ours)
        return self._theirs(response, _async_body_kind(self._package)(response, self._package, request))

    async def aclose(self) -> None:
        await self._carrier.aclose()


class _Upload(SyncByteStream):
    """The body of a request of httpx's. It is theirs to say whether it can be read again."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._source)


class _AsyncUpload(AsyncByteStream):
    """As `_Upload`."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._source)


@cache
def _body_kind(package: str) -> Any:
    home = importlib.import_module(package)
    return type("Body", (_Body, home.SyncByteStream), {"__module__": __package__})


@cache
def _async_body_kind(package: str) -> Any:
    home = importlib.import_module(package)
    return type("AsyncBody", (_AsyncBody, home.AsyncByteStream), {"__module__": __package__})


class _Arriving:
    """The body of a response of ours."""

    def __init__(self, response: Response, package: str, request: Any) -> None:
        self._response = response
        self._package = package
        self._request = request
        self._pieces: Any = None


class _Body(_Arriving):
    def __iter__(self) -> Iterator[bytes]:
        stream: Any = self._response.stream
        with raised_as(self._package, OURS, self._request):
            yield from stream

    def close(self) -> None:
        self._response.close()


class _AsyncBody(_Arriving):
    # Its own iterator, not a generator: there is nothing to finalise where one is left unfinished.

    def __aiter__(self) -> AsyncIterator[bytes]:
        stream: Any = self._response.stream
        self._pieces = aiter(stream)
        return self

    async def __anext__(self) -> bytes:
        with raised_as(self._package, OURS, self._request):
            piece: bytes = await anext(self._pieces)
        return piece

    async def aclose(self) -> None:
        await self._response.aclose()
