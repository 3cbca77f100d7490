"""Between httpure and httpx, where both are installed: transports of the one for clients of the other.

An SDK that takes a client or transport of httpx gets httpure's connections without knowing of it:

    >>> import httpx
    >>> from httpure.adapters import from_httpx, to_httpx
    >>> with httpx.Client(transport=to_httpx(httpure.HTTPTransport(http2=True))) as client:
    ...     client.get("https://example.org").http_version
    'HTTP/2'

And what was written as a transport of httpx (a cache, a mock, a policy) works below a client of httpure:

    >>> theirs = httpx.MockTransport(lambda request: httpx.Response(204))
    >>> with httpure.Client(transport=from_httpx(theirs)) as client:
    ...     client.get("https://example.org")
    <Response [204 No Content]>

Neither changes what `import httpx` gives: that is what `httpure.standin` is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from .._async_client import AsyncClient
from .._client import Client
from .._transports.base import AsyncBaseTransport, BaseTransport

if TYPE_CHECKING:
    import httpx

__all__ = ["from_httpx", "to_httpx", "to_httpx2"]


@overload
def to_httpx(carrier: BaseTransport | Client) -> httpx.BaseTransport: ...
@overload
def to_httpx(carrier: AsyncBaseTransport | AsyncClient) -> httpx.AsyncBaseTransport: ...
def to_httpx(carrier: Any) -> Any:
    """Return a transport for clients of httpx, whose requests a transport or client of httpure carries.

    Bodies are streamed in both directions, time limits and other extensions handed on, and errors raised as those
    of httpx, with the request. A client adds what it does to requests that are sent by `send()`: its auth, event
    hooks and mounts, but no headers or cookies; redirects are left to httpx. Closing the transport closes the
    carrier.

    Raises TypeError for what is neither transport nor client, ImportError where httpx is not installed.
    """
    from ._outward import outward

    return outward(carrier, "httpx")


def to_httpx2(carrier: BaseTransport | Client | AsyncBaseTransport | AsyncClient) -> Any:
    """As `to_httpx`, for clients of httpx2."""
    from ._outward import outward

    return outward(carrier, "httpx2")


@overload
def from_httpx(transport: httpx.BaseTransport) -> BaseTransport: ...
@overload
def from_httpx(transport: httpx.AsyncBaseTransport) -> AsyncBaseTransport: ...
def from_httpx(transport: Any) -> Any:
    """Return a transport for clients of httpure, whose requests a transport of httpx, or of httpx2, carries.

    Bodies are streamed in both directions, extensions handed on, and errors raised as those of httpure, with the
    request. Closing the transport closes the one of httpx.

    Raises TypeError for what is no transport.
    """
    from ._inward import inward

    return inward(transport)
