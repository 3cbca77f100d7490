"""What stands for `httpx._auth`."""

from __future__ import annotations

from httpure_core.auth import Auth, BasicAuth, DigestAuth, FunctionAuth

from ..._netrc import NetRCAuth

__all__ = ["Auth", "BasicAuth", "DigestAuth", "FunctionAuth", "NetRCAuth"]
