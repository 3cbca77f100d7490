"""The two classes to subclass for a transport of one's own."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from httpure_core.models.request import Request
    from httpure_core.models.response import Response
    from httpure_core.operations.transmit import Transmitter

__all__ = ["AsyncBaseTransport", "BaseTransport"]


class BaseTransport:
    """Carries requests for a `Client`. Subclass it and write `handle_request`.

    >>> class Greeter(httpure.BaseTransport):
    ...     def handle_request(self, request):
    ...         return httpure.Response(200, text=f"hello {request.url.host}")
    >>> with httpure.Client(mounts={"all://shop.example": Greeter()}) as client:
    ...     client.get("https://shop.example").text
    'hello shop.example'
    """

    @property
    def transmitter(self) -> Transmitter | None:
        """None, save in the ready HTTP transports: clients run its operations directly, without `handle_request`."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def handle_request(self, request: Request) -> Response:
        """Send one request and return its response, whose stream is a `SyncByteStream` that was not read yet.

        Redirects, auth and cookies are not the business of a transport. Raise subclasses of `TransportError`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement handle_request().")

    def close(self) -> None:
        """Free what the transport holds. Clients call it when they are closed."""


class AsyncBaseTransport:
    """Carries requests for an `AsyncClient`. Subclass it and write `handle_async_request`.

    >>> class Greeter(httpure.AsyncBaseTransport):
    ...     async def handle_async_request(self, request):
    ...         return httpure.Response(200, text=f"hello {request.url.host}")
    >>> async def main():
    ...     async with httpure.AsyncClient(transport=Greeter()) as client:
    ...         return (await client.get("https://shop.example")).text
    >>> asyncio.run(main())
    'hello shop.example'
    """

    @property
    def transmitter(self) -> Transmitter | None:
        """None, save in the ready HTTP transports: clients run its operations directly."""
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def handle_async_request(self, request: Request) -> Response:
        """Send one request and return its response, whose stream is an `AsyncByteStream` that was not read yet.

        Redirects, auth and cookies are not the business of a transport. Raise subclasses of `TransportError`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement handle_async_request().")

    async def aclose(self) -> None:
        """Free what the transport holds. Clients call it when they are closed."""
