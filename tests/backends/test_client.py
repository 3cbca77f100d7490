"""What `Client` and `AsyncClient` have in common, on each backend: their life, configuration, hooks, auth, redirects.

What goes over the wire is the business of `tests/behaviour`.
"""

from __future__ import annotations

import base64
import datetime
import gc
import pickle
import re
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

import httpure
from tests.behaviour.world import AnyClient, World
from tests.peers import Answer, Site

URL = "http://example.org/"


def saying(text: str) -> httpure.MockTransport:
    return httpure.MockTransport(lambda request: httpure.Response(200, text=text))


def echo(request: httpure.Request) -> httpure.Response:
    """Show the request as it came."""
    return httpure.Response(
        200,
        json={
            "method": request.method,
            "url": str(request.url),
            "headers": dict(request.headers),
            "body": request.content.decode(),
        },
    )


def echoing(http: World, **kwargs: Any) -> AnyClient:
    return http.client(transport=httpure.MockTransport(echo), **kwargs)


def coloured(http: World, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as this client wants it: a coroutine function for an async one."""
    if http.blocking:
        return function

    async def hook(*args: Any) -> Any:
        return function(*args)

    return hook


def only_one(http: World, **kwargs: Any) -> AnyClient:
    """A client that one lost connection would be the end of."""
    timeout = httpure.Timeout(3, pool=0.3)
    return http.client(limits=httpure.Limits(max_connections=1), timeout=timeout, **kwargs)


# Its life


async def test_states(http: World) -> None:
    client = http.client(transport=saying("hi"))
    assert not client.itself.is_closed
    assert (await client.get(URL)).text == "hi"  # entering it is not required
    assert not client.itself.is_closed
    await client.close()
    assert client.itself.is_closed
    await client.close()


async def test_using_opens(http: World) -> None:
    client = http.client(transport=saying("hi"))
    await client.get(URL)
    with pytest.raises(RuntimeError, match="open already"):
        await client.__aenter__()
    await client.close()


async def test_closed_for_good(http: World) -> None:
    async with http.client(transport=saying("hi")) as client:
        pass
    assert client.itself.is_closed
    request = client.itself.build_request("GET", URL)
    with pytest.raises(RuntimeError, match="closed"):
        await client.send(request)
    with pytest.raises(RuntimeError, match="closed"):
        async with client.stream("GET", URL):
            pass
    with pytest.raises(RuntimeError, match="closed"):
        await client.__aenter__()


class Noting(httpure.BaseTransport, httpure.AsyncBaseTransport):
    """Notes what is done with it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def handle_request(self, request: httpure.Request) -> httpure.Response:
        return httpure.Response(200, text=self.name)

    async def handle_async_request(self, request: httpure.Request) -> httpure.Response:
        return httpure.Response(200, text=self.name)

    def __enter__(self) -> Any:
        self.log.append(f"enter {self.name}")
        return self

    def close(self) -> None:
        self.log.append(f"close {self.name}")

    async def __aenter__(self) -> Any:
        return self.__enter__()

    async def aclose(self) -> None:
        self.close()


async def test_transports_live_with_the_client(http: World) -> None:
    log: list[str] = []
    own, other = Noting("own", log), Noting("other", log)
    async with http.client(transport=own, mounts={"all://other.test": other, "all://none.test": None}):
        assert log == ["enter own", "enter other"]
    assert log == ["enter own", "enter other", "close own", "close other"]


async def test_closing_closes_each_transport_once(http: World) -> None:
    log: list[str] = []
    client = http.client(transport=Noting("own", log), mounts={"all://other.test": Noting("other", log)})
    await client.close()
    await client.close()
    assert log == ["close own", "close other"]


class Unruly(Noting):
    """Raises where it is told to."""

    def __init__(self, name: str, log: list[str], **errors: BaseException) -> None:
        super().__init__(name, log)
        self.errors = errors

    def __enter__(self) -> Any:
        super().__enter__()
        if "entering" in self.errors:
            raise self.errors["entering"]

    def close(self) -> None:
        super().close()
        if "closing" in self.errors:
            raise self.errors["closing"]

    def __exit__(self, kind: Any = None, exc: Any = None, trace: Any = None) -> None:
        self.log.append(f"leave {self.name}, {exc!r}")
        self.close()

    async def __aexit__(self, kind: Any = None, exc: Any = None, trace: Any = None) -> None:
        self.__exit__(kind, exc, trace)


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
async def test_a_transport_that_cannot_be_entered(http: World, kind: type[BaseException]) -> None:
    """Those before it are left, as in nested `with` blocks; the others are closed, and so is the client."""
    log: list[str] = []
    own = Unruly("own", log)
    second = Unruly("second", log, closing=OSError("hides nothing"))
    third = Unruly("third", log, entering=kind("third"))
    mounts = {"all://2.test": second, "all://3.test": third, "all://4.test": Unruly("fourth", log)}
    client = http.client(transport=own, mounts=mounts)
    with pytest.raises(kind, match="third") as caught:
        await client.__aenter__()
    why = repr(caught.value)
    assert log == [
        *("enter own", "enter second", "enter third"),
        *(f"leave second, {why}", "close second", f"leave own, {why}", "close own"),
        *("close third", "close fourth"),
    ]
    assert client.itself.is_closed
    with pytest.raises(RuntimeError, match="closed"):
        await client.get(URL)
    await client.close()
    assert log[-1] == "close fourth" and len(log) == 9


@pytest.mark.parametrize("leaving", [False, True])
async def test_a_transport_that_cannot_be_closed_keeps_no_other_open(http: World, leaving: bool) -> None:
    log: list[str] = []
    own = Unruly("own", log, closing=OSError("own"))
    mounts = {
        "all://2.test": Unruly("second", log, closing=OSError("second")),
        "all://3.test": Noting("3", log),
    }
    client = http.client(transport=own, mounts=mounts)
    with pytest.raises(OSError, match="second") as caught:
        if leaving:
            async with client:
                pass
        else:
            await client.close()
    assert str(caught.value.__context__) == "own"
    assert [line for line in log if line.startswith("close")] == ["close own", "close second", "close 3"]
    assert client.itself.is_closed


# Its configuration


async def test_properties(http: World) -> None:
    async with http.client(transport=saying("hi")) as any_client:
        client = any_client.itself
        assert client.auth is None
        assert client.base_url == ""
        assert client.cookies == {} and client.params == httpure.QueryParams()
        assert client.event_hooks == {"request": [], "response": []}
        assert client.trust_env is True
        assert client.timeout == httpure.Timeout(5.0)
        assert client.follow_redirects is False and client.max_redirects == 20
        agent = f"python-httpure/{httpure.__version__}"
        assert client.headers["user-agent"] == agent
        assert client.headers["accept"] == "*/*"
        assert client.headers["connection"] == "keep-alive"
        assert "gzip" in client.headers["accept-encoding"]


async def test_setters(http: World) -> None:
    async with echoing(http) as any_client:
        client = any_client.itself
        client.auth = ("ada", "secret")
        client.base_url = "http://example.org/api"
        client.headers = {"X-One": "1"}
        client.params = {"a": "1"}
        client.cookies = {"c": "1"}
        client.timeout = 3
        assert isinstance(client.auth, httpure.BasicAuth)
        assert client.base_url == httpure.URL("http://example.org/api/")
        assert isinstance(client.headers, httpure.Headers) and client.headers["x-one"] == "1"
        assert client.headers["user-agent"].startswith("python-httpure")  # defaults stay
        assert isinstance(client.params, httpure.QueryParams)
        assert isinstance(client.cookies, httpure.Cookies)
        assert client.timeout == httpure.Timeout(3)
        seen = (await any_client.get("/path")).json()
        assert seen["url"] == "http://example.org/api/path?a=1"
        assert seen["headers"]["x-one"] == "1"
        assert seen["headers"]["cookie"] == "c=1"
        assert seen["headers"]["authorization"].startswith("Basic ")
        client.headers.pop("x-one")
        client.headers["User-Agent"] = "mine"
        client.auth = None
        seen = (await any_client.get("/path")).json()["headers"]
        assert seen["user-agent"] == "mine"
        assert "x-one" not in seen and "authorization" not in seen
        client.timeout = None
        assert client.timeout == httpure.Timeout(None)
        client.event_hooks = {}
        assert client.event_hooks == {"request": [], "response": []}


async def test_hooks_given_are_not_shared(http: World) -> None:
    given: dict[str, list[Any]] = {"request": []}
    async with http.client(event_hooks=given, transport=saying("hi")) as client:
        client.itself.event_hooks["request"].append(print)
    assert given == {"request": []}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"auth": 5}, "auth"),
        ({"auth": ("only-one",)}, "auth"),
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"mounts": {"example.org": None}}, "example.org"),
        ({"base_url": "http://exa mple.org"}, "exa mple"),
        ({"headers": {"X-A": "a\nb"}}, "X-A"),
        ({"headers": "X-A: a"}, "pairs"),
        ({"event_hooks": {"request": print}}, "event_hooks is a dict of lists"),
        ({"event_hooks": {"response": None}}, "event_hooks is a dict of lists"),
        ({"event_hooks": [print]}, "event_hooks is a dict of lists"),
    ],
)
async def test_wrong_configuration(http: World, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError, httpure.InvalidURL)) as caught:
        http.client(**arguments)
    assert words.lower() in str(caught.value).lower()


