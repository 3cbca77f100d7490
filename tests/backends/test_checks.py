"""What a client refuses when it is made, and not when it is first used."""

from __future__ import annotations

from typing import Any

import pytest

import httpure


@pytest.fixture(params=[httpure.Client, httpure.AsyncClient])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize(("name", "least"), [("max_redirects", 0), ("max_auth_rounds", 1)])
def test_counts(make: Any, name: str, least: int) -> None:
    for odd in ("3", 3.0, None, True):
        with pytest.raises(TypeError, match=f"{name} is a whole number, not {type(odd).__name__}"):
            make(**{name: odd})
    with pytest.raises(ValueError, match=f"{name} is {least - 1}, but must be at least {least}"):
        make(**{name: least - 1})
    client = make(**{name: least})
    assert (getattr(client, name), getattr(make(), name)) == (least, 20)
    setattr(client, name, 7)
    assert getattr(client, name) == 7
    with pytest.raises(ValueError, match=name):
        setattr(client, name, -1)
    assert getattr(client, name) == 7


@pytest.mark.parametrize("name", ["nope", "", "base64", "undefined", "utf-7", "a" * 1000])
def test_encodings_that_are_none(make: Any, name: str) -> None:
    with pytest.raises(LookupError, match="which is no charset that is read here") as caught:
        make(default_encoding=name)
    assert len(str(caught.value)) < 120


def test_encodings(make: Any) -> None:
    assert make(default_encoding="latin-1").default_encoding == "latin-1"
    assert make(default_encoding=repr).default_encoding is repr
    for odd in (None, b"utf-8", 5):
        with pytest.raises(TypeError, match=f"or a function of bytes, not {type(odd).__name__}"):
            make(default_encoding=odd)


def test_limits(make: Any) -> None:
    limits = httpure.Limits(max_body=5)
    assert make(limits=limits).limits is limits
    assert make().limits == httpure.Limits(max_connections=100, max_keepalive_connections=20)
    with pytest.raises(TypeError, match="limits= is made by Limits"):
        make(limits=5, transport=httpure.MockTransport(lambda request: httpure.Response(200)))


def test_limits_of_another_package(make: Any) -> None:
    """They say how many connections there are, and nothing of bodies."""

    class Foreign:
        max_connections = 5
        max_keepalive_connections = 2
        keepalive_expiry = 1.0

    assert make(limits=Foreign()).limits is make().limits
