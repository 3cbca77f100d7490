"""The demo from start to end: server, jobs, table, exit status."""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from pathlib import Path

import httpure
from tests.servers import LocalServer, bodies

from . import asynchronous, blocking, checks
from .report import Report

__all__ = ["main"]

BACKENDS = ["blocking", "asyncio", "trio"]


def main(arguments: list[str]) -> int:
    """Return the exit status: 0 only where every job on every backend went right."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print("usage: scripts/demo [URL]")
        return 2
    report = Report()
    begun = time.perf_counter()
    if arguments:
        title = f"httpure reading {arguments[0]}"
        _read(arguments[0], report)
    else:
        title = "httpure against an embedded server (hypercorn, HTTPS)"
        _tour(report)
    _conclude(report, title, time.perf_counter() - begun)
    return 1 if report.failures else 0


def _tour(report: Report) -> None:
    with tempfile.TemporaryDirectory(prefix="httpure-demo-") as folder, LocalServer() as server:
        upload = Path(folder) / "large.bin"
        with open(upload, "wb") as file:
            file.writelines(bodies.large_body(checks.SIZE))
        site = checks.Site(server.tls_url, server.client_context(), upload)
        blocking.tour(site, report)
        for backend in BACKENDS[1:]:
            asynchronous.run(backend, asynchronous.tour, site, report)


def _read(url: str, report: Report) -> None:
    blocking.read(url, report)
    for backend in BACKENDS[1:]:
        asynchronous.run(backend, asynchronous.read, url, report)


def _conclude(report: Report, title: str, seconds: float) -> None:
    report.console.print()
    report.console.print(report.table(title, BACKENDS))
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    report.console.print(
        f"httpure {httpure.__version__}, {machine}: {seconds:.1f} s{_peak_memory()}", highlight=False
    )
    if report.failures:
        report.console.print(f"{report.failures} jobs FAILED; what they said stands above.", style="bold red")
    else:
        report.console.print("All jobs went right, and their answers were checked.", style="bold green")


def _peak_memory() -> str:
    """Return what this process held at most, where the system tells."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f", at most {peak / 1e6:.0f} MB of memory"
