"""HTTP proxies that refuse, lie, babble or stall: what they say is never a response of the server.

Their users' names and passwords reach no message, and not the server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, RESET, ConnectProxy, Peer, Script, dripping, scripted, with_tls
from tests.peers.script import Step

from .cases import (
    PATIENCE,
    SECRET,
    SOUND,
    Case,
    Fails,
    Gives,
    Outcome,
    Turning,
    check_outcome,
    each,
    settle,
)

REFUSED = Fails(httpure.ProxyError, "did not connect to server.test:443")
NO_HTTP = Fails(httpure.ProxyError, "not HTTP/1.1")
INVALID = Fails(httpure.ProxyError, "not valid HTTP/1.1")
TOO_LARGE = Fails(httpure.ProxyError, "too large")
SLOW = Fails(httpure.ConnectTimeout)
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
HASTE: dict[str, Any] = {"timeout": httpure.Timeout(PATIENCE, connect=0.1)}
ORIGIN = "https://server.test"
PAGE = b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"


@dataclass(frozen=True)
class ProxyCase:
    """What a proxy says to CONNECT, and what must come of it."""

    name: str
    script: list[Step]
    outcome: Outcome
    method: str = "GET"
    request: dict[str, Any] = field(default_factory=dict)
    #: How often the proxy is asked, where it asks for credentials in turn.
    asked: int | None = None

    def __str__(self) -> str:
        return self.name


def says(name: str, *steps: Step, outcome: Outcome = REFUSED, **more: Any) -> ProxyCase:
    return ProxyCase(name, list(steps), outcome, **more)


def refuses(status: bytes, body: bytes = b"", words: str = "", name: str = "") -> ProxyCase:
    answer = PAGE % (status, len(body), body)
    return ProxyCase(name or status.decode("latin-1"), [answer], Fails(httpure.ProxyError, words))


CASES = (
    refuses(b"400 Bad Request", words="400 Bad Request"),
    refuses(b"403 Forbidden", b"not for you", words="'not for you'"),
    refuses(b"502 Bad Gateway"),
    refuses(b"301 Moved", words="301"),
    refuses(b"304 Not Modified", words="304"),
    refuses(b"500 \xff\xfe", words="500", name="500 in bytes that are no text"),
    refuses(b"403 No", b"\x1b[31mred\x07\r\n\0" * 100, words="red", name="403 with controls"),
    refuses(b"403 No", b"x" * 100_000, name="403 with a large body"),
    refuses(b"403 No", SECRET.encode(), words=r"\[secure\]", name="403 that repeats the password"),
    says(
        "a redirect",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        outcome=Fails(httpure.ProxyError, "302 Found"),
    ),
    says(
        "a page of its own, cut off",
        b"HTTP/1.1 503 No\r\nContent-Length: 99\r\n\r\nno",
        CLOSE,
        outcome=Fails(httpure.ProxyError, "503 No"),
    ),
    says(
        "a gzip bomb that is none",
        b"HTTP/1.1 503 No\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno",
        outcome=Fails(httpure.ProxyError, "503 No"),
    ),
    says(
        "a body without end",
        b"HTTP/1.1 503 No\r\n\r\n",
        b"x" * 100_000,
        outcome=Fails(httpure.ProxyError, "503 No"),
    ),
    says(
        "bad chunks",
        b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n",
        outcome=Fails(httpure.ProxyError, "503 No"),
    ),
    says("SSH", b"SSH-2.0-OpenSSH_9.6\r\n", outcome=NO_HTTP),
    says("SOCKS", b"\x05\x00", outcome=NO_HTTP),
    says("TLS", b"\x15\x03\x01\x00\x02\x02\x28", outcome=NO_HTTP),
    says("HTTP/2", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", outcome=NO_HTTP),
    says("HTTP/2.0", b"HTTP/2.0 200 OK\r\n\r\n", outcome=Fails(httpure.ProxyError, "HTTP/1.1")),
    says("zeros", bytes(100), outcome=NO_HTTP),
    says("a bare 200", b"200 OK\r\n\r\n", outcome=NO_HTTP),
    says("a status of two digits", b"HTTP/1.1 20 OK\r\n\r\n", outcome=INVALID),
    says("a field without colon", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", outcome=INVALID),
    says("a field with a zero", b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n", outcome=INVALID),
    says("an end", CLOSE),
    says("a reset", RESET),
    says("half a head and an end", b"HTTP/1.1 200", CLOSE),
    says("half a head and a reset", b"HTTP/1.1 200", 0.02, RESET),
    says(
        "a head of 100,000 bytes", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", outcome=TOO_LARGE
    ),
    says("2,000 fields", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000 + b"\r\n", outcome=TOO_LARGE),
    says("fields without end", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, outcome=TOO_LARGE),
    says("a field without end", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000, outcome=TOO_LARGE),
    says("a reason without end", b"HTTP/1.1 200 " + b"O" * 1_000_000, outcome=TOO_LARGE),
    says("100 Continue 17 times", b"HTTP/1.1 100 Continue\r\n\r\n" * 17, outcome=TOO_LARGE),
    says("100 Continue 100,000 times", b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000, outcome=TOO_LARGE),
    says(
        "101 Switching Protocols",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        outcome=INVALID,
    ),
    says("a response behind 200", ESTABLISHED + SOUND, outcome=Fails(httpure.ProxyError)),
    says("a byte behind 200", ESTABLISHED + b"x", outcome=Fails(httpure.ProxyError)),
    says("another head behind 200", ESTABLISHED + ESTABLISHED, outcome=Fails(httpure.ProxyError)),
    says(
        "200 with a body",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound",
        outcome=Fails(httpure.ProxyError),
    ),
    says(
        "200 with chunks",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsound\r\n0\r\n\r\n",
        outcome=Fails(httpure.ProxyError),
    ),
    says("a response a little later", ESTABLISHED, 0.01, SOUND, outcome=Fails(httpure.TLSError)),
    says("200 and an end", ESTABLISHED, CLOSE, outcome=Fails(httpure.TLSError)),
    says(
        "407 with nothing to go by",
        b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n",
        outcome=Fails(httpure.ProxyError, "407 Who"),
        asked=1,
    ),
    says(
        "407 for Basic, each time",
        *[b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"],
        outcome=Fails(httpure.ProxyError, "407 Who.*did not accept"),
        asked=1,
    ),
    says(
        "407 for a scheme that nobody speaks",
        b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Secret " + b"x" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n",
        outcome=Fails(httpure.ProxyError, "407 Who"),
        asked=1,
    ),
    says(
        "407 of 60,000 commas",
        b"HTTP/1.1 407 Who\r\nProxy-Authenticate: " + b"," * 60_000 + b"\r\nContent-Length: 0\r\n\r\n",
        outcome=Fails(httpure.ProxyError, "407 Who"),
        asked=1,
    ),
    says("nothing", outcome=SLOW, request=HASTE),
    says("half a head", b"HTTP/1.1 200 OK\r\nX: y", outcome=SLOW, request=HASTE),
    says(
        "a drop now and then",
        *dripping(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40, 1, 0.02),
        outcome=SLOW,
        request=HASTE,
    ),
    says("200, and no server behind", ESTABLISHED, outcome=SLOW, request=HASTE),
)


class Scripted(ConnectProxy):
    """A proxy that follows a script, and leaves the client to nobody."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__(answer=steps)


