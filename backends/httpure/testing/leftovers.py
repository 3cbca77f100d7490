"""What must not be there any more when a test ends, in words."""

from __future__ import annotations

from collections.abc import Iterator

from httpure_core.pool import Pool

from .. import _forks
from .faces import AsyncFace, BlockingFace
from .network import ScriptedNetwork
from .server import Server

__all__ = ["pools_in_use", "unread_answers", "unsettled"]


def unread_answers(servers: list[Server]) -> Iterator[str]:
    """Yield what was scripted, and nobody has come for."""
    for server in servers:
        if (text := server.left_over()) is not None:
            yield text


def pools_in_use(*faces: AsyncFace | BlockingFace) -> Iterator[str]:
    """Yield requests that are not over, in the pools of all clients of these backends."""
    for pool in list(_forks._pools):  # which knows all pools that there are
        if getattr(pool.new_mutex, "__self__", None) in faces:
            yield from _in_use(pool)


def _in_use(pool: Pool) -> Iterator[str]:
    for route, figures in pool.statistics_by_route().items():
        origin = route[0] if isinstance(route, tuple) else route
        where = (
            "{}://{}:{}".format(*origin) if isinstance(origin, tuple) and len(origin) == 3 else str(origin)
        )
        if figures.requests:
            what = "a request is" if figures.requests == 1 else f"{figures.requests} requests are"
            yield f"{where}: {what} under way. Read each response to its end, or close it, those of `stream()`, too."
        elif figures.connections > figures.idle:
            yield f"{where}: a connection is being made."
        if figures.waiting:
            yield f"{where}: {figures.waiting} requests wait for a connection."


def unsettled(network: ScriptedNetwork) -> Iterator[str]:
    """Yield attempts to connect that nobody has given up."""
    if network.attempts:
        yield f"{network.attempts} attempts to connect have neither become a connection nor been given up."
