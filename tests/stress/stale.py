"""A server may end a connection at any time, and no safe request fails for that.

.venv/bin/python -m tests.stress.stale                     10,000 requests on each backend, HTTP/1.1 and HTTP/2
.venv/bin/python -m tests.stress.stale --method POST       how many meet an end: of these, those are lost
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import trio

import httpure
from tests.peers import RealNetwork

from .fickle import Host

__all__ = ["BACKENDS", "Outcome", "run"]

USERS = 8
#: Seconds that a user waits before a request, at most.
PAUSE = 0.004
SAFE = ("GET", "GET", "GET", "HEAD", "OPTIONS")
#: The chance of an answer to be its connection's last one.
CHANCE = {1: 0.5, 2: 0.1}


class Outcome(NamedTuple):
    """What became of the requests."""

    requests: int
    connections: int
    #: What failed, by the error's words; and answers that were another request's.
    failures: Counter[str]
    ends: dict[str, int]
    seconds: float


class Plan:
    """Who asks what: the same for each backend."""

    def __init__(self, url: str, requests: int, seed: int, methods: tuple[str, ...]) -> None:
        self._url = url
        self._requests = requests
        self._seed = seed
        self._methods = methods
        self.failures: Counter[str] = Counter()
        self.done = 0

    def of(self, user: int) -> Iterator[tuple[float, str, str]]:
        """Yield the user's requests: how long to wait, the method, the URL."""
        random = Random(f"{self._seed} {user}")
        for number in range(user, self._requests, USERS):
            pause = random.uniform(0, PAUSE) if random.random() < 0.7 else 0.0
            yield pause, random.choice(self._methods), f"{self._url}/{number}"

    def answered(self, method: str, url: str, response: httpure.Response) -> None:
        """Check an answer."""
        self.done += 1
        expected = b"" if method == "HEAD" else url.removeprefix(self._url).encode()
        if (response.status_code, response.content) != (200, expected):
            self.failures[f"{response.status_code} with {response.content!r} instead of {expected!r}"] += 1

    def failed(self, exc: Exception) -> None:
        """Count what failed."""
        self.done += 1
        self.failures[f"{type(exc).__name__}: {re.sub(', [A-Z]+ http.*', '', str(exc))}"] += 1


def blocking(plan: Plan, **settings: Any) -> None:
    def use(user: int) -> None:
        for pause, method, url in plan.of(user):
            time.sleep(pause)
            try:
                plan.answered(method, url, client.request(method, url))
            except Exception as exc:
                plan.failed(exc)

    with httpure.Client(**settings) as client:
        threads = [threading.Thread(target=use, args=[user]) for user in range(USERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def _together(plan: Plan, sleep: Any, start: Any, **settings: Any) -> None:
    async def use(user: int) -> None:
        for pause, method, url in plan.of(user):
            await sleep(pause)
            try:
                plan.answered(method, url, await client.request(method, url))
            except Exception as exc:
                plan.failed(exc)

    async with httpure.AsyncClient(**settings) as client:
        await start(use)


def on_asyncio(plan: Plan, **settings: Any) -> None:
    async def start(use: Any) -> None:
        await asyncio.gather(*[use(user) for user in range(USERS)])

    asyncio.run(_together(plan, asyncio.sleep, start, **settings))


def on_trio(plan: Plan, **settings: Any) -> None:
    async def start(use: Any) -> None:
        async with trio.open_nursery() as nursery:
            for user in range(USERS):
                nursery.start_soon(use, user)

    async def main() -> None:
        await _together(plan, trio.sleep, start, **settings)

    trio.run(main)


BACKENDS = {"blocking": blocking, "asyncio": on_asyncio, "trio": on_trio}


def run(backend: str, version: int, requests: int, seed: int = 0, methods: tuple[str, ...] = SAFE) -> Outcome:
    """Send so many requests over HTTP/1.1 or HTTP/2 (`version`), to a server that ends idle connections at will."""
    host = Host(seed, CHANCE[version])
    with RealNetwork() as network:
        port = network.listen(host.http1 if version == 1 else host.http2)
        plan = Plan(f"http://127.0.0.1:{port}", requests, seed, methods)
        begun = time.monotonic()
        BACKENDS[backend](plan, http1=version == 1, http2=version == 2, timeout=10)
        seconds = time.monotonic() - begun
    assert plan.done == requests
    return Outcome(requests, host.connections, plan.failures, host.ends, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--backend", choices=BACKENDS, help="default: one after the other")
    parser.add_argument("--http", type=int, choices=(1, 2), help="default: one after the other")
    parser.add_argument("--method", help="all requests have this one (default: safe ones)")
    options = parser.parse_args()
    methods = (options.method,) if options.method else SAFE
    failed = 0
    for version in [options.http] if options.http else (1, 2):
        for backend in [options.backend] if options.backend else BACKENDS:
            outcome = run(backend, version, options.requests, options.seed, methods)
            failures = outcome.failures.total()
            failed += failures
            ends = ", ".join(f"{way} {count}" for way, count in outcome.ends.items() if count)
            print(
                f"HTTP/{version} {backend:<9} {outcome.requests} requests, {outcome.connections} connections "
                f"({ends}), {outcome.seconds:.1f} s: {failures} failed",
                flush=True,
            )
            for words, count in outcome.failures.most_common(10):
                print(f"    {count} x {words}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
