"""`proxy=` of a single request: which way it goes, and what it leaves as it was."""

from __future__ import annotations

from typing import Any

import pytest

import httpure
from tests.peers import Answer, Call, ConnectProxy, Site, SocksProxy, with_tls
from tests.peers.tls import authority

from .world import World

ORIGIN = "http://server.test"
HTTPS_ORIGIN = "https://localhost"


class Named:
    """A forward proxy that tells its name."""

    def __init__(self, http: World, name: str) -> None:
        self.site = Site(lambda call: Answer(200, f"{name}: {call.target}".encode()))
        self.url = http.serve(self.site)

    @property
    def calls(self) -> list[Call]:
        return self.site.calls


async def test_a_proxy_of_its_own(http: World) -> None:
    one, other = Named(http, "one"), Named(http, "other")
    async with http.client(proxy=one.url) as client:
        assert (await client.get(ORIGIN)).text == "one: http://server.test/"
        for proxy in (other.url, httpure.URL(other.url), httpure.Proxy(other.url)):
            assert (await client.get(ORIGIN, proxy=proxy)).text == "other: http://server.test/"
        assert (await client.get(ORIGIN)).text == "one: http://server.test/"
    assert (one.site.connections, other.site.connections) == (1, 1)


async def test_every_method_takes_it(http: World) -> None:
    proxy = Named(http, "it")
    async with http.client() as client:
        for method in ("get", "options", "head", "post", "put", "patch", "delete"):
            await getattr(client, method)(ORIGIN, proxy=proxy.url)
        await client.request("TRACE", ORIGIN, proxy=proxy.url)
        async with client.stream("GET", ORIGIN, proxy=proxy.url) as response:
            assert await http.read(response) == b"it: http://server.test/"
        await client.send(client.itself.build_request("GET", ORIGIN), proxy=proxy.url)
    assert [call.method for call in proxy.calls] == (
        ["GET", "OPTIONS", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "GET", "GET"]
    )
    assert proxy.site.connections == 1


