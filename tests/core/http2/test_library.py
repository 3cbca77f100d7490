"""What of h2 and hpack is used, and when it is loaded."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

from httpure_core.http2.library import library


@pytest.fixture(autouse=True)
def _loaded_anew() -> Iterator[None]:
    library.cache_clear()
    yield
    library.cache_clear()


@pytest.mark.parametrize("name", ["hpack.hpack", "hpack.table"])
def test_no_field_is_logged(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


def test_a_level_that_was_chosen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    log = logging.getLogger("hpack.table")
    monkeypatch.setattr(log, "level", logging.DEBUG)
    library()
    assert log.level == logging.DEBUG


def test_without_h2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h2.events", None)
    with pytest.raises(ImportError):
        library()
