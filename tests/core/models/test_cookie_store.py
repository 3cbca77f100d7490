"""The store: what a server may set, and what goes back to whom (RFC 6265bis)."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core import ambient
from httpure_core.limits import Limits
from httpure_core.models.cookie_store import Cookie, CookieStore

NOW = 1_000_000.0
DAY = 86400.0


def stored(
    *fields: str, url: tuple[str, str, str] = ("https", "example.org", "/"), now: float = NOW
) -> CookieStore:
    store = CookieStore()
    store.receive(list(fields), *url, now)
    return store


def sent(store: CookieStore, scheme: str, host: str, path: str = "/", now: float = NOW) -> str | None:
    return store.header_for(scheme, host, path, now)


def test_an_empty_store_is_false_and_sends_nothing() -> None:
    store = CookieStore()
    assert not store and len(store) == 0 and list(store) == []
    assert sent(store, "https", "example.org") is None


def test_a_cookie_goes_back_to_its_host_only() -> None:
    store = stored("a=1")
    assert store and len(store) == 1
    assert sent(store, "https", "example.org") == "a=1"
    assert sent(store, "http", "example.org") == "a=1"
    assert sent(store, "https", "www.example.org") is None
    assert sent(store, "https", "example.com") is None


@pytest.mark.parametrize("domain", ["example.org", ".example.org", "EXAMPLE.org"])
def test_a_cookie_with_a_domain_goes_to_subdomains(domain: str) -> None:
    store = stored(f"a=1; domain={domain}", url=("https", "www.example.org", "/"))
    for host in ("example.org", "www.example.org", "a.b.example.org"):
        assert sent(store, "https", host) == "a=1"
    assert sent(store, "https", "anexample.org") is None


@pytest.mark.parametrize(
    ("domain", "host"),
    [
        ("example.com", "example.org"),
        ("sub.example.org", "example.org"),
        ("ample.org", "example.org"),
        ("org", "example.org"),
        (".org", "example.org"),
        ("ORG", "example.org"),
        ("org.", "example.org."),
        (".org.", "example.org."),
        ("..", "example.org"),
        ("bücher.example", "bücher.example"),
        ("0.0.1", "127.0.0.1"),
        ("::1", "::2"),
        ("0x1", "127.0x1"),
    ],
)
def test_a_domain_that_is_not_the_hosts_own_is_refused(domain: str, host: str) -> None:
    assert not stored(f"a=1; domain={domain}", url=("https", host, "/"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "127.0.0.1."])
def test_a_domain_equal_to_a_lone_host_makes_a_host_only_cookie(host: str) -> None:
    store = stored(f"a=1; domain={host}", url=("https", host, "/"))
    assert sent(store, "https", host) == "a=1"
    assert sent(store, "https", "sub." + host) is None


@pytest.mark.parametrize("attribute", ["domain=", "domain=.", "domain"])
def test_an_empty_domain_means_the_host(attribute: str) -> None:
    store = stored(f"a=1; {attribute}")
    assert [cookie.host_only for cookie in store] == [True]


def test_the_rule_for_public_suffixes_can_be_replaced() -> None:
    store = CookieStore(is_public_suffix=lambda domain: domain == "co.uk")
    store.receive(["a=1; domain=co.uk", "b=1; domain=shop.co.uk"], "https", "shop.co.uk", "/", NOW)
    store.receive(["c=1; domain=co.uk"], "https", "co.uk", "/", NOW)
    assert [(cookie.name, cookie.domain) for cookie in store] == [("b", ".shop.co.uk"), ("c", "co.uk")]


@pytest.mark.parametrize(
    ("cookie_path", "path", "goes"),
    [
        ("/", "/anything", True),
        ("/foo", "/foo", True),
        ("/foo", "/foo/bar", True),
        ("/foo", "/foobar", False),
        ("/foo", "/", False),
        ("/foo/", "/foo/bar", True),
        ("/foo/", "/foo", False),
    ],
)
def test_paths(cookie_path: str, path: str, goes: bool) -> None:
    store = stored(f"a=1; path={cookie_path}")
    assert sent(store, "https", "example.org", path) == ("a=1" if goes else None)


@pytest.mark.parametrize(
    ("request_path", "default"),
    [("/", "/"), ("/a", "/"), ("/a/b", "/a"), ("/a/b/", "/a/b"), ("", "/"), ("*", "/")],
)
@pytest.mark.parametrize("attribute", ["", "; path=", "; path=relative"])
def test_without_a_path_the_requests_directory_counts(
    request_path: str, default: str, attribute: str
) -> None:
    store = stored("a=1" + attribute, url=("https", "example.org", request_path))
    assert [cookie.path for cookie in store] == [default]


def test_the_longest_path_goes_first_then_the_oldest_cookie() -> None:
    store = stored("a=1", "b=1; path=/x/y", "c=1; path=/x", "d=1")
    store.receive(["a=2"], "https", "example.org", "/", NOW)  # keeps its place
    assert sent(store, "https", "example.org", "/x/y") == "b=1; c=1; a=2; d=1"


def test_secure_cookies_only_over_tls() -> None:
    store = stored("a=1; secure")
    assert sent(store, "https", "example.org") == "a=1"
    assert sent(store, "wss", "example.org") == "a=1"
    assert sent(store, "http", "example.org") is None
    assert not stored("a=1; secure", url=("http", "example.org", "/"))
    assert not stored("a=1; secure", url=("http", "localhost", "/"))


def test_http_cannot_replace_or_shadow_a_secure_cookie() -> None:
    store = stored("a=1; secure; path=/login")
    store.receive(
        ["a=2; path=/login/deep", "a=3; domain=example.org; path=/login"], "http", "example.org", "/", NOW
    )
    assert [cookie.value for cookie in store] == ["1"]
    store.receive(["a=4; path=/", "b=5; path=/login"], "http", "example.org", "/", NOW)
    assert [cookie.value for cookie in store] == ["1", "4", "5"]


def test_http_cannot_shadow_a_secure_cookie_of_a_subdomain_or_a_parent() -> None:
    store = stored("a=1; secure", url=("https", "www.example.org", "/"))
    store.receive(["a=2; domain=example.org"], "http", "example.org", "/", NOW)
    assert len(store) == 1
    store.receive(["a=2"], "http", "example.org", "/", NOW)  # host-only: they never meet
    assert len(store) == 2
    store = stored("b=1; secure; domain=example.org")
    store.receive(["b=2"], "http", "www.example.org", "/", NOW)
    assert len(store) == 1


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        ("__Secure-a=1; secure", True),
        ("__Secure-a=1", False),
        ("__secure-a=1", False),
        ("__Secure-a=1; secure; domain=example.org; path=/x", True),
        ("__Host-a=1; secure; path=/", True),
        ("__HOST-a=1; secure; path=/; domain=", True),
        ("__Host-a=1; secure", False),
        ("__Host-a=1; secure; path=/x", False),
        ("__Host-a=1; path=/", False),
        ("__Host-a=1; secure; path=/; domain=example.org", False),
        ("=__Secure-a=1; secure", False),
        ("__Host-a; secure; path=/", False),
    ],
)
def test_prefixes_hold_what_they_promise(field: str, kept: bool) -> None:
    assert bool(stored(field)) is kept


def test_expiry() -> None:
    store = stored(
        "a=1; max-age=60", "b=1; expires=Thu, 01 Jan 2037 00:00:00 GMT", "c=1; max-age=60; expires=x"
    )
    assert sent(store, "https", "example.org") == "a=1; b=1; c=1"
    assert sent(store, "https", "example.org", now=NOW + 59) == "a=1; b=1; c=1"
    assert sent(store, "https", "example.org", now=NOW + 60) == "b=1"
    assert sent(store, "https", "example.org", now=NOW + 400 * DAY) is None
    assert len(store) == 3
    store.remove_expired(NOW + 60)
    assert [cookie.name for cookie in store] == ["b"]


def test_max_age_wins_over_expires() -> None:
    store = stored("a=1; max-age=60; expires=Thu, 01 Jan 1970 00:00:00 GMT")
    assert sent(store, "https", "example.org") == "a=1"
    assert not stored("a=1; max-age=0; expires=Thu, 01 Jan 2037 00:00:00 GMT")


@pytest.mark.parametrize("attribute", ["max-age=0", "max-age=-1", "expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_an_expired_cookie_removes_its_predecessor(attribute: str) -> None:
    store = stored("a=1", "b=1")
    store.receive([f"a=; {attribute}"], "https", "example.org", "/", NOW)
    assert sent(store, "https", "example.org") == "b=1"
    store.receive([f"b=; {attribute}", f"c=; {attribute}"], "https", "example.org", "/", NOW)
    assert not store


def test_the_clock_of_the_host_is_asked_where_no_time_is_given() -> None:
    times = iter([NOW, NOW + 10, NOW + 70])
    before = ambient.wall_time
    ambient.install(wall_time=lambda: next(times))
    try:
        store = CookieStore()
        store.receive(["a=1; max-age=60", "b=2; max-age=60"], "https", "example.org", "/")
        assert store.header_for("https", "example.org", "/") == "a=1; b=2"
        assert store.header_for("https", "example.org", "/") is None
    finally:
        import time

        ambient.install(wall_time=time.time)
    assert before is ambient.wall_time


def test_attributes_are_kept() -> None:
    [cookie] = stored("a=1; secure; HttpOnly; SameSite=Strict")
    assert (cookie.secure, cookie.http_only, cookie.same_site, cookie.received) == (
        True,
        True,
        "Strict",
        True,
    )


def test_a_cookie_without_a_name_is_sent_as_its_value() -> None:
    assert sent(stored("lonely", "a=1"), "https", "example.org") == "lonely; a=1"


def test_values_go_back_as_they_came() -> None:
    value = 'a="x, y\\" %41=é'
    assert sent(stored(value), "https", "example.org") == value


def test_junk_is_left_out() -> None:
    assert not stored("", "a=\0", "x=" + "y" * 5000)


def test_at_most_fifty_for_a_host() -> None:
    store = stored("s0=1; secure", "gone=1; max-age=5", *(f"c{number}=1" for number in range(48)))
    assert len(store) == 50
    store.receive(["new1=1"], "https", "example.org", "/", NOW + 5)
    names = {cookie.name for cookie in store}
    assert len(names) == 50 and "gone" not in names and "c0" in names
    store.receive(["new2=1"], "https", "example.org", "/", NOW + 5)
    names = {cookie.name for cookie in store}
    assert len(names) == 50 and {"s0", "new2", "c1"} <= names and "c0" not in names


def test_what_the_user_set_is_never_evicted() -> None:
    store = CookieStore()
    for number in range(60):
        store.add(Cookie(f"u{number}", "1", "example.org"))
    store.receive([f"c{number}=1" for number in range(60)], "https", "example.org", "/", NOW)
    assert len(store) == 110
    assert sum(not cookie.received for cookie in store) == 60


def test_at_most_three_thousand_in_all() -> None:
    store = CookieStore()
    for number in range(3000):
        store.add(Cookie("a", "1", f"h{number}.example.org", received=True))
    assert len(store) == 3000
    store.receive(["a=1"], "https", "last.example.org", "/", NOW)
    assert 2700 <= len(store) <= 3000
    assert sent(store, "https", "h0.example.org") is None
    assert sent(store, "https", "last.example.org") == "a=1"


def test_a_large_store_of_the_users_own_loses_nothing() -> None:
    store = CookieStore()
    for number in range(3001):
        store.add(Cookie("a", "1", f"h{number}.example.org"))
    store.receive(["a=2"], "https", "example.org", "/", NOW)
    assert len(store) == 3002


def test_the_header_ends_at_eight_kibibytes() -> None:
    store = stored(*(f"c{number}={'x' * 3000}" for number in range(4)))
    header = sent(store, "https", "example.org")
    assert header is not None and len(header) <= 8192
    assert [pair.partition("=")[0] for pair in header.split("; ")] == ["c0", "c1"]
    store.add(Cookie("mine", "y" * 9000))
    header = sent(store, "https", "example.org")
    assert header is not None and header.endswith("y" * 9000)


def test_a_header_may_be_exactly_eight_kibibytes() -> None:
    store = stored("a=" + "x" * 4000, "b=" + "x" * 4000, "c=" + "x" * 182)
    header = sent(store, "https", "example.org")
    assert header is not None and len(header) == 8192


def test_a_users_cookie_without_a_domain_goes_everywhere() -> None:
    store = CookieStore()
    store.add(Cookie("a", "1"))
    for scheme, host in (("http", "example.org"), ("https", "127.0.0.1"), ("https", "::1"), ("http", "")):
        assert sent(store, scheme, host) == "a=1"


@pytest.mark.parametrize("domain", ["example.org", ".example.org", "Example.Org"])
def test_a_users_cookie_with_a_domain_goes_to_it_and_below(domain: str) -> None:
    store = CookieStore()
    store.add(Cookie("a", "1", domain, "/x"))
    assert sent(store, "http", "example.org", "/x") == "a=1"
    assert sent(store, "http", "www.example.org", "/x/y") == "a=1"
    assert sent(store, "http", "www.example.org", "/y") is None
    assert sent(store, "http", "example.com", "/x") is None


def test_an_answer_replaces_what_the_user_set_for_the_host() -> None:
    store = CookieStore()
    store.add(Cookie("session", "old", "example.org"))
    store.receive(["session=new"], "https", "example.org", "/", NOW)
    assert sent(store, "https", "example.org") == "session=new"


@pytest.mark.parametrize(
    "cookie",
    [
        Cookie("a\r", "1"),
        Cookie("a", "1\n"),
        Cookie("a", "\0"),
        Cookie("a", "1", "x\x7f"),
        Cookie("a", "1", "", "/\x1b"),
    ],
)
def test_control_characters_are_refused(cookie: Cookie) -> None:
    with pytest.raises(ValueError, match="control character"):
        CookieStore().add(cookie)


def test_a_tab_within_is_fine() -> None:
    """RFC 6265bis lets servers send one, so that it must not end in an error."""
    store = CookieStore()
    store.receive(["a\tb=1\t2; Path=/x\ty"], "https", "example.org", "/", NOW)
    store.add(Cookie("c", "3\t4"))
    assert sent(store, "https", "example.org", "/x\ty") == "a\tb=1\t2; c=3\t4"


def test_characters_beyond_ascii_are_fine() -> None:
    store = CookieStore()
    store.add(Cookie("clé", "\u00a0ñandú\U0001f36a"))
    assert sent(store, "https", "example.org") == "clé=\u00a0ñandú\U0001f36a"


def test_removing() -> None:
    store = stored("a=1", "b=1")
    [a, b] = store
    store.remove(a)
    store.remove(a)
    assert sent(store, "https", "example.org") == "b=1"
    store.remove(b)
    store.remove(b)
    assert not store
    store = stored("a=1")
    store.clear()
    assert not store


def test_a_copy_is_independent_and_keeps_the_order() -> None:
    store = stored("a=1", "b=1")
    for other in (store.copy(), copy.copy(store), copy.deepcopy(store), pickle.loads(pickle.dumps(store))):
        other.receive(["c=1"], "https", "example.org", "/", NOW)
        assert sent(other, "https", "example.org") == "a=1; b=1; c=1"
    assert sent(store, "https", "example.org") == "a=1; b=1"


def test_cookies_show_no_value() -> None:
    assert repr(Cookie("a", "hush")) == "<Cookie a=[secure] for every host/>"
    assert repr(Cookie("", "hush", "example.org", "/x")) == "<Cookie [secure] for example.org/x>"


def test_a_copied_cookie_is_equal_in_all_that_matters() -> None:
    [cookie] = stored("a=1; secure; httponly; samesite=lax; domain=example.org; path=/x; max-age=9")
    other = cookie.copy()
    assert other is not cookie
    for name in Cookie.__slots__:
        if name != "created":
            assert getattr(other, name) == getattr(cookie, name)


def test_a_lookup_does_not_grow_with_the_store() -> None:
    class Counting(dict[str, object]):
        looked = 0

        def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
            type(self).looked += 1
            return super().get(key, default)

    store = CookieStore()
    for number in range(500):
        store.receive(["a=1"], "https", f"h{number}.example.org", "/", NOW)
    store._shelves = Counting(store._shelves)  # type: ignore[assignment]
    assert sent(store, "https", "h7.example.org") == "a=1"
    assert Counting.looked == 4  # "", the host, and its two parents


@settings(max_examples=30)
@given(st.lists(st.text(max_size=60), max_size=3), st.sampled_from(["http", "https"]), st.text(max_size=20))
def test_nothing_a_server_sends_raises(fields: list[str], scheme: str, path: str) -> None:
    store = CookieStore()
    store.receive(fields, scheme, "example.org", path, NOW)
    header = sent(store, scheme, "example.org", path)
    assert header is None or not set(header) & set("\r\n\0")


def test_beside_another_store_its_names_win() -> None:
    own, client = CookieStore(), CookieStore()
    for store, name, path in ((own, "a", "/"), (own, "b", "/x"), (client, "a", "/"), (client, "c", "/")):
        store.add(Cookie(name, "own" if store is own else "client", path=path))
    assert own.header_for("https", "h.example", "/x", NOW, beside=client) == "b=own; c=client; a=own"
    assert own.header_for("https", "h.example", "/", NOW, beside=client) == "c=client; a=own"
    assert CookieStore().header_for("https", "h.example", "/", NOW, beside=client) == "a=client; c=client"
    assert CookieStore().header_for("https", "h.example", "/", NOW, beside=CookieStore()) is None


# Limits


def with_limits(**limits: int) -> CookieStore:
    return CookieStore(limits=Limits(**limits))  # type: ignore[arg-type]


def names_of(store: CookieStore) -> list[str]:
    return [cookie.name for cookie in store]


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({}, ["a", "b", "c"]),
        ({"max_cookies_per_host": 2}, ["b", "c"]),
        ({"max_cookies_per_host": 0}, []),
        ({"max_cookies": 2}, ["b", "c"]),
        ({"max_cookies": 0}, []),
        ({"max_cookie_size": 3}, ["a", "c"]),
        ({"max_cookie_size": 0}, []),
    ],
)
def test_how_much_is_kept_is_the_users_to_say(limits: dict[str, int], kept: list[str]) -> None:
    store = with_limits(**limits)
    store.add(Cookie("mine", "1" * 9, "example.org"))  # neither counted nor lost
    store.receive(["a=12", "b=123", "c=1"], "https", "example.org", "/", NOW)
    assert names_of(store) == ["mine", *kept]
    assert store.copy().limits is store.limits
    assert pickle.loads(pickle.dumps(store)).limits == store.limits


@pytest.mark.parametrize(
    ("most", "header"),
    [(0, None), (3, "a=1"), (7, "a=1"), (8, "a=1; b=2"), (9, "a=1; b=2"), (100, "a=1; b=2")],
)
def test_how_much_is_sent_is_the_users_to_say(most: int, header: str | None) -> None:
    store = with_limits(max_cookie_header=most)
    store.receive(["a=1", "b=2"], "https", "example.org", "/", NOW)
    assert sent(store, "https", "example.org") == header
    own = with_limits(max_cookie_header=most)
    own.add(Cookie("a", "1" * 200, "example.org"))
    assert sent(own, "https", "example.org") == "a=" + "1" * 200


def test_a_size_is_one_of_bytes() -> None:
    store = with_limits(max_cookie_size=4)
    store.receive(["a=éé", "b=é"], "https", "example.org", "/", NOW)
    assert names_of(store) == ["b"]


def test_ten_thousand_fields_leave_as_many_as_the_limits_say() -> None:
    fields = [f"c{number}=1; domain=b.example.org" for number in range(10_000)]  # the wire takes 1,000
    store = CookieStore()
    store.receive(fields, "https", "a.b.example.org", "/", NOW)
    assert names_of(store) == [f"c{number}" for number in range(9950, 10_000)]


def test_ten_thousand_attributes_and_semicolons() -> None:
    many = ";".join(f"{'x' * (number % 40)}{number}=y" for number in range(10_000))
    store = stored("a=1;" + many + ";secure", "b=2" + ";" * 60_000, "c=3" + "; path=/x" * 7000, ";" * 60_000)
    assert [(cookie.name, cookie.secure, cookie.path) for cookie in store] == [
        ("a", True, "/"), ("b", False, "/"), ("c", False, "/x"),
    ]  # fmt: skip


class Counted(dict[str, object]):
    """Counts how often all that is in it is gone through."""

    walks = 0

    def items(self) -> Any:
        type(self).walks += 1
        return super().items()


def test_over_http_the_secure_cookies_are_looked_for_once() -> None:
    store = CookieStore()
    for number in range(100):
        store.receive(["s=1; secure; path=/x"], "https", f"h{number}.example.org", "/", NOW)
    store._shelves = Counted(store._shelves)  # type: ignore[assignment]
    fields = [f"s=2; domain=example.org; path=/x/{number}" for number in range(300)]
    store.receive(fields, "http", "a.example.org", "/", NOW)
    assert len(store) == 100
    assert Counted.walks == 1


def test_what_http_may_not_hide_is_what_would_go_along() -> None:
    paths = ["/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/a//b", "/a/b/c"]
    for old in paths:
        for new in paths:
            store = stored(f"s=1; secure; path={old}")
            store.receive([f"s=2; path={new}"], "http", "example.org", "/", NOW)
            goes_along = sent(stored(f"s=1; path={old}"), "https", "example.org", new) is not None
            assert (len(store) == 1 and next(iter(store)).secure) is goes_along, (old, new)


# Public suffixes


LIST = frozenset(("org", "uk", "co.uk", "github.io", "io"))


class Suffixes:
    """A list of a few, that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, domain: str) -> bool:
        self.asked.append(domain)
        return domain in LIST


