"""Scripted proxies."""

from __future__ import annotations

import pytest

import httpure
from httpure import testing

PROXY = "http://proxy.test:3128"


def test_tunnels_and_forwarding() -> None:
    with testing.world() as world:
        proxy = world.proxy(PROXY)
        for origin in ("https://one.test", "http://two.test", "http://three.test"):
            world.serve(origin).otherwise(lambda request: httpure.Response(200, text=str(request.url)))
        with httpure.Client(proxy=PROXY) as client:
            for url in ("https://one.test/", "http://two.test/", "http://three.test/"):
                assert client.get(url).text == url
            assert client.get("http://nobody.test/").status_code == 502
            with pytest.raises(httpure.ProxyError, match="502"):
                client.get("https://nobody.test/")
    assert proxy.asked == [
        "CONNECT one.test:443",
        "GET http://two.test/",
        "GET http://three.test/",
        "GET http://nobody.test/",
        "CONNECT nobody.test:443",
    ]
    assert len(world.servers[1].requests) == 1


def test_credentials() -> None:
    with testing.world() as world:
        world.proxy(PROXY, auth=("ada", "secret"))
        world.serve("https://api.test").otherwise(200)
        world.serve("http://api.test").otherwise(200)
        with httpure.Client(proxy=PROXY) as client:
            assert client.get("http://api.test").status_code == 407
            with pytest.raises(httpure.ProxyError, match="407"):
                client.get("https://api.test")
        with httpure.Client(proxy=httpure.Proxy(PROXY, auth=("ada", "secret"))) as client:
            assert [client.get(f"{scheme}://api.test").status_code for scheme in ("http", "https")] == [
                200,
                200,
            ]


def test_refusals() -> None:
    with testing.world() as world:
        proxy = world.proxy(PROXY)
        proxy.refuse(503)
        world.serve("https://api.test", http2=True).otherwise(200)
        with httpure.Client(proxy=PROXY, http2=True) as client:
            with pytest.raises(httpure.ProxyError, match="503"):
                client.get("https://api.test")
            assert client.get("https://api.test").http_version == "HTTP/2"


def test_the_proxys_servers_need_a_script() -> None:
    with pytest.raises(AssertionError, match="no answer for GET"), testing.world() as world:
        world.proxy(PROXY)
        world.serve("http://api.test")
        with httpure.Client(proxy=PROXY) as client:
            client.get("http://api.test")
