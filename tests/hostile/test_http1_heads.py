"""Status lines and header fields as they must not be (RFC 9112 sections 2 to 5), and more than anybody needs."""

from __future__ import annotations

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, RESET

from .cases import Case, Fails, Gives, each, meet

BROKEN = Fails(httpure.RemoteProtocolError)
NOT_HTTP = Fails(httpure.RemoteProtocolError, "not valid HTTP/1.1")
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n"


def too_large(limit: str) -> Fails:
    return Fails(httpure.HeadTooLarge, limit, limit)


def line(start: bytes, outcome: Fails | Gives = NOT_HTTP, name: str = "", kept: bool = False) -> Case:
    """A response with another status line."""
    return Case(f"status line {name or start!r}", [start + b"\r\n" + LENGTH + b"\r\nhi"], outcome, kept)


def fields(text: bytes, outcome: Fails | Gives = NOT_HTTP, name: str = "", kept: bool = False) -> Case:
    """A response with more fields than its length."""
    return Case(f"field {name or text!r}", [OK + text + b"\r\n" + LENGTH + b"\r\nhi"], outcome, kept)


STATUS_LINES = (
    line(b"200 OK"),
    line(b"HTTP/1.1"),
    line(b"HTTP/1.1 "),
    line(b"HTTP/1.1  200 OK"),
    line(b"HTTP/1.1\t200 OK"),
    line(b" HTTP/1.1 200 OK"),
    line(b"HTTP/1.1 20 OK"),
    line(b"HTTP/1.1 2000 OK"),
    line(b"HTTP/1.1 +20 OK"),
    line(b"HTTP/1.1 2x0 OK"),
    line(b"HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK", name="with digits of another script"),
    line(b"HTTP/1.1 000 OK"),
    line(b"HTTP/1.1 099 OK"),
    line(b"HTTP/1.1 600 Beyond", Gives(b"hi", 600), kept=True),
    line(b"HTTP/2 200 OK"),
    line(b"HTTP/2.0 200 OK"),
    line(b"HTTP/1.10 200 OK"),
    line(b"HTTP/1 200 OK"),
    line(b"HTTP/01.1 200 OK"),
    line(b"http/1.1 200 OK"),
    line(b"ICY 200 OK"),
    line(b"HTTP/1.1 200 O\x00K"),
    line(b"HTTP/1.1 200 O\x1bK"),
    line(b"HTTP/1.1 200 O\rK"),
    line(b"HTTP/1.1 200\r\n OK", name="folded"),
    line(b"HTTP/1.1 200", Gives(b"hi"), kept=True),
    line(b"HTTP/1.1 200 \xc3\xa4\xff", Gives(b"hi"), kept=True),
    line(b"HTTP/1.1 200 " + b"O" * 9000, too_large("max_head_size"), "of 9,000 bytes"),
    Case("nothing but a line end", [b"\r\n\r\n"], NOT_HTTP),
    Case("a TLS alert", [b"\x15\x03\x01\x00\x02\x02\x28"], Fails(httpure.RemoteProtocolError), at_once=False),
    Case("a greeting by SSH", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], NOT_HTTP),
    Case("a greeting by SMTP", [b"220 mail.test ESMTP\r\n\r\n"], NOT_HTTP),
    Case("a request", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], NOT_HTTP),
    Case("HTTP/0.9", [b"<html>hello</html>\r\n\r\n", CLOSE], NOT_HTTP),
    Case("zeros", [bytes(64)], NOT_HTTP),
    Case("noise", [bytes(range(256)) * 4], NOT_HTTP),
    Case("HTTP/2", [b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"], NOT_HTTP),
    Case("no head, only an end", [CLOSE], Fails(httpure.RemoteProtocolError, "before its response")),
    Case("no head, only a reset", [RESET], Fails(httpure.ReadError, "lost")),
    Case("half a head", [OK, CLOSE], Fails(httpure.RemoteProtocolError, "before its response")),
)

FIELDS = (
    fields(b"no colon"),
    fields(b": no name"),
    fields(b"X : y"),
    fields(b"X\t: y"),
    fields(b"X Y: z"),
    fields(b"X(Y): z"),
    fields(b"\xc3\x84: y"),
    fields(b"X\x00: y"),
    fields(b"X: y\x00z"),
    fields(b"X: y\x01z"),
    fields(b"X: y\x1fz"),
    fields(b"X: y\x7fz"),
    fields(b"X: y\x0bz"),
    fields(b"X: y\rz"),
    fields(b"X: y\r"),
    fields(b"X: y\r\r\nA: b"),
    fields(b" X: y", name="first and folded"),
    fields(b"X: \xff\xfe\x80", Gives(b"hi"), kept=True),
    fields(b"X:", Gives(b"hi", fields=(("x", ""),)), kept=True),
    fields(b"X: \t y \t", Gives(b"hi", fields=(("x", "y"),)), kept=True),
    fields(b"X: y\r\nX: z", Gives(b"hi", fields=(("x", "y, z"),)), kept=True),
    fields(b"X: a\r\n b", Gives(b"hi", fields=(("x", "a b"),)), kept=True),  # obs-fold: RFC 9112 section 5.2
    fields(b"X: y\r\n" * 999 + b"Z: z", too_large("max_fields"), "1,001 of them"),
    fields(b"X: y\r\n" * 998 + b"Z: z", Gives(b"hi", fields=(("z", "z"),)), "1,000 of them", kept=True),
    fields(b"X: " + b"y" * 70_000, too_large("max_field_size"), "of 70,000 bytes"),
    fields(b"Y" * 70_000 + b": x", too_large("max_field_size"), "with a name of 70,000 bytes"),
    fields(b"X: " + b"y" * 60_000, Gives(b"hi"), "of 60,000 bytes", kept=True),
    fields(
        (b"X: " + b"y" * 50_000 + b"\r\n") * 5 + b"Z: z", Gives(b"hi"), "of 250,000 bytes in all", kept=True
    ),
    fields(
        (b"X: " + b"y" * 50_000 + b"\r\n") * 6 + b"Z: z",
        too_large("max_head_size"),
        "of 300,000 bytes in all",
    ),
)

WITHOUT_END = (
    Case("a status line without end", [b"HTTP/1.1 200 " + b"O" * 1_000_000], Fails(httpure.HeadTooLarge)),
    Case("a field name without end", [OK + b"X" * 1_000_000], Fails(httpure.HeadTooLarge)),
    Case("a field value without end", [OK + b"X: " + b"y" * 1_000_000], Fails(httpure.HeadTooLarge)),
    Case("fields without end", [OK + b"X: y\r\n" * 200_000], Fails(httpure.HeadTooLarge)),
    Case("folds without end", [OK + b"X: y\r\n" + b" z\r\n" * 300_000], Fails(httpure.HeadTooLarge)),
    Case(
        "a head without end, piece by piece", [OK, *[b"X: y\r\n" * 10_000] * 10], Fails(httpure.HeadTooLarge)
    ),
    Case("line ends without end", [b"\r\n" * 200_000], Fails(httpure.RemoteProtocolError)),
    Case(
        "a smaller limit",
        [OK + b"X: y\r\n" * 10 + LENGTH + b"\r\nhi"],
        too_large("max_fields"),
        client={"limits": httpure.Limits(max_fields=10)},
    ),
    Case(
        "a larger limit",
        [OK + b"X: y\r\n" * 2000 + LENGTH + b"\r\nhi"],
        Gives(b"hi"),
        kept=True,
        client={"limits": httpure.Limits(max_fields=3000)},
    ),
)


@each(*STATUS_LINES, *FIELDS)
async def test_head(http: World, case: Case) -> None:
    await meet(http, case)


@each(*WITHOUT_END)
async def test_head_without_end(http: World, case: Case) -> None:
    await meet(http, case)
