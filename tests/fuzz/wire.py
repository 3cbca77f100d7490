"""Bytes that a server or a proxy sends."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Hashable, Iterator
from random import Random
from typing import Any

import h11
from hyperframe.frame import Frame

from httpure_core.content.decode import decoder_for
from httpure_core.content.libraries import brotli_library, zstd_library
from httpure_core.contracts import Fields
from httpure_core.errors import (
    DecodingError,
    HeadTooLarge,
    LocalProtocolError,
    RemoteProtocolError,
    TransportError,
)
from httpure_core.http1.connection import Http1Connection
from httpure_core.http2.connection import CloseReason, Http2Connection
from httpure_core.layers import Passage
from httpure_core.proxy.socks5 import Socks5
from httpure_core.proxy.tunnel import Tunnel
from tests.core.http1.test_lanes import outcome
from tests.core.http2.pair import HOST, OK, Evil
from tests.core.test_nested_layers import Inside

from .target import cut, target

__all__: list[str] = []

METHODS = (b"GET", b"HEAD", b"POST", b"CONNECT", b"OPTIONS", b"PATCH")
GREETING = Evil.settings().serialize()
MOST_DECODED = 16 * 1024 * 1024


def no_digits(text: object) -> str:
    """Return the text of an error as far as it is the same for all of its kind."""
    return re.sub(r"'.*'|\".*\"|[0-9]+", "#", str(text))


# HTTP/1.1. The first byte of an input chooses the method, and whether the server hangs up; the second the cuts.

ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5, max=2\r\n\r\n",
    b'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: "x"\r\n\r\n',
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 \r\nConnection: close\r\nContent-Length:0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n\x01\x02",
    b"\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=\xff\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n",
]
HEAD_WORDS = [
    *(b"\r\n", b"\n", b"\r", b"\r\n ", b"\r\n\r\n", b": ", b"\0", b"\x0b", b"\x85", b"\xa0"),
    *(
        b"Content-Length: ",
        b"Content-Length:1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"chunked",
        b"gzip, chunked",
    ),
    *(
        b"identity",
        b"Connection: close\r\n",
        b"keep-alive",
        b"Keep-Alive: timeout=1, max=1\r\n",
        b"HTTP/1.1 ",
    ),
    *(
        b"HTTP/1.0 ",
        b"HTTP/2 ",
        b"HTTP/1.1 100 \r\n\r\n",
        b"200",
        b"101",
        b"199",
        b"205",
        b"0\r\n\r\n",
        b"ffffffff",
    ),
    *(b"1\r\nx\r\n", b';a="b"', b"0x1", b"+1", b"1_0", b"00000000000000000001\r\n", b"X: " + b"y" * 9000),
]


@target(
    [b"\x00\x01" + answer for answer in ANSWERS] + [b"\x81\x01" + answer for answer in ANSWERS], HEAD_WORDS
)
def http1(data: bytes) -> Hashable:
    """A response, or more of them: the same by both lanes, however it is cut."""
    choice, seed, data = data[:1], sum(data[1:2]), data[2:]
    method, eof = METHODS[sum(choice) % 128 % len(METHODS)], sum(choice) > 127
    body = b"x" if method == b"POST" else b""
    fields = [(b"Host", b"a"), *[(b"Content-Length", b"1")] * (method == b"POST")]
    seen: Any = None
    for pieces in cut(data, seed):
        for fast in (True, False):
            result = outcome(fast, method, fields, body, pieces, eof)
            if result[8] is HeadTooLarge:  # of what is wrong in two ways, any may be found first
                result = (*result[:8], RemoteProtocolError, *result[9:])
            assert seen is None or result == seen, (
                f"{result}\ninstead of {seen}, in pieces of {[*map(len, pieces)]}"
            )
            seen = result
    status, _, _, head, content, trailers, ended, failure, reason, reusable = seen[1:11]
    assert len(content) <= len(data)
    failed = failure is not type(None)
    assert not failed or issubclass(failure, TransportError)
    assert not (failed and ended)
    for name, value in [*head, *trailers]:
        assert name and not re.search(rb"[\x00-\x20\x7f-\xff:]", name)
        assert not re.search(rb"[\x00\r\n]", value)
    return status // 100, ended, failure.__name__, reason, reusable, bool(trailers), len(head) > 3


@target(
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b'a;x="y"\r\n0123456789\r\n000\r\nX: y\r\n\r\n',
        b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
    ],
    HEAD_WORDS,
)
def chunked(data: bytes) -> Hashable:
    """A chunked body: what is taken for whole is what any reader would find in it."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    seen: Any = None
    for pieces in cut(data, len(data)):
        for fast in (True, False):
            result = outcome(fast, b"GET", [(b"Host", b"a")], b"", [head, *pieces], True)
            if result[8] is HeadTooLarge:
                result = (*result[:8], RemoteProtocolError, *result[9:])
            assert seen is None or result == seen
            seen = result
    content, ended = seen[5], seen[7]
    if ended:
        assert content == plainly_dechunked(data)
    return ended, len(content) > 10, bool(seen[6]), seen[8]


