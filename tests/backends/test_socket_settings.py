"""Unix sockets, local addresses and socket options: on each backend, and on the way to a proxy as well."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

import httpure
from tests.behaviour.world import RealWorld
from tests.peers import Answer, Call, ConnectProxy, Site, SocksProxy, with_tls
from tests.peers.tls import authority

unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")


def echo(call: Call) -> Answer:
    return Answer(200, call.target.encode())


def transport(http: RealWorld, **settings: Any) -> Any:
    return http.transport(verify=authority().trusting, **settings)


@unix
async def test_unix_socket(http: RealWorld, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    site = Site(echo)
    http._network.listen_unix(site, path)
    async with http.client(transport=transport(http, uds=path)) as client:
        assert (await client.get("http://docker/info")).text == "/info"
        assert (await client.get("http://docker/again")).text == "/again"
    assert site.connections == 1
    assert site.calls[0].field("host") == "docker"


@unix
async def test_tls_over_a_unix_socket(http: RealWorld, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    http._network.listen_unix(with_tls(Site(echo)), path)
    async with http.client(transport=transport(http, uds=path)) as client:
        assert (await client.get("https://localhost/info")).text == "/info"


@unix
async def test_unix_socket_that_is_not_there(http: RealWorld, tmp_path: Path) -> None:
    path = str(tmp_path / "missing")
    async with http.client(transport=transport(http, uds=path)) as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get("http://docker/info")
    assert str(caught.value) == (
        f"Could not connect to docker ({path}: No such file or directory), GET http://docker/info"
    )


@unix
async def test_a_proxy_at_a_unix_socket(http: RealWorld, tmp_path: Path) -> None:
    """The socket is where the first connection goes: to the proxy."""
    path = str(tmp_path / "socket")
    proxy = ConnectProxy(with_tls(Site(echo)))
    http._network.listen_unix(proxy, path)
    settings = {"uds": path, "proxy": "http://proxy.test"}
    async with http.client(transport=transport(http, **settings)) as client:
        assert (await client.get("https://localhost/info")).text == "/info"
    assert proxy.requests[0].target == "localhost:443"


@linux
@pytest.mark.parametrize("way", ["direct", "forward", "tunnel", "socks"])
async def test_local_address_and_options(http: RealWorld, way: str) -> None:
    site = Site(echo)
    servers: dict[str, Any] = {"tunnel": ConnectProxy(with_tls(site)), "socks": SocksProxy(site)}
    address = http.serve(servers.get(way, site)).partition("://")[2]
    settings: dict[str, Any] = {
        "local_address": "127.0.0.7",
        "socket_options": [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)],
    }
    if way != "direct":
        settings["proxy"] = f"{'socks5' if way == 'socks' else 'http'}://{address}"
    url = {"direct": f"http://{address}/", "tunnel": "https://localhost/"}.get(way, "http://server.test/")
    async with http.client(transport=transport(http, **settings)) as client:
        async with client.stream("GET", url) as response:
            sock = response.extensions["network_stream"].get_extra_info("socket")
            assert sock.getsockname()[0] == "127.0.0.7"
            assert sock.getpeername() == ("127.0.0.1", int(address.partition(":")[2]))
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_local_address_that_is_not_ours(http: RealWorld) -> None:
    address = http.serve(ConnectProxy()).partition("://")[2]
    settings = {"local_address": "203.0.113.1", "proxy": f"http://{address}"}
    async with http.client(transport=transport(http, **settings)) as client:
        with pytest.raises(httpure.ConnectError, match=rf"Could not connect to the proxy {address} \("):
            await client.get("https://localhost/")
        assert client.statistics == (0, 0, 0)
