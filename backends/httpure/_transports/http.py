"""The transports that speak HTTP over a network: a pool of the core's, and a driver for it."""

from __future__ import annotations

import time
from _thread import allocate_lock  # `threading.Lock`; the import of that module takes a millisecond
from collections.abc import Callable, Iterable
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeAlias

from httpure_core.config.options import DEFAULT_LIMITS, Limits, Proxy, ProxyTypes
from httpure_core.contracts import Clock, Mutex
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.dial import Dialler
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Pool, Statistics

from .._bodies import AsyncBody, BlockingBody
from .._detection import async_backend, blocking_driver, running_backend
from .._driving import AsyncDriver
from .._forks import survives_forks
from .._lazy_tls import CertTypes, LazyTLS, VerifyTypes
from .._logging import journal
from .._network_stream import AsyncNetworkStream, NetworkStream
from ..backends import AsyncBackend, BlockingBackend
from .base import AsyncBaseTransport, BaseTransport

if TYPE_CHECKING:
    from httpure_core.config.resolving import AddressPolicy, ResolverTypes

__all__ = ["AsyncHTTPTransport", "HTTPTransport", "checked_grace"]

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
    - `limits`: of the pool, and of the heads of responses; those that do not concern connections are the client's.
    - `proxy`: a `Proxy` or its URL, by which all requests go.
    - `uds`: the path of a Unix socket to connect to, instead of to the URL's host (or the proxy).
    - `local_address`: the address to connect from.
    - `retries`: how often to try again where no connection could be made: at once, then after 0.5 s, 1 s, 2 s, ...
    - `socket_options`: set on each socket before it connects, as `socket.setsockopt` takes them.
    - `resolver`: a function of host and port that returns IP addresses, or a dict: {"example.org": "127.0.0.1",
      "example.org:443": ["10.0.0.1", "::1"]}, with the system's look-up for all other names.
    - `address_policy`: a function of an `Address` that returns whether it may be connected to, such as
      `httpure.public_addresses_only`. It is not asked about the address of a proxy, nor about `uds`.
    - `http2_ping_interval`: for how many seconds an HTTP/2 server may be silent while requests wait for it. Then it is
      asked whether it is there (PING), and if nothing comes for as many seconds more, all requests on the connection
      fail with ReadError. None, the default: no PING, and only the read timeout counts.
    - `resend`: whether a request that may be repeated (GET, HEAD, OPTIONS, PUT, DELETE, TRACE), and has a body that can
      be, is sent again, twice at most, where a connection that was used before is lost before any byte of an answer
      came: it had been closed, most likely. True by default. What the server says that it has not looked at is sent
      again in any case.
    - `fast_lane`: False has h11 write and read all of HTTP/1.1. By default httpure does by itself what is plain, in a
      quarter of the time, and leaves to h11 whatever is not. Both say the same; where you doubt that, switch it off.

    Raises ValueError where no version of HTTP is left, for negative `retries`, an interval that is not positive, and a
    URL that no proxy can have; TypeError for a `resolver`, an `address_policy` or `limits` of another kind.
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
        resolver: ResolverTypes | None = None,
        address_policy: AddressPolicy | None = None,
        http2_ping_interval: float | None = None,
        resend: bool = True,
        fast_lane: bool = True,
    ) -> None:
        limits = _own(limits)
        #: Runs the core's operations; a client shares it.
        self.driver = driver = blocking_driver(backend)
        self.backend = self.driver.backend
        self._transmitter = _transmitter_for(
            _pool(limits, self.backend.mutex),
            _dialler(
                LazyTLS.of(verify, cert, trust_env),
                trust_env,
                proxy,
                uds,
                local_address,
                socket_options,
                self.backend,
                http1=http1,
                http2=http2,
                retries=retries,
                resolver=resolver,
                address_policy=address_policy,
                http2_ping_interval=http2_ping_interval,
                fast_lane=fast_lane,
                limits=limits,
            ),
            self.backend.clock,
            lambda incoming: BlockingBody(incoming, driver),  # `self` in here would be a circle
            NetworkStream,
            journal,
            resend=resend,
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
        """How many connections there are, how many are idle, how many requests wait for one, and how many have one."""
        return self._transmitter.pool.statistics

    def cut_short(self) -> None:
        """Close all connections at once, whatever else closing means to a subclass: nobody waits for them any more."""
        self._transmitter.pool.close()

    def statistics_by_origin(self) -> dict[str, Statistics]:
        """Return the figures of each origin that there are some of, such as "https://example.org:8443".

        What an HTTP proxy forwards is counted under the proxy's URL, as all origins share those connections.

        >>> with httpure.HTTPTransport() as transport, httpure.Client(transport=transport) as client:
        ...     client.get("https://example.org"), transport.statistics_by_origin()
        (<Response [200 OK]>, {'https://example.org': Statistics(connections=1, idle=1, waiting=0)})
        """
        return _by_origin(self._transmitter)

    def wind_down(self, grace: float, *, refuse: bool = True) -> bool:
        """Wait until no request is under way, for `grace` seconds at most. Returns True if that is so.

        From now on, new requests are refused, with RuntimeError; with `refuse=False` they are carried. Nothing is
        closed. Raises ValueError for a negative number, TypeError for what is none.

        >>> with httpure.HTTPTransport() as transport:
        ...     transport.wind_down(0.5)
        True
        """
        return self.driver.run(self._transmitter.drain(checked_grace(grace), refuse))

    def close(self, *, grace: float | None = None) -> None:
        """Close all connections: at once, or, with `grace`, when the requests under way are done.

        These have so many seconds, streamed responses included, and those who wait for a connection. New requests are
        refused, with RuntimeError. Raises ValueError for a negative number.
        """
        try:
            if grace:
                self.wind_down(grace)
        finally:
            self._transmitter.pool.close()


class AsyncHTTPTransport(AsyncBaseTransport):
    """HTTP over asyncio or trio, whichever runs when the first request is sent, or over a given `backend`.

    >>> async def main():
    ...     async with httpure.AsyncClient(transport=httpure.AsyncHTTPTransport(retries=2)) as client:
    ...         return await client.get("https://example.org")
    >>> asyncio.run(main())
    <Response [200 OK]>

    The other parameters are those of `HTTPTransport`; `resolver` may be a coroutine function.
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
        resolver: ResolverTypes | None = None,
        address_policy: AddressPolicy | None = None,
        http2_ping_interval: float | None = None,
        resend: bool = True,
        fast_lane: bool = True,
    ) -> None:
        limits = _own(limits)
        self.backend = chosen = async_backend(backend)
        self._driver: AsyncDriver | None = None
        mutex: Callable[[], Mutex] = allocate_lock if chosen is None else chosen.mutex
        clock: Clock = time.monotonic if chosen is None else chosen.clock
        self._transmitter = _transmitter_for(
            _pool(limits, mutex),
            _dialler(
                LazyTLS.of(verify, cert, trust_env),
                trust_env,
                proxy,
                uds,
                local_address,
                socket_options,
                chosen,
                http1=http1,
                http2=http2,
                retries=retries,
                resolver=resolver,
                address_policy=address_policy,
                http2_ping_interval=http2_ping_interval,
                fast_lane=fast_lane,
                limits=limits,
            ),
            clock,
            self._body,
            AsyncNetworkStream,
            journal,
            resend=resend,
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
        """How many connections there are, how many are idle, how many requests wait for one, and how many have one."""
        return self._transmitter.pool.statistics

    def cut_short(self) -> None:
        """As that of `HTTPTransport`."""
        self._transmitter.pool.close()

    def statistics_by_origin(self) -> dict[str, Statistics]:
        """As that of `HTTPTransport`."""
        return _by_origin(self._transmitter)

    async def wind_down(self, grace: float, *, refuse: bool = True) -> bool:
        """As that of `HTTPTransport`."""
        return await self.driver.run(self._transmitter.drain(checked_grace(grace), refuse))

    async def aclose(self, *, grace: float | None = None) -> None:
        """Close all connections, as `HTTPTransport.close` does."""
        try:
            if grace:
                await self.wind_down(grace)
        finally:
            self._transmitter.pool.close()

    def _body(self, incoming: Any) -> AsyncBody:
        return AsyncBody(incoming, self._driver or self.driver)


_DEFAULT_PORTS = {"http": 80, "https": 443}

# As they are before anybody replaces them.
_HANDLE_REQUEST = HTTPTransport.handle_request
_HANDLE_ASYNC_REQUEST = AsyncHTTPTransport.handle_async_request


def _transmitter_for(pool: Pool, dialler: Dialler, *parts: Any, resend: bool) -> Transmitter:
    if dialler.proxy is None:
        return Transmitter(pool, dialler, *parts, resend=resend)
    from httpure_core.operations.forwarding import ForwardingTransmitter

    return ForwardingTransmitter(pool, dialler, *parts, resend=resend)


def _checked_options(options: Iterable[SocketOption]) -> tuple[SocketOption, ...]:
    if not isinstance(options, str | bytes) and hasattr(options, "__iter__"):
        found = tuple(options)
        if all(isinstance(each, tuple | list) and len(each) in (3, 4) for each in found):
            return found
    raise TypeError(
        "socket_options is a list of what setsockopt() takes, such as "
        f"(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), not {type(options).__name__}."
    )


def _dialler(
    tls: LazyTLS,
    trust_env: bool,
    proxy: ProxyTypes | None,
    uds: str | None,
    local_address: str | None,
    socket_options: Iterable[SocketOption] | None,
    backend: Any,
    **options: Any,
) -> Dialler:
    options_of_sockets = () if socket_options is None else _checked_options(socket_options)
    # A backend whose network is not the real one may bring the TLS that is spoken there.
    own: Any = getattr(backend, "tls", None)
    tls = own or tls
    if proxy is None:
        return Dialler(tls, uds, local_address, options_of_sockets, **options)
    if not isinstance(proxy, Proxy):
        proxy = Proxy(proxy)
    # The client's own `verify` and `cert` are for the servers: what is not said of the proxy is as by default.
    context = proxy.ssl_context
    proxy_tls = own or LazyTLS(True if context is None else context, None, trust_env)
    return Dialler(tls, uds, local_address, options_of_sockets, proxy=proxy, proxy_tls=proxy_tls, **options)


def _own(limits: Any) -> Limits:
    """Return the limits as ours: what another package made for the same purpose may have no more than three."""
    if isinstance(limits, Limits):
        return limits
    if not hasattr(limits, "max_keepalive_connections"):
        raise TypeError(
            f"limits= is made by Limits(max_connections=...) and such, not of type {type(limits).__name__}."
        )
    return Limits(**{name: getattr(limits, name) for name in Limits.__slots__ if hasattr(limits, name)})


def _pool(limits: Limits, mutex: Callable[[], Mutex]) -> Pool:
    pool = Pool(
        mutex(),
        limits.max_connections,
        limits.max_keepalive_connections,
        limits.keepalive_expiry,
        max_per_route=limits.max_connections_per_origin,
        max_age=limits.max_connection_age,
        max_requests=limits.max_requests_per_connection,
    )
    return survives_forks(pool, mutex)


def _by_origin(transmitter: Transmitter) -> dict[str, Statistics]:
    figures: dict[str, Statistics] = {}
    for route, those in transmitter.pool.statistics_by_route().items():
        name = _origin_of(route, transmitter.dialler.proxy)
        before = figures.get(name, Statistics(0, 0, 0))
        figures[name] = before.plus(those)
    return figures


def _origin_of(route: Any, proxy: Proxy | None) -> str:
    origin = route[0]
    if not isinstance(origin, tuple):
        return str(proxy.url) if proxy is not None else str(origin)  # one connection serves many origins then
    scheme, host, port = origin
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS.get(scheme) else f"{scheme}://{host}:{port}"


def checked_grace(grace: float | None) -> float:
    """Return the seconds. Raises TypeError and ValueError."""
    if grace is None:
        return 0.0
    if not isinstance(grace, (int, float)):
        raise TypeError(f"grace= is a number of seconds or None, not {type(grace).__name__}.")
    if not grace >= 0:
        raise ValueError(f"grace= is {grace!r}, but must not be negative or NaN.")
    return grace
