"""The progress bar, on a terminal of rich's making."""

from __future__ import annotations

import io
import re

import pytest

from httpure._cli.progress import Bar

from .test_printing import Screen


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def last_line(stream: Screen) -> str:
    """What stands on the screen at the end."""
    return (
        re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).replace("\r", "\n").strip().splitlines()[-1]
    )


def test_with_a_length() -> None:
    stream = Screen()
    bar = Bar(stream)
    bar.start("big.iso", 0, 4_000_000)
    bar.update(1_000_000)
    bar.stop()
    line = last_line(stream)
    assert line.startswith("big.iso ")
    assert "25%" in line
    assert "1.0/4.0 MB" in line
    assert len(line) <= 80


def test_of_a_download_that_is_continued() -> None:
    stream = Screen()
    bar = Bar(stream)
    bar.start("big.iso", 2_000_000, 4_000_000)
    bar.stop()
    assert "50%" in last_line(stream)


def test_without_a_length() -> None:
    stream = Screen()
    bar = Bar(stream)
    bar.start("big.iso", 0, None)
    bar.update(1_000_000)
    bar.stop()
    line = last_line(stream)
    assert "1.0/? MB" in line
    assert "0:00:0" in line
    assert "%" not in line


@pytest.mark.parametrize("name", ["x" * 200, "[red]name[/red]"])
def test_names(name: str) -> None:
    stream = Screen()
    bar = Bar(stream)
    bar.start(name, 0, 4_000_000)
    bar.stop()
    line = last_line(stream)
    assert len(line) <= 80
    assert "4.0 MB" in line
    assert line.startswith("x" * 23 + "…" if name[0] == "x" else name)


def test_nothing_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    bar = Bar(stream)
    bar.start("big.iso", 0, 4)
    bar.update(4)
    bar.stop()
    bar.stop()
    assert stream.getvalue() == ""
