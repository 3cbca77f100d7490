"""The transports that speak HTTP over a network: a pool of the core's, and a driver for it."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable
from typing import Any, TypeAlias

from httpure_core.config.options import DEFAULT_LIMITS, Limits
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
from ..backends import AsyncBackend, BlockingBackend
from .base import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncHTTPTransport", "HTTPTransport"]

#: What `socket.setsockopt` takes: (level, name, value), or (level, name, None, length).
SocketOption: TypeAlias = tuple[int, int, int | bytes] | tuple[int, int, None, int]


class HTTPTransport(BaseTransport):
    """HTTP over blocking sockets, or over another blocking `backend`.

    `verify` and `cert` are as in `create_ssl_context`; `limits` are those of the pool. `uds` is the path of a Unix
    socket to connect to instead of the URL's host; `local_address` the address to connect from; `socket_options`
    are set on each socket before it connects.
    """

    def __init__(
        self,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        limits: Limits = DEFAULT_LIMITS,
        uds: str | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
        *,
        backend: BlockingBackend | str | None = None,
    ) -> None:
        self.backend = blocking_backend(backend)
        #: Runs the core's operations; a client shares it.
        self.driver = BlockingDriver(self.backend)
        self._transmitter = Transmitter(
            _pool(limits, self.backend.mutex()),
            Dialler(LazyTLS(verify, cert, trust_env), uds, local_address, tuple(socket_options or ())),
            self.backend.clock,
            functools.partial(BlockingBody, driver=self.driver),
        )
        # A subclass that changes how requests are handled must be asked to handle them.
        if type(self).handle_request is HTTPTransport.handle_request:
            self.transmitter = self._transmitter

    def handle_request(self, request: Request) -> Response:
        """Send one request. Raises TransportError."""
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

    The other parameters are those of `HTTPTransport`.
    """

    def __init__(
        self,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        limits: Limits = DEFAULT_LIMITS,
        uds: str | None = None,
        local_address: str | None = None,
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
            Dialler(LazyTLS(verify, cert, trust_env), uds, local_address, tuple(socket_options or ())),
            clock,
            self._body,
        )
        if type(self).handle_async_request is AsyncHTTPTransport.handle_async_request:
            self.transmitter = self._transmitter

    @property
    def driver(self) -> AsyncDriver:
        """The driver of the backend; found out at the first use. Raises RuntimeError where none runs."""
        if self._driver is None:
            self._driver = AsyncDriver(self.backend or running_backend())
        return self._driver

    async def handle_async_request(self, request: Request) -> Response:
        """Send one request. Raises TransportError."""
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


def _pool(limits: Limits, mutex: Mutex) -> Pool:
    return Pool(mutex, limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry)
