"""What may be written down: URLs, fields and values with every secret in them replaced by `[secure]`.

For logs, which live longer and are read by more people than anybody thinks. It goes by names, and rather hides too
much. What a trace function of the user's is told is not masked: it is the user who sent the request.
"""

from __future__ import annotations

from typing import Any

from ..contracts import Fields
from ..errors import HTTPError, InvalidURL, StreamError
from ..models.field import is_secret
from ..models.headers import Headers
from ..models.masks import FIELDS_WITH_URLS, MASK, without_secrets
from ..models.request import Request, masked
from ..models.url import URL
from ..redirects import is_sensitive

__all__ = ["masked_text", "masked_url", "shown"]

#: Fields that are secret, besides those that a redirect to a stranger drops.
_SECRET_FIELDS = frozenset((b"set-cookie", b"set-cookie2", b"proxy-authenticate", b"authentication-info"))


def masked_url(url: URL) -> str:
    """Return the URL as text, without its password and the values of parameters that are named like secrets."""
    return masked(url)


def masked_text(text: str) -> str:
    """As `masked_url`, for a text in which URLs may stand."""
    return without_secrets(text)


def shown(value: Any) -> str:
    """Return what a log may say of a value: of an event's `info`, that is."""
    if isinstance(value, Request):
        return f"<Request({value.method!r}, {masked_url(value.url)!r})>"
    if isinstance(value, URL):
        return repr(masked_url(value))
    if isinstance(value, Headers):
        return repr(_masked_fields(value.raw))
    if isinstance(value, list) and all(isinstance(each, tuple) and len(each) == 2 for each in value):
        return repr(_masked_fields(value))
    if isinstance(value, tuple):
        # (HTTP version, status, reason, fields) is what the head of a response is told as.
        return f"({', '.join(map(shown, value))})"
    if isinstance(value, BaseException):
        # Our own say no secret. What others say, a body's source for one, nobody knows.
        ours = isinstance(value, HTTPError | StreamError | InvalidURL | OSError)
        return masked_text(repr(value)) if ours else f"{type(value).__name__}(...)"
    return masked_text(repr(value))


def _masked_fields(fields: Fields) -> Fields:
    return [(name, _masked_value(name.lower(), value)) for name, value in fields]


def _masked_value(lower: bytes, value: bytes) -> bytes:
    if lower in _SECRET_FIELDS or is_sensitive(lower) or is_secret(lower.decode("latin-1")):
        return MASK.encode()
    if lower.decode("latin-1") in FIELDS_WITH_URLS:
        return masked_text(value.decode("latin-1")).encode("latin-1")
    return value
