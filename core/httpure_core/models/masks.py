"""What is shown of texts that may hold secrets: URLs, and what looks like one. `[secure]` stands for the rest.

It goes by names, and rather hides too much. Imported when something is shown, and not before.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["FIELDS_WITH_URLS", "MASK", "is_secret_name", "without_secrets", "without_values"]

MASK = "[secure]"

#: Names in lower case of fields that hold URLs.
FIELDS_WITH_URLS = frozenset(
    ("location", "content-location", "referer", "link", "refresh", "origin", ":path")
)

_SECRET_NAME = re.compile(
    # These anywhere in a name, and these as a word of their own.
    r"token|secret|passw|passphrase|signature|credential|session|authoriz|assertion|samlre|api-?_?key|key$"
    r"|(?:^|[^a-z])(?:auth|jwt|key|otp|pass|pin|pw|pwd|sid|sig|ticket)(?:[^a-z]|$)"
    r"|^code(?:_?verifier)?$",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"//([^/?#@:\s]*)((?::[^/?#@\s]*)?)@")
_PARAMETER = re.compile(r"([?&;#])([^=&;#?\s<>\"]+)=([^&;#\s<>\"]+)")


@lru_cache(maxsize=256)
def is_secret_name(name: str) -> bool:
    """Whether the value of a parameter that is called so is not to be shown."""
    return _SECRET_NAME.search(name) is not None


def without_values(text: str) -> str:
    """Return the text without the values of parameters that are named like secrets."""
    return _PARAMETER.sub(_without_value, text) if "=" in text else text


def without_secrets(text: str) -> str:
    """As `without_values`, and without the passwords of URLs that stand in the text."""
    return without_values(_USERINFO.sub(_without_password, text))


def _without_password(match: re.Match[str]) -> str:
    name, password = match.groups()
    # A user name without a password is often a token.
    return f"//{name}:{MASK}@" if len(password) > 1 else f"//{MASK}@"


def _without_value(match: re.Match[str]) -> str:
    before, name, value = match.groups()
    return f"{before}{name}={MASK if is_secret_name(name) else value}"
