"""What servers may put into a client's cookies, and into a jar of the standard library that it uses."""

from __future__ import annotations

import http.cookiejar
import pickle
from pathlib import Path
from typing import Any

import pytest

import httpure

URL = "https://shop.example/"


def setting(count: int, *more: tuple[str, str]) -> httpure.MockTransport:
    fields = [("Set-Cookie", f"c{number}=1") for number in range(count)]
    return httpure.MockTransport(lambda request: httpure.Response(200, headers=[*fields, *more]))


def test_servers_fill_no_jar() -> None:
    """What they set is limited, whoever uses the jar; what it was loaded with is neither counted nor lost."""
    jar = http.cookiejar.CookieJar()
    loaded = httpure.Cookies(jar)
    for number in range(60):
        loaded.set(f"own{number}", "1", domain="shop.example")
    for _ in range(2):
        httpure.Client(cookies=jar, transport=setting(70)).get(URL)
    names = [cookie.name for cookie in jar]
    assert sum(name.startswith("own") for name in names) == 60
    assert names[60:] == [f"c{number}" for number in range(20, 70)]
    limits = httpure.Limits(max_cookies=3)
    with httpure.Client(cookies=jar, limits=limits, transport=setting(5, ("Set-Cookie", "z=1"))) as client:
        client.get(URL)
        assert [cookie.name for cookie in jar][60:] == ["c3", "c4", "z"]
        client.cookies.delete("z")
        client.get(URL)
        client.cookies.clear()
        assert len(jar) == 0


def test_of_a_large_jar_a_request_gets_its_own() -> None:
    jar = http.cookiejar.CookieJar()
    cookies = httpure.Cookies(jar)
    for domain in (
        "shop.example",
        ".shop.example",
        "www.shop.example",
        "example",
        "other.example",
        "Shop.Example",
        "",
    ):
        cookies.set(f"in-{domain}", "1", domain=domain)
    header = httpure.Request("GET", URL, cookies=cookies).headers["Cookie"]
    assert set(header.split("; ")) == {
        f"in-{domain}=1" for domain in ("shop.example", ".shop.example", "example", "Shop.Example", "")
    }


@pytest.mark.parametrize("kind", [http.cookiejar.MozillaCookieJar, http.cookiejar.LWPCookieJar])
def test_host_only_stays_host_only_through_a_file(tmp_path: Path, kind: Any) -> None:
    jar = kind(tmp_path / "cookies.txt")
    fields = ["host=1; Max-Age=99", "all=1; Max-Age=99; Domain=shop.example", "tls=1; Max-Age=99; Secure"]
    headers = [("Set-Cookie", field) for field in fields]
    httpure.Cookies(jar).extract_cookies(
        httpure.Response(200, headers=headers, request=httpure.Request("GET", URL))
    )
    jar.save()
    again = kind(tmp_path / "cookies.txt")
    again.load()
    for cookies in (httpure.Cookies(again), pickle.loads(pickle.dumps(httpure.Cookies(again)))):
        for url, header in (
            (URL, {"host=1", "all=1", "tls=1"}),
            (URL.replace("https", "http"), {"host=1", "all=1"}),
            (URL.replace("//", "//www."), {"all=1"}),
        ):
            assert set(httpure.Request("GET", url, cookies=cookies).headers["Cookie"].split("; ")) == header


def test_limits_of_a_client_are_those_of_its_cookies() -> None:
    few, fewer = httpure.Limits(max_cookies_per_host=3), httpure.Limits(max_cookies_per_host=2)
    with httpure.Client(limits=few, transport=setting(9)) as client:
        response = client.get(URL)
        assert list(client.cookies) == list(response.cookies) == ["c6", "c7", "c8"]
        client.cookies = {"own": "1"}
        client.get(URL)
        assert len(client.cookies) == 4
        with httpure.Client(cookies=client.cookies, transport=setting(9)) as other:
            assert other.cookies.store.limits is few, "it has chosen none of its own"
        with httpure.Client(cookies=client.cookies, limits=fewer) as other:
            assert other.cookies.store.limits is fewer
        assert client.cookies.store.limits is few
    assert httpure.Cookies().store.limits is httpure.Client().cookies.store.limits
    assert httpure.Cookies(limits=few).store.limits is httpure.Cookies({}, limits=few).store.limits is few
