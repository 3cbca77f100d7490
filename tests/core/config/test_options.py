from __future__ import annotations

import copy
import inspect
import math
import pickle
from typing import Any

import pytest

from httpure_core.auth import DigestAuth
from httpure_core.config.options import (
    DEFAULT_LIMITS,
    DEFAULT_MAX_REDIRECTS,
    DEFAULT_TIMEOUT_CONFIG,
    UNSET,
    USE_CLIENT_DEFAULT,
    Limits,
    Proxy,
    Timeout,
    UseClientDefault,
)
from httpure_core.errors import InvalidURL


def phases(timeout: Timeout) -> tuple[Any, ...]:
    return timeout.connect, timeout.read, timeout.write, timeout.pool


class TestTimeout:
    @pytest.mark.parametrize(
        ("timeout", "expected"),
        [
            (Timeout(5), (5, 5, 5, 5)),
            (Timeout(0), (0, 0, 0, 0)),
            (Timeout(None), (None, None, None, None)),
            (Timeout(timeout=5.0, read=7), (5.0, 7, 5.0, 5.0)),
            (Timeout(5.0, pool=None), (5.0, 5.0, 5.0, None)),
            (Timeout(None, connect=1), (1, None, None, None)),
            (Timeout(connect=1, read=2, write=3, pool=None), (1, 2, 3, None)),
            (Timeout((1, 2)), (1, 2, None, None)),
            (Timeout((1, None, 3)), (1, None, 3, None)),
            (Timeout((1, 2, 3, 4)), (1, 2, 3, 4)),
            (Timeout((1, 2), pool=4), (1, 2, None, 4)),
            (Timeout(Timeout((1, 2, 3, 4))), (1, 2, 3, 4)),
            (Timeout(Timeout((1, 2, 3, 4)), read=None), (1, None, 3, 4)),
            (Timeout(math.inf), (None, None, None, None)),
        ],
    )
    def test_phases(self, timeout: Timeout, expected: tuple[Any, ...]) -> None:
        assert phases(timeout) == expected
        assert timeout.total is None

    def test_total(self) -> None:
        timeout = Timeout(5, total=30)
        assert timeout.total == 30
        assert Timeout(timeout).total == 30
        assert Timeout(timeout, total=10).total == 10
        assert Timeout(connect=1, read=1, write=1, pool=1, total=2).total == 2

    def test_min_rate(self) -> None:
        timeout = Timeout(5, min_rate=1000)
        assert (timeout.min_rate, timeout.rate_window) == (1000, 10.0)
        assert timeout.as_dict() == Timeout(5).as_dict() | {"min_rate": 1000, "rate_window": 10.0}
        assert timeout not in (Timeout(5), Timeout(5, min_rate=1000, rate_window=3))
        assert Timeout(timeout, read=1).min_rate == 1000
        other = Timeout(timeout, rate_window=3)
        assert (other.min_rate, other.rate_window) == (1000, 3)
        assert (Timeout(other, min_rate=7).min_rate, Timeout(other, min_rate=7).rate_window) == (7, 3)

    @pytest.mark.parametrize("name", ["min_rate", "rate_window"])
    def test_refuses_what_is_no_rate(self, name: str) -> None:
        for number in (0, -1, math.nan, math.inf):
            with pytest.raises(ValueError, match=f"{name} is {number!r}, but must be more than 0"):
                Timeout(5, **{name: number})
        for odd in ("5", True):
            with pytest.raises(TypeError, match=f"{name} is a number, not {type(odd).__name__}"):
                Timeout(5, **{name: odd})  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "given", [{}, {"connect": 1}, {"connect": 1, "read": 2, "write": 3}, {"total": 1}]
    )
    def test_needs_a_default_or_all_four(self, given: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="needs a default, or all four"):
            Timeout(**given)  # type: ignore[arg-type]

    @pytest.mark.parametrize("number", [-1, -0.5, math.nan, -math.inf])
    @pytest.mark.parametrize("phase", ["connect", "read", "write", "pool", "total"])
    def test_refuses_what_is_no_duration(self, number: float, phase: str) -> None:
        with pytest.raises(ValueError, match=f"The {phase} timeout is {number!r}"):
            Timeout(5, **{phase: number})

    def test_refuses_what_is_no_number(self) -> None:
        with pytest.raises(TypeError, match="not str"):
            Timeout("5")  # type: ignore[arg-type]

    @pytest.mark.parametrize("given", [(), (1,), (1, 2, 3, 4, 5)])
    def test_refuses_tuples_of_other_sizes(self, given: tuple[float, ...]) -> None:
        with pytest.raises(ValueError, match="timeout tuple"):
            Timeout(given)

    def test_as_dict(self) -> None:
        timeout = Timeout((1, 2, 3, None))
        assert timeout.as_dict() == {"connect": 1, "read": 2, "write": 3, "pool": None}
        assert timeout.as_dict() is not timeout.as_dict()
        assert Timeout(timeout, total=9).as_dict() == timeout.as_dict() | {"total": 9}

    def test_equality_and_hash(self) -> None:
        assert Timeout(5) == Timeout(connect=5, read=5, write=5, pool=5)
        assert hash(Timeout(5)) == hash(Timeout((5.0, 5.0, 5.0, 5.0)))
        assert Timeout(5) != Timeout(5, pool=None)
        assert Timeout(5) != Timeout(5, total=5)
        assert Timeout(5) != 5

    @pytest.mark.parametrize(
        ("timeout", "shown"),
        [
            (Timeout(5.0), "Timeout(timeout=5.0)"),
            (Timeout(None), "Timeout(timeout=None)"),
            (Timeout(None, read=5.0), "Timeout(connect=None, read=5.0, write=None, pool=None)"),
            (Timeout(5.0, total=9), "Timeout(timeout=5.0, total=9)"),
            (Timeout(5.0, min_rate=9), "Timeout(timeout=5.0, min_rate=9)"),
            (Timeout(5.0, min_rate=9, rate_window=2), "Timeout(timeout=5.0, min_rate=9, rate_window=2)"),
        ],
    )
    def test_repr(self, timeout: Timeout, shown: str) -> None:
        assert repr(timeout) == shown


