"""Authentication: who the client says it is.

Read `flow` first: an auth scheme is a generator of requests. Then `basic`, `digest` with `challenges` (what
a server asks for), and `netrc`. Nothing here reads a file: the face does, and hands over the text.
"""

from __future__ import annotations

from .basic import BasicAuth, userinfo_auth
from .challenges import Challenge, parse_challenges
from .digest import DigestAuth
from .flow import Auth, AuthTypes, FunctionAuth
from .netrc import NetRC, NetRCAuth, NotNetRC, parse_netrc
from .resolve import build_auth

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
