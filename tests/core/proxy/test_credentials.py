"""Who we are to a proxy, and what a 407 changes of that."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from httpure_core.auth import DigestAuth
from httpure_core.config.options import Proxy
from httpure_core.contracts import Fields
from httpure_core.proxy.credentials import Credentials, Introduction

BASIC = b"Basic dXNlcjpww6Rzcw=="


def asks(*challenges: str) -> Fields:
    return [(b"Proxy-Authenticate", challenge.encode()) for challenge in challenges]


DIGEST = 'Digest realm="r", nonce="n", qop="auth"'
NEXT = 'Digest realm="r", nonce="m", qop="auth"'
STALE = NEXT + ", stale=true"


def credentials(auth: Any = ("user", "päss"), **keywords: Any) -> Credentials:
    return Credentials(Proxy("http://p", auth=auth, **keywords))


def told(
    who: Credentials, method: bytes = b"CONNECT", target: bytes = b"a:443", **keywords: Any
) -> bytes | None:
    return dict(who.fields(method, target, **keywords)).get(b"Proxy-Authorization")


def parts(value: bytes | None) -> dict[str, str]:
    assert value is not None
    scheme, _, rest = value.decode().partition(" ")
    assert scheme == "Digest"
    return {name: text.strip('"') for name, text in re.findall(r'([\w*]+)=("[^"]*"|[^ ,]+)', rest)}


def test_nobody() -> None:
    who = credentials(None, headers={"X-A": "1"})
    assert who.fields(b"GET", b"/") == who.headers == [(b"X-A", b"1")]
    assert not who.heard(asks(DIGEST), 0)


def test_a_pair_is_shown_at_once() -> None:
    who = credentials(headers=[("X-A", "1"), ("X-A", "2")])
    assert who.fields(b"GET", b"/") == [(b"X-A", b"1"), (b"X-A", b"2"), (b"Proxy-Authorization", BASIC)]
    assert who.fields(b"GET", b"/") == who.fields(b"GET", b"/"), "asked again and again"
    assert who.headers == [(b"X-A", b"1"), (b"X-A", b"2")]


def test_what_the_user_wrote_counts() -> None:
    who = credentials(headers={"proxy-authorization": "Bearer x"})
    assert [value for _, value in who.fields(b"GET", b"/")] == [b"Bearer x"]
    assert not who.heard(asks(DIGEST), 0)


def test_digest_waits_for_a_challenge() -> None:
    who = credentials(DigestAuth("user", "päss"))
    assert told(who) is None
    assert who.heard(asks(DIGEST), 0)
    answer = parts(told(who))
    assert (answer["username"], answer["realm"], answer["nonce"]) == ("user", "r", "n")
    assert (answer["uri"], answer["nc"]) == ("a:443", "00000001")

    def md5(*texts: str) -> str:
        return hashlib.md5(":".join(texts).encode()).hexdigest()

    proof = (md5("user", "r", "päss"), "n", "00000001", answer["cnonce"], "auth", md5("CONNECT", "a:443"))
    assert answer["response"] == md5(*proof)


def test_a_nonce_is_answered_again_and_again() -> None:
    who = credentials(DigestAuth("user", "pass"))
    assert who.heard(asks(DIGEST), 0)
    answers = [parts(told(who, b"GET", b"http://a/b")) for _ in range(3)]
    assert [answer["nc"] for answer in answers] == ["00000001", "00000002", "00000003"]
    assert {(answer["uri"], answer["nonce"]) for answer in answers} == {("http://a/b", "n")}


def test_two_ways_by_one_proxy_know_nothing_of_each_other() -> None:
    auth = DigestAuth("user", "pass")
    one, other = credentials(auth), credentials(auth)
    assert one.heard(asks(DIGEST), 0)
    assert told(one) is not None
    assert told(other) is None


def test_digest_answers_no_other_challenge() -> None:
    who = credentials(DigestAuth("user", "pass"))
    assert not who.heard(asks("Basic realm=r"), 0)
    assert not who.heard(asks("Negotiate"), 0)
    assert not who.heard([], 0)
    assert told(who) is None
    assert who.heard(asks("Basic realm=r", DIGEST), 0)


@pytest.mark.parametrize(
    "challenge", ["Digest realm=r", "Digest", "Digest realm=r, nonce=n, algorithm=other"]
)
def test_what_is_no_challenge(challenge: str) -> None:
    who = credentials()
    assert not who.heard(asks(challenge), 0)
    assert told(who) == BASIC


def test_the_strongest_is_answered() -> None:
    who = credentials(DigestAuth("user", "pass"))
    assert who.heard(asks(DIGEST, NEXT + ", algorithm=SHA-256"), 0)
    assert parts(told(who))["algorithm"] == "SHA-256"


def test_a_pair_answers_digest_where_there_is_no_basic() -> None:
    who = credentials()
    assert who.heard(asks(DIGEST), 0)
    assert parts(told(who))["username"] == "user"


def test_a_pair_is_not_said_twice() -> None:
    who = credentials()
    assert not who.heard(asks("Basic realm=r"), 0)
    assert not who.heard(asks(DIGEST, "Basic realm=r"), 0)
    assert told(who) == BASIC


def test_a_proxy_that_changes_its_mind() -> None:
    who = credentials()
    assert who.heard(asks(DIGEST), 0)
    assert who.heard(asks("Basic realm=r"), 0), "in a later request"
    assert told(who) == BASIC
    assert who.heard(asks(DIGEST), 0)
    assert not who.heard(asks("Basic realm=r"), 1), "in the same one"


@pytest.mark.parametrize(
    ("answers", "again"),
    [
        ([DIGEST], [True]),
        ([DIGEST, NEXT], [True, False]),
        ([DIGEST, STALE], [True, True]),
        ([STALE, STALE, STALE], [True, True, False]),
        ([DIGEST, STALE, NEXT], [True, True, False]),
    ],
)
def test_once_and_once_more_if_it_was_stale(answers: list[str], again: list[bool]) -> None:
    introduction = Introduction(credentials(DigestAuth("user", "pass")))
    assert [introduction.heard(asks(answer)) for answer in answers] == again
    assert Introduction(introduction.credentials).heard(asks(NEXT)), "the next request begins anew"


def test_the_body_is_hashed_where_that_is_wanted() -> None:
    who = credentials(DigestAuth("user", "pass"))
    assert who.heard(asks('Digest realm="r", nonce="n", qop="auth-int"'), 0)
    bodies: list[Callable[[], bytes]] = [bytes, lambda: b"body"]
    nothing, something = (parts(told(who, content=body))["response"] for body in bodies)
    assert nothing != something


def test_realms_in_any_encoding() -> None:
    for realm in ("é".encode(), b"\xe9"):
        who = credentials(DigestAuth("user", "pass"))
        assert who.heard([(b"proxy-authenticate", b'Digest realm="' + realm + b'", nonce="n"')], 0)
        assert parts(told(who))["realm"] == "é"


def test_many_threads_count_in_one_row() -> None:
    who = credentials(DigestAuth("user", "pass"))
    assert who.heard(asks(DIGEST), 0)
    counts = islice(iter(lambda: parts(told(who))["nc"], None), 50)
    assert len(set(counts)) == 50
