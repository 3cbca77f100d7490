"""Redirects: where they lead, with which method and body, and what goes along."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

import httpure
from tests.peers import Answer, Call, Site, scripted

from .world import AnyClient, World

SECRETS = {
    "Authorization": "hush",
    "Proxy-Authorization": "hush",
    "Cookie": "a=hush",
    "X-Api-Key": "hush",
    "X-Auth-Token": "hush",
    "X-Tenant": "hush",
}
HARMLESS = {"Accept-Language": "nl", "User-Agent": "mine", "X-Request-Id": "1"}


def redirecting(**places: tuple[int, str]) -> Site:
    """A site whose paths redirect, such as there=(302, "/"); it echoes at all others."""

    def app(call: Call) -> Answer:
        place = places.get(call.path[1:])
        if place is not None:
            return Answer(place[0], b"moved", [("Location", place[1])])
        return Answer(200, call.body, [("X-Method", call.method)])

    return Site(app)


def leading_to(location: str) -> Site:
    """A site that redirects everything to one place."""
    return Site(lambda call: Answer(302, b"moved", [("Location", location)]))


def seen(call: Call, names: dict[str, str]) -> set[str]:
    return {name for name in names if call.field(name.lower()) is not None}


async def get(http: World, url: str, **options: Any) -> Any:
    async with http.client(follow_redirects=True) as client:
        return await client.get(url, **options)


# Methods and bodies


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_methods_are_those_of_fetch(http: World, method: str, status: int) -> None:
    url = http.serve(site := redirecting(a=(status, "/b")))
    async with http.client(follow_redirects=True) as client:
        await client.request(method, url + "/a", content=None if method == "HEAD" else b"body")
    first, second = site.calls
    becomes_get = method != "GET" and (
        (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST")
    )
    assert second.method == ("GET" if becomes_get else method)
    assert second.body == (b"" if becomes_get else first.body)


async def test_a_body_goes_with_all_that_describes_it(http: World) -> None:
    url = http.serve(site := redirecting(a=(303, "/b"), c=(307, "/d")))
    headers = {"Content-Language": "nl", "Content-MD5": "x", "Digest": "y", "Accept": "z/z"}
    async with http.client(follow_redirects=True) as client:
        for path in ("/a", "/c"):
            await client.post(url + path, files={"f": b"x"}, headers=headers)
    described = ("content-type", "content-length", "content-language", "content-md5", "digest")
    assert [name for name in described if site.calls[1].field(name) is not None] == []
    assert [name for name in described if site.calls[3].field(name) is not None] == list(described)
    assert {call.field("accept") for call in site.calls} == {"z/z"}


# Whether they are followed


async def test_by_hand_or_for_one_request(http: World) -> None:
    url = http.serve(redirecting(a=(302, "/b"), b=(302, "/c")))
    async with http.client() as client:
        response = await client.get(url + "/a")
        assert (response.status_code, response.content, response.history) == (302, b"moved", [])
        while response.next_request is not None:
            response = await client.send(response.next_request)
        assert response.status_code == 200
        response = await client.get(url + "/a", follow_redirects=True)
        assert [past.url.path for past in response.history] == ["/a", "/b"]
        assert response.next_request is None
        client.itself.follow_redirects = True
        assert (await client.get(url + "/a")).status_code == 200
        assert (await client.get(url + "/a", follow_redirects=False)).status_code == 302


async def test_a_streamed_redirect_that_is_not_followed(http: World) -> None:
    url = http.serve(redirecting(a=(302, "/b")))
    async with http.client() as client, client.stream("GET", url + "/a") as response:
        assert str(response.next_request.url) == url + "/b"
        assert await http.read(response) == b"moved"


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("https://[", httpure.RemoteProtocolError),
        ("https://example.org:99999/", httpure.RemoteProtocolError),
        ("file:///etc/passwd", httpure.UnsupportedProtocol),
        ("ftp://example.org/", httpure.UnsupportedProtocol),
    ],
)
async def test_a_place_where_nobody_can_go(http: World, location: str, error: type[Exception]) -> None:
    url = http.serve(leading_to(location))
    async with http.client() as client:
        response = await client.get(url)
        assert (response.status_code, response.next_request) == (302, None)
        with pytest.raises(error) as caught:
            await client.get(url, follow_redirects=True)
        assert str(caught.value.request.url) == url  # type: ignore[attr-defined]
        assert (await client.get(url)).status_code == 302


async def test_several_places(http: World) -> None:
    both = [("Location", "/a"), ("Location", "/b")]
    url = http.serve(Site(lambda call: Answer(302, b"", both)))
    with pytest.raises(httpure.RemoteProtocolError, match="2 different Location"):
        await get(http, url)


# Where they lead


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b c/é?ü=ß", "/b%20c/%C3%A9?%C3%BC=%C3%9F"),
        ("/%7Ea%2f", "/%7Ea%2f"),
        ("?x", "/dir/here?x"),
        ("../up", "/up"),
        ("next#part", "/dir/next"),
    ],
)
async def test_locations_are_repaired_and_joined(http: World, location: str, target: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n"
    url = http.serve(scripted([head.encode()], [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]))
    response = await get(http, url + "/dir/here")
    assert response.status_code == 200
    assert response.url.raw_path == target.encode()


async def test_fragments(http: World) -> None:
    url = http.serve(redirecting(a=(302, "/b"), c=(302, "/d#own")))
    assert str((await get(http, url + "/a#part")).url) == url + "/b#part"
    assert str((await get(http, url + "/c#part")).url) == url + "/d#own"


async def test_a_raw_target_is_for_its_own_request_only(http: World) -> None:
    url = http.serve(site := redirecting(a=(302, "/b")))
    await get(http, url, extensions={"target": b"/a"})
    assert [call.target for call in site.calls] == ["/a", "/b"]


# What goes along


async def secrets_across(client: AnyClient, here: str) -> None:
    response = await client.get(here, headers=SECRETS | HARMLESS)
    assert response.status_code == 200
    assert len(response.history) == 1


async def test_the_same_origin_gets_all_but_a_cookie_of_the_caller(http: World) -> None:
    url = http.serve(site := redirecting(a=(302, "/b")))
    async with http.client(follow_redirects=True) as client:
        await secrets_across(client, url + "/a")
    assert seen(site.calls[0], SECRETS) == set(SECRETS)
    assert seen(site.calls[1], SECRETS) == set(SECRETS) - {"Cookie"}


async def test_another_origin_gets_no_secrets(http: World) -> None:
    there = http.serve(strange := redirecting())
    url = http.serve(leading_to(there))
    async with http.client(follow_redirects=True) as client:
        await secrets_across(client, url)
        assert seen(strange.calls[0], SECRETS) == {"X-Tenant"}, "nobody said that this is one"
        assert strange.calls[0].field("host") == there.removeprefix("http://")
        client.itself.sensitive_headers = ["x-tenant"]
        await secrets_across(client, url)
    assert seen(strange.calls[1], SECRETS) == set()
    assert all(seen(call, HARMLESS) == set(HARMLESS) for call in strange.calls)


async def test_the_callers_own_list_of_secrets(http: World) -> None:
    there = http.serve(strange := redirecting())
    url = http.serve(site := redirecting(a=(302, "/b"), b=(302, there)))
    async with http.client(follow_redirects=True, sensitive_headers=["X-Tenant", "X-Request-Id"]) as client:
        response = await client.get(url + "/a", headers=HARMLESS | {"X-TENANT": "7"})
        assert client.itself.sensitive_headers == ("X-Tenant", "X-Request-Id")
        following = await client.get(url + "/b", headers={"X-Tenant": "7"}, follow_redirects=False)
    assert [call.field("x-tenant") for call in site.calls] == ["7", "7", "7"]
    assert seen(strange.calls[0], HARMLESS | {"X-Tenant": ""}) == set(HARMLESS) - {"X-Request-Id"}
    assert "X-Tenant" not in response.request.headers
    assert "X-Tenant" not in following.next_request.headers


async def test_one_name_is_no_list(http: World) -> None:
    with pytest.raises(TypeError, match=r"write \['X-Tenant'\]"):
        http.client(sensitive_headers="X-Tenant")


async def test_what_was_dropped_does_not_come_back(http: World) -> None:
    def app(call: Call) -> Answer:
        return Answer(302, b"", [("Location", there)]) if call.path == "/away" else Answer(200)

    home = http.serve(site := Site(app))
    there = http.serve(leading_to(home + "/back"))
    async with http.client(follow_redirects=True, headers=SECRETS, auth=("me", "hush")) as client:
        await client.get(home + "/away")
    assert "Authorization" in seen(site.calls[0], SECRETS)
    assert seen(site.calls[1], SECRETS) == {"X-Tenant"}


async def test_from_https_to_http_no_credential_goes_along(http: World) -> None:
    """On the same host even: whoever listens on the way sees what is sent."""
    plain = http.serve(listening := redirecting())

    def app(call: Call) -> Answer:
        return Answer(
            302, b"", [("Location", plain), ("Set-Cookie", "s=hush; Secure"), ("Set-Cookie", "t=ok")]
        )

    url = http.serve(Site(app), tls=True)
    options = {"follow_redirects": True, "verify": "test", "sensitive_headers": ["X-Tenant"]}
    async with http.client(**options, auth=("me", "hush"), allow_downgrade=True) as client:
        response = await client.get(
            url, headers={**SECRETS, "Referer": url + "/hush"}, cookies={"own": "hush"}
        )
        assert dict(client.itself.cookies) == {"s": "hush", "t": "ok"}
    assert response.url.scheme == "http"
    (call,) = listening.calls
    assert seen(call, SECRETS) == {"Cookie"}
    assert call.field("cookie") == "t=ok"
    assert call.field("referer") is None
    assert "hush" not in str(call.fields)


async def test_from_https_to_http_only_with_consent(http: World) -> None:
    plain = http.serve(listening := redirecting())
    url = http.serve(leading_to(plain + "/there?key=hush"), tls=True)
    async with http.client(follow_redirects=True, verify="test") as client:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            await client.get(url + "/here?key=hush")
        why = str(caught.value)
        assert f"GET {url}/here; follow it with allow_downgrade=True" in why and "hush" not in why
        response = await client.get(url, follow_redirects=False)
        assert response.has_redirect_location and response.next_request is None
        assert client.itself.allow_downgrade is False and listening.calls == []
        client.itself.allow_downgrade = True
        response = await client.get(url, follow_redirects=False)
        assert str(response.next_request.url) == plain + "/there?key=hush"
        assert (await client.get(url)).status_code == 200
    assert len(listening.calls) == 1


async def test_credentials_that_a_server_writes_are_not_used(http: World) -> None:
    there = http.serve(strange := redirecting())
    url = http.serve(redirecting(a=(302, there.replace("//", "//who:hush@"))))
    async with http.client(follow_redirects=True) as client:
        response = await client.get(url + "/a")
        assert str(response.url) == there
        following = (await client.get(url + "/a", follow_redirects=False)).next_request
        assert str(following.url) == there
        await client.send(following)
    assert [call.field("authorization") for call in strange.calls] == [None, None]


async def test_cookies_for_one_request_stay_with_its_origin(http: World) -> None:
    there = http.serve(strange := redirecting())
    url = http.serve(site := redirecting(a=(302, "/b"), b=(302, there)))
    async with http.client(follow_redirects=True) as client:
        await client.get(url + "/a", cookies={"own": "1"})
        assert dict(client.itself.cookies) == {}
    assert [call.field("cookie") for call in site.calls] == ["own=1", "own=1"]
    assert strange.calls[0].field("cookie") is None


async def test_credentials_of_a_url_stay_with_its_origin(http: World) -> None:
    there = http.serve(strange := redirecting())
    url = http.serve(site := redirecting(a=(302, "/b"), b=(302, there)))
    await get(http, url.replace("//", "//me:hush@") + "/a")
    assert [call.field("authorization") for call in site.calls] == ["Basic bWU6aHVzaA=="] * 2
    assert strange.calls[0].field("authorization") is None


# Nothing is left behind


async def test_a_redirect_with_a_long_body_costs_its_connection_and_no_more(http: World) -> None:
    def app(call: Call) -> Answer:
        if call.path == "/long":
            return Answer(302, [b"x" * 65536] * 50, [("Location", "/")])
        return Answer(200, b"there")

    url = http.serve(site := Site(app))
    async with http.client(follow_redirects=True) as client:
        response = await client.get(url + "/long")
        assert (response.content, response.history[0].content) == (b"there", b"")
        assert client.statistics == (1, 1, 0)
    assert site.connections == 2


async def test_an_abandoned_stream_gives_its_connection_back(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, [b"x" * 65536] * 50)))
    async with http.client(limits=httpure.Limits(max_connections=1)) as client:
        for _ in range(3):
            request = client.itself.build_request("GET", url)
            response = await client.send(request, stream=True)
            assert response.status_code == 200
            del response
        async with client.stream("GET", url) as response, aclosing(http.pieces(response)) as pieces:
            async for _ in pieces:
                break
        assert len((await client.get(url)).content) == 50 * 65536
    assert site.connections == 5
