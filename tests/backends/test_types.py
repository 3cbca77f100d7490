"""The types of arguments: those that are published are those that clients take."""

from __future__ import annotations

import inspect

import pytest

import httpure
from httpure import types


@pytest.mark.parametrize("client", [httpure.Client, httpure.AsyncClient])
@pytest.mark.parametrize(
    ("methods", "options"),
    [
        (("get", "options", "head", "delete"), types.RequestOptions),
        (("request", "stream", "post", "put", "patch"), types.BodyOptions),
    ],
)
def test_options_are_those_of_the_methods(client: type, methods: tuple[str, ...], options: type) -> None:
    names: frozenset[str] = options.__optional_keys__  # type: ignore[attr-defined]
    assert not options.__required_keys__  # type: ignore[attr-defined]
    for method in methods:
        parameters = inspect.signature(getattr(client, method)).parameters.values()
        named = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
        assert named == names, method


def test_what_is_published_is_there() -> None:
    assert sorted(types.__all__) == types.__all__
    assert all(hasattr(types, name) for name in types.__all__)
    assert isinstance(httpure.USE_CLIENT_DEFAULT, types.UseClientDefault)
