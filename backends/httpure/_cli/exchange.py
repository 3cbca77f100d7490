"""The one exchange of a call, on any backend.

Who takes the response is a `Receiver` that never waits, so the two colours differ in their keywords only: what is
sent, shown or saved is decided once, elsewhere.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, closing
from typing import Any, TypeVar

import click

from httpure_core.errors import InvalidURL
from httpure_core.models.request import Request
from httpure_core.models.response import Response

from .._async_client import AsyncClient
from .._client import Client
from .display import Receiver
from .order import Order

__all__ = ["carry_out", "run_of"]

#: Called with the names and details of httpcore's trace extension.
Trace = Callable[[str, Mapping[str, Any]], None]

ClientT = TypeVar("ClientT", Client, AsyncClient)


def carry_out(
    order: Order, receiver: Receiver, see_head: Callable[[Response], None], trace: Trace | None
) -> Response:
    """Send the request and give the response to the receiver; return it, read.

    `see_head` is called for each response on the way there, redirects included.

    Raises click.UsageError for arguments that no request can be made of, RequestError, and what the receiver raises.
    """
    if order.backend is None or not hasattr(order.backend, "offload"):
        return _blocking(order, receiver, see_head, trace)
    run = run_of(order.backend)
    return run(functools.partial(_asynchronous, order, receiver, see_head, trace))


def run_of(backend: Any) -> Callable[[Callable[[], Awaitable[Response]]], Response]:
    """Return what runs a coroutine function on the event loop of an async backend.

    Backends that others wrote have a method `run` for it. Raises click.UsageError where there is none.
    """
    if hasattr(backend, "run"):
        return backend.run  # type: ignore[no-any-return]
    if backend.name == "asyncio":
        import asyncio

        return lambda function: asyncio.run(function())  # type: ignore[arg-type]
    if backend.name == "trio":
        import trio

        return trio.run
    raise click.UsageError(
        f"The backend {backend.name!r} is asynchronous, and its event loop is not known here: "
        "give it a method run(function) that runs a coroutine function and returns its result."
    )


def _blocking(
    order: Order, receiver: Receiver, see_head: Callable[[Response], None], trace: Trace | None
) -> Response:
    with _client(Client, order, see_head) as client:
        request = _request(client, order, trace)
        with closing(
            client.send(request, stream=True, auth=order.auth, follow_redirects=order.follow_redirects)
        ) as response:
            receiver.begin(response)
            for piece in response.iter_bytes():
                receiver.feed(piece)
            receiver.finish()
    return response


async def _asynchronous(
    order: Order, receiver: Receiver, see_head: Callable[[Response], None], trace: Trace | None
) -> Response:
    async def traced(name: str, info: Mapping[str, Any]) -> None:
        assert trace is not None
        trace(name, info)

    async with _client(AsyncClient, order, see_head) as client:
        request = _request(client, order, traced if trace is not None else None)
        async with aclosing(
            await client.send(request, stream=True, auth=order.auth, follow_redirects=order.follow_redirects)
        ) as response:
            receiver.begin(response)
            async for piece in response.aiter_bytes():
                receiver.feed(piece)
            receiver.finish()
    return response


def _client(kind: type[ClientT], order: Order, see_head: Callable[[Response], None]) -> ClientT:
    try:
        return kind(**order.client, backend=order.backend, event_hooks={"response": [see_head]})
    except (TypeError, ValueError, InvalidURL) as error:
        raise click.UsageError(str(error)) from None


def _request(client: Client | AsyncClient, order: Order, trace: Any) -> Request:
    extensions = {} if trace is None else {"trace": trace}
    try:
        return client.build_request(**order.request, extensions=extensions)
    except (TypeError, ValueError, InvalidURL) as error:
        raise click.UsageError(str(error)) from None
