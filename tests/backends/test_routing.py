"""Which transport serves which URL: `transport=`, `mounts=`, `proxy=` and the environment, in that order."""

from __future__ import annotations

import asyncio
import gc
import inspect
import ssl
import weakref
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import httpure
from httpure._lazy_tls import LazyTLS
from httpure._routing import MAX_DETOURS, Detours, going_by
from httpure_core.config.patterns import URLPattern

P = "http://127.0.0.1:1"
Q = "http://127.0.0.1:2"

both = pytest.mark.parametrize("make", [httpure.Client, httpure.AsyncClient])
Make = Callable[..., Any]


def way(client: Any, url: str) -> str | None:
    """The proxy by which the client would go, or None."""
    transport = client._transport_for_url(httpure.URL(url))
    proxy = transport._transmitter.dialler.proxy
    assert (transport is client._transport) <= (proxy is None)
    return None if proxy is None else str(proxy.url)


@both
def test_none_by_default(make: Make) -> None:
    client = make()
    assert client._mounts == {}
    assert client._transport_for_url(httpure.URL("http://example.org")) is client._transport


@both
@pytest.mark.parametrize("proxy", [P, httpure.URL(P), httpure.Proxy(P)], ids=["str", "URL", "Proxy"])
def test_a_proxy_is_for_everything(make: Make, proxy: Any) -> None:
    client = make(proxy=proxy)
    for url in ("http://example.org", "https://example.org:8443", "http://localhost"):
        assert way(client, url) == P
    assert client._transport._transmitter.dialler.proxy is None
    assert list(client._mounts) == [URLPattern("all://")]


@both
@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1", "127.0.0.1:8080", "//p", "http://"])
def test_what_is_no_proxy(make: Make, proxy: str) -> None:
    with pytest.raises(ValueError, match="proxy"):
        make(proxy=proxy)
    with pytest.raises(ValueError, match="proxy"):
        httpure.HTTPTransport(proxy=proxy)


@both
def test_mounts_are_in_order(make: Make) -> None:
    transports = dict.fromkeys(("all://", "http://a.test", "http://", "all://*:8080"))
    client = make(mounts=transports, proxy=P)
    order = ["all://*:8080", "http://a.test", "http://", "all://"]
    assert [pattern.pattern for pattern in client._mounts] == order
    assert list(client._mounts.values()) == [None] * 4, "a mount comes before proxy= under the same pattern"


@both
def test_mounts_beside_a_proxy(make: Make) -> None:
    client = make(mounts={"all://direct.test": None}, proxy=P)
    assert way(client, "http://direct.test") is None
    assert way(client, "http://other.test") == P


@both
def test_what_is_no_pattern(make: Make) -> None:
    with pytest.raises(ValueError, match='write "http://"'):
        make(mounts={"http": None})


@pytest.mark.parametrize(
    ("make", "right", "other", "needs"),
    [
        (httpure.Client, httpure.HTTPTransport, httpure.AsyncHTTPTransport, "A Client needs a blocking"),
        (
            httpure.AsyncClient,
            httpure.AsyncHTTPTransport,
            httpure.HTTPTransport,
            "An AsyncClient needs an asynchronous",
        ),
    ],
)
def test_what_is_no_transport_for_the_client(make: Make, right: Any, other: Any, needs: str) -> None:
    name = other.__name__
    for wrong, why in (
        (other(), f"{name} is none."),
        (object(), "object is none."),
        (right, f"{right.__name__} is a class: give {right.__name__}(...)."),
    ):
        for settings in ({"transport": wrong}, {"mounts": {"all://": None, "http://a.test": wrong}}):
            with pytest.raises(TypeError) as caught:
                make(**settings)
            assert str(caught.value) == f"{needs} transport, and {why}"
    with pytest.raises(TypeError, match=r"^mounts= is a dict of transports, such as .*, not of type list\.$"):
        make(mounts=[right()])


