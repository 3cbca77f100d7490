"""What docs/security.md claims is there: the tests that it names, and the numbers of its table of limits."""

from __future__ import annotations

import ast
import re
from functools import cache

from httpure_core.limits import DEFAULT_LIMITS, Limits

from .pages import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
#: `core/test_limits.py::TestThese::test_this`, below tests/; the names may be missing.
NAMED = re.compile(r"`([\w/]+\.py)((?:::\w+)*)`")
UNITS = {"": 1, " s": 1, " KiB": 1024, " MiB": 1024 * 1024}


@cache
def names_of(file: str) -> frozenset[str]:
    """Return the tests, and the classes with and without them, that a file has."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if hasattr(each, "name")}
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
    return frozenset(name for name in found if name.rpartition("::")[2].lower().startswith("test"))


def test_the_tests_that_it_names_are_there() -> None:
    named = NAMED.findall(TEXT)
    assert len(named) > 100
    for file, names in named:
        if names:
            assert names.removeprefix("::") in names_of(file), f"{file}{names}"
        else:
            assert names_of(file), file


def test_each_promise_has_some() -> None:
    promises = [int(number) for number in re.findall(r"^\*\*(\d+)\. ", TEXT, re.MULTILINE)]
    assert promises == list(range(1, 18))
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)
    assert [int(number) for number, _ in rows] == promises
    assert all(NAMED.search(tests) for _, tests in rows)


def test_the_limits_are_those_of_the_code() -> None:
    table = TEXT.partition("<!-- limits -->")[2].partition("<!-- /limits -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (None|[\d,]+)( s| KiB| MiB)?( \(.*None\))? \|", table, re.M)
    assert [name for name, *_ in rows] == list(Limits.__slots__)
    for name, number, unit, of_httpx in rows:
        told = None if number == "None" else int(number.replace(",", "")) * UNITS[unit]
        assert told == getattr(DEFAULT_LIMITS, name), name
        assert (None if of_httpx else told) == getattr(Limits(), name), name
