"""Calling the command in this process."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner

import httpure

__all__ = ["Calling", "Outcome"]


class Outcome:
    """How a call went: `code`, `out` and `err` as text, and `raw`, the bytes of standard output."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.raw = out
        self.out = out.decode(errors="replace")
        self.err = err.decode()

    @property
    def lines(self) -> list[str]:
        """Standard output, without the fields that differ from call to call."""
        return [line for line in self.out.splitlines() if not line.lower().startswith("date:")]

    @property
    def body(self) -> str:
        """What stands behind the last head."""
        return self.out.rpartition("\n\n")[2]


class Calling:
    """Call it with the arguments of the command line. Raises what is no way for a command to end."""

    def __call__(self, *arguments: str, input: bytes | None = None) -> Outcome:
        result: Any = CliRunner().invoke(httpure.main, arguments, input=input, prog_name="httpure")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout_bytes, result.stderr_bytes)
