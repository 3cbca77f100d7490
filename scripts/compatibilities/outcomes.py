"""Running a suite, and how each of its tests ended."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import environment

from .suites import Suite
from .workshop import NotToBeHad, workshop

__all__ = ["Outcome", "run"]

#: Seconds for one test: what hangs is a failure.
PATIENCE_WITH_ONE = 60
#: Variables that would lead a suite's requests elsewhere.
AMBIENT = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
)


class Outcome(NamedTuple):
    """How a test ended."""

    #: passed, skipped, xfailed, xpassed, failed, error
    outcome: str
    #: The first line of the reason.
    why: str


def run(suite: Suite, python: str, source: Path, standin: bool, further: list[str]) -> dict[str, Outcome]:
    """Run the suite with the real httpx, or on the stand-in, and return the outcome of each test."""
    folder = workshop() / "outcomes"
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{suite.name}-{'httpure' if standin else 'httpx'}.jsonl"
    written.unlink(missing_ok=True)
    wrapped = ["-m", "httpure.standin", "-m", "pytest"] if standin else ["-m", "pytest"]
    command = [
        *(python, *wrapped, "-p", "compatibilities.plugin", "-p", "no:cacheprovider", "-o", "addopts="),
        *("-q", "--tb=short", f"--timeout={PATIENCE_WITH_ONE}", *suite.arguments, *further),
    ]
    log = written.with_suffix(".log")
    with log.open("w") as file:
        try:
            subprocess.run(
                command,
                cwd=source,
                env=_environment(written),
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=suite.patience,
            )
        except subprocess.TimeoutExpired:
            raise NotToBeHad(f"{suite.name} took more than {suite.patience:.0f} s; see {log}") from None
    if not written.is_file():
        raise NotToBeHad(f"{suite.name} could not be run; see {log}")
    return _read(written)


def _environment(written: Path) -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if name.upper() not in AMBIENT}
    scripts = str(environment.ROOT / "scripts")
    return variables | {"COMPATIBILITY_OUTCOMES": str(written), "PYTHONPATH": scripts}


def _read(written: Path) -> dict[str, Outcome]:
    entries = [json.loads(line) for line in written.read_text("utf-8").splitlines()]
    return {entry["test"]: Outcome(entry["outcome"], entry["why"]) for entry in entries}
