"""By way of a proxy: where it is, what it is told, and how it is asked for a connection to the origin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import LocalProtocolError
from ..layers import Passage
from ..limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from ..config.options import Proxy
    from ..models.request import Request
    from .credentials import Introduction

__all__ = ["first_hop", "passage", "refuse_credentials", "written"]

_SOCKS_PORT = 1080


def first_hop(proxy: Proxy) -> tuple[str, int]:
    """Return the proxy's host and port."""
    _, host, port = proxy.url.origin
    return host, port or _SOCKS_PORT


def written(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 address in brackets and without its zone, which means nothing elsewhere."""
    host = host.partition("%")[0]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def passage(
    proxy: Proxy,
    host: str,
    port: int,
    introduction: Introduction,
    limits: Limits = DEFAULT_LIMITS,
    client_first: bool = False,
) -> Passage:
    """Return the layer that asks the proxy for a connection. Raises ValueError if the proxy cannot be told that.

    `client_first` says that by what goes through the tunnel, such as TLS, it is for us to begin.
    """
    if proxy.url.scheme in ("http", "https"):
        from .tunnel import Tunnel

        authority = written(host, port).encode("ascii")
        say = partial(introduction.credentials.fields, b"CONNECT", authority)
        return Tunnel(
            authority,
            say(),
            lambda answer: say() if introduction.heard(answer) else None,
            limits,
            client_first,
        )
    from .socks5 import Socks5

    return Socks5(host, port, proxy.raw_auth)


def refuse_credentials(request: Request) -> None:
    """Let no credentials for a proxy go through it, to the origin. Raises LocalProtocolError."""
    if "Proxy-Authorization" in request.headers:
        raise LocalProtocolError(
            "The request has a Proxy-Authorization field, but the proxy only carries its bytes: the server would get "
            "the credentials, and the proxy would not. Give them to the proxy: Proxy(url, auth=(name, password))",
            request=request,
        )
