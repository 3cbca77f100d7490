"""What a stranger sees of a request's secrets after a redirect: nothing, however they came into it, nor later on.

Home leads to a stranger, and that back home. On each backend, secrets that stand in headers are in
tests/behaviour/test_redirects.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import httpure

HOME, STRANGER = "https://home.example", "https://stranger.example"
CHALLENGE = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}


class Signed(httpure.Auth):
    """Adds a field whose name says nothing, another cookie, and changes a field that was there."""

    def auth_flow(self, request: httpure.Request) -> Any:
        request.headers.update({"X-Mark": "hush", "Accept": "hush"})
        request.headers["Cookie"] = "a=hush"
        yield request


def sign(request: httpure.Request) -> httpure.Request:
    request.headers["X-Mark"] = "hush"
    return request


def netrc(folder: Path) -> httpure.NetRCAuth:
    file = folder / "netrc"
    file.write_text("machine home.example login me password hush\ndefault login me password hush2\n")
    return httpure.NetRCAuth(str(file))


class Places:
    """Home, which may ask for Digest, and the stranger; every request is kept, with what it was sent with."""

    def __init__(self, asks: bool = False) -> None:
        self.asks = asks
        self.seen: list[tuple[str, list[tuple[bytes, bytes]], str]] = []

    def __call__(self, request: httpure.Request) -> httpure.Response:
        self.seen.append((request.url.host, request.headers.raw, str(request.url)))
        if request.url.host == "stranger.example":
            return httpure.Response(302, headers={"Location": f"{HOME}/back"})
        if self.asks and "Authorization" not in request.headers:
            return httpure.Response(401, headers=CHALLENGE)
        if request.url.path == "/back":
            return httpure.Response(200)
        return httpure.Response(302, headers={"Location": f"{STRANGER}/"})

    def secrets(self) -> list[bool]:
        """Whether each request had one."""
        return [
            "hush" in f"{fields}{url}" or b"Authorization" in dict(fields) for _, fields, url in self.seen
        ]


SECRETS: dict[str, dict[str, Any]] = {
    "pair": {"auth": ("me", "hush")},
    "class": {"auth": Signed()},
    "function": {"auth": sign},
    "cookies": {"cookies": {"a": "hush"}},
    "cookie header": {"headers": {"Cookie": "a=hush"}},
    "authorization": {"headers": {"AUTHORIZATION": "hush"}},
    "proxy": {"headers": {"proxy-authorization": "hush"}},
    "key": {"headers": {"X-Api-Key": "hush"}},
    "session": {"headers": {"X-Session-Id": "hush"}},
    "named": {"headers": {"X-Mine": "hush"}},
}


@pytest.mark.parametrize("secret", [*SECRETS, "netrc", "url"])
def test_a_stranger_sees_none_and_nobody_after_it(secret: str, tmp_path: Path) -> None:
    given = {"auth": netrc(tmp_path)} if secret == "netrc" else SECRETS.get(secret, {})
    url = HOME.replace("//", "//me:hush@") if secret == "url" else HOME
    places = Places()
    with httpure.Client(transport=httpure.MockTransport(places), sensitive_headers=["x-mine"]) as client:
        response = client.get(url, follow_redirects=True, **given)
        assert [host for host, _, _ in places.seen] == ["home.example", "stranger.example", "home.example"]
        assert places.secrets() == [True, False, False]
        assert response.status_code == 200
        places.seen.clear()
        by_hand = client.get(url, **given)  # who follows step by step gets the same
        while by_hand.next_request is not None:
            by_hand = client.send(by_hand.next_request)
        assert places.secrets() == [True, False, False]


def test_what_the_client_always_sends_by_itself_is_no_strangers_either() -> None:
    places = Places()
    with httpure.Client(transport=httpure.MockTransport(places), auth=("me", "hush")) as client:
        response = client.get(HOME)
        while response.next_request is not None:
            response = client.send(response.next_request)
    assert places.secrets() == [True, False, False]


def test_digest_answers_home_and_nobody_who_leads_there() -> None:
    places = Places(asks=True)
    with httpure.Client(transport=httpure.MockTransport(places), follow_redirects=True) as client:
        response = client.get(HOME, auth=httpure.DigestAuth("me", "hush"))
    assert [host.partition(".")[0] for host, _, _ in places.seen] == ["home", "home", "stranger", "home"]
    assert places.secrets() == [False, True, False, False]
    assert response.status_code == 401, "the stranger has chosen what to ask for, and home asks who that is"


def test_a_stranger_that_asks_is_not_answered() -> None:
    def app(request: httpure.Request) -> httpure.Response:
        if request.url.host == "home.example":
            return httpure.Response(302, headers={"Location": STRANGER})
        return httpure.Response(
            401, headers=CHALLENGE | {"X-Saw": request.headers.get("authorization", "nothing")}
        )

    with httpure.Client(transport=httpure.MockTransport(app), follow_redirects=True) as client:
        for auth in (httpure.DigestAuth("me", "hush"), ("me", "hush")):
            response = client.get(HOME, auth=auth)
            assert (response.status_code, response.headers["X-Saw"]) == (401, "nothing")


def test_names_that_a_client_calls_sensitive_are_not_shown() -> None:
    with httpure.Client(sensitive_headers=["X-Very-Own"], headers={"X-Very-Own": "hush"}) as client:
        request = client.build_request("GET", HOME, headers={"x-very-own": "hush"})
        assert "hush" not in f"{client.headers!r}{request.headers!r}"
        assert request.headers["X-Very-Own"] == "hush"
        for wrong in ([b"X-Own"], [5]):
            with pytest.raises(TypeError, match="sensitive_headers is a list of names, which are text"):
                client.sensitive_headers = wrong  # type: ignore[assignment]
