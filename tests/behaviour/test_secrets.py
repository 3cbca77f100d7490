"""No secret stands in what people read: reprs, messages of exceptions, notes, logs at any level, warnings.

Canaries are put wherever a secret can be, all kinds of things go wrong, some servers and proxies say back what they
were told; and then no canary is found, nor what becomes of one in Base64.
"""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import httpure
from httpure_core.models import field
from tests.peers import CLOSE, RESET, Answer, Channel, ConnectProxy, Peer, Site, scripted, with_tls

from .world import AnyClient, World
from .worlds import WORLDS

WORD = "canary"
#: Whatever holds this, in any case, tells a secret; and these, which are canaries in Base64, at each of three offsets.
TOLD = re.compile(
    "|".join([WORD, *{b64encode(b"x" * n + b"canary7").decode()[2 + n : 8] for n in range(3)}]), re.I
)

Scenario = Callable[[World, AnyClient], Awaitable[object]]
SCENARIOS: list[Scenario] = []


def scenario(function: Scenario) -> Scenario:
    SCENARIOS.append(function)
    return function


def secretive(http: World, **arguments: Any) -> AnyClient:
    """A client that is full of secrets."""
    return http.client(
        **{
            "headers": {
                "Authorization": "Bearer canary7",
                "X-Api-Key": "canary7",
                "X-Own": "canary7",
                "Cookie": "given=canary7",
            },
            "cookies": {"session": "canary7"},
            "params": {"token": "canary7"},
            "sensitive_headers": ["X-Own"],
            "timeout": 0.05,
            **arguments,
        }
    )


def full(url: str, path: str = "/path?api_key=canary7#access_token=canary7") -> str:
    """Return the URL with a password, and with a secret in its query and its fragment."""
    return url.replace("://", "://ada:canary7@") + path


