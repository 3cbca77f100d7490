"""Requests by way of proxies: what the proxy is told, what the server gets, and what goes wrong in between."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

import httpure
from tests.peers import (
    CLOSE,
    RESET,
    Answer,
    Call,
    ConnectProxy,
    Deaf,
    Peer,
    Site,
    SocksProxy,
    scripted,
    with_tls,
)
from tests.peers.http2 import Http2Site, over_tls
from tests.peers.script import Step
from tests.peers.tls import Authority, authority

from .world import AnyClient, World, needs

HTTP_ORIGIN = "http://server.test:8080"
HTTPS_ORIGIN = "https://localhost"
CREDENTIALS = "Basic " + b64encode(b"user:pass").decode()


def echo(call: Call) -> Answer:
    return Answer(200, f"{call.method} {call.target} {call.body.decode()}".encode())


def through(http: World, proxy: Any, **kwargs: Any) -> AnyClient:
    return http.client(proxy=proxy, verify=kwargs.pop("verify", "test"), **kwargs)


def statistics(client: AnyClient) -> Any:
    return client.itself._transport_for_url(httpure.URL(HTTPS_ORIGIN)).statistics


def address(url: str) -> str:
    return url.partition("://")[2]


def socks(http: World, proxy: SocksProxy, scheme: str = "socks5", userinfo: str = "") -> str:
    return f"{scheme}://{userinfo}{address(http.serve(proxy))}"


# The request itself goes to the proxy: http:// by an HTTP proxy.


async def test_forwarded(http: World) -> None:
    site = Site(echo)
    async with through(http, http.serve(site)) as client:
        response = await client.post(HTTP_ORIGIN + "/a?b=1", content=b"body")
        assert response.text == f"POST {HTTP_ORIGIN}/a?b=1 body"
        assert (await client.get(HTTP_ORIGIN)).text == f"GET {HTTP_ORIGIN}/ "
    assert site.connections == 1
    assert [call.field("host") for call in site.calls] == ["server.test:8080"] * 2


async def test_the_proxy_hears_what_is_for_it_and_the_request_does_not_change(http: World) -> None:
    site = Site(echo)
    proxy = httpure.Proxy(http.serve(site), auth=("user", "pass"), headers={"X-Proxy": "yes", "Accept": "no"})
    async with through(http, proxy) as client:
        response = await client.get(HTTP_ORIGIN)
    assert site.calls[0].field("proxy-authorization") == CREDENTIALS
    assert site.calls[0].field("x-proxy") == "yes"
    assert site.calls[0].field("accept") == "*/*", "the request's own fields count"
    assert "Proxy-Authorization" not in response.request.headers
    assert "X-Proxy" not in response.request.headers
    assert response.url == HTTP_ORIGIN
    assert response.request.url == HTTP_ORIGIN


async def test_credentials_of_the_proxys_url(http: World) -> None:
    site = Site(echo)
    url = http.serve(site).replace("://", "://us%40er:p%C3%A4ss@")
    async with through(http, url) as client:
        await client.get(HTTP_ORIGIN)
    assert site.calls[0].field("proxy-authorization") == "Basic " + b64encode("us@er:päss".encode()).decode()


async def test_credentials_of_a_forwarded_request(http: World) -> None:
    """They are for the proxy, and it is the one who gets them."""
    site = Site(echo)
    proxy = httpure.Proxy(http.serve(site), auth=("other", "one"))
    async with through(http, proxy) as client:
        await client.get(HTTP_ORIGIN, headers={"Proxy-Authorization": CREDENTIALS})
    assert [value for name, value in site.calls[0].fields if name == "proxy-authorization"] == [CREDENTIALS]


async def test_options_of_all(http: World) -> None:
    site = Site(echo)
    async with through(http, http.serve(site)) as client:
        await client.request("OPTIONS", HTTP_ORIGIN, extensions={"target": b"*"})
        await client.request("OPTIONS", HTTP_ORIGIN, extensions={"target": b"/other"})
        await client.request("OPTIONS", HTTP_ORIGIN, extensions={"target": b"http://third.test/"})
    assert [call.target for call in site.calls] == [
        HTTP_ORIGIN,
        HTTP_ORIGIN + "/other",
        "http://third.test/",
    ]


async def test_an_answer_of_the_forwarding_proxy_is_the_answer(http: World) -> None:
    site = Site(lambda call: Answer(407, b"who?", [("Proxy-Authenticate", "Basic")]))
    async with through(http, http.serve(site)) as client:
        response = await client.get(HTTP_ORIGIN)
    assert (response.status_code, response.text) == (407, "who?")


async def test_origins_share_the_connections_to_the_proxy(http: World) -> None:
    site = Site(echo)
    async with through(http, http.serve(site)) as client:
        for host in ("one.test", "two.test:81", "[::1]", "bücher.test", "one.test"):
            response = await client.get(f"http://{host}/")
            assert response.text.startswith("GET http://")
        assert statistics(client)[:2] == (1, 1)
    assert site.connections == 1
    origins = ["one.test", "two.test:81", "[::1]", "xn--bcher-kva.test", "one.test"]
    assert [call.target for call in site.calls] == [f"http://{origin}/" for origin in origins]
    assert [call.field("host") for call in site.calls] == origins


async def test_who_says_by_himself_who_he_is_has_connections_of_his_own(http: World) -> None:
    """A proxy may take that to hold for the connection, as it does with NTLM."""
    site = Site(echo)
    async with through(http, http.serve(site)) as client:
        for name in ("ada", "bob", "ada", None):
            headers = {"Proxy-Authorization": name} if name else {}
            await client.get(HTTP_ORIGIN, headers=headers)
    assert [call.connection for call in site.calls] == [1, 2, 1, 3]


# A tunnel: https:// by an HTTP proxy.


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_tunnelled(http: World, tls: bool) -> None:
    """Also by a proxy that is spoken to in TLS: then there is TLS in TLS."""
    site = Site(echo)
    proxy = ConnectProxy(with_tls(site))
    url = http.serve(proxy, tls=tls)
    async with through(http, httpure.Proxy(url, ssl_context=authority().trusting if tls else None)) as client:
        assert (await client.post(HTTPS_ORIGIN + "/a", content=b"body")).text == "POST /a body"
        assert (await client.get(HTTPS_ORIGIN + "/b")).text == "GET /b "
    (request,) = proxy.requests
    assert (request.method, request.target) == ("CONNECT", "localhost:443")
    assert request.fields == {"host": "localhost:443"}
    assert [call.field("host") for call in site.calls] == ["localhost"] * 2


async def test_forwarded_by_an_https_proxy(http: World) -> None:
    site = Site(echo)
    proxy = httpure.Proxy(http.serve(site, tls=True), ssl_context=authority().trusting)
    async with through(http, proxy) as client:
        assert (await client.get(HTTP_ORIGIN)).text == f"GET {HTTP_ORIGIN}/ "


async def test_only_the_proxy_gets_what_is_for_it(http: World) -> None:
    site = Site(echo)
    proxy = ConnectProxy(with_tls(site), credentials=CREDENTIALS)
    hop = httpure.Proxy(http.serve(proxy), auth=("user", "pass"), headers={"X-Proxy": "yes"})
    async with through(http, hop) as client:
        assert (await client.get(HTTPS_ORIGIN)).status_code == 200
    assert proxy.requests[0].fields["x-proxy"] == "yes"
    assert not {"proxy-authorization", "x-proxy"} & {name for name, _ in site.calls[0].fields}


async def test_a_redirect_takes_nothing_along(http: World) -> None:
    """From the forwarding proxy's http:// to https://, through the same proxy."""
    site = Site(echo)
    secure = ConnectProxy(with_tls(site), credentials=CREDENTIALS)
    plain = Site(lambda call: Answer(302, fields=[("Location", HTTPS_ORIGIN + "/there")]))
    mounts = {
        "http://": httpure.Proxy(http.serve(plain), auth=("user", "pass")),
        "https://": httpure.Proxy(http.serve(secure), auth=("user", "pass")),
    }
    trusting = authority().trusting
    transports = {key: http.transport(verify=trusting, proxy=proxy) for key, proxy in mounts.items()}
    async with http.client(mounts=transports, follow_redirects=True) as client:
        response = await client.get(HTTP_ORIGIN)
    assert response.text == "GET /there "
    assert plain.calls[0].field("proxy-authorization") == CREDENTIALS
    assert site.calls[0].field("proxy-authorization") is None
    assert "proxy-authorization" not in response.request.headers


