from __future__ import annotations

import httpx
import pytest

import httpure

from . import table
from .surface import members, parameters, public_names


def test_nothing_is_missing() -> None:
    assert table.missing() == []


def test_parameters_are_the_same() -> None:
    assert table.deviations() == {}


def test_the_page_is_true() -> None:
    """Where this fails: `python -m tests.parity` writes the page anew."""
    assert table.PAGE.read_text("utf-8") == table.page()


def test_every_note_is_about_something() -> None:
    assert set(table.NOTES) <= set(table.paths())


def test_the_comparison_sees_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name or a parameter that is taken away is noticed."""
    assert len(table.paths()) > 400
    monkeypatch.setattr(httpure.Client, "get", lambda self, url: None)
    monkeypatch.setattr(httpure.URL, "join", 1)
    monkeypatch.delattr(httpure.Response, "raise_for_status")
    found = table.deviations()
    assert "params" in found["Client.get"]
    assert found["URL.join"] == "callable in one, not in the other"
    assert table.missing() == ["Response.raise_for_status"]


def test_order_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpure, "create_ssl_context", lambda cert=None, verify=True, trust_env=True: None)
    assert table.deviations() == {"create_ssl_context": "another order"}


def test_what_is_public() -> None:
    assert {"Client", "get", "codes", "main", "HTTPError"} <= set(public_names(httpx))
    assert "Client.get" in members(httpx, "Client")
    assert "Client.build_request" in members(httpx, "Client")  # written in a base class
    assert list(members(httpx, "get")) == []
    assert parameters(httpx.URL.host) is None
    with pytest.raises(AttributeError):
        table.resolve(httpx, "Client.nothing")
