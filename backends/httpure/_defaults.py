"""The headers that every request of a client has unless it is told otherwise."""

from __future__ import annotations

import sys
from functools import cache

from httpure_core import __version__
from httpure_core.config.prepared import Prepared
from httpure_core.content.libraries import brotli_library
from httpure_core.models.headers import Headers

__all__ = ["default_headers", "prepared_defaults"]


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


@cache
def prepared_defaults() -> Prepared:
    """Return the default headers prepared for requests, for all clients whose headers are just these."""
    return Prepared(default_headers()._raw)


def _accept_encoding() -> str:
    """As the core's `accept_encoding`, without the import of a zstd library, which takes eight milliseconds."""
    codings = ["gzip", "deflate"]
    if brotli_library() is not None:
        codings.append("br")
    if any(_is_installed(name) for name in ("backports.zstd", "compression.zstd", "zstandard")):
        codings.append("zstd")
    return ", ".join(codings)


def _is_installed(name: str) -> bool:
    # As importlib.util.find_spec, whose import takes longer than all that is looked for here.
    package = name.rpartition(".")[0]
    try:
        path = __import__(package).__path__ if package else None
    except ImportError:
        return False
    return any(finder.find_spec(name, path) is not None for finder in sys.meta_path)