@pytest.mark.parametrize("kind", ["tunnel", "socks5"])
async def test_credentials_of_a_tunnelled_request_are_refused(http: World, kind: str) -> None:
    """They would go to the server, and not to the proxy."""
    url = http.serve(ConnectProxy()) if kind == "tunnel" else socks(http, SocksProxy())
    origin = HTTPS_ORIGIN if kind == "tunnel" else HTTP_ORIGIN
    async with through(http, url) as client:
        with pytest.raises(
            httpure.LocalProtocolError, match=r"Proxy-Authorization.*Proxy\(url, auth"
        ) as caught:
            await client.get(origin, headers={"proxy-authorization": CREDENTIALS})
    assert CREDENTIALS not in str(caught.value)


async def test_many_tunnels_at_once(http: World) -> None:
    site = Site(echo)
    proxy = ConnectProxy(with_tls(site))
    async with through(http, http.serve(proxy)) as client:
        responses = await http.gather(*(client.get(f"{HTTPS_ORIGIN}/{i}") for i in range(10)))
        assert [response.text for response in responses] == [f"GET /{i} " for i in range(10)]
        assert statistics(client).waiting == 0


# SOCKS.


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_socks(http: World, scheme: str) -> None:
    site = Site(echo)
    proxy = SocksProxy(site)
    async with through(http, socks(http, proxy, scheme)) as client:
        assert (await client.post(HTTP_ORIGIN + "/a", content=b"body")).text == "POST /a body"
        assert (await client.get(HTTP_ORIGIN + "/b")).text == "GET /b "
    (request,) = proxy.requests
    assert (request.kind, request.host, request.port) == (3, b"server.test", 8080)


