"""From an origin to a connection: name look-up, TCP or a Unix socket, proxies, TLS, HTTP.

What stands on a link is built from the ground up, one layer after the other shaking hands:

    http://                            HTTP
    https://                           TLS, HTTP
    http:// by an HTTP proxy           [TLS with the proxy], HTTP with the proxy
    https:// by an HTTP proxy          [TLS with the proxy], CONNECT, TLS, HTTP
    by a SOCKS proxy                   SOCKS, [TLS], HTTP

One limit, `connect`, covers it all.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..contracts import TLS, Connection, Layer, Link, Machine, TLSMachine
from ..effects import Offload, Operation, Sleep
from ..errors import ConnectError, ConnectTimeout, LocalProtocolError, ProxyError, TransportError
from ..layers import in_words
from .budget import Budget, place
from .connecting import Connecting, Handshake
from .information import Connected
from .opening import Opening

if TYPE_CHECKING:
    from ..config.options import Proxy
    from ..config.resolving import AddressPolicy, Overrides, ResolverFunction, ResolverTypes
    from ..models.request import Request
    from ..proxy.credentials import Credentials, Introduction
    from ..proxy.forward import ForwardConnection
    from ..proxy.tunnel import Refusal

__all__ = ["Dialler"]

_HTTP1 = ["http/1.1"]


class Dialler:
    """How a transport connects.

    `tls` is for the origins and `proxy_tls` for an https proxy; `uds` is the Unix socket to connect to instead of the
    host, or of the proxy's. `resolver` tells the addresses of names, and `address_policy` which ones of origins may be
    connected to. `http2_ping_interval` is for HTTP/2: see `http2/vigil.py`; with `fast_lane=False`, h11 reads and
    writes all of HTTP/1.1: see `http1/strict.py`. Raises ValueError if neither `http1` nor `http2` is allowed, for
    negative `retries`, and for an interval that is not positive.
    """

    __slots__ = (
        "address_policy", "alpn", "credentials", "fast_lane", "http2", "http2_ping_interval", "local_address",
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
    ) -> None:
        if not (http1 or http2):
            raise ValueError("http1=False and http2=False leave no version of HTTP: allow one of them.")
        if not isinstance(retries, int):
            raise TypeError(f"retries is a number of goes, not {type(retries).__name__}.")
        if retries < 0:
            raise ValueError(f"retries is {retries!r}, but must not be negative.")
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
        if http2_ping_interval is not None and not http2_ping_interval > 0:
            raise ValueError(
                f"http2_ping_interval is {http2_ping_interval!r}, but must be positive, or None for no PING."
            )
        #: Seconds of silence after which an HTTP/2 server is asked whether it is there; None for any number.
        self.http2_ping_interval = http2_ping_interval
        #: False where h11 reads and writes all of HTTP/1.1.
        self.fast_lane = fast_lane
        #: What is offered to servers, the best first.
        self.alpn = ["h2", *_HTTP1] if http1 and http2 else _HTTP1 if http1 else ["h2"]

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


class Building:
    """One go at a connection: what stands on the link so far."""

    __slots__ = (
        "_connecting", "_dialler", "_first_hop", "_introduction", "_origin", "_request", "_top", "_who", "again",
        "link",
    )  # fmt: skip

    #: The innermost layer so far, where there is a link.
    _top: Layer

    def __init__(
        self, dialler: Dialler, connecting: Connecting, introduction: Introduction | None = None
    ) -> None:
        self.link: Link | None = None
        #: True after a failure that says how to do better: the proxy has asked who we are.
        self.again = False
        self._dialler = dialler
        self._request = request = connecting.budget.request
        self._connecting = connecting
        self._introduction = introduction
        _, host, port = request.url.origin
        #: The host and port to connect to, and what errors call it.
        self._first_hop = self._origin = (host, port, host)
        #: Who acts, for those who listen.
        self._who = "connection"

    def connection(self) -> Operation[Connection]:
        """Shake hands with everybody on the way, and return the connection that is to be put on top."""
        dialler, request = self._dialler, self._request
        through = ""
        if dialler.proxy is not None and self._introduction is not None:
            name = yield from self._reach(dialler.proxy)
            if dialler.forwards(request):
                from ..proxy.forward import ForwardConnection

                return ForwardConnection(self._introduction.credentials, dialler.fast_lane)
            yield from self._pass(dialler.proxy, name, self._introduction)
            through = f" through {name}"
        if request.url.scheme != "https":
            return _connection(dialler.alpn[-1], b"http", dialler)
        name = request.extensions.get("sni_hostname") or request.url.origin.host
        tls = yield from self._secure(dialler.tls, name, dialler.alpn, f"{name}{through}")
        # A server without ALPN speaks HTTP/1.1; or HTTP/2, if we were told to speak nothing else.
        return _connection(tls.protocol or dialler.alpn[-1], b"https", dialler)

    def give_up(self) -> None:
        """Close what there is."""
        if self.link is not None:
            self.link.close()

    def put(self, machine: Machine) -> Operation[Link]:
        """Put a machine on top of what there is; for the first one, the link is made."""
        link = self.link
        if link is None:
            # The address of a proxy is nobody's to choose but the user's.
            policy = self._dialler.address_policy if self._first_hop is self._origin else None
            link = self.link = yield from self._dialler.open(
                self._connecting, *self._first_hop, machine, policy
            )
        else:
            with link.mutex:
                self._top.attach(machine)
            link.nudge()  # it may have stopped reading, for what came early
        return link

    def _reach(self, proxy: Proxy) -> Operation[str]:
        """Go to the proxy first, and begin TLS with an https one. Returns what errors call it."""
        from ..proxy.route import first_hop, written

        host, port = first_hop(proxy)
        name = f"the proxy {written(host, port)}"
        self._first_hop = (host, port, name)
        if proxy.url.scheme == "https":
            yield from self._secure(self._dialler.proxy_tls, host, _HTTP1, name)
        return name

    def _pass(self, proxy: Proxy, name: str, introduction: Introduction) -> Operation[Layer]:
        """Have the proxy connect to the origin. Raises ProxyError, ConnectTimeout or LocalProtocolError."""
        from ..proxy.route import passage, written

        _, host, port = self._request.url.origin
        try:
            layer = passage(proxy, host, port, introduction)
        except ValueError as exc:
            raise LocalProtocolError(f"{exc}, {place(self._request)}", request=self._request) from None
        is_socks = proxy.url.scheme.startswith("socks")
        self._who, event = ("socks", "setup_socks5_connection") if is_socks else ("proxy", "setup_tunnel")
        where = written(host, port)
        what = f"{name[0].upper()}{name[1:]} did not connect to {where}"
        slow = f"{name} took too long to connect to {where}"
        shaking = self._shake(layer, what, slow, ProxyError, event, {"host": host, "port": port})
        try:
            return (yield from shaking)
        except TransportError as exc:
            self.again = getattr(layer, "again", False)
            refusal: Refusal | None = getattr(layer, "refusal", None)
            if refusal is None:
                raise
            # It has answered, if perhaps not to the end: that tells more than that something took too long.
            error = ProxyError(str(self._connecting.failed(what, str(refusal))), request=self._request)
            error.proxy_response = refusal.response(self._request)
            raise error from exc.__cause__

    def _secure(self, tls: TLS, host: str, alpn: list[str], name: str) -> Operation[TLSMachine]:
        """Put TLS on top. Raises ConnectError or ConnectTimeout."""
        if not tls.prepared:
            try:
                yield Offload(tls.prepare)
            except OSError as exc:
                raise self._connecting.failed(
                    "Could not load the certificates for TLS", in_words(exc)
                ) from exc
        what = f"Could not make a TLS connection to {name}"
        slow = f"the TLS handshake with {name} took too long"
        try:
            machine = tls.machine(host, alpn)
        except ValueError as exc:
            # URLs take more names than TLS does: with empty labels, or with labels of more than 63 bytes.
            raise self._connecting.failed(what, f"{host!r:.300} is no name for TLS: {exc}") from None
        context = getattr(getattr(machine, "ssl_object", None), "context", None)
        info = {"ssl_context": context, "server_hostname": host}
        yield from self._shake(machine, what, slow, ConnectError, "start_tls", info)
        return machine

    def _shake(
        self,
        layer: Layer,
        what: str,
        slow: str,
        kind: type[TransportError],
        event: str,
        info: dict[str, Any],
    ) -> Operation[Layer]:
        """Put a layer on top, and have it shake hands. See `Handshake`."""
        link = yield from self.put(layer)
        self._top = layer
        shaking = Handshake(self._connecting, link, layer, what, slow, kind).shake()
        told = partial(_connected, link)
        return (yield from self._connecting.aloud(self._who, event, info, shaking, told=told))


def _credentials(proxy: Proxy) -> Credentials:
    # Imported here, as the room of the proxies is for those who have one.
    from ..proxy.credentials import Credentials

    return Credentials(proxy)


def _introduction(credentials: Credentials) -> Introduction:
    from ..proxy.credentials import Introduction

    return Introduction(credentials)


def _connected(link: Link, layer: Layer) -> Connected:
    return Connected(link)


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


def _connection(protocol: str, scheme: bytes, dialler: Dialler) -> Connection:
    # Imported here, as either takes milliseconds, and who imports us may never connect.
    if protocol == "h2":
        from ..http2.connection import Http2Connection

        return Http2Connection(scheme, dialler.http2_ping_interval)
    from ..http1.connection import Http1Connection

    return Http1Connection(dialler.fast_lane)
