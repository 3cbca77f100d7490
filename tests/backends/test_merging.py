"""What a client and a request say together: headers taken away, queries that meet, cookies of one request, limits.

On each backend. How things are merged is in tests/core/config/test_merge.py.
"""

from __future__ import annotations

import asyncio
import http.cookiejar
import pickle
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

import httpure
from httpure_core.models.field_block import field_block
from tests.behaviour.world import AnyClient, World

URL = "http://example.org/"


class Sent:
    """Every request that was sent, answered by a function."""

    def __init__(self, http: World | None, **kwargs: Any) -> None:
        self.requests: list[httpure.Request] = []
        self.answers: dict[str, list[tuple[str, str]]] = {}
        self.transport = httpure.MockTransport(self.answer)
        if http is not None:
            self.client: AnyClient = http.client(transport=self.transport, **kwargs)

    def answer(self, request: httpure.Request) -> httpure.Response:
        self.requests.append(request)
        fields = self.answers.get(str(request.url), [])
        return httpure.Response(302 if "Location" in dict(fields) else 200, headers=fields)

    @property
    def cookies(self) -> list[str | None]:
        return [request.headers.get("cookie") for request in self.requests]


# Headers


async def test_none_takes_a_header_away(http: World) -> None:
    sent = Sent(http, headers={"X-Own": "1", "Connection": None})
    await sent.client.get(URL, headers={"User-Agent": None, "x-own": None, "X-Never": None})
    await sent.client.get(URL)
    first, second = [request.headers for request in sent.requests]
    assert list(first) == ["host", "accept", "accept-encoding"]
    assert list(second) == ["host", "accept", "accept-encoding", "user-agent", "x-own"]


async def test_none_takes_away_what_a_body_would_add(http: World) -> None:
    sent = Sent(http)
    for headers in ({"Content-Type": None}, [("content-type", None)]):
        await sent.client.post(URL, json={}, headers=headers)
        assert "content-type" not in sent.requests[-1].headers
        assert sent.requests[-1].headers["content-length"] == "2"
    await sent.client.post(URL, json={}, headers={"X-Own": None})
    assert sent.requests[-1].headers["content-type"] == "application/json"


async def test_none_takes_away_a_host_of_the_client(http: World) -> None:
    sent = Sent(http, headers={"Host": "other.example"})
    await sent.client.get(URL)
    await sent.client.get(URL, headers={"Host": None})
    assert [request.headers["host"] for request in sent.requests] == ["other.example", "example.org"]


async def test_headers_are_set_anew(http: World) -> None:
    client = http.client().itself
    client.headers = {"Accept": None, "X-Own": "1"}
    assert list(client.headers) == ["accept-encoding", "connection", "user-agent", "x-own"]
    client.headers = None
    assert list(client.headers) == ["accept", "accept-encoding", "connection", "user-agent"]
    with pytest.raises(TypeError, match="not NoneType"):
        client.headers["Accept"] = None


# Queries


async def test_params_that_drop_a_query_are_warned_of(http: World) -> None:
    sent = Sent(http, params={"c": "1"})
    with pytest.warns(httpure.QueryDroppedWarning, match="'page' in it will not be sent"):
        await sent.client.get(f"{URL}?page=2", params={"b": "1"})
    await sent.client.get(f"{URL}?page=2", params={"page": "3"})
    await sent.client.get(f"{URL}?page=2")
    assert [request.url.query for request in sent.requests] == [b"c=1&b=1", b"c=1&page=3", b"c=1&page=2"]


async def test_the_query_of_the_base_url_stays(http: World) -> None:
    sent = Sent(http, base_url="https://example.org/api?version=%7E1")
    await sent.client.get("items")
    await sent.client.get("items?a=1")
    await sent.client.get("items", params={"a": "1"})
    await sent.client.get("items", params={"version": "2"})
    await sent.client.get("items?version=2")
    await sent.client.get("https://example.org/other?version=~1&a=1")
    with pytest.warns(httpure.QueryDroppedWarning, match=": 'b' in it"):
        await sent.client.get("items?b=1", params={"a": "1"})
    with pytest.warns(httpure.QueryDroppedWarning, match=": 'version' in it"):
        await sent.client.get("https://example.org/other?version=~1", params={"a": "1"})
    assert [request.url.query for request in sent.requests] == [
        *(b"version=%7E1", b"version=%7E1&a=1", b"version=%7E1&a=1", b"version=2", b"version=2"),
        *(b"version=~1&a=1", b"version=%7E1&a=1", b"a=1"),
    ]


