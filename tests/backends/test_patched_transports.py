"""Whoever changes how a transport handles requests is asked to: a subclass, a mock of the class, one of an object."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import httpure
from httpure import Request, Response


def test_a_transport_as_it_is_is_used_directly() -> None:
    assert httpure.HTTPTransport().transmitter is not None
    assert httpure.AsyncHTTPTransport().transmitter is not None
    assert httpure.MockTransport(lambda request: Response(200)).transmitter is None


def test_a_subclass_is_asked() -> None:
    class Transport(httpure.HTTPTransport):
        def handle_request(self, request: Request) -> Response:
            return Response(418)

    assert httpure.Client(transport=Transport()).get("http://nowhere.invalid").status_code == 418


def test_a_mock_of_the_class_is_asked_from_when_on_it_is_there_until_it_goes(server: str) -> None:
    real = httpure.HTTPTransport.handle_request

    def handle_request(transport: httpure.HTTPTransport, request: Request) -> Response:
        return Response(418) if request.method == "GET" else real(transport, request)

    with httpure.Client() as client:
        assert client.get(f"{server}/get").status_code == 200
        with mock.patch.object(httpure.HTTPTransport, "handle_request", handle_request):
            assert client.get("http://nowhere.invalid").status_code == 418
            assert client.post(f"{server}/post").status_code == 200
        assert client.get(f"{server}/get").status_code == 200


def test_a_mock_of_one_object_is_asked() -> None:
    transport: Any = httpure.HTTPTransport()
    client = httpure.Client(transport=transport)
    with mock.patch.object(transport, "handle_request", lambda request: Response(418)):
        assert client.get("http://nowhere.invalid").status_code == 418
    assert transport.transmitter is not None


def test_a_wrapper_that_looks_like_what_it_wraps_is_asked() -> None:
    transport: Any = httpure.HTTPTransport()

    class Wrapper:
        def __init__(self, wrapped: Any) -> None:
            self.wrapped = wrapped

        def __getattr__(self, name: str) -> Any:
            return getattr(self.wrapped, name)

        def __call__(self, request: Request) -> Response:
            return Response(418)

    transport.handle_request = Wrapper(transport.handle_request)
    assert transport.handle_request.__func__ is httpure.HTTPTransport.handle_request
    assert httpure.Client(transport=transport).get("http://nowhere.invalid").status_code == 418


def test_async_mocks_are_asked_as_well(server: str) -> None:
    async def handle_async_request(transport: Any, request: Request) -> Response:
        return Response(418)

    async def main() -> None:
        async with httpure.AsyncClient() as client:
            with mock.patch.object(httpure.AsyncHTTPTransport, "handle_async_request", handle_async_request):
                assert (await client.get("http://nowhere.invalid")).status_code == 418
            assert (await client.get(f"{server}/get")).status_code == 200

    asyncio.run(main())
