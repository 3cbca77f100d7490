"""From an origin to a connection: name look-up, TCP or a Unix socket, proxies, TLS, HTTP.

How a transport does that, how often it tries, and which requests may share what comes of it. One go is a `Building`.
One limit, `connect`, covers it all.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, cast

from ..contracts import TLS, Connection, Link, Machine
from ..effects import Operation, Sleep
from ..errors import ConnectError, ConnectTimeout, ProxyError
from ..limits import DEFAULT_LIMITS, Limits
from .budget import Budget
from .building import HTTP1, Building
from .connecting import Connecting
from .information import Connected
from .opening import Opening

if TYPE_CHECKING:
    from ..config.options import Proxy
    from ..config.resolving import AddressPolicy, Overrides, ResolverFunction, ResolverTypes
    from ..models.request import Request
    from ..proxy.credentials import Credentials, Introduction
    from ..proxy.forward import ForwardConnection

__all__ = ["Dialler"]


class Dialler:
    """How a transport connects.

    `tls` is for the origins and `proxy_tls` for an https proxy; `uds` is the Unix socket to connect to instead of the
    host, or of the proxy's. `resolver` tells the addresses of names, and `address_policy` which ones of origins may be
    connected to. `http2_ping_interval` is for HTTP/2: see `http2/vigil.py`; with `fast_lane=False`, h11 reads and
    writes all of HTTP/1.1: see `http1/strict.py`. `limits` are those of heads and framing.

    Raises ValueError if neither `http1` nor `http2` is allowed, for negative `retries`, and for an interval that is not
    positive; TypeError for what is no number.
    """

    __slots__ = (
        "address_policy", "alpn", "credentials", "fast_lane", "http2", "http2_ping_interval", "limits", "local_address",
        "overrides", "proxy", "proxy_tls", "resolver", "retries", "socket_options", "tls", "uds",
    )  # fmt: skip

    def __init__(
        self,
        tls: TLS,
        uds: str | None = None,
        local_address: str | None = None,
        socket_options: tuple[tuple[Any, ...], ...] = (),
        *,
        http1: bool = True,
        http2: bool = False,
        proxy: Proxy | None = None,
        proxy_tls: TLS | None = None,
        retries: int = 0,
        resolver: ResolverTypes | None = None,
        address_policy: AddressPolicy | None = None,
        http2_ping_interval: float | None = None,
        fast_lane: bool = True,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if not (http1 or http2):
            raise ValueError("http1=False and http2=False leave no version of HTTP: allow one of them.")
        _check(retries, http2_ping_interval)
        self.tls = tls
        self.uds = uds
        self.local_address = local_address
        self.socket_options = socket_options
        self.proxy = proxy
        self.proxy_tls = tls if proxy_tls is None else proxy_tls
        #: Who we are to the proxy.
        self.credentials = None if proxy is None else _credentials(proxy)
        self.retries = retries
        #: What some names lead to, whatever the system says.
        self.overrides: Overrides | None = None
        #: Who is asked in the place of the system.
        self.resolver: ResolverFunction | None = None
        self.address_policy = address_policy
        if resolver is not None or address_policy is not None:
            self._choose(resolver, address_policy)
        self.http2 = http2
        #: Seconds of silence after which an HTTP/2 server is asked whether it is there; None for any number.
        self.http2_ping_interval = http2_ping_interval
        #: False where h11 reads and writes all of HTTP/1.1.
        self.fast_lane = fast_lane
        #: How much is taken of the heads of responses, a proxy's too.
        self.limits = limits
        #: What is offered to servers, the best first.
        self.alpn = ["h2", *HTTP1] if http1 and http2 else HTTP1 if http1 else ["h2"]

    def _choose(self, resolver: ResolverTypes | None, policy: AddressPolicy | None) -> None:
        # Imported here, as hardly anybody has either.
        from ..config.resolving import check_policy, resolver_of

        check_policy(policy)
        self.overrides, self.resolver = resolver_of(resolver)

    def dial(self, budget: Budget) -> Operation[Connection]:
        """Connect to the origin of the budget's request. Raises ConnectError, ConnectTimeout or ProxyError.

        The first two are answered with up to `retries` more goes, after 0, 0.5, 1, 2, ... seconds, as far as the total
        timeout allows.
        """
        for attempt in range(self.retries):
            pause = 2.0 ** (attempt - 2) if attempt else 0.0
            try:
                return (yield from self._connect(budget))
            except (ConnectError, ConnectTimeout):
                if budget.ends is not None and budget.clock() + pause >= budget.ends:
                    raise
            yield from _pause(pause, budget)
        return (yield from self._connect(budget))

    def forwards(self, request: Request) -> bool:
        """Whether the request goes to the proxy itself, in HTTP, and not through it."""
        proxy = self.proxy
        # Proxies are spoken to in HTTP/1.1. Where that is not allowed, a tunnel leaves the version to the origin.
        return (
            proxy is not None
            and request.url.scheme == "http"
            and proxy.url.scheme in ("http", "https")
            and "http/1.1" in self.alpn
        )

    def route(self, request: Request) -> Hashable:
        """Return what requests must have in common to use the same connection: all that changes who is trusted."""
        if self.forwards(request):
            # The connection is one to the proxy, whatever the origin; those who tell it who they are by themselves may
            # have told it so for the life of the connection.
            return ("forwarded", request.headers.get("Proxy-Authorization"))
        return (request.url.origin, request.extensions.get("sni_hostname"))

    def face(self, connection: Connection, request: Request) -> None:
        """Prepare a connection for the request, which will be the next one on it."""
        if self.forwards(request):
            cast("ForwardConnection", connection).turn_to(request)

    def check(self, request: Request) -> None:
        """Raise LocalProtocolError if the request carries what would miss the proxy that it is for."""
        if self.proxy is not None and not self.forwards(request):
            from ..proxy.route import refuse_credentials

            refuse_credentials(request)

    def _connect(self, budget: Budget) -> Operation[Connection]:
        connecting = Connecting(budget)
        introduction = None if self.credentials is None else _introduction(self.credentials)
        while True:
            building = Building(self, connecting, introduction)
            try:
                connection = yield from building.connection()
                connection.link = yield from building.put(connection)
            except ProxyError:
                building.give_up()
                if not building.again:
                    raise
            except BaseException:
                building.give_up()
                raise
            else:
                return connection

    def open(
        self,
        connecting: Connecting,
        host: str,
        port: int,
        name: str,
        machine: Machine,
        policy: AddressPolicy | None = None,
    ) -> Operation[Link]:
        """Make a link for its first machine. See `Opening`."""
        opening = Opening(self, connecting, host, port, name, machine, policy).open_link()
        if connecting.budget.report is None:
            return (yield from opening)
        info: dict[str, Any] = {"socket_options": self.socket_options or None}
        if self.uds is not None:
            event = "connect_unix_socket"
            info["path"] = self.uds
        else:
            event = "connect_tcp"
            info |= {"host": host, "port": port, "local_address": self.local_address}
        return (yield from connecting.aloud("connection", event, info, opening, told=Connected, undo=_close))


def _check(retries: Any, ping_interval: Any) -> None:
    """Raise TypeError or ValueError for numbers that are none."""
    if not isinstance(retries, int):
        raise TypeError(f"retries is a number of goes, not {type(retries).__name__}.")
    if retries < 0:
        raise ValueError(f"retries is {retries!r}, but must not be negative.")
    if not isinstance(ping_interval, int | float | None):
        raise TypeError(f"http2_ping_interval is seconds or None, not {type(ping_interval).__name__}.")
    if ping_interval is not None and not ping_interval > 0:
        raise ValueError(
            f"http2_ping_interval is {ping_interval!r}, but must be positive, or None for no PING."
        )


def _credentials(proxy: Proxy) -> Credentials:
    # Imported here, as the room of the proxies is for those who have one.
    from ..proxy.credentials import Credentials

    return Credentials(proxy)


def _introduction(credentials: Credentials) -> Introduction:
    from ..proxy.credentials import Introduction

    return Introduction(credentials)


def _close(link: Link) -> None:
    link.close()


def _pause(seconds: float, budget: Budget) -> Operation[bool]:
    """Wait between two goes."""
    sleeping = _sleep(seconds)
    if budget.report is None:
        return (yield from sleeping)
    return (yield from budget.report.around("connection", "retry", {}, sleeping))


def _sleep(seconds: float) -> Operation[bool]:
    if seconds:
        yield Sleep(seconds)
    return True
