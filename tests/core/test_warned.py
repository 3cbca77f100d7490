from __future__ import annotations

import warnings
from typing import Any

import pytest

from httpure_core.models.request import Request
from httpure_core.models.url import URL
from httpure_core.warned import QueryDroppedWarning, warn


def test_the_line_at_fault_is_the_callers() -> None:
    with pytest.warns(QueryDroppedWarning, match="what is lost") as told:
        warn("what is lost", QueryDroppedWarning)
    assert told[0].filename == __file__


@pytest.mark.parametrize("name", ["httpure", "httpure._client", "httpure_core.models.url", "contextlib"])
def test_lines_of_ours_are_not_at_fault(name: str) -> None:
    ours: dict[str, Any] = {"__name__": name, "warn": warn}
    exec(compile("def call(): warn('lost', UserWarning)", "ours.py", "exec"), ours)
    with pytest.warns(UserWarning, match="lost") as told:
        ours["call"]()
    assert told[0].filename == __file__


@pytest.mark.parametrize("name", ["httpurely.api", "requests"])
def test_lines_of_others_are(name: str) -> None:
    others: dict[str, Any] = {"__name__": name, "warn": warn}
    exec(compile("def call(): warn('lost', UserWarning)", "others.py", "exec"), others)
    with pytest.warns(UserWarning, match="lost") as told:
        others["call"]()
    assert told[0].filename == "others.py"


def test_a_line_is_told_once() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(3):
            Request("GET", "https://example.org/?a=1", params={})
        Request("GET", "https://example.org/?a=1", params={})
    assert [warning.category for warning in told] == [QueryDroppedWarning] * 2
    assert told[0].lineno != told[1].lineno


def test_deprecations_are_told_where_they_are() -> None:
    with pytest.warns(DeprecationWarning, match="raw_scheme") as told:
        URL("https://example.org/").raw  # noqa: B018
    assert told[0].filename == __file__
