"""The parameters of a media type: `text/html; charset=utf-8` (RFC 9110 section 8.3.1)."""

from __future__ import annotations

import re

__all__ = ["parameter"]

_PARAMETER = re.compile(r';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
_QUOTED_PAIR = re.compile(r"\\(.)")


def parameter(media_type: str, name: str) -> str | None:
    """Return the value of the first parameter called `name` (lower case), or None if there is none.

    Quoted values are unquoted. Junk between parameters is passed over, as browsers do.
    """
    if name not in media_type.lower():  # nearly all types of a JSON API
        return None
    for match in _PARAMETER.finditer(media_type):
        if match[1].lower() == name:
            if match[2] is not None:
                return _QUOTED_PAIR.sub(r"\1", match[2])
            return str(match[3]).strip()
    return None