async def test_merging(http: World) -> None:
    async with echoing(
        http,
        headers={"X-One": "client", "X-Two": "client"},
        params={"a": "client", "b": "client"},
        cookies={"c": "client", "d": "client"},
    ) as client:
        response = await client.get(
            URL, headers={"x-two": "request"}, params={"b": "request"}, cookies={"d": "request"}
        )
        seen = response.json()
        assert seen["url"] == URL + "?a=client&b=request"
        assert (seen["headers"]["x-one"], seen["headers"]["x-two"]) == ("client", "request")
        assert sorted(seen["headers"]["cookie"].split("; ")) == ["c=client", "d=request"]
        # A request leaves nothing behind.
        again = (await client.get(URL)).json()
        assert again["headers"]["x-two"] == "client" and "b=client" in again["url"]
        assert sorted(again["headers"]["cookie"].split("; ")) == ["c=client", "d=client"]


@pytest.mark.parametrize(
    ("base", "url", "expected"),
    [
        ("http://example.org", "/path", "http://example.org/path"),
        ("http://example.org/api", "path", "http://example.org/api/path"),
        ("http://example.org/api/", "/path", "http://example.org/api/path"),
        ("http://example.org/api", "", "http://example.org/api/"),
        ("http://example.org/api", "../x", "http://example.org/x"),
        ("http://example.org/api", "https://other.test/x", "https://other.test/x"),
        ("http://example.org/api", "?a=1", "http://example.org/api/?a=1"),
    ],
)
async def test_base_url(http: World, base: str, url: str, expected: str) -> None:
    async with echoing(http, base_url=base) as client:
        for given in (url, httpure.URL(url)):
            assert (await client.get(given)).json()["url"] == expected


