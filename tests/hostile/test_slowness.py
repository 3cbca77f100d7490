"""Servers that take their time, in drops or not at all: a limit ends each phase, and the total one ends all of them.

The limits are short and what is waited for never comes, so that a slow machine makes a test slower, and not wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import httpure
from tests.behaviour.world import World, needs
from tests.peers import Answer, Deaf, Peer, Script, Site, scripted, with_tls
from tests.peers.script import Step

from .cases import PATIENCE, SOUND, Fails, Turning, check_outcome, each, settle
from .http2 import END, Frames, data, headers, ping, settings

READ = {"timeout": httpure.Timeout(PATIENCE, read=0.05)}
WRITE = {"timeout": httpure.Timeout(PATIENCE, write=0.05)}
CONNECT = {"timeout": httpure.Timeout(PATIENCE, connect=0.05)}
TOTAL = {"timeout": httpure.Timeout(PATIENCE, total=0.1)}

SILENT = Fails(httpure.ReadTimeout, r"0\.05 s \(the read timeout\).*Timeout\(read=")
CHOKED = Fails(httpure.WriteTimeout, r"0\.05 s \(the write timeout\).*Timeout\(write=")
AWAY = Fails(httpure.ConnectTimeout, r"0\.05 s \(the connect timeout\).*Timeout\(connect=")
OVER = Fails(
    httpure.ReadTimeout,
    r"0\.1 s \(the total timeout\).*Timeout\(total=",
    also=(httpure.ConnectTimeout, httpure.WriteTimeout),
)

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 1000000\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Slow:
    """A server that does not get on, and what ends that."""

    name: str
    peer: Callable[[], Peer]
    outcome: Fails
    request: dict[str, Any] = field(default_factory=dict)
    method: str = "GET"
    client: dict[str, Any] = field(default_factory=dict)
    tls: bool = False

    def __str__(self) -> str:
        return self.name


def stalls(name: str, *steps: Step) -> Slow:
    return Slow(f"stalls {name}", scripted(list(steps)), SILENT, READ)


class Dripping(Peer):
    """Answers, and goes on in small pieces, without end."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self.head, self.piece, self.gone = head, piece, False

    def receive_data(self, data: bytes) -> None:
        head, self.head = self.head, b""
        if head:
            self.channel.send(head)
            self.drip()

    def receive_eof(self) -> None:
        self.gone = True
        self.channel.close()

    def drip(self) -> None:
        if not self.gone:
            self.channel.send(self.piece)
            self.channel.call_later(0.004, self.drip)


def drips(name: str, head: bytes, piece: bytes) -> Slow:
    return Slow(f"drips {name}", lambda: Dripping(head, piece), OVER, TOTAL)


