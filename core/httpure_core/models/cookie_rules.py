"""The rules of cookies that need no store: which hosts, paths and names agree, and how long one lives (RFC 6265bis)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cookie_syntax import SetCookie

__all__ = [
    "default_path",
    "expiry",
    "is_address",
    "path_matches",
    "paths_above",
    "prefix_allows",
    "shelves_of",
]

#: A received cookie lives 400 days at most (RFC 6265bis section 5.5).
MAX_LIFETIME = 400 * 86400


def shelves_of(host: str) -> list[str]:
    """The shelves of a host: its own, those of its parent domains, and "". Addresses have no parents."""
    domains = ["", host] if host else [""]
    if not is_address(host):
        dot = host.find(".")
        while dot != -1:
            domains.append(host[dot + 1 :])
            dot = host.find(".", dot + 1)
    return domains


def is_address(host: str) -> bool:
    """Whether the host is an IP address, and no name."""
    # WHATWG's rule: a host whose last label is a number is an IPv4 address, however it is written.
    if ":" in host:
        return True
    last = host[host.rfind(".", 0, -1) + 1 :]
    return last[:1].isdigit() and (last.rstrip(".").isdigit() or last.startswith("0x"))


def path_matches(path: str, cookie_path: str) -> bool:
    """Whether a cookie of `cookie_path` goes with a request for `path` (RFC 6265bis section 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return len(path) == len(cookie_path) or cookie_path[-1] == "/" or path[len(cookie_path)] == "/"


def paths_above(path: str) -> Iterator[str]:
    """Yield every path of a cookie that goes with a request for `path`: the other way round than `path_matches`."""
    yield path
    slash = path.find("/")
    while slash != -1:
        yield path[:slash]
        yield path[: slash + 1]
        slash = path.find("/", slash + 1)


def default_path(path: str) -> str:
    """Return the path of a cookie whose server gave none, from that of the request (RFC 6265bis section 5.1.4)."""
    return path[: path.rfind("/")] or "/" if path[:1] == "/" else "/"


def prefix_allows(cookie: SetCookie) -> bool:
    """`__Secure-` and `__Host-` names promise what their attributes must hold (RFC 6265bis section 4.1.3)."""
    # A nameless cookie is sent as its value alone: a server could not tell it from a named one.
    name = (cookie.name or cookie.value).lower()
    if not name.startswith(("__secure-", "__host-")):
        return True
    if not cookie.name or not cookie.secure:
        return False
    return name.startswith("__secure-") or (not cookie.domain and cookie.path == "/")


def expiry(cookie: SetCookie, now: float) -> float | None:
    """Return when a received cookie expires, in seconds since 1970; None for with the store."""
    if cookie.max_age is not None:
        return now + min(cookie.max_age, MAX_LIFETIME) if cookie.max_age > 0 else now
    return None if cookie.expires is None else min(cookie.expires, now + MAX_LIFETIME)
