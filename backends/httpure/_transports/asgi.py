"""`ASGITransport`: an ASGI app takes the place of the network.

**Whose task runs the app?** One of our own: on asyncio a task, on trio a system task, with a copy of the caller's
context variables. Not the caller's, for three reasons.

1. The response is to be read while the app still runs. Were the app run to its end first, as is simple, then an
   endpoint that never ends could not be read at all.
2. It would be possible to step the app's coroutine by hand, in the task of whoever reads: no further task would be
   needed. But a cancel scope, a nursery or a timeout that the app opens would then be open in the reader's task
   between two steps. trio forbids that, since its scopes must close in the reverse order of their opening; asyncio's
   timeouts would cancel the reader; and a reader that pauses would stop the app's clocks.
3. A nursery of ours around the app would need an `async with` around the response. A transport returns a response and
   cannot keep a block of its caller open; if it tried, the caller's own scopes would close in the wrong order.

What a nursery would guarantee is kept in other ways. The task ends when the response has been read, or closed, or its
reading was cancelled, and that is waited for; it is cancelled when the response is dropped; and closing the transport
ends all that is left. Nothing of the app's is ever open in the caller's task: what it raises is carried over and
raised where the response is read.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Self

from httpure_core.content.streams import AsyncByteStream, ByteStream
from httpure_core.errors import UnsupportedProtocol
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.budget import Budget, place

from .._detection import running_backend
from .asgi_exchange import ASGIApp, Exchange
from .asgi_lifespan import Lifespan
from .asgi_stream import AppStream
from .base import AsyncBaseTransport

__all__ = ["ASGIApp", "ASGITransport"]


class ASGITransport(AsyncBaseTransport):
    """Sends requests to an ASGI app instead of to the network; on asyncio and trio.

    >>> async def app(scope, receive, send):
    ...     await send({"type": "http.response.start", "status": 204})
    ...     await send({"type": "http.response.body"})
    >>> async def main():
    ...     async with httpure.AsyncClient(transport=httpure.ASGITransport(app), base_url="http://app.test") as client:
    ...         return await client.get("/")
    >>> asyncio.run(main())
    <Response [204 No Content]>

    The response begins when the app begins it, and its body comes as the app sends it; the app's `send()` waits while
    a piece that was sent before has not been read. Reading ends when the app has returned. A response that is closed
    before is a client that disconnects.

    - `app`: the ASGI 3.0 application.
    - `raise_app_exceptions`: False for a response with status 500, as a server would give, where the app raises an
      exception before it responds. By default its exceptions come through to the caller.
    - `root_path`: where the app is mounted; told to the app.
    - `client`: address and port that the app sees as its client's.
    - `lifespan`: True to start the app up when the client or transport is entered, and to shut it down at the end.
      Entering raises what the app raises then, or ConnectError with what it says; leaving, CloseError.

    Of the timeouts `read` and `total` hold: for the time in which the app sends nothing, and for the whole. Raises
    what the app raises; RemoteProtocolError for an app that breaks the rules; ReadTimeout.
    """

    __module__ = "httpure"

    def __init__(
        self,
        app: ASGIApp,
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: tuple[str, int] = ("127.0.0.1", 123),
        *,
        lifespan: bool = False,
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self.root_path = root_path
        self.client = client
        self.lifespan = lifespan
        self._running: Lifespan | None = None
        self._entered = 0
        #: Those whose app has not ended. Kept here, since an event loop keeps no task alive.
        self._exchanges: set[Exchange] = set()

    async def __aenter__(self) -> Self:
        if self.lifespan and self._running is None:
            running = Lifespan(self.app, running_backend(), self.raise_app_exceptions)
            await running.start()
            self._running = running
        self._entered += 1
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._entered -= 1
        if self._entered <= 0:  # clients may share it
            await self.aclose()

    async def handle_async_request(self, request: Request) -> Response:
        """Send one request to the app, and return its response when it begins. Raises what the app raises."""
        scope = self._scope(request)
        backend = running_backend()
        exchange = Exchange(self.app, scope, request, backend, self._exchanges.discard)
        budget = Budget(request, backend.clock)
        budget.sent = True  # the app has it
        exchange.start()
        self._exchanges.add(exchange)
        reader = AppStream(exchange, budget, self.raise_app_exceptions)
        stream: AsyncByteStream = reader
        if not await reader.head():
            exchange.status, stream = 500, ByteStream(b"")
        return Response(
            exchange.status,
            headers=exchange.headers,
            stream=stream,
            request=request,
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """End what still runs of the app, and shut it down if it was started up here.

        Raises what the app raises in its shutdown, or CloseError with what it says went wrong.
        """
        self._entered = 0
        running, self._running = self._running, None
        try:
            exchanges = list(self._exchanges)
            for exchange in exchanges:
                exchange.leave()
            for exchange in exchanges:
                await exchange.end(politely=True)
        finally:
            if running is not None:
                await running.stop()

    def _scope(self, request: Request) -> MutableMapping[str, Any]:
        url = request.url
        if not url.scheme or not url.host:
            raise UnsupportedProtocol(
                "An ASGI app is asked for an absolute URL, such as 'http://app.test/': give the client a base_url. "
                f"This was {place(request)}",
                request=request,
            )
        target = request.extensions.get("target")
        raw_path, _, query = (target if isinstance(target, bytes) else url.raw_path).partition(b"?")
        scope: MutableMapping[str, Any] = {
            "type": "http",
            # In 2.4, send() raises OSError when the client has gone. Servers in use are still at 2.3, and apps stop
            # sooner when they ask receive() for it.
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": url.path if target is None else _text(raw_path),
            "raw_path": raw_path,
            "query_string": query,
            "root_path": self.root_path,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self.client,
            "server": (url.raw_host.decode("ascii"), url.origin.port or None),
        }
        if self.lifespan:
            if self._running is None:
                raise RuntimeError(
                    "This ASGITransport has lifespan=True, and its app is not started up: "
                    "use the client in `async with`."
                )
            scope["state"] = self._running.state.copy()
        return scope


def _text(path: bytes) -> str:
    from httpure_core.models.percent import decode

    return decode(path.decode("latin-1"))
