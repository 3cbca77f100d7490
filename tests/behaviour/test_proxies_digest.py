"""Digest with proxies: what is proved to whom, how often, and over which connection."""

from __future__ import annotations

from typing import Any

import pytest

import httpure
from tests.peers import Answer, Call, ConnectProxy, Site, with_tls
from tests.peers.digest import DigestGuard
from tests.peers.tls import authority

from .world import AnyClient, World, needs

HTTP_ORIGIN = "http://server.test:8080"
HTTPS_ORIGIN = "https://localhost"
AUTH = httpure.DigestAuth("user", "pass")


def echo(call: Call) -> Answer:
    return Answer(200, f"{call.method} {call.target} {call.body.decode()}".encode())


def through(http: World, url: str, auth: Any = AUTH, **kwargs: Any) -> AnyClient:
    proxy = httpure.Proxy(url, auth=auth, ssl_context=authority().trusting)
    return http.client(proxy=proxy, verify="test", **kwargs)


def forwarding(guard: DigestGuard, close: bool = False, body: bytes = b"who?") -> Site:
    """A forward proxy with a guard."""

    def app(call: Call) -> Answer:
        challenge = guard.challenge(call.method, call.target, call.field("proxy-authorization"))
        if challenge is None:
            return echo(call)
        return Answer(407, body, [("Proxy-Authenticate", challenge)], close=close)

    return Site(app)


# Tunnels.


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("leaves", ["", "says", "silent"])
async def test_a_tunnel(http: World, leaves: str, tls: bool) -> None:
    """The proxy is asked again on the same connection, or on another one, where it does not keep the first."""
    guard = DigestGuard("user", "pass")
    site = Site(echo)
    proxy = ConnectProxy(with_tls(site), credentials=guard, leaves=leaves)
    async with through(http, http.serve(proxy, tls=tls)) as client:
        for _ in range(2):
            assert (await client.get(HTTPS_ORIGIN + "/a")).text == "GET /a "
    assert [request.target for request in proxy.requests] == ["localhost:443"] * 2
    assert proxy.connections == (2 if leaves else 1)
    assert "proxy-authorization" not in proxy.requests[0].fields
    assert [call.field("proxy-authorization") for call in site.calls] == [None, None]
    assert guard.wrong == []


async def test_the_next_tunnel_is_told_at_once(http: World) -> None:
    guard = DigestGuard("user", "pass")
    proxy = ConnectProxy(with_tls(Site(echo)), credentials=guard)
    limits = httpure.Limits(max_keepalive_connections=0)
    async with through(http, http.serve(proxy), limits=limits) as client:
        for _ in range(3):
            await client.get(HTTPS_ORIGIN)
    assert len(proxy.requests) == 4
    assert guard.nonces == {"nonce-1": [1, 2, 3]}


async def test_a_stale_nonce(http: World) -> None:
    guard = DigestGuard("user", "pass", uses=1)
    proxy = ConnectProxy(with_tls(Site(echo)), credentials=guard)
    limits = httpure.Limits(max_keepalive_connections=0)
    async with through(http, http.serve(proxy), limits=limits) as client:
        for _ in range(3):
            await client.get(HTTPS_ORIGIN)
    assert guard.nonces == {"nonce-1": [1], "nonce-2": [1], "nonce-3": [1]}
    assert (proxy.connections, len(proxy.requests)) == (3, 6)


@pytest.mark.parametrize("leaves", ["", "says", "silent"])
async def test_the_wrong_password_is_said_once(http: World, leaves: str) -> None:
    guard = DigestGuard("user", "other")
    proxy = ConnectProxy(credentials=guard, leaves=leaves)
    async with through(http, http.serve(proxy)) as client:
        with pytest.raises(
            httpure.ProxyError, match="it did not accept the user name and password"
        ) as caught:
            await client.get(HTTPS_ORIGIN)
        assert client.statistics[:3] == (0, 0, 0)
    assert len(proxy.requests) == 2
    assert len(guard.wrong) == 1
    answer: Any = caught.value.proxy_response
    assert (answer.status_code, answer.text) == (407, "Who are you?")
    assert "nonce-2" in answer.headers["proxy-authenticate"]


