"""h11's words for what is wrong with a message, without what they show of it: that may be long, and a secret.

A field is known by its name. The beginning of a line that is no field may be the middle of a value, and what stands
where a chunk should begin is a body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..contracts import Fields

if TYPE_CHECKING:
    import h11

__all__ = ["of_request", "of_response"]

#: Characters of a line that are shown.
_MAX_SHOWN = 40
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ *(?=:)")


def of_request(error: h11.LocalProtocolError, fields: Fields) -> str:
    """Return why h11 does not send a head with these fields."""
    text = str(error)
    for name, value in fields:
        if text == f"Illegal header value {value!r}":
            return (
                f"the value of header {name.decode('latin-1').lower()!r} begins or ends with white space, or holds "
                "a character that no value may hold (RFC 9110 section 5.5)"
            )
    return text


def of_response(error: h11.RemoteProtocolError) -> str:
    """Return what h11 finds wrong with a response; not the states of its machine."""
    text = str(error)
    if "_SWITCH_UPGRADE" in text:
        return "101 Switching Protocols, which nobody asked for"
    what, found, line = text.partition(": bytearray(b")
    if not found:
        return text
    begins = _shown(what, line[1:].removesuffix("')").removesuffix('")'))
    return f"{what} that begins with {begins!r}" if begins else what


def _shown(what: str, line: str) -> str:
    if what == "illegal status line":
        return line[:_MAX_SHOWN].partition("?")[0]  # who says back what was asked, says the query, too
    name = _NAME.match(line) if what == "illegal header line" else None
    return "" if name is None else name[0][:_MAX_SHOWN]
