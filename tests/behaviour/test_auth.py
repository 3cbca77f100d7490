"""Authentication: schemes of ours and of the user's, in either colour, and credentials that stay where they belong."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

import httpure
from tests.peers import Answer, Call, Site, scripted

from .world import World, needs

HASHES = {
    "MD5": "md5",
    "SHA": "sha1",
    "SHA-256": "sha256",
    "SHA-512": "sha512",
    "SHA-512-256": "sha512_256",
}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def whoami(call: Call) -> Answer:
    return Answer(200, (call.field("authorization") or "nobody").encode())


class Guard:
    """A site behind Digest, written from RFC 7616; the password of "user" is "secret"."""

    def __init__(self, **challenge: str) -> None:
        self.challenge = {"realm": "here", "nonce": "first", **challenge}
        self.answers: list[dict[str, str]] = []
        self.site = Site(self)

    def __call__(self, call: Call) -> Answer:
        field = call.field("authorization")
        if field is not None:
            fields = dict(re.findall(r'([\w*]+)="?([^",]*)', field.removeprefix("Digest ")))
            self.answers.append(fields)
            if fields["nonce"] == self.challenge["nonce"]:
                right = fields["response"] == self.expected(call, fields)
                return Answer(200, call.body) if right else Answer(403)
        return Answer(401, b"who?", [("WWW-Authenticate", self.field())])

    def field(self) -> str:
        return "Digest " + ", ".join(f'{name}="{value}"' for name, value in self.challenge.items())

    def expected(self, call: Call, fields: dict[str, str]) -> str:
        algorithm = self.challenge.get("algorithm", "MD5")

        def digest(*parts: str) -> str:
            joined = ":".join(parts).encode("utf-8", "surrogateescape")
            return hashlib.new(HASHES[algorithm.removesuffix("-sess")], joined).hexdigest()

        who = digest("user", self.challenge["realm"], "secret")
        if algorithm.endswith("-sess"):
            who = digest(who, fields["nonce"], fields["cnonce"])
        what = [call.method, call.target]
        if fields.get("qop") == "auth-int":
            what.append(digest(call.body.decode("utf-8", "surrogateescape")))
        how = [fields[name] for name in ("nc", "cnonce", "qop")] if "qop" in fields else []
        return digest(who, fields["nonce"], *how, digest(*what))


def digest_auth() -> httpure.DigestAuth:
    return httpure.DigestAuth("user", "secret")


# Digest


@pytest.mark.parametrize("algorithm", [*HASHES, *(name + "-sess" for name in HASHES), None])
@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth,auth-int", None])
async def test_digest(http: World, algorithm: str | None, qop: str | None) -> None:
    challenge = {"algorithm": algorithm, "qop": qop}
    guard = Guard(**{name: value for name, value in challenge.items() if value is not None})
    url = http.serve(guard.site)
    async with http.client(auth=digest_auth()) as client:
        response = await client.post(url + "/a?b=c", content=b"body")
        assert (response.status_code, response.content) == (200, b"body")
        assert [past.status_code for past in response.history] == [401]
        response = await client.get(url)
        assert (response.status_code, response.history) == (200, [])
    assert guard.site.connections == 1


async def test_digest_counts_once_for_all(http: World) -> None:
    """Requests at the same time, of several threads or tasks, must not use a number twice."""
    guard = Guard(qop="auth")
    url = http.serve(guard.site)
    async with http.client(auth=digest_auth()) as client:
        await client.get(url)
        responses = await http.gather(*[client.get(url) for _ in range(20)])
    assert [response.status_code for response in responses] == [200] * 20
    counts = sorted(int(fields["nc"], 16) for fields in guard.answers)
    assert counts == list(range(1, 22))


async def test_digest_with_a_nonce_that_ran_out(http: World) -> None:
    guard = Guard(qop="auth")
    url = http.serve(guard.site)
    async with http.client(auth=digest_auth()) as client:
        await client.get(url)
        guard.challenge |= {"nonce": "second", "stale": "true"}
        assert (await client.get(url)).status_code == 200
    assert [fields["nonce"] for fields in guard.answers] == ["first", "first", "second"]


@pytest.mark.parametrize("separate", [True, False])
async def test_digest_answers_the_strongest_challenge(http: World, separate: bool) -> None:
    guard = Guard(qop="auth", algorithm="SHA-256")
    challenges = [
        'Basic realm="here"',
        'Digest realm="here", nonce="first", qop="auth", algorithm=MD5',
        'Digest realm="here", nonce="first", qop="auth", algorithm=UNHEARD-OF',
        guard.field(),
        "Negotiate",
    ]
    fields = challenges if separate else [", ".join(challenges)]

    def app(call: Call) -> Answer:
        if call.field("authorization") is None:
            return Answer(401, b"", [("WWW-Authenticate", field) for field in fields])
        return guard(call)

    async with http.client(auth=digest_auth()) as client:
        assert (await client.get(http.serve(Site(app)))).status_code == 200
    assert guard.answers[0]["algorithm"] == "SHA-256"


async def test_digest_that_hashes_a_body_which_is_no_bytes(http: World) -> None:
    guard = Guard(qop="auth-int")
    url = http.serve(guard.site)

    class ReadsFirst(httpure.DigestAuth):
        requires_request_body = True

    async with http.client(auth=digest_auth()) as client:
        with pytest.raises(
            httpure.LocalProtocolError, match=r"call request\.read\(\) .* requires_request_body"
        ):
            await client.post(url, content=[b"bo", b"dy"])
        response = await client.post(
            url, content=http.body([b"bo", b"dy"]), auth=ReadsFirst("user", "secret")
        )
        assert (response.status_code, response.content) == (200, b"body")


async def test_digest_within_its_domain(http: World) -> None:
    guard = Guard(qop="auth", domain="/in/")
    url = http.serve(guard.site)
    async with http.client(auth=digest_auth()) as client:
        for path in ("/in/a", "/in/b", "/out"):
            assert (await client.get(url + path)).status_code == 200
    assert [call.path for call in guard.site.calls] == ["/in/a", "/in/a", "/in/b", "/out", "/out"]


@pytest.mark.parametrize("field", ["Basic realm=x", "Digest realm=x, nonce=y, algorithm=UNHEARD-OF", None])
async def test_digest_leaves_what_it_cannot_answer(http: World, field: str | None) -> None:
    fields = [] if field is None else [("WWW-Authenticate", field)]
    url = http.serve(site := Site(lambda call: Answer(401, b"who?", fields)))
    async with http.client(auth=digest_auth()) as client:
        response = await client.get(url)
    assert (response.status_code, response.text, len(site.calls)) == (401, "who?", 1)


async def test_digest_with_a_malformed_challenge(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(401, b"", [("WWW-Authenticate", "Digest qop=auth")])))
    async with http.client(auth=digest_auth()) as client:
        with pytest.raises(httpure.RemoteProtocolError, match="no realm") as caught:
            await client.get(url)
        assert str(caught.value.request.url) == url
        assert client.statistics.connections == client.statistics.idle


async def test_digest_is_for_the_origin_that_it_was_given_for(http: World) -> None:
    """A stranger who is redirected to, and challenges, gets no answer: he could have the password guessed."""
    stranger = Guard(qop="auth")
    there = http.serve(stranger.site)
    url = http.serve(Site(lambda call: Answer(302, b"", [("Location", there)])))
    async with http.client(auth=digest_auth(), follow_redirects=True) as client:
        response = await client.get(url)
    assert (response.status_code, str(response.url)) == (401, there)
    assert stranger.answers == []


# Who is asked, and by what


async def test_what_auth_takes(http: World) -> None:
    def sign(request: httpure.Request) -> httpure.Request:
        request.headers["Authorization"] = "signed"
        return request

    url = http.serve(Site(whoami))
    async with http.client() as client:
        for auth, expected in (
            (("user", "pass"), basic("user", "pass")),
            ((b"user", b"pass"), basic("user", "pass")),
            (httpure.BasicAuth("user", "p\u00e4ss"), basic("user", "p\u00e4ss")),
            (sign, "signed"),
            (httpure.FunctionAuth(sign), "signed"),
            (httpure.Auth(), "nobody"),
            (None, "nobody"),
        ):
            assert (await client.get(url, auth=auth)).text == expected
            client.itself.auth = auth
            assert (await client.get(url)).text == expected
            client.itself.auth = None
        for wrong in ("user:pass", ("user",), 7):
            with pytest.raises(TypeError) as caught:
                await client.get(url, auth=wrong)
            assert "pass" not in str(caught.value).replace("password", "")


async def test_which_credentials_win(http: World) -> None:
    """Those of the request, then those of the client, then those in the URL."""
    url = http.serve(Site(whoami))
    own = url.replace("//", "//of:url@")
    async with http.client(auth=("of", "client")) as client:
        assert (await client.get(own, auth=("of", "request"))).text == basic("of", "request")
        assert (await client.get(own)).text == basic("of", "client")
        assert (await client.get(own, auth=None)).text == basic("of", "url")
        assert (await client.get(url, auth=None)).text == "nobody"


async def test_netrc(http: World, tmp_path: Path) -> None:
    url = http.serve(Site(whoami))
    file = tmp_path / "netrc"
    file.write_text(
        'machine 127.0.0.1 login ada password "two words"\nmachine example.org login x password y\n'
    )
    async with http.client(auth=httpure.NetRCAuth(str(file))) as client:
        assert (await client.get(url)).text == basic("ada", "two words")
        assert (await client.get(url.replace("127.0.0.1", "localhost"))).text == "nobody"
        assert (await client.get(url.replace("//", "//bob@"))).text == "nobody", "that password is ada's"
    file.write_text("machine other.example login ada password hush\n")
    there = http.serve(Site(lambda call: Answer(302, b"", [("Location", url)])))
    async with http.client(auth=httpure.NetRCAuth(str(file)), follow_redirects=True) as client:
        assert (await client.get(there)).text == "nobody"


# Schemes of the user's


class Token(httpure.Auth):
    """Fetches a token when it is asked for one, and looks at bodies."""

    requires_request_body = True
    requires_response_body = True

    def __init__(self, tokens: str) -> None:
        self.tokens = tokens
        self.seen: list[bytes] = []

    def auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        self.seen.append(request.content)
        response = yield request
        if response.status_code == 401:
            self.seen.append(response.content)
            fetched = yield httpure.Request("POST", self.tokens, content=b"please")
            request.headers["Authorization"] = fetched.json()["token"]
            yield request


class TokenInBothColours(Token):
    """Does so in flows of its own, which may do I/O."""

    def sync_auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        self.seen.append(request.read())
        response = yield request
        self.seen.append(response.read())
        fetched = yield httpure.Request("POST", self.tokens, content=b"please")
        fetched.read()
        request.headers["Authorization"] = fetched.json()["token"]
        yield request

    async def async_auth_flow(
        self, request: httpure.Request
    ) -> AsyncGenerator[httpure.Request, httpure.Response]:
        self.seen.append(await request.aread())
        response = yield request
        self.seen.append(await response.aread())
        fetched = yield httpure.Request("POST", self.tokens, content=b"please")
        await fetched.aread()
        request.headers["Authorization"] = fetched.json()["token"]
        yield request


def tokens(call: Call) -> Answer:
    if call.path == "/token":
        return Answer(200, b'{"token": "%b"}' % call.body)
    return Answer(200, call.body) if call.field("authorization") == "please" else Answer(401, b"who?")


@pytest.mark.parametrize("kind", [Token, TokenInBothColours])
@pytest.mark.parametrize("content", [lambda http: b"body", lambda http: http.body([b"bo", b"dy"])])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_scheme_that_asks_another_place(
    http: World, kind: type[Token], content: Callable[[World], Any], streamed: bool
) -> None:
    url = http.serve(site := Site(tokens))
    auth = kind(url + "/token")
    async with http.client(auth=auth) as client:
        if streamed:
            async with client.stream("POST", url, content=content(http)) as response:
                assert await http.read(response) == b"body"
        else:
            response = await client.post(url, content=content(http))
            assert response.content == b"body"
    assert auth.seen == [b"body", b"who?"]
    assert [past.url.path for past in response.history] in (["", "/token"], ["/", "/token"])
    assert site.connections == 1


class Failing(httpure.Auth):
    def auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        yield request
        raise KeyError("the flow's own")


class FailingInBothColours(Failing):
    def sync_auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        yield from self.auth_flow(request)

    async def async_auth_flow(
        self, request: httpure.Request
    ) -> AsyncGenerator[httpure.Request, httpure.Response]:
        for each in self.auth_flow(request):
            yield each


@pytest.mark.parametrize("auth", [Failing(), FailingInBothColours()])
async def test_a_scheme_that_fails_leaves_nothing_behind(http: World, auth: httpure.Auth) -> None:
    url = http.serve(Site(whoami))
    async with http.client() as client:
        with pytest.raises(KeyError, match="the flow's own"):
            await client.get(url, auth=auth)
        assert client.statistics.connections == client.statistics.idle
        assert (await client.get(url)).text == "nobody"


class Closing(httpure.Auth):
    """Says when its flow ends, in whatever way."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def sync_auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        try:
            yield request
        finally:
            self.ended.append("closed")

    async def async_auth_flow(
        self, request: httpure.Request
    ) -> AsyncGenerator[httpure.Request, httpure.Response]:
        try:
            yield request
        finally:
            self.ended.append("closed")