@pytest.fixture(autouse=True)
def forget_what_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one client calls sensitive, no other shows either; the tests that follow want to see it."""
    monkeypatch.setattr(field, "_named", set())


# What goes wrong.


@scenario
async def refused(http: World, client: AnyClient) -> None:
    await client.get(full(f"http://127.0.0.1:{http.free_port()}"))


@scenario
async def unresolvable(http: World, client: AnyClient) -> None:
    await client.get(full("http://nonexistent.invalid"))


@scenario
async def no_tls(http: World, client: AnyClient) -> None:
    await client.get(full(http.serve(scripted()).replace("http:", "https:")))


@scenario
async def untrusted(http: World, client: AnyClient) -> None:
    await client.get(full(http.serve(Site(lambda call: Answer(200)), tls=True)))


@scenario
async def silence(http: World, client: AnyClient) -> None:
    await client.get(full(http.serve(scripted())))


@scenario
async def closed(http: World, client: AnyClient) -> None:
    await client.get(full(http.serve(scripted([CLOSE]))))


@scenario
async def reset(http: World, client: AnyClient) -> None:
    await client.post(full(http.serve(scripted([RESET]))), content=b"canary7", auth=("ada", "canary7"))


class Echo(Peer):
    """Says back what it hears, as the services of old on port 7 do."""

    def connected(self, channel: Channel) -> None:
        self.channel = channel

    def receive_data(self, data: bytes) -> None:
        self.channel.send(data)


@scenario
async def echoed(http: World, client: AnyClient) -> None:
    await client.get(full(http.serve(Echo)))


@scenario
async def echoed_over_http2(http: World, client: AnyClient) -> None:
    async with secretive(http, http1=False, http2=True) as other:
        await other.get(full(http.serve(Echo)))


#: Where answers that tell secrets are wrong, in HTTP/1.1.
WRONG = [
    b"HTTP/1.1 200 OK\r\nX-Token canary7\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncanary7\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-Token: canary7\0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: canary7\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: canary7\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary7\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncanary7\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\ncanary7",
]


@scenario
async def wrong_answers(http: World, client: AnyClient) -> None:
    for answer in WRONG:
        await failing(client.get(full(http.serve(scripted([answer])))))


@scenario
async def statuses(http: World, client: AnyClient) -> None:
    fields = [
        ("Location", "https://ada:canary7@example.org/?token=canary7#id_token=canary7"),
        ("Set-Cookie", "a=canary7"),
    ]
    for status in (302, 401, 500):
        url = http.serve(Site(lambda call, status=status: Answer(status, b"canary7", fields)))
        response = await client.get(full(url), auth=httpure.DigestAuth("ada", "canary7"))
        look_at(response, response.headers, response.cookies, response.request, response.request.headers)
        look_at(
            response.url, response.next_request, response.history, response.extensions.get("network_stream")
        )
        response.raise_for_status()


@scenario
async def redirects(http: World, client: AnyClient) -> None:
    for location in (
        "ftp://ada:canary7@example.org/?token=canary7",
        "http://ada:canary7@exa mple.org/?token=canary7",
        "http://ada:canary7@:99999/",
        "http://ada:canary7@example.org\\@example.net/",
        "//ada:canary7@[::/",
        "https://example.org/?key=" + "canary7" * 4000,
    ):
        url = http.serve(Site(lambda call, location=location: Answer(302, b"", [("Location", location)])))
        await failing(client.get(full(url), follow_redirects=True))
        response = await client.get(full(url))
        look_at(response, response.headers)


@scenario
async def round_and_round(http: World, client: AnyClient) -> None:
    url = http.serve(Site(lambda call: Answer(302, b"", [("Location", "/?token=canary7")])))
    await client.get(full(url), follow_redirects=True)


@scenario
async def down_to_http(http: World, client: AnyClient) -> None:
    site = Site(
        lambda call: Answer(302, b"", [("Location", "http://ada:canary7@example.org/?token=canary7")])
    )
    async with secretive(http, verify="test", timeout=2) as other:
        await other.get(full(http.serve(site, tls=True)), follow_redirects=True)


@scenario
async def proxies_that_repeat(http: World, client: AnyClient) -> None:
    basic = "Basic " + b64encode(b"ada:canary7").decode()
    for answer in (
        f"HTTP/1.1 403 No canary7 {basic}\r\nContent-Type: text/plain\r\nContent-Length: 40\r\n\r\n"
        f"{basic} ada:canary7 canary7           ",
        f"HTTP/1.1 407 {basic}\r\nProxy-Authenticate: Basic realm=canary7\r\nContent-Length: 0\r\n\r\n",
        f"{basic}\r\n\r\n",
        f"HTTP/1.1 200 {basic}\r\n{basic}\r\n\r\n",
        "HTTP/1.1 502 ada%3Acanary7\r\nContent-Type: text/plain\r\n\r\nYWRhOmNhbmFyeTc=",
    ):
        proxy = full(http.serve(ConnectProxy(answer=answer.encode())), "")
        async with secretive(http, proxy=proxy) as other:
            await failing(other.get(full("https://example.org")))
    async with secretive(http, proxy=full(http.serve(Echo), "")) as other:
        await failing(other.get(full("https://example.org")))
        await failing(other.get(full("http://example.org")))


@scenario
async def proxies_that_fail(http: World, client: AnyClient) -> None:
    digest = httpure.Proxy(http.serve(ConnectProxy()), auth=httpure.DigestAuth("ada", "canary7"))
    headers = {"Proxy-Authorization": "Bearer canary7", "X-Own": "canary7", "X-Proxy-Token": "canary7"}
    for proxy in (
        full(f"http://127.0.0.1:{http.free_port()}", ""),
        full(f"socks5://127.0.0.1:{http.free_port()}", ""),
        full("http://nonexistent.invalid", ""),
        full(http.serve(Echo).replace("http:", "socks5:"), ""),
        full(http.serve(with_tls(Echo)).replace("http:", "https:"), ""),
        httpure.Proxy(http.serve(scripted([CLOSE])), headers=headers),
        digest,
    ):
        async with secretive(http, proxy=proxy) as other:
            look_at(
                other.itself, other.itself._transport, proxy if isinstance(proxy, httpure.Proxy) else None
            )
            await failing(other.get(full("https://example.org")))
            await failing(other.get("http://example.org", headers={"Proxy-Authorization": "canary7"}))


@scenario
async def wrong_arguments(http: World, client: AnyClient) -> None:
    for call in (
        lambda: httpure.URL("http://ada:canary7@host:99999/?token=canary7"),
        lambda: httpure.URL("http://ada:canary7@ho st/?token=canary7"),
        lambda: httpure.URL("http://ada:canary7@[::/"),
        lambda: httpure.URL("http://host/?token=canary7\ud800"),
        lambda: httpure.URL("http://a@canary7@host/"),
        lambda: httpure.Proxy("ada:canary7@host:1"),
        lambda: httpure.Proxy("ftp://ada:canary7@host:1"),
        lambda: httpure.Proxy("socks5://ada:" + "canary7" * 99 + "@host:1"),
        lambda: httpure.Proxy("http://host:1", auth=("canary7", 5)),  # type: ignore[arg-type]
        lambda: httpure.Proxy("http://host:1", auth="canary7"),  # type: ignore[arg-type]
        lambda: httpure.BasicAuth("ada", "canary7\ud800"),
        lambda: httpure.BasicAuth(5, "canary7"),  # type: ignore[arg-type]
        lambda: httpure.Headers({"Authorization": "canary7\n"}),
        lambda: httpure.Headers({"X-Token": "canary7\0"}),
        lambda: httpure.Headers({"X-Token": object(), "Cookie": "canary7"}),  # type: ignore[dict-item]
        lambda: httpure.Headers([("Authorization", "Bearer", "canary7")]),  # type: ignore[list-item]
        lambda: httpure.Cookies({"a": "canary7\n"}),
        lambda: httpure.Cookies([("a", "canary7\ud800")]),
        lambda: httpure.Client(auth="canary7"),  # type: ignore[arg-type]
        lambda: httpure.Client(auth=("ada", "canary7", "x")),  # type: ignore[arg-type]
        lambda: httpure.Client(proxy="ada:canary7@host"),
        lambda: httpure.Client(mounts={"ada:canary7@host": None}),
        lambda: httpure.Client(base_url="ada:canary7@host").get("/"),
        lambda: httpure.Client().get("ada:canary7@host/?token=canary7"),
        lambda: httpure.Client().get("http:///?token=canary7"),
        lambda: httpure.Client().get("//ada:canary7@host"),
        lambda: httpure.Client().post("http://host/", data={"password": {"canary7"}}),
        lambda: httpure.Client().post("http://host/", data={"password": ["canary7", {"canary7": 1}]}),
        lambda: httpure.Client().post("http://host/", content={"canary7"}),
        lambda: httpure.Client().post("http://host/", json={"password": {"canary7"}}),
        lambda: httpure.Client().post("http://host/", content="canary7", json="canary7"),
        lambda: httpure.Client().post("http://host/", files={"f": ("name", {"canary7"})}),
        lambda: httpure.Client().get("http://host/", params={"token": {"canary7"}}),
        lambda: httpure.Client().get("http://host/", params=[("token", "canary7", 1)]),
        lambda: httpure.Client().get("http://host/", headers={"Host": "canary7 canary7"}),
        lambda: httpure.Client().get("http://host/", extensions={"target": b"/?token=canary7 x"}),
        lambda: httpure.Client(cert=("/nonexistent", "/nonexistent", "canary7")).get("https://host/"),
        lambda: httpure.Client(cert=("/nonexistent", 5, "canary7")),  # type: ignore[arg-type]
    ):
        try:
            call()
        except Exception as exc:
            look_at(exc)
        else:
            raise AssertionError("it is wrong enough")


@scenario
async def cookies(http: World, client: AnyClient) -> None:
    values = [
        ("Set-Cookie", value)
        for value in (
            "a=canary7; Path=/",
            "a=canary7; Path=/x",
            "b=canary7; Domain=com",
            "c=canary7; Path=\tcanary7",
        )
    ]
    url = http.serve(Site(lambda call: Answer(200, b"", values)))
    await client.get(full(url, "/x/y"))
    store = client.itself.cookies
    look_at(store, list(store.jar), next(iter(store.jar)))
    look_at(
        httpure.Cookies({"a": "canary7"}),
        httpure.Cookie("a", "canary7") if hasattr(httpure, "Cookie") else None,
    )
    store["a"]


@scenario
async def a_netrc_file(http: World, client: AnyClient) -> None:
    path = Path(__file__).with_name("nonexistent")
    with pytest.raises(OSError) as caught:
        httpure.NetRCAuth(str(path))
    look_at(caught.value)
    from httpure_core.auth import NotNetRC, parse_netrc

    for text in (
        "machine a login b password canary7 canary7",
        "canary7",
        "machine a password canary7 machine",
    ):
        try:
            look_at(parse_netrc(text))
        except NotNetRC as exc:
            look_at(exc)


@scenario
async def what_is_never_sent(http: World, client: AnyClient) -> None:
    request = client.itself.build_request("POST", full("http://example.org"), json={"password": "canary7"})
    look_at(request, request.headers, request.url, request.url.params, request.stream, request.extensions)
    own = client.itself
    look_at(own, own.headers, own.cookies, own.params, own.base_url, own.auth, own.timeout, own._transport)
    look_at(client.statistics, httpure.Timeout(5), httpure.Limits(), httpure.URL(full("http://example.org")))
    for auth in (
        httpure.BasicAuth("ada", "canary7"),
        httpure.DigestAuth("ada", "canary7"),
        httpure.FunctionAuth(lambda request: request),
        httpure.Proxy("http://ada:canary7@host:1", headers={"X-Api-Key": "canary7"}),
        httpure.Proxy("http://canary7@host:1"),
        httpure.Proxy("socks5://ada:canary7@host:1"),
        httpure.QueryParams({"token": "canary7", "page": "1"}),
        httpure.URL("https://canary7@host/"),
        httpure.URL("https://host/?page=1&access_token=canary7"),
    ):
        look_at(auth)


@scenario
async def a_body_that_raises(http: World, client: AnyClient) -> None:
    url = http.serve(Site(lambda call: Answer(200)))
    await client.post(full(url), content=http.body([b"canary7"]), headers={"Content-Length": "2"})


@scenario
async def a_stream(http: World, client: AnyClient) -> None:
    url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nX-Token: canary7\r\nContent-Length: 9\r\n\r\nbo", CLOSE]))
    async with client.stream("GET", full(url)) as response:
        look_at(response, response.headers, response.stream, response.extensions.get("network_stream"))
        try:
            response.text  # noqa: B018
        except httpure.ResponseNotRead as exc:
            look_at(exc)
        await http.read(response)


# What is looked at.

_SEEN: list[str] = []


def look_at(*values: object) -> None:
    """Remember how these are shown."""
    for value in values:
        _SEEN.append(repr(value))
        if isinstance(value, BaseException):
            _SEEN.extend(texts(value))
        elif not isinstance(value, httpure.URL | httpure.QueryParams | str | bytes):
            _SEEN.extend((format(value), str(value)))  # those are for programs, and show what is


def texts(error: BaseException | None) -> Iterator[str]:
    """Yield all that a traceback, or somebody who prints an exception, would show; of its causes as well."""
    while error is not None:
        yield from (
            str(error),
            repr(error),
            f"{error}",
            *getattr(error, "__notes__", ()),
            *map(str, error.args),
        )
        for name in ("request", "response", "proxy_response"):
            with contextlib.suppress(RuntimeError):
                yield repr(getattr(error, name, None))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


async def failing(request: Awaitable[object]) -> None:
    try:
        await request
    except Exception as exc:
        look_at(exc)


#: What is told is written in the core; and asyncio has logs of its own.
ENOUGH = [make for make in WORLDS if make.args[0] in ("simulated", "asyncio")]


@pytest.mark.parametrize("make", ENOUGH, ids=lambda make: make.args[0])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_nothing_is_told(make: Any, scenario: Scenario, caplog: pytest.LogCaptureFixture) -> None:
    _SEEN.clear()
    caplog.set_level(logging.DEBUG)
    world = make()

    async def fail() -> None:
        async with secretive(world) as client:
            await failing(scenario(world, client))

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        world.run(fail)
    world.close()
    for record in caplog.records:
        _SEEN.extend((record.getMessage(), repr(record.args), str(record.exc_info)))
    _SEEN.extend(str(each.message) for each in warned)
    assert _SEEN
    wrong = [text[:400] for text in _SEEN if TOLD.search(text)]
    assert not wrong, "\n".join(dict.fromkeys(wrong))


def test_they_would_be_found() -> None:
    assert TOLD.search("Basic " + b64encode(b"ada:canary7").decode())
    assert TOLD.search("Basic " + b64encode(b"adam:canary7").decode())
    assert TOLD.search("Basic " + b64encode(b"alice:canary7").decode())
    assert not TOLD.search("Could not connect to example.org")
