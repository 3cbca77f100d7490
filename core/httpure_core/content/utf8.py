"""Text as UTF-8, and the words for what has no such form."""

from __future__ import annotations

__all__ = ["UnknownEncoding", "text_of", "utf8"]


class UnknownEncoding(LookupError, ValueError):
    """A charset was asked for that Python does not know."""


def utf8(text: str, what: str) -> bytes:
    """Encode the text, which is called `what` in errors. Raises ValueError for half a character, not showing it."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Not that error itself: it holds the text, which may be a secret.
        raise ValueError(
            f"{what} holds half of a character (a lone surrogate), which has no UTF-8 form."
        ) from None


def text_of(data: bytes, what: str) -> str:
    """Decode UTF-8, which is called `what` in errors. Raises ValueError where it is none, not showing it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{what} is bytes that are no UTF-8.") from None