def plainly_dechunked(data: bytes) -> bytes:
    """Read a chunked body as RFC 9112 section 7.1 has it, in the plainest way."""
    body = b""
    while True:
        line, end, data = data.partition(b"\r\n")
        size, _, _ = line.partition(b";")
        assert end and re.fullmatch(rb"[0-9A-Fa-f]+[ \t]*", size), f"no size of a chunk: {line!r}"
        count = int(size, 16)
        if not count:
            return body
        body += data[:count]
        assert data[count : count + 2] == b"\r\n", "a chunk without its end"
        data = data[count + 2 :]


REQUESTS = [
    b"GET\n/\nHost: a\nAccept: */*\n\n",
    b"POST\n/a?b#c\nHost: a\nContent-Length: 5\nX-Y: z\n\nhello",
    b"PUT\n*\nHost: a\nTransfer-Encoding: chunked\nConnection: close\n\nhello",
]


@target(
    REQUESTS,
    [
        b"\r\n",
        b"\n",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"Host: b\n",
        b"Content-Length: 1\n",
        b"Transfer-Encoding: chunked\n",
    ],
)
def request(data: bytes) -> Hashable:
    """A request, by both lanes: a server reads the one request that was meant, or it is refused."""
    top, _, body = data.partition(b"\n\n")
    method, target_, *lines = [*top.split(b"\n"), b"", b""]
    fields: Fields = [
        (name, value) for name, colon, value in (line.partition(b": ") for line in lines) if colon
    ]
    told = [written(fast, method, target_, fields, body) for fast in (True, False)]
    assert told[0] == told[1]
    if told[0] is None:
        return None
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    server.receive_data(told[0])
    event = server.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (method, target_)
    # Host comes first in what is sent, and one Content-Length stands for two that are equal.
    read = [(bytes(name), bytes(value).lower()) for name, value in event.headers]
    meant = [(name.lower(), value.strip(b" \t").lower()) for name, value in fields]
    lengths = [pair for pair in meant if pair[0] == b"content-length"]
    assert sorted(read) == sorted([*(pair for pair in meant if pair not in lengths), *lengths[:1]])
    got = b""
    while isinstance(event := server.next_event(), h11.Data):
        got += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage), event
    assert got == body
    assert server.trailing_data[0] == b""
    return len(fields) > 2, bool(body), b"chunked" in told[0]


def written(fast: bool, method: bytes, target_: bytes, fields: Fields, body: bytes) -> bytes | None:
    """Return what goes out, None where it is refused."""
    connection = Http1Connection(fast=fast)
    try:
        connection.open_stream(method, target_, list(fields), body)
    except LocalProtocolError as exc:
        assert str(exc)
        return None
    return bytes(connection.data_to_send())


# HTTP/2

STREAMS = (1, 3, 5)
#: Bytes of frames that could be a flood. Where it comes slowly, it is none.
FLOOD = 9 * 900


def said(*frames: Frame) -> bytes:
    """Return the bytes of a server that says this behind its settings."""
    return b"".join(frame.serialize() for frame in (Evil.settings(), *frames))


def spoken() -> Iterator[bytes]:
    """Yield what servers say as a rule."""
    evil = Evil()
    one = evil.headers(1, [*OK, (b"content-length", b"3"), (b"x-number", b"1")])
    yield said(
        one,
        evil.data(1, b"abc", ended=True),
        evil.headers(3),
        evil.headers(5, ended=True),
        evil.data(3, b"z", ended=True),
    )
    evil = Evil()
    early = evil.headers(1, [(b":status", b"103"), (b"link", b"</a>")])
    head, trailers = evil.headers(1), evil.headers(1, [(b"x-last", b"1")], ended=True)
    yield said(
        early, head, evil.data(1, b"y", padding=3), trailers, evil.reset(3), evil.goaway(3), evil.ping()
    )
    evil = Evil()
    begun = evil.headers(1, whole=False)
    going_on = (evil.settings({3: 4, 4: 100, 5: 20_000}), evil.window(0, 10), evil.window(1, 10))
    yield said(
        begun, evil.continuation(1, whole=True), *going_on, evil.data(1, b"z" * 30, ended=True), evil.ping()
    )


def frames_of(data: bytes) -> Iterator[bytes]:
    """Yield frames, the last perhaps not whole."""
    while data:
        end = 9 + int.from_bytes(data[:3], "big")
        yield data[:end]
        data = data[end:]