def test_the_warning_names_the_line_of_the_caller() -> None:
    def blocking() -> None:
        with httpure.Client(transport=Sent(None).transport) as client:
            client.get(f"{URL}?a=1", params={})
            with client.stream("GET", f"{URL}?a=1", params={}):
                pass
            client.build_request("GET", f"{URL}?a=1", params={})

    async def asynchronous() -> None:
        async with httpure.AsyncClient(transport=Sent(None).transport) as client:
            await client.get(f"{URL}?a=1", params={})
            async with client.stream("GET", f"{URL}?a=1", params={}):
                pass

    with pytest.warns(httpure.QueryDroppedWarning) as told:
        blocking()
        asyncio.run(asynchronous())
    first = blocking.__code__.co_firstlineno
    assert [(each.filename, each.lineno - first) for each in told] == [
        (__file__, line) for line in (2, 3, 5, 9, 10)
    ]


def test_the_warning_is_shown_once_for_a_line() -> None:
    with (
        warnings.catch_warnings(record=True) as told,
        httpure.Client(transport=Sent(None).transport) as client,
    ):
        warnings.simplefilter("default")
        for _ in range(3):
            client.get(f"{URL}?a=1", params={})
    assert len(told) == 1


# Cookies of one request


async def test_cookies_of_a_request_are_not_kept(http: World) -> None:
    sent = Sent(http, cookies={"a": "client", "b": "client"})
    await sent.client.get(URL, cookies={"a": "own"})
    await sent.client.get(URL)
    assert sent.cookies == ["b=client; a=own", "a=client; b=client"]


async def test_cookies_of_a_request_win_over_received_ones(http: World) -> None:
    sent = Sent(http)
    sent.answers[URL] = [("Set-Cookie", "a=received"), ("Set-Cookie", "b=received")]
    await sent.client.get(URL)
    await sent.client.get(URL, cookies={"a": "own"})
    await sent.client.get(URL)
    assert sent.cookies == [None, "b=received; a=own", "a=received; b=received"]


async def test_cookies_of_a_request_go_along_within_its_origin(http: World) -> None:
    sent = Sent(http, follow_redirects=True, cookies={"c": "client"})
    sent.answers[URL] = [("Location", "/next")]
    sent.answers[f"{URL}next"] = [("Location", "https://example.org/secure")]
    await sent.client.get(URL, cookies={"a": "own"})
    assert sent.cookies == ["c=client; a=own"] * 3
    assert "a" not in sent.client.itself.cookies


@pytest.mark.parametrize(
    "stranger", ["http://other.example/", "http://www.example.org/", "http://example.org:8080/"]
)
async def test_cookies_of_a_request_go_to_no_other_origin(http: World, stranger: str) -> None:
    sent = Sent(http, follow_redirects=True)
    sent.answers[URL] = [("Location", stranger)]
    sent.answers[stranger] = [("Location", f"{URL}back")]
    await sent.client.get(URL, cookies={"a": "own"})
    assert [str(request.url) for request in sent.requests] == [URL, stranger, f"{URL}back"]
    assert sent.cookies == ["a=own", None, None]


async def test_a_response_may_replace_a_cookie_of_the_request(http: World) -> None:
    sent = Sent(http, follow_redirects=True)
    sent.answers[URL] = [("Location", "/next"), ("Set-Cookie", "a=new")]
    sent.answers[f"{URL}next"] = [("Location", "/last"), ("Set-Cookie", "b=; Max-Age=0")]
    await sent.client.get(URL, cookies={"a": "own", "b": "own"})
    assert sent.cookies == ["a=own; b=own", "a=new; b=own", "a=new"]


async def test_the_next_request_has_them_too(http: World) -> None:
    sent = Sent(http)
    sent.answers[URL] = [("Location", "/next")]
    response = await sent.client.get(URL, cookies={"a": "own"})
    await sent.client.send(response.next_request)
    assert sent.cookies == ["a=own", "a=own"]


