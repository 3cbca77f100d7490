"""The page on the stand-in is true: its programs run, and it tells of every deliberate difference."""

from __future__ import annotations

import re
import sys

import pytest

from tests.backends.fresh import ROOT, fresh

PAGE = (ROOT / "docs" / "stand-in.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program: str) -> None:
    promised = re.findall(r"# -> (.*)$", program, re.MULTILINE)
    printed = fresh(program, development=False).splitlines()
    assert len(promised) == len(printed) > 0
    for expected, actual in zip(promised, printed, strict=True):
        assert re.fullmatch(re.escape(expected).replace(re.escape("..."), ".*"), actual)


def test_every_deliberate_difference_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from compatibilities import differences, suites

    told = dict(re.findall(r"^\| ([\w-]+) \| (.*?) +\|$", PAGE, re.MULTILINE))
    assert told
    for suite in suites.SUITES:
        for difference in differences.deliberate(suite):
            name = re.sub(r"-\d$", "", suite)  # a later version of the same package
            assert f"| {name} | {difference.why} |" in PAGE, difference
    for name in [name for name in sys.modules if name.partition(".")[0] == "compatibilities"]:
        del sys.modules[name]
