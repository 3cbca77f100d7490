"""Redirects, cookies and authentication: what takes more than one exchange."""

from __future__ import annotations

import hashlib
import re

import pytest

import httpure
from tests.peers import Answer, Call, Site

from .world import World


def signposts(call: Call) -> Answer:
    """A site with `/hop/N`, which redirects N times, and some special paths."""
    name, _, rest = call.path[1:].partition("/")
    if name == "hop" and rest != "0":
        return Answer(302, b"this way", [("Location", f"/hop/{int(rest) - 1}")])
    if name == "status":
        return Answer(int(rest), b"", [("Location", "/landing")])
    if name == "loop":
        return Answer(302, b"", [("Location", "/loop")])
    fields = [("X-Method", call.method), ("X-Path", call.path)]
    return Answer(200, call.body, fields)


async def test_redirects_are_not_followed_by_default(http: World) -> None:
    url = http.serve(site := Site(signposts))
    async with http.client() as client:
        response = await client.get(url + "/hop/2")
        assert response.status_code == 302
        assert response.has_redirect_location
        assert str(response.next_request.url) == url + "/hop/1"
        response = await client.send(response.next_request)
        assert str(response.next_request.url) == url + "/hop/0"
    assert site.connections == 1


async def test_redirects_are_followed(http: World) -> None:
    url = http.serve(site := Site(signposts))
    async with http.client(follow_redirects=True) as client:
        response = await client.get(url + "/hop/3")
    assert response.headers["x-path"] == "/hop/0"
    assert [past.url.path for past in response.history] == ["/hop/3", "/hop/2", "/hop/1"]
    assert [past.content for past in response.history] == [b"this way"] * 3
    assert site.connections == 1


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"body"), (308, "POST", b"body")],
)
async def test_method_and_body_after_a_redirect(http: World, status: int, method: str, body: bytes) -> None:
    url = http.serve(Site(signposts))
    async with http.client(follow_redirects=True) as client:
        response = await client.post(f"{url}/status/{status}", content=b"body")
    assert (response.headers["x-method"], response.content) == (method, body)


async def test_a_generator_cannot_be_sent_twice(http: World) -> None:
    url = http.serve(Site(signposts))
    async with http.client(follow_redirects=True) as client:
        with pytest.raises(httpure.StreamConsumed):
            await client.post(f"{url}/status/307", content=http.body([b"once"]))
        assert client.statistics.connections == client.statistics.idle


async def test_too_many_redirects(http: World) -> None:
    url = http.serve(Site(signposts))
    async with http.client(follow_redirects=True, max_redirects=5) as client:
        with pytest.raises(httpure.TooManyRedirects, match="5"):
            await client.get(url + "/loop")
        assert client.statistics == (1, 1, 0)


async def test_redirect_to_another_origin_drops_the_credentials(http: World) -> None:
    there = http.serve(second := Site(signposts))
    url = http.serve(Site(lambda call: Answer(302, b"", [("Location", there + "/landing")])))
    async with http.client(follow_redirects=True, auth=("me", "secret")) as client:
        response = await client.get(url)
    assert str(response.url) == there + "/landing"
    assert second.calls[0].field("authorization") is None


async def test_streamed_response_after_a_redirect(http: World) -> None:
    url = http.serve(site := Site(signposts))
    async with (
        http.client(follow_redirects=True) as client,
        client.stream("POST", url + "/status/307", content=b"body") as response,
    ):
        assert await http.read(response) == b"body"
    assert site.connections == 1


async def test_cookies_are_kept(http: World) -> None:
    def app(call: Call) -> Answer:
        if call.path == "/set":
            return Answer(302, b"", [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2"), ("Location", "/")])
        return Answer(200, (call.field("cookie") or "").encode())

    url = http.serve(Site(app))
    async with http.client(cookies={"own": "0"}) as client:
        assert (await client.get(url)).text == "own=0"
        response = await client.get(url + "/set", follow_redirects=True)
        assert sorted(response.text.split("; ")) == ["a=1", "b=2", "own=0"]
        assert sorted((await client.get(url)).text.split("; ")) == ["a=1", "b=2", "own=0"]
        assert dict(client.itself.cookies) == {"own": "0", "a": "1", "b": "2"}


async def test_basic_auth(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, (call.field("authorization") or "").encode())))
    async with http.client(auth=("user", "pass")) as client:
        assert (await client.get(url)).text == "Basic dXNlcjpwYXNz"
        assert (await client.get(url, auth=None)).text == ""
    async with http.client() as client:
        assert (await client.get(url.replace("//", "//u:p@"))).text == "Basic dTpw"


def guarded(call: Call) -> Answer:
    """Lets in who answers a digest challenge with the password "secret"."""
    sent = dict(re.findall(r'(\w+)="?([^",]+)', call.field("authorization") or ""))
    if not sent:
        challenge = 'Digest realm="here", qop="auth", nonce="n0nce", algorithm=SHA-256'
        return Answer(401, b"who are you?", [("WWW-Authenticate", challenge)])

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    who = digest(f"{sent['username']}:here:secret")
    what = digest(f"{call.method}:{call.target}")
    expected = digest(f"{who}:n0nce:{sent['nc']}:{sent['cnonce']}:auth:{what}")
    return Answer(200 if sent["response"] == expected else 403, call.body)


async def test_digest_auth(http: World) -> None:
    url = http.serve(site := Site(guarded))
    async with http.client(auth=httpure.DigestAuth("user", "secret")) as client:
        response = await client.post(url + "/a?b=c", content=b"body")
        assert (response.status_code, response.content) == (200, b"body")
        assert (await client.get(url)).status_code == 200
        assert (await client.get(url, auth=httpure.DigestAuth("user", "wrong"))).status_code == 403
    assert site.connections == 1


async def test_auth_flow_of_the_user(http: World) -> None:
    class Token(httpure.Auth):
        requires_response_body = True

        def auth_flow(self, request):
            response = yield request
            if response.status_code == 401:
                request.headers["Authorization"] = response.text
                yield request

    def app(call: Call) -> Answer:
        return Answer(200, b"in") if call.field("authorization") == "fresh" else Answer(401, b"fresh")

    url = http.serve(site := Site(app))
    async with http.client(auth=Token()) as client:
        assert (await client.get(url)).text == "in"
    assert site.connections == 1


async def test_event_hooks(http: World) -> None:
    seen: list[object] = []
    if http.blocking:
        hooks = {"request": [lambda request: seen.append(request.method)], "response": [seen.append]}
    else:

        async def on_request(request: httpure.Request) -> None:
            await http.sleep(0.001)
            seen.append(request.method)

        async def on_response(response: httpure.Response) -> None:
            seen.append(response)

        hooks = {"request": [on_request], "response": [on_response]}
    url = http.serve(Site(signposts))
    async with http.client(event_hooks=hooks, follow_redirects=True) as client:
        response = await client.get(url + "/hop/1")
    assert [seen[0], seen[2]] == ["GET", "GET"]
    assert [seen[1], seen[3]] == [response.history[0], response]