def framewise(random: Random, data: bytes) -> bytes:
    """Change whole frames, and parts of their heads."""
    frames = list(frames_of(data)) or [GREETING]
    at = random.randrange(len(frames))
    frame = frames[at]
    payload, kind, flags, number = frame[9:], frame[3:4], frame[4:5], frame[5:9]
    change = random.randrange(8)
    if change == 0:
        frames.insert(random.randrange(len(frames) + 1), frame)
    elif change == 1:
        del frames[at]
    elif change == 2:
        frames.insert(random.randrange(len(frames)), frames.pop(at))
    elif change == 3:
        frames[at:at] = [frame] * random.choice((2, 10, 100, 1000))
    else:
        if change == 4:
            kind = bytes([random.randrange(12)])
        elif change == 5:
            flags = bytes([random.choice((0, 1, 4, 5, 8, 9, 13, 32, 40, 255))])
        elif change == 6:
            number = random.choice((0, 1, 2, 3, 4, 5, 7, 101, 2**31 - 1)).to_bytes(4, "big")
        else:
            payload = payload[: random.randrange(len(payload) + 1)] + random.randbytes(
                random.choice((0, 1, 5, 300))
            )
        frames[at] = len(payload).to_bytes(3, "big") + kind + flags + number + payload
    return b"".join(frames)