async def play(http: World, case: ProxyCase) -> None:
    bad = Scripted(case.script)
    good = ConnectProxy(with_tls(scripted([SOUND]), context()))
    server = Turning(bad, good)
    proxy = http.serve(server).replace("//", f"//user:{SECRET}@")
    async with http.client(proxy=proxy, verify=trusting(), timeout=PATIENCE) as client:
        await check_outcome(client, ORIGIN, case)
        await settle(http)
        transport = client.itself._transport_for_url(httpure.URL(ORIGIN))
        assert transport.statistics == (0, 0, 0)
        if case.asked is not None:
            assert len(bad.requests) + len(good.requests) == case.asked
        before = server.connections
        response = await client.get(ORIGIN + "/next")
        assert (response.status_code, response.content) == (200, b"sound")
        assert server.connections == before + 1
        assert transport.statistics == (1, 1, 0)


def context() -> Any:
    return _secrets()[0]


def trusting() -> Any:
    return _secrets()[1]


_made: list[Any] = []


def _secrets() -> list[Any]:
    if not _made:
        from tests.peers.tls import Authority

        authority = Authority()
        _made.extend((authority.server_context("server.test"), authority.trusting))
    return _made


@each(*CASES)
async def test_connect(http: World, case: ProxyCase) -> None:
    await play(http, case)


