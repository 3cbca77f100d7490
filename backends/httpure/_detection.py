"""Which backend a client works with: the one it was given, by object or name, or the one that is at hand.

Which async library runs is asked once per client, and only of libraries that the program has imported.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Protocol

from ._driving import BlockingDriver
from .backends import AsyncBackend, BlockingBackend, find_backend

__all__ = ["StandIn", "async_backend", "blocking_backend", "blocking_driver", "running_backend"]


class StandIn(Protocol):
    """A network that takes the place of the real one; see `httpure.testing`."""

    @property
    def backend(self) -> AsyncBackend:
        """For the clients that await."""
        ...

    @property
    def blocking_backend(self) -> BlockingBackend:
        """For the others."""
        ...


#: What new clients work with that are given no backend; None, as a rule, for the real network.
stand_in: StandIn | None = None


def blocking_backend(given: BlockingBackend | str | None) -> BlockingBackend:
    """Return the backend that was given; that of sockets if it was none."""
    if given is None:
        return _driver_of_sockets().backend if stand_in is None else stand_in.blocking_backend
    named: BlockingBackend = find_backend(given) if isinstance(given, str) else given
    _check(named)
    return named


def blocking_driver(given: BlockingBackend | str | None) -> BlockingDriver:
    """Return the driver of the backend that was given; that of sockets if it was none."""
    if given is None and stand_in is None:
        return _driver_of_sockets()
    return BlockingDriver(blocking_backend(given))


@cache
def _driver_of_sockets() -> BlockingDriver:
    # One for all clients, as it keeps nothing of them: it takes a tenth of the time to make a client.
    from .sockets import Backend

    return BlockingDriver(Backend())


def async_backend(given: AsyncBackend | str | None) -> AsyncBackend | None:
    """Return the backend that was given, or None: it is found out when something runs."""
    if given is None and stand_in is not None:
        return stand_in.backend
    named: AsyncBackend | None = find_backend(given) if isinstance(given, str) else given
    if named is not None:
        _check(named)
    return named


def _check(given: object) -> None:
    """Raise TypeError for what does not look like a backend."""
    if not (hasattr(given, "dial") and hasattr(given, "mutex")):
        raise TypeError(f"backend is the name of a backend, or one, not {type(given).__name__}.")


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
