"""Set-Cookie as text: pairs, attributes, dates."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.models.cookie_syntax import (
    SetCookie,
    parse_cookie_date,
    parse_set_cookie,
    split_cookie_header,
)


def epoch(*when: int) -> int:
    return int(datetime.datetime(*when, tzinfo=datetime.UTC).timestamp())  # type: ignore[misc,arg-type]


NINETY_FOUR = epoch(1994, 11, 6, 8, 49, 37)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "06-Nov-1994 08:49:37",
        "1994 Nov 6 8:49:37",
        "08:49:37 6th November 94",
        "Sun, 6 Nov 1994 08:49:37.123 +0900",
        "06/nov/1994/8:49:37",
    ],
)
def test_every_form_of_date_that_servers_send(text: str) -> None:
    assert parse_cookie_date(text) == NINETY_FOUR


@pytest.mark.parametrize(
    ("text", "year"),
    [("70", 1970), ("99", 1999), ("00", 2000), ("69", 2069), ("1601", 1601), ("9999", 9999)],
)
def test_two_digits_of_year(text: str, year: int) -> None:
    assert parse_cookie_date(f"1 Jan {text} 00:00:00") == epoch(year, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 08:49:37",
        "Sun, Nov 1994 08:49:37",
        "06 1994 08:49:37",
        "00 Nov 1994 08:49:37",
        "31 Nov 1994 08:49:37",
        "29 Feb 1900 08:49:37",
        "06 Nov 1600 08:49:37",
        "06 Nov 19940 08:49:37",
        "06 Nov 1994 24:49:37",
        "06 Nov 1994 08:60:37",
        "06 Nov 1994 08:49:60",
        "06 Nov 1994 008:49:37",
        "06 Nov 1994 08:049:37",
        "06 Nov 1994 08:49:370",
        "06 Nov 1994 8x:49:37",
        "06 Nov 1994 :49:37",
        "06 Nov 1994 ٠٨:49:37",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_cookie_date(text) is None


def test_a_leap_day_exists_every_400_years() -> None:
    assert parse_cookie_date("29 Feb 2000 00:00:00") == epoch(2000, 2, 29)
    assert parse_cookie_date("1 Mar 2000 00:00:00") == epoch(2000, 3, 1)


@settings(max_examples=50)
@given(
    st.datetimes(min_value=datetime.datetime(1601, 1, 1), max_value=datetime.datetime(9999, 12, 31)).map(
        lambda moment: moment.replace(microsecond=0, tzinfo=datetime.UTC)
    )
)
def test_dates_agree_with_the_calendar(moment: datetime.datetime) -> None:
    text = f"{moment.day:02} {moment:%b} {moment.year:04} {moment:%H:%M:%S} GMT"
    assert parse_cookie_date(text) == moment.timestamp()


@settings(max_examples=50)
@given(st.text(alphabet="0123456789:;, -JanFeb٣é\x00", max_size=60))
def test_no_date_raises(text: str) -> None:
    parse_cookie_date(text)


def test_name_value_and_attributes() -> None:
    assert parse_set_cookie(
        ' id = a=b ;Domain=.Example.ORG; PATH=/x ; secure;HttpOnly; SameSite=Lax; Max-Age=60; what="else"'
    ) == SetCookie("id", "a=b", ".Example.ORG", "/x", None, 60, True, True, "Lax")


def test_the_last_attribute_of_a_name_counts() -> None:
    cookie = parse_set_cookie("a=1; path=/x; path=/y")
    assert cookie is not None and cookie.path == "/y"


@pytest.mark.parametrize(
    ("field", "name", "value"), [("lonely", "", "lonely"), ("=v", "", "v"), ("n=", "n", "")]
)
def test_a_name_or_a_value_is_enough(field: str, name: str, value: str) -> None:
    assert parse_set_cookie(field) == SetCookie(name, value)


def test_quotes_belong_to_the_value() -> None:
    assert parse_set_cookie('a="1 2"') == SetCookie("a", '"1 2"')


@pytest.mark.parametrize("field", ["", " ", "=", "; path=/", "a=1\0", "a=\r\nb", "a=1; path=/\x7f"])
def test_what_is_no_cookie(field: str) -> None:
    assert parse_set_cookie(field) is None


def test_a_tab_is_white_space() -> None:
    assert parse_set_cookie("\ta\t=\t1\t;\tsecure\t") == SetCookie("a", "1", secure=True)


def test_size_is_counted_in_bytes() -> None:
    assert parse_set_cookie("n=" + "x" * 4095) is not None
    assert parse_set_cookie("n=" + "x" * 4096) is None
    assert parse_set_cookie("n=" + "é" * 2048) is None
    assert parse_set_cookie("n=" + "é" * 2047) is not None


def test_an_overlong_attribute_is_ignored() -> None:
    cookie = parse_set_cookie(f"a=1; path=/{'x' * 1024}; domain=example.org")
    assert cookie is not None
    assert (cookie.path, cookie.domain) == (None, "example.org")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("-1", -1), ("60", 60), ("", None), ("-", None), ("1.5", None), ("+1", None), ("٣", None)],
)
def test_max_age(text: str, seconds: int | None) -> None:
    cookie = parse_set_cookie(f"a=1; max-age={text}")
    assert cookie is not None and cookie.max_age == seconds


def test_max_age_beyond_reason_costs_no_time() -> None:
    cookie = parse_set_cookie("a=1; max-age=" + "9" * 1000)
    assert cookie is not None and cookie.max_age == 10**11


@settings(max_examples=50)
@given(st.text(max_size=80))
def test_no_field_raises(field: str) -> None:
    cookie = parse_set_cookie(field)
    assert cookie is None or cookie.name or cookie.value


def test_cutting_a_cookie_header() -> None:
    assert split_cookie_header("a=1;b = 2 ; ;c; =d") == [("a", "a=1"), ("b", "b = 2"), ("", "c"), ("", "=d")]
