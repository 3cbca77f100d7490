"""What is raised of a netrc file that cannot be used. Imported only then: the netrc module is not needed else."""

from __future__ import annotations

from netrc import NetrcParseError

__all__ = ["NetRCError"]


class NetRCError(NetrcParseError, ValueError):
    """As `netrc.netrc()` raises it, with `msg`, `filename` and `lineno`."""

    def __init__(self, msg: str, filename: str | None = None, lineno: int | None = None) -> None:
        super().__init__(msg, filename, lineno)
        self.args = (msg, filename, lineno)  # for copies, such as those of pickle

    def __str__(self) -> str:
        return self.msg if self.lineno is None else f"{self.msg} ({self.filename}, line {self.lineno})"
