"""Apps get less time to end than they do elsewhere, so that tests of those that do not are quick."""

from __future__ import annotations

import pytest

from httpure._transports import asgi_exchange


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi_exchange, "MOMENT", 0.02)
