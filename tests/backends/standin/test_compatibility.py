"""The parts of `scripts/compatibility` that decide: which difference is meant, and what is unexpected."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.backends.fresh import ROOT


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The modules of the script, which is no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import compatibilities.verdict

    yield compatibilities
    for name in [name for name in sys.modules if name.partition(".")[0] == "compatibilities"]:
        del sys.modules[name]


def test_a_pattern_takes_brackets_as_they_are(parts: Any) -> None:
    difference = parts.differences.Difference("why", "tests/test_a.py::test_b[*-x]")
    assert difference.covers("tests/test_a.py::test_b[asyncio-x]")
    assert not difference.covers("tests/test_a.py::test_bx")


def test_a_list_needs_reasons(parts: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.differences, "FOLDER", tmp_path)
    assert parts.differences.deliberate("mine") == []
    (tmp_path / "mine.txt").write_text("# comment\n\nWhy:\n    one\n    two\nAnother:\n    three\n")
    assert [tuple(difference) for difference in parts.differences.deliberate("mine")] == [
        *(("Why", "one"), ("Why", "two"), ("Another", "three")),
    ]
    (tmp_path / "mine.txt").write_text("    one\n")
    with pytest.raises(ValueError, match="'one' has no reason above it"):
        parts.differences.deliberate("mine")


def test_outcomes_are_compared_test_by_test(parts: Any) -> None:
    outcome, difference = parts.outcomes.Outcome, parts.differences.Difference
    on_httpx = {
        "same": outcome("passed", ""),
        "meant": outcome("passed", ""),
        "broken there": outcome("failed", "why"),
        "lost": outcome("passed", ""),
        "gone": outcome("passed", ""),
        "skipped": outcome("skipped", ""),
        "better": outcome("xfailed", ""),
    }
    here = {
        "same": outcome("passed", ""),
        "meant": outcome("failed", "other words"),
        "broken there": outcome("passed", ""),
        "lost": outcome("failed", "a fault"),
        "skipped": outcome("skipped", ""),
        "better": outcome("xpassed", ""),
    }
    known = [difference("On purpose", "mea*"), difference("No more", "same")]
    verdict = parts.verdict.compare(on_httpx, here, known)
    assert (verdict.same, verdict.passed, verdict.fail_on_httpx) == (3, 1, 1)
    assert verdict.deliberate == {"On purpose": ["meant"]}
    assert verdict.unexpected == {
        "lost": "failed, passed on httpx: a fault",
        "gone": "not run, passed on httpx: ",
    }
    assert verdict.idle == [known[1]]
    text = parts.verdict.shown("suite", verdict, True)
    assert text.startswith("suite: 3 as on httpx (1 passed), 1 deliberately otherwise, 2 unexpected")
    assert "UNEXPECTED lost" in text and "              meant" in text and "not seen any more: same" in text


def test_every_suite_says_what_it_needs(parts: Any) -> None:
    for name, suite in parts.suites.SUITES.items():
        assert suite.name == name and "==" in suite.package
        assert any("pytest==" in requirement for requirement in suite.requirements)
