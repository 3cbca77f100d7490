"""The WWW-Authenticate grammar (RFC 9110 section 11.6.1)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.auth.challenges import MAX_CHALLENGES_SIZE, Challenge, parse_challenges


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("", []),
        (" , ,", []),
        ("Basic", [("basic", {}, None)]),
        ("Negotiate, NTLM", [("negotiate", {}, None), ("ntlm", {}, None)]),
        ('Basic realm="simple"', [("basic", {"realm": "simple"}, None)]),
        ("Basic realm=simple", [("basic", {"realm": "simple"}, None)]),
        ('BASIC REALM = "a" , Charset=UTF-8 ', [("basic", {"realm": "a", "charset": "UTF-8"}, None)]),
        ("Negotiate YII+/b==", [("negotiate", {}, "YII+/b==")]),
        ("Negotiate YII= , Basic realm=x", [("negotiate", {}, "YII="), ("basic", {"realm": "x"}, None)]),
        (
            'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
            [
                ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}, None),
                ("basic", {"realm": "simple"}, None),
            ],
        ),
        (
            'Digest qop="auth,auth-int", nonce="a=b, c"',
            [("digest", {"qop": "auth,auth-int", "nonce": "a=b, c"}, None)],
        ),
        ('Digest realm="x" nonce="y"', [("digest", {"realm": "x", "nonce": "y"}, None)]),
        ("Digest realm=x, realm=y", [("digest", {"realm": "x"}, None)]),
        ("Digest realm=", [("digest", {}, "realm=")]),
        ("Digest a=b, realm=", [("digest", {"a": "b", "realm": ""}, None)]),
        ('Digest realm="never closed, x=y', [("digest", {"realm": "never closed, x=y"}, None)]),
        ('Digest realm="ends with \\', [("digest", {"realm": "ends with "}, None)]),
        ("realm=x, Basic", [("basic", {}, None)]),
        ("@junk, Basic", [("basic", {}, None)]),
        ("Basic@junk, Digest a=b", [("digest", {"a": "b"}, None)]),
        ("Basic =x", [("basic", {}, None)]),
        ('Basic realm="ключ"', [("basic", {"realm": "ключ"}, None)]),
    ],
)
def test_challenges(field: str, expected: list[Any]) -> None:
    assert parse_challenges(field) == [Challenge(*each) for each in expected]


def test_several_fields() -> None:
    fields = ['Digest realm="a"', "Basic realm=b"]
    assert [challenge.scheme for challenge in parse_challenges(fields)] == ["digest", "basic"]


def test_no_more_than_the_limit_is_looked_at() -> None:
    full = 'Digest realm="' + "x" * (MAX_CHALLENGES_SIZE - 15) + '"'
    assert len(parse_challenges([full])) == 1
    assert len(parse_challenges([full, "Basic"])) == 1
    assert parse_challenges([full + " "]) == []


@pytest.mark.parametrize("piece", ["a=", "a ", '"', "\\", ",", "a=\\", "= ", "@", 'a="\\"'])
def test_time_is_linear(piece: str) -> None:
    text = (piece * MAX_CHALLENGES_SIZE)[:MAX_CHALLENGES_SIZE]
    began = time.process_time()
    parse_challenges(text)
    assert time.process_time() - began < 5  # takes 10 ms; 268 million steps would take far longer


@settings(max_examples=25)
@given(st.text(alphabet='Digest Basic=",\\\t@é', max_size=60))
def test_nothing_raises(field: str) -> None:
    parse_challenges(field)


TOKENS = st.text(alphabet="abcXYZ09!#$%&'*+-.^_`|~", min_size=1, max_size=8)
VALUES = st.text(alphabet=st.characters(exclude_categories=["C"]), max_size=12)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1, max_size=3)), max_size=3
    )
)
def test_what_is_written_is_read(challenges: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    field = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in challenges
    )
    assert parse_challenges(field) == [
        Challenge(scheme.lower(), parameters) for scheme, parameters in challenges
    ]
