"""HTTP/2 (RFC 9113) as it must not be spoken: a fault of a stream stays with it, one of the connection ends that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, RESET
from tests.peers.script import Step

from .cases import PATIENCE, Fails, Gives, Outcome, check_outcome, each, settle
from .http2 import (
    ACK,
    END,
    END_HEADERS,
    HELLO,
    PADDED,
    PRIORITY,
    SOUND_HEAD,
    Frames,
    block,
    continuation,
    data,
    frame,
    goaway,
    headers,
    ping,
    reset,
    settings,
    sound,
    window_update,
)

#: A fault of one response: its stream is reset, and the connection goes on.
STREAM = Fails(httpure.RemoteProtocolError, "not valid HTTP/2")
#: A fault of the connection.
BROKEN = Fails(httpure.RemoteProtocolError, "broke the rules of HTTP/2")
TOO_LARGE = Fails(httpure.HeadTooLarge)
GIVEN = Gives(b"sound")
OK = (b":status", b"200")


@dataclass(frozen=True)
class Case2:
    """What a server says to a first request, and what comes of it. `kept`: the connection goes on (None: maybe)."""

    name: str
    script: list[Step]
    outcome: Outcome
    kept: bool | None = False
    method: str = "GET"
    request: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    hello: bytes = HELLO

    def __str__(self) -> str:
        return self.name


def says(name: str, *parts: Step, outcome: Outcome = BROKEN, **more: Any) -> Case2:
    return Case2(name, list(parts), outcome, **more)


def head(name: str, *fields: tuple[bytes, bytes], outcome: Outcome = STREAM, kept: bool = True) -> Case2:
    """A response with this head, and a body."""
    return Case2(f"head: {name}", [headers(1, fields) + data(1, b"sound", END)], outcome, kept)


def greets(name: str, hello: bytes, outcome: Outcome = BROKEN, kept: bool = False) -> Case2:
    return Case2(f"greeting: {name}", [sound(1)], outcome, kept, hello=hello)


GREETINGS = (
    greets("HTTP/1.1", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    greets("SSH", b"SSH-2.0-OpenSSH_9.6\r\n"),
    greets("an alert of TLS", b"\x15\x03\x01\x00\x02\x02\x28" + bytes(9)),
    greets("PING first", ping() + HELLO),
    greets("HEADERS first", sound(1)),
    greets("WINDOW_UPDATE first", window_update(0, 1) + HELLO),
    greets("an acknowledgement first", settings(flags=ACK) + HELLO),
    greets("GOAWAY first", goaway(0)),
    greets("an unknown frame first", frame(99) + HELLO),
    greets("zeros", bytes(1000)),
    greets("settings on a stream", frame(4, 0, 1)),
    greets("settings of 5 bytes", frame(4, 0, 0, b"12345")),
    greets("an acknowledgement with settings", HELLO + frame(4, ACK, 0, b"123456")),
    greets("push allowed by a server", settings([(2, 1)])),
    greets("a window that is too large", settings([(4, 2**31)])),
    greets("frames that are too small", settings([(5, 100)])),
    greets("frames that are too large", settings([(5, 2**24)])),
    greets("push as a number", settings([(2, 7)])),
    greets("settings that nobody knows", settings([(99, 99), (0, 0), (65535, 1)]), GIVEN, kept=True),
    greets("no table", settings([(1, 0)]), GIVEN, kept=True),
    greets("a huge table", settings([(1, 2**32 - 1)]), GIVEN, kept=True),
    greets("the same many times", settings([(3, 100)] * 1000), GIVEN, kept=True),
    greets("huge frames wanted", settings([(5, 2**24 - 1)]), GIVEN, kept=True),
    greets("no fields allowed", settings([(6, 0)]), GIVEN, kept=True),
)

HEADS = (
    head("no status", (b"a", b"b")),
    head("nothing"),
    head("two of them", OK, OK),
    head("status last", (b"a", b"b"), OK),
    head("status empty", (b":status", b"")),
    head("status of two digits", (b":status", b"20")),
    head("status of four digits", (b":status", b"2000")),
    head("status in words", (b":status", b"fine")),
    head("status 0", (b":status", b"000")),
    head("status with a sign", (b":status", b"+20")),
    head("status with a space", (b":status", b" 200")),
    head("status and reason", (b":status", b"200 OK")),
    head("status 101", (b":status", b"101")),
    head("a request's", (b":method", b"GET"), OK),
    head("a request's, behind", OK, (b":path", b"/")),
    head("an unknown pseudo-field", OK, (b":secret", b"1")),
    head("Connection", OK, (b"connection", b"close")),
    head("Transfer-Encoding", OK, (b"transfer-encoding", b"chunked")),
    head("Keep-Alive", OK, (b"keep-alive", b"timeout=5")),
    head("Proxy-Connection", OK, (b"proxy-connection", b"close")),
    head("Upgrade", OK, (b"upgrade", b"h2c")),
    head("TE", OK, (b"te", b"trailers")),
    head("capitals", OK, (b"X-A", b"b")),
    head("an empty name", OK, (b"", b"b")),
    head("a space in a name", OK, (b"a b", b"c")),
    head("a colon in a name", OK, (b"a:b", b"c")),
    head("a line end in a name", OK, (b"a\r\nset-cookie", b"c=d")),
    head("a name beyond ASCII", OK, (b"\xc3\xa4", b"c")),
    head("a zero in a value", OK, (b"a", b"b\0c")),
    head("a line end in a value", OK, (b"a", b"b\r\nset-cookie: c=d")),
    head("LF in a value", OK, (b"a", b"b\nc")),
    head("CR in a value", OK, (b"a", b"b\rc")),
    head("a control in a value", OK, (b"a", b"b\x01c")),
    head("a value beyond ASCII", OK, (b"a", b"\xff"), outcome=GIVEN),
    head("white space around a value", OK, (b"a", b" b\t"), outcome=Gives(b"sound", fields=(("a", "b"),))),
    head("a length that is none", OK, (b"content-length", b"five")),
    head("a length with a sign", OK, (b"content-length", b"+5")),
    head("an empty length", OK, (b"content-length", b"")),
    head("a length of 1,000 digits", OK, (b"content-length", b"5" * 1000)),
    head("two lengths", OK, (b"content-length", b"5"), (b"content-length", b"6")),
    head("one length twice", OK, (b"content-length", b"5"), (b"content-length", b"5"), outcome=GIVEN),
    head("a length that is too short", OK, (b"content-length", b"4")),
    head("a length that is too long", OK, (b"content-length", b"6")),
    head("a body behind 204", (b":status", b"204")),
    head("a body behind 304", (b":status", b"304")),
    head("no length", OK, outcome=GIVEN),
    head("status 999", (b":status", b"999"), outcome=Gives(b"sound", 999)),
)

MESSAGES = (
    says("a body before its head", data(1, b"sound", END), outcome=STREAM, kept=True),
    says("two heads", headers(1), headers(1), outcome=STREAM, kept=True),
    says(
        "trailers that are a head",
        headers(1),
        data(1, b"sound"),
        headers(1, [OK], END_HEADERS | END),
        outcome=STREAM,
        kept=True,
    ),
    says(
        "trailers without an end",
        headers(1),
        data(1, b"sound"),
        headers(1, [(b"a", b"b")]),
        outcome=STREAM,
        kept=True,
    ),
    says(
        "trailers too early",
        headers(1),
        data(1, b"so"),
        headers(1, [(b"a", b"b")], END_HEADERS | END),
        outcome=STREAM,
        kept=True,
    ),
    says(
        "trailers with a control",
        headers(1),
        data(1, b"sound"),
        headers(1, [(b"a", b"\0")], END_HEADERS | END),
        outcome=STREAM,
        kept=True,
    ),
    says(
        "101 trailers",
        headers(1),
        data(1, b"sound"),
        headers(1, [(b"a", b"b")] * 101, END_HEADERS | END),
        outcome=Fails(httpure.HeadTooLarge, "max_trailers", "max_trailers"),
        kept=True,
    ),
    says("an end too early", headers(1), data(1, b"so", END), outcome=STREAM, kept=True),
    says("an end with the head", headers(1, SOUND_HEAD, END_HEADERS | END), outcome=STREAM, kept=True),
    says("data behind the length", headers(1), data(1, b"sound and more"), outcome=STREAM, kept=True),
    says("data behind the end", sound(1), data(1, b"more"), outcome=GIVEN, kept=True),
    says("a head behind the end", sound(1), headers(1), outcome=GIVEN),
    says("a reset behind the end", sound(1), reset(1), outcome=GIVEN, kept=True),
    says("a window behind the end", sound(1), window_update(1, 10), outcome=GIVEN, kept=True),
    says(
        "16 informational ones", headers(1, [(b":status", b"103")]) * 16, sound(1), outcome=GIVEN, kept=True
    ),
    says(
        "17 informational ones",
        headers(1, [(b":status", b"103")]) * 17,
        sound(1),
        outcome=Fails(httpure.HeadTooLarge, "max_informational", "max_informational"),
        kept=True,
    ),
    says(
        "an informational one that ends",
        headers(1, [(b":status", b"100")], END_HEADERS | END),
        outcome=STREAM,
        kept=True,
    ),
    says("reset", reset(1), outcome=Fails(httpure.RemoteProtocolError, "reset the stream"), kept=True),
    says(
        "reset in the middle",
        headers(1),
        data(1, b"so"),
        reset(1, 8),
        outcome=Fails(httpure.RemoteProtocolError, r"CANCEL.* 2 of 5 bytes"),
        kept=True,
    ),
    says(
        "reset without an error",
        headers(1),
        data(1, b"so"),
        reset(1, 0),
        outcome=Fails(httpure.RemoteProtocolError, "NO_ERROR"),
        kept=True,
    ),
    says(
        "reset by a code that nobody knows",
        reset(1, 2**32 - 1),
        outcome=Fails(httpure.RemoteProtocolError, "0xffffffff"),
        kept=True,
    ),
    says(
        "an end of the connection", CLOSE, outcome=Fails(httpure.RemoteProtocolError, "before its response")
    ),
    says(
        "an end in the middle",
        headers(1),
        data(1, b"so"),
        CLOSE,
        outcome=Fails(httpure.RemoteProtocolError, "2 of 5 bytes"),
    ),
    says(
        "an end without a length",
        headers(1, [OK]),
        data(1, b"so"),
        CLOSE,
        outcome=Fails(httpure.RemoteProtocolError, "2 bytes"),
    ),
    says(
        "a reset of the connection",
        headers(1),
        data(1, b"so"),
        0.02,
        RESET,
        outcome=Fails(httpure.ReadError, "lost"),
    ),
    says(
        "half a frame and an end",
        headers(1)[:12],
        CLOSE,
        outcome=Fails(httpure.RemoteProtocolError, "before its response"),
    ),
    says(
        "a goodbye and an end",
        goaway(1),
        headers(1),
        CLOSE,
        outcome=Fails(httpure.RemoteProtocolError, "GOAWAY"),
    ),
    says("a goodbye, and the answer", goaway(1), sound(1), outcome=GIVEN),
    says("a goodbye for the future, and the answer", goaway(2**31 - 1), sound(1), outcome=GIVEN),
    says("two goodbyes", goaway(2**31 - 1), goaway(1, 2, b"bye"), sound(1), outcome=GIVEN),
    says(
        "a goodbye with 60,000 bytes of words",
        goaway(1, 11, b"\xff\x1b[31m" * 10_000),
        CLOSE,
        outcome=Fails(httpure.RemoteProtocolError, "ENHANCE_YOUR_CALM"),
    ),
)

FRAMES = (
    says("a frame of 65,537 bytes", data(1, bytes(65_537))),
    says("a frame of 16 MiB, said", frame(0, 0, 1, b"", 2**24 - 1)),
    says("DATA on stream 0", data(0, b"x")),
    says("HEADERS on stream 0", headers(0)),
    says("HEADERS on an even stream", headers(2)),
    says("HEADERS on a stream that is not open", headers(3)),
    says("DATA on a stream that is not open", data(3, b"x")),
    says("RST_STREAM on stream 0", reset(0)),
    says("RST_STREAM on a stream that is not open", reset(3)),
    says("RST_STREAM of 3 bytes", frame(3, 0, 1, b"123")),
    says("SETTINGS on a stream", frame(4, 0, 1)),
    says("SETTINGS of 7 bytes", frame(4, 0, 0, b"1234567")),
    says("PING of 7 bytes", ping(payload=b"1234567")),
    says("PING on a stream", frame(6, 0, 1, b"12345678")),
    says("GOAWAY on a stream", frame(7, 0, 1, bytes(8))),
    says("GOAWAY of 7 bytes", frame(7, 0, 0, bytes(7))),
    says("WINDOW_UPDATE of 3 bytes", frame(8, 0, 0, b"123")),
    says("WINDOW_UPDATE by 0", window_update(0, 0)),
    says("WINDOW_UPDATE beyond all", window_update(0, 2**31 - 1)),
    says("WINDOW_UPDATE of a stream that is not open", window_update(3, 1)),
    says("PRIORITY of 4 bytes", frame(2, 0, 1, b"1234"), outcome=Fails(httpure.RemoteProtocolError)),
    says("PUSH_PROMISE", frame(5, END_HEADERS, 1, b"\0\0\0\2" + block([(b":method", b"GET")]))),
    says("CONTINUATION of nothing", continuation(1, b"", END_HEADERS)),
    says("padding longer than the frame", headers(1), frame(0, PADDED, 1, b"\xff12")),
    says("padding and nothing", headers(1), frame(0, PADDED, 1, b"")),
    says("padding of a head longer than it", frame(1, PADDED | END_HEADERS, 1, b"\xff12")),
    says("a head too short for its priority", frame(1, PRIORITY | END_HEADERS, 1, b"123")),
    says("an unknown frame", frame(0x99, 0xFF, 1, b"?"), sound(1), outcome=GIVEN, kept=True),
    says(
        "unknown flags",
        frame(1, END_HEADERS | 0x40, 1, block(SOUND_HEAD)),
        data(1, b"sound", END | 0x40),
        outcome=GIVEN,
        kept=True,
    ),
    says(
        "a reserved bit",
        frame(1, END_HEADERS, 1 | 2**31, block(SOUND_HEAD)),
        data(1 | 2**31, b"sound", END),
        outcome=GIVEN,
        kept=True,
    ),
    says("PING", ping(), sound(1), outcome=GIVEN, kept=True),
    says("an answer to no PING", ping(ACK), sound(1), outcome=GIVEN, kept=True),
    says("padding", headers(1), frame(0, PADDED | END, 1, b"\x03sound123"), outcome=GIVEN, kept=True),
    says(
        "priority",
        frame(1, PRIORITY | END_HEADERS, 1, b"\0\0\0\0\1" + block(SOUND_HEAD)),
        data(1, b"sound", END),
        outcome=GIVEN,
        kept=True,
    ),
    says("HTTP/1.1 in the middle", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
)

BLOCKS = (
    says("a block within a block", frame(1, 0, 1, block(SOUND_HEAD)), headers(1)),
    says("DATA within a block", frame(1, 0, 1, block(SOUND_HEAD)), data(1, b"sound", END)),
    says("PING within a block", frame(1, 0, 1, block(SOUND_HEAD)), ping()),
    says("an unknown frame within a block", frame(1, 0, 1, block(SOUND_HEAD)), frame(0x99)),
    says(
        "CONTINUATION of another stream", frame(1, 0, 1, block(SOUND_HEAD)), continuation(3, b"", END_HEADERS)
    ),
    says(
        "a block in 32 pieces more",
        frame(1, 0, 1, block(SOUND_HEAD)),
        continuation(1, b"") * 31,
        continuation(1, b"", END_HEADERS),
        data(1, b"sound", END),
        outcome=GIVEN,
        kept=True,
    ),
    says(
        "a block in 33 pieces more",
        frame(1, 0, 1, block(SOUND_HEAD)),
        continuation(1, b"") * 32,
        continuation(1, b"", END_HEADERS),
        outcome=TOO_LARGE,
    ),
    says(
        "CONTINUATION without end",
        frame(1, 0, 1, block(SOUND_HEAD)),
        continuation(1, b"") * 10_000,
        outcome=TOO_LARGE,
    ),
    says(
        "CONTINUATION without end, of 16 KiB each",
        frame(1, 0, 1, block(SOUND_HEAD)),
        continuation(1, bytes(16_384)) * 100,
        outcome=TOO_LARGE,
    ),
    says(
        "a block of 100,000 bytes",
        frame(1, 0, 1, block([OK, *[(b"a", b"b" * 1000)] * 60])),
        continuation(1, block([(b"a", b"b" * 1000)] * 40), END_HEADERS),
        outcome=TOO_LARGE,
    ),
    says(
        "1,001 fields",
        headers(1, [OK, *[(b"a", b"b")] * 1001]),
        data(1, b"sound", END),
        outcome=Fails(httpure.HeadTooLarge, "max_fields", "max_fields"),
        kept=True,
    ),
    says(
        "a bomb of HPACK",
        frame(1, END_HEADERS, 1, b"\x88" + b"\x40\x01a\x7f\xa1\x1e" + b"x" * 4000 + b"\xbe" * 10_000),
        outcome=TOO_LARGE,
    ),
    says("an index of nothing", frame(1, END_HEADERS, 1, b"\xff\xff\xff\xff\x07")),
    says("index 0", frame(1, END_HEADERS, 1, b"\x80")),
    says("a number without end", frame(1, END_HEADERS, 1, b"\xff" + b"\xff" * 1000)),
    says("a number cut off", frame(1, END_HEADERS, 1, b"\xff\x80")),
    says("a string longer than the block", frame(1, END_HEADERS, 1, b"\x88\x00\x7f\x80\x80\x01x")),
    says("a bad Huffman code", frame(1, END_HEADERS, 1, b"\x88\x00\x01a\x84\xff\xff\xff\xff")),
    says("a table larger than allowed", frame(1, END_HEADERS, 1, b"\x3f\xe1\xff\x3f\x88")),
    says("a table of another size behind a field", frame(1, END_HEADERS, 1, b"\x88\x20\x88")),
    says(
        "a table resized 1,000 times",
        frame(1, END_HEADERS, 1, b"\x20" * 1000 + b"\x88"),
        data(1, b"sound", END),
        outcome=GIVEN,
        kept=True,
    ),
    says("noise", frame(1, END_HEADERS, 1, bytes(range(255, 60, -1)))),
)


async def play(http: World, case: Case2) -> None:
    """Play a case over HTTP/2 without TLS."""
    peers: list[Frames] = []

    def make() -> Frames:
        peers.append(Frames(case.script, hello=case.hello) if not peers else Frames())
        return peers[-1]

    url = http.serve(make)
    own = {"timeout": PATIENCE, "http1": False, "http2": True, **case.client}
    async with http.client(**own) as client:
        await check_outcome(client, url, case)
        await settle(http)
        statistics = client.statistics
        assert statistics.connections == statistics.idle, statistics
        if isinstance(case.outcome, Fails) and case.kept is not None:
            assert statistics.connections == int(case.kept)
        response = await client.get(url + "/next")
        assert (response.status_code, response.content) == (200, b"sound")
        assert len(peers) in ((1, 2) if case.kept is None else (1,) if case.kept else (2,))
        assert client.statistics.connections == client.statistics.idle > 0


@each(*GREETINGS)
async def test_greeting(http: World, case: Case2) -> None:
    await play(http, case)


@each(*HEADS)
async def test_head(http: World, case: Case2) -> None:
    await play(http, case)


@each(*MESSAGES)
async def test_message(http: World, case: Case2) -> None:
    await play(http, case)


@each(*FRAMES)
async def test_frame(http: World, case: Case2) -> None:
    await play(http, case)


@each(*BLOCKS)
async def test_block(http: World, case: Case2) -> None:
    await play(http, case)
