"""Threads and tasks that do jobs over one connection, and what is left when they are done."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import trio

import httpure

from .jobs import BlockingFace, Face, Job, Tally, at_once, do

__all__ = ["CROWDS", "Report", "run"]

#: Of each backend, how many work at a time.
CROWDS = {"sockets": 32, "asyncio": 1000, "trio": 1000}
OPTIONS: dict[str, Any] = {
    "http1": False,
    "http2": True,
    "limits": httpure.Limits(max_connections=1),
    "timeout": httpure.Timeout(60),
    "trust_env": False,
    "verify": False,
}
#: In so many rounds the requests are done. Behind each all is quiet, and the memory is looked at.
ROUNDS = 5


class Memory(NamedTuple):
    """What is in use when all is quiet: of the process, in bytes, and of Python, in blocks."""

    size: int
    blocks: int


class Report(NamedTuple):
    """What came of it all. `memory` is that behind each round; `left` names what should not be there any more."""

    tally: Tally
    wall: float
    cpu: float
    memory: list[Memory]
    connections: int
    left: list[str]


class Work:
    """Jobs for whoever wants one, round by round."""

    def __init__(self, requests: int, seed: int) -> None:
        self.seed = seed
        self.tally = Tally()
        self.memory: list[Memory] = []
        self._lock = threading.Lock()
        self._numbers: Iterator[int] = iter(())
        self._next = 0
        self._requests = requests

    def rounds(self) -> Iterator[int]:
        """Begin each round, and look at the memory behind it."""
        for number in range(1, ROUNDS + 1):
            end = self._requests * number // ROUNDS
            self._numbers, self._next = iter(range(self._next, end)), end
            yield number
            gc.collect()
            self.memory.append(Memory(memory(), sys.getallocatedblocks()))

    def __iter__(self) -> Iterator[Job]:
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            yield Job(number, self.seed)


def memory() -> int:
    """Return the bytes of memory that this process has; 0 where that cannot be known."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def run(backend: str, url: str, requests: int, crowd: int | None = None, seed: int = 1) -> Report:
    """Have so many do so many requests over one connection."""
    work = Work(requests, seed)
    wall, cpu = time.monotonic(), time.process_time()
    crowd = crowd or CROWDS[backend]
    seen: list[Any] = _RUNNERS[backend](url, work, crowd)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    return Report(work.tally, wall, cpu, work.memory, *seen)


def _in_threads(url: str, work: Work, crowd: int) -> list[Any]:
    with httpure.Client(**OPTIONS) as client:
        face = BlockingFace(client)
        failures: list[BaseException] = []

        def loop() -> None:
            try:
                for job in work:
                    at_once(do(job, face, url, work.tally))
            except BaseException as exc:
                failures.append(exc)

        for _ in work.rounds():
            threads = [threading.Thread(target=loop, daemon=True) for _ in range(crowd)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if failures:
                raise failures[0]
            del threads
        with client.stream("GET", f"{url}/counts/0/last") as last:
            last.read()
        return [int(last.text.split()[0]), what_is_left(client, last)]


def _in_tasks(
    client: httpure.AsyncClient,
    limited: Callable[[Callable[[], Awaitable[None]], float], Awaitable[bool]],
    url: str,
    work: Work,
) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[list[Any]]]]:
    face = Face(client, limited)

    async def loop() -> None:
        for job in work:
            await do(job, face, url, work.tally)

    async def end() -> list[Any]:
        async with client.stream("GET", f"{url}/counts/0/last") as last:
            await last.aread()
        return [int(last.text.split()[0]), what_is_left(client, last)]

    return loop, end


def _on_asyncio(url: str, work: Work, crowd: int) -> list[Any]:
    async def limited(function: Callable[[], Awaitable[None]], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await function()
        except TimeoutError:
            return False
        return True

    async def main() -> list[Any]:
        async with httpure.AsyncClient(**OPTIONS) as client:
            loop, end = _in_tasks(client, limited, url, work)
            for _ in work.rounds():
                async with asyncio.TaskGroup() as group:
                    for _ in range(crowd):
                        group.create_task(loop())  # type: ignore[arg-type]
            await asyncio.sleep(0)
            return await end()

    return asyncio.run(main())


def _on_trio(url: str, work: Work, crowd: int) -> list[Any]:
    async def limited(function: Callable[[], Awaitable[None]], seconds: float) -> bool:
        with trio.move_on_after(seconds) as scope:
            await function()
        return not scope.cancelled_caught

    async def main() -> list[Any]:
        async with httpure.AsyncClient(**OPTIONS) as client:
            loop, end = _in_tasks(client, limited, url, work)
            for _ in work.rounds():
                async with trio.open_nursery() as nursery:
                    for _ in range(crowd):
                        nursery.start_soon(loop)
            await trio.lowlevel.checkpoint()
            return await end()

    return trio.run(main)


_RUNNERS: dict[str, Callable[[str, Work, int], list[Any]]] = {
    "sockets": _in_threads,
    "asyncio": _on_asyncio,
    "trio": _on_trio,
}


def what_is_left(client: Any, last: httpure.Response) -> list[str]:
    """Name what is not as it was before the first request, when the last one is done."""
    stream: Any = last.stream
    link = stream.incoming.link
    machine = link.machine
    while hasattr(machine, "inner"):
        machine = machine.inner
    facts = {
        "streams": (len(machine._table.streams), 0),
        "slots of the connection": (machine.available_streams, machine._allowed),
        "the pool's figures": (client._transport.statistics[:3], (1, 1, 0)),
    }
    if hasattr(link, "turn"):
        facts["who reads"] = (link.turn.reader, None)
        facts["who waits to read"] = (len(link.turn.waiting), 0)
        facts["who waits to send"] = (len(link.flushers), 0)
        facts["what is unsent"] = (len(link.unsent), 0)
        facts["locks"] = (link.sending.locked() or link.mutex.locked(), False)
    else:
        facts["who waits to send"] = (len(link._writers), 0)
        facts["who has the timer"] = (link._limited, None)
    return [f"{name}: {is_} and not {ought!r}" for name, (is_, ought) in facts.items() if is_ != ought]