async def test_a_proxy_that_always_says_stale_is_not_asked_for_ever(http: World) -> None:
    guard = DigestGuard("user", "pass", uses=0)
    for leaves in ("", "says", "silent"):
        proxy = ConnectProxy(credentials=guard, leaves=leaves)
        async with through(http, http.serve(proxy)) as client:
            with pytest.raises(httpure.ProxyError):
                await client.get(HTTPS_ORIGIN)
        assert len(proxy.requests) == 3


@pytest.mark.parametrize("challenge", ["Basic realm=x", "Negotiate", "Digest realm=x", "Digest"])
async def test_nothing_else_is_answered(http: World, challenge: str) -> None:
    """Least of all by showing the password."""
    answer = f"HTTP/1.1 407 No\r\nProxy-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode()
    proxy = ConnectProxy(answer=answer)
    async with through(http, http.serve(proxy)) as client:
        with pytest.raises(httpure.ProxyError):
            await client.get(HTTPS_ORIGIN)
    (request,) = proxy.requests
    assert "proxy-authorization" not in request.fields


async def test_a_pair_is_proved_where_showing_it_does_not_do(http: World) -> None:
    guard = DigestGuard("user", "pass")
    proxy = ConnectProxy(with_tls(Site(echo)), credentials=guard)
    async with through(http, http.serve(proxy), auth=("user", "pass")) as client:
        assert (await client.get(HTTPS_ORIGIN)).status_code == 200
    said = [request.fields["proxy-authorization"].partition(" ")[0] for request in proxy.requests]
    assert said == ["Basic", "Digest"]


