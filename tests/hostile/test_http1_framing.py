"""Where a body ends (RFC 9112 section 6.3): a doubt is an error, no guess. Nobody else's bytes become a response."""

from __future__ import annotations

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, RESET

from .cases import Case, Fails, Gives, each, meet

OK = b"HTTP/1.1 200 OK\r\n"
REFUSED = Fails(httpure.RemoteProtocolError)
SHORT = Fails(httpure.RemoteProtocolError, "before the response's body was whole")
CHUNKS = b"2\r\nhi\r\n0\r\n\r\n"


def length(value: bytes, outcome: Fails | Gives = REFUSED, name: str = "", kept: bool = False) -> Case:
    """A response with this Content-Length, and two bytes of body."""
    return Case(
        f"Content-Length {name or value!r}", [OK + b"Content-Length: " + value + b"\r\n\r\nhi"], outcome, kept
    )


def coding(value: bytes, outcome: Fails | Gives = REFUSED, kept: bool = False, body: bytes = CHUNKS) -> Case:
    """A response with this Transfer-Encoding, and a body in chunks."""
    return Case(
        f"Transfer-Encoding {value!r}",
        [OK + b"Transfer-Encoding: " + value + b"\r\n\r\n" + body],
        outcome,
        kept,
    )


LENGTHS = (
    length(b""),
    length(b"-2"),
    length(b"+2"),
    length(b"2.0"),
    length(b"0x2"),
    length(b"2 2"),
    length(b"1_0"),
    length(b"2;"),
    length(b"two"),
    length(b'"2"'),
    length(b"\xb2"),
    length(b"\xef\xbc\x92", name="in digits of another script"),
    length(b"2, 3"),
    length(b"2,"),
    length(b"2\r\nContent-Length: 3"),
    length(b"2\r\ncontent-length: 3"),
    length(b"2\r\nContent-Length: -2"),
    length(b"2\r\nContent-Length: 2", Gives(b"hi"), kept=True),  # RFC 9110 section 8.6
    length(b"2, 2", Gives(b"hi"), kept=True),
    length(b"02", Gives(b"hi"), kept=True),
    length(b"9" * 5000, name="of 5,000 digits"),
)

CODINGS = (
    coding(b"gzip"),
    coding(b"identity"),
    coding(b"chunked, gzip"),
    coding(b"gzip, chunked"),
    coding(b"chunked, chunked"),
    coding(b"xchunked"),
    coding(b"chunked;q=1"),
    coding(b'"chunked"'),
    coding(b"chunked\x0b"),
    coding(b"\x0bchunked"),
    coding(b""),
    coding(b","),
    coding(b"Chunked", Gives(b"hi"), kept=True),
    coding(b"chunked\r\nTransfer-Encoding: chunked"),
    coding(b"chunked\r\nTransfer-Encoding: identity"),
    coding(b"identity\r\nTransfer-Encoding: chunked"),
    Case(
        "both length and chunks",
        [OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS],
        REFUSED,
    ),
    Case(
        "both chunks and length",
        [OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n" + CHUNKS],
        REFUSED,
    ),
    Case("both gzip and length", [OK + b"Transfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi"], REFUSED),
    Case("chunks in HTTP/1.0", [b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS], REFUSED),
)

ENDS = (
    Case("shorter than its length", [OK + b"Content-Length: 3\r\n\r\nhi", CLOSE], SHORT),
    Case("none of its length", [OK + b"Content-Length: 3\r\n\r\n", CLOSE], SHORT),
    Case(
        "shorter, by a reset",
        [OK + b"Content-Length: 3\r\n\r\nhi", 0.02, RESET],
        Fails(httpure.ReadError, "lost"),
    ),
    Case(
        "a length that nobody could send", [OK + b"Content-Length: 999999999999999\r\n\r\nhi", CLOSE], SHORT
    ),
    Case("a length beyond 64 bits", [OK + b"Content-Length: 18446744073709551618\r\n\r\nhi", CLOSE], SHORT),
    Case("until the end", [OK + b"\r\nhi", CLOSE], Gives(b"hi")),
    Case("until the end, of HTTP/1.0", [b"HTTP/1.0 200 OK\r\n\r\nhi", CLOSE], Gives(b"hi")),
    Case("until a reset", [OK + b"\r\nhi", 0.02, RESET], Fails(httpure.ReadError, "lost")),
    Case("longer than its length", [OK + b"Content-Length: 2\r\n\r\nhi and more"], Gives(b"hi")),
    Case("a body behind 204", [b"HTTP/1.1 204 No Content\r\n\r\nhi"], Gives(b"", 204)),
    Case("a body behind 304", [b"HTTP/1.1 304 Not Modified\r\n\r\nhi"], Gives(b"", 304)),
    Case(
        "304 with the length of another",
        [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"],
        Gives(b"", 304),
        kept=True,
    ),
    Case("a body behind HEAD", [OK + b"Content-Length: 2\r\n\r\nhi"], Gives(b""), method="HEAD"),
    Case("HEAD with a length", [OK + b"Content-Length: 2\r\n\r\n"], Gives(b""), method="HEAD", kept=True),
    Case(
        "HEAD with chunks", [OK + b"Transfer-Encoding: chunked\r\n\r\n"], Gives(b""), method="HEAD", kept=True
    ),
    Case("HEAD with a bad length", [OK + b"Content-Length: two\r\n\r\n"], REFUSED, method="HEAD"),
    Case(
        "HEAD with both",
        [OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"],
        REFUSED,
        method="HEAD",
    ),
    Case(
        "204 with both",
        [b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"],
        REFUSED,
    ),
    Case("HTTP/1.0 that stays", [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"], Gives(b"hi")),
    Case("says close, and stays", [OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi"], Gives(b"hi")),
    Case(
        "says close among others",
        [OK + b"Connection: x, CLOSE ,y\r\nContent-Length: 2\r\n\r\nhi"],
        Gives(b"hi"),
    ),
    Case(
        "says close and keep-alive",
        [OK + b"Connection: keep-alive\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"],
        Gives(b"hi"),
    ),
)


@each(*LENGTHS, *CODINGS)
async def test_framing(http: World, case: Case) -> None:
    await meet(http, case)


@each(*ENDS)
async def test_end(http: World, case: Case) -> None:
    await meet(http, case)