async def test_none_is_no_proxy(http: World, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, direct = Named(http, "proxy"), Named(http, "direct")
    async with http.client(proxy=proxy.url) as client:
        assert (await client.get(direct.url, proxy=None)).text == "direct: /"
        assert (await client.get(direct.url)).text.startswith("proxy: ")
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    async with http.client() as client:
        assert (await client.get(direct.url, proxy=None)).text == "direct: /"
        assert (await client.get(direct.url)).text.startswith("proxy: ")
    monkeypatch.setenv("ALL_PROXY", "nonsense://")
    async with http.client() as client:
        assert (await client.get(direct.url, proxy=None)).text == "direct: /"
        with pytest.raises(httpure.ProxyError):
            await client.get(direct.url)


async def test_it_comes_before_what_the_environment_leaves_out(
    http: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, direct = Named(http, "proxy"), Named(http, "direct")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with http.client() as client:
        assert (await client.get(direct.url)).text == "direct: /"
        assert (await client.get(direct.url, proxy=proxy.url)).text == f"proxy: {direct.url}/"


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_settings_are_the_clients(http: World, kind: str) -> None:
    site = with_tls(Site(lambda call: Answer(200, call.path.encode())))
    server: Any = SocksProxy(site) if kind == "socks5" else ConnectProxy(site)
    proxy = f"{kind}://{http.serve(server).partition('://')[2]}"
    async with http.client(verify=authority().trusting) as client:
        assert (await client.get(HTTPS_ORIGIN + "/a", proxy=proxy)).text == "/a"
        assert (await client.get(HTTPS_ORIGIN + "/b", proxy=proxy)).text == "/b"
    async with http.client() as client:
        with pytest.raises(httpure.ConnectError, match="not trusted"):
            await client.get(HTTPS_ORIGIN + "/a", proxy=proxy)
    assert len(server.requests) == 2


async def test_redirects_go_the_same_way(http: World) -> None:
    def app(call: Call) -> Answer:
        if call.target == ORIGIN + "/":
            return Answer(302, fields=[("Location", "http://other.test/there")])
        return Answer(200, call.target.encode())

    site, usual = Site(app), Named(http, "usual")
    url = http.serve(site)
    async with http.client(proxy=usual.url, follow_redirects=True) as client:
        assert (await client.get(ORIGIN, proxy=url)).text == "http://other.test/there"
        response = await client.get(ORIGIN, proxy=url, follow_redirects=False)
        assert (await client.send(response.next_request)).text == "http://other.test/there"
    assert usual.calls == []


async def test_credentials_go_to_their_own_proxy(http: World) -> None:
    one, other = Named(http, "one"), Named(http, "other")
    async with http.client(proxy=one.url.replace("://", "://ada:1@")) as client:
        await client.get(ORIGIN, proxy=other.url)
        await client.get(ORIGIN, proxy=other.url.replace("://", "://bob:2@"))
        await client.get(ORIGIN, proxy=other.url)
        response = await client.get(ORIGIN)
    assert [call.field("proxy-authorization") for call in other.calls] == [None, "Basic Ym9iOjI=", None]
    assert [call.connection for call in other.calls] == [1, 2, 1], "who is somebody else has a way of his own"
    assert [call.field("proxy-authorization") for call in one.calls] == ["Basic YWRhOjE="]
    assert "proxy" not in response.request.extensions


async def test_a_hook_may_choose(http: World) -> None:
    proxies = [Named(http, "one"), Named(http, "two")]
    ways = iter([proxy.url for proxy in proxies])

    def choose(request: httpure.Request) -> None:
        request.extensions["proxy"] = next(ways)

    async with http.client(event_hooks={"request": [choose]}) as client:
        assert [(await client.get(ORIGIN)).text[:3] for _ in range(2)] == ["one", "two"]


async def test_as_an_extension(http: World) -> None:
    proxy, direct = Named(http, "proxy"), Named(http, "direct")
    async with http.client(proxy=proxy.url) as client:
        request = client.itself.build_request("GET", direct.url, extensions={"proxy": None})
        assert (await client.send(request)).text == "direct: /"
        await client.send(request, proxy=proxy.url)
    assert len(proxy.calls) == 1
    assert len(direct.calls) == 1


async def test_a_transport_that_was_given_goes_its_own_way(http: World) -> None:
    """Least of all shall a request that a test has mocked get out to the network."""
    proxy, direct = Named(http, "proxy"), Named(http, "direct")
    mock = httpure.MockTransport(lambda request: httpure.Response(200, text="mock"))
    async with http.client(
        transport=mock, mounts={"http://by.test": http.transport(proxy=proxy.url)}
    ) as client:
        assert (await client.get(direct.url)).text == "mock"
        assert (await client.get(direct.url, proxy=None)).text == "mock"
        with pytest.raises(
            ValueError, match=r"proxy= cannot be used for http://127\.0\.0\.1: .* MockTransport"
        ):
            await client.get(direct.url, proxy=proxy.url)
        with pytest.raises(ValueError, match=r"HTTPTransport\(proxy=\.\.\.\)"):
            await client.get("http://by.test/", proxy=None)
        assert (await client.get("http://by.test/")).text.startswith("proxy: ")
    async with http.client(mounts={"http://mock.test": mock}) as client:
        assert (await client.get("http://mock.test/", proxy=None)).text == "mock"
        with pytest.raises(ValueError, match="MockTransport"):
            await client.get("http://mock.test/", proxy=proxy.url)
        assert (await client.get(direct.url, proxy=proxy.url)).text == f"proxy: {direct.url}/"
        client.itself._transport = mock  # as tools for tests do
        with pytest.raises(ValueError, match="MockTransport"):
            await client.get(direct.url, proxy=proxy.url)


@pytest.mark.parametrize(
    ("proxy", "error"), [("proxy.test:80", ValueError), (5, TypeError), ("http://[", httpure.InvalidURL)]
)
async def test_what_is_no_proxy(http: World, proxy: Any, error: type[Exception]) -> None:
    async with http.client() as client:
        with pytest.raises(error):
            await client.get(ORIGIN, proxy=proxy)
        with pytest.raises(error):
            await client.get(ORIGIN, extensions={"proxy": proxy})


async def test_closed_with_the_client(http: World) -> None:
    proxy = Named(http, "it")
    client = http.client()
    await client.get(ORIGIN, proxy=proxy.url)
    (transport,) = client.itself._detours.transports()
    assert transport.statistics[:2] == (1, 1)
    await client.close()
    assert transport.statistics[:2] == (0, 0)
    with pytest.raises(RuntimeError, match="closed"):
        await client.get(ORIGIN, proxy=proxy.url)
    with pytest.raises(RuntimeError, match="closed"):
        client.itself.transport_through(httpure.Proxy(proxy.url), httpure.URL(ORIGIN))
