"""How a download is continued: RFC 9110 sections 8.8 (validators), 13.1.5 (If-Range) and 14 (ranges). Pure.

We ask for the rest on the condition that the representation is the one we have the beginning of, by a strong
validator. What the server answers then says what the body is.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from httpure_core.models.headers import Headers
from httpure_core.models.response import Response

__all__ = ["ContentRange", "Known", "Meaning", "content_range", "meaning_of", "rest_of", "strong_validator"]

#: A Last-Modified that is at least so many seconds older than the Date is a strong validator: nobody can have changed
#: the representation again within the second that it names. Clocks differ, so it is more than the one that is needed.
SETTLED = 60

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18}|\*)", re.IGNORECASE)
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


class Known(NamedTuple):
    """The beginning that we have: its size in bytes, the strong validator, and the whole length if it was told."""

    size: int
    validator: str
    length: int | None


class ContentRange(NamedTuple):
    """`bytes first-last/length`; first and last are None in a 416, an unknown length is None."""

    first: int | None
    last: int | None
    length: int | None


class Meaning(enum.Enum):
    """What the body of a response is to a download."""

    #: All of it, from the first byte on.
    WHOLE = enum.auto()
    #: What is missing.
    REST = enum.auto()
    #: Nothing: we had it all.
    COMPLETE = enum.auto()
    #: Nothing that fits what we have: ask anew, for all of it.
    MISFIT = enum.auto()
    #: An error's explanation, for people.
    ERROR = enum.auto()


def strong_validator(headers: Headers) -> str | None:
    """Return what an If-Range field may say (RFC 9110 section 13.1.5), or None."""
    tag = headers.get("etag")
    if tag is not None:
        return tag if _STRONG_TAG.fullmatch(tag) else None
    modified = headers.get("last-modified", "")
    then, now = _seconds(modified), _seconds(headers.get("date", ""))
    return modified if then is not None and now is not None and now - then >= SETTLED else None


def _seconds(date: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def content_range(headers: Headers) -> ContentRange | None:
    """Return the Content-Range (RFC 9110 section 14.4); None if there is none, or one that makes no sense."""
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if found is None:
        return None
    first, last, length = (int(digits) if digits and digits != "*" else None for digits in found.groups())
    if first is not None and last is not None and (last < first or (length is not None and length <= last)):
        return None
    return ContentRange(first, last, length)


def rest_of(known: Known) -> list[tuple[str, str]]:
    """Return the fields that ask for what is missing, if the representation is still the same."""
    return [("Range", f"bytes={known.size}-"), ("If-Range", known.validator)]


def meaning_of(response: Response, known: Known | None) -> Meaning:
    """Say what the body of the response is. `known`: the beginning whose rest was asked for, or None."""
    if known is not None and response.status_code in (206, 416):
        # Some servers look at Range and not at If-Range: so what they say is checked once more.
        told = content_range(response.headers)
        if told is None or not _is_same(response.headers, told, known):
            return Meaning.MISFIT
        if response.status_code == 206:
            fits = told.first == known.size and "content-encoding" not in response.headers
            return Meaning.REST if fits else Meaning.MISFIT
        return Meaning.COMPLETE if told.length == known.size else Meaning.MISFIT
    return Meaning.WHOLE if response.is_success else Meaning.ERROR


def _is_same(headers: Headers, told: ContentRange, known: Known) -> bool:
    """Tell whether nothing speaks against its being what we have the beginning of."""
    name = "etag" if known.validator.startswith('"') else "last-modified"
    validator = headers.get(name, known.validator)
    return validator == known.validator and (
        None in (told.length, known.length) or told.length == known.length
    )