@target(
    list(spoken()), [GREETING, b"\x00", b"\xff\xff", b"\x88", b"\x40\x01x\x01y", b"\x3f\xe1\x1f"], framewise
)
def http2(data: bytes) -> Hashable:
    """Frames, while three requests are under way: the same however they are cut, and answers of a bounded size."""
    seen: Any = None
    for pieces in cut(data, len(data)) if len(data) < FLOOD else [[data]]:
        result = heard(pieces)
        if seen is not None:
            assert result == seen, f"{result}\ninstead of {seen}, in pieces of {[*map(len, pieces)]}"
        seen = result
    streams, failures, reason, _ = seen
    for status, fields, trailers, early, body, ended, _ in streams:
        assert len(body) <= len(data)
        assert status or not (body or fields or trailers)
        assert not (ended and not status)
        assert len(early) <= 17
        for name, value in [*fields, *trailers]:
            assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9a-z-]+", name), name
            assert not re.search(rb"[\x00\r\n]", value)
    kinds = tuple(no_digits(failure) for failure in failures)
    return reason, kinds[0], *[(each[0] // 100, each[5]) for each in streams]


def heard(pieces: list[bytes]) -> Any:
    """Return all that can be seen of a client that was told this."""
    client = Http2Connection()
    streams = [client.open_stream(b"GET", b"/", HOST, b"") for _ in STREAMS]
    sent = [bytes(client.data_to_send())]
    for piece in pieces:
        client.receive_data(piece)
        sent.append(bytes(client.data_to_send()))
    client.receive_eof()
    for stream in streams:
        assert stream.ended or stream.failure is not None, "a stream is left waiting"
        assert stream.failure is None or isinstance(stream.failure, TransportError)
    told = [
        (each.status, each.fields, each.trailers, each.informational, each.take(), each.ended, each.open)
        for each in streams
    ]
    failures = [each.failure and str(each.failure) for each in streams]
    # What nobody needs any more, when all is over, may go out or not.
    last = b"" if client.close_reason is CloseReason.FAILED else b"".join(sent)
    assert sum(map(len, sent)) < 5_000 + 2 * sum(map(len, pieces)), "more is said than heard"
    return told, failures, client.close_reason, last


@target(
    [
        Evil().headers(1, [*OK, (b"x", b"y"), (b"server", b"z")]).data,
        b"\x88\x0f\x10\x01a",
        b"\x3f\xe1\x1f\x88",
    ],
    [b"\x82", b"\x7f\xff\xff\x0f"],
)
def hpack(data: bytes) -> Hashable:
    """A header block: what it becomes is either fields that are in order, or a failure."""
    frame = len(data).to_bytes(3, "big") + b"\x01\x05" + (1).to_bytes(4, "big") + data
    (first, *_), failures, reason, _ = heard([GREETING, frame])
    assert len(first[1]) <= 1000
    return first[0] // 100, reason, no_digits(failures[0])


# Proxies


def passed(machine: Passage, pieces: list[bytes]) -> tuple[Any, ...]:
    """Return what can be seen of a machine that was told this, and what it let through."""
    inside = Inside()
    said = [bytes(machine.data_to_send())]
    for piece in pieces:
        machine.receive_data(piece)
        if machine.established and machine.inner is not inside:
            machine.attach(inside)
        said.append(bytes(machine.data_to_send()))
    established = machine.established
    machine.receive_eof()
    assert machine.established or machine.failure
    assert not (machine.established and machine.failure)
    assert inside.got == b"" or established
    return established, machine.failure, inside.got, b"".join(said)


@target(
    [
        b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50inside",
        b"\x05\x02\x01\x00\x05\x00\x00\x03\x03abc\x00\x50",
        b"\x05\x00\x05\x05\x00\x01",
    ],
    [b"\x05\x00", b"\x05\xff", b"\x01\x00", b"\x05\x00\x00\x04"],
)
def socks(data: bytes) -> Hashable:
    """Replies of a SOCKS5 proxy."""
    seen: Any = None
    for pieces in cut(data, len(data)):
        result = passed(Socks5("example.org", 443, (b"user", b"secret")), pieces)
        assert seen is None or result == seen
        seen = result
    assert "secret" not in (seen[1] or "")
    assert len(seen[3]) < 100
    return seen[0], no_digits(seen[1]), bool(seen[2])


@target(
    [
        b"HTTP/1.1 200 Connection established\r\n\r\ninside",
        b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 3\r\n\r\nno!',
        b"HTTP/1.0 403 Forbidden\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
    HEAD_WORDS,
)
def tunnel(data: bytes) -> Hashable:
    """The answer of a proxy to CONNECT: a tunnel, with all that stands behind the head, or a reason for none."""
    seen: Any = None
    for pieces in cut(data, len(data)):
        machine = Tunnel(b"example.org:443", [(b"Proxy-Authorization", b"Basic c2VjcmV0")])
        established, failure, inside, said = passed(machine, pieces)
        # Of what is wrong in two ways, any may be found first.
        assert seen is None or (established, failure is None, inside, said) == (
            seen[0],
            seen[1] is None,
            *seen[2:],
        )
        seen = established, failure, inside, said
    assert data.endswith(seen[2])
    assert "c2VjcmV0" not in (seen[1] or "")
    return seen[0], no_digits(seen[1])[:80], bool(seen[2])


# Content codings. The first byte chooses which.

CODINGS = [["gzip"], ["deflate"], ["gzip", "deflate"], ["deflate", "gzip", "gzip"]]
TEXT = b"hello, hello, hello world; " * 20
RAW = zlib.compressobj(wbits=-15)
PACKED = [
    b"\x00" + gzip.compress(TEXT, mtime=0),
    b"\x00" + gzip.compress(b"", mtime=0) + gzip.compress(TEXT, mtime=0),
    b"\x01" + zlib.compress(TEXT),
    b"\x01" + RAW.compress(TEXT) + RAW.flush(),
    b"\x02" + zlib.compress(gzip.compress(TEXT, mtime=0)),
    b"\x00" + gzip.compress(b"\0" * 1_000_000, mtime=0),
]
if brotli := brotli_library():
    CODINGS.append(["br"])
    # "hello", twice: made by brotli, whose compressor not every library of it has
    PACKED += [
        b"\x04" + b"\x1b\x09\x00\x00\x24\xc2\xc4\xc6\xc6\xea\x10\x81\x20\x00",
        b"\x04\x06",
        b"\x04\x0b\x02\x80hello\x03",
    ]
if zstd_library():
    CODINGS.append(["zstd"])
    index = bytes([len(CODINGS) - 1])
    PACKED += [
        index + b"\x28\xb5\x2f\xfd\x00\x58\x29\x00\x00hello",
        index + b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello",
    ]


@target(
    PACKED, [b"\x1f\x8b\x08\x00", b"\x78\x9c", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"]
)
def codings(data: bytes) -> Hashable:
    """A coded body: the same however it is cut, in small pieces, and what zlib itself finds in it."""
    names, data = CODINGS[sum(data[:1]) % len(CODINGS)], data[1:]
    seen: Any = None
    for pieces in cut(data, len(data)):
        decoder, result, size = decoder_for(names), [], 0
        assert decoder is not None
        failed = None
        try:
            for piece in pieces:
                for out in decoder.decode(piece):
                    assert len(out) <= 64 * 1024
                    size += len(out)
                    result.append(out)
                    if size > MOST_DECODED:
                        return "a bomb"
            result += decoder.flush()
        except DecodingError as exc:
            failed = type(exc)
            assert str(exc)
        ours = None if failed else b"".join(result)
        assert seen is None or ours == seen[0], f"{ours!r:.100} instead of {seen[0]!r:.100}"
        seen = (ours,)
    if names == ["gzip"] and data and seen[0] is not None:
        assert (
            zlib.decompressobj(wbits=31).decompress(data, 2 * MOST_DECODED) == seen[0][:MOST_DECODED]
            or data.count(b"\x1f\x8b") > 1
        )
    return tuple(names), seen[0] is None, bool(seen[0])