async def test_socks_with_tls_and_credentials(http: World) -> None:
    proxy = SocksProxy(with_tls(Site(echo)), credentials=(b"user", "päss".encode()))
    async with through(http, socks(http, proxy, userinfo="user:p%C3%A4ss@")) as client:
        assert (await client.get(HTTPS_ORIGIN)).text == "GET / "
    assert proxy.requests[0].port == 443


@pytest.mark.parametrize(
    ("host", "kind", "packed"),
    [("192.0.2.7", 1, b"\xc0\x00\x02\x07"), ("[2001:db8::7]", 4, b"\x20\x01\x0d\xb8" + bytes(11) + b"\x07")],
)
async def test_socks_addresses(http: World, host: str, kind: int, packed: bytes) -> None:
    proxy = SocksProxy(Site(echo), bound=b"\x03\x04name")
    async with through(http, socks(http, proxy)) as client:
        assert (await client.get(f"http://{host}/")).text == "GET / "
    assert (proxy.requests[0].kind, proxy.requests[0].host) == (kind, packed)


# HTTP/2: in a tunnel, the version is the origin's business.


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
async def test_http2_through_a_proxy(http: World, kind: str) -> None:
    site = Http2Site(lambda ask: Answer(200, ask.path.encode()))
    origin = over_tls(site, "h2", "http/1.1")
    server: Any = SocksProxy(origin) if kind == "socks5" else ConnectProxy(origin)
    url = f"{kind}://{address(http.serve(server, tls=kind == 'https'))}"
    proxy = httpure.Proxy(url, ssl_context=authority().trusting)
    async with through(http, proxy, http2=True) as client:
        responses = await http.gather(*(client.get(f"{HTTPS_ORIGIN}/{i}") for i in range(5)))
        responses.append(await client.get(f"{HTTPS_ORIGIN}/last"))
    assert [response.text for response in responses] == ["/0", "/1", "/2", "/3", "/4", "/last"]
    assert {response.http_version for response in responses} == {"HTTP/2"}


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_http2_by_prior_knowledge_needs_a_tunnel(http: World, kind: str) -> None:
    """A forward proxy would be spoken to in HTTP/1.1, which is not allowed here."""
    site = Http2Site(lambda ask: Answer(200, ask.path.encode()))
    server: Any = SocksProxy(site) if kind == "socks5" else ConnectProxy(site)
    url = f"{kind}://{address(http.serve(server))}"
    async with through(http, url, http1=False, http2=True) as client:
        response = await client.get(HTTP_ORIGIN + "/a")
    assert (response.text, response.http_version) == ("/a", "HTTP/2")
    assert len(server.requests) == 1


