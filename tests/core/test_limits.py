"""`Limits`: what may be given, and what is said where it may not."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

from httpure_core.limits import DEFAULT_LIMITS, UNSET, Limits

NAMES = tuple(inspect.signature(Limits).parameters)


def made(name: str, value: Any) -> Limits:
    limits: dict[str, Any] = {name: value}
    return Limits(**limits)


def test_defaults() -> None:
    limits = Limits()
    assert limits.max_connections is None
    assert limits.max_keepalive_connections is None
    assert limits.keepalive_expiry == 5.0


@pytest.mark.parametrize("number", [0, -1])
def test_some_connection_is_needed(number: int) -> None:
    with pytest.raises(ValueError, match=f"max_connections is {number}"):
        Limits(max_connections=number)


@pytest.mark.parametrize("name", ["max_connections_per_origin", "max_requests_per_connection"])
def test_some_of_each_is_needed(name: str) -> None:
    limits: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} is 0, but must be at least 1"):
        Limits(**limits)
    assert getattr(Limits(), name) is None


@pytest.mark.parametrize("number", [0, -1.0, math.nan])
def test_age_is_a_duration(number: float) -> None:
    with pytest.raises(ValueError, match="max_connection_age is"):
        Limits(max_connection_age=number)
    assert Limits(max_connection_age=0.5).max_connection_age == 0.5


def test_none_need_be_idle() -> None:
    assert Limits(max_keepalive_connections=0, keepalive_expiry=0).max_keepalive_connections == 0
    with pytest.raises(ValueError, match="max_keepalive_connections is -1"):
        Limits(max_keepalive_connections=-1)


@pytest.mark.parametrize("number", [-1.0, math.nan])
def test_expiry_is_a_duration(number: float) -> None:
    assert Limits(keepalive_expiry=None).keepalive_expiry is None
    with pytest.raises(ValueError, match="keepalive_expiry is"):
        Limits(keepalive_expiry=number)


def test_equality_and_hash() -> None:
    assert Limits(max_connections=1) == Limits(max_connections=1)
    assert hash(Limits(max_connections=1)) == hash(Limits(max_connections=1))
    assert Limits(max_connections=1) != Limits()
    assert Limits(max_connection_age=1) != Limits()
    assert Limits() != "limits"


def test_repr() -> None:
    assert repr(Limits(max_connections=100)) == (
        "Limits(max_connections=100, max_keepalive_connections=None, keepalive_expiry=5.0)"
    )
    assert repr(Limits(max_connection_age=60.0, max_connections_per_origin=2)) == (
        "Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0, "
        "max_connections_per_origin=2, max_connection_age=60.0)"
    )

    assert repr(Limits(max_body=None, max_codings=2)).endswith("keepalive_expiry=5.0, max_codings=2)")


def test_all_are_given_by_name() -> None:
    parameters = inspect.signature(Limits).parameters.values()
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_number(name: str) -> None:
    default = getattr(Limits(), name)
    assert inspect.signature(Limits).parameters[name].default in (UNSET, default)
    assert getattr(made(name, 5), name) == 5
    assert made(name, 7) != Limits()
    for value in ("5", True):
        with pytest.raises(TypeError, match=f"{name} is a .*number.* not {type(value).__name__}"):
            made(name, value)
    with pytest.raises(ValueError, match=f"{name} is -1, but must"):
        made(name, -1)


@pytest.mark.parametrize("name", NAMES)
def test_none_is_no_limit_where_one_can_do_without(name: str) -> None:
    text = str(inspect.signature(Limits).parameters[name].annotation)
    if "None" in text:
        assert getattr(made(name, None), name) is None
    else:
        with pytest.raises(TypeError, match=f"{name} is a whole number, not NoneType"):
            made(name, None)


def test_defaults_of_a_client() -> None:
    assert Limits(max_connections=100, max_keepalive_connections=20) == DEFAULT_LIMITS


def test_a_limit_on_bodies_takes_none_from_connections() -> None:
    assert Limits(max_body=1).max_connections == 100
    assert Limits(max_body=1).max_keepalive_connections == 20
    assert Limits(max_body=1, max_connections=5).max_keepalive_connections is None
    assert Limits(max_body=1, keepalive_expiry=5.0).max_connections is None