async def test_relative_url_without_a_base(http: World) -> None:
    async with http.client() as client:
        with pytest.raises(httpure.UnsupportedProtocol, match="scheme"):
            await client.get("/path")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org/", "plain"),
        ("https://example.org/", "secure"),
        ("http://other.test/", "other"),
        ("https://other.test/", "other"),
        ("http://sub.other.test/", "sub"),
        ("http://other.test:8080/", "port"),
        ("ftp://example.org/", "default"),
        ("http://direct.test/", "default"),
    ],
)
async def test_mounts(http: World, url: str, expected: str) -> None:
    mounts = {
        "http://": saying("plain"),
        "https://": saying("secure"),
        "all://other.test": saying("other"),
        "all://*.other.test": saying("sub"),
        "all://other.test:8080": saying("port"),
        "all://direct.test": None,
    }
    async with http.client(transport=saying("default"), mounts=mounts) as client:
        assert (await client.get(url)).text == expected


async def test_default_encoding(http: World) -> None:
    answer = httpure.Response(200, content="Zwölf".encode("latin-1"), headers={"Content-Type": "text/plain"})
    transport = httpure.MockTransport(lambda request: answer)
    async with http.client(transport=transport, default_encoding="latin-1") as client:
        response = await client.get(URL)
        assert response.encoding == "latin-1" and response.text == "Zwölf"

    def detect(content: bytes) -> str:
        assert content == b"Zw\xf6lf"
        return "iso-8859-15"

    real = http.serve(Site(lambda call: Answer(200, b"Zw\xf6lf", [("Content-Type", "text/plain")])))
    async with http.client(default_encoding=detect) as client:
        response = await client.get(real)
        assert response.text == "Zwölf" and response.encoding == "iso-8859-15"


async def test_elapsed(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"x", delay=0.03)))
    async with http.client() as client:
        response = await client.get(url)
        assert datetime.timedelta(seconds=0.025) < response.elapsed < datetime.timedelta(seconds=2)
        async with client.stream("GET", url) as response:
            await http.read(response)
        assert response.elapsed.total_seconds() > 0.025
    async with http.client(transport=saying("hi")) as client:
        assert (await client.get(URL)).elapsed >= datetime.timedelta(0)
        async with client.stream("GET", URL) as response:
            pass
        assert response.elapsed >= datetime.timedelta(0)


