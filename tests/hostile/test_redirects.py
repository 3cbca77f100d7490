"""Redirects (RFC 9110 section 15.4) that lead nowhere, round in circles, out of HTTP, or credentials to strangers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, Answer, Call, Site

from .bombs import MIB, bomb
from .cases import PATIENCE, SECRET, Case, Fails, Gives, check_message, each, meet

FOLLOWING = {"follow_redirects": True}
REFUSED = Fails(httpure.RemoteProtocolError, "Location")
NO_HTTP = Fails(httpure.UnsupportedProtocol, "scheme")
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
#: The script's second answer, on the connection that is kept.
ARRIVED = Gives(b"sound")


def to(location: bytes, outcome: Fails | Gives, name: str = "", kept: bool = True) -> Case:
    head = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    return Case(f"to {name or location.decode('latin-1')!r}", [head], outcome, kept, client=FOLLOWING)


LOCATIONS = (
    to(b"/b", ARRIVED),
    to(b"b", ARRIVED),
    to(b"?b", ARRIVED),
    to(b"#b", ARRIVED),
    to(b"", ARRIVED, "nothing"),
    to(b".", ARRIVED),
    to(b"../../../../b", ARRIVED),
    to(b"/\xc3\xa4", ARRIVED),
    to(b"/\xe4", ARRIVED),
    to(b"/a b", ARRIVED),
    to(b"/%zz", ARRIVED),
    to(b"/" + b"x" * 16_000, ARRIVED, "16,000 bytes"),
    to(b"/" + b"x" * 17_000, REFUSED, "17,000 bytes"),
    to(b"/b\r\nLocation: /c", REFUSED, "two places"),
    to(b"/b\r\nLocation: /b", ARRIVED, "one place twice"),
    to(b"ftp://127.0.0.1/b", NO_HTTP),
    to(b"file:///etc/passwd", NO_HTTP),
    to(b"data:text/plain,hello", NO_HTTP),
    to(b"javascript:alert(1)", NO_HTTP),
    to(b"gopher://127.0.0.1:70/_x", NO_HTTP),
    to(b"unix:/run/docker.sock", NO_HTTP),
    to(b"mailto:a@b.test", NO_HTTP),
    to(b"ws://127.0.0.1/", NO_HTTP),
    to(b"hTTpx://127.0.0.1/", NO_HTTP),
    to(b"http://", ARRIVED, "http and no host"),
    to(b"http://127.0.0.1:99999/", REFUSED),
    to(b"http://127.0.0.1:-1/", REFUSED),
    to(b"http://127.0.0.1:8o80/", REFUSED),
    to(b"http://127.0.0.1:\xef\xbc\x98/", REFUSED, "a port in digits of another script"),
    to(b"http://[::1/", REFUSED),
    to(b"http://[::1]x/", REFUSED),
    to(b"http://[v1.x]/", REFUSED),
    to(b"http://a b/", REFUSED),
    to(b"http://a%00b/", REFUSED),
    to(b"http://a\\b/", REFUSED),
    to(b"http://a\\@127.0.0.1/", REFUSED),
    to(b"http://a@b@127.0.0.1/", REFUSED),
    to(b"http://" + b"a" * 300 + b".test/", REFUSED, "a host of 300 letters"),
    to(b"http://" + b"a." * 300 + b"test/", REFUSED, "a host of 600 bytes"),
    to(b"http://1.2.3.4.5/", REFUSED),
    to(b"http://%31%32%37.0.0.1:1/", REFUSED),
    to(b"http://0x7f000001/", REFUSED),
    to(b"http://\xe2\x91\xa0.test/", REFUSED, "a name that IDNA does not allow"),
)


@each(*LOCATIONS)
async def test_location(http: World, case: Case) -> None:
    await meet(http, case)


BODIES = (
    Case(
        "with a body of another length",
        [b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 9\r\n\r\nx", CLOSE],
        Fails(httpure.RemoteProtocolError, "before the response's body was whole"),
        client=FOLLOWING,
    ),
    Case(
        "with a small body",
        [b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000],
        ARRIVED,
        kept=True,
        client=FOLLOWING,
    ),
    Case(
        "with a body of 2,000,000 bytes",
        [b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 2000000\r\n\r\n", b"x" * 2_000_000],
        ARRIVED,
        client=FOLLOWING,
    ),
    Case(
        "with a body without end",
        [b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n", *[bytes(4096)] * 100],
        ARRIVED,
        client=FOLLOWING,
    ),
    Case(
        "with a bomb",
        [
            b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
            % len(bomb("gzip", 32 * MIB)),
            bomb("gzip", 32 * MIB),
        ],
        ARRIVED,
        kept=True,  # its 33 KiB were read, and no more than a little of them decoded
        client=FOLLOWING,
    ),
    Case(
        "with a coding that is none",
        [b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno"],
        ARRIVED,
        kept=True,
        client=FOLLOWING,
    ),
    Case(
        "with a response behind it",
        [b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n" + POISON],
        ARRIVED,
        client=FOLLOWING,
    ),
    Case(
        "whose status is 304",
        [b"HTTP/1.1 304 Not Modified\r\nLocation: /b\r\n\r\n"],
        Gives(b"", 304),
        kept=True,
        client=FOLLOWING,
    ),
    Case(
        "whose status is 300",
        [b"HTTP/1.1 300 Choices\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"],
        Gives(b"", 300),
        kept=True,
        client=FOLLOWING,
    ),
    Case(
        "with Refresh",
        [b"HTTP/1.1 302 Found\r\nRefresh: 0; url=/b\r\nContent-Length: 0\r\n\r\n"],
        Gives(b"", 302),
        kept=True,
        client=FOLLOWING,
    ),
    Case(
        "that is not followed, and leads nowhere",
        [b"HTTP/1.1 302 Found\r\nLocation: http://[x/\r\nContent-Length: 0\r\n\r\n"],
        Gives(b"", 302),
        kept=True,
    ),
)


@each(*BODIES)
async def test_redirect(http: World, case: Case) -> None:
    await meet(http, case)


LOOPS: dict[str, Callable[[Call], str]] = {
    "to itself": lambda call: call.target,
    "to and fro": lambda call: "/b" if call.path == "/a" else "/a",
    "to ever new places": lambda call: f"/{len(call.path)}{call.path}"[:2000],
    "to ever longer ones": lambda call: call.path + "/x" * 9,
}


@pytest.mark.parametrize("name", LOOPS)
async def test_a_loop(http: World, name: str) -> None:
    site = Site(lambda call: Answer(302, b"", [("Location", LOOPS[name](call))]))
    url = http.serve(site)
    async with http.client(**FOLLOWING, timeout=PATIENCE) as client:
        with pytest.raises(httpure.TooManyRedirects) as caught:
            await client.get(f"{url}/a?key={SECRET}")
        assert type(caught.value) is httpure.TooManyRedirects
        assert caught.value.limit == "max_redirects"
        check_message(caught.value, f"GET {url}/")
        assert (len(site.calls), site.connections) == (21, 1)
        assert client.statistics == (1, 1, 0)


SECRETS = {
    "Authorization": SECRET,
    "Proxy-Authorization": SECRET,
    "Cookie": f"a={SECRET}",
    "Cookie2": SECRET,
    "X-Api-Key": SECRET,
    "X-Amz-Security-Token": SECRET,
    "X-Auth-Token": SECRET,
    "X-CSRF-Token": SECRET,
    "Private-Token": SECRET,
    "X-Session-Id": SECRET,
    "X-Password": SECRET,
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_stranger_learns_nothing(http: World, status: int) -> None:
    """Another port is another origin; what was left behind does not come back when the way leads home again."""
    strangers = Site(lambda call: Answer(status, b"", [("Location", f"{home}/end")]))
    stranger = http.serve(strangers)

    def at_home(call: Call) -> Answer:
        return (
            Answer(status, b"", [("Location", stranger)]) if call.path == "/begin" else Answer(200, b"home")
        )

    home = http.serve(homes := Site(at_home))
    async with http.client(**FOLLOWING, timeout=PATIENCE) as client:
        response = await client.get(home + "/begin", headers=SECRETS)
        assert response.content == b"home"
        begin, end = homes.calls
        assert all(begin.field(name.lower()) for name in SECRETS)
        for call in (*strangers.calls, end):
            assert [field for field in call.fields if SECRET in field[1]] == []
        assert strangers.calls[0].field("host") == stranger.partition("//")[2]


@pytest.mark.parametrize(
    "kind", ["auth", "auth of the URL", "auth of the client", "cookies", "cookies of the client"]
)
async def test_a_stranger_is_not_introduced(http: World, kind: str) -> None:
    """What the client itself adds to a request, it adds to none that goes elsewhere."""
    stranger = http.serve(strangers := Site(lambda call: Answer(200)))
    home = http.serve(Site(lambda call: Answer(307, b"", [("Location", stranger + "/?" + call.path)])))
    credentials = ("user", SECRET)
    own: dict[str, object] = {"auth": credentials} if kind == "auth of the client" else {}
    mine: dict[str, object] = {"auth": credentials} if kind == "auth" else {}
    if kind == "cookies":
        mine["cookies"] = {"a": SECRET}
    if kind == "auth of the URL":
        home = home.replace("//", f"//user:{SECRET}@")
    async with http.client(**FOLLOWING, **own, timeout=PATIENCE) as client:
        if kind == "cookies of the client":
            client.itself.cookies.set("a", SECRET, domain="home.test")
        assert (await client.get(home, **mine)).status_code == 200
        assert SECRET not in str(strangers.calls[0].fields)
        assert strangers.calls[0].field("authorization") is None
        assert strangers.calls[0].field("cookie") is None


@pytest.mark.parametrize("allowed", [None, False])
async def test_a_way_out_of_tls(http: World, allowed: bool | None) -> None:
    """From https to http needs consent."""
    plain = http.serve(plains := Site(lambda call: Answer(200, b"plain")))
    safe = http.serve(Site(lambda call: Answer(302, b"", [("Location", plain)])), tls=True)
    own = {} if allowed is None else {"allow_downgrade": allowed}
    async with http.client(**FOLLOWING, **own, verify="test", timeout=PATIENCE) as client:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            await client.get(f"{safe}/place?key={SECRET}")
        check_message(caught.value, f"GET {safe}/place")
        assert "allow_downgrade" in str(caught.value)
        assert plains.calls == []
        assert client.statistics.connections == client.statistics.idle


async def test_a_way_out_of_tls_with_consent(http: World) -> None:
    plain = http.serve(plains := Site(lambda call: Answer(200, b"plain")))
    safe = http.serve(Site(lambda call: Answer(302, b"", [("Location", plain)])), tls=True)
    async with http.client(**FOLLOWING, verify="test", timeout=PATIENCE, allow_downgrade=True) as client:
        headers = {**SECRETS, "Referer": f"{safe}/?{SECRET}"}
        assert (await client.get(safe, headers=headers)).content == b"plain"
        assert SECRET not in str(plains.calls[0].fields)
