"""What a server asks for: the WWW-Authenticate field (RFC 9110 section 11.6.1).

The grammar is a trap: commas part both the challenges and their parameters. What tells them apart is that a
parameter has an equals sign behind its name and a scheme has none. One pass, no backtracking, no failure:
what is no challenge is skipped up to the next comma.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["MAX_CHALLENGES_SIZE", "Challenge", "parse_challenges"]

#: Characters of all WWW-Authenticate fields of one response that are looked at; a field beyond it is skipped.
MAX_CHALLENGES_SIZE = 16 * 1024

_LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TOKEN = frozenset(_LETTERS_AND_DIGITS + "!#$%&'*+-.^_`|~")
_TOKEN68 = frozenset(_LETTERS_AND_DIGITS + "-._~+/")
_SPACE = frozenset(" \t")
_EQUALS = frozenset("=")


class Challenge(NamedTuple):
    """One challenge, scheme and parameter names in lower case; `token68` where it has one in their place."""

    scheme: str
    parameters: dict[str, str]
    token68: str | None = None


def parse_challenges(fields: str | Iterable[str]) -> list[Challenge]:
    """Return the challenges of one or several WWW-Authenticate field values, in their order. Never raises."""
    challenges: list[Challenge] = []
    room = MAX_CHALLENGES_SIZE
    for field in [fields] if isinstance(fields, str) else fields:
        room -= len(field)
        if room < 0:
            break
        _parse_field(field, challenges)
    return challenges


def _parse_field(field: str, challenges: list[Challenge]) -> None:
    position = 0
    parameters: dict[str, str] | None = None  # of the challenge that is being read
    while position < len(field):
        if field[position] in " \t,":
            position += 1
            continue
        end = _run(field, position, _TOKEN)
        name = field[position:end].lower()
        after = _run(field, end, _SPACE)
        if not name:
            position = _next_comma(field, position)
        elif parameters is not None and field[after : after + 1] == "=":
            value, position = _value(field, _run(field, after + 1, _SPACE))
            parameters.setdefault(name, value)
        elif after < len(field) and field[after] != "," and after == end:
            position = _next_comma(field, position)
        else:
            parameters = {}
            token68, position = _token68(field, after) if after > end else (None, after)
            challenges.append(Challenge(name, parameters, token68))


def _token68(field: str, position: int) -> tuple[str | None, int]:
    # Only what fills the whole element is a token68: `YWJj==`, but neither `a=b` nor `realm="x"`.
    end = _run(field, position, _TOKEN68)
    end = _run(field, end, _EQUALS) if end > position else end
    after = _run(field, end, _SPACE)
    if end > position and (after == len(field) or field[after] == ","):
        return field[position:end], after
    return None, position


def _value(field: str, position: int) -> tuple[str, int]:
    if field[position : position + 1] != '"':
        end = _next_comma(field, position)
        return field[position:end].rstrip(" \t"), end
    pieces = []
    position += 1
    start = position
    while position < len(field) and field[position] != '"':
        if field[position] == "\\":
            pieces.append(field[start:position])
            start = position + 1
            position += 1
        position += 1
    pieces.append(field[start:position])
    return "".join(pieces), position + 1


def _run(field: str, position: int, allowed: frozenset[str]) -> int:
    while position < len(field) and field[position] in allowed:
        position += 1
    return position


def _next_comma(field: str, position: int) -> int:
    comma = field.find(",", position)
    return len(field) if comma == -1 else comma
