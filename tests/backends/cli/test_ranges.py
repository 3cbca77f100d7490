"""Validators and ranges: what may be asked for, and what the answer means."""

from __future__ import annotations

import pytest

import httpure
from httpure._cli.ranges import (
    ContentRange,
    Known,
    Meaning,
    content_range,
    meaning_of,
    rest_of,
    strong_validator,
)

DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
MINUTE_AGO = "Sun, 22 Nov 2026 11:59:00 GMT"
JUST_NOW = "Sun, 22 Nov 2026 11:59:01 GMT"
KNOWN = Known(100, '"v1"', 300)


@pytest.mark.parametrize(
    ("fields", "validator"),
    [
        ({"ETag": '"v1"'}, '"v1"'),
        ({"ETag": '"v1"', "Last-Modified": MINUTE_AGO, "Date": DATE}, '"v1"'),
        ({"ETag": 'W/"v1"'}, None),
        ({"ETag": 'W/"v1"', "Last-Modified": MINUTE_AGO, "Date": DATE}, None),
        ({"ETag": "v1"}, None),
        ({"ETag": '"a"b"'}, None),
        ({"Last-Modified": MINUTE_AGO, "Date": DATE}, MINUTE_AGO),
        ({"Last-Modified": JUST_NOW, "Date": DATE}, None),
        ({"Last-Modified": MINUTE_AGO}, None),
        ({"Last-Modified": "yesterday", "Date": DATE}, None),
        ({"Last-Modified": MINUTE_AGO, "Date": "Sun, 22 Nov 99999 12:00:00 GMT"}, None),
        ({}, None),
    ],
)
def test_strong_validator(fields: dict[str, str], validator: str | None) -> None:
    """A weak entity tag must not be in If-Range, and a date only where it is a strong validator, without a tag."""
    assert strong_validator(httpure.Headers(fields)) == validator


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("bytes 0-9/10", ContentRange(0, 9, 10)),
        ("Bytes 5-9/*", ContentRange(5, 9, None)),
        ("bytes */10", ContentRange(None, None, 10)),
        ("bytes 9-5/10", None),
        ("bytes 0-10/10", None),
        ("bytes 0-9", None),
        ("bytes ٣-9/10", None),
        ("items 0-9/10", None),
        ("bytes 0-" + "9" * 5000 + "/*", None),
        ("", None),
    ],
)
def test_content_range(value: str, told: ContentRange | None) -> None:
    assert content_range(httpure.Headers({"Content-Range": value})) == told


def test_rest_of() -> None:
    assert rest_of(KNOWN) == [("Range", "bytes=100-"), ("If-Range", '"v1"')]


@pytest.mark.parametrize(
    ("status", "fields", "known", "meaning"),
    [
        (200, {}, None, Meaning.WHOLE),
        (200, {}, KNOWN, Meaning.WHOLE),
        (203, {}, None, Meaning.WHOLE),
        (404, {}, KNOWN, Meaning.ERROR),
        (302, {}, None, Meaning.ERROR),
        (416, {}, None, Meaning.ERROR),
        # 206 to a Range of the user's own is what the user asked for.
        (206, {"Content-Range": "bytes 5-9/10"}, None, Meaning.WHOLE),
        (206, {"Content-Range": "bytes 100-299/300"}, KNOWN, Meaning.REST),
        (206, {"Content-Range": "bytes 100-199/300"}, KNOWN, Meaning.REST),
        (206, {"Content-Range": "bytes 100-299/*"}, KNOWN, Meaning.REST),
        (206, {"Content-Range": "bytes 100-399/400"}, KNOWN._replace(length=None), Meaning.REST),
        (206, {"Content-Range": "bytes 100-299/300", "ETag": '"v1"'}, KNOWN, Meaning.REST),
        (206, {"Content-Range": "bytes 100-299/300", "ETag": '"v2"'}, KNOWN, Meaning.MISFIT),
        (206, {"Content-Range": "bytes 100-399/400"}, KNOWN, Meaning.MISFIT),
        (206, {"Content-Range": "bytes 99-299/300"}, KNOWN, Meaning.MISFIT),
        (206, {"Content-Type": "multipart/byteranges; boundary=x"}, KNOWN, Meaning.MISFIT),
        (
            206,
            {"Content-Range": "bytes 100-299/300", "Content-Encoding": "gzip"},
            KNOWN,
            Meaning.MISFIT,
        ),
        (
            206,
            {"Content-Range": "bytes 100-299/300", "Last-Modified": JUST_NOW},
            KNOWN._replace(validator=MINUTE_AGO),
            Meaning.MISFIT,
        ),
        (416, {"Content-Range": "bytes */100"}, KNOWN._replace(length=100), Meaning.COMPLETE),
        (416, {"Content-Range": "bytes */100"}, KNOWN._replace(length=None), Meaning.COMPLETE),
        (
            416,
            {"Content-Range": "bytes */100", "ETag": '"v2"'},
            KNOWN._replace(length=100),
            Meaning.MISFIT,
        ),
        (416, {"Content-Range": "bytes */90"}, KNOWN, Meaning.MISFIT),
        (416, {"Content-Range": "bytes */*"}, KNOWN, Meaning.MISFIT),
        (416, {}, KNOWN, Meaning.MISFIT),
    ],
)
def test_meaning(status: int, fields: dict[str, str], known: Known | None, meaning: Meaning) -> None:
    response = httpure.Response(status, headers=fields, stream=httpure.ByteStream(b""))
    assert meaning_of(response, known) is meaning
