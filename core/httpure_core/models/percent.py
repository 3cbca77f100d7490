"""Percent-encoding: how a character that may not stand in a URL is written (RFC 3986 section 2.1).

Knows sets of characters, nothing of URLs. The sets are those of browsers (WHATWG URL section 1.3), which
leave more characters alone than RFC 3986 does: servers see what they would see from a browser.

`%` is in every set: an escape that is already there is sent as it is, byte for byte, so that a signed URL
keeps its signature. Each function takes time linear in its input.
"""

from __future__ import annotations

import re

from ..content.utf8 import utf8

__all__ = [
    "FRAGMENT",
    "PATH",
    "QUERY",
    "USERINFO",
    "USERNAME",
    "decode",
    "decode_form",
    "encode",
    "encode_form",
]


def _all_but(excluded: bytes) -> bytes:
    return bytes(byte for byte in range(0x21, 0x7F) if byte not in excluded)


#: What a fragment, a query, a path, `user:password`, and a user or password alone may hold unescaped.
FRAGMENT = _all_but(b'"<>`')
QUERY = _all_but(b'"#<>')
PATH = _all_but(b'"#<>?`{}')
USERINFO = _all_but(b'"#<>?`{}/;=@[\\]^|')
USERNAME = _all_but(b'"#<>?`{}/:;=@[\\]^|')

_FORM = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_ESCAPES = tuple(f"%{byte:02X}" for byte in range(256))
_FORM_ESCAPES = tuple(
    chr(byte) if byte in _FORM else "+" if byte == 0x20 else escape for byte, escape in enumerate(_ESCAPES)
)
_ESCAPED = "(?:%[0-9A-Fa-f]{2})+"  # compiled by `re` when first used, as at import it would cost everybody


def encode(text: str, safe: bytes) -> str:
    """Write every character that is not in `safe` as the escapes of its UTF-8 bytes.

    Raises UnicodeEncodeError (a ValueError) for a lone surrogate, which no UTF-8 text can hold.
    """
    data = text.encode("utf-8")
    if not data.translate(None, safe):
        return text
    return "".join([chr(byte) if byte in safe else _ESCAPES[byte] for byte in data])


def decode(text: str) -> str:
    """Replace each run of escapes by the UTF-8 text it stands for; bytes that are not UTF-8 become U+FFFD."""
    return re.sub(_ESCAPED, _unescape, text) if "%" in text else text


def encode_form(text: str) -> str:
    """Write a name or value for `application/x-www-form-urlencoded`: a space as `+`, most others as %XX.

    Raises ValueError for a lone surrogate.
    """
    data = utf8(text, "A name or value of the query")
    if not data.translate(None, _FORM):
        return text
    return "".join([_FORM_ESCAPES[byte] for byte in data])


def decode_form(text: str) -> str:
    """Read a name or value written by `encode_form()`, or by anything less strict."""
    return decode(text.replace("+", " "))


def _unescape(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "replace")
