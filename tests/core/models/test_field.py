from __future__ import annotations

import pytest

from httpure_core.models import field
from httpure_core.models.headers import Headers
from httpure_core.operations.masking import shown


def test_names_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[bytes, str] = {}
    monkeypatch.setattr(field, "known_keys", known)
    monkeypatch.setattr(field, "_MOST_KEYS", 2)
    names = (b"A" * 41, b"A", b"B", b"C", b"A")
    assert [field.key_of(name) for name in names] == ["a" * 41, "a", "b", "c", "a"]
    assert known == {b"A": "a", b"B": "b"}


def test_names_that_clients_call_sensitive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field, "_named", set())
    monkeypatch.setattr(field, "_MOST_KEYS", 2)
    field.keep_secret(["X-Tenant", "x-TENANT", "X-Other"])
    field.keep_secret(["X-One-Too-Many"])
    names = ("x-tenant", "x-other", "x-one-too-many", "accept", "cookie")
    assert [field.is_secret(name) for name in names] == [True, True, False, False, True]
    assert "'[secure]'" in repr(Headers({"X-Tenant": "hush"})) and "hush" not in repr(
        Headers({"X-Tenant": "hush"})
    )
    assert shown([(b"X-Tenant", b"hush")]) == "[(b'X-Tenant', b'[secure]')]"
    assert not field.speaks_of_secrets(b"x-tenant"), "redirects of other clients keep it"
