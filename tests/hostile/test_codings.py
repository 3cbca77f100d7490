"""Content codings (RFC 9110 section 8.4) that are broken, cut off, nested, unknown, or bombs."""

from __future__ import annotations

import gzip
import zlib
from contextlib import aclosing

import pytest

import httpure
from httpure_core.content.libraries import brotli_library, zstd_library
from tests.behaviour.world import World
from tests.peers import CLOSE, scripted

from .bombs import MIB, bomb, packed
from .cases import PATIENCE, Case, Fails, Gives, each, meet

TEXT = b"hello, world" * 10
BROKEN = Fails(httpure.DecodingError, "is broken")
CUT = Fails(httpure.DecodingError, "ended before its end marker")
TOO_MANY = Fails(httpure.BodyTooLarge, "max_codings", "max_codings")
EXPANDED = Fails(httpure.BodyTooLarge, "max_expansion", "max_expansion")
NOTHING = Fails(httpure.DecodingError, "members in a row that hold nothing")
LARGE = Fails(httpure.BodyTooLarge, "max_body", "max_body")

#: A client's arguments: what others accept without looking at the ratio is too much for this one.
SMALL = {"limits": httpure.Limits(free_expansion=MIB)}

CODINGS = ("gzip", "deflate", *(["br"] if brotli_library() else []), *(["zstd"] if zstd_library() else []))