async def test_credentials_of_the_environment(http: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = DigestGuard("user", "p@ss")
    proxy = ConnectProxy(with_tls(Site(echo)), credentials=guard)
    monkeypatch.setenv("HTTPS_PROXY", http.serve(proxy).replace("://", "://user:p%40ss@"))
    async with http.client(verify="test") as client:
        assert (await client.get(HTTPS_ORIGIN)).status_code == 200


async def test_one_object_for_two_proxies(http: World) -> None:
    """What the one has asked is not answered to the other."""
    guards = [DigestGuard("user", "pass", name_of_nonces=name) for name in ("one", "two")]
    proxies = [ConnectProxy(with_tls(Site(echo)), credentials=guard) for guard in guards]
    for proxy in proxies:
        async with through(http, http.serve(proxy)) as client:
            await client.get(HTTPS_ORIGIN)
            await client.get(HTTPS_ORIGIN)
    assert [list(guard.nonces) for guard in guards] == [["one-1"], ["two-1"]]
    assert [guard.wrong for guard in guards] == [[], []]
    assert [proxy.requests[0].fields for proxy in proxies] == [{"host": "localhost:443"}] * 2


async def test_the_same_object_for_proxy_and_server(http: World) -> None:
    proxy_guard, guard = DigestGuard("user", "pass"), DigestGuard("user", "pass", name_of_nonces="other")

    def app(call: Call) -> Answer:
        challenge = guard.challenge(call.method, call.target, call.field("authorization"))
        return Answer(200) if challenge is None else Answer(401, fields=[("WWW-Authenticate", challenge)])

    auth = httpure.DigestAuth("user", "pass")
    proxy = ConnectProxy(with_tls(Site(app)), credentials=proxy_guard)
    async with through(http, http.serve(proxy), auth=auth) as client:
        assert (await client.get(HTTPS_ORIGIN, auth=auth)).status_code == 200
    assert (proxy_guard.wrong, guard.wrong) == ([], [])


async def test_many_at_once(http: World) -> None:
    guard = DigestGuard("user", "pass", uses=2)
    proxy = ConnectProxy(with_tls(Site(echo)), credentials=guard)
    async with through(http, http.serve(proxy)) as client:
        responses = await http.gather(*(client.get(f"{HTTPS_ORIGIN}/{number}") for number in range(3)))
    assert [response.text for response in responses] == [f"GET /{number} " for number in range(3)]
    assert guard.wrong == []


# Forwarded requests.


@pytest.mark.parametrize("close", [False, True])
async def test_forwarded(http: World, close: bool) -> None:
    guard = DigestGuard("user", "pass")
    site = forwarding(guard, close)
    async with through(http, http.serve(site)) as client:
        response = await client.post(HTTP_ORIGIN + "/a?b", content=b"body")
        assert response.text == f"POST {HTTP_ORIGIN}/a?b body"
        assert (await client.get("http://other.test/")).text == "GET http://other.test/ "
        assert client.itself._transport_for_url(httpure.URL(HTTP_ORIGIN)).statistics[:3] == (1, 1, 0)
    assert [call.body for call in site.calls] == [b"body", b"body", b""]
    assert guard.nonces == {"nonce-1": [1, 2]}
    assert site.connections == (2 if close else 1)
    assert response.history == []
    assert "proxy-authorization" not in response.request.headers


async def test_forwarded_with_a_stale_nonce(http: World) -> None:
    guard = DigestGuard("user", "pass", uses=1)
    site = forwarding(guard)
    async with through(http, http.serve(site)) as client:
        for _ in range(3):
            assert (await client.get(HTTP_ORIGIN)).status_code == 200
    assert list(guard.nonces.values()) == [[1]] * 3


async def test_forwarded_with_the_wrong_password(http: World) -> None:
    guard = DigestGuard("user", "other")
    site = forwarding(guard)
    async with through(http, http.serve(site)) as client:
        for number in (1, 2):
            response = await client.get(HTTP_ORIGIN)
            assert (response.status_code, response.text) == (407, "who?")
            assert len(site.calls) == 2 * number


async def test_a_body_that_can_be_read_once(http: World) -> None:
    """Where the proxy asks first, it has gone; later ones bring the answer with them."""
    guard = DigestGuard("user", "pass")
    site = forwarding(guard)
    async with through(http, http.serve(site)) as client:
        assert (await client.post(HTTP_ORIGIN, content=http.body([b"bo", b"dy"]))).status_code == 407
        assert (await client.get(HTTP_ORIGIN)).status_code == 200
        response = await client.post(HTTP_ORIGIN, content=http.body([b"bo", b"dy"]))
    assert response.text == f"POST {HTTP_ORIGIN}/ body"


async def test_asked_in_the_middle_of_an_upload(http: World) -> None:
    """The rest of the body is not wanted then; over another connection, it is sent again."""
    guard = DigestGuard("user", "pass")

    def at_head(call: Call) -> Answer | None:
        challenge = guard.challenge(call.method, call.target, call.field("proxy-authorization"))
        if challenge is None:
            return None
        return Answer(407, b"who?", [("Proxy-Authenticate", challenge)], close=True)

    site = Site(lambda call: Answer(200, str(len(call.body)).encode()), at_head)
    async with through(http, http.serve(site)) as client:
        assert (await client.post(HTTP_ORIGIN, content=b"x" * 3_000_000)).text == "3000000"
    assert guard.nonces == {"nonce-1": [1]}


async def test_a_long_question(http: World) -> None:
    site = forwarding(DigestGuard("user", "pass"), body=b"?" * 1_000_000)
    async with through(http, http.serve(site)) as client:
        assert (await client.get(HTTP_ORIGIN)).status_code == 200


async def test_credentials_of_the_users_own_are_left_alone(http: World) -> None:
    guard = DigestGuard("user", "pass")
    site = forwarding(guard)
    async with through(http, http.serve(site)) as client:
        response = await client.get(HTTP_ORIGIN, headers={"Proxy-Authorization": "Basic eDp5"})
    assert response.status_code == 407
    assert [call.field("proxy-authorization") for call in site.calls] == ["Basic eDp5"]


async def test_hooks_and_cookies_see_nothing_of_it(http: World) -> None:
    guard = DigestGuard("user", "pass")

    def app(call: Call) -> Answer:
        challenge = guard.challenge(call.method, call.target, call.field("proxy-authorization"))
        if challenge is not None:
            return Answer(407, fields=[("Proxy-Authenticate", challenge), ("Set-Cookie", "a=b")])
        return echo(call)

    seen: list[str] = []
    hooks: dict[str, Any] = {
        "request": [lambda request: seen.append("request")],
        "response": [lambda response: seen.append(str(response.status_code))],
    }
    async with through(http, http.serve(Site(app)), event_hooks=hooks) as client:
        await client.get(HTTP_ORIGIN)
        assert dict(client.itself.cookies) == {}
    assert seen == ["request", "200"]


async def test_a_redirect_from_the_forwarded_to_the_tunnelled(http: World) -> None:
    """The one proxy has asked before the redirect; the other asks after it."""
    guards = [DigestGuard("user", "pass", name_of_nonces=name) for name in ("one", "two")]

    def app(call: Call) -> Answer:
        challenge = guards[0].challenge(call.method, call.target, call.field("proxy-authorization"))
        if challenge is not None:
            return Answer(407, fields=[("Proxy-Authenticate", challenge)])
        return Answer(302, fields=[("Location", HTTPS_ORIGIN + "/there")])

    site = Site(echo)
    tunnel = ConnectProxy(with_tls(site), credentials=guards[1])
    trusting = authority().trusting
    transports = {
        scheme: http.transport(verify=trusting, proxy=httpure.Proxy(http.serve(peer), auth=AUTH))
        for scheme, peer in (("http://", Site(app)), ("https://", tunnel))
    }
    async with http.client(mounts=transports, follow_redirects=True) as client:
        response = await client.get(HTTP_ORIGIN)
    assert response.text == "GET /there "
    assert [guard.wrong for guard in guards] == [[], []]
    assert [len(guard.nonces) for guard in guards] == [1, 1]
    assert site.calls[0].field("proxy-authorization") is None


@needs("virtual")
async def test_one_limit_covers_all_goes(http: World) -> None:
    def app(call: Call) -> Answer:
        return Answer(
            407, fields=[("Proxy-Authenticate", 'Digest realm="r", nonce="n", stale=true')], delay=2.0
        )

    before = http.clock()
    async with through(http, http.serve(Site(app)), timeout=httpure.Timeout(5, total=5)) as client:
        with pytest.raises(httpure.ReadTimeout, match="the total timeout"):
            await client.get(HTTP_ORIGIN)
    assert 5 <= http.clock() - before < 5.1


@needs("virtual")
async def test_elapsed_is_that_of_all_goes(http: World) -> None:
    """Two for Digest, and two more as the server expects nothing (417)."""
    guard = DigestGuard("user", "pass")

    def app(call: Call) -> Answer:
        challenge = guard.challenge(call.method, call.target, call.field("proxy-authorization"))
        if challenge is not None:
            return Answer(407, fields=[("Proxy-Authenticate", challenge)], delay=1.0)
        return Answer(417 if call.field("expect") else 200, delay=1.0)

    async with through(http, http.serve(Site(app))) as client:
        response = await client.put(HTTP_ORIGIN, content=b"x", headers={"Expect": "100-continue"})
        assert response.status_code == 200
        assert 2.9 < response.elapsed.total_seconds() < 6


@needs("virtual")
async def test_one_connect_limit_covers_all_tunnels(http: World) -> None:
    answer = (
        b"HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=r, nonce=n, stale=true\r\nConnection: close\r\n"
    )
    proxy = ConnectProxy(answer=[2.0, answer + b"Content-Length: 0\r\n\r\n"])
    before = http.clock()
    async with through(http, http.serve(proxy), timeout=3) as client:
        with pytest.raises(httpure.ConnectTimeout):
            await client.get(HTTPS_ORIGIN)
    assert 3 <= http.clock() - before < 3.1
    assert proxy.connections == 2


@needs("cancels")
@pytest.mark.parametrize("seconds", [0.0, 0.002, 0.01])
async def test_cancelled(http: World, seconds: float) -> None:
    tunnel = ConnectProxy(with_tls(Site(echo)), credentials=DigestGuard("user", "pass"), leaves="says")
    for url, origin in (
        (http.serve(tunnel), HTTPS_ORIGIN),
        (http.serve(forwarding(DigestGuard("", ""))), HTTP_ORIGIN),
    ):
        async with through(http, url) as client:

            async def get(client: AnyClient = client, origin: str = origin) -> None:
                await client.get(origin)

            await http.give_up(get(), seconds)
            figures = client.itself._transport_for_url(httpure.URL(origin)).statistics
            assert figures.waiting == 0
            assert figures.connections == figures.idle