class Dripping2(Frames):
    """Answers over HTTP/2, and goes on in small frames, without end."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        super().__init__()
        self.head, self.piece = head, piece

    def _answer(self, stream: int) -> None:
        drip = Dripping(self.head, self.piece)
        drip.channel = self.channel
        drip.receive_data(b"")
        self.drip = drip

    def receive_eof(self) -> None:
        self.drip.gone = True
        self.channel.close()


HTTP2: dict[str, Any] = {"http1": False, "http2": True}

CASES = (
    stalls("before its head"),
    stalls("in its status line", b"HTTP/1.1 2"),
    stalls("behind its status line", OK),
    stalls("in a field", OK + b"X: y"),
    stalls("before the end of its head", OK + b"Content-Length: 5\r\n"),
    stalls("in the end of its head", OK + b"Content-Length: 5\r\n\r"),
    stalls("behind its head", LENGTH),
    stalls("in its body", LENGTH + b"x" * 1000),
    stalls("before its last byte", SOUND[:-1]),
    stalls("in a body without length", OK + b"\r\nsound"),
    stalls("before a chunk", CHUNKED),
    stalls("in the size of a chunk", CHUNKED + b"5"),
    stalls("in an extension", CHUNKED + b"5;a"),
    stalls("in a chunk", CHUNKED + b"5\r\nsou"),
    stalls("behind a chunk", CHUNKED + b"5\r\nsound"),
    stalls("before the last chunk", CHUNKED + b"5\r\nsound\r\n"),
    stalls("in the last chunk", CHUNKED + b"5\r\nsound\r\n0\r\n"),
    stalls("in its trailers", CHUNKED + b"5\r\nsound\r\n0\r\nX: y\r\n"),
    stalls("in a coding", GZIP + b"3\r\n\x1f\x8b\x08\r\n"),
    stalls("behind 100", b"HTTP/1.1 100 Continue\r\n\r\n"),
    stalls("behind 103", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    drips("its head", OK, b"X: y\r\n"),
    drips("a field", OK + b"X: ", b"y"),
    drips("a status line", b"HTTP/1.1 200 ", b"O"),
    drips("a body", LENGTH, b"x"),
    drips("a body without length", OK + b"\r\n", b"x"),
    drips("chunks", CHUNKED, b"1\r\nx\r\n"),
    drips("the size of a chunk", CHUNKED, b"1;x\r\nx\r\n"),
    drips("an extension", CHUNKED + b"1;", b"x"),
    drips("a trailer", CHUNKED + b"0\r\nX: ", b"y"),
    drips("nothing in a coding", GZIP + b"a\r\n\x1f\x8b\x08\0\0\0\0\0\0\3\r\n", b"5\r\n\0\0\0\xff\xff\r\n"),
    Slow("never accepts a request", Deaf, CHOKED, {**WRITE, "content": b"x" * 16_000_000}, "POST"),
    Slow("never shakes hands", Peer, AWAY, CONNECT, tls=True),
    Slow(
        "never shakes hands, in all",
        Peer,
        Fails(httpure.ConnectTimeout, "the total timeout"),
        TOTAL,
        tls=True,
    ),
    Slow("never answers over HTTP/2", lambda: Frames([]), SILENT, READ, client=HTTP2),
    Slow("never speaks HTTP/2", Peer, SILENT, READ, client=HTTP2),
    Slow(
        "stops in a body of HTTP/2", lambda: Frames([headers(1), data(1, b"so")]), SILENT, READ, client=HTTP2
    ),
    Slow(
        "stops in a frame of HTTP/2",
        lambda: Frames([headers(1), data(1, b"so", END)[:-1]]),
        SILENT,
        READ,
        client=HTTP2,
    ),
    Slow("pings instead of an answer", lambda: Dripping2(ping(), ping()), SILENT, READ, client=HTTP2),
    Slow(
        "says its settings instead of an answer",
        lambda: Dripping2(settings(), settings()),
        SILENT,
        READ,
        client=HTTP2,
    ),
    Slow(
        "drips a body of HTTP/2",
        lambda: Dripping2(headers(1, [(b":status", b"200")]), data(1, b"x")),
        OVER,
        TOTAL,
        client=HTTP2,
    ),
)


@each(*CASES)
async def test_slow(http: World, case: Slow) -> None:
    sound: Callable[[], Peer] = Frames if case.client else lambda: Script([[SOUND]])
    url = next_url = http.serve(Turning(case.peer, with_tls(sound) if case.tls else sound))
    if case.tls:
        url = next_url = url.replace("http:", "https:")
    if case.client:  # a connection that goes on, and may be as slow for the next one
        next_url = http.serve(sound)
    async with http.client(timeout=PATIENCE, verify="test" if case.tls else True, **case.client) as client:
        await check_outcome(client, url, case)
        await settle(http)
        statistics = client.statistics
        assert statistics.connections == statistics.idle
        if not case.client:
            assert statistics == (0, 0, 0)
        assert (await client.get(next_url + "/next")).content == b"sound"


@pytest.mark.parametrize("status", [301, 401])
async def test_one_limit_for_all_exchanges(http: World, status: int) -> None:
    """Each of many answers in time, and all of them together do not."""
    fields = [
        ("Location", "/again"),
        ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", stale=true'),
    ]
    url = http.serve(Site(lambda call: Answer(status, b"", fields, delay=0.06)))
    options: dict[str, Any] = {
        "follow_redirects": True,
        "max_redirects": 1000,
        "auth": httpure.DigestAuth("a", "b"),
    }
    if status == 401:
        options["auth"] = Forever()
    async with http.client(timeout=httpure.Timeout(PATIENCE, total=0.15), **options) as client:
        with pytest.raises(httpure.TimeoutException, match="the total timeout"):
            await client.get(url)
        assert client.statistics.connections == client.statistics.idle


class Forever(httpure.Auth):
    """Tries again and again."""

    def auth_flow(self, request: httpure.Request) -> Any:
        while True:
            yield request


@needs("virtual")
async def test_minutes_of_drops(http: World) -> None:
    """Without a total limit, a server that says something each second is heard to its end; with one, it is not."""
    answer = [OK + b"Content-Length: 600\r\n\r\n", *[b"x", 1.0] * 600]
    url = http.serve(scripted(answer))
    async with http.client(timeout=PATIENCE) as client:
        assert (await client.get(url)).content == b"x" * 600
        started = http.clock()
        with pytest.raises(httpure.ReadTimeout, match="the total timeout"):
            await client.get(url, timeout=httpure.Timeout(PATIENCE, total=60))
        assert http.clock() - started < 61
