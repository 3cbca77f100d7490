"""One go at a connection: what stands on a link, from the ground up.

    http://                            HTTP
    https://                           TLS, HTTP
    http:// by an HTTP proxy           [TLS with the proxy], HTTP with the proxy
    https:// by an HTTP proxy          [TLS with the proxy], CONNECT, TLS, HTTP
    by a SOCKS proxy                   SOCKS, [TLS], HTTP

Each layer shakes hands before the next one is put on it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..contracts import TLS, Connection, Layer, Link, Machine, TLSMachine
from ..effects import Offload, Operation
from ..errors import LocalProtocolError, ProxyError, TLSError, TransportError
from ..layers import in_words
from .budget import place
from .connecting import Connecting, Handshake
from .information import Connected

if TYPE_CHECKING:
    from ..config.options import Proxy
    from ..proxy.credentials import Introduction
    from ..proxy.tunnel import Refusal
    from .dial import Dialler

__all__ = ["HTTP1", "Building"]

#: What is offered, by ALPN, where only HTTP/1.1 is spoken.
HTTP1 = ["http/1.1"]


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

                return ForwardConnection(self._introduction.credentials, dialler.fast_lane, dialler.limits)
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
            yield from self._secure(self._dialler.proxy_tls, host, HTTP1, name)
        return name

    def _pass(self, proxy: Proxy, name: str, introduction: Introduction) -> Operation[Layer]:
        """Have the proxy connect to the origin. Raises ProxyError, ConnectTimeout or LocalProtocolError."""
        from ..proxy.route import passage, written

        _, host, port = self._request.url.origin
        try:
            layer = passage(
                proxy, host, port, introduction, self._dialler.limits, self._request.url.scheme == "https"
            )
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
            try:
                raise error from exc.__cause__
            finally:
                del error  # or this frame and the error's traceback would keep each other alive

    def _secure(self, tls: TLS, host: str, alpn: list[str], name: str) -> Operation[TLSMachine]:
        """Put TLS on top. Raises TLSError or ConnectTimeout."""
        if not tls.prepared:
            yield from self._prepare(tls)
        what = f"Could not make a TLS connection to {name}"
        slow = f"the TLS handshake with {name} took too long"
        try:
            machine = tls.machine(host, alpn)
        except (TypeError, ValueError) as exc:  # the first for a NUL
            # URLs take more names than TLS does: with empty labels, or with labels of more than 63 bytes.
            why = f"{host!r:.300} is no name for TLS: {exc}"
            raise self._connecting.failed(what, why, TLSError, "tls") from None
        context = getattr(getattr(machine, "ssl_object", None), "context", None)
        info = {"ssl_context": context, "server_hostname": host}
        yield from self._shake(machine, what, slow, TLSError, "start_tls", info)
        return machine

    def _prepare(self, tls: TLS) -> Operation[bool]:
        """Load the certificates. As nobody on the network is to blame, that does not count as connecting."""
        connecting = self._connecting
        clock = connecting.budget.clock
        began = clock()
        try:
            yield Offload(tls.prepare)
        except OSError as exc:
            what = "Could not load the certificates for TLS"
            raise connecting.failed(what, in_words(exc), TLSError, "tls") from exc
        connecting.excuse(clock() - began)
        if connecting.budget.ends is not None and connecting.seconds() == 0:
            raise connecting.spent(" because loading the certificates took too long")
        return True

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


def _connection(protocol: str, scheme: bytes, dialler: Dialler) -> Connection:
    # Imported here, as either takes milliseconds, and who imports us may never connect.
    if protocol == "h2":
        from ..http2.connection import Http2Connection

        return Http2Connection(scheme, dialler.http2_ping_interval, dialler.limits)
    from ..http1.connection import Http1Connection

    return Http1Connection(dialler.fast_lane, dialler.limits)
