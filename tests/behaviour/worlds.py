"""The backends that the suite runs on. To add one, add a line to `WORLDS`, such as

partial(BlockingWorld, "selectors", backend=Backend()),
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from typing import Any

import trio

import httpure
from examples.new_backend import Backend
from httpure.simulated import Cancelled, Conditions, Simulation

from .world import PeerFactory, RealWorld, World

__all__ = ["BY_H11", "UVLOOP", "WORLDS", "AsyncioWorld", "BlockingWorld", "SimulatedWorld", "TrioWorld"]

#: Real seconds after which a test on an event loop is ended, and what it waits for is seen.
LONGEST = 5.0


class BlockingWorld(RealWorld):
    """Threads and blocking calls."""

    blocking = True
    cancels = False

    def __init__(self, name: str, backend: Any = None) -> None:
        super().__init__()
        self.name = name
        self._backend = backend

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        _never_suspending(test())

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def gather(self, *coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
        results: list[Any] = [None] * len(coroutines)

        def work(index: int, coroutine: Coroutine[Any, Any, Any]) -> None:
            try:
                results[index] = _never_suspending(coroutine)
            except Exception as exc:
                results[index] = exc

        threads = [threading.Thread(target=work, args=numbered) for numbered in enumerate(coroutines)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def _make_client(self, **kwargs: Any) -> Any:
        return httpure.Client(**kwargs, backend=self._backend)


class AsyncioWorld(RealWorld):
    """An event loop of asyncio, or one that the module of that name makes."""

    def __init__(self, name: str, backend: Any = None, loop: str | None = None) -> None:
        super().__init__()
        self.name = name
        self._backend = backend
        self._loop = loop

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def limited() -> None:
            async with asyncio.timeout(LONGEST):
                await test()

        make_loop = None if self._loop is None else import_module(self._loop).new_event_loop
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(limited())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def gather(self, *coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
        return await asyncio.gather(*coroutines, return_exceptions=True)

    async def give_up(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> bool:
        task = asyncio.ensure_future(coroutine)
        await asyncio.wait([task], timeout=seconds)
        if task.cancel():
            await asyncio.wait([task])
        return task.cancelled() or task.result() is None

    def _make_client(self, **kwargs: Any) -> Any:
        return httpure.AsyncClient(**kwargs, backend=self._backend)


class TrioWorld(RealWorld):
    """A run of trio."""

    def __init__(self, name: str, backend: Any = None) -> None:
        super().__init__()
        self.name = name
        self._backend = backend

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def limited() -> None:
            with trio.fail_after(LONGEST):
                await test()

        trio.run(limited)

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def gather(self, *coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
        results: list[Any] = [None] * len(coroutines)

        async def work(index: int, coroutine: Coroutine[Any, Any, Any]) -> None:
            try:
                results[index] = await coroutine
            except Exception as exc:
                results[index] = exc

        async with trio.open_nursery() as nursery:
            for index, coroutine in enumerate(coroutines):
                nursery.start_soon(work, index, coroutine)
        return results

    async def give_up(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> bool:
        with trio.move_on_after(seconds) as scope:
            await coroutine
        return scope.cancelled_caught

    def _make_client(self, **kwargs: Any) -> Any:
        return httpure.AsyncClient(**kwargs, backend=self._backend)


class SimulatedWorld(World):
    """A simulation. With `fast_lane=False`, h11 writes and reads all of HTTP/1.1."""

    virtual = True

    def __init__(
        self, name: str, seed: int = 0, network: Conditions | None = None, fast_lane: bool = True
    ) -> None:
        self.name = name
        self._fast_lane = fast_lane
        self.simulation = Simulation(seed, network)
        self.simulation.network.add_host("localhost", "127.0.0.1")
        self._ports = count(8001)

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.simulation.run(test)

    def clock(self) -> float:
        return self.simulation.clock()

    async def sleep(self, seconds: float) -> None:
        await self.simulation.sleep(seconds)

    async def gather(self, *coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
        tasks = [self.simulation.spawn(coroutine) for coroutine in coroutines]
        results: list[Any] = []
        for task in tasks:
            try:
                results.append(await task.join())
            except Exception as exc:
                results.append(exc)
        return results

    async def give_up(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> bool:
        task = self.simulation.spawn(coroutine)
        await self.simulation.sleep(seconds)
        task.cancel()
        try:
            await task.join()
        except Cancelled:
            return True
        return False

    def listen(self, peer_factory: PeerFactory) -> int:
        port = self.free_port()
        self.simulation.network.listen("127.0.0.1", port, peer_factory)
        return port

    def free_port(self) -> int:
        return next(self._ports)

    def _make_client(self, **kwargs: Any) -> Any:
        client = httpure.AsyncClient(**kwargs, backend=self.simulation.backend)
        if not self._fast_lane:
            for transport in client._transports():
                if isinstance(transport, httpure.AsyncHTTPTransport):
                    transport._transmitter.dialler.fast_lane = False
        return client


def _never_suspending(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine whose awaits are all done at once."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError(f"{coroutine!r} waits, which no coroutine of a blocking world may.")


#: A network that is slow and cuts everything into pieces, but loses nothing.
ROUGH = Conditions(split=0.7, delay=(0.0, 0.002))

WORLDS: list[partial[Any]] = [
    partial(BlockingWorld, "blocking"),
    partial(AsyncioWorld, "asyncio"),
    partial(TrioWorld, "trio"),
    partial(SimulatedWorld, "simulated"),
    partial(SimulatedWorld, "simulated-roughly", seed=1, network=ROUGH),
    partial(BlockingWorld, "selectors", backend=Backend()),
]

#: Only for a part of the suite, see conftest.py.
BY_H11 = [partial(SimulatedWorld, "by-h11", fast_lane=False)]

#: The asyncio backend on another loop; only a part of the suite runs there, see conftest.py. None on Windows.
UVLOOP = [partial(AsyncioWorld, "uvloop", loop="uvloop")] if find_spec("uvloop") else []
