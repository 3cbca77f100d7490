"""The transports that speak HTTP over a network: a pool of the core's, and a driver for it."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable
from types import MethodType
from typing import Any, TypeAlias

from httpure_core.config.options import DEFAULT_LIMITS, Limits, Proxy, ProxyTypes
from httpure_core.contracts import Clock, Mutex
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.dial import Dialler
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Pool, Statistics

from .._bodies import AsyncBody, BlockingBody
from .._detection import async_backend, blocking_backend, running_backend
from .._driving import AsyncDriver, BlockingDriver
from .._lazy_tls import CertTypes, LazyTLS, VerifyTypes
from .._logging import journal
from .._network_stream import AsyncNetworkStream, NetworkStream
from ..backends import AsyncBackend, BlockingBackend
from .base import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncHTTPTransport", "HTTPTransport"]

#: What `socket.setsockopt` takes: (level, name, value), or (level, name, None, length).
SocketOption: TypeAlias = tuple[int, int, int | bytes] | tuple[int, int, None, int]


class HTTPTransport(BaseTransport):
    """HTTP over blocking sockets, or over another blocking `backend`.

    >>> transport = httpure.HTTPTransport(retries=2, local_address="127.0.0.1")
    >>> with httpure.Client(transport=transport) as client:
    ...     client.get("https://example.org"), transport.statistics
    (<Response [200 OK]>, Statistics(connections=1, idle=1, waiting=0))

    - `verify`, `cert`, `trust_env`: as in `create_ssl_context`.
    - `http1`, `http2`: which versions of HTTP to speak. Over TLS the server chooses (ALPN), HTTP/2 being offered
      first. Without TLS it is HTTP/1.1, or, with `http1=False`, HTTP/2 by prior knowledge.
    - `limits`: of the pool.
    - `proxy`: a `Proxy` or its URL, by which all requests go.
    - `uds`: the path of a Unix socket to connect to, instead of to the URL's host (or the proxy).
    - `local_address`: the address to connect from.
    - `retries`: how often to try again where no connection could be made: at once, then after 0.5 s, 1 s, 2 s, ...
    - `socket_options`: set on each socket before it connects, as `socket.setsockopt` takes them.

    Raises ValueError where no version of HTTP is left, for negative `retries`, and for a URL that no proxy can have.
    """

    def __init__(
        self,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        proxy: ProxyTypes | None = None,
        uds: str | None = None,
        local_address: str | None = None,
        retries: int = 0,
        socket_options: Iterable[SocketOption] | None = None,
        *,
        backend: BlockingBackend | str | None = None,
    ) -> None:
        self.backend = blocking_backend(backend)
        #: Runs the core's operations; a client shares it.
        self.driver = BlockingDriver(self.backend)
        self._transmitter = Transmitter(
            _pool(limits, self.backend.mutex()),
            _dialler(
                LazyTLS.of(verify, cert, trust_env),
                trust_env,
                proxy,
                uds,
                local_address,
                socket_options,
                http1=http1,
                http2=http2,
                retries=retries,
            ),
            self.backend.clock,
            functools.partial(BlockingBody, driver=self.driver),
            NetworkStream,
            journal,
        )

    @property
    def transmitter(self) -> Transmitter | None:
        """What clients use directly; None where anybody has changed how requests are handled (once per exchange).

        A subclass does so, and so do tools that mock or record: on the class or on one object, at any time.
        """
        handler = self.handle_request
        direct = type(handler) is MethodType and handler.__func__ is _HANDLE_REQUEST
        return self._transmitter if direct else None

    def handle_request(self, request: Request) -> Response:
        """Send one request and return its response, whose body is still to be read. Raises TransportError."""
        return self.driver.run(self._transmitter.transmit(request))

    @property
    def statistics(self) -> Statistics:
        """How many connections there are, how many are idle, and how many requests wait for one."""
        return self._transmitter.pool.statistics

    def close(self) -> None:
        """Close all connections."""
        self._transmitter.pool.close()


class AsyncHTTPTransport(AsyncBaseTransport):
    """HTTP over asyncio or trio, whichever runs when the first request is sent, or over a given `backend`.

    >>> async def main():
    ...     async with httpure.AsyncClient(transport=httpure.AsyncHTTPTransport(retries=2)) as client:
    ...         return await client.get("https://example.org")
    >>> asyncio.run(main())
    <Response [200 OK]>

    The other parameters are those of `HTTPTransport`.
    """

    def __init__(
        self,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        proxy: ProxyTypes | None = None,
        uds: str | None = None,
        local_address: str | None = None,
        retries: int = 0,
        socket_options: Iterable[SocketOption] | None = None,
        *,
        backend: AsyncBackend | str | None = None,
    ) -> None:
        self.backend = chosen = async_backend(backend)
        self._driver: AsyncDriver | None = None
        mutex: Mutex = threading.Lock() if chosen is None else chosen.mutex()
        clock: Clock = time.monotonic if chosen is None else chosen.clock
        self._transmitter = Transmitter(
            _pool(limits, mutex),
            _dialler(
                LazyTLS.of(verify, cert, trust_env),
                trust_env,
                proxy,
                uds,
                local_address,
                socket_options,
                http1=http1,
                http2=http2,
                retries=retries,
            ),
            clock,
            self._body,
            AsyncNetworkStream,
            journal,
        )

    @property
    def transmitter(self) -> Transmitter | None:
        """As that of `HTTPTransport`."""
        handler = self.handle_async_request
        direct = type(handler) is MethodType and handler.__func__ is _HANDLE_ASYNC_REQUEST
        return self._transmitter if direct else None

    @property
    def driver(self) -> AsyncDriver:
        """The driver of the backend; found out at the first use. Raises RuntimeError where none runs."""
        if self._driver is None:
            self._driver = AsyncDriver(self.backend or running_backend())
        return self._driver

    async def handle_async_request(self, request: Request) -> Response:
        """Send one request and return its response, whose body is still to be read. Raises TransportError."""
        return await self.driver.run(self._transmitter.transmit(request))

    @property
    def statistics(self) -> Statistics:
        """How many connections there are, how many are idle, and how many requests wait for one."""
        return self._transmitter.pool.statistics

    async def aclose(self) -> None:
        """Close all connections."""
        self._transmitter.pool.close()

    def _body(self, incoming: Any) -> AsyncBody:
        return AsyncBody(incoming, self.driver)


# As they are before anybody replaces them.
_HANDLE_REQUEST = HTTPTransport.handle_request
_HANDLE_ASYNC_REQUEST = AsyncHTTPTransport.handle_async_request


def _dialler(
    tls: LazyTLS,
    trust_env: bool,
    proxy: ProxyTypes | None,
    uds: str | None,
    local_address: str | None,
    socket_options: Iterable[SocketOption] | None,
    **options: Any,
) -> Dialler:
    options_of_sockets = tuple(socket_options or ())
    if proxy is None:
        return Dialler(tls, uds, local_address, options_of_sockets, **options)
    if not isinstance(proxy, Proxy):
        proxy = Proxy(proxy)
    # The client's own `verify` and `cert` are for the servers: what is not said of the proxy is as by default.
    context = proxy.ssl_context
    proxy_tls = LazyTLS(True if context is None else context, None, trust_env)
    return Dialler(tls, uds, local_address, options_of_sockets, proxy=proxy, proxy_tls=proxy_tls, **options)


def _pool(limits: Limits, mutex: Mutex) -> Pool:
    if not hasattr(limits, "max_keepalive_connections"):
        raise TypeError(
            f"limits= is made by Limits(max_connections=...) and such, not of type {type(limits).__name__}."
        )
    return Pool(mutex, limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry)