async def test_a_flow_ends_before_its_request_does(http: World) -> None:
    auth = Closing()
    async with http.client(auth=auth) as client:
        await client.get(http.serve(Site(whoami)))
        assert auth.ended == ["closed"]
        with pytest.raises(httpure.ConnectError):
            await client.get(f"http://127.0.0.1:{http.free_port()}")
        assert auth.ended == ["closed"] * 2


@needs("cancels")
async def test_the_flow_of_a_cancelled_request_ends(http: World) -> None:
    auth = Closing()
    async with http.client(auth=auth) as client:
        assert await http.give_up(client.get(http.serve(scripted())), 0.02)
        assert auth.ended == ["closed"]


class Signing(httpure.Auth):
    """Puts secrets into fields of which nobody could know that they are."""

    def auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        request.headers["X-Who"] = "hush"
        request.headers["X-Mine"] = "hush"
        yield request


async def test_what_a_scheme_adds_or_changes_goes_to_no_other_origin(http: World) -> None:
    there = http.serve(stranger := Site(whoami))
    url = http.serve(Site(lambda call: Answer(302, b"", [("Location", there)])))
    async with http.client(auth=Signing(), follow_redirects=True, headers={"X-Mine": "to come"}) as client:
        await client.get(url)
    names: Sequence[str] = [name for name, value in stranger.calls[0].fields]
    assert "x-who" not in names and "x-mine" not in names
    assert "hush" not in str(stranger.calls[0].fields)


