"""Proxies out of environment variables."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.config.environment import names_a_proxy, proxies_from_environment, variable_of
from httpure_core.config.patterns import URLPattern
from httpure_core.models.url import URL


@pytest.mark.parametrize(
    ("environ", "proxies"),
    [
        ({}, {}),
        ({"HTTP_PROXY": "http://p"}, {"http://": "http://p"}),
        ({"http_proxy": "p:3128"}, {"http://": "http://p:3128"}),
        (
            {"https_proxy": "socks5://p", "HTTP_PROXY": "https://q"},
            {"https://": "socks5://p", "http://": "https://q"},
        ),
        ({"ALL_PROXY": " http://p "}, {"all://": "http://p"}),
        ({"all_proxy": "http://p", "ALL_PROXY": "http://q"}, {"all://": "http://p"}),
        ({"ALL_PROXY": "http://q", "all_proxy": "http://p"}, {"all://": "http://p"}),
        ({"http_proxy": "", "HTTP_PROXY": "http://p"}, {}),
        ({"HTTP_PROXY": ""}, {}),
        ({"TRAVIS_APT_PROXY": "http://p", "FTP_PROXY": "http://p", "PROXY": "p"}, {}),
        ({"NO_PROXY": ""}, {}),
    ],
)
def test_proxies(environ: dict[str, str], proxies: dict[str, str | None]) -> None:
    assert proxies_from_environment(environ) == proxies


@pytest.mark.parametrize(
    ("environ", "worth_reading"),
    [
        ({}, False),
        ({"NO_PROXY": "example.org", "no_proxy": "*", "FTP_PROXY": "http://p", "PATH": "/bin"}, False),
        *(({f"{scheme}_PROXY": ""}, True) for scheme in ("HTTP", "HTTPS", "ALL")),
        *(({f"{scheme}_proxy": "http://p"}, True) for scheme in ("http", "https", "all")),
    ],
)
def test_mostly_there_is_nothing_to_read(environ: dict[str, str], worth_reading: bool) -> None:
    assert names_a_proxy(environ) is worth_reading
    assert names_a_proxy({name.encode(): value.encode() for name, value in environ.items()}) is worth_reading
    if not worth_reading:
        assert not any(proxies_from_environment(environ).values())


def test_the_variable_is_known() -> None:
    environ = {"HTTP_PROXY": "a", "https_proxy": "b", "ALL_PROXY": "c", "all_proxy": "d"}
    names = {pattern: variable_of(environ, pattern) for pattern in proxies_from_environment(environ)}
    assert names == {"http://": "HTTP_PROXY", "https://": "https_proxy", "all://": "all_proxy"}


def test_a_header_of_a_cgi_request_is_no_proxy() -> None:
    environ = {"REQUEST_METHOD": "GET", "HTTP_PROXY": "http://evil", "HTTPS_PROXY": "http://p"}
    assert proxies_from_environment(environ) == {"https://": "http://p"}
    assert proxies_from_environment(environ | {"http_proxy": "http://q"}) == {
        "http://": "http://q",
        "https://": "http://p",
    }


@pytest.mark.parametrize(
    ("entry", "pattern"),
    [
        ("127.0.0.1", "all://127.0.0.1"),
        ("192.168.0.0/16", "all://192.168.0.0/16"),
        ("127.0.0.1:8080", "all://127.0.0.1:8080"),
        ("::1", "all://[::1]"),
        ("[::1]", "all://[::1]"),
        ("[::1]:8080", "all://[::1]:8080"),
        ("fe80::/10", "all://[fe80::]/10"),
        ("localhost", "all://localhost"),
        ("LocalHost:8080", "all://LocalHost:8080"),
        ("github.com", "all://*github.com"),
        ("github.com:8443", "all://*github.com:8443"),
        (".github.com", "all://*.github.com"),
        ("*.github.com", "all://*.github.com"),
        ("*github.com", "all://*github.com"),
        ("http://github.com", "http://github.com"),
        ("https://*.github.com", "https://*.github.com"),
    ],
)
def test_no_proxy(entry: str, pattern: str) -> None:
    assert proxies_from_environment({"NO_PROXY": f" {entry} ,"}) == {pattern: None}


@pytest.mark.parametrize(
    "entry",
    [
        "[]",
        "[x]",
        "/8",
        ":80",
        ":",
        "/",
        "http://[",
        "10.0.0.0/8:80",
        ".",
        "10.0.0.0/33",
        "10.0.0.0/x",
        "a*b",
        "h:port",
        "h:99999",
        "[::1",
        "://",
        "1:2:3:4",
    ],
)
def test_entries_that_mean_nothing_are_ignored(entry: str) -> None:
    proxies = proxies_from_environment({"no_proxy": f"{entry},good.example"})
    assert proxies == {"all://*good.example": None}


def test_several_entries() -> None:
    environ = {"all_proxy": "http://p", "no_proxy": "a.example, b.example c.example"}
    assert proxies_from_environment(environ) == {
        "all://": "http://p",
        "all://*a.example": None,
        "all://*b.example": None,
        "all://*c.example": None,
    }


@pytest.mark.parametrize("no_proxy", ["*", "a.example,*", " * "])
def test_a_star_switches_all_proxies_off(no_proxy: str) -> None:
    assert proxies_from_environment({"all_proxy": "http://p", "no_proxy": no_proxy}) == {}


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("example.org", "https://example.org/", False),
        ("example.org", "https://www.example.org/", False),
        (".example.org", "https://example.org/", True),
        ("example.org:8443", "https://example.org/", True),
        ("example.org:443", "https://example.org/", False),
        ("10.0.0.0/8", "http://10.1.2.3/", False),
        ("10.0.0.0/8", "http://11.1.2.3/", True),
        ("fe80::/10", "http://[fe80::1]:8080/", False),
        ("[::1]:8080", "http://[::1]:8080/", False),
        ("[::1]:8080", "http://[::1]/", True),
        ("localhost", "http://localhost:8000/", False),
        ("localhost", "http://sub.localhost/", True),
        ("EXAMPLE.org", "http://Example.ORG./", False),
        ("example.org.", "http://example.org/", False),
        ("example.org", "http://badexample.org/", True),
        ("example.org", "http://example.org.evil.example/", True),
        ("a.example  \t b.example,,c.example", "http://c.example/", False),
        ("10.0.0.0/8", "http://10.evil.example/", True),
        ("10.0.0.1", "http://10.0.0.10/", True),
        ("10.0.0.1:8080", "http://10.0.0.1/", True),
        ("10.0.0.0:8080/8", "http://10.9.9.9:8080/", False),
        ("2001:db8::/32", "http://[2001:db8:1::9]/", False),
        ("2001:db8::/32", "http://[2001:db9::9]/", True),
        ("0:0:0:0:0:0:0:1", "http://[::1]/", False),
        ("fe80::1%eth0", "http://[fe80::1%25eth0]/", False),
        ("fe80::1%eth0", "http://[fe80::1%25eth1]/", True),
        ("fe80::1", "http://[fe80::1%25eth0]/", True),
        (".example.org", "http://[fe80::1%25a.example.org]/", True),
        ("example.org", "http://[fe80::1%25example.org]/", True),
        ("https://example.org", "http://example.org/", True),
        ("https://example.org", "https://example.org/", False),
    ],
)
def test_the_patterns_do_what_they_say(no_proxy: str, url: str, proxied: bool) -> None:
    proxies = proxies_from_environment({"all_proxy": "http://p", "no_proxy": no_proxy})
    first = min(pattern for pattern in map(URLPattern, proxies) if pattern.matches(URL(url)))
    assert (proxies[first.pattern] is not None) is proxied


@settings(max_examples=60)
@given(st.text(alphabet="ab.:/[]*,-0123456789 é%@", max_size=30))
def test_no_text_raises(text: str) -> None:
    for pattern in proxies_from_environment({"no_proxy": text}):
        URLPattern(pattern)