@pytest.mark.parametrize(
    "make", [httpure.Client, httpure.AsyncClient, httpure.HTTPTransport, httpure.AsyncHTTPTransport]
)
def test_what_are_no_limits(make: Make) -> None:
    with pytest.raises(
        TypeError, match=r"limits= is made by Limits\(max_connections=\.\.\.\) .* not of type dict"
    ):
        make(limits={"max_connections": 1})


# The environment.

TABLE: list[tuple[dict[str, str], str, str | None]] = [
    ({}, "http://example.org", None),
    ({"HTTP_PROXY": P}, "http://example.org", P),
    ({"HTTP_PROXY": P}, "https://example.org", None),
    ({"HTTPS_PROXY": P}, "https://example.org", P),
    ({"https_proxy": P, "HTTPS_PROXY": Q}, "https://example.org", P),
    ({"ALL_PROXY": P, "HTTP_PROXY": Q}, "http://example.org", Q),
    ({"ALL_PROXY": P, "HTTP_PROXY": Q}, "https://example.org", P),
    ({"HTTP_PROXY": "127.0.0.1:1"}, "http://example.org", P),
    ({"ALL_PROXY": P, "NO_PROXY": ""}, "http://127.0.0.1", P),
    ({"ALL_PROXY": P, "NO_PROXY": "127.0.0.1"}, "http://127.0.0.1", None),
    ({"ALL_PROXY": P, "NO_PROXY": "https://127.0.0.1"}, "http://127.0.0.1", P),
    ({"ALL_PROXY": P, "NO_PROXY": "1.1.1.1"}, "http://127.0.0.1", P),
    ({"ALL_PROXY": P, "NO_PROXY": "::1"}, "http://[::1]", None),
    ({"ALL_PROXY": P, "NO_PROXY": "localhost"}, "http://localhost:8000", None),
    ({"ALL_PROXY": P, "NO_PROXY": "example.org"}, "https://example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": "example.org"}, "https://a.b.example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": "example.org"}, "https://example.org.evil.test", P),
    ({"ALL_PROXY": P, "NO_PROXY": "example.org"}, "https://notexample.org", P),
    ({"ALL_PROXY": P, "NO_PROXY": "a.test,example.org"}, "https://example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": "a.test, example.org"}, "https://example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": ".example.org"}, "https://www.example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": ".example.org"}, "https://example.org", P),
    ({"ALL_PROXY": P, "NO_PROXY": "*"}, "https://example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": "example.org:8443"}, "https://example.org:8443", None),
    ({"ALL_PROXY": P, "NO_PROXY": "example.org:8443"}, "https://example.org", P),
    ({"REQUEST_METHOD": "GET", "HTTP_PROXY": P}, "http://example.org", None),
    ({"REQUEST_METHOD": "GET", "http_proxy": P}, "http://example.org", P),
    ({"FTP_PROXY": P, "NO_PROXY": "x"}, "http://example.org", None),
]

#: Where httpx goes wrong, or fails: networks, ports and brackets of addresses.
BETTER: list[tuple[dict[str, str], str, str | None]] = [
    ({"ALL_PROXY": P, "NO_PROXY": "192.168.0.0/16"}, "http://192.168.7.8", None),
    ({"ALL_PROXY": P, "NO_PROXY": "192.168.0.0/16"}, "http://192.169.7.8", P),
    ({"ALL_PROXY": P, "NO_PROXY": "fe80::/10"}, "http://[fe80::7]:8080", None),
    ({"ALL_PROXY": P, "NO_PROXY": "[::1]:8080"}, "http://[::1]:8080", None),
    ({"ALL_PROXY": P, "NO_PROXY": "[::1]:8080"}, "http://[::1]", P),
    ({"ALL_PROXY": P, "NO_PROXY": "0:0:0:0:0:0:0:1"}, "http://[::1]", None),
    ({"ALL_PROXY": P, "NO_PROXY": "*.example.org"}, "http://www.example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": "a.test b.test"}, "http://b.test", None),
    ({"ALL_PROXY": P, "NO_PROXY": "example.org"}, "http://example.org./", None),
    ({"ALL_PROXY": P, "NO_PROXY": "?,[,example.org"}, "http://example.org", None),
    ({"ALL_PROXY": P, "NO_PROXY": "bücher.example"}, "http://xn--bcher-kva.example", None),
    ({"http_proxy": "", "HTTP_PROXY": P}, "http://example.org", None),
]


