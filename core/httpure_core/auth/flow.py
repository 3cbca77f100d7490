"""The shape of an auth scheme: a generator that yields requests and is sent their responses."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..models.request import Request
    from ..models.response import Response

__all__ = ["Auth", "AuthTypes", "FunctionAuth"]


class Auth:
    """An authentication scheme. Subclass it and write `auth_flow`.

    >>> class TokenAuth(httpure.Auth):
    ...     def auth_flow(self, request):
    ...         response = yield request
    ...         if response.status_code == 401:  # then once more, with a token
    ...             request.headers["Authorization"] = "Bearer 7f3a"
    ...             yield request
    >>> httpure.get("https://httpbin.org/bearer", auth=TokenAuth())
    <Response [200 OK]>

    A scheme that does I/O of its own, or takes locks, overrides `sync_auth_flow` and `async_auth_flow`
    instead: the blocking client drives the one, the asynchronous client the other. One object may serve
    several threads and tasks at once, so what a flow keeps on `self` must stand that.
    """

    #: Set to True if the flow looks at `request.content`: streaming bodies are then read into memory first.
    requires_request_body = False
    #: Set to True if the flow looks at `response.content`: the body is then read before the flow continues.
    requires_response_body = False

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the requests to send, one after the other.

        Each `yield` is answered with the response to that request. When the generator ends, the last
        response is the client's result. What it raises comes through to the caller.
        """
        yield request

    def sync_auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Drive `auth_flow` for the blocking client, reading bodies where the scheme requires them.

        Raises what `auth_flow` and the reading raise.
        """
        if self.requires_request_body:
            request.read()
        flow = self.auth_flow(request)
        try:
            outgoing = self._first(flow)
            while True:
                response = yield outgoing
                if self.requires_response_body:
                    response.read()
                outgoing = flow.send(response)
        except StopIteration:
            return
        finally:
            flow.close()

    async def async_auth_flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Drive `auth_flow` for the asynchronous client, reading bodies where the scheme requires them.

        Raises what `auth_flow` and the reading raise.
        """
        if self.requires_request_body:
            await request.aread()
        flow = self.auth_flow(request)
        try:
            outgoing = self._first(flow)
            while True:
                response = yield outgoing
                if self.requires_response_body:
                    await response.aread()
                outgoing = flow.send(response)
        except StopIteration:
            return
        finally:
            flow.close()

    def _first(self, flow: Generator[Request, Response, None]) -> Request:
        for request in flow:
            return request
        raise RuntimeError(f"{type(self).__name__}.auth_flow() yielded no request: nothing can be sent.")


class FunctionAuth(Auth):
    """A function that takes the request and returns it, changed, as an auth scheme.

    A client makes one of any function that it gets as `auth=`.

    >>> def sign(request):
    ...     request.headers["X-Signature"] = f"{request.method} {request.url.path}"
    ...     return request
    >>> httpure.get("https://httpbin.org/get", auth=sign).request.headers["X-Signature"]
    'GET /get'
    """

    def __init__(self, func: Callable[[Request], Request]) -> None:
        self._func = func

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield what the function makes of the request."""
        changed = self._func(request)
        if not hasattr(changed, "headers"):
            raise TypeError(
                f"The function of auth= returns the request that is to be sent, not {type(changed).__name__}."
            )
        yield changed


#: What `auth=` takes besides None: (username, password), a function from request to request, or an `Auth`.
AuthTypes: TypeAlias = tuple[str | bytes, str | bytes] | Callable[["Request"], "Request"] | Auth
