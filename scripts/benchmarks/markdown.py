"""A run as Markdown, for documents: the machine, the command, and a table for each kind of workload, or one in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import report
from .contest import Result, Results
from .suite import NAMED, SUMMARY
from .workloads import BULK, TRANSFERS, Workload

#: The order of columns; any other client comes after those in Python. The floor, which none can be below, ends it.
PYTHON = ("httpure", "httpx", "httpx2", "aiohttp", "urllib3", "http.client", "niquests")
COMPILED = ("pycurl", "pyreqwest", "wreq", "pyqwest")
FLOORS = ("floor", "h2")
ORDER = (*PYTHON, *COMPILED, *FLOORS)

LARGE = "100 MB at once"
#: What there is to tell of those: the unit, and where a result has it.
ASPECTS = (("MB/s (more is better)", "per_second"), ("CPU ms", "cpu"), ("MB of memory added", "memory"))


def document(facts: Mapping[str, Any], command: str, results: Results) -> str:
    """Return the whole run."""
    parts = [
        f"Measured with `{command}` on {', '.join(f'{key} {value}' for key, value in facts.items())}.\n"
        "Figures are medians of interleaved turns; µs is the CPU time, user and system, that the client's process "
        "takes for one request. Less is better. `floor` is a bare loop over sockets that parses nothing.",
        f"Versions: {_versions(results)}.",
    ]
    for kind, names in _kinds(results).items():
        parts += [f"### {kind}"]
        if kind == LARGE:
            parts += [_figures(names, results, *aspect) for aspect in ASPECTS]
        else:
            parts += [_figures(names, results)]
    parts += ["### What httpure must reach", _bars(results)]
    return "\n\n".join(parts) + "\n"


def summary(facts: Mapping[str, Any], command: str, results: Results) -> str:
    """Return one table of the workloads in `SUMMARY`, and how to measure it."""
    names = [name for name in SUMMARY if name in results]
    units = {NAMED[name].unit for name in names}
    titles = [SUMMARY[name] + (f" ({NAMED[name].unit})" if len(units) > 1 else "") for name in names]
    fields = ["cpu" if NAMED[name].load.task in TRANSFERS else "figure" for name in names]
    clients = _clients_of(names, results, "figure")
    rows = [
        [title, *(_figure(results[name], client, field) for client in clients)]
        for title, name, field in zip(titles, names, fields, strict=True)
    ]
    return (
        f"{_table(['less is better', *clients], rows)}\n\n"
        f"`{command}`, {', '.join(f'{key} {value}' for key, value in facts.items())}. CPU time of the client's "
        "process, user and system, for each of them; medians of interleaved turns. `floor` is a bare loop over sockets "
        "that parses nothing. "
        f"{_versions({name: results[name] for name in names})}\n"
    )


def put(file: Path, text: str) -> None:
    """Write the text into a file: between its marks, where it has them."""
    begin, end = "<!-- bench -->", "<!-- /bench -->"
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    if begin in old and end in old:
        before, after = old.partition(begin)[0], old.partition(end)[2]
        text = f"{before}{begin}\n\n{text}\n{end}{after}"
    file.write_text(text, encoding="utf-8")


def kind_of(workload: Workload) -> str:
    """Return the heading that a workload stands under."""
    if workload.unit in ("MB", "KiB"):
        return "Memory"
    if workload.fresh or workload.load.task in ("construct", "one_shot"):
        return "Starting"
    if workload.load.task in TRANSFERS:
        return LARGE
    if workload.path.split("/")[1] in BULK:
        return "Large bodies"
    if workload.load.http2:
        return "HTTP/2"
    return {"blocking": "Blocking", "uvloop": "asyncio on uvloop"}.get(workload.load.face, workload.load.face)


def _kinds(results: Results) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for name in results:
        kinds.setdefault(kind_of(NAMED[name]), []).append(name)
    return kinds


def _figures(names: list[str], results: Results, unit: str = "", field: str = "figure") -> str:
    """Return a table with a row for each workload and a column for each client."""
    clients = _clients_of(names, results, field)
    units = {unit or NAMED[name].unit for name in names}
    shared = units.pop() if len(units) == 1 else ""
    rows = [
        [_titled(NAMED[name], shared), *(_figure(results[name], client, field) for client in clients)]
        for name in names
    ]
    return _table([shared, *clients], rows)


def _clients_of(names: list[str], results: Results, field: str) -> list[str]:
    """Return those who have such a figure, in order."""
    measured = {
        result.client
        for name in names
        for result in results[name]
        if getattr(result, field) is not None and result.client != NAMED[name].baseline
    }
    return sorted(measured, key=_column)


def _column(client: str) -> float:
    return ORDER.index(client) if client in ORDER else len(PYTHON) - 0.5


def _titled(workload: Workload, shared: str) -> str:
    """Return the title, with the unit where the table has several."""
    return workload.title if shared else f"{workload.title} ({workload.unit})"


def _figure(results: list[Result], client: str, field: str) -> str:
    figure = next((getattr(result, field) for result in results if result.client == client), None)
    shown = "" if figure is None else report.number(figure)
    return f"**{shown}**" if shown and client == "httpure" else shown


def _bars(results: Results) -> str:
    rows = [
        [
            NAMED[bar.workload].title,
            _typeset(bar.demand(NAMED[bar.workload].unit)),
            report.number(value),
            verdict,
        ]
        for bar, value, verdict in report.judged(results)
    ]
    return _table(["workload", "httpure must be", "is", ""], rows)


def _typeset(demand: str) -> str:
    return demand.replace("<=", "≤").replace(">=", "≥").replace(" x ", " \N{MULTIPLICATION SIGN} ")


def _versions(results: Results) -> str:
    versions = {
        result.client: result.version for each in results.values() for result in each if result.version
    }
    return ", ".join(
        f"{client} {version}" for client, version in sorted(versions.items()) if client not in FLOORS
    )


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    lines = [heads, [":--", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
