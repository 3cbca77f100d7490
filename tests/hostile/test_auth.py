"""Challenges (RFC 9110 section 11, RFC 7616) without end or sense: how often a client answers, and what."""

from __future__ import annotations

from typing import Any

import pytest

import httpure
from tests.behaviour.world import World
from tests.peers import Answer, Call, Site

from .bombs import MIB, bomb
from .cases import PATIENCE, SECRET, check_message

PLAIN = 'Digest realm="r", nonce="n", qop="auth"'


def digest() -> Any:
    return httpure.DigestAuth("user", SECRET)


#: For each: the challenges of every 401, and how many requests are sent until the last 401 is the response.
ENDLESS: dict[str, tuple[list[str], int]] = {
    "nothing": ([], 1),
    "Basic": (['Basic realm="r"'], 1),
    "the same again": ([PLAIN], 2),
    "stale each time": ([PLAIN + ", stale=true"], 3),
    "stale, in other words": ([PLAIN + ', STALE="TRUE"'], 3),
    "an unknown algorithm": (['Digest realm="r", nonce="n", algorithm=ROT13'], 1),
    "a hundred unknown algorithms": ([f'Digest realm="r", nonce="n", algorithm=X{n}' for n in range(100)], 1),
    "an unknown scheme": (["Bearer", "Negotiate YII=", "NTLM TlRM==", "Mutual x=y", "Hoba z"], 1),
    "many schemes, and Digest last": ([", ".join([f"S{n} a=b" for n in range(100)] + [PLAIN])], 2),
    "a hundred of Digest": ([PLAIN] * 100, 2),
    "only qop=auth-int": ([PLAIN.replace('"auth"', '"auth-int"')], 2),
    "no qop": (['Digest realm="r", nonce="n"'], 2),
    "beyond what is looked at": (["Basic x=" + "y" * 17_000, PLAIN], 1),
    "Digest of 17,000 bytes": (['Digest realm="' + "r" * 17_000 + '", nonce="n"'], 1),
    "Digest of 15,000 bytes": (['Digest nonce="' + "n" * 15_000 + '", realm="r", qop=auth'], 2),
    "quotes that do not end": (['Basic realm="r'], 1),
    "nothing but commas": (["," * 10_000], 1),
    "nothing but backslashes": (['Basic realm="' + "\\" * 10_000], 1),
    "nothing but equals signs": (["=" * 10_000], 1),
    "bytes beyond ASCII": (["D\xefgest realm=\xff"], 1),
    "quotes within the nonce": (['Digest realm="r", nonce="a\\"b\\\\c", qop=auth'], 2),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_endless_401(http: World, name: str) -> None:
    challenges, requests = ENDLESS[name]
    fields = [("WWW-Authenticate", value.encode("latin-1")) for value in challenges]
    url = http.serve(site := Site(lambda call: Answer(401, b"no", fields)))  # type: ignore[arg-type]
    async with http.client(timeout=PATIENCE) as client:
        response = await client.get(url + "/place", auth=digest())
        assert (response.status_code, response.content) == (401, b"no")
        assert (len(site.calls), site.connections) == (requests, 1)
        assert SECRET not in str([call.fields for call in site.calls])
        assert site.calls[0].field("authorization") is None
        assert client.statistics == (1, 1, 0)


#: Challenges that break the rules in a way that no answer is possible.
MALFORMED = {
    "no nonce": 'Digest realm="r", qop="auth"',
    "no realm": 'Digest nonce="n", qop="auth"',
    "nothing": "Digest",
    "a token": "Digest abc=",
    "an unknown qop": PLAIN.replace('"auth"', '"auth-future"'),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_digest(http: World, name: str) -> None:
    url = http.serve(site := Site(lambda call: Answer(401, b"no", [("WWW-Authenticate", MALFORMED[name])])))
    async with http.client(timeout=PATIENCE) as client:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            await client.get(f"{url}/place?key={SECRET}", auth=digest())
        assert type(caught.value) is httpure.RemoteProtocolError
        check_message(caught.value, f"GET {url}/place")
        assert "Digest" in str(caught.value)
        assert len(site.calls) == 1
        assert client.statistics.connections == client.statistics.idle


@pytest.mark.parametrize("name", ["Basic", "URL", "none"])
async def test_endless_401_of_others(http: World, name: str) -> None:
    """Who they are has been said with the first request already: there is nothing to add."""
    url = http.serve(site := Site(lambda call: Answer(401, b"no", [("WWW-Authenticate", 'Basic realm="r"')])))
    auth: dict[str, Any] = {"auth": ("user", SECRET)} if name == "Basic" else {}
    if name == "URL":
        url = url.replace("//", f"//user:{SECRET}@")
    async with http.client(timeout=PATIENCE) as client:
        assert (await client.get(url, **auth)).status_code == 401
        assert len(site.calls) == 1


class Stubborn(httpure.Auth):
    """Answers whatever comes, nearly for ever."""

    def auth_flow(self, request: httpure.Request) -> Any:
        for _ in range(1000):
            yield request
        raise AssertionError("nobody has ended it")


@pytest.mark.parametrize("rounds", [None, 3])
async def test_an_auth_that_never_gives_up(http: World, rounds: int | None) -> None:
    url = http.serve(site := Site(lambda call: Answer(401, b"no")))
    own = {} if rounds is None else {"max_auth_rounds": rounds}
    async with http.client(timeout=PATIENCE, **own) as client:
        with pytest.raises(httpure.LimitExceeded) as caught:
            await client.get(f"{url}/place?key={SECRET}", auth=Stubborn())
        assert caught.value.limit == "max_auth_rounds"
        check_message(caught.value, f"GET {url}/place")
        assert len(site.calls) <= (100 if rounds is None else rounds + 1)
        assert client.statistics.connections == client.statistics.idle


BODIES: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "a bomb": (bomb("gzip", 32 * MIB), [("Content-Encoding", "gzip")]),
    "noise": (b"\xff" * 1000, [("Content-Encoding", "br, gzip, zstd")]),
    "2,000,000 bytes": (b"x" * 2_000_000, []),
}


@pytest.mark.parametrize("name", BODIES)
async def test_the_body_of_a_challenge(http: World, name: str) -> None:
    """Nobody wants to see it: a little is read, and nothing of it can go wrong."""
    body, fields = BODIES[name]

    def app(call: Call) -> Answer:
        if call.field("authorization") is None:
            return Answer(401, body, [("WWW-Authenticate", PLAIN), *fields])
        return Answer(200, b"welcome")

    url = http.serve(site := Site(app))
    async with http.client(timeout=PATIENCE) as client:
        response = await client.get(url, auth=digest())
        assert response.content == b"welcome"
        assert len(site.calls) == 2
        assert site.connections == (2 if name == "2,000,000 bytes" else 1)
        assert client.statistics.connections == client.statistics.idle


async def test_a_challenge_of_a_stranger(http: World) -> None:
    """Who was sent there by another asks in vain."""
    stranger = http.serve(strangers := Site(lambda call: Answer(401, b"", [("WWW-Authenticate", PLAIN)])))
    home = http.serve(Site(lambda call: Answer(302, b"", [("Location", stranger)])))
    async with http.client(timeout=PATIENCE, follow_redirects=True) as client:
        response = await client.get(home, auth=digest())
        assert response.status_code == 401
        assert [call.field("authorization") for call in strangers.calls] == [None]


#: What a server says behind a good answer.
INFO = {
    "nonsense": "x" * 1000,
    "a bad proof": 'rspauth="0", cnonce="x", nc=00000001, qop=auth',
    "a next nonce of 60,000 bytes": f'nextnonce="{"n" * 60_000}"',
    "quotes that do not end": 'nextnonce="n',
}


@pytest.mark.parametrize("name", INFO)
async def test_authentication_info(http: World, name: str) -> None:
    def app(call: Call) -> Answer:
        if call.field("authorization") is None:
            return Answer(401, b"", [("WWW-Authenticate", PLAIN)])
        return Answer(200, b"welcome", [("Authentication-Info", INFO[name])])

    url = http.serve(site := Site(app))
    async with http.client(timeout=PATIENCE, auth=digest()) as client:
        for _ in range(2):
            assert (await client.get(url)).content == b"welcome"
        assert len(site.calls) == 3