async def test_received_cookies_need_not_be_kept(http: World) -> None:
    sent = Sent(http, persist_cookies=False, cookies={"c": "client"})
    sent.answers[URL] = [("Set-Cookie", "a=received")]
    response = await sent.client.get(URL)
    assert dict(response.cookies) == {"a": "received"}
    await sent.client.get(URL)
    client = sent.client.itself
    assert client.persist_cookies is False
    client.cookies = {"d": "client"}
    await sent.client.get(URL)
    client.persist_cookies = True
    await sent.client.get(URL)
    await sent.client.get(URL)
    assert sent.cookies == ["c=client", "c=client", "d=client", "d=client", "d=client; a=received"]


# Jars


def mozilla(path: Path) -> http.cookiejar.MozillaCookieJar:
    jar = http.cookiejar.MozillaCookieJar(path)
    if path.exists():
        jar.load(ignore_discard=True)
    return jar


def test_a_jar_that_is_given_gets_what_responses_set(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    for visit in (1, 2):
        jar = mozilla(path)
        sent = Sent(None)
        sent.answers[URL] = [("Set-Cookie", f"n{visit}=1; Max-Age=1000; HttpOnly; SameSite=Lax")]
        with httpure.Client(cookies=jar, transport=sent.transport) as client:
            assert client.cookies.jar is jar
            client.get(URL)
            client.get(URL)
        jar.save(ignore_discard=True)
    assert sent.cookies == ["n1=1", "n1=1; n2=1"]
    assert {cookie.name for cookie in mozilla(path)} == {"n1", "n2"}


def test_a_jar_stays_its_owners() -> None:
    jar = http.cookiejar.CookieJar()
    cookies = httpure.Cookies(jar)
    assert not cookies
    cookies.set("a", "1", domain="example.org")
    cookies["b"] = "2"
    assert {(cookie.name, cookie.domain) for cookie in jar} == {("a", "example.org"), ("b", "")}
    for cookie in jar:
        cookie.value = "changed"
    assert cookies and dict(cookies) == {"a": "changed", "b": "changed"}
    del cookies["b"]
    cookies.delete("missing")
    assert [cookie.name for cookie in jar] == ["a"]
    cookies.store.remove(httpure.Cookies({"never": "there"}).store.__iter__().__next__())
    with pytest.raises(ValueError, match="control character"):
        cookies.set("a", "\x01")
    jar.clear()
    assert not cookies and len(cookies.store) == 0
    cookies.set("a", "1")
    cookies.clear()
    assert len(jar) == 0


def test_a_jar_forgets_what_a_response_deletes() -> None:
    jar = http.cookiejar.CookieJar()
    cookies = httpure.Cookies(jar)
    request = httpure.Request("GET", URL)
    for field, left in (("a=1", {"a": "1"}), ("a=2", {"a": "2"}), ("a=; Max-Age=0", {})):
        cookies.extract_cookies(httpure.Response(200, headers={"Set-Cookie": field}, request=request))
        assert {cookie.name: cookie.value for cookie in jar} == left


def test_a_jar_beside_the_cookies_of_a_request() -> None:
    jar = http.cookiejar.CookieJar()
    sent = Sent(None)
    with httpure.Client(cookies=jar, transport=sent.transport) as client:
        client.cookies.update({"a": "jar", "b": "jar"})
        client.get(URL, cookies={"a": "own"})
        client.get(URL, cookies=jar)
    assert sent.cookies == ["b=jar; a=own", "a=jar; b=jar"]


def test_copies_and_pickles_leave_the_jar_behind() -> None:
    jar = http.cookiejar.CookieJar()
    cookies = httpure.Cookies(jar)
    cookies["a"] = "1"
    for other in (httpure.Cookies(cookies), pickle.loads(pickle.dumps(cookies))):
        other["b"] = "2"
        assert dict(other) == {"a": "1", "b": "2"}
        assert other.jar is not jar
    assert dict(cookies) == {"a": "1"}


def test_a_view_is_always_the_same_and_shares_its_store() -> None:
    cookies = httpure.Cookies({"a": "1"})
    assert cookies.jar is cookies.jar
    shared = httpure.Cookies(cookies.jar)
    shared["b"] = "2"
    assert dict(cookies) == {"a": "1", "b": "2"}
    assert pickle.loads(pickle.dumps(cookies)) == cookies


# Time limits


async def test_a_request_made_by_hand_has_the_limits_of_the_client(http: World) -> None:
    sent = Sent(http, timeout=httpure.Timeout(3, read=7))
    given = {"timeout": {"read": 1.0}, "own": 1}
    for extensions in (None, {"own": 1}, given):
        await sent.client.send(httpure.Request("GET", URL, extensions=extensions))
    limits = {"connect": 3, "read": 7, "write": 3, "pool": 3}
    assert [request.extensions for request in sent.requests] == [
        *({"timeout": limits}, {"own": 1, "timeout": limits}, given),
    ]


@pytest.mark.parametrize("timeout", [7, (7, 7, 7, 7), httpure.Timeout(7), None])
async def test_forms_of_a_time_limit(http: World, timeout: Any) -> None:
    sent = Sent(http, timeout=timeout)
    await sent.client.get(URL)
    await sent.client.get(URL, timeout=2)
    await sent.client.get(URL, timeout=None)
    sent.client.itself.timeout = (1, 2)
    await sent.client.get(URL)
    limits = [tuple(request.extensions["timeout"].values()) for request in sent.requests]
    of_client = None if timeout is None else 7
    assert limits == [(of_client,) * 4, (2,) * 4, (None,) * 4, (1, 2, None, None)]


# What is prepared once for many requests


def test_no_request_has_what_the_client_no_longer_says() -> None:
    with httpure.Client(base_url="http://example.org/a") as client:

        def sent(url: httpure.URL | str = "x") -> tuple[str, str | None]:
            request = client.build_request("GET", url)
            return str(request.url), request.headers.get("user-agent")

        first = client.build_request("GET", "x")
        client.headers["User-Agent"] = "one"
        assert sent() == ("http://example.org/a/x", "one")
        client.headers.update({"user-agent": "two"})
        client.base_url = "http://example.org:81/b"
        assert sent() == ("http://example.org:81/b/x", "two")
        client.headers = {"User-Agent": "three"}
        client.params = {"page": 1}
        assert sent() == ("http://example.org:81/b/x?page=1", "three")
        del client.headers["User-Agent"]
        client.timeout = 7
        assert sent() == ("http://example.org:81/b/x?page=1", None)
        client.cookies.set("a", "b")
        again = client.build_request("GET", "x")
        assert (again.headers["cookie"], again.extensions["timeout"]["read"]) == ("a=b", 7)
        assert first.headers["user-agent"].startswith("python-httpure/")
        assert first.extensions["timeout"]["read"] == 5


def test_clients_share_what_nobody_has_changed() -> None:
    one, other = httpure.Client(), httpure.Client()
    one.headers["X-Team"] = "blue"
    one.build_request("GET", URL).headers["X-Trace"] = "7f3a"
    request = other.build_request("GET", URL)
    assert "x-team" not in request.headers and "x-trace" not in request.headers
    assert list(request.headers) == ["host", "accept", "accept-encoding", "connection", "user-agent"]


@pytest.mark.parametrize("body", [{}, {"json": 1}, {"data": {"a": "1"}}, {"content": b"abc"}])
def test_headers_that_can_be_gone_through_only_once(body: dict[str, Any]) -> None:
    for name in ("X-Team", "Accept", "Content-Type"):
        pairs = iter([(name, "blue")])
        request = httpure.Client().build_request("POST", URL, headers=pairs, **body)  # type: ignore[arg-type]
        assert request.headers[name] == "blue"


def test_threads_build_requests_while_another_changes_the_headers() -> None:
    client = httpure.Client()
    wrong: list[object] = []

    def build() -> None:
        for number in range(150):
            request = client.build_request("GET", f"http://{number % 5}.example/{number}")
            block = field_block(request.headers.raw)
            if request.headers["host"] != f"{number % 5}.example" or request.headers._block not in (
                None,
                block,
            ):
                wrong.append(request.headers)

    def change() -> None:
        for number in range(150):
            client.headers["X-Number"] = str(number)
            request = client.build_request("GET", URL)
            if request.headers["x-number"] != str(number):
                wrong.append(request.headers)

    threads = [threading.Thread(target=work) for work in (build, build, change)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert client.build_request("GET", URL).headers["x-number"] == "149"
