from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.models.links import parse_links


@pytest.mark.parametrize(
    ("header", "links"),
    [
        ("", []),
        (" , ,", []),
        ("<a>", [{"url": "a"}]),
        ("<a>;", [{"url": "a"}]),
        ("< a >; rel=next", [{"url": "a", "rel": "next"}]),
        ('<a>; rel="next"; type="text/html"', [{"url": "a", "rel": "next", "type": "text/html"}]),
        ('<a,b;c>; REL = "next, last"', [{"url": "a,b;c", "rel": "next, last"}]),
        (
            '<a>; rel=next,<b>;, ,<c>;title="\\"x\\\\"',
            [{"url": "a", "rel": "next"}, {"url": "b"}, {"url": "c", "title": '"x\\'}],
        ),
        ("<a>; rel=first; rel=second", [{"url": "a", "rel": "first"}]),
        ("<a>; crossorigin; rel=; x=y", [{"url": "a", "crossorigin": "", "rel": "", "x": "y"}]),
        ("<a>; =b; c=d, <e>", [{"url": "a"}, {"url": "e"}]),
        ("<a>; rel='next'; x='; y=''", [{"url": "a", "rel": "next", "x": "'", "y": ""}]),
        ("junk, <a>", [{"url": "a"}]),
        ("junk", []),
        ("<a", []),
        ("<a<b>", []),
        ('<a>; title="never closed, <b>', [{"url": "a", "title": ""}, {"url": "b"}]),
    ],
)
def test_links(header: str, links: list[dict[str, str]]) -> None:
    assert parse_links(header) == links


@settings(max_examples=40)
@given(st.text(alphabet='<>;,="\\ ab\t', max_size=60))
def test_anything_is_read(header: str) -> None:
    assert all("url" in link for link in parse_links(header))


@settings(max_examples=40)
@given(st.text(alphabet="abc,;= /"), st.text(alphabet='abc,;= "\\<>'))
def test_round_trip(url: str, title: str) -> None:
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_links(f'<{url}>; title="{quoted}"') == [{"url": url.strip(), "title": title}]


@pytest.mark.parametrize("unit", ["<", ",", "<,", ", ", ';a="', '<a>;b="\\"', '"\\"', "<a>;", ";=", "\\"])
def test_time_is_linear(unit: str) -> None:
    # 64 KiB of it would take minutes if each character led to a look at all others.
    began = time.perf_counter()
    parse_links("<a>" + unit * (65536 // len(unit)))
    assert time.perf_counter() - began < 2
