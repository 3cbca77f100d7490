"""Tasks that belong to a transport and not to its caller, and the bell by which they wake each other.

`start` runs a coroutine function on whichever library runs here: as a task of asyncio, or as a system task of trio.
What it raises is kept and not thrown at the event loop. Knows nothing of ASGI.
"""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable
from typing import Protocol

from httpure_core.effects import Park, Sleep
from httpure_core.signals import Signal

from ..backends import AsyncBackend

__all__ = ["Bell", "Task", "pause", "start"]


class Task(Protocol):
    """A coroutine function that runs by itself."""

    #: True once it has come to its end; neither that nor `error` is set where it was cancelled.
    returned: bool
    #: What it raised.
    error: BaseException | None

    @property
    def done(self) -> bool:
        """True once it is over, for whatever reason."""
        ...

    def cancel(self) -> None:
        """Cancel it, and do not wait. Does nothing if it is over."""
        ...

    def cancel_soon(self) -> None:
        """As `cancel()`, from whatever thread and at whatever moment; garbage collection has no better one."""
        ...

    async def wait(self, seconds: float, *, shielded: bool = False) -> None:
        """Wait until it is over, at most so long; with `shielded`, also where the caller is being cancelled."""
        ...


def start(
    backend: AsyncBackend, function: Callable[[], Awaitable[object]], name: str, on_end: Callable[[], None]
) -> Task:
    """Run the function in a task of its own, with a copy of the caller's context.

    `on_end` is called when it is over.
    """
    context = contextvars.copy_context()
    if backend.name == "trio":
        from .asgi_trio import TrioTask

        return TrioTask(function, name, context, on_end)
    from .asgi_asyncio import AsyncioTask

    return AsyncioTask(function, name, context, on_end)


class Bell:
    """Wakes all tasks that wait for it. Of one event loop: it is rung and waited for in its thread only.

    There is no moment between looking at the state and waiting in which a ring could be lost, because nothing else
    runs then: so look, and if there is nothing, wait, and look again.
    """

    __slots__ = ("_backend", "_waiting")

    def __init__(self, backend: AsyncBackend) -> None:
        self._backend = backend
        self._waiting: set[Signal] = set()

    def ring(self) -> None:
        """Wake all who wait now."""
        for signal in self._waiting:
            signal.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for the next ring. Raises TimeoutError after so many seconds without one."""
        signal = Signal()
        self._waiting.add(signal)
        try:
            waiting = self._backend.park(Park(signal, seconds))
            if waiting is not None:
                await waiting
        except TimeoutError:
            if not signal.ready:  # they may come together, and a ring must not be lost
                raise
        finally:
            self._waiting.discard(signal)


async def pause(backend: AsyncBackend) -> None:
    """Let others run, and let a cancellation in."""
    waiting = backend.sleep(Sleep(0))
    if waiting is not None:
        await waiting
