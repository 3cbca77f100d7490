"""What a run says: a table per workload, the table of bars, and the same as JSON. `markdown` has it for documents."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from . import bars
from .bars import Bar
from .contest import Result, Results
from .suite import NAMED
from .workloads import TRANSFERS, Workload


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a plain table: first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in lines)


def _aligned(cells: list[str], widths: list[int]) -> list[str]:
    return [
        f"{cell:<{width}}" if index == 0 else f"{cell:>{width}}"
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def number(value: float | None) -> str:
    """Return three telling digits, '-' for what was not measured."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def workload_table(workload: Workload, results: list[Result]) -> str:
    """Return the table of one workload, with ratios to the floor and to the rivals of its bars."""
    rivals = rivals_of(workload)
    transfers = workload.load.task in TRANSFERS
    heads = ["client", "version", _figure_head(workload), "least", "most", "turns"]
    heads += ["MB/s", "CPU ms", "memory MB"] if transfers else ["requests/s"]
    heads += [f"x {name}" for name in rivals]
    figures = {result.client: result.figure for result in results}
    rows = [_row(result, [figures.get(name) for name in rivals], transfers) for result in results]
    demands = "; ".join(bar.demand(workload.unit) for bar in bars.of(workload.name))
    must = f"httpure must be {demands}\n" if demands else ""
    return f"{workload.name}: {workload.title}\n{must}{table(heads, rows)}\n"


def rivals_of(workload: Workload) -> list[str]:
    """Return whom the others are set against: the floor, and the rivals of the bars or of the workload."""
    named = [name for bar in bars.of(workload.name) for name in bar.rivals] or [workload.rival]
    return [name for name in dict.fromkeys(["floor", *named]) if name in workload.clients]


def _figure_head(workload: Workload) -> str:
    if workload.load.task == "hold":
        return f"memory {workload.unit}"
    if workload.load.counted:
        return workload.unit
    return f"{'wall' if workload.load.task in TRANSFERS else 'CPU'} {workload.unit}"


def _row(result: Result, rivals: list[float | None], transfers: bool) -> list[str]:
    figure = number(result.figure)
    if result.figure is None:
        figure = "not installed" if result.missing else "FAILED"
    ratios = [
        number(result.figure / rival if result.figure is not None and rival else None) for rival in rivals
    ]
    spread = [number(result.low), number(result.high), str(len(result.samples))]
    beside = [result.per_second, result.cpu, result.memory] if transfers else [result.per_second]
    return [result.client, result.version, figure, *spread, *map(number, beside), *ratios]


def figures_of(results: Results) -> dict[tuple[str, str], float]:
    """Return every measured figure by (workload, client), those beside it as the bars' aspects."""
    return {
        (f"{workload} {aspect}".rstrip(), result.client): figure
        for workload, clients in results.items()
        for result in clients
        for aspect, figure in (("", result.figure), ("CPU", result.cpu), ("memory", result.memory))
        if figure is not None
    }


def judged(results: Results) -> list[tuple[Bar, float | None, str]]:
    """Return each bar of what was run, with its value and pass, miss or not measured."""
    figures = figures_of(results)
    values = [(bar, bar.value(figures)) for workload in results for bar in bars.of(workload)]
    return [(bar, value, _verdict(bar, value)) for bar, value in values]


def _verdict(bar: Bar, value: float | None) -> str:
    if value is None:
        return "not measured"
    return "pass" if bar.reached(value) else "MISS"


def bars_table(results: Results) -> str:
    """Return the bars of what was run, for people."""
    rows = [
        [bar.workload, bar.demand(NAMED[bar.workload].unit), number(value), verdict]
        for bar, value, verdict in judged(results)
    ]
    return table(["workload", "httpure must be", "is", "verdict"], rows)


def faults_of(results: Results) -> list[str]:
    """Return what went wrong: crashed clients and wrong bodies."""
    return [
        f"{workload}, {result.client}: {result.fault}"
        for workload, clients in results.items()
        for result in clients
        if result.fault
    ]


def missing_of(results: Results) -> list[str]:
    """Return the libraries that could not be imported, each with its reason, once."""
    reasons = {
        result.client: result.missing for clients in results.values() for result in clients if result.missing
    }
    return [f"{client}: {reason}" for client, reason in reasons.items()]


def machine_facts(server: str) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "server": server,
    }


def write_json(path: Path, facts: dict[str, Any], results: Results) -> None:
    """Write all of the run, each sample included."""
    document = {
        "machine": facts,
        "workloads": {
            name: {
                "title": NAMED[name].title,
                "unit": NAMED[name].unit,
                "clients": {result.client: result._asdict() for result in clients},
            }
            for name, clients in results.items()
        },
        "bars": [
            bar._asdict() | {"value": value, "verdict": verdict} for bar, value, verdict in judged(results)
        ],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
