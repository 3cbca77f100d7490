"""`Cookies` as people use it: a mapping with domains."""

from __future__ import annotations

import copy
import enum
import http.cookiejar
import pickle
import time
from typing import Any

import pytest

from httpure_core import ambient
from httpure_core.errors import CookieConflict
from httpure_core.limits import DEFAULT_LIMITS, Limits
from httpure_core.models import cookies as module
from httpure_core.models.cookie_store import CookieStore
from httpure_core.models.cookies import Cookies, install_jar_view, kept_cookies, set_cookies
from httpure_core.models.request import Request
from httpure_core.models.response import Response


def response(*fields: str, url: str = "https://example.org/dir/page?q=/x/") -> Response:
    headers = [("Set-Cookie", field) for field in fields]
    return Response(200, headers=headers, request=Request("GET", url))


def header(cookies: Cookies, url: str) -> str | None:
    request = Request("GET", url)
    cookies.set_cookie_header(request)
    return request.headers.get("Cookie")


@pytest.mark.parametrize(
    "given", [{"a": "1", "b": "2"}, [("a", "1"), ("b", "2")], Cookies({"a": "1", "b": "2"})]
)
def test_what_cookies_are_made_of(given: Any) -> None:
    cookies = Cookies(given)
    assert dict(cookies) == {"a": "1", "b": "2"}
    assert cookies == Cookies({"b": "2", "a": "1"})
    assert header(cookies, "http://anywhere/") == "a=1; b=2"


def test_no_cookies() -> None:
    cookies = Cookies()
    assert not cookies and len(cookies) == 0 and list(cookies) == []
    assert header(cookies, "https://example.org/") is None


@pytest.mark.parametrize("given", ["a=1", b"a=1", 5, [("a",)], ["ab"], [7]])
def test_what_cookies_are_not_made_of(given: Any) -> None:
    with pytest.raises(TypeError, match="okies"):
        Cookies(given)


class Flavour(str, enum.Enum):  # noqa: UP042 - whose str() is another
    MINT = "mint"


def test_texts_of_a_kind_of_their_own_are_sent_as_what_they_say() -> None:
    cookies = Cookies({Flavour.MINT: Flavour.MINT})
    request = Request("GET", "https://example.org/")
    cookies.set_cookie_header(request)
    assert request.headers["Cookie"] == "mint=mint"
    assert type(cookies["mint"]) is str


@pytest.mark.parametrize("part", ["name", "value", "domain", "path"])
def test_parts_are_text(part: str) -> None:
    parts: Any = {"name": "n", "value": "hush", part: 5}
    with pytest.raises(TypeError, match=f"{part}( of cookie 'n')? must be str, not int"):
        Cookies().set(**parts)


def test_header_injection_is_refused() -> None:
    with pytest.raises(ValueError, match="control") as caught:
        Cookies({"a": "hush\r\nX: y"})
    assert "hush" not in str(caught.value)


def test_mapping_methods() -> None:
    cookies = Cookies()
    cookies["a"] = "1"
    cookies.update({"b": "2"})
    cookies.update(None)
    cookies.update()
    assert cookies["a"] == "1" and "b" in cookies and "c" not in cookies and len(cookies) == 2 and cookies
    assert cookies.get("c") is None and cookies.get("c", "x") == "x"
    del cookies["a"]
    del cookies["a"]
    assert cookies.pop("b") == "2"
    with pytest.raises(KeyError):
        cookies["b"]


def test_domains_and_paths_tell_cookies_apart() -> None:
    cookies = Cookies()
    cookies.set("a", "1", domain="example.org")
    cookies.set("a", "2", domain="example.com", path="/x")
    cookies.set("a", "3", domain="example.com", path="/y")
    with pytest.raises(CookieConflict, match="3 cookies are named 'a'") as caught:
        cookies.get("a")
    assert "example.org" in str(caught.value)
    assert cookies.get("a", domain="example.org") == "1"
    assert cookies.get("a", domain="EXAMPLE.com", path="/y") == "3"
    assert cookies.get("a", path="/x") == "2"
    assert cookies.get("a", domain="") is None
    cookies.delete("a", domain="example.com", path="/y")
    with pytest.raises(KeyError):
        cookies.delete("a", domain="example.com", path="/y")
    cookies.delete("a", domain="nowhere.example")
    cookies.delete("a", domain="example.com")
    assert cookies["a"] == "1"


def test_the_hosts_own_cookie_before_that_of_its_domain() -> None:
    cookies = Cookies()
    cookies.extract_cookies(
        response("a=host", "a=domain; domain=example.org", "b=domain; domain=example.org")
    )
    assert cookies.get("a", domain="example.org") == "host"
    assert cookies.get("a", domain=".example.org") == "domain"
    assert cookies.get("b", domain="example.org") == "domain"


