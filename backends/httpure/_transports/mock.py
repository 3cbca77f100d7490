"""A transport that asks a function: for tests, and for whoever makes responses without a network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from httpure_core.models.request import Request
from httpure_core.models.response import Response

from .base import AsyncBaseTransport, BaseTransport

__all__ = ["MockTransport"]


class MockTransport(BaseTransport, AsyncBaseTransport):
    """Answers each request with what `handler(request)` returns; for async clients it may be a coroutine function.

    >>> def handler(request):
    ...     return httpure.Response(200, json={"path": request.url.path})
    >>> with httpure.Client(transport=httpure.MockTransport(handler)) as client:
    ...     client.get("https://shop.example/items").json()
    {'path': '/items'}

    The request has been read when the handler gets it. What the handler raises comes through to the caller.
    """

    def __init__(self, handler: Callable[[Request], Response | Awaitable[Response]]) -> None:
        if not callable(handler):
            raise TypeError(f"A MockTransport takes a function of a request, not {type(handler).__name__}.")
        self.handler = handler

    def handle_request(self, request: Request) -> Response:
        """Read the request and return the handler's response.

        Raises TypeError if the handler returns no response, a coroutine for example, and what it raises itself.
        """
        request.read()
        response = self.handler(request)
        if not isinstance(response, Response):
            if not hasattr(response, "__await__"):
                raise _no_response(response)
            if (close := getattr(response, "close", None)) is not None:
                close()  # nobody will await it
            raise TypeError(
                "A blocking client needs a handler that returns a Response, not a coroutine function."
            )
        return response

    async def handle_async_request(self, request: Request) -> Response:
        """Read the request and return the handler's response.

        Raises TypeError if the handler returns none, and what it raises itself.
        """
        await request.aread()
        response: Any = self.handler(request)
        if hasattr(response, "__await__"):
            response = await response
        if not isinstance(response, Response):
            raise _no_response(response)
        return response


def _no_response(what: Any) -> TypeError:
    return TypeError(
        f"The handler of a MockTransport returns a Response, and this one returned {type(what).__name__}."
    )
