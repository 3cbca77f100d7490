"""Chunks and trailers (RFC 9112 section 7.1): sizes that are none, missing line ends, extensions without end."""

from __future__ import annotations

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE

from .cases import Case, Fails, Gives, each, meet

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REFUSED = Fails(httpure.RemoteProtocolError, "not valid HTTP/1.1")
SHORT = Fails(httpure.RemoteProtocolError, "before the response's body was whole")
OVERHEAD = Fails(httpure.HeadTooLarge, "max_chunk_overhead", "max_chunk_overhead")


def chunks(body: bytes, outcome: Fails | Gives = REFUSED, name: str = "", kept: bool = False) -> Case:
    return Case(name or repr(body), [HEAD + body], outcome, kept)


def cut(body: bytes) -> Case:
    return Case(f"{body!r} and an end", [HEAD + body, CLOSE], SHORT)


SIZES = (
    chunks(b"\r\nhi\r\n0\r\n\r\n"),
    chunks(b"x\r\nhi\r\n0\r\n\r\n"),
    chunks(b"0x2\r\nhi\r\n0\r\n\r\n"),
    chunks(b"+2\r\nhi\r\n0\r\n\r\n"),
    chunks(b"-2\r\nhi\r\n0\r\n\r\n"),
    chunks(b"2_0\r\nhi\r\n0\r\n\r\n"),
    chunks(b" 2\r\nhi\r\n0\r\n\r\n"),
    chunks(b"\xef\xbc\x92\r\nhi\r\n0\r\n\r\n", name="a size in digits of another script"),
    chunks(b"2\nhi\r\n0\r\n\r\n"),
    chunks(b"2\rhi\r\n0\r\n\r\n"),
    chunks(b"2\x00\r\nhi\r\n0\r\n\r\n"),
    chunks(b"2;a\x00b\r\nhi\r\n0\r\n\r\n"),
    chunks(b"2;a\nb\r\nhi\r\n0\r\n\r\n"),
    chunks(b"2;a\rb\r\nhi\r\n0\r\n\r\n"),
    chunks(b"10000000000000000\r\nhi", name="a size beyond 64 bits"),
    chunks(b"1" + b"0" * 30 + b"\r\nhi", name="a size of 31 digits"),
    chunks(b"0" * 20 + b"2\r\nhi\r\n0\r\n\r\n", name="a size with 20 zeros before it"),
    chunks(b"02\r\nhi\r\n000\r\n\r\n", Gives(b"hi"), kept=True),
    chunks(b"0a\r\n0123456789\r\n0\r\n\r\n", Gives(b"0123456789"), kept=True),
    chunks(b"2 \r\nhi\r\n0\r\n\r\n", Gives(b"hi"), kept=True),  # bad white space, which many servers pad with
)

LINE_ENDS = (
    chunks(b"2\r\nhi0\r\n\r\n"),
    chunks(b"2\r\nhixx0\r\n\r\n"),
    chunks(b"2\r\nhi\n0\r\n\r\n"),
    chunks(b"2\r\nhi\n\r0\r\n\r\n"),
    chunks(b"2\r\nhi\r\r\n0\r\n\r\n"),
    chunks(b"2\r\nhi there\r\n0\r\n\r\n"),
    chunks(b"2\r\nhi\r\n\r\n0\r\n\r\n"),
    chunks(b"2\r\nhi\r\n0\r\n\rx\r\n\r\n"),
    chunks(b"2\r\nhi\r\n0\r\nx\r\n\r\n"),
    cut(b""),
    cut(b"2"),
    cut(b"2\r\n"),
    cut(b"2\r\nh"),
    cut(b"2\r\nhi"),
    cut(b"2\r\nhi\r\n"),
    cut(b"2\r\nhi\r\n0"),
    cut(b"2\r\nhi\r\n0\r\n"),
    cut(b"2\r\nhi\r\n0\r\nX: y\r\n"),
    cut(b"ffffffff\r\nhi"),
)

EXTENSIONS = (
    chunks(b"2;a=b;c\r\nhi\r\n0;d\r\n\r\n", Gives(b"hi"), kept=True),
    chunks(b'2;a="0\\"2"\r\nhi\r\n0\r\n\r\n', Gives(b"hi"), kept=True),
    chunks(
        b"2;" + b"x" * 3000 + b"\r\nhi\r\n0\r\n\r\n", Gives(b"hi"), "an extension of 3,000 bytes", kept=True
    ),
    chunks(b"2;" + b"x" * 5000 + b"\r\nhi\r\n0\r\n\r\n", OVERHEAD, "an extension of 5,000 bytes"),
    chunks(b"2;" + b"x" * 1_000_000, OVERHEAD, "an extension without end"),
    chunks(
        (b"1;" + b"x" * 3000 + b"\r\n.\r\n") * 100, OVERHEAD, "300,000 bytes of extensions for 100 of body"
    ),
    chunks(b"1\r\n.\r\n" * 10_000 + b"0\r\n\r\n", Gives(b"." * 10_000), "10,000 chunks of a byte", kept=True),
    chunks(
        b"00000000001\r\n.\r\n" * 100_000 + b"0\r\n\r\n", OVERHEAD, "100,000 chunks of a byte, and ten zeros"
    ),
    chunks(b"0" * 1_000_000, Fails(httpure.RemoteProtocolError), "zeros without end"),
)

TRAILERS = (
    chunks(b"2\r\nhi\r\n0\r\nX: y\r\n\r\n", Gives(b"hi"), "a trailer", kept=True),
    chunks(b"2\r\nhi\r\n0\r\nno colon\r\n\r\n"),
    chunks(b"2\r\nhi\r\n0\r\nX : y\r\n\r\n"),
    chunks(b"2\r\nhi\r\n0\r\nX: y\x00\r\n\r\n"),
    chunks(
        b"2\r\nhi\r\n0\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        Fails(httpure.HeadTooLarge, "max_trailers", "max_trailers"),
        "101 trailers",
    ),
    chunks(b"2\r\nhi\r\n0\r\n" + b"X: y\r\n" * 100 + b"\r\n", Gives(b"hi"), "100 trailers", kept=True),
    chunks(
        b"2\r\nhi\r\n0\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
        Fails(httpure.HeadTooLarge, "max_trailers_size", "max_trailers_size"),
        "a trailer of 40,000 bytes",
    ),
    chunks(b"2\r\nhi\r\n0\r\n" + b"X: y\r\n" * 100_000, Fails(httpure.HeadTooLarge), "trailers without end"),
    chunks(b"2\r\nhi\r\n0\r\nX: " + b"y" * 1_000_000, Fails(httpure.HeadTooLarge), "a trailer without end"),
    # They are no header fields: nothing that is said here changes what was said before.
    chunks(b"2\r\nhi\r\n0\r\nContent-Length: 99\r\n\r\n", name="a trailer about length"),
    chunks(b"2\r\nhi\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n", name="a trailer about framing"),
    chunks(
        b"2\r\nhi\r\n0\r\nConnection: close\r\nSet-Cookie: a=b\r\nLocation: /x\r\n\r\n",
        Gives(b"hi", fields=(("set-cookie", None),)),
        "trailers that would be heads",
        kept=True,
    ),
    chunks(
        b"2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
        Gives(b"hi"),
        "another response behind",
    ),
)


@each(*SIZES, *LINE_ENDS, *EXTENSIONS, *TRAILERS)
async def test_chunks(http: World, case: Case) -> None:
    await meet(http, case)
