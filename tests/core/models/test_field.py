from __future__ import annotations

import pytest

from httpure_core.models import field


def test_names_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[bytes, str] = {}
    monkeypatch.setattr(field, "known_keys", known)
    monkeypatch.setattr(field, "_MOST_KEYS", 2)
    names = (b"A" * 41, b"A", b"B", b"C", b"A")
    assert [field.key_of(name) for name in names] == ["a" * 41, "a", "b", "c", "a"]
    assert known == {b"A": "a", b"B": "b"}
