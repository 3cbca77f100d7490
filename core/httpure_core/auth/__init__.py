"""Authentication: who the client says it is.

Read `flow` first: an auth scheme is a generator of requests. Then `basic`, `digest` with `challenges` (what
a server asks for), and `netrc`. Nothing here reads a file: the face does, and hands over the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .basic import BasicAuth, userinfo_auth
from .flow import Auth, AuthTypes, FunctionAuth
from .resolve import build_auth

if TYPE_CHECKING:
    from .challenges import Challenge, parse_challenges
    from .digest import DigestAuth
    from .netrc import NetRC, NetRCAuth, NotNetRC, parse_netrc

__all__ = [
    "Auth",
    "AuthTypes",
    "BasicAuth",
    "Challenge",
    "DigestAuth",
    "FunctionAuth",
    "NetRC",
    "NetRCAuth",
    "NotNetRC",
    "build_auth",
    "parse_challenges",
    "parse_netrc",
    "userinfo_auth",
]


def __getattr__(name: str) -> Any:
    # What few programs use is imported when it is asked for.
    if name == "DigestAuth":
        from .digest import DigestAuth

        return DigestAuth
    if name in ("Challenge", "parse_challenges"):
        from . import challenges

        return getattr(challenges, name)
    if name in ("NetRC", "NetRCAuth", "NotNetRC", "parse_netrc"):
        from . import netrc

        return getattr(netrc, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
