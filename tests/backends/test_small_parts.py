"""Small parts of the face: detection of the event loop, netrc files, the view of the cookies as a jar."""

from __future__ import annotations

import asyncio
import http.cookiejar
import netrc as stdlib_netrc
import os
import pickle
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import trio

import httpure
from httpure._detection import running_backend

from .fresh import fresh

# _detection


async def _backend() -> str:
    return running_backend().name


def test_detection() -> None:
    assert asyncio.run(_backend()) == "asyncio"
    assert trio.run(_backend) == "trio"
    with pytest.raises(RuntimeError, match=r"none is running here. Use httpure\.Client in blocking code"):
        running_backend()


def test_detection_of_trio_within_asyncio() -> None:
    """The one whose coroutine it is runs, whatever runs around it."""

    async def outer() -> tuple[str, str]:
        return trio.run(_backend), await _backend()

    assert asyncio.run(outer()) == ("trio", "asyncio")


def test_detection_in_a_worker_thread() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="none is running"):
            await asyncio.to_thread(running_backend)

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [("asyncio", "trio"), ("trio", "asyncio")])
def test_detection_imports_no_library(server: str, one: str, other: str) -> None:
    """trio itself imports parts of asyncio; nobody else's backend is imported in any case."""
    code = """if True:
        import sys, httpure
        async def main():
            async with httpure.AsyncClient() as client:
                assert (await client.get(sys.argv[1])).status_code == 200
        if sys.argv[2] == "trio":
            import trio
            trio.run(main)
        else:
            import asyncio
            asyncio.run(main())
        print(sys.argv[3] in sys.modules, f"httpure.{sys.argv[3]}" in sys.modules)
    """
    imported = fresh(code, server, one, other).split()
    assert imported[1] == "False"
    if other == "trio":
        assert imported[0] == "False"


def test_coroutine_driven_by_hand() -> None:
    """No event loop: the error says so, and nothing is leaked."""
    client = httpure.AsyncClient()
    coroutine = client.get("http://127.0.0.1:1/")
    with pytest.raises(RuntimeError, match="event loop of asyncio or trio"):
        coroutine.send(None)


# _netrc

NETRC = "machine 127.0.0.1 login ada password secret\n"


@pytest.fixture
def netrc(tmp_path: Path) -> str:
    path = tmp_path / "netrc"
    path.write_text(NETRC, encoding="utf-8")
    return str(path)


def authorization(auth: httpure.Auth, url: str) -> str:
    def echo(request: httpure.Request) -> httpure.Response:
        return httpure.Response(200, text=request.headers.get("authorization", "none"))

    with httpure.Client(transport=httpure.MockTransport(echo), auth=auth) as client:
        return client.get(url).text


def test_netrc_file(netrc: str) -> None:
    auth = httpure.NetRCAuth(netrc)
    assert authorization(auth, "http://127.0.0.1/") == "Basic YWRhOnNlY3JldA=="
    assert authorization(auth, "http://example.org/") == "none"