def answer(coding: str, body: bytes) -> list[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    return [head % (coding.encode(), len(body)) + body]


def coded(name: str, coding: str, body: bytes, outcome: Fails | Gives, **more: object) -> Case:
    # The body was received in full, whatever is wrong with it: the connection is as good as before.
    return Case(name, answer(coding, body), outcome, **{"kept": True, **more})  # type: ignore[arg-type]


def flipped(data: bytes, index: int) -> bytes:
    return data[:index] + bytes([data[index] ^ 0xFF]) + data[index + 1 :]


def of_each() -> list[Case]:
    """Return what is tried with each coding."""
    cases = []
    for coding in CODINGS:
        whole = packed(coding, TEXT)
        cases += [
            coded(f"{coding}: whole", coding, whole, Gives(TEXT)),
            coded(f"{coding}: in capitals", coding.upper(), whole, Gives(TEXT)),
            coded(f"{coding}: nothing at all", coding, b"", Gives(b"")),
            coded(f"{coding}: noise", coding, bytes(range(255, 0, -1)), BROKEN),
            coded(f"{coding}: never packed", coding, TEXT, BROKEN),
            coded(f"{coding}: a page of HTML", coding, b"<html><body>no</body></html>", BROKEN),
            coded(f"{coding}: its first byte", coding, whole[:1], CUT),
            coded(f"{coding}: its first half", coding, whole[: len(whole) // 2], CUT),
            coded(f"{coding}: without its last byte", coding, whole[:-1], CUT),
            coded(f"{coding}: broken at the beginning", coding, flipped(whole, 0), BROKEN),
            coded(f"{coding}: twice, said once", coding, packed(coding, whole), Gives(whole)),
            coded(f"{coding}: once, said twice", f"{coding}, {coding}", whole, BROKEN),
            coded(f"{coding}: twice", f"{coding}, {coding}", packed(coding, whole), Gives(TEXT)),
            coded(f"{coding}: five times", ", ".join([coding] * 5), nested([coding] * 5, TEXT), Gives(TEXT)),
            coded(
                f"{coding}: six times",
                ", ".join([coding] * 6),
                nested([coding] * 6, TEXT),
                TOO_MANY,
                kept=None,
            ),
            coded(f"{coding}: a bomb", coding, bomb(coding, 4 * MIB), EXPANDED, kept=None, client=SMALL),
            coded(
                f"{coding}: a bomb, of which little is wanted",
                coding,
                bomb(coding, 4 * MIB),
                LARGE,
                kept=None,
                client={"limits": httpure.Limits(max_body=100_000)},
            ),
            coded(
                f"{coding}: a bomb that breaks off",
                coding,
                bomb(coding, 4 * MIB)[:-1],
                EXPANDED,
                kept=None,
                client=SMALL,
            ),
        ]
        if coding in ("gzip", "deflate"):  # the others have a checksum only if one is asked for
            cases.append(
                coded(f"{coding}: with another checksum", coding, flipped(whole, -5 % len(whole)), BROKEN)
            )
    return cases


def nested(codings: list[str], body: bytes) -> bytes:
    for coding in codings:
        body = packed(coding, body)
    return body


GZIP = gzip.compress(TEXT, mtime=0)
EMPTY = gzip.compress(b"", mtime=0)  # 20 bytes
BARE = zlib.compress(TEXT)[2:-4]

OTHERS = (
    coded("gzip: with another length", "gzip", flipped(GZIP, len(GZIP) - 1), BROKEN),
    coded("gzip: two members", "gzip", GZIP * 2, Gives(TEXT * 2)),
    coded("gzip: a member and half of one", "gzip", GZIP + GZIP[:20], CUT),
    coded("gzip: a member and junk", "gzip", GZIP + b"junk", Gives(TEXT)),
    coded("gzip: a member and zeros", "gzip", GZIP + bytes(100), Gives(TEXT)),
    coded("gzip: a member and broken magic", "gzip", GZIP + b"\x1f\x8b\x07" + bytes(20), BROKEN),
    coded("gzip: with every flag reserved", "gzip", GZIP[:3] + b"\xe0" + GZIP[4:], BROKEN),
    coded("gzip: a file name without end", "gzip", GZIP[:3] + b"\x08" + GZIP[4:10] + b"x" * 100_000, CUT),
    coded("gzip: 900 empty members", "gzip", EMPTY * 900, Gives(b"")),
    coded("gzip: 20,000 empty members", "gzip", EMPTY * 20_000, NOTHING, kept=None),
    coded("deflate: bare", "deflate", BARE, Gives(TEXT)),
    coded("deflate: bare, cut off", "deflate", BARE[:-2], CUT),
    coded("deflate: with a dictionary", "deflate", b"\x78\xbb\x00\x00\x00\x01" + BARE, BROKEN),
    coded("deflate: stored, and a wrong length", "deflate", b"\x78\x01\x01\x05\x00\x00\x00hello", BROKEN),
    coded("unknown", "x-secret", TEXT, Gives(TEXT)),
    coded("unknown around gzip", "gzip, x-secret", GZIP, Gives(GZIP)),
    coded("gzip around unknown", "x-secret, gzip", GZIP, Gives(TEXT)),
    coded("none", "identity", TEXT, Gives(TEXT)),
    coded("nothing but commas", ",,, ,", TEXT, Gives(TEXT)),
    coded("identity a thousand times", ", ".join(["identity"] * 1000), TEXT, Gives(TEXT)),
    coded("a thousand times gzip", ", ".join(["gzip"] * 1000), GZIP, TOO_MANY, kept=None),
    Case(
        "gzip in six fields",
        [b"HTTP/1.1 200 OK\r\n" + b"Content-Encoding: gzip\r\n" * 6 + b"Content-Length: 2\r\n\r\nhi"],
        TOO_MANY,
        kept=None,
    ),
    coded(
        "six allowed",
        ", ".join(["gzip"] * 6),
        nested(["gzip"] * 6, TEXT),
        Gives(TEXT),
        client={"limits": httpure.Limits(max_codings=6)},
    ),
    coded(
        "none allowed", "gzip", GZIP, TOO_MANY, kept=None, client={"limits": httpure.Limits(max_codings=0)}
    ),
    coded(
        "a bomb in a bomb",
        "gzip, gzip",
        packed("gzip", bomb("gzip", 512 * MIB)),
        Fails(httpure.BodyTooLarge),
        kept=None,
    ),
    coded("a bomb of nothing", "gzip, gzip", bomb("gzip", 60_000_000, EMPTY * 50_000), NOTHING, kept=None),
    coded(
        "a bomb, which is wanted",
        "gzip",
        bomb("gzip", 4 * MIB),
        Gives(bytes(4 * MIB)),
        client={"limits": httpure.Limits(free_expansion=MIB, max_expansion=None)},
    ),
    coded(
        "a bomb, and the limits of a client that has none",
        "gzip",
        bomb("gzip", 32 * MIB),
        EXPANDED,
        kept=None,
    ),
    coded("4 MiB out of nearly nothing", "gzip", bomb("gzip", 4 * MIB), Gives(bytes(4 * MIB))),
    coded(
        "as large as is wanted",
        "gzip",
        GZIP,
        Gives(TEXT),
        client={"limits": httpure.Limits(max_body=len(TEXT))},
    ),
    coded(
        "a byte larger than is wanted",
        "gzip",
        GZIP,
        LARGE,
        kept=None,
        client={"limits": httpure.Limits(max_body=len(TEXT) - 1)},
    ),
    Case(
        "plain, and larger than is wanted",
        [b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101],
        LARGE,
        kept=None,
        client={"limits": httpure.Limits(max_body=100)},
    ),
    Case(
        "announces more than is wanted",
        [b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx"],
        LARGE,
        client={"limits": httpure.Limits(max_body=100)},
    ),
    Case(
        "chunks without end",
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + bytes(4096) + b"\r\n",
            *[b"1000\r\n" + bytes(4096) + b"\r\n"] * 200,
        ],
        LARGE,
        client={"limits": httpure.Limits(max_body=100_000)},
    ),
    Case(
        "until an end that never comes",
        [b"HTTP/1.0 200 OK\r\n\r\n", *[bytes(4096)] * 200],
        LARGE,
        client={"limits": httpure.Limits(max_body=100_000)},
    ),
    Case(
        "gzip, without its end",
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n" + GZIP, CLOSE],
        Fails(httpure.RemoteProtocolError, "before the response's body was whole"),
    ),
    Case(
        "gzip until the end, cut off",
        [b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + GZIP[:-5], CLOSE],
        CUT,
    ),
    Case(
        "gzip behind HEAD",
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n"],
        Gives(b""),
        kept=True,
        method="HEAD",
    ),
    Case(
        "gzip in 204",
        [b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"],
        Gives(b"", 204),
        kept=True,
    ),
)


@each(*of_each(), *OTHERS)
async def test_coding(http: World, case: Case) -> None:
    await meet(http, case)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("how", ["iter_bytes", "iter_text"])
async def test_a_bomb_is_streamed_in_small_pieces(http: World, coding: str, how: str) -> None:
    """Whoever streams gets what there is, a little at a time, and may stop at any piece."""
    url = http.serve(scripted(answer(coding, bomb(coding, 4 * MIB))))
    async with http.client(timeout=PATIENCE) as client:
        async with client.stream("GET", url) as response:
            async with aclosing(http.pieces(response, how)) as pieces:
                async for piece in pieces:
                    assert 0 < len(piece) <= 64 * 1024
                    break
        assert client.statistics.connections == client.statistics.idle


async def test_a_line_without_end(http: World) -> None:
    """Lines are kept until they end; of a bomb, only as much as a whole read would take."""
    url = http.serve(scripted(answer("gzip", bomb("gzip", 4 * MIB))))
    async with http.client(timeout=PATIENCE, **SMALL) as client:
        async with client.stream("GET", url) as response:
            with pytest.raises(httpure.BodyTooLarge):
                async for _ in http.pieces(response, "iter_lines"):
                    pass
        assert client.statistics.connections == client.statistics.idle
