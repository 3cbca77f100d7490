"""Feeds the fast lane and h11 with as many random cases as you like: what `test_lanes.py` does with a few hundred.

    python -m tests.core.http1.many_lanes 1000000 [seed]

Made of the same parts, without the shrinking of hypothesis and so ten times as fast: a million take ten minutes. The
first case that differs is shown, with the number that makes it again: `case(random.Random(number))`.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any, NamedTuple

from .test_lanes import BEFORE, BODIES, FIELD_LINES, HOST, PLAIN, STATUS_LINES, assert_same

METHODS = [b"GET"] * 20 + [b"HEAD", b"POST", b"CONNECT", b"OPTIONS", b"PO ST", b""]
ENDS = [b"\r\n"] * 40 + [b"\n", b"\r", b"\r\r\n", b"\n\r\n"]
NAMES = [
    *(b"X", b"Content-Length", b"Transfer-Encoding", b"Connection", b"cOnTeNt-LeNgTh", b"Keep-Alive"),
    *(b"Host", b"Expect", b"Upgrade", b"X Y", b""),
]
VALUES = [
    *(
        b"5",
        b"0",
        b"05",
        b"5, 5",
        b"chunked",
        b"Chunked",
        b"close",
        b"keep-alive",
        b"100-continue",
        b"",
        b" x",
        b"x\t",
    ),
    *(b"a\r\n b", b"a\r\nb: c", b"a\x00", b"\xff", b"\x7f", b"\x0b"),
]
GOOD_LINES = [
    *(
        b"X: y",
        b"Server: a b",
        b"Set-Cookie: a=b",
        b"X:",
        b"X: \xff",
        b"Content-Type:\ttext/plain ",
        b"Vary: a, b",
    ),
    *(
        b"Connection: keep-alive",
        b"Connection: close",
        b"Keep-Alive: timeout=5, max=9",
        b"Content-Encoding: gzip",
    ),
]
BETWEEN = [b":", b": ", b":\t", b" :", b""]


class Case(NamedTuple):
    """What is sent, and what comes back."""

    answer: bytes
    cuts: list[int]
    method: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    eof: bool


def case(dice: random.Random) -> Case:
    """Make one case."""
    make = dice.choices((_of_parts, _damaged, _framed), (5, 3, 4))[0]
    fields, body = _request(dice)
    answer = make(dice)
    # Anywhere, or behind the head only: one that is cut is for h11 anyway.
    first = dice.choice((0, answer.find(b"\r\n\r\n") + 4))
    cuts = [dice.randrange(first, max(first + 1, len(answer))) for _ in range(dice.choice((0, 0, 1, 2, 4)))]
    return Case(answer, cuts, dice.choice(METHODS), fields, body, dice.random() < 0.5)


def _of_parts(dice: random.Random) -> bytes:
    """Lines that are likely to mean something, all with one end, or each with its own."""
    one = dice.choice(ENDS)
    own = dice.random() < 0.3
    lines = [dice.choice(STATUS_LINES if dice.random() < 0.3 else STATUS_LINES[:1])]
    lines += [_line(dice) for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 5)))]
    lines.append(b"")
    before = dice.choice(BEFORE) if dice.random() < 0.2 else b""
    return (
        before + b"".join(line + (dice.choice(ENDS) if own else one) for line in lines) + dice.choice(BODIES)
    )


def _framed(dice: random.Random) -> bytes:
    """A good answer, as a rule: framed rightly, with a few more lines, and perhaps bytes behind its end."""
    lines = [dice.choice(STATUS_LINES[:1] * 60 + STATUS_LINES)]
    lines += [_line(dice) for _ in range(dice.choice((0, 0, 1, 2)))]
    if dice.random() < 0.5:
        body = dice.randbytes(dice.randrange(12))
        lines.append(b"Content-Length: %d" % len(body))
    else:
        pieces = [dice.randbytes(dice.randrange(1, 20)) for _ in range(dice.randrange(3))]
        form = dice.choice((b"%x\r\n", b"%X\r\n", b"0%x\r\n", b"%x;a=b\r\n", b"%x \r\n"))
        body = b"".join(form % len(piece) + piece + b"\r\n" for piece in pieces)
        body += dice.choice((b"0\r\n\r\n", b"000\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"0;a\r\n\r\n", b"0\r\n"))
        lines.append(b"Transfer-Encoding: chunked")
    dice.shuffle(rest := lines[1:])
    return b"\r\n".join([lines[0], *rest, b"", body]) + dice.choice((b"", b"", b"", b"X", b"\r\n", PLAIN[0]))


def _damaged(dice: random.Random) -> bytes:
    """A plain answer, with bytes put in and taken out."""
    answer = dice.choice(PLAIN)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(answer) + 1)
        answer = answer[:at] + dice.randbytes(dice.randrange(3)) + answer[at + dice.randrange(3) :]
    return answer


def _line(dice: random.Random) -> bytes:
    if dice.random() < 0.7:
        return dice.choice(GOOD_LINES)
    if dice.random() < 0.7:
        return dice.choice(FIELD_LINES)
    value = dice.choice(VALUES) if dice.random() < 0.7 else dice.randbytes(dice.randrange(5))
    return dice.choice(NAMES) + dice.choice(BETWEEN) + value


def _request(dice: random.Random) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    if dice.random() < 0.85:
        return (HOST,), b""
    pairs = [(dice.choice(NAMES), dice.choice(VALUES)) for _ in range(dice.randrange(4))]
    return (*([HOST] if dice.random() < 0.8 else []), *pairs), dice.choice((b"", b"hello"))


def main(count: int, seed: int) -> None:
    """Try so many cases."""
    began, accepted = time.monotonic(), 0
    for number in range(seed * count, (seed + 1) * count):
        one = case(random.Random(number))
        try:
            seen: tuple[Any, ...] = assert_same(*one)
        except BaseException:
            print(f"case(random.Random({number})) = {one}")
            raise
        accepted += seen[0] != "refused" and bool(seen[1])
    print(f"{count:,} cases alike, {accepted:,} of them with a head, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