async def test_http2_is_not_for_forward_proxies(http: World) -> None:
    site = Site(echo)
    async with through(http, http.serve(site), http2=True) as client:
        response = await client.get(HTTP_ORIGIN + "/a")
    assert (response.text, response.http_version) == (f"GET {HTTP_ORIGIN}/a ", "HTTP/1.1")


# What goes wrong.


async def refused(
    http: World, proxy: Any, error: type[Exception], origin: str = HTTPS_ORIGIN, **kwargs: Any
) -> Any:
    """Expect the error, twice: after the first one, the client is as good as before."""
    async with through(http, proxy, **kwargs) as client:
        for _ in range(2):
            with pytest.raises(error) as caught:
                await client.get(origin)
            assert type(caught.value) is error
            assert statistics(client) == (0, 0, 0)
    assert isinstance(caught.value, httpure.RequestError)
    assert caught.value.request.url == origin
    return caught.value


async def test_no_proxy_there(http: World) -> None:
    port = http.free_port()
    error = await refused(http, f"http://127.0.0.1:{port}", httpure.ConnectError)
    assert str(error) == (
        f"Could not connect to the proxy 127.0.0.1:{port} (127.0.0.1:{port}: Connection refused), "
        "GET https://localhost/"
    )


async def test_a_proxy_whose_name_nobody_knows(http: World) -> None:
    error = await refused(http, "socks5://nonexistent.invalid", httpure.ResolveError)
    assert str(error).startswith("Could not look up the host name 'nonexistent.invalid' (")


async def test_refused_by_the_proxy(http: World) -> None:
    proxy = ConnectProxy(credentials=CREDENTIALS)
    url = http.serve(proxy)
    error = await refused(http, url.replace("://", "://user:secret@"), httpure.ProxyError)
    assert str(error) == (
        f"The proxy {address(url)} did not connect to localhost:443 (it answered 407 Proxy Authentication Required: "
        "'Who are you?'; it did not accept the user name and password), GET https://localhost/"
    )
    answer = error.proxy_response
    assert (answer.status_code, answer.reason_phrase) == (407, "Proxy Authentication Required")
    assert (answer.headers["proxy-authenticate"], answer.text) == ("Basic realm=x", "Who are you?")
    assert answer.http_version == "HTTP/1.1"
    for _ in range(100):
        if proxy.closed < 2:
            await http.sleep(0.01)
    assert proxy.closed == 2


PAGE = b"HTTP/1.1 502 Bad\tGateway\r\nContent-Type: text/html\r\n\r\n<h1>"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"], "it answered 403 Forbidden"),
        ([b"HTTP/1.0 503 \r\n\r\n", CLOSE], "it answered 503"),
        ([PAGE, CLOSE], "it answered 502 Bad Gateway"),
        ([PAGE, 0.01, RESET], "it answered 502 Bad Gateway"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], "its answer is not HTTP/1.1"),
        ([b"\x15\x03\x01\x00\x02\x02\x16"], "its answer is not HTTP/1.1"),
        ([b"HTTP/1.1 abc\r\n\r\n"], "its answer is not valid HTTP/1.1: "),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"], "its answer is not valid HTTP/1.1: "),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" * 17], "its answer is too large: "),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000], "its answer is too large: "),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000], "its answer is too large: "),
        ([CLOSE], "it closed the connection without an answer"),
        ([b"HTTP/1.1 200", CLOSE], "it closed the connection without an answer"),
        ([b"HTTP/1.1 200", 0.01, RESET], "the connection was lost: "),
    ],
)
async def test_a_proxy_that_does_not_connect(http: World, answer: list[Step], message: str) -> None:
    url = http.serve(ConnectProxy(answer=answer))
    error = await refused(http, url, httpure.ProxyError)
    text = str(error)
    assert text.startswith(f"The proxy {address(url)} did not connect to localhost:443 ({message}")
    assert text.endswith("), GET https://localhost/")
    assert len(text) < 300
    assert (error.proxy_response is not None) == message.startswith("it answered")


