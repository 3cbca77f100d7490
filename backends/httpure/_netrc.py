"""The reading of a netrc file, which the core's `NetRCAuth` leaves to others."""

from __future__ import annotations

import os
from typing import TextIO

from httpure_core import auth

__all__ = ["NetRCAuth"]


class NetRCAuth(auth.NetRCAuth):
    """Basic authentication with the entry of a netrc file for the request's host.

    `file` is its path; by default that of the environment variable NETRC, or else `~/.netrc` (`~/_netrc` on
    Windows). Raises OSError if it cannot be read, and `netrc.NetrcParseError`, here also a ValueError, if it is no
    netrc file, or if it is `~/.netrc` and others than its owner may read the passwords in it.

    >>> with open("netrc", "w") as file:
    ...     print("machine shop.example login ada password secret", file=file)
    >>> request = httpure.Request("GET", "https://shop.example/")
    >>> next(httpure.NetRCAuth("netrc").auth_flow(request)).headers["Authorization"]
    'Basic YWRhOnNlY3JldA=='
    """

    def __init__(self, file: str | None = None) -> None:
        if file is not None and not isinstance(file, str | os.PathLike):
            raise TypeError(f"The netrc file is given by its path, not {type(file).__name__}.")
        path = (None if file is None else os.fspath(file)) or os.environ.get("NETRC")
        usual = not path
        path = path or _usual_path()
        with open(path, encoding="utf-8") as opened:
            super().__init__(_read(opened, path, usual))


def _usual_path() -> str:
    usual, other = os.path.expanduser("~/.netrc"), os.path.expanduser("~/_netrc")
    return other if os.name == "nt" and os.path.exists(other) else usual


def _read(opened: TextIO, path: str, usual: bool) -> auth.NetRC:
    try:
        read = auth.parse_netrc(opened.read())
    except auth.NotNetRC as exc:
        from ._netrc_error import NetRCError

        raise NetRCError(f"This is no netrc file: {exc.why}", path, exc.line) from None
    if usual and read.secret and os.name == "posix":
        _check_owner(os.fstat(opened.fileno()), path)
    return read


def _check_owner(status: os.stat_result, path: str) -> None:
    """Refuse a file that somebody else may read or has written, as ssh and the netrc module do."""
    if status.st_uid != os.getuid():
        wrong = f"it belongs to another user: run chown {os.getuid()}"
    elif status.st_mode & 0o077:
        wrong = "others may read it: run chmod 600"
    else:
        return
    from ._netrc_error import NetRCError

    raise NetRCError(f"There are passwords in {path}, and {wrong} {path}", path)
