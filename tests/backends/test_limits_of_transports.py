"""A transport hands its limits to all that it dials, whoever made them."""

from __future__ import annotations

from typing import Any

import pytest

import httpure

both = pytest.mark.parametrize("kind", [httpure.HTTPTransport, httpure.AsyncHTTPTransport])


class Foreign:
    """Limits as another package makes them, with three attributes only."""

    max_connections = 5
    max_keepalive_connections = 2
    keepalive_expiry = None


def dialled(transport: Any) -> httpure.Limits:
    limits: httpure.Limits = transport._transmitter.dialler.limits
    return limits


@both
def test_its_own(kind: Any) -> None:
    limits = httpure.Limits(max_fields=5)
    assert dialled(kind(limits=limits)) is limits
    assert dialled(kind()) == httpure.Limits(max_connections=100, max_keepalive_connections=20)


@both
def test_those_of_another_package(kind: Any) -> None:
    expected = httpure.Limits(max_connections=5, max_keepalive_connections=2, keepalive_expiry=None)
    assert dialled(kind(limits=Foreign())) == expected


@both
def test_what_is_none(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"limits= is made by Limits\(max_connections=\.\.\.\)"):
        kind(limits=5)