async def test_extensions(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, call.target.encode())))
    async with http.client(timeout=7) as client:
        response = await client.get(url, extensions={"mine": "yes"})
        assert response.extensions["http_version"] == b"HTTP/1.1"
        assert response.request.extensions["mine"] == "yes"
        assert response.request.extensions["timeout"]["read"] == 7
        limits = {"connect": 1.0, "read": 2.0, "write": 3.0, "pool": 4.0}
        response = await client.get(url, extensions={"timeout": limits})
        assert response.request.extensions["timeout"] == limits
        assert (await client.options(url, extensions={"target": b"*"})).text == "*"
    assert site.calls[-1].target == "*"


async def test_request_is_of_the_response(http: World) -> None:
    async with http.client(transport=saying("hi")) as client:
        request = client.itself.build_request("GET", URL)
        response = await client.send(request)
        assert response.request is request and response.url == URL
    async with http.client() as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get(f"http://127.0.0.1:{http.free_port()}")
        assert caught.value.request.method == "GET"


# Hooks


async def test_hooks_see_everything_in_order(http: World) -> None:
    log: list[str] = []

    def ask(request: httpure.Request) -> None:
        request.headers["X-Added"] = "1"
        log.append(f"{request.method} {request.url.path}")

    def answer(response: httpure.Response) -> None:
        log.append(f"{response.status_code} {response.url.path} {response.is_closed}")

    site = Site(
        lambda call: Answer(302, b"", [("Location", "/b")]) if call.path == "/a" else Answer(200, b"whole")
    )
    url = http.serve(site)
    hooks = {"request": [coloured(http, ask)], "response": [coloured(http, answer)] * 2}
    async with http.client(event_hooks=hooks, follow_redirects=True) as client:
        assert (await client.get(url + "/a")).text == "whole"
    assert log == ["GET /a", *["302 /a False"] * 2, "GET /b", *["200 /b False"] * 2]
    assert [call.field("x-added") for call in site.calls] == ["1", "1"]


async def test_hook_may_read_the_response(http: World) -> None:
    seen: list[str] = []
    if http.blocking:

        def hook(response: httpure.Response) -> None:
            response.read()
            seen.append(response.text)
    else:

        async def hook(response: httpure.Response) -> None:
            await response.aread()
            seen.append(response.text)

    url = http.serve(Site(lambda call: Answer(200, [b"who", b"le"], chunked=True, pause=0.01)))
    async with http.client(event_hooks={"response": [hook]}) as client:
        assert (await client.get(url)).text == "whole"
        async with client.stream("GET", url) as response:
            assert response.text == "whole"
        assert client.statistics.idle == 1
    assert seen == ["whole", "whole"]


class Refused(Exception):
    """What a hook raises here."""


@pytest.mark.parametrize("event", ["request", "response"])
async def test_raising_hook(http: World, event: str) -> None:
    refusing = True

    def hook(_: Any) -> None:
        if refusing:
            raise Refused("no")

    url = http.serve(Site(lambda call: Answer(200, [b"x" * 1000] * 50, chunked=True, pause=0.005)))
    quick = http.serve(Site(lambda call: Answer(200, b"fine")))
    async with only_one(http, event_hooks={event: [coloured(http, hook)]}) as client:
        for _ in range(3):
            with pytest.raises(Refused, match="no"):
                await client.get(url)
            with pytest.raises(Refused, match="no"):
                async with client.stream("GET", url):
                    raise AssertionError
            assert client.statistics == (0, 0, 0)
        refusing = False
        assert (await client.get(quick)).text == "fine"


async def test_hook_that_raises_for_status(http: World) -> None:
    def hook(response: httpure.Response) -> None:
        response.raise_for_status()

    url = http.serve(Site(lambda call: Answer(404, b"x" * 100_000)))
    async with only_one(http, event_hooks={"response": [coloured(http, hook)]}) as client:
        for _ in range(3):
            with pytest.raises(httpure.HTTPStatusError, match="404"):
                await client.get(url)
            assert client.statistics.connections == client.statistics.idle  # kept if all of it had come


# Auth


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def shown(client: AnyClient, url: str = URL, **kwargs: Any) -> str | None:
    headers: dict[str, str] = (await client.get(url, **kwargs)).json()["headers"]
    return headers.get("authorization")


def adding(request: httpure.Request) -> httpure.Request:
    request.headers["Authorization"] = "Mine"
    return request


