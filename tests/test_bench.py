"""What scripts/bench promises to compare is there to be compared. Nothing is measured here."""

from __future__ import annotations

import pytest

from scripts.benchmarks import bars, clients, fields, stages, suite
from scripts.benchmarks.bars import Bar

FIGURES = {("get", "httpure"): 60.0, ("get", "aiohttp"): 80.0, ("get", "httpx"): 300.0}


def test_rows() -> None:
    assert len(suite.NAMED) == len(suite.WORKLOADS)
    for workload in suite.WORKLOADS:
        unknown = {*workload.clients, workload.rival or "httpure"} - {*clients.MODULES, workload.baseline}
        assert not unknown, workload.name


def test_bars_are_of_what_is_measured() -> None:
    for bar in bars.BARS:
        assert {bar.client, *bar.rivals} <= {*suite.NAMED[bar.workload].clients}, bar


@pytest.mark.parametrize(
    ("bar", "value", "reached", "demand"),
    [
        (Bar("get", 50), 60, False, "<= 50 µs"),
        (Bar("get", 0.75, ("aiohttp",)), 0.75, True, "<= 0.75 x aiohttp"),
        (
            Bar("get", 0.7, ("httpx", "aiohttp", "absent")),
            0.75,
            False,
            "<= 0.7 x best of httpx, aiohttp, absent",
        ),
        (Bar("get", 5, ("httpx",), speed=True), 5, True, ">= 5 x as fast as httpx"),
        (Bar("get", 10, ("aiohttp",), client="httpx", beyond=True), 220, False, "<= 10 µs + aiohttp"),
    ],
)
def test_bar(bar: Bar, value: float, reached: bool, demand: str) -> None:
    assert bar.value(FIGURES) == pytest.approx(value)
    assert bar.reached(value) is reached
    assert bar.demand("µs") == demand


@pytest.mark.parametrize("bar", [Bar("post", 1), Bar("post", 1, ("aiohttp",)), Bar("get", 1, ("absent",))])
def test_bar_without_figures(bar: Bar) -> None:
    assert bar.value(FIGURES) is None


def test_summary() -> None:
    assert not suite.SUMMARY.keys() - suite.NAMED.keys()


@pytest.mark.slow
def test_stages(capsys: pytest.CaptureFixture[str]) -> None:
    stages.main("blocking", "20")
    shown = capsys.readouterr().out
    assert all(stage in shown for stage in stages.STAGES)
    assert "frames" in shown


def test_fields() -> None:
    assert len(fields.FIELDS) == 52  # and nginx adds eight
    assert "$" not in fields.as_nginx()
    assert 'add_header Alt-Svc "h3=\\":443\\"; ma=86400";' in fields.as_nginx()