def test_clearing() -> None:
    cookies = Cookies()
    for domain, path in (("a.example", "/"), ("a.example", "/x"), ("b.example", "/")):
        cookies.set("n", path, domain, path)
    cookies.clear(domain="a.example", path="/x")
    assert len(cookies) == 2
    cookies.clear(domain="a.example")
    assert len(cookies) == 1
    with pytest.raises(KeyError):
        cookies.clear(domain="a.example")
    with pytest.raises(KeyError):
        cookies.clear(domain="b.example", path="/z")
    with pytest.raises(ValueError, match="domain"):
        cookies.clear(path="/")
    cookies.clear()
    assert not cookies


def test_a_response_sets_cookies() -> None:
    cookies = Cookies()
    cookies.extract_cookies(response())
    assert not cookies
    cookies.extract_cookies(response("a=1", "b=2; Path=/; Secure"))
    assert header(cookies, "https://example.org/dir/other") == "a=1; b=2"
    assert header(cookies, "https://example.org/x/") == "b=2"
    assert header(cookies, "http://example.org/dir/") == "a=1"
    assert header(cookies, "https://example.com/") is None


def test_a_cookie_header_of_the_user_stays() -> None:
    request = Request("GET", "https://example.org/", headers={"Cookie": "mine=1"})
    Cookies({"a": "1"}).set_cookie_header(request)
    assert request.headers["Cookie"] == "mine=1"


def test_values_beyond_ascii_never_crash() -> None:
    cookies = Cookies()
    cookies.extract_cookies(
        Response(200, headers=[(b"Set-Cookie", b"a=\xff\xfe")], request=Request("GET", "https://h.example/"))
    )
    cookies.set("b", "ü")
    assert header(cookies, "https://h.example/") is not None


def test_expired_cookies_are_not_there() -> None:
    cookies = Cookies()
    cookies.extract_cookies(response("a=1; max-age=10", "b=2"))
    assert set(cookies) == {"a", "b"} and len(cookies) == 2
    later = time.time() + 11
    ambient.install(wall_time=lambda: later)
    try:
        assert list(cookies) == ["b"] and cookies.get("a") is None and cookies
        cookies.delete("b")
        assert not cookies
    finally:
        ambient.install(wall_time=time.time)


def test_what_was_given_is_copied() -> None:
    first = Cookies({"a": "1"})
    second = Cookies(first)
    third = Cookies()
    third.update(first)
    first["a"] = "changed"
    assert second["a"] == third["a"] == "1"


def test_order_survives_an_update() -> None:
    first, second = Cookies({"x": "1"}), Cookies({"a": "1", "x": "2", "b": "1"})
    first.update(second)
    assert header(first, "https://h.example/") == "x=2; a=1; b=1"
    assert header(second, "https://h.example/") == "a=1; x=2; b=1"


def test_cookie_objects_of_a_store_are_taken() -> None:
    first = Cookies()
    first.extract_cookies(response("a=1; secure"))
    assert header(Cookies(list(first.store)), "http://example.org/dir/") is None


def test_a_cookie_jar_is_taken_with_all_it_knows() -> None:
    def entry(name: str, domain: str, specified: bool, **more: Any) -> http.cookiejar.Cookie:
        known: dict[str, Any] = {
            "secure": False,
            "expires": None,
            "rest": {},
            "path": "/",
            "value": "1",
        } | more
        return http.cookiejar.Cookie(
            version=0, name=name, port=None, port_specified=False, domain=domain, domain_specified=specified,
            domain_initial_dot=domain.startswith("."), path_specified=True, discard=True, comment=None,
            comment_url=None, **known,
        )  # fmt: skip

    jar = http.cookiejar.CookieJar()
    jar.set_cookie(entry("everywhere", "", False, value=None))
    jar.set_cookie(
        entry("host", "example.org", False, secure=True, rest={"HttpOnly": None, "SameSite": "Lax"})
    )
    jar.set_cookie(entry("domain", ".example.org", True, path="/x", expires=4_000_000_000))
    cookies = Cookies(jar)
    assert header(cookies, "https://example.org/x") == "domain=1; everywhere=; host=1"
    assert header(cookies, "http://www.example.org/") == "everywhere="
    assert {cookie.name: cookie.same_site for cookie in cookies.store}["host"] == "Lax"
    assert {cookie.name: cookie.http_only for cookie in cookies.store} == {
        "everywhere": False, "host": True, "domain": False,
    }  # fmt: skip


def test_objects_that_say_less_than_a_cookie_jars() -> None:
    class Plain:
        name, value = "a", "1"

    assert header(Cookies([Plain()]), "http://h.example/") == "a=1"


def test_copies_and_pickles() -> None:
    cookies = Cookies()
    cookies.extract_cookies(response("a=1; secure; max-age=100"))
    for other in (copy.copy(cookies), copy.deepcopy(cookies), pickle.loads(pickle.dumps(cookies))):
        other["b"] = "2"
        assert header(other, "https://example.org/dir/") == "a=1; b=2"
    assert "b" not in cookies


