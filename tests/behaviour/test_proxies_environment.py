"""Proxies of the environment, with real requests. Which one is for which URL: see `test_routing.py`."""

from __future__ import annotations

import pytest

import httpure
from tests.peers import Answer, Call, ConnectProxy, Site, with_tls

from .world import World


def echo(call: Call) -> Answer:
    return Answer(200, call.target.encode())


async def test_forwarded_and_tunnelled(http: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, tunnel = Site(echo), ConnectProxy(with_tls(Site(echo)))
    monkeypatch.setenv("HTTP_PROXY", http.serve(plain))
    monkeypatch.setenv("https_proxy", http.serve(tunnel).removeprefix("http://"))
    async with http.client(verify="test") as client:
        assert (await client.get("http://server.test/a")).text == "http://server.test/a"
        assert (await client.get("https://localhost/b")).text == "/b"
        await client.get("https://localhost/b")
    assert plain.connections == 1
    assert len(tunnel.requests) == 1


async def test_credentials(http: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Site(echo)
    monkeypatch.setenv("ALL_PROXY", http.serve(plain).replace("://", "://user:pass@"))
    async with http.client() as client:
        response = await client.get("http://server.test/")
    assert plain.calls[0].field("proxy-authorization") == "Basic dXNlcjpwYXNz"
    assert "proxy-authorization" not in response.request.headers


async def test_bypassed(http: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, direct = Site(echo), Site(echo)
    url = http.serve(direct)
    monkeypatch.setenv("HTTP_PROXY", http.serve(plain))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.0/8")
    async with http.client() as client:
        assert (await client.get(url + "/near")).text == "/near"
        assert (await client.get("http://server.test/far")).text == "http://server.test/far"
    async with http.client(trust_env=False) as client:
        with pytest.raises(httpure.ConnectError):
            await client.get("http://server.invalid/")
    assert [call.target for call in direct.calls] == ["/near"]
    assert [call.target for call in plain.calls] == ["http://server.test/far"]


async def test_redirects_go_where_the_environment_says(http: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hop anew: from the server that is reached directly to the one behind the proxy."""
    plain = Site(echo)
    direct = Site(lambda call: Answer(302, fields=[("Location", "http://server.test/far")]))
    url = http.serve(direct)
    monkeypatch.setenv("HTTP_PROXY", http.serve(plain))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with http.client(follow_redirects=True) as client:
        assert (await client.get(url)).text == "http://server.test/far"


async def test_a_proxy_that_cannot_be_used(http: World, monkeypatch: pytest.MonkeyPatch) -> None:
    url = http.serve(Site(echo))
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:1080/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with http.client() as client:
        with pytest.raises(httpure.ProxyError) as caught:
            await client.get("http://server.test/")
        assert (await client.get(url + "/sound")).text == "/sound"
    assert str(caught.value) == (
        "The environment variable all_proxy names no proxy to use: A proxy's URL begins with http://, https://, "
        "socks5:// or socks5h://, not as URL('socks://127.0.0.1:1080/'), GET http://server.test/"
    )
