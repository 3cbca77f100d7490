"""Threads and tasks that do the jobs, and what is left when they are done."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import trio

import httpure
from tests.backends.quick import open_files
from tests.stress.crowds import Memory, memory
from tests.stress.jobs import BlockingFace, Face, at_once

from .jobs import Job, Tally, do

__all__ = ["BACKENDS", "Report", "run"]

OPTIONS: dict[str, Any] = {
    "http2": True,
    "trust_env": False,
    "verify": False,
    "limits": httpure.Limits(max_connections=100, max_keepalive_connections=20),
}
#: In so many rounds the requests are done. Behind each all is quiet, and the memory is looked at.
ROUNDS = 5


class Report(NamedTuple):
    """What came of it all. `memory` is that behind each round; `left` names what should not be there any more."""

    tally: Tally
    wall: float
    cpu: float
    memory: list[Memory]
    left: list[str]


class Streaming(Face):
    """As `Face`, whose `stream` takes options."""

    def stream(self, method: str, url: str, **options: Any) -> Any:
        return self.client.stream(method, url, **options)


class BlockingStreaming(BlockingFace):
    """As `BlockingFace`, whose `stream` takes options."""

    def stream(self, method: str, url: str, **options: Any) -> Any:
        return _Entered(self.client.stream(method, url, **options))


class _Entered:
    """A context manager, as an asynchronous one that never waits."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def __aenter__(self) -> Any:
        return self._manager.__enter__()

    async def __aexit__(self, *reason: Any) -> Any:
        return self._manager.__exit__(*reason)


class Soak:
    """Jobs for whoever wants one, round by round."""

    def __init__(self, urls: list[str], requests: int, seed: int, retries: int = 0) -> None:
        self.urls = urls
        self.options = OPTIONS | {"retries": httpure.Retry(retries, backoff=0.001)} if retries else OPTIONS
        self.tally = Tally()
        self.memory: list[Memory] = []
        self.left: list[str] = []
        self._requests = requests
        self._seed = seed
        self._lock = threading.Lock()
        self._numbers: Iterator[int] = iter(())

    def rounds(self, client: Any) -> Iterator[int]:
        """Begin each round; look at memory and pool behind it."""
        for number in range(ROUNDS):
            start, end = (self._requests * edge // ROUNDS for edge in (number, number + 1))
            self._numbers = iter(range(start, end))
            yield number
            gc.collect()
            self.memory.append(Memory(memory(), sys.getallocatedblocks()))
            connections, idle, waiting = client._transport.statistics
            if connections != idle or waiting:
                self.left.append(f"places behind round {number}: {client._transport.statistics}")

    async def work(self, face: Any) -> None:
        """Do jobs until there are none."""
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            await do(Job(number, self._seed, len(self.urls)), face, self.urls, self.tally)


def in_threads(soak: Soak, crowd: int) -> None:
    with httpure.Client(**soak.options) as client:
        face = BlockingStreaming(client)
        for _ in soak.rounds(client):
            failures: list[BaseException] = []

            def use(failures: list[BaseException] = failures) -> None:
                try:
                    at_once(soak.work(face))
                except BaseException as exc:
                    failures.append(exc)

            threads = [threading.Thread(target=use) for _ in range(crowd)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if failures:
                raise failures[0]
            threads.clear()


async def _asyncio_main(soak: Soak, crowd: int) -> None:
    async def limited(function: Callable[[], Awaitable[None]], seconds: float) -> bool:
        task = asyncio.ensure_future(function())
        await asyncio.wait([task], timeout=seconds)
        if not task.cancel():
            task.result()
            return True
        await asyncio.wait([task])
        return not task.cancelled() and (task.result() is None)

    async with httpure.AsyncClient(**soak.options) as client:
        face = Streaming(client, limited)
        for _ in soak.rounds(client):
            await asyncio.gather(*[soak.work(face) for _ in range(crowd)])
            await asyncio.sleep(0)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if tasks:
        soak.left.append(f"tasks: {tasks}")


def on_asyncio(soak: Soak, crowd: int) -> None:
    asyncio.run(_asyncio_main(soak, crowd))


def on_uvloop(soak: Soak, crowd: int) -> None:
    with asyncio.Runner(loop_factory=import_module("uvloop").new_event_loop) as runner:
        runner.run(_asyncio_main(soak, crowd))


def on_trio(soak: Soak, crowd: int) -> None:
    async def limited(function: Callable[[], Awaitable[None]], seconds: float) -> bool:
        with trio.move_on_after(seconds) as scope:
            await function()
        return not scope.cancelled_caught

    async def main() -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        async with httpure.AsyncClient(**soak.options) as client:
            face = Streaming(client, limited)
            for _ in soak.rounds(client):
                async with trio.open_nursery() as nursery:
                    for _ in range(crowd):
                        nursery.start_soon(soak.work, face)
        now = trio.lowlevel.current_statistics().tasks_living
        if now > before + 1:  # one of ours sleeps until the last limit of time would be over
            soak.left.append(f"tasks of trio: {now} instead of {before}")

    trio.run(main)


BACKENDS: dict[str, Callable[[Soak, int], None]] = {
    "sockets": in_threads,
    "asyncio": on_asyncio,
    **({"uvloop": on_uvloop} if find_spec("uvloop") else {}),
    "trio": on_trio,
}


def run(
    backend: str, urls: list[str], requests: int, crowd: int = 200, seed: int = 1, retries: int = 0
) -> Report:
    """Have so many do so many requests with one client, which may do each so many times again."""
    soak = Soak(urls, requests, seed, retries)
    gc.collect()
    BACKENDS[backend](Soak(urls, 0, seed), 1)  # uvloop keeps two files for all of its loops
    threads, files = set(threading.enumerate()), open_files()
    wall, cpu = time.monotonic(), time.process_time()
    BACKENDS[backend](soak, crowd)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    gc.collect()
    deadline = (
        time.monotonic() + 5
    )  # threads that looked names up, or loaded certificates, may linger for a moment
    while (more := _ours(threads)) and time.monotonic() < deadline:
        time.sleep(0.01)
    if more:
        soak.left.append(f"threads: {more}")
    now = open_files()
    if files is not None and now is not None and now > files:
        soak.left.append(f"files: {now} instead of {files}")
    return Report(soak.tally, wall, cpu, soak.memory, soak.left)


def _ours(before: set[threading.Thread]) -> list[threading.Thread]:
    # trio keeps those of its `to_thread` for ten seconds.
    return [
        thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("Trio thread")
    ]