@both
@pytest.mark.parametrize(("environ", "url", "proxy"), TABLE + BETTER)
def test_environment(
    make: Make, environ: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert way(make(), url) == proxy
    assert way(make(trust_env=False), url) is None
    assert way(make(proxy="http://127.0.0.1:3"), url) == "http://127.0.0.1:3"
    mine = httpure.MockTransport(lambda request: httpure.Response(200))
    client = make(transport=mine)
    assert client._transport_for_url(httpure.URL(url)) is mine, "transport= switches the environment off"
    client = make(mounts={"all://": mine})
    assert client._transport_for_url(httpure.URL(url)) is mine, (
        "and a mount comes before it, however specific"
    )


@pytest.mark.parametrize(("environ", "url", "proxy"), TABLE)
def test_environment_as_httpx_has_it(
    environ: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client = httpx.Client(verify=False)
    transport: Any = client._transport_for_url(httpx.URL(url))
    assert (transport is client._transport) is (proxy is None)


@both
def test_a_proxy_beside_a_transport_has_its_backend(make: Make) -> None:
    """As in httpx, the proxy then serves all URLs."""
    if make is httpure.Client:
        own: Any = httpure.HTTPTransport(backend=type(httpure.HTTPTransport().backend)())
    else:
        own = httpure.AsyncHTTPTransport(backend="trio")
    client = make(transport=own, proxy=P)
    assert way(client, "http://example.org") == P
    assert client._transport is own
    assert client._transport_for_url(httpure.URL("http://example.org")).backend is own.backend


@both
def test_a_mount_of_nothing_goes_direct(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", P)
    client = make(mounts={"all://direct.test": None})
    assert way(client, "https://direct.test") is None
    assert way(client, "https://other.test") == P
    assert [pattern.pattern for pattern in client._mounts] == ["all://direct.test", "all://"]


@both
def test_one_pool_for_each_proxy_and_one_tls_for_all(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", P)
    monkeypatch.setenv("HTTPS_PROXY", P)
    monkeypatch.setenv("ALL_PROXY", Q)
    client = make()
    http, https, rest = (client._mounts[URLPattern(f"{scheme}://")] for scheme in ("http", "https", "all"))
    assert http is https
    assert rest is not http
    tls = {transport._transmitter.dialler.tls for transport in (client._transport, http, rest)}
    (shared,) = tls
    assert isinstance(shared, LazyTLS)
    assert not shared.prepared


@both
def test_proxies_have_the_clients_settings(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", P)
    limits = httpure.Limits(max_connections=3)
    client = make(http1=False, http2=True, limits=limits)
    transmitter = client._mounts[URLPattern("all://")]._transmitter
    assert transmitter.dialler.alpn == ["h2"]
    assert transmitter.pool._max_connections == 3


@both
@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("HTTP_PROXY", "socks://user:secret@127.0.0.1:1080", "socks5://"),
        ("http_proxy", "http://user:secret@h:99999", "99999"),
        ("ALL_PROXY", "ftp://h", "ftp"),
        ("all_proxy", "http://", "has no host"),
        ("HTTP_PROXY", "http://a b", "no host name may hold"),
    ],
)
def test_a_proxy_that_cannot_be_used(
    make: Make, variable: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the requests that would use it, and by no other: nobody is hindered by a variable that is not for him."""
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("NO_PROXY", "localhost")
    client = make()
    assert way(client, "http://localhost/") is None
    with pytest.raises(httpure.ProxyError, match=why) as caught:
        if make is httpure.Client:
            client.get("http://example.org/path")
        else:
            asyncio.run(client.get("http://example.org/path"))
    message = str(caught.value)
    assert message.startswith(f"The environment variable {variable} names no proxy to use: ")
    assert "secret" not in message
    assert caught.value.request.url == "http://example.org/path"


# Their life.


class Entered(httpure.BaseTransport):
    def __init__(self) -> None:
        self.life: list[str] = []

    def __enter__(self) -> Entered:
        self.life.append("entered")
        return self

    def close(self) -> None:
        self.life.append("closed")


def test_a_transport_that_is_mounted_twice_is_entered_and_closed_once() -> None:
    transport = Entered()
    with httpure.Client(transport=transport, mounts={"http://": transport, "https://": transport}):
        pass
    assert transport.life == ["entered", "closed"]


@both
def test_a_proxys_transport_is_closed_with_the_client(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", P)
    client = make()
    pool = client._mounts[URLPattern("all://")]._transmitter.pool
    if make is httpure.Client:
        client.close()
    else:
        asyncio.run(client.aclose())
    assert pool._closed


# Versions of HTTP.


@pytest.mark.parametrize(
    "make", [httpure.Client, httpure.AsyncClient, httpure.HTTPTransport, httpure.AsyncHTTPTransport]
)
def test_some_version_of_http_must_be_left(make: Make) -> None:
    with pytest.raises(ValueError, match="http1=False and http2=False leave no version of HTTP"):
        make(http1=False, http2=False)
    make(http1=False, http2=True)


@pytest.mark.parametrize("make", [httpure.HTTPTransport, httpure.AsyncHTTPTransport])
def test_the_transports_parameters_by_position(make: Make) -> None:
    """As httpx 0.28 has them."""
    transport = make(
        True, None, False, True, True, httpure.Limits(max_connections=7), P, None, "127.0.0.9", 3, [(6, 1, 1)]
    )
    dialler = transport._transmitter.dialler
    assert dialler.alpn == ["h2", "http/1.1"]
    assert str(dialler.proxy.url) == P
    assert (dialler.uds, dialler.local_address, dialler.retries) == (None, "127.0.0.9", 3)
    assert dialler.socket_options == ((6, 1, 1),)
    assert transport._transmitter.pool._max_connections == 7


class Figures:
    """A transport as far as `Detours` looks at it."""

    def __init__(self, proxy: httpure.Proxy) -> None:
        self.proxy = proxy
        self.statistics = (1, 1, 0, 0)
        self.retired = False

    @property
    def _transmitter(self) -> Any:
        return self

    pool = _transmitter

    def retire(self) -> None:
        self.retired = True


def detours(check: Callable[[], None] = lambda: None) -> Any:
    class Open(Detours[Any]):
        def by(self, proxy: Any, check: Callable[[], None] = check) -> Any:
            return super().by(proxy, check)

    return Open(Figures)


def test_one_transport_for_each_proxy_of_a_request() -> None:
    ways = detours()
    context = ssl.create_default_context()
    auth = httpure.DigestAuth("a", "b")
    same: list[Callable[[], Any]] = [
        lambda: "http://p.test",
        lambda: "http://q.test",
        lambda: "https://p.test",
        lambda: "http://a:b@p.test",
        lambda: "http://a:c@p.test",
        lambda: httpure.Proxy("http://p.test", auth=auth),
        lambda: httpure.Proxy("http://p.test", auth=httpure.DigestAuth("a", "b")),
        lambda: httpure.Proxy("http://p.test", headers={"X": "1"}),
        lambda: httpure.Proxy("https://p.test", ssl_context=context),
    ]
    first = [ways.by(proxy()) for proxy in same]
    assert len(set(map(id, first))) == len(same)
    again = [ways.by(proxy()) for proxy in same]
    differing = [index for index, pair in enumerate(zip(first, again, strict=True)) if pair[0] is not pair[1]]
    assert differing == [6], "what it has learnt is of one object"
    assert ways.by(httpure.Proxy("http://p.test", auth=["a", "b"])) is first[3]  # type: ignore[arg-type]
    assert ways.by(httpure.URL("http://p.test")) is first[0]


def test_transports_that_nobody_asks_for_any_more_are_parted_with() -> None:
    ways = detours()
    made = [ways.by(f"http://p{number}.test") for number in range(MAX_DETOURS)]
    made[1].statistics = (2, 1, 0, 1)
    made[2].statistics = (0, 0, 1, 0)
    assert ways.by("http://p0.test") is made[0], "which makes it the last one"
    ways.by("http://more.test")
    ways.by("http://yet.more.test")
    assert [index for index, transport in enumerate(made) if transport.retired] == [3, 4]
    assert len(ways.transports()) == MAX_DETOURS
    assert ways.by("http://p3.test") is not made[3]


def test_no_transport_that_is_in_use_is_parted_with() -> None:
    ways = detours()
    for number in range(MAX_DETOURS + 10):
        ways.by(f"http://p{number}.test").statistics = (1, 0, 0, 1)
    assert len(ways.transports()) == MAX_DETOURS + 10
    for transport in ways.transports():
        transport.statistics = (0, 0, 0, 0)
    ways.by("http://more.test")
    assert len(ways.transports()) == MAX_DETOURS


def test_a_process_that_was_forked_off_has_a_lock_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = detours()
    transport = ways.by("http://p.test")
    with ways._lock():  # as another thread may hold it at that moment, which is not there afterwards
        monkeypatch.setattr("os.getpid", lambda: -1)
        assert ways.by("http://p.test") is transport
        assert ways.transports() == [transport]


def test_a_closed_client_makes_no_transport() -> None:
    def check() -> None:
        raise RuntimeError("closed")

    ways = detours(check)
    with pytest.raises(RuntimeError, match="closed"):
        ways.by("http://p.test")
    assert ways.transports() == []


def test_a_client_is_freed_without_the_help_of_the_collector() -> None:
    client = httpure.Client()
    client.transport_through("http://p.test", httpure.URL("http://a.test"))
    client.close()
    gone = weakref.ref(client)
    gc.disable()
    try:
        del client
        assert gone() is None
    finally:
        gc.enable()


def test_a_proxy_among_the_extensions() -> None:
    assert going_by(httpure.USE_CLIENT_DEFAULT, None) is None
    assert going_by(None, None) == {"proxy": None}
    given = {"target": b"*"}
    chosen = going_by("http://p.test", given)
    assert chosen is not None
    assert isinstance(chosen["proxy"], httpure.Proxy)
    assert chosen["target"] == b"*"
    assert given == {"target": b"*"}
    proxy = httpure.Proxy("http://p.test")
    assert going_by(proxy, None) == {"proxy": proxy}


@pytest.mark.parametrize(
    "name", ["request", "get", "options", "head", "post", "put", "patch", "delete", "stream", "send"]
)
@pytest.mark.parametrize("kind", [httpure.Client, httpure.AsyncClient])
def test_every_method_takes_a_proxy_last(kind: Any, name: str) -> None:
    *_, last = inspect.signature(getattr(kind, name)).parameters.values()
    assert (last.name, last.kind, last.default) == ("proxy", last.KEYWORD_ONLY, httpure.USE_CLIENT_DEFAULT)


def test_who_overrides_a_method_need_not_know_of_proxies() -> None:
    """Packages that build upon a client do so: what is not asked for is not handed on."""

    class Own(httpure.Client):
        def send(self, request: httpure.Request, **options: Any) -> httpure.Response:
            assert "proxy" not in options
            return httpure.Response(200, request=request, text=str("proxy" in request.extensions))

        def request(self, method: str, url: Any, **options: Any) -> httpure.Response:
            assert "proxy" not in options
            return super().request(method, url, **options)

    with Own() as client:
        assert client.get("http://a.test").text == "False"
        assert client.get("http://a.test", proxy=None).text == "True"