async def test_a_refusal_without_end_is_told_when_time_is_up(http: World) -> None:
    answer = [b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\nContent-Type: text/plain\r\n\r\nno"]
    url = http.serve(ConnectProxy(answer=answer))
    error = await refused(http, url, httpure.ProxyError, timeout=0.3)
    assert "it answered 502 Bad Gateway: 'no'" in str(error)
    assert error.proxy_response.content == b"no"


async def test_a_refusal_is_not_read_for_ever(http: World) -> None:
    head = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1000000\r\n\r\n"
    url = http.serve(ConnectProxy(answer=[head, b"x" * 100_000]))
    error = await refused(http, url, httpure.ProxyError)
    assert len(error.proxy_response.content) == 16 * 1024


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        (SocksProxy(credentials=(b"user", b"other")), "it did not accept the user name and password"),
        (SocksProxy(reply=2), "its rules do not allow the connection"),
        (SocksProxy(reply=5), "the connection was refused"),
        (SocksProxy(reply=77), "it refused for an unknown reason, 77"),
        (SocksProxy(bound=b"\x07"), "its reply is not one of SOCKS5"),
        (scripted([b"HTTP/1.1 400 Bad Request\r\n\r\n"], at_once=True), "it does not speak SOCKS5"),
        (scripted([b"\x05\xff"], at_once=True), "it does not take a user name and password"),
        (
            scripted([b"\x05\x01"], at_once=True),
            "it wants to know who we are in a way that was not offered (method 1)",
        ),
        (scripted([b"\x05", CLOSE], at_once=True), "it closed the connection without an answer"),
        (scripted([b"\x05", 0.02, RESET], at_once=True), "the connection was lost: "),
    ],
)
async def test_a_socks_proxy_that_does_not_connect(http: World, proxy: Any, message: str) -> None:
    url = socks(http, proxy, userinfo="user:pass@")
    error = await refused(http, url, httpure.ProxyError)
    where = address(url).replace("user:pass@", "")
    assert str(error).startswith(f"The proxy {where} did not connect to localhost:443 ({message}")
    assert str(error).endswith("), GET https://localhost/")
    assert error.proxy_response is None


async def test_a_socks_proxy_that_wants_to_know_who_we_are(http: World) -> None:
    error = await refused(http, socks(http, SocksProxy(credentials=(b"a", b"b"))), httpure.ProxyError)
    assert "(it wants to know who we are: give user name and password with Proxy(url, auth=...))" in str(
        error
    )


SILENT: dict[str, tuple[Any, str, str]] = {
    "tunnel": (ConnectProxy(answer=[]), "http", "took too long to connect to localhost:443"),
    "tunnel, head begun": (
        ConnectProxy(answer=[b"HTTP/1.1 200 OK\r\n"]),
        "http",
        "took too long to connect to localhost:443",
    ),
    "socks": (Peer, "socks5", "took too long to connect to localhost:443"),
    "deaf": (Deaf, "http", "took too long to connect to localhost:443"),
    "TLS with the proxy": (Peer, "https", "because the TLS handshake with the proxy 127.0.0.1:"),
    "TLS with the origin": (
        ConnectProxy(),
        "http",
        "because the TLS handshake with localhost through the proxy 127.0.0.1:",
    ),
}


