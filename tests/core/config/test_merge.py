from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.config.merge import (
    merge_cookies,
    merge_headers,
    merge_params,
    merge_query,
    merge_url,
    with_trailing_slash,
)
from httpure_core.errors import InvalidURL
from httpure_core.models.cookies import Cookies
from httpure_core.models.headers import Headers
from httpure_core.models.query import QueryParams
from httpure_core.models.url import URL
from httpure_core.warned import QueryDroppedWarning


class TestURL:
    @pytest.mark.parametrize(
        ("base_url", "shown"),
        [
            ("", ""),
            ("https://example.org", "https://example.org"),
            ("https://example.org/", "https://example.org/"),
            ("https://example.org/api", "https://example.org/api/"),
            ("https://example.org/api?v=1", "https://example.org/api/?v=1"),
            ("https://example.org?v=/", "https://example.org?v=/"),
        ],
    )
    def test_base_ends_in_a_slash(self, base_url: str, shown: str) -> None:
        assert str(with_trailing_slash(base_url)) == shown

    @pytest.mark.parametrize(
        ("base_url", "url", "merged"),
        [
            ("https://example.org", "a", "https://example.org/a"),
            ("https://example.org", "/a", "https://example.org/a"),
            ("https://example.org/api", "a", "https://example.org/api/a"),
            ("https://example.org/api/", "/a/", "https://example.org/api/a/"),
            ("https://example.org/api", "", "https://example.org/api/"),
            ("https://example.org/api/v1/", "../a", "https://example.org/api/a"),
            ("https://example.org/api/", "/a:b", "https://example.org/api/a:b"),
            ("https://example.org/a%2Fb/", "/c%2Fd", "https://example.org/a%2Fb/c%2Fd"),
            ("https://me:secret@example.org:8443/", "a", "https://me:secret@example.org:8443/a"),
            ("https://example.org/api/", "https://example.com/b", "https://example.com/b"),
            ("https://example.org/api/", "?a=1", "https://example.org/api/?a=1"),
            ("https://example.org/api?v=1", "a", "https://example.org/api/a?v=1"),
            ("https://example.org/api?v=1", "a?b=2", "https://example.org/api/a?v=1&b=2"),
            ("https://example.org/api?v=%7E", "a?b=%7E", "https://example.org/api/a?v=%7E&b=%7E"),
            ("https://example.org/api?v=1&w=2", "a?v=%7E", "https://example.org/api/a?w=2&v=%7E"),
            ("https://example.org/api?v=1", "a?v=2", "https://example.org/api/a?v=2"),
            ("https://example.org/#old", "a#new", "https://example.org/a#new"),
            ("https://example.org/#old", "a", "https://example.org/a"),
            ("", "https://example.com/b", "https://example.com/b"),
            ("", "b", "b"),
            ("/api", "b", "/api/b"),
        ],
    )
    def test_merged(self, base_url: str, url: str, merged: str) -> None:
        for _ in "twice":
            assert str(merge_url(URL(base_url), url)) == merged
        assert str(merge_url(URL(base_url), URL(url))) == merged
        assert str(merge_url(with_trailing_slash(base_url), url)) == merged

    def test_without_a_base(self) -> None:
        url = URL("https://example.org/")
        assert merge_url(None, "https://example.org/") == url
        assert merge_url(URL("https://example.com/"), url) is url

    @pytest.mark.parametrize(
        "url",
        [
            "//me:secret@other.example/a",
            "me:secret@other.example/a",
            "me:secret@other.example:8080",
            "//a",
            "name:rest",
            "https:/a",
        ],
    )
    def test_half_a_url_is_refused(self, url: str) -> None:
        given = URL(url)
        with pytest.raises(InvalidURL) as caught:
            merge_url(URL("https://example.org/"), given)
        assert "neither absolute nor relative" in str(caught.value)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("url", [None, 1, b"a"])
    def test_other_types_are_refused(self, url: Any) -> None:
        with pytest.raises(TypeError):
            merge_url(None, url)
        with pytest.raises(TypeError):
            merge_url(URL("https://example.org/"), url)

    @settings(max_examples=60)
    @given(st.text(max_size=20))
    def test_relative_urls_never_leave_the_host(self, url: str) -> None:
        base_url = URL("https://example.org/api/")
        try:
            merged = merge_url(base_url, url)
        except InvalidURL:
            return
        assert merged.host == "example.org" or URL(url).is_absolute_url