def test_netrc_of_the_environment(netrc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", netrc)
    assert authorization(httpure.NetRCAuth(), "http://127.0.0.1/") == "Basic YWRhOnNlY3JldA=="
    with pytest.raises(FileNotFoundError):
        httpure.NetRCAuth(netrc + ".missing")  # the argument comes first


def test_netrc_of_the_home_folder(netrc: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="netrc"):
        httpure.NetRCAuth()
    os.rename(netrc, tmp_path / ".netrc")
    (tmp_path / ".netrc").chmod(0o600)
    assert authorization(httpure.NetRCAuth(), "http://127.0.0.1/") == "Basic YWRhOnNlY3JldA=="


@pytest.mark.skipif(os.name != "posix", reason="Other systems have other permissions.")
def test_netrc_of_the_home_folder_is_for_its_owner_only(
    netrc: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with the netrc module, where there is a password in it that is a secret."""
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = Path(netrc).rename(tmp_path / ".netrc")
    usual.chmod(0o640)
    with pytest.raises(stdlib_netrc.NetrcParseError, match=r"others may read it: run chmod 600 /.*/\.netrc$"):
        httpure.NetRCAuth()
    assert httpure.NetRCAuth(str(usual)), "whoever names a file knows what they do"
    usual.chmod(0o600)
    monkeypatch.setattr(os, "getuid", lambda: usual.stat().st_uid + 1)
    with pytest.raises(stdlib_netrc.NetrcParseError, match="it belongs to another user: run chown "):
        httpure.NetRCAuth()
    usual.write_text("machine a login ada\ndefault login anonymous password guest", encoding="utf-8")
    usual.chmod(0o644)
    assert httpure.NetRCAuth()


def test_netrc_file_that_is_none(netrc: str) -> None:
    """The error is the one of the netrc module, as httpx's documentation says, and a ValueError as ours does."""
    Path(netrc).write_text("machine a\nhush x", encoding="utf-8")
    with pytest.raises(stdlib_netrc.NetrcParseError) as caught:
        httpure.NetRCAuth(netrc)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == (
        f"This is no netrc file: expected machine, default, login, password or account ({netrc}, line 2)"
    )
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.filename, error.lineno, str(error)) == (netrc, 2, str(caught.value))


def test_netrc_shows_no_password(netrc: str) -> None:
    assert "secret" not in repr(vars(httpure.NetRCAuth(netrc)))


# _jar


def received(*fields: str, url: str = "https://www.example.org/dir/page") -> httpure.Cookies:
    cookies = httpure.Cookies()
    request = httpure.Request("GET", url)
    cookies.extract_cookies(
        httpure.Response(200, headers=[("Set-Cookie", field) for field in fields], request=request)
    )
    return cookies


def test_jar_shows_the_cookies() -> None:
    cookies = received("a=1; Path=/; Secure; HttpOnly; Max-Age=100", "b=2; Domain=example.org")
    cookies.set("c", "3")
    jar = cookies.jar
    assert isinstance(jar, http.cookiejar.CookieJar)
    assert len(jar) == 3
    seen = {cookie.name: cookie for cookie in jar}
    assert seen["a"].value == "1" and seen["a"].secure and seen["a"].has_nonstandard_attr("HttpOnly")
    assert seen["a"].domain == "www.example.org" and not seen["a"].domain_specified
    assert not seen["a"].discard and seen["a"].expires and not seen["a"].is_expired()
    assert seen["b"].domain == ".example.org" and seen["b"].domain_specified and seen["b"].discard
    assert seen["b"].path == "/dir"
    assert "a" in repr(jar)


def test_jar_is_a_view() -> None:
    cookies = httpure.Cookies()
    jar = cookies.jar
    jar.set_cookie(next(iter(received("a=1; Domain=example.org").jar)))
    assert dict(cookies) == {"a": "1"}
    cookies.set("b", "2", domain="example.org")
    assert {cookie.name for cookie in jar} == {"a", "b"}
    jar.clear(".example.org", "/dir", "a")
    assert dict(cookies) == {"b": "2"}
    jar.clear()
    assert len(jar) == 0 and not cookies


def test_jar_is_emptied_in_part() -> None:
    cookies = received("a=1", "b=2; Max-Age=1000")
    cookies.set("c", "3", domain="other.test")
    cookies.jar.clear_session_cookies()
    assert dict(cookies) == {"b": "2"}
    cookies.set("c", "3", domain="other.test")
    cookies.jar.clear("other.test")
    assert dict(cookies) == {"b": "2"}


def test_jar_serves_urllib() -> None:
    """The standard library can fill it, and be filled from it."""
    cookies = received("a=1")
    request = urllib.request.Request("https://www.example.org/dir/other")
    cookies.jar.add_cookie_header(request)
    assert request.get_header("Cookie") == "a=1"


@pytest.mark.parametrize("make", [http.cookiejar.CookieJar, lambda: httpure.Cookies().jar])
def test_cookies_of_a_jar(make: Any) -> None:
    jar = make()
    for cookie in received("a=1; Secure", "b=2; Domain=example.org; Path=/").jar:
        jar.set_cookie(cookie)
    cookies = httpure.Cookies(jar)
    request = httpure.Request("GET", "https://www.example.org/dir/page")
    cookies.set_cookie_header(request)
    assert request.headers["cookie"] == "a=1; b=2"
    jar.clear()
    assert len(cookies) == 0


@pytest.mark.slow
def test_no_jar_no_import() -> None:
    code = """if True:
        import sys, httpure
        httpure.Client(cookies={"a": "1"}).close()
        assert "http.cookiejar" not in sys.modules
        httpure.Cookies().jar
        assert "http.cookiejar" in sys.modules
    """
    assert fresh(code) == ""
    assert "http.cookiejar" in sys.modules  # in this process it is
