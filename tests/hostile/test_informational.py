"""Informational responses (RFC 9110 section 15.2): floods of them, with bodies, and protocols that nobody asked for."""

from __future__ import annotations

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE

from .cases import SOUND, Case, Fails, Gives, each, meet

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
GIVEN = Gives(b"sound")
REFUSED = Fails(httpure.RemoteProtocolError, "not valid HTTP/1.1")
TOO_MANY = Fails(httpure.HeadTooLarge, "max_informational", "max_informational")
UPLOAD = {"content": b"x" * 10}
EXPECTING = {**UPLOAD, "headers": {"Expect": "100-continue"}}

CASES = (
    Case("16 of them", [HINTS * 16 + SOUND], GIVEN, kept=True),
    Case("17 of them", [HINTS * 17 + SOUND], TOO_MANY),
    Case("100 Continue 17 times", [CONTINUE * 17 + SOUND], TOO_MANY),
    Case("100,000 of them", [CONTINUE * 100_000], TOO_MANY),
    Case("one at a time, without end", [CONTINUE, 0.001] * 100, TOO_MANY),
    Case("none allowed", [HINTS + SOUND], TOO_MANY, client={"limits": httpure.Limits(max_informational=0)}),
    Case(
        "20 allowed",
        [HINTS * 20 + SOUND],
        GIVEN,
        kept=True,
        client={"limits": httpure.Limits(max_informational=20)},
    ),
    Case("and then the end", [HINTS, CLOSE], Fails(httpure.RemoteProtocolError, "before its response")),
    Case("with a length", [b"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n" + SOUND], GIVEN, kept=True),
    Case(
        "with a length and a body", [b"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\nworse" + SOUND], REFUSED
    ),
    Case(
        "with chunks",
        [b"HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nworse\r\n0\r\n\r\n"],
        REFUSED,
    ),
    Case("with a bad field", [b"HTTP/1.1 103 Hints\r\nno colon\r\n\r\n" + SOUND], REFUSED),
    Case(
        "with a huge head", [b"HTTP/1.1 103 Hints\r\n" + b"X: y\r\n" * 100_000], Fails(httpure.HeadTooLarge)
    ),
    Case(
        "of large heads",
        [(b"HTTP/1.1 103 Hints\r\nX: " + b"y" * 60_000 + b"\r\n\r\n") * 10 + SOUND],
        GIVEN,
        kept=True,
    ),
    Case("199, which nobody knows", [b"HTTP/1.1 199 What\r\n\r\n" + SOUND], GIVEN, kept=True),
    Case("102 Processing", [b"HTTP/1.1 102 Processing\r\n\r\n" + SOUND], GIVEN, kept=True),
    Case("says close", [b"HTTP/1.1 103 Hints\r\nConnection: close\r\n\r\n" + SOUND], GIVEN, kept=True),
    Case(
        "sets a cookie",
        [b"HTTP/1.1 103 Hints\r\nSet-Cookie: a=b\r\n\r\n" + SOUND],
        Gives(b"sound", fields=(("set-cookie", None),)),
        kept=True,
    ),
    Case(
        "a redirect's field",
        [b"HTTP/1.1 103 Hints\r\nLocation: /x\r\n\r\n" + SOUND],
        Gives(b"sound", fields=(("location", None),)),
        kept=True,
        client={"follow_redirects": True},
    ),
    Case("behind the response", [SOUND + HINTS], GIVEN),
    Case(
        "100 and nothing else", [CONTINUE, CLOSE], Fails(httpure.RemoteProtocolError, "before its response")
    ),
    Case("100 without a body to wait for", [CONTINUE + SOUND], GIVEN, kept=True),
    Case("100 behind an upload", [CONTINUE + SOUND], GIVEN, method="POST", request=UPLOAD, kept=True),
    Case(
        "100 twice, when it was asked for once",
        [CONTINUE * 2, 0.01, SOUND],
        GIVEN,
        method="POST",
        request=EXPECTING,
        kept=None,
    ),
    # The server has made up its mind before it saw the body: whether it still waits for that, nobody can tell.
    Case("no 100, but an answer", [SOUND], GIVEN, method="POST", request=EXPECTING),
    Case(
        "no 100, but a refusal",
        [b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"],
        Gives(b"no", 413),
        method="POST",
        request=EXPECTING,
    ),
    Case(
        "no 100, but an end",
        [CLOSE],
        Fails(httpure.RemoteProtocolError, "before its response"),
        method="POST",
        request=EXPECTING,
    ),
    Case("101 that nobody asked for", [SWITCH], REFUSED),
    Case("101 with a response behind", [SWITCH + SOUND], REFUSED),
    Case("101 without fields", [b"HTTP/1.1 101 Switching Protocols\r\n\r\n"], REFUSED),
    Case("101 behind an upload", [SWITCH], REFUSED, method="POST", request=UPLOAD),
    Case("101 behind 100", [CONTINUE + SWITCH], REFUSED),
    Case(
        "101 to HTTP/2", [SWITCH.replace(b"echo", b"h2c") + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"], REFUSED
    ),
)


@each(*CASES)
async def test_informational(http: World, case: Case) -> None:
    await meet(http, case)
