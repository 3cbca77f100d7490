"""Which async library is running. Asked once per client, and only of libraries that the program has imported."""

from __future__ import annotations

import sys

from ._backends import AsyncBackend

__all__ = ["running_backend"]


def running_backend() -> AsyncBackend:
    """Return the backend for the running event loop. Raises RuntimeError where none runs."""
    if "trio" in sys.modules:
        import trio.lowlevel

        if trio.lowlevel.in_trio_run():
            from .trio import Backend as TrioBackend

            return TrioBackend()
    if "asyncio" in sys.modules:
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            from .asyncio import Backend as AsyncioBackend

            return AsyncioBackend()
    raise RuntimeError(
        "An AsyncClient works within a running event loop of asyncio or trio, and none is running here. "
        "Use httpure.Client in blocking code."
    )
