"""A plugin of pytest's that writes down how each test ended: one line of JSON each, to $COMPATIBILITY_OUTCOMES."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

OUTCOMES = os.environ.get("COMPATIBILITY_OUTCOMES", os.devnull)

#: What pytest says of the three phases of a test, the worst last.
RANKS = ("passed", "skipped", "xfailed", "xpassed", "failed", "error")

_outcomes: dict[str, tuple[str, str]] = {}


def pytest_configure(config: Any) -> None:
    """Say who answers to the name of httpx, and let tests that compare User-Agent test the rest of a request."""
    standin = sys.modules.get("httpure.standin")
    if standin is not None and standin.is_installed():
        import httpx

        from httpure._defaults import default_headers

        default_headers()["User-Agent"] = f"python-httpx/{httpx.__version__}"
        httpx.Client._redirect_headers = _redirect_headers


def _redirect_headers(client: Any, request: Any, url: Any, method: str) -> Any:
    """Do what a private method of httpx does that its tests call: the headers after a redirect to `url`."""
    import httpx

    from httpure_core.redirects import redirect

    response = httpx.Response(307, headers={"Location": str(url)}, request=request)
    return redirect(request, response).headers


def pytest_runtest_logreport(report: Any) -> None:
    """Keep the worst of a test's phases."""
    outcome, why = _outcome(report)
    known = _outcomes.get(report.nodeid, ("", ""))[0]
    if not known or RANKS.index(outcome) > RANKS.index(known):
        _outcomes[report.nodeid] = (outcome, why)


def pytest_collectreport(report: Any) -> None:
    """Keep what could not be collected as one test that failed."""
    if report.failed:
        _outcomes[report.nodeid] = ("error", _last_line(report))


def pytest_sessionfinish() -> None:
    """Write everything."""
    lines = [
        json.dumps({"test": name, "outcome": outcome, "why": why})
        for name, (outcome, why) in _outcomes.items()
    ]
    Path(OUTCOMES).write_text("\n".join(lines), "utf-8")


def _outcome(report: Any) -> tuple[str, str]:
    if hasattr(report, "wasxfail"):
        return ("xfailed" if report.skipped else "xpassed"), str(report.wasxfail)
    if report.failed:
        return ("failed" if report.when == "call" else "error"), _last_line(report)
    return str(report.outcome), ""


def _last_line(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(report.longrepr if crash is None else crash.message).strip()
    lines = text.splitlines() or [""]
    return (lines[0] if crash is not None else lines[-1])[:400]
