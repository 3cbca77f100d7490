"""The headers that every request of a client has unless it is told otherwise."""

from __future__ import annotations

from functools import cache

from httpure_core import __version__
from httpure_core.content.decode import accept_encoding
from httpure_core.models.headers import Headers

__all__ = ["default_headers"]


@cache
def default_headers() -> Headers:
    """Return the default headers. They are shared: copy them before changing them."""
    return Headers(
        [
            ("Accept", "*/*"),
            ("Accept-Encoding", accept_encoding()),
            ("Connection", "keep-alive"),
            ("User-Agent", f"python-httpure/{__version__}"),
        ]
    )
