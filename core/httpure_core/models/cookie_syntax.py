"""How a Set-Cookie field reads: its pairs, its attributes, its dates (RFC 6265bis section 5.6).

Knows syntax only: what a cookie may do, and where it is stored, is `cookie_store`. Every function takes time
linear in its input, and none of them raises: what cannot be read is left out, as the RFC demands.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "CONTROLS",
    "MAX_COOKIE_SIZE",
    "SetCookie",
    "parse_cookie_date",
    "parse_set_cookie",
    "split_cookie_header",
]

#: Bytes that the name and the value of a received cookie may have together, where no limit is given (RFC 6265bis
#: section 5.6).
MAX_COOKIE_SIZE = 4096

#: Bytes that the value of an attribute may have; longer ones are ignored (RFC 6265bis section 5.6).
MAX_ATTRIBUTE_SIZE = 1024

_MONTHS = {
    "janfebmaraprmayjunjulaugsepoctnovdec"[3 * number : 3 * number + 3]: number + 1 for number in range(12)
}
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)

# Everything that separates the parts of a date; digits, letters and the colon are left over.
_DATE_DELIMITERS = "\t" + "".join(
    map(chr, (*range(0x20, 0x30), *range(0x3B, 0x41), *range(0x5B, 0x61), *range(0x7B, 0x7F)))
)
_DATE_SPACES = str.maketrans(_DATE_DELIMITERS, " " * len(_DATE_DELIMITERS))

#: What no part of a cookie may hold (RFC 6265bis section 5.6).
CONTROLS = frozenset(map(chr, (*range(0x09), *range(0x0A, 0x20), 0x7F)))


class SetCookie(NamedTuple):
    """One Set-Cookie field as the server wrote it; None and False where it says nothing.

    `max_age` is in seconds, `expires` in seconds since 1970 (UTC).
    """

    name: str
    value: str
    domain: str | None = None
    path: str | None = None
    expires: int | None = None
    max_age: int | None = None
    secure: bool = False
    http_only: bool = False
    same_site: str | None = None


def parse_set_cookie(field: str, max_size: int = MAX_COOKIE_SIZE) -> SetCookie | None:
    """Read one Set-Cookie field value; None where it holds no cookie, or one of more than `max_size` bytes."""
    if not CONTROLS.isdisjoint(field):
        return None
    pair, *attributes = field.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    name, value = name.strip(" \t"), value.strip(" \t")
    if not (name or value) or _size(name) + _size(value) > max_size:
        return None
    return _with_attributes(SetCookie(name, value), attributes)


def split_cookie_header(header: str) -> list[tuple[str, str]]:
    """Cut a Cookie field value into (name, whole pair); a pair without `=` has the name ''."""
    pairs = (pair.strip(" \t") for pair in header.split(";"))
    return [(pair.partition("=")[0].rstrip(" \t") if "=" in pair else "", pair) for pair in pairs if pair]


def _with_attributes(cookie: SetCookie, attributes: list[str]) -> SetCookie:
    found: dict[str, str] = {}
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        value = value.strip(" \t")
        if _size(value) <= MAX_ATTRIBUTE_SIZE:
            found[name.strip(" \t").lower()] = value  # the last one of a name counts
    if not found:
        return cookie
    return cookie._replace(
        domain=found.get("domain"),
        path=found.get("path"),
        expires=parse_cookie_date(found.get("expires", "")),
        max_age=_parse_max_age(found.get("max-age", "")),
        secure="secure" in found,
        http_only="httponly" in found,
        same_site=found.get("samesite"),
    )


def _parse_max_age(value: str) -> int | None:
    digits = value[1:] if value[:1] == "-" else value
    if not (digits.isascii() and digits.isdigit()):
        return None
    # Eleven digits are 3,000 years: longer ones say no more, and int() is quadratic in their number.
    seconds = int(digits) if len(digits) <= 11 else 10**11
    return -seconds if value[0] == "-" else seconds


def parse_cookie_date(text: str) -> int | None:
    """Return the seconds since 1970 (UTC) that a cookie's date means, or None (RFC 6265bis section 5.1.1).

    Reads every form that servers were seen to send, time zones not among them: a cookie's date is always UTC.
    """
    time: tuple[int, int, int] | None = None
    day = month = year = None
    for token in text.translate(_DATE_SPACES).split():
        if time is None and (time := _time_of_day(token)) is not None:
            continue
        if day is None and (day := _leading_number(token, 1, 2)) is not None:
            continue
        if month is None and (month := _MONTHS.get(token[:3].lower())) is not None:
            continue
        if year is None:
            year = _leading_number(token, 2, 4)
    if time is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    return _seconds_since_1970(year, month, day, time)


def _leading_number(token: str, least: int, most: int) -> int | None:
    # `17`, `17th` and `17T` are numbers; `171` is none of two digits.
    end = 0
    while end < len(token) and end <= most and "0" <= token[end] <= "9":
        end += 1
    return int(token[:end]) if least <= end <= most else None


def _time_of_day(token: str) -> tuple[int, int, int] | None:
    parts = token.split(":", 2)
    if len(parts) != 3 or len(parts[0]) > 2 or len(parts[1]) > 2:
        return None
    hour, minute, second = (_leading_number(part, 1, 2) for part in parts)
    if hour is None or minute is None or second is None:
        return None
    if not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return hour, minute, second


def _seconds_since_1970(year: int, month: int, day: int, time: tuple[int, int, int]) -> int | None:
    hour, minute, second = time
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last_day = _DAYS_IN_MONTH[month - 1] + (leap and month == 2)
    if year < 1601 or not 1 <= day <= last_day or hour > 23 or minute > 59 or second > 59:
        return None
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719162  # 719162: 0001 to 1970
    days += _DAYS_BEFORE_MONTH[month - 1] + (leap and month > 2) + day - 1
    return days * 86400 + hour * 3600 + minute * 60 + second


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
