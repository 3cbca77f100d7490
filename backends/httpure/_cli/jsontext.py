"""JSON as text: laid out to be read, or compact to be sent, and in both cases the same JSON.

Reading it into Python's values and writing those would change it: numbers lose digits (`1.10`, `1e400`), of
two members with one name one is lost. So its tokens are kept, and only the space between them changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

__all__ = ["compact", "laid_out"]

INDENT = "    "

_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def compact(text: str) -> str:
    """Return JSON without space between its tokens. Raises ValueError for what is no JSON."""
    return "".join(_tokens(text))


def laid_out(text: str) -> str:
    """Return JSON with one value to a line, and characters instead of their escapes.

    Raises ValueError for what is no JSON.
    """
    return "".join(_with_space(_tokens(text)))


def _tokens(text: str) -> list[str]:
    try:
        # Numbers are not converted: they may be longer than what int() takes.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _TOKEN.findall(text)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _with_space(tokens: list[str]) -> Iterator[str]:
    depth = 0
    opened = False  # a bracket was, just now
    for token in tokens:
        closes = token in ("}", "]")
        if closes:
            depth -= 1
        if opened != closes:  # the first thing within brackets, or their end with something before it
            yield "\n" + INDENT * depth
        opened = token in ("{", "[")
        if opened:
            depth += 1
            yield token
        elif token == ",":
            yield ",\n" + INDENT * depth
        elif token == ":":
            yield ": "
        else:
            yield _readable(token)


def _readable(token: str) -> str:
    """Return a string with characters instead of their escapes, as far as they can be read."""
    return _ESCAPE.sub(_character, token) if "\\" in token else token


def _character(escape: re.Match[str]) -> str:
    character: str = json.loads(f'"{escape[0]}"')
    readable = character.isprintable() and character not in '"\\'
    return character if readable else escape[0]