def test_no_value_is_shown() -> None:
    cookies = Cookies({"a": "hush"})
    cookies.set("b", "hush", domain="example.org")
    assert (
        repr(cookies)
        == "<Cookies[<Cookie a=[secure] for every host/>, <Cookie b=[secure] for example.org/>]>"
    )


def test_the_jar_is_the_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_jar_view", module._no_jar_view)
    monkeypatch.setattr(module, "_store_of_jar", module._no_store)
    cookies = Cookies({"a": "1"})
    with pytest.raises(RuntimeError, match="install_jar_view"):
        cookies.jar  # noqa: B018
    made = []
    install_jar_view(lambda cookies: made.append(cookies) or "view")
    assert (cookies.jar, cookies.jar, made) == ("view", "view", [cookies])
    assert dict(Cookies([("b", "2")])) == {"b": "2"}


def test_the_faces_store_stands_on_a_jar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_jar_view", module._jar_view)
    monkeypatch.setattr(module, "_store_of_jar", module._store_of_jar)
    store = CookieStore()
    install_jar_view(module._jar_view, lambda given: store if given == "jar" else None)
    cookies = Cookies("jar")  # type: ignore[arg-type]
    assert cookies.store is store
    assert cookies.jar == "jar"


def test_kept_or_not() -> None:
    cookies = Cookies()
    cookies.persist = False
    cookies.extract_cookies(response("a=1"))
    assert not cookies
    assert Cookies(cookies).persist is False
    cookies.persist = True
    cookies.extract_cookies(response("a=1"))
    assert dict(cookies) == {"a": "1"}


class TestOfOneRequest:
    """`cookies=` of a request, beside those of its client."""

    def request(self, **given: Any) -> Request:
        return Request("GET", "https://example.org/dir/page", **given)

    def test_nobody_has_any(self) -> None:
        request = self.request()
        set_cookies(request, None)
        set_cookies(request, Cookies())
        assert "cookie" not in request.headers

    def test_the_clients_alone(self) -> None:
        request = self.request()
        set_cookies(request, Cookies({"a": "1"}))
        assert request.headers["cookie"] == "a=1"

    def test_its_own_alone(self) -> None:
        assert self.request(cookies={"a": "1"}).headers["cookie"] == "a=1"
        assert "cookie" not in self.request(cookies={}).headers

    def test_a_name_of_its_own_hides_the_clients(self) -> None:
        client = Cookies({"a": "1", "b": "2"})
        client.extract_cookies(response("a=3", "c=4; Path=/"))
        request = self.request()
        request._cookies = Cookies({"a": "5", "d": "6"})
        set_cookies(request, client)
        assert request.headers["cookie"] == "b=2; c=4; a=5; d=6"

    def test_the_longer_path_still_comes_first(self) -> None:
        client = Cookies()
        client.extract_cookies(response("a=1; Path=/", "b=2; Path=/dir"))
        request = self.request()
        request._cookies = Cookies({"c": "3"})
        set_cookies(request, client)
        assert request.headers["cookie"] == "b=2; a=1; c=3"

    def test_one_for_another_host_hides_nothing(self) -> None:
        own = Cookies()
        own.set("a", "5", domain="other.example")
        request = self.request()
        request._cookies = own
        set_cookies(request, Cookies({"a": "1"}))
        assert request.headers["cookie"] == "a=1"
        alone = self.request(cookies=own)
        assert "cookie" not in alone.headers

    def test_a_header_that_is_there_stays(self) -> None:
        request = self.request(cookies={"a": "1"}, headers={"Cookie": "own=1"})
        set_cookies(request, Cookies({"b": "2"}))
        assert request.headers["cookie"] == "own=1"

    def test_what_a_response_sets_takes_its_place(self) -> None:
        own = Cookies({"a": "1", "b": "2"})
        assert kept_cookies(None, response("a=3")) is None
        assert kept_cookies(own, response()) is own
        kept = kept_cookies(own, response("a=; Max-Age=0", "c=3", "=nameless", "\x01"))
        assert kept is not None
        assert dict(kept) == {"b": "2"}
        assert dict(own) == {"a": "1", "b": "2"}


def test_limits_are_those_given_or_those_that_cookies_bring_along() -> None:
    few, fewer = Limits(max_cookies_per_host=3), Limits(max_cookies_per_host=2)
    assert Cookies().store.limits is Cookies({"a": "1"}).store.limits is DEFAULT_LIMITS
    cookies = Cookies({"a": "1"}, limits=few)
    assert cookies.store.limits is Cookies(cookies).store.limits is few
    assert Cookies(cookies, limits=fewer).store.limits is fewer
    assert cookies.store.limits is few
    request = Request("GET", "https://example.org/")
    fields = [("Set-Cookie", f"c{number}=1") for number in range(9)]
    cookies.extract_cookies(Response(200, headers=fields, request=request))
    assert list(cookies) == ["a", "c6", "c7", "c8"]
