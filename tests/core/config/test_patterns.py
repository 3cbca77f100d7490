"""`URLPattern`: what it matches and what comes first."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.config.patterns import URLPattern
from httpure_core.errors import InvalidURL
from httpure_core.models.url import URL


@pytest.mark.parametrize(
    ("pattern", "url", "matches"),
    [
        ("", "http://example.org", True),
        ("all://", "http://example.org", True),
        ("all://", "https://example.org", True),
        ("all://*", "https://example.org", True),
        ("http://", "http://example.org", True),
        ("http://", "https://example.org", False),
        ("HTTP://", "http://example.org", True),
        ("all://example.org", "https://example.org", True),
        ("all://EXAMPLE.org", "https://example.org:8443/x?y#z", True),
        ("all://example.org", "https://www.example.org", False),
        ("all://example.org", "https://example.com", False),
        ("all://*.example.org", "https://www.example.org", True),
        ("all://*.example.org", "https://a.b.example.org", True),
        ("all://*.example.org", "https://example.org", False),
        ("all://*.example.org", "https://wwwexample.org", False),
        ("all://*example.org", "https://www.example.org", True),
        ("all://*example.org", "https://example.org", True),
        ("all://*example.org", "https://wwwexample.org", False),
        ("all://*example.org", "https://example.com", False),
        ("http://example.org:8080", "http://example.org:8080", True),
        ("http://example.org:8080", "http://example.org", False),
        ("all://*:8080", "http://anything:8080", True),
        ("all://*:8080", "http://anything:8081", False),
        ("all://:8080", "http://anything:8080", True),
        ("all://example.org:80", "http://example.org", True),
        ("all://example.org:443", "https://example.org", True),
        ("https://example.org:443", "https://example.org:8443", False),
        ("all://*.example.org:8080", "http://www.example.org:8080", True),
        ("all://bücher.example", "http://xn--bcher-kva.example", True),
        ("all://*.bücher.example", "http://www.bücher.example", True),
        ("all://192.168.0.1", "http://192.168.0.1", True),
        ("all://192.168.0.1", "http://192.168.0.2", False),
        ("all://192.168.0.0/16", "http://192.168.7.8", True),
        ("all://192.168.1.1/16", "http://192.168.7.8", True),
        ("all://192.168.0.0/16", "http://192.169.7.8", False),
        ("all://192.168.0.0/16", "http://example.org", False),
        ("all://192.168.0.0/16", "http://example.org1", False),
        ("all://192.168.0.0/16", "http://[::1]", False),
        ("all://192.168.0.0:80/16", "http://192.168.7.8", True),
        ("all://192.168.0.0:80/16", "http://192.168.7.8:81", False),
        ("all://[::1]", "http://[::1]", True),
        ("all://[::1]", "http://[0:0:0:0:0:0:0:1]:8080", True),
        ("all://[0:0::1]", "http://[::1]", True),
        ("all://[::1]:8080", "http://[::1]:8080", True),
        ("all://[::1]:8080", "http://[::1]", False),
        ("all://[fe80::]/10", "http://[fe80::7]", True),
        ("all://[fe80::/10]", "http://[fe80::7]", True),
        ("all://[fe80::]/10", "http://[fec0::7]", False),
        ("all://[fe80::]:80/10", "http://[fe80::7]", True),
        ("all://example.org/path", "http://example.org/other", True),
        ("all://example.org.", "http://example.org", True),
        ("all://example.org", "http://example.org.", True),
        ("all://*.example.org", "http://www.example.org.", True),
        ("all://*example.org.", "http://example.org", True),
    ],
)
def test_matching(pattern: str, url: str, matches: bool) -> None:
    assert URLPattern(pattern).matches(URL(url)) is matches


def test_no_suffix_matches_an_address() -> None:
    class Zoned:
        class origin:
            scheme, host, port = "http", "fe80::1%25.example.org", 80

    assert not URLPattern("all://*.example.org").matches(Zoned)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pattern",
    [
        "http", "all", "example.org", "://example.org", "all://*.", "all://h:x", "all://h:99999", "all://h:٣",
        "all://h:1:2",
        "all://[::1", "all://[::1]x", "all://[]", "all://[h]", "all://192.168.0.0/33", "all://192.168.0.0/x",
        "all://**", "all://a*b", "all://a b",
    ],
)  # fmt: skip
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises((ValueError, InvalidURL)) as caught:
        URLPattern(pattern)
    assert str(caught.value)


def test_the_most_specific_comes_first() -> None:
    order = [
        "https://example.org:8080",
        "all://*:8080",
        "https://www.example.org",
        "https://example.org",
        "http://example.org",
        "all://example.org",
        "https://",
        "http://",
        "all://",
    ]
    patterns = [URLPattern(text) for text in order]
    assert sorted([*patterns[4:], *patterns[:4]]) == patterns
    theirs = [httpx._utils.URLPattern(text) for text in order]
    assert [one.priority for one in patterns] == [one.priority for one in theirs]


def test_patterns_are_values() -> None:
    one, same, other = URLPattern("all://h"), URLPattern("all://h"), URLPattern("http://h")
    assert one == same and hash(one) == hash(same) and len({one, same, other}) == 2
    assert one != other and one != "all://h"
    assert repr(one) == "URLPattern('all://h')"


HOSTS = st.sampled_from(
    ["example.org", "www.example.org", "a.example.org", "xexample.org", "example.com", "h"]
)
PARTS = st.tuples(st.sampled_from(["all", "http", "https"]), st.sampled_from(["", "*", "*."]), HOSTS)


@settings(max_examples=60)
@given(
    PARTS,
    st.sampled_from(["http", "https"]),
    HOSTS,
    st.sampled_from(["", ":8080"]),
    st.sampled_from(["", ":8080"]),
)
def test_httpx_agrees(pattern: tuple[str, str, str], scheme: str, host: str, ours: str, theirs: str) -> None:
    text = f"{pattern[0]}://{pattern[1]}{pattern[2]}{ours}"
    url = f"{scheme}://{host}{theirs}/path"
    assert URLPattern(text).matches(URL(url)) is httpx._utils.URLPattern(text).matches(httpx.URL(url))
