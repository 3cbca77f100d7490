"""The reading of a netrc file, which the core's `NetRCAuth` leaves to others."""

from __future__ import annotations

import os

from httpure_core import auth

__all__ = ["NetRCAuth"]


class NetRCAuth(auth.NetRCAuth):
    """Basic authentication with the entry of a netrc file for the request's host.

    `file` is its path; by default that of the environment variable NETRC, or else `~/.netrc` (`~/_netrc` on
    Windows). Raises OSError if it cannot be read, ValueError if it is no netrc file.

    >>> with open("netrc", "w") as file:
    ...     print("machine shop.example login ada password secret", file=file)
    >>> request = httpure.Request("GET", "https://shop.example/")
    >>> next(httpure.NetRCAuth("netrc").auth_flow(request)).headers["Authorization"]
    'Basic YWRhOnNlY3JldA=='
    """

    def __init__(self, file: str | None = None) -> None:
        with open(_path(file), encoding="utf-8") as netrc:
            super().__init__(auth.parse_netrc(netrc.read()))


def _path(file: str | None) -> str:
    named = file or os.environ.get("NETRC")
    if named:
        return named
    usual, other = os.path.expanduser("~/.netrc"), os.path.expanduser("~/_netrc")
    return other if os.name == "nt" and os.path.exists(other) else usual
