"""Comparing the outcomes on httpx with those on httpure, test by test."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from .differences import Difference
from .outcomes import Outcome

__all__ = ["Verdict", "compare", "shown"]


class Verdict(NamedTuple):
    """What came of it."""

    #: Ended as on httpx.
    same: int
    #: Of these, how many passed.
    passed: int
    #: Why -> the tests that end otherwise for that reason.
    deliberate: dict[str, list[str]]
    #: Test -> how it ended, where nobody meant it to.
    unexpected: dict[str, str]
    #: Tests that fail on httpx, too, and here otherwise or not at all: of no concern.
    fail_on_httpx: int
    #: Entries of the list that no test ended otherwise for: they can go.
    idle: list[Difference]


def compare(on_httpx: dict[str, Outcome], here: dict[str, Outcome], known: list[Difference]) -> Verdict:
    """Compare."""
    same = passed = broken = 0
    deliberate: dict[str, list[str]] = {}
    unexpected: dict[str, str] = {}
    used: set[Difference] = set()
    for test in sorted({**on_httpx, **here}):
        there = on_httpx.get(test, Outcome("not run", "")).outcome
        ours = here.get(test, Outcome("not run", ""))
        if ours.outcome == there or (there == "xfailed" and ours.outcome == "xpassed"):
            same += 1
            passed += there == "passed"
            continue
        reasons = [difference for difference in known if difference.covers(test)]
        if reasons:
            used.update(reasons)
            deliberate.setdefault(reasons[0].why, []).append(test)
        elif there in ("failed", "error"):
            broken += 1
        else:
            unexpected[test] = f"{ours.outcome}, {there} on httpx: {ours.why}"
    idle = [difference for difference in known if difference not in used]
    return Verdict(same, passed, deliberate, unexpected, broken, idle)


def shown(name: str, verdict: Verdict, verbose: bool) -> str:
    """Write the verdict for people."""
    many = sum(map(len, verdict.deliberate.values()))
    lines = [
        f"{name}: {verdict.same} as on httpx ({verdict.passed} passed), {many} deliberately otherwise, "
        f"{len(verdict.unexpected)} unexpected"
    ]
    if verdict.fail_on_httpx:
        lines.append(f"   {verdict.fail_on_httpx} that fail on httpx end otherwise here")
    for why, tests in sorted(verdict.deliberate.items(), key=lambda item: -len(item[1])):
        lines.append(f"   {len(tests):4}  {why}")
        lines += [f"              {test}" for test in tests] if verbose else []
    for difference in verdict.idle:
        lines.append(f"   not seen any more: {difference.pattern} ({difference.why})")
    whys = Counter(why for why in verdict.unexpected.values())
    for test, why in sorted(verdict.unexpected.items(), key=lambda item: (-whys[item[1]], item)):
        lines.append(f"   UNEXPECTED {test}\n              {why}")
    return "\n".join(lines)