def digest_again(stale: bool) -> bytes:
    more = b", stale=true" if stale else b""
    return (
        b'HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm="r", nonce="n", qop="auth"' + more + b"\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


class Asking(Peer):
    """Asks who it is, whatever it hears."""

    asked = 0

    def __init__(self, answer: bytes, ends: bool) -> None:
        self.reply, self.ends = answer, ends

    def receive_data(self, data: bytes) -> None:
        assert SECRET.encode() not in data
        type(self).asked += data.count(b"\r\n\r\n")
        self.channel.send(self.reply)
        if self.ends:
            self.channel.close()


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("origin", [ORIGIN, "http://server.test"])
async def test_endless_407(http: World, stale: bool, ends: bool, origin: str) -> None:
    """A proxy that wants to know who we are is told twice at most, and once more if that was stale."""

    class Mine(Asking):
        asked = 0

    url = http.serve(lambda: Mine(digest_again(stale), ends))
    proxy = httpure.Proxy(url, auth=httpure.DigestAuth("user", SECRET))
    async with http.client(proxy=proxy, timeout=PATIENCE) as client:
        if origin == ORIGIN:
            with pytest.raises(httpure.ProxyError) as caught:
                await client.get(f"{origin}/place?key={SECRET}")
            assert caught.value.proxy_response.status_code == 407  # type: ignore[union-attr]
            assert SECRET not in str(caught.value)
            assert f"GET {origin}/place" in str(caught.value)
        else:
            assert (await client.get(f"{origin}/place")).status_code == 407
        assert Mine.asked <= 3
        transport = client.itself._transport_for_url(httpure.URL(origin))
        assert transport.statistics.connections == transport.statistics.idle


#: What a forwarding proxy answers to a request for http://: in all that matters, it is a server.
FORWARDED = (
    Case("garbage", [b"garbage\r\n\r\n"], Fails(httpure.RemoteProtocolError, "not valid HTTP/1.1")),
    Case(
        "both",
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        Fails(httpure.RemoteProtocolError),
    ),
    Case(
        "cut off",
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", CLOSE],
        Fails(httpure.RemoteProtocolError, "4 of 9 bytes"),
    ),
    Case("a response behind", [SOUND + SOUND.replace(b"sound", b"worse")], Gives(b"sound")),
    Case("a head without end", [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000], Fails(httpure.HeadTooLarge)),
    Case(
        "101",
        [b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
        Fails(httpure.RemoteProtocolError),
    ),
)


@each(*FORWARDED)
async def test_forwarded(http: World, case: Case) -> None:
    server = Turning(lambda: Script([case.script, [SOUND]]))
    proxy = http.serve(server).replace("//", f"//user:{SECRET}@")
    async with http.client(proxy=proxy, timeout=PATIENCE) as client:
        await check_outcome(client, "http://server.test", case)
        await settle(http)
        assert (await client.get("http://server.test/next")).content == b"sound"
        assert server.connections == 2


async def test_a_proxy_that_nobody_trusts(http: World) -> None:
    """Nothing of a request, or of the proxy's own credentials, goes out before it has shown who it is."""
    heard: list[bytes] = []

    class Curious(Peer):
        def receive_data(self, data: bytes) -> None:
            heard.append(data)

    def make() -> Callable[[], Peer]:
        return with_tls(Curious, context())  # the certificate is for server.test

    proxy = http.serve(make()).replace("http://", f"https://user:{SECRET}@")
    async with http.client(proxy=proxy, verify=trusting(), timeout=PATIENCE) as client:
        for origin in (ORIGIN, "http://server.test"):
            with pytest.raises(httpure.TransportError) as caught:
                await client.get(f"{origin}/place?key={SECRET}")
            assert "certificate" in str(caught.value)
            assert SECRET not in str(caught.value)
        assert heard == []
