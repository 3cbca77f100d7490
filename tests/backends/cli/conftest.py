"""Calling the command in this process, and servers for it."""

from __future__ import annotations

import pytest

from .calling import Calling


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither colours nor widths of whoever runs the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def httpure_cli() -> Calling:
    """Calls the command as a shell would, and returns its exit code and what it wrote."""
    return Calling()


@pytest.fixture(params=["sockets", "asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each backend."""
    return str(request.param)