@pytest.mark.parametrize("raises", [True, False])
async def test_a_flow_for_the_other_clients_only(http: World, raises: bool) -> None:
    """Without a `yield` it is a coroutine function: what it raises comes out, and otherwise we say what is missing."""

    class Blocking(httpure.Auth):
        async def async_auth_flow(self, request: httpure.Request) -> Any:
            if raises:
                raise RuntimeError("only for blocking clients")

        def sync_auth_flow(self, request: httpure.Request) -> Any:
            if raises:
                raise RuntimeError("only for blocking clients")
            raise TypeError("yields no request")
            yield request

    expected = (RuntimeError, "only for blocking") if raises else (TypeError, "yields no request")
    async with http.client() as client:
        with pytest.raises(expected[0], match=expected[1]):
            await client.get(http.serve(Site(lambda call: Answer())), auth=Blocking())


@pytest.mark.parametrize("returned", [None, "text"])
async def test_a_transport_that_returns_no_response(http: World, returned: Any) -> None:
    class Odd(httpure.BaseTransport, httpure.AsyncBaseTransport):
        def handle_request(self, request: httpure.Request) -> Any:
            return returned

        async def handle_async_request(self, request: httpure.Request) -> Any:
            return returned

    async with http.client(transport=Odd()) as client:
        with pytest.raises(
            TypeError, match=r"returns a httpure.Response; Odd returned (None|a builtins.str)\."
        ):
            await client.get("http://example.org")
