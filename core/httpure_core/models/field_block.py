r"""The fields of a request as they go to the wire, encoded once for many requests (RFC 9112 section 5).

Knows the rules of the fast lane of HTTP/1.1 as far as they are about fields, and says None to everything odd. A block
that there is needs no further look: who writes a request puts the request line before it, and the empty line behind.

    >>> from httpure_core.models.field_block import field_block
    >>> field_block([(b"Accept", b"*/*"), (b"Host", b"shop.example")])
    (b'Host: shop.example\r\nAccept: */*\r\n', 0)
"""

from __future__ import annotations

from ..contracts import FieldBlock, Fields
from .field import HOST, TOKEN

__all__ = ["field_block", "longer_block"]

_VALUE = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
#: What these say is for others to judge; the empty name stands for those that are no tokens.
_ODD = frozenset((b"expect", b"upgrade", b""))
#: Fields that mean something to whoever frames messages, and are not just passed on.
_MEANINGFUL = _ODD | {b"host", b"content-length", b"transfer-encoding", b"connection"}
_MOST_DIGITS = 15


def field_block(fields: Fields) -> FieldBlock | None:
    """Encode the fields, Host first, as RFC 9110 section 7.2 wants it; None if there is not one Host, or anything odd.

    Odd are Expect, Upgrade, a Connection other than keep-alive, a Content-Length that is no plain number, a
    Transfer-Encoding other than `chunked`, two that frame a body, and whatever breaks the grammar of a field.
    """
    lines = [b""]
    length: int | None = None
    chunked = False
    for name, value in fields:
        if value.strip(b" \t") != value:
            return None
        lower = _tokens.get(name) or _lower_token(name)
        line = b"%b: %b\r\n" % (name, value)
        if lower == b"host":
            if lines[0] or value.translate(None, HOST):
                return None
            lines[0] = line
            continue
        if lower == b"content-length":
            if length is not None or not _is_length(value):
                return None
            length = int(value)
        elif lower == b"transfer-encoding":
            if chunked or value != b"chunked":
                return None
            chunked = True
        elif lower in _ODD or (lower == b"connection" and value.lower() != b"keep-alive"):
            return None
        lines.append(line)
    block = b"".join(lines)
    # All values are looked at in one go, which takes a third of the time: what is no part of a value must be our line
    # ends, and no more than those.
    if not lines[0] or block.translate(None, _VALUE) != b"\r\n" * len(lines):
        return None
    if chunked:
        return None if length is not None else (block, None)
    return block, length or 0


#: Field names that were found to be tokens, with their lower-case forms; bounded.
_tokens: dict[bytes, bytes] = {}
_MOST_TOKENS = 2000


def _lower_token(name: bytes) -> bytes:
    """Return the name of a field in lower case, and b"" if it is no token. Remembers many: most names come again."""
    if not name or name.translate(None, TOKEN):
        return b""
    lower = name.lower()
    if len(_tokens) < _MOST_TOKENS:
        _tokens[name] = lower
    return lower


def longer_block(block: FieldBlock | None, fields: Fields) -> FieldBlock | None:
    """Return the block with more fields behind it; None where these are more than passed on, or there is no block."""
    if block is None:
        return None
    lines = []
    for name, value in fields:
        if (_tokens.get(name) or _lower_token(name)) in _MEANINGFUL or value.strip(b" \t") != value:
            return None
        lines.append(b"%b: %b\r\n" % (name, value))
    more = b"".join(lines)
    return (block[0] + more, block[1]) if more.translate(None, _VALUE) == b"\r\n" * len(lines) else None


def _is_length(value: bytes) -> bool:
    return value.isdigit() and len(value) <= _MOST_DIGITS and value == b"%d" % int(value)
