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

import re
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..contracts import TLS, Connection, Layer, Link, Machine, TLSMachine
from ..effects import Address, Dial, Offload, Operation, Resolve, Sleep
from ..errors import ConnectError, ConnectTimeout, LocalProtocolError, ProxyError, TransportError
from ..layers import in_words
from .budget import Budget, place
from .connecting import Connecting, Handshake
from .information import Connected

if TYPE_CHECKING:
    from ..config.options import Proxy
    from ..models.request import Request
    from ..proxy.tunnel import Refusal

__all__ = ["Dialler"]

_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_HTTP1 = ["http/1.1"]


class Dialler:
    """How a transport connects.

    `tls` is for the origins and `proxy_tls` for an https proxy; `uds` is the Unix socket to connect to instead of the
    host, or of the proxy's. Raises ValueError if neither `http1` nor `http2` is allowed, and for negative `retries`.
    """

    __slots__ = (
        "alpn", "http2", "local_address", "proxy", "proxy_tls", "retries", "socket_options", "tls", "uds"
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
        self.retries = retries
        self.http2 = http2
        #: What is offered to servers, the best first.
        self.alpn = ["h2", *_HTTP1] if http1 and http2 else _HTTP1 if http1 else ["h2"]

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

    def check(self, request: Request) -> None:
        """Raise LocalProtocolError if the request carries what would miss the proxy that it is for."""
        if self.proxy is not None and not self.forwards(request):
            from ..proxy.route import refuse_credentials

            refuse_credentials(request)

    def _connect(self, budget: Budget) -> Operation[Connection]:
        building = Building(self, budget)
        try:
            connection = yield from building.connection()
            connection.link = yield from building.put(connection)
        except BaseException:
            if building.link is not None:
                building.link.close()
            raise
        return connection

    def open(
        self, connecting: Connecting, host: str, port: int, name: str, machine: Machine
    ) -> Operation[Link]:
        """Make a link for its first machine. `name` is the host in the words of errors."""
        opening = self._open(connecting, host, port, name, machine)
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

    def _open(
        self, connecting: Connecting, host: str, port: int, name: str, machine: Machine
    ) -> Operation[Link]:
        addresses = yield from self._resolve(connecting, host, port)
        failures: list[str] = []
        cause: OSError | None = None
        for index, address in enumerate(addresses):
            timeout = connecting.seconds(share=len(addresses) - index)
            dial = Dial(address, machine, timeout, self.local_address, self.socket_options)
            try:
                yield dial
            except TimeoutError:
                failures.append(f"{address}: timed out")
                if len(failures) == len(addresses):
                    raise connecting.spent(f" ({'; '.join(failures)})") from None
            except OSError as exc:
                failures.append(f"{address}: {in_words(exc)}")
                cause = exc
            except BaseException:
                if dial.link is not None:
                    dial.link.close()  # the interrupt came when the dialling was done
                raise
            else:
                return cast("Link", dial.link)
        try:
            raise connecting.failed(f"Could not connect to {name}", "; ".join(failures)) from cause
        finally:
            del cause  # which knows this frame by its traceback

    def _resolve(self, connecting: Connecting, host: str, port: int) -> Operation[list[Address]]:
        if self.uds is not None:
            return [Address(family="unix", path=self.uds)]
        if _IPV4.fullmatch(host):
            return [Address(host, port)]
        if ":" in host:
            return [Address(host, port, family="ipv6")]
        look_up = Resolve(host, port, connecting.seconds())
        try:
            yield look_up
        except TimeoutError:
            raise connecting.spent(f" because looking up the name {host} took too long") from None
        except OSError as exc:
            raise connecting.failed(f"Could not look up the host name {host!r}", in_words(exc)) from exc
        return look_up.addresses


class Building:
    """One go at a connection: what stands on the link so far."""

    __slots__ = ("_connecting", "_dialler", "_first_hop", "_request", "_top", "_who", "link")

    #: The innermost layer so far, where there is a link.
    _top: Layer

    def __init__(self, dialler: Dialler, budget: Budget) -> None:
        self.link: Link | None = None
        self._dialler = dialler
        self._request = budget.request
        self._connecting = Connecting(budget)
        _, host, port = budget.request.url.origin
        #: The host and port to connect to, and what errors call it.
        self._first_hop = (host, port, host)
        #: Who acts, for those who listen.
        self._who = "connection"

    def connection(self) -> Operation[Connection]:
        """Shake hands with everybody on the way, and return the connection that is to be put on top."""
        dialler, request = self._dialler, self._request
        through = ""
        if dialler.proxy is not None:
            name = yield from self._reach(dialler.proxy)
            if dialler.forwards(request):
                from ..proxy.forward import ForwardConnection
                from ..proxy.route import proxy_fields

                return ForwardConnection(b"http://" + request.url.netloc, proxy_fields(dialler.proxy))
            yield from self._pass(dialler.proxy, name)
            through = f" through {name}"
        if request.url.scheme != "https":
            return _connection(dialler.alpn[-1], b"http")
        name = request.extensions.get("sni_hostname") or request.url.origin.host
        tls = yield from self._secure(dialler.tls, name, dialler.alpn, f"{name}{through}")
        # A server without ALPN speaks HTTP/1.1; or HTTP/2, if we were told to speak nothing else.
        return _connection(tls.protocol or dialler.alpn[-1], b"https")

    def put(self, machine: Machine) -> Operation[Link]:
        """Put a machine on top of what there is; for the first one, the link is made."""
        link = self.link
        if link is None:
            link = self.link = yield from self._dialler.open(self._connecting, *self._first_hop, machine)
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

    def _pass(self, proxy: Proxy, name: str) -> Operation[Layer]:
        """Have the proxy connect to the origin. Raises ProxyError, ConnectTimeout or LocalProtocolError."""
        from ..proxy.route import passage, written

        _, host, port = self._request.url.origin
        try:
            layer = passage(proxy, host, port)
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


def _connection(protocol: str, scheme: bytes) -> Connection:
    # Imported here, as h11 is a third of the time to import us, and h2 costs more than that.
    if protocol == "h2":
        from ..http2.connection import Http2Connection

        return Http2Connection(scheme)
    from ..http1.connection import Http1Connection

    return Http1Connection()