class TestProxy:
    @pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
    def test_schemes(self, scheme: str) -> None:
        proxy = Proxy(f"{scheme}://proxy.example:8080")
        assert str(proxy.url) == f"{scheme}://proxy.example:8080"
        assert proxy.auth is None
        assert proxy.raw_auth is None
        assert proxy.ssl_context is None
        assert proxy.headers == {}

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://me:secret@proxy.example",
            "me:secret@proxy.example",
            "me:secret@proxy.example:8080",
            "proxy.example",
            "//proxy.example",
        ],
    )
    def test_other_schemes(self, url: str) -> None:
        with pytest.raises(ValueError, match="A proxy's URL begins with") as caught:
            Proxy(url)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("http://me:hush@hush@proxy.example", "more than one '@'"),
            ("http://me:hu/sh@proxy.example:80", "may mean that it is part of a password"),
            ("http://me:hush#x@proxy.example", "may mean that it is part of a password"),
            ("http://me:hush\\@proxy.example", "backslash"),
            ("http://me:hush@", "has no host"),
            ("http://me:hush", "ASCII digits; if that is a password, '@' and the host are missing"),
            ("http:me:hush@proxy.example", "has no host"),
            ("proxy.example:8080", "begins with http://.* not as URL\\('proxy.example:8080'"),
            ("192.0.2.1:8080", "begins with http://"),
            ("[::1]:99999", "begins with http://"),
            ("http://[::1]:99999", "Port '99999' is not between"),
            ("http://proxy.example:8080:90", "ASCII digits"),
            ("socks5://me:hush@proxy.example:x", "ASCII digits"),
        ],
    )
    def test_what_confuses_is_told_apart_and_never_shown(self, url: str, why: str) -> None:
        with pytest.raises((ValueError, InvalidURL), match=why) as caught:
            Proxy(url)
        assert "hush" not in str(caught.value)

    def test_needs_a_host(self) -> None:
        with pytest.raises(ValueError, match="has no host"):
            Proxy("http:///path")

    def test_needs_a_url(self) -> None:
        with pytest.raises(InvalidURL):
            Proxy("http://proxy.example:99999")

    def test_credentials_of_the_url(self) -> None:
        proxy = Proxy("http://m%65:s%C3%A9cret@proxy.example", auth=("other", "one"))
        assert str(proxy.url) == "http://proxy.example"
        assert proxy.auth == ("me", "s\u00e9cret")
        assert proxy.raw_auth == (b"me", b"s\xc3\xa9cret")
        assert repr(proxy) == "Proxy('http://proxy.example', auth=('me', '********'))"

    def test_a_name_without_a_password_may_be_a_key(self) -> None:
        shown = "Proxy('http://proxy.example', auth=('********', '********'))"
        assert repr(Proxy("http://0123abc:@proxy.example")) == shown

    def test_credentials_apart(self) -> None:
        assert Proxy("http://proxy.example", auth=("me", "secret")).auth == ("me", "secret")

    def test_empty_credentials_are_none(self) -> None:
        proxy = Proxy("http://:@proxy.example")
        assert (str(proxy.url), proxy.auth) == ("http://proxy.example", None)
        assert Proxy("http://:@proxy.example", auth=("me", "secret")).auth == ("me", "secret")

    @pytest.mark.parametrize(
        "auth", ["me:secret", ("me",), ("me", "secret", "x"), (b"me", b"secret"), ("me", None), 5]
    )
    def test_credentials_are_a_pair_of_texts(self, auth: Any) -> None:
        with pytest.raises(TypeError, match="pair of texts") as caught:
            Proxy("http://proxy.example", auth=auth)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "auth", [("", "secret"), ("u" * 256, "secret"), ("é" * 128, ""), ("me", "p" * 256)]
    )
    def test_credentials_that_socks_has_no_room_for(self, auth: tuple[str, str]) -> None:
        for scheme in ("socks5", "socks5h"):
            with pytest.raises(ValueError, match="at most 255") as caught:
                Proxy(f"{scheme}://proxy.example", auth=auth)
            assert "secret" not in str(caught.value)
            assert Proxy(f"{scheme}://proxy.example", auth=("u" * 255, "")).auth == ("u" * 255, "")
        assert Proxy("http://proxy.example", auth=auth).auth == auth

    def test_digest(self) -> None:
        auth = DigestAuth("me", "secret")
        proxy = Proxy("http://proxy.example", auth=auth)
        assert proxy.auth is auth
        assert proxy.raw_auth is None, "it is not to be shown"
        assert repr(proxy) == "Proxy('http://proxy.example', auth=DigestAuth(...))"
        assert Proxy("http://other:one@proxy.example", auth=auth).auth is auth, "nor what the URL says"

    def test_socks_has_no_digest(self) -> None:
        with pytest.raises(TypeError, match="SOCKS5 proxy takes a user name and a password") as caught:
            Proxy("socks5://proxy.example", auth=DigestAuth("me", "secret"))
        assert "secret" not in str(caught.value)

    def test_headers(self) -> None:
        proxy = Proxy("http://proxy.example", headers={"Proxy-Authorization": "secret", "X-Own": "1"})
        assert proxy.headers["proxy-authorization"] == "secret"
        assert "secret" not in repr(proxy).replace("[secure]", "")
        assert "'x-own': '1'" in repr(proxy)

    def test_ssl_context(self) -> None:
        context: Any = object()
        assert Proxy("https://proxy.example", ssl_context=context).ssl_context is context


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_and_pickles(again: Any) -> None:
    assert again(UNSET) is UNSET
    assert again(USE_CLIENT_DEFAULT) is USE_CLIENT_DEFAULT
    assert again(Timeout(5, read=1, total=9)) == Timeout(5, read=1, total=9)
    assert again(Limits(max_connections=5)) == Limits(max_connections=5)
    proxy = again(Proxy("https://me:secret@proxy.example", headers={"X-Own": "1"}))
    assert (str(proxy.url), proxy.auth, proxy.headers) == (
        *("https://proxy.example", ("me", "secret"), {"X-Own": "1"}),
    )


def test_as_keys() -> None:
    known = {Timeout(5): "t", Limits(max_connections=5): "l"}
    assert known[Timeout((5, 5, 5, 5))] == "t"
    assert known[Limits(max_connections=5)] == "l"


def test_markers_and_defaults() -> None:
    assert repr(UNSET) == "UNSET"
    assert repr(USE_CLIENT_DEFAULT) == "USE_CLIENT_DEFAULT"
    assert isinstance(USE_CLIENT_DEFAULT, UseClientDefault)
    assert Timeout(5.0) == DEFAULT_TIMEOUT_CONFIG
    assert Limits(max_connections=100, max_keepalive_connections=20) == DEFAULT_LIMITS
    assert DEFAULT_MAX_REDIRECTS == 20


def test_signatures_are_those_of_httpx() -> None:
    assert list(inspect.signature(Timeout).parameters) == [
        *("timeout", "connect", "read", "write", "pool", "total", "min_rate", "rate_window")
    ]
    assert list(inspect.signature(Proxy).parameters) == ["url", "ssl_context", "auth", "headers"]
