"""The reading of a netrc file, which the core's `NetRCAuth` leaves to others."""

from __future__ import annotations

import os
from pathlib import Path

from httpure_core import auth

__all__ = ["NetRCAuth"]


class NetRCAuth(auth.NetRCAuth):
    """Basic authentication with the entry of a netrc file for the request's host.

    `file` is its path; by default that of the environment variable NETRC, or else `~/.netrc` (`~/_netrc` on
    Windows). Raises OSError if it cannot be read, ValueError if it is no netrc file.
    """

    def __init__(self, file: str | None = None) -> None:
        super().__init__(auth.parse_netrc(_path(file).read_text(encoding="utf-8")))


def _path(file: str | None) -> Path:
    named = file or os.environ.get("NETRC")
    if named:
        return Path(named)
    usual = Path.home() / ".netrc"
    other = Path.home() / "_netrc"
    return other if os.name == "nt" and other.exists() else usual
