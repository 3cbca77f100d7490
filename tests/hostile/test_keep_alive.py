"""Games with a connection that is kept: bytes that nobody asked for must never be taken for somebody's response.

A server, or whoever can make it send too much, would else choose what the next request of this client gets: its queue
of responses would be poisoned.
"""

from __future__ import annotations

import pytest

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, RESET, Peer, Script
from tests.peers.script import Step

from .cases import PATIENCE, SOUND, Case, Gives, Turning, each, meet, settle

OK = b"HTTP/1.1 200 OK\r\n"
POISON = OK + b"Content-Length: 6\r\n\r\npoison"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nsound\r\n0\r\n\r\n"
PLAIN = SOUND
GIVEN = Gives(b"sound")

BEHIND = (
    Case("a response behind a response", [PLAIN + POISON], GIVEN),
    Case("a response behind chunks", [CHUNKED + POISON], GIVEN),
    Case("a response behind no body", [b"HTTP/1.1 204 No Content\r\n\r\n" + POISON], Gives(b"", 204)),
    Case("a response behind an empty body", [OK + b"Content-Length: 0\r\n\r\n" + POISON], Gives(b"")),
    Case("a response behind 304", [b"HTTP/1.1 304 Not Modified\r\n\r\n" + POISON], Gives(b"", 304)),
    Case("a response behind HEAD", [OK + b"Content-Length: 5\r\n\r\n" + POISON], Gives(b""), method="HEAD"),
    Case("a body behind HEAD", [SOUND], Gives(b""), method="HEAD"),
    Case("half a response behind", [PLAIN + POISON[:20]], GIVEN),
    Case("a byte behind", [PLAIN + b"\n"], GIVEN),
    Case("a line end behind", [PLAIN + b"\r\n"], GIVEN),
    Case("a zero behind", [PLAIN + b"\0"], GIVEN),
    Case("another chunk behind the last", [CHUNKED + b"5\r\nworse\r\n0\r\n\r\n"], GIVEN),
    Case("408 behind", [PLAIN + b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"], GIVEN),
    Case("100 behind", [PLAIN + b"HTTP/1.1 100 Continue\r\n\r\n"], GIVEN),
    Case("a megabyte behind", [PLAIN + b"x" * 1_000_000], GIVEN),
    Case(
        "a response behind a large body",
        [OK + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000 + POISON],
        Gives(b"x" * 100_000),
    ),
    Case("an end behind", [PLAIN, CLOSE], GIVEN),
    Case(
        "keep-alive for no time at all",
        [OK + b"Keep-Alive: timeout=0\r\nContent-Length: 5\r\n\r\nsound"],
        GIVEN,
    ),
    Case(
        "keep-alive for no more requests",
        [OK + b"Keep-Alive: max=0\r\nContent-Length: 5\r\n\r\nsound"],
        GIVEN,
    ),
    Case(
        "keep-alive that makes no sense",
        [
            OK
            + b"Keep-Alive: timeout=-1, max=x, timeout="
            + b"9" * 5000
            + b"\r\nContent-Length: 5\r\n\r\nsound"
        ],
        GIVEN,
        kept=True,
    ),
)


@each(*BEHIND)
async def test_bytes_behind(http: World, case: Case) -> None:
    await meet(http, case)


class Idling(Peer):
    """Answers each request; `then` follows as soon as the test says so."""

    def __init__(self) -> None:
        self.requests = 0
        self.heard = b""

    def receive_data(self, data: bytes) -> None:
        self.heard += data
        while b"\r\n\r\n" in self.heard:
            head, _, self.heard = self.heard.partition(b"\r\n\r\n")
            self.requests += 1
            self.answer(head)

    def answer(self, head: bytes) -> None:
        self.channel.send(PLAIN.removesuffix(b"sound") if head.startswith(b"HEAD") else PLAIN)


class Later(Idling):
    """Answers, and does something else a moment later, when the client takes the connection for idle."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self.steps = steps
        self.done = False

    def answer(self, head: bytes) -> None:
        super().answer(head)
        self.channel.call_later(0.01, self.go_on)

    def go_on(self) -> None:
        Script([self.steps], at_once=True).connected(self.channel)
        self.done = True


async def done(http: World, peer: Later) -> None:
    """Wait until the server has sent what it had in mind, however busy the machine is."""
    for _ in range(1000):
        if peer.done:
            break
        await http.sleep(0.005)
    assert peer.done
    await settle(http)


IDLE: dict[str, list[Step]] = {
    "a response": [POISON],
    "half a response": [POISON[:30]],
    "a response in two pieces": [POISON[:30], POISON[30:]],
    "a byte": [b"x"],
    "a line end": [b"\r\n"],
    "100": [b"HTTP/1.1 100 Continue\r\n\r\n"],
    "408": [b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", CLOSE],
    "an alert of TLS": [b"\x15\x03\x03\x00\x02\x01\x00"],
    "many responses": [POISON * 10_000],
    "an end": [CLOSE],
    "a reset": [RESET],
    "a response and a reset": [POISON, RESET],
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", IDLE)
async def test_while_idle(http: World, name: str, method: str) -> None:
    """What comes while nobody asks is nobody's answer: the next request goes out on another connection, once."""
    peers = [Later(IDLE[name]), Idling()]
    given = iter(peers)
    url = http.serve(lambda: next(given))
    async with http.client(timeout=PATIENCE) as client:
        assert (await client.get(url)).content == b"sound"
        await done(http, peers[0])  # type: ignore[arg-type]
        assert (await client.request(method, url)).content == b"sound"
        assert [peer.requests for peer in peers] == [1, 1]
        assert client.statistics == (1, 1, 0)


class Forgetful(Idling):
    """Answers the first request, and breaks off at the second, in one of several ways."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self.steps = steps

    def answer(self, head: bytes) -> None:
        if self.requests == 1:
            super().answer(head)
        else:
            Script([self.steps], at_once=True).connected(self.channel)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"])
@pytest.mark.parametrize("end", [CLOSE, RESET])
async def test_a_race_with_an_end(http: World, method: str, end: Step) -> None:
    """What may be repeated goes out once more, on a new connection; what may not is an error, and went out once."""
    peers = [Forgetful([end]), Idling(), Idling()]
    given = iter(peers)
    url = http.serve(lambda: next(given))
    repeatable = method not in ("POST", "PATCH")
    async with http.client(timeout=PATIENCE) as client:
        assert (await client.get(url)).content == b"sound"
        if repeatable:
            assert (await client.request(method, url)).status_code == 200
        else:
            with pytest.raises(httpure.TransportError) as caught:
                await client.request(method, url)
            assert type(caught.value) is (httpure.RemoteProtocolError if end is CLOSE else httpure.ReadError)
            assert f"{method} {url}/" in str(caught.value)
        assert [peer.requests for peer in peers] == [2, int(repeatable), 0]
        assert (await client.get(url)).content == b"sound"
        assert client.statistics.connections == client.statistics.idle


@pytest.mark.parametrize(
    "beginning", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Hints\r\n\r\n", b"\r\n"], ids=repr
)
async def test_half_an_answer_is_no_race(http: World, beginning: bytes) -> None:
    """Whoever has begun to answer has seen the request: it is not sent again."""
    peers = [Forgetful([beginning, CLOSE]), Idling()]
    given = iter(peers)
    url = http.serve(lambda: next(given))
    async with http.client(timeout=PATIENCE) as client:
        await client.get(url)
        with pytest.raises(httpure.RemoteProtocolError):
            await client.get(url)
        assert [peer.requests for peer in peers] == [2, 0]
        assert client.statistics == (0, 0, 0)
        assert (await client.get(url)).content == b"sound"


async def test_an_end_each_time(http: World) -> None:
    """A server that answers once and never again is not asked for ever."""
    asked = 0

    def peer() -> Peer:
        nonlocal asked
        asked += 1
        return Forgetful([CLOSE]) if asked == 1 else Script([[CLOSE]])

    url = http.serve(peer)
    async with http.client(timeout=PATIENCE) as client:
        await client.get(url)
        with pytest.raises(httpure.RemoteProtocolError, match="before its response"):
            await client.get(url)
        assert asked <= 3
        assert client.statistics == (0, 0, 0)


class Hasty(Peer):
    """Answers at the first bytes of a request, before the rest of its body can have come."""

    def __init__(self, answer: bytes) -> None:
        self.reply = answer

    def receive_data(self, data: bytes) -> None:
        reply, self.reply = self.reply, b""
        if reply:
            self.channel.send(reply)


HASTY: dict[str, tuple[bytes, int, bytes]] = {
    "a success": (SOUND, 200, b"sound"),
    "a success and poison": (SOUND + POISON, 200, b"sound"),
    "a refusal": (b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", 413, b"no"),
    "a refusal and poison": (b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno" + POISON, 413, b"no"),
    "a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", 302, b""),
    "a challenge": (b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", 401, b""),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
}


@pytest.mark.parametrize("name", HASTY)
async def test_an_answer_during_an_upload(http: World, name: str) -> None:
    """It counts, and the connection, on which the rest of a body may be taken for a request, is not used again."""
    answer, status, body = HASTY[name]
    server = Turning(lambda: Hasty(answer))
    url = http.serve(server)
    async with http.client(timeout=PATIENCE) as client:
        # Longer than anybody waits: the client has to notice the answer, however late it comes.
        response = await client.post(url, content=http.body([b"GET / HTTP/1.1\r\n\r\n" * 100] * 2000, 0.002))
        assert (response.status_code, response.content) == (status, body)
        await settle(http)
        assert (await client.get(url)).content == b"sound"
        assert server.connections == 2


async def test_an_answer_before_the_request(http: World) -> None:
    """It may be taken for the answer, as nobody can tell when it was sent; but never for that of another request."""
    server = Turning(lambda: Script([[SOUND]], at_once=True))
    url = http.serve(server)
    async with http.client(timeout=PATIENCE) as client:
        for _ in range(3):
            try:
                assert (await client.get(url)).content == b"sound"
            except httpure.RemoteProtocolError as exc:
                assert "GET" in str(exc)
        assert client.statistics.connections == client.statistics.idle