@pytest.mark.parametrize(
    ("domain", "host", "kept", "asked"),
    [
        (None, "shop.co.uk", "shop.co.uk", []),
        ("", "shop.co.uk", "shop.co.uk", []),
        ("co.uk", "shop.co.uk", None, ["co.uk"]),
        (".CO.uk", "shop.co.uk", None, ["co.uk"]),
        ("co.UK.", "shop.co.uk", None, []),
        ("co.uk.", "shop.co.uk.", None, ["co.uk"]),
        ("shop.co.uk", "www.shop.co.uk", ".shop.co.uk", ["shop.co.uk"]),
        ("shop.co.uk", "shop.co.uk", ".shop.co.uk", ["shop.co.uk"]),
        ("github.io", "me.github.io", None, ["github.io"]),
        ("me.github.io", "me.github.io", ".me.github.io", ["me.github.io"]),
        ("github.io", "github.io", "github.io", ["github.io"]),  # host-only: users of it must not see it
        ("other.example", "shop.co.uk", None, []),
        ("uk", "co.uk.example", None, []),
        ("192.0.2.1", "192.0.2.1", "192.0.2.1", []),
        ("2.1", "192.0.2.1", None, []),
        ("::1", "::1", "::1", []),
        ("fe80::1%a.co.uk", "x.fe80::1%a.co.uk", None, []),
    ],
)
def test_nobody_sets_cookies_for_a_public_suffix(
    domain: str | None, host: str, kept: str | None, asked: list[str]
) -> None:
    suffixes = Suffixes()
    store = CookieStore(is_public_suffix=suffixes)
    store.receive(["a=1" if domain is None else f"a=1; Domain={domain}"], "https", host, "/", NOW)
    assert [cookie.domain for cookie in store] == ([] if kept is None else [kept])
    assert [cookie.host_only for cookie in store] == ([] if kept is None else [kept == host])
    assert suffixes.asked == asked


def test_by_default_that_is_what_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ambient, "_public_suffix", Suffixes())
    store = stored("a=1; domain=co.uk", "b=1; domain=shop.co.uk", url=("https", "shop.co.uk", "/"))
    assert names_of(store) == ["b"]