class TestParams:
    def test_none(self) -> None:
        assert merge_params(None, None) is None
        assert merge_params(QueryParams(), None) is None

    def test_empty_ones_of_the_request_are_kept(self) -> None:
        assert merge_params(None, {}) == QueryParams()

    def test_of_one_side(self) -> None:
        client = QueryParams({"a": 1})
        assert merge_params(client, None) is client
        assert merge_params(QueryParams(), {"b": True}) == QueryParams({"b": "true"})

    def test_of_both_sides(self) -> None:
        merged = merge_params(QueryParams([("a", 1), ("a", 2), ("b", 1)]), {"a": 3})
        assert str(merged) == "a=3&b=1"

    @pytest.mark.parametrize(
        ("url", "client", "params", "merged"),
        [
            ("/?x=%7E", None, None, "/?x=%7E"),
            ("/", {"a": 1}, None, "/?a=1"),
            ("/?x=%7E", {"a": 1}, None, "/?a=1&x=%7E"),
            ("/?a=%7E", {"a": 1, "b": 2}, None, "/?b=2&a=%7E"),
            ("/?a=%7E", {"a": 1}, None, "/?a=%7E"),
            ("/", {"a": 1, "b": 2}, {"a": 3, "c": 4}, "/?a=3&b=2&c=4"),
            ("/?x=1", None, {"x": 2}, "/?x=2"),
            ("/?a=1", {"a": 1}, {"b": 2}, "/?a=1&b=2"),
        ],
    )
    def test_query(self, url: str, client: Any, params: Any, merged: str) -> None:
        url = f"https://example.org{url}"
        client = None if client is None else QueryParams(client)
        assert str(merge_query(URL(url), client, params)) == f"https://example.org{merged}"

    @pytest.mark.parametrize(
        ("url", "client", "params", "merged", "dropped"),
        [
            ("/?x=1", None, {"b": 2}, "/?b=2", "'x'"),
            ("/?x=1", {"a": 1}, {"b": 2}, "/?a=1&b=2", "'x'"),
            ("/?x=1&y=2", None, {}, "/", "'x', 'y'"),
            ("/?x=1&a=2", {"a": 1}, {"x": 2}, "/?a=1&x=2", "'a'"),
        ],
    )
    def test_query_that_is_lost(self, url: str, client: Any, params: Any, merged: str, dropped: str) -> None:
        client = None if client is None else QueryParams(client)
        with pytest.warns(QueryDroppedWarning, match=f": {dropped} in it"):
            query = merge_query(URL(f"https://example.org{url}"), client, params)
        assert str(query) == f"https://example.org{merged}"

    @pytest.mark.parametrize(
        ("base", "client", "params", "query"),
        [
            (b"v=%7E", None, {"b": 2}, b"v=%7E&b=2"),
            (b"v=%7E", None, {}, b"v=%7E"),
            (b"v=%7E&w=%7E", None, {"v": 2}, b"w=~&v=2"),
            (b"v=%7E", None, {"v": 2}, b"v=2"),
            (b"v=%7E", {"v": 3, "a": 1}, {"b": 2}, b"v=%7E&a=1&b=2"),
            (b"v=%7E", {"v": 3, "a": 1}, {"v": 2}, b"v=2&a=1"),
        ],
    )
    def test_query_of_the_base_url_stays(self, base: bytes, client: Any, params: Any, query: bytes) -> None:
        client = None if client is None else QueryParams(client)
        url = URL(f"https://example.org/?{base.decode()}")
        assert merge_query(url, client, params, base).query == query

    def test_query_below_a_base_url_is_lost_alone(self) -> None:
        url = merge_url(URL("https://example.org/?v=1"), "a?x=1")
        with pytest.warns(QueryDroppedWarning, match=": 'x' in it"):
            assert merge_query(url, None, {"b": 2}, b"v=1").query == b"v=1&b=2"


class TestHeaders:
    def test_of_the_client_alone(self) -> None:
        client = Headers({"a": "1"})
        assert merge_headers(client, None) is client
        assert merge_headers(client, {}) is client

    def test_of_the_request_alone(self) -> None:
        assert merge_headers(Headers(), {"a": "1"}).raw == [(b"a", b"1")]

    def test_none_takes_one_away(self) -> None:
        client = Headers([("A", "1"), ("B", "2"), ("a", "3")])
        assert merge_headers(client, {"a": None, "X": None}).raw == [(b"B", b"2")]
        assert merge_headers(client, [("a", None), ("a", "4")]).raw == [(b"B", b"2"), (b"a", b"4")]
        assert merge_headers(Headers(), {"a": None, "b": "1"}).raw == [(b"b", b"1")]
        assert len(client) == 3

    def test_of_both(self) -> None:
        client = Headers([("A", "1"), ("B", "2")])
        assert merge_headers(client, {"a": "3", "c": "4"}) == {"a": "3", "b": "2", "c": "4"}
        assert client == {"a": "1", "b": "2"}


class TestCookies:
    def test_none(self) -> None:
        assert merge_cookies(None, None) is None
        assert merge_cookies(Cookies(), {}) is None

    def test_of_the_client_alone(self) -> None:
        client = Cookies({"a": "1"})
        assert merge_cookies(client, None) is client

    def test_of_the_request_alone(self) -> None:
        merged = merge_cookies(Cookies(), {"a": "1"})
        assert merged is not None
        assert dict(merged) == {"a": "1"}

    def test_of_both(self) -> None:
        client = Cookies({"a": "1", "b": "2"})
        merged = merge_cookies(client, [("a", "3")])
        assert merged is not None
        assert dict(merged) == {"a": "3", "b": "2"}
        assert dict(client) == {"a": "1", "b": "2"}

    def test_a_name_wins_whatever_its_domain(self) -> None:
        client = Cookies()
        client.set("a", "1", domain="example.org")
        merged = merge_cookies(client, {"a": "2"})
        assert merged is not None
        assert merged["a"] == "2"