async def test_forms_of_auth(http: World) -> None:
    async with echoing(http) as client:
        assert await shown(client) is None
        assert await shown(client, auth=("ada", "secret")) == basic("ada", "secret")
        assert await shown(client, auth=(b"ada", b"secret")) == basic("ada", "secret")
        assert await shown(client, auth=httpure.BasicAuth("ada", "secret")) == basic("ada", "secret")
        assert await shown(client, auth=adding) == "Mine"
        assert await shown(client, "http://ada:s%40cret@example.org/") == basic("ada", "s@cret")
        assert await shown(client, "http://ada@example.org/") == basic("ada", "")
        assert await shown(client, "http://u:p@example.org/", auth=adding) == "Mine"
        with pytest.raises(TypeError, match="auth"):
            await client.get(URL, auth="ada:secret")


async def test_auth_of_the_client(http: World) -> None:
    async with echoing(http, auth=("ada", "secret")) as client:
        assert await shown(client) == basic("ada", "secret")
        assert await shown(client, auth=adding) == "Mine"
        assert await shown(client, auth=None) is None
        assert await shown(client, "http://u:p@example.org/") == basic("ada", "secret")
        assert await shown(client, "http://u:p@example.org/", auth=None) == basic("u", "p")


class Counted(httpure.Auth):
    """Asks twice, and looks at both bodies."""

    requires_request_body = True
    requires_response_body = True

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        self.seen.append(request.content)
        response = yield request
        self.seen.append(response.content)
        request.headers["X-Token"] = response.text
        response = yield request
        self.seen.append(response.content)


async def test_auth_that_reads_the_bodies(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, b"answer %d" % len(site.calls))))
    auth = Counted()
    async with only_one(http, auth=auth) as client:
        response = await client.post(url, content=http.body([b"my ", b"body"]))
        assert response.text == "answer 2"
        assert [answer.text for answer in response.history] == ["answer 1"]
        assert client.statistics == (1, 1, 0)
    assert auth.seen == [b"my body", b"answer 1", b"answer 2"]
    assert [call.body for call in site.calls] == [b"my body"] * 2
    assert [call.field("x-token") for call in site.calls] == [None, "answer 1"]


class OwnFlows(httpure.Auth):
    """Does something else in each colour, as schemes do that ask a server of their own."""

    def sync_auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        request.headers["Authorization"] = "blocking"
        response = yield request
        response.read()
        if response.json()["headers"]["authorization"] == "blocking":
            request.headers["Authorization"] = "blocking twice"
            yield request

    async def async_auth_flow(
        self, request: httpure.Request
    ) -> AsyncGenerator[httpure.Request, httpure.Response]:
        request.headers["Authorization"] = "async"
        response = yield request
        await response.aread()
        if response.json()["headers"]["authorization"] == "async":
            request.headers["Authorization"] = "async twice"
            yield request


async def test_auth_with_a_flow_for_each_colour(http: World) -> None:
    async with echoing(http, auth=OwnFlows()) as client:
        assert await shown(client) == ("blocking twice" if http.blocking else "async twice")


