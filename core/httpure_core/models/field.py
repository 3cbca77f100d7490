"""One field of a message (RFC 9110 section 5): what its name and value may hold, and which values are secrets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

__all__ = [
    "CONTROLS",
    "HOST",
    "SENSITIVE",
    "TOKEN",
    "checked_field",
    "is_secret",
    "keep_secret",
    "key_of",
    "known_keys",
    "speaks_of_secrets",
]

#: Names of fields whose values are secrets: shown as `[secure]`, and left out of errors. Those count too that
#: `speaks_of_secrets()`.
SENSITIVE = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

#: The characters of a token (RFC 9110 section 5.6.2).
TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"

#: What no value of a field in a request may hold (RFC 9110 section 5.5): all control characters but the tab.
CONTROLS = bytes((*range(0x09), *range(0x0A, 0x20), 0x7F))
#: What the field Host may hold (section 7.2): a name, an address, a port.
HOST = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=%:[]"

#: Names that were met, in lower case: to look one up takes a quarter of making it, and its hash is known.
known_keys: dict[bytes, str] = {}
#: Names in lower case of fields that clients call sensitive.
_named: set[str] = set()
_MOST_KEYS = 1000
_LONGEST_KEY = 40

_SECRET_WORDS = tuple(
    b"authorization x-auth token secret password credential session api-key apikey api_key access-key subscription-key "
    b"functions-key private-key".split()
)


def checked_field(name: Any, value: Any, encoding: str | None) -> tuple[bytes, bytes]:
    """Return name and value as the bytes to send. Raises TypeError and ValueError."""
    raw_name = _token(name) if type(name) is str else _other_token(name)
    raw_value = value if isinstance(value, bytes) else _encoded(raw_name, value, encoding or "utf-8")
    if 0x0D in raw_value or 0x0A in raw_value or 0 in raw_value:  # far quicker than b"\r" in raw_value
        # Where, and not what: who can tell which values are secrets?
        at = min(position for position, byte in enumerate(raw_value) if byte in b"\r\n\0")
        raise ValueError(
            f"The value of header {key_of(raw_name)!r} holds CR, LF or NUL, at position {at} (RFC 9110, 5.5)."
        )
    return raw_name, raw_value


@lru_cache(maxsize=512)
def _token(name: str) -> bytes:
    raw = name.encode("utf-8", "replace")
    if not raw or raw.translate(None, TOKEN):
        raise ValueError(
            f"Header name {name!r} is not a token: letters, digits, '-' and such (RFC 9110, 5.6.2)."
        )
    return raw


def _other_token(name: Any) -> bytes:
    if isinstance(name, bytes):
        return _token(name.decode("latin-1"))
    if isinstance(name, str):
        return _token(str.__str__(name))
    raise TypeError(f"The name of a header must be str or bytes, not {type(name).__name__}.")


def _encoded(name: bytes, value: Any, encoding: str) -> bytes:
    if not isinstance(value, str):
        raise TypeError(
            f"The value of header {key_of(name)!r} must be str or bytes, not {type(value).__name__}."
        )
    try:
        return value.encode(encoding)
    except UnicodeEncodeError:
        raise ValueError(f"The value of header {key_of(name)!r} cannot be written in {encoding}.") from None


def key_of(name: bytes) -> str:
    """Return the name in lower case, and remember it if it is not too long, while there is room."""
    key = known_keys.get(name)
    if key is None:
        key = name.lower().decode("latin-1")
        if len(known_keys) < _MOST_KEYS and len(name) <= _LONGEST_KEY:
            known_keys[name] = key
    return key


def speaks_of_secrets(lower: bytes) -> bool:
    """Whether a field's name, in lower case, says that its value is a credential, as X-Api-Key does."""
    if lower.startswith(b"access-control-"):
        return False  # what a server allows, such as credentials; it is no secret what that is
    return any(word in lower for word in _SECRET_WORDS)


def is_secret(name: str) -> bool:
    """Whether the value of the field of this name, in lower case, is not to be shown."""
    return name in SENSITIVE or name in _named or speaks_of_secrets(name.encode("latin-1"))


def keep_secret(names: Iterable[str]) -> None:
    """Show the values of these fields no more, in this process: a client has called them sensitive.

    For all clients alike, as headers do not know whose they are; to show too little harms nobody.
    """
    for name in names:
        if len(_named) < _MOST_KEYS:
            _named.add(name.lower())