@pytest.mark.parametrize("name", SILENT)
async def test_silence(http: World, name: str) -> None:
    peer, scheme, message = SILENT[name]
    if name.startswith("tunnel"):
        peer.origin = Peer
        peer.answer = [*peer.answer, 60.0]
    url = f"{scheme}://{address(http.serve(peer))}"
    for seconds in (0.05, 0.5, 5):
        text = str(await refused(http, url, httpure.ConnectTimeout, timeout=seconds))
        assert text.startswith(f"No connection was made within {seconds} s (the connect timeout) because ")
        if message in text:
            break  # or this machine was too slow to get as far as that
    assert message in text
    assert text.endswith(", GET https://localhost/; allow more with Timeout(connect=...)")


@needs("virtual")
async def test_one_limit_covers_every_step(http: World) -> None:
    """The proxy takes 3 s for its answer, and TLS 3 s more: each would fit in, together they do not."""

    class Slow(Peer):
        def receive_data(self, data: bytes) -> None:
            self.channel.call_later(60, lambda: None)

    proxy = ConnectProxy(Slow, answer=[3.0, b"HTTP/1.1 200 OK\r\n\r\n"])
    before = http.clock()
    await refused(http, http.serve(proxy), httpure.ConnectTimeout, timeout=httpure.Timeout(5))
    assert 10 <= http.clock() - before < 10.1


async def test_a_proxy_that_nobody_trusts(http: World) -> None:
    url = http.serve(ConnectProxy(), tls=True)
    stranger = Authority().trusting
    error = await refused(http, httpure.Proxy(url, ssl_context=stranger), httpure.CertificateError)
    assert str(error).startswith(
        f"Could not make a TLS connection to the proxy {address(url)} (its certificate is not trusted: "
    )


async def test_the_clients_own_settings_are_not_for_the_proxy(http: World) -> None:
    """`verify=False` is for the servers: a proxy is to be trusted even so."""
    url = http.serve(ConnectProxy(with_tls(Site(echo))), tls=True)
    error = await refused(http, url, httpure.CertificateError, verify=False)
    assert "TLS connection to the proxy" in str(error)


async def test_a_server_that_nobody_trusts(http: World) -> None:
    url = http.serve(ConnectProxy(with_tls(Site(echo))))
    error = await refused(http, url, httpure.CertificateError, verify=Authority().trusting)
    assert str(error).startswith(
        f"Could not make a TLS connection to localhost through the proxy {address(url)} "
        "(its certificate is not trusted: "
    )


async def test_no_tls_behind_the_proxy(http: World) -> None:
    url = http.serve(ConnectProxy(Site(echo)))
    error = await refused(http, url, httpure.TLSError)
    assert str(error).startswith(
        f"Could not make a TLS connection to localhost through the proxy {address(url)} ("
    )


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test"])
async def test_a_redirect_to_a_name_that_tls_has_no_form_for(http: World, name: str) -> None:
    """The proxy says that it has connected to it: that must not end in an error of the `ssl` module."""
    lost = with_tls(Site(lambda call: Answer(302, fields=[("Location", f"https://{name}/")])))
    async with through(http, http.serve(ConnectProxy(lost)), follow_redirects=True) as client:
        with pytest.raises(httpure.ConnectError, match="is no name for TLS"):
            await client.get(HTTPS_ORIGIN)


async def test_a_tunnel_that_ends(http: World) -> None:
    """Then it is the server that is gone."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234"
    url = http.serve(ConnectProxy(with_tls(scripted([head, CLOSE]))))
    async with through(http, url) as client:
        with pytest.raises(httpure.RemoteProtocolError, match="4 of 10 bytes"):
            await client.get(HTTPS_ORIGIN)


# Leaving, at any moment.


@needs("cancels")
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.005, 0.02])
async def test_cancelled(http: World, seconds: float) -> None:
    peers: list[Any] = [
        http.serve(ConnectProxy(with_tls(Site(echo)), answer=[0.01, b"HTTP/1.1 200 OK\r\n\r\n"])),
        http.serve(ConnectProxy(Peer)),
        socks(http, SocksProxy(Peer)),
        f"https://{address(http.serve(Peer))}",
    ]
    for url in peers:
        async with through(http, url) as client:

            async def get(client: AnyClient = client) -> None:
                await client.get(HTTPS_ORIGIN)

            await http.give_up(get(), seconds)
            figures = statistics(client)
            assert figures.waiting == 0
            assert figures.connections == figures.idle
