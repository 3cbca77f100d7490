"""Running a few lines of Python in an interpreter that has imported nothing yet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "fresh"]

ROOT = Path(__file__).resolve().parents[2]


def fresh(code: str, *arguments: str, development: bool = True) -> str:
    """Run the code and return what it prints. Raises AssertionError if it fails.

    `arguments` are its `sys.argv[1:]`. `development` adds Python's own checks (`-X dev`), and takes time.
    """
    path = os.pathsep.join([str(ROOT / "core"), str(ROOT / "backends"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *(["-X", "dev"] if development else []), "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
