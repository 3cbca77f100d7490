"""The headers that every request of a client has unless it is told otherwise."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from httpure_core import __version__
from httpure_core.content.libraries import brotli_library
from httpure_core.models.headers import Headers

__all__ = ["default_headers"]


@cache
def default_headers() -> Headers:
    """Return the default headers. They are shared: copy them before changing them."""
    return Headers(
        [
            ("Accept", "*/*"),
            ("Accept-Encoding", _accept_encoding()),
            ("Connection", "keep-alive"),
            ("User-Agent", f"python-httpure/{__version__}"),
        ]
    )


def _accept_encoding() -> str:
    """As the core's `accept_encoding`, without the import of a zstd library, which takes eight milliseconds."""
    codings = ["gzip", "deflate"]
    if brotli_library() is not None:
        codings.append("br")
    if any(_is_installed(name) for name in ("backports.zstd", "compression.zstd", "zstandard")):
        codings.append("zstd")
    return ", ".join(codings)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the package that it would be in
        return False