class Failing(httpure.Auth):
    """Fails at its first or second step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        if self.step == 1:
            raise Refused("first")
        yield request
        raise Refused("second")


class FailingItself(Failing):
    """The same in flows of its own."""

    def sync_auth_flow(self, request: httpure.Request) -> Any:
        yield from self.auth_flow(request)

    async def async_auth_flow(self, request: httpure.Request) -> Any:
        for outgoing in self.auth_flow(request):
            yield outgoing


@pytest.mark.parametrize("kind", [Failing, FailingItself])
async def test_failing_auth(http: World, kind: type[Failing]) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"x" * 1000] * 50, chunked=True, pause=0.005)))
    async with only_one(http) as client:
        for step, words in ((1, "first"), (2, "second")):
            for _ in range(2):
                with pytest.raises(Refused, match=words):
                    await client.get(url, auth=kind(step))
                assert client.statistics == (0, 0, 0)


async def test_digest(http: World, server: str) -> None:
    async with http.client(auth=httpure.DigestAuth("ada", "secret")) as client:
        for algorithm in ("MD5", "SHA-256"):
            response = await client.get(f"{server}/digest-auth/auth/ada/secret/{algorithm}")
            assert response.json() == {"authenticated": True, "user": "ada"}
        assert client.statistics == (1, 1, 0)


# Redirects


def redirecting(request: httpure.Request) -> httpure.Response:
    """/N leads to /N-1, /loop to itself, /away to another host; everything else is shown."""
    path = request.url.path[1:]
    if path.isdigit() and int(path):
        return httpure.Response(302, headers={"Location": f"/{int(path) - 1}"})
    if path == "loop":
        return httpure.Response(301, headers={"Location": "/loop"})
    if path == "away":
        return httpure.Response(307, headers={"Location": "https://other.test/there"})
    return echo(request)


async def test_history(http: World) -> None:
    async with http.client(transport=httpure.MockTransport(redirecting), follow_redirects=True) as client:
        response = await client.get(URL + "3")
        assert response.url == URL + "0"
        assert [str(earlier.url) for earlier in response.history] == [URL + "3", URL + "2", URL + "1"]
        assert [len(earlier.history) for earlier in response.history] == [0, 1, 2]
        assert (await client.get(URL + "3", follow_redirects=False)).status_code == 302


async def test_next_request(http: World) -> None:
    async with http.client(transport=httpure.MockTransport(redirecting)) as client:
        response = await client.get(URL + "2")
        steps = [str(response.url)]
        while response.next_request is not None:
            response = await client.send(response.next_request)
            steps.append(str(response.url))
        assert steps == [URL + "2", URL + "1", URL + "0"]
        assert (await client.get(URL + "1", follow_redirects=True)).next_request is None


@pytest.mark.parametrize("location", ["/there", "https://stranger.example/"])
async def test_next_request_takes_the_clients_auth_to_no_stranger(http: World, location: str) -> None:
    def answer(request: httpure.Request) -> httpure.Response:
        return httpure.Response(302, headers={"Location": location})

    async with http.client(transport=httpure.MockTransport(answer), auth=("user", "pass")) as client:
        response = await client.get("https://example.org/")
        assert "Authorization" in response.request.headers
        again = await client.send(response.next_request)
        assert ("Authorization" in again.request.headers) == (location == "/there")
        given = await client.send(response.next_request, auth=("other", "pass"))
        assert "Authorization" in given.request.headers


@pytest.mark.parametrize(
    ("most", "count", "enough"), [(0, 0, True), (0, 1, False), (3, 3, True), (3, 4, False)]
)
async def test_number_of_redirects(http: World, most: int, count: int, enough: bool) -> None:
    transport = httpure.MockTransport(redirecting)
    async with http.client(transport=transport, follow_redirects=True, max_redirects=most) as client:
        if enough:
            assert len((await client.get(URL + str(count))).history) == count
        else:
            with pytest.raises(httpure.TooManyRedirects, match=rf"More than {most} redirects") as caught:
                await client.get(URL + str(count))
            assert caught.value.request.url.host == "example.org"


async def test_endless_redirects_leave_the_pool_whole(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(302, b"x" * 100, [("Location", "/again")])))
    async with only_one(http, follow_redirects=True) as client:
        for _ in range(2):
            with pytest.raises(httpure.TooManyRedirects):
                await client.get(url)
        assert client.statistics.idle == client.statistics.connections


class Signing(httpure.Auth):
    """Adds a field whose name says nothing."""

    def auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        request.headers["X-Mine"] = "of value"
        yield request


async def test_another_origin_gets_no_credentials(http: World) -> None:
    """Neither the usual fields nor what an auth scheme has added, whatever its name; the rest it does get."""
    private = {"Authorization": "a", "Proxy-Authorization": "b", "X-Api-Key": "c", "Cookie": "d=1"}
    async with http.client(
        transport=httpure.MockTransport(redirecting), follow_redirects=True, auth=Signing()
    ) as client:
        headers = private | {"X-Harmless": "yes"}
        response = await client.post(URL + "away", headers=headers, content=b"body")
        seen = response.json()
        sent = response.history[0].request.headers
    assert sent["x-mine"] == "of value" and sent["authorization"] == "a"
    assert seen["url"] == "https://other.test/there" and seen["body"] == "body" and seen["method"] == "POST"
    assert seen["headers"]["host"] == "other.test"
    assert seen["headers"]["x-harmless"] == "yes"
    assert not {"authorization", "proxy-authorization", "x-api-key", "cookie", "x-mine"} & set(
        seen["headers"]
    )


async def test_same_origin_keeps_the_credentials(http: World) -> None:
    async with http.client(
        transport=httpure.MockTransport(redirecting), follow_redirects=True, auth=("ada", "secret")
    ) as client:
        assert (await client.get(URL + "1")).json()["headers"]["authorization"] == basic("ada", "secret")


# Cookies


def setting(request: httpure.Request) -> httpure.Response:
    """/set/NAME/VALUE sets a cookie, everything else is shown."""
    parts = request.url.path.split("/")
    if parts[1] == "set":
        return httpure.Response(200, headers={"Set-Cookie": f"{parts[2]}={parts[3]}; Path=/"})
    return echo(request)


async def test_cookies_are_kept_and_shared(http: World) -> None:
    async with http.client(transport=httpure.MockTransport(setting)) as client:
        response = await client.get(URL + "set/a/1")
        assert dict(response.cookies) == {"a": "1"} == dict(client.itself.cookies)
        await client.get(URL + "set/b/2")
        assert (await client.get(URL)).json()["headers"]["cookie"] == "a=1; b=2"
        assert "cookie" not in (await client.get("http://other.test/")).json()["headers"]
        client.itself.cookies.clear()
        assert "cookie" not in (await client.get(URL)).json()["headers"]


async def test_cookies_of_many_at_once(http: World) -> None:
    async with http.client(transport=httpure.MockTransport(setting)) as client:
        await http.gather(*[client.get(f"{URL}set/c{number}/{number}") for number in range(40)])
        assert dict(client.itself.cookies) == {f"c{number}": str(number) for number in range(40)}


async def test_cookie_of_a_redirect(http: World) -> None:
    def handler(request: httpure.Request) -> httpure.Response:
        if request.url.path == "/":
            return httpure.Response(302, headers={"Location": "/next", "Set-Cookie": "a=1"})
        return echo(request)

    async with http.client(transport=httpure.MockTransport(handler), follow_redirects=True) as client:
        assert (await client.get(URL)).json()["headers"]["cookie"] == "a=1"


# Transports


class Custom(httpure.BaseTransport, httpure.AsyncBaseTransport):
    """Answers with a stream of its own."""

    def __init__(self) -> None:
        self.closed = 0

    def handle_request(self, request: httpure.Request) -> httpure.Response:
        return httpure.Response(200, stream=Pieces(self))

    async def handle_async_request(self, request: httpure.Request) -> httpure.Response:
        return httpure.Response(200, stream=Pieces(self))


class Pieces(httpure.SyncByteStream, httpure.AsyncByteStream):
    """A body that counts how often it is closed."""

    def __init__(self, owner: Custom) -> None:
        self.owner = owner

    def __iter__(self) -> Any:
        yield from (b"one ", b"two ", b"three")

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.owner.closed += 1

    async def aclose(self) -> None:
        self.owner.closed += 1


async def test_custom_transport(http: World) -> None:
    transport = Custom()
    async with http.client(transport=transport) as client:
        response = await client.get(URL)
        assert response.text == "one two three"
        assert response.is_closed and transport.closed == 1
        async with client.stream("GET", URL) as response:
            assert [piece async for piece in http.pieces(response)] == [b"one ", b"two ", b"three"]
        assert transport.closed == 2
        async with client.stream("GET", URL) as response:
            pass
        assert transport.closed == 3


async def test_subclass_of_the_ready_transport(http: World) -> None:
    """It must be asked: a transport that logs or retries would do nothing else."""
    asked: list[str] = []
    url = http.serve(Site(lambda call: Answer(200, (call.field("x-from") or "").encode())))
    if http.blocking:

        class Transport(httpure.HTTPTransport):
            def handle_request(self, request: httpure.Request) -> httpure.Response:
                asked.append(request.method)
                request.headers["X-From"] = "transport"
                return super().handle_request(request)
    else:

        class Transport(httpure.AsyncHTTPTransport):  # type: ignore[no-redef]
            async def handle_async_request(self, request: httpure.Request) -> httpure.Response:
                asked.append(request.method)
                request.headers["X-From"] = "transport"
                return await super().handle_async_request(request)

    async with http.client(transport=Transport()) as client:
        for _ in range(2):
            assert (await client.get(url)).text == "transport"
        assert client.statistics == (1, 1, 0)
        async with client.stream("GET", url) as response:
            assert await http.read(response) == b"transport"
    assert asked == ["GET"] * 3


async def test_transport_that_fails(http: World) -> None:
    def handler(request: httpure.Request) -> httpure.Response:
        raise httpure.ConnectTimeout("too slow")

    async with http.client(transport=httpure.MockTransport(handler)) as client:
        with pytest.raises(httpure.ConnectTimeout, match="too slow") as caught:
            await client.get(URL)
        assert caught.value.request.url == URL


async def test_mock_transport_sees_the_body(http: World) -> None:
    async with echoing(http) as client:
        assert (await client.post(URL, content=http.body([b"a", b"b"]))).json()["body"] == "ab"
        assert (await client.post(URL, json={"a": 1})).json()["body"] == '{"a":1}'


# Bodies


async def test_body_that_raises(http: World) -> None:
    """Its exception arrives as it is, wherever it comes, and costs one connection at most."""
    url = http.serve(Site(lambda call: Answer(200, call.body)))

    def sync_body(good: int) -> Any:
        for _ in range(good):
            yield b"x" * 1000
        raise Refused("body")

    async def async_body(good: int) -> Any:
        for piece in sync_body(good):
            yield piece

    async with only_one(http) as client:
        for good in (0, 1, 5):
            with pytest.raises(Refused, match=r"^body$"):
                await client.post(url, content=(sync_body if http.blocking else async_body)(good))
            assert client.statistics == (0, 0, 0)
        assert (await client.post(url, content=b"fine")).text == "fine"


@pytest.mark.parametrize(("declared", "word"), [(5, "longer"), (50, "shorter")])
async def test_body_with_a_wrong_length(http: World, declared: int, word: str) -> None:
    url = http.serve(Site(lambda call: Answer(200, call.body)))
    async with only_one(http) as client:
        for _ in range(2):
            with pytest.raises(httpure.LocalProtocolError, match=rf"{word} than its Content-Length"):
                await client.post(
                    url, content=http.body([b"x" * 10] * 2), headers={"Content-Length": str(declared)}
                )
            assert client.statistics == (0, 0, 0)
        response = await client.post(
            url, content=http.body([b"x" * 10] * 2), headers={"Content-Length": "20"}
        )
        assert response.text == "x" * 20


async def test_body_of_the_wrong_type(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200)))
    async with only_one(http) as client:
        for content in (5, object(), {"a": "b"}):
            with pytest.raises(TypeError, match=type(content).__name__):
                await client.post(url, content=content)
        with pytest.raises(TypeError):
            await client.post(url, content=http.body(["text"]))  # type: ignore[list-item]
        assert client.statistics == (0, 0, 0)
    assert all(call.body == b"" for call in site.calls)


# Responses


async def test_streaming_without_reading(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"x" * 100_000)))
    async with only_one(http) as client:
        for _ in range(3):
            async with client.stream("GET", url) as response:
                assert response.status_code == 200
                assert not response.is_closed
                with pytest.raises(httpure.ResponseNotRead):
                    _ = response.content
            assert response.is_closed
            with pytest.raises(httpure.StreamClosed):
                await http.read(response)


async def test_closing_early(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"x" * 1000] * 100, chunked=True, pause=0.01)))
    async with only_one(http) as client:
        for _ in range(3):
            response = await client.send(client.itself.build_request("GET", url), stream=True)
            await http.close_response(response)
            await http.close_response(response)
            assert client.statistics == (0, 0, 0)


async def test_dropping_frees_the_slot(http: World) -> None:
    """A response that nobody holds any more holds no connection, half read or not."""
    url = http.serve(Site(lambda call: Answer(200, [b"x" * 1000] * 100, chunked=True, pause=0.01)))
    async with only_one(http) as client:
        for read in (False, True, False):
            response = await client.send(client.itself.build_request("GET", url), stream=True)
            if read:
                pieces = http.pieces(response)
                await anext(pieces)
                await pieces.aclose()
                del pieces
            del response
            gc.collect()
            assert client.statistics == (0, 0, 0)


async def test_dropping_in_a_cycle(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"x" * 1000] * 100, chunked=True, pause=0.01)))
    async with only_one(http) as client:
        for _ in range(3):
            response = await client.send(client.itself.build_request("GET", url), stream=True)
            response.itself = response
            del response
            gc.collect()
            assert client.statistics == (0, 0, 0)


async def test_pickling(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(201, b"whole", [("Set-Cookie", "a=1"), ("X-B", "2")])))
    async with http.client() as client:
        response = await client.post(url, json={"a": 1})
        again = pickle.loads(pickle.dumps(response))
        assert (again.status_code, again.text, again.headers["x-b"]) == (201, "whole", "2")
        assert again.elapsed == response.elapsed and again.is_closed and again.http_version == "HTTP/1.1"
        assert again.request.method == "POST" and again.url == url and again.request.content == b'{"a":1}'
        assert dict(again.cookies) == {"a": "1"}
        async with client.stream("GET", url) as response:
            again = pickle.loads(pickle.dumps(response))
            with pytest.raises(httpure.ResponseNotRead):
                _ = again.content
            with pytest.raises(httpure.StreamClosed):
                await http.read(again)


async def test_no_secret_in_what_is_shown(http: World) -> None:
    """Messages, reprs: neither password, nor token, nor query."""
    url = f"http://ada:hunter2@127.0.0.1:{http.free_port()}/path?token=hunter2"
    async with http.client(headers={"Authorization": "hunter2"}, auth=("ada", "hunter2")) as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get(url)
        shown = [str(caught.value), repr(caught.value), repr(client.itself.headers), repr(client.itself.auth)]
    assert not re.search("hunter2", " ".join(shown))
