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
    """Carries requests for a `Client`. Subclass it and write `handle_request`."""

    #: Set by transports that are a pool of the core's: clients then run its operations without a detour.
    transmitter: Transmitter | None = None

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
        """Free what the transport holds."""


class AsyncBaseTransport:
    """Carries requests for an `AsyncClient`. Subclass it and write `handle_async_request`."""

    #: Set by transports that are a pool of the core's: clients then run its operations without a detour.
    transmitter: Transmitter | None = None

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
        """Free what the transport holds."""
