"""The two faces of a world's network: for clients that await, on whatever runs, and for those that block."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

from httpure_core.effects import Begin, Dial, Flush, Offload, Park, Race, Receive, Resolve, Sleep

from ..simulated.backend import Backend
from ..simulated.network import Network
from ..simulated.scheduler import Mutex, Scheduler, Task
from .handshake import PlayedTLS

__all__ = ["AsyncFace", "BlockingFace", "Bridge"]

T = TypeVar("T")

#: Has an event loop await what waits in a simulation.
Bridge: TypeAlias = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]
#: Ends a coroutine function after some seconds, in the way of an event loop.
Limit: TypeAlias = Callable[[Callable[[], Awaitable[Any]], float | None], Awaitable[Any]]


class AsyncFace:
    """Performs the effects for an `AsyncClient`. See `backends.AsyncBackend`."""

    name = "testing"

    def __init__(self, scheduler: Scheduler, network: Network) -> None:
        self._inner = Backend(scheduler, network)
        self._scheduler = scheduler
        #: Those of the event loop that runs; None where the world's own scheduler does.
        self.bridge: Bridge | None = None
        self.limited: Limit | None = None
        #: What is spoken in the place of TLS.
        self.tls = PlayedTLS()

    def clock(self) -> float:
        """Return the seconds since the world began."""
        return self._inner.clock()

    def mutex(self) -> Mutex:
        """Return a new lock."""
        return self._inner.mutex()

    def resolve(self, effect: Resolve) -> Awaitable[None] | None:
        """Look a host name up."""
        return self._bridged(self._inner.resolve(effect))

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several."""
        self._inner.begin(effect)

    def race(self, effect: Race) -> Awaitable[None] | None:
        """Wait until one of several attempts has connected or failed."""
        return self._bridged(self._inner.race(effect))

    def dial(self, effect: Dial) -> Awaitable[None] | None:
        """Connect to a server, or not."""
        return self._bridged(self._inner.dial(effect))

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Send, and wait where the network takes no more."""
        return self._bridged(self._inner.flush(effect))

    def receive(self, effect: Receive) -> Awaitable[None] | None:
        """Wait for news of the connection."""
        return self._bridged(self._inner.receive(effect))

    def park(self, effect: Park) -> Awaitable[None] | None:
        """Wait for somebody else to set the signal."""
        return self._bridged(self._inner.park(effect))

    def sleep(self, effect: Sleep) -> Awaitable[None] | None:
        """Wait for some seconds."""
        return self._bridged(self._inner.sleep(effect))

    def offload(self, effect: Offload) -> None:
        """Call the function at once: nothing blocks here."""
        self._inner.offload(effect)

    def limit(self, function: Callable[[], Awaitable[T]], seconds: float | None) -> Awaitable[T]:
        """Call a coroutine function, for at most so long."""
        return (self.limited or self._inner.limit)(function, seconds)

    def _bridged(self, waiting: Awaitable[None] | None) -> Awaitable[None] | None:
        if waiting is None:
            return None
        coroutine: Any = waiting
        if self.bridge is not None:
            return self.bridge(coroutine)
        if self._scheduler.current is None:
            coroutine.close()
            raise RuntimeError(
                "An async client of a scripted world runs in world.run(...): a loop that was begun in another way, by "
                "asyncio.run() or a plugin of pytest, has a time of its own. Write a plain test that calls world.run."
            )
        return waiting


class BlockingFace:
    """Performs the effects for a `Client`: who waits has the world go on until it is over.

    See `backends.BlockingBackend`. For one thread, the one that entered the world.
    """

    name = "testing"

    def __init__(self, scheduler: Scheduler, network: Network) -> None:
        self._scheduler = scheduler
        self._inner = Backend(scheduler, network)
        self._thread = threading.get_ident()
        self._calls = 0
        #: What is spoken in the place of TLS.
        self.tls = PlayedTLS()

    def clock(self) -> float:
        """Return the seconds since the world began."""
        return self._inner.clock()

    def mutex(self) -> Mutex:
        """Return a new lock."""
        return self._inner.mutex()

    def resolve(self, effect: Resolve) -> None:
        """Look a host name up."""
        self.wait(self._inner.resolve(effect))

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several."""
        self._inner.begin(effect)

    def race(self, effect: Race) -> None:
        """Wait until one of several attempts has connected or failed."""
        self.wait(self._inner.race(effect))

    def dial(self, effect: Dial) -> None:
        """Connect to a server, or not."""
        self.wait(self._inner.dial(effect))

    def flush(self, effect: Flush) -> None:
        """Send, and wait where the network takes no more."""
        self.wait(self._inner.flush(effect))

    def receive(self, effect: Receive) -> None:
        """Wait for news of the connection."""
        self.wait(self._inner.receive(effect))

    def park(self, effect: Park) -> None:
        """Wait for somebody else to set the signal."""
        self.wait(self._inner.park(effect))

    def sleep(self, effect: Sleep) -> None:
        """Wait for some seconds."""
        self.wait(self._inner.sleep(effect))

    def wait(self, waiting: Awaitable[None] | None) -> None:
        """Have the world go on until this is over."""
        if waiting is None:
            return
        scheduler = self._scheduler
        coroutine: Any = waiting
        if threading.get_ident() != self._thread or scheduler.current is not None:
            coroutine.close()
            raise RuntimeError(
                "A blocking client of a scripted world is for the thread that entered it, outside of the tasks of "
                'world.run(..., on="simulated"): there, use an AsyncClient.'
            )
        self._calls += 1
        task = scheduler.spawn(coroutine, f"the caller's wait number {self._calls}")
        task.joined = True
        try:
            # Up to its first wait at once: what is known now must not be otherwise by then.
            scheduler.step(task)
            scheduler.run_until_done(task)
        except BaseException:
            self._forget(task)
            coroutine.close()
            raise
        if task.error is not None:
            scheduler.failed.remove(task)
            raise task.error

    def _forget(self, task: Task[None]) -> None:
        """Nobody will step it any more: a server, or the test itself, has ended the wait."""
        scheduler = self._scheduler
        task.done = True
        scheduler.tasks.pop(task, None)
        if task in scheduler.ready:
            scheduler.ready.remove(task)
