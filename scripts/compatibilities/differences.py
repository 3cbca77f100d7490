"""The deliberate differences: which tests may end otherwise than on httpx, and why.

`differences/<suite>.txt` lists them:

    # a comment
    Why it is so, in one line:
        tests/test_auth.py::test_digest_auth*
        tests/models/test_url.py::test_url_invalid_port

A pattern is as in a shell, but brackets are taken as they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["Difference", "deliberate"]

FOLDER = Path(__file__).parent / "differences"


class Difference(NamedTuple):
    """Tests that end otherwise, and why."""

    why: str
    pattern: str

    def covers(self, test: str) -> bool:
        """Whether the test is one of them."""
        parts = (re.escape(part) for part in self.pattern.split("*"))
        return re.fullmatch(".*".join(parts), test, re.DOTALL) is not None


def deliberate(suite: str) -> list[Difference]:
    """Return the deliberate differences of a suite."""
    file = FOLDER / f"{suite}.txt"
    found: list[Difference] = []
    why = ""
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if line[0] != " ":
            why = text.removesuffix(":")
        elif not why:
            raise ValueError(f"{file}: {text!r} has no reason above it")
        else:
            found.append(Difference(why, text))
    return found
