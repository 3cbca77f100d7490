"""One client, several event loops, one after another: what is left of a dead loop stands in nobody's way."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Answer, Call, RealNetwork, Site
from tests.peers.http2 import Ask, Http2Site

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]

each_loop = pytest.mark.parametrize(
    "run", [lambda main: asyncio.run(main()), trio.run], ids=["asyncio", "trio"]
)
each_version = pytest.mark.parametrize("version", [1, 2], ids=["http1", "http2"])

ONE = httpure.Limits(max_connections=1)


def site(version: int) -> Any:
    """Answers at once, or, on /slow, in the end; tells which connection it was."""

    def app(call: Call | Ask) -> Answer:
        if call.path == "/slow":
            return Answer(200, [b"begun", b"ended"], pause=60)
        return Answer(200, str(call.connection).encode())

    return Site(app) if version == 1 else Http2Site(app)


def client(version: int) -> httpure.AsyncClient:
    timeout = httpure.Timeout(5, pool=1)
    return httpure.AsyncClient(http1=version == 1, http2=version == 2, limits=ONE, timeout=timeout)


@each_loop
@each_version
def test_one_after_another(network: RealNetwork, run: Run, version: int) -> None:
    url = f"http://127.0.0.1:{network.listen(site(version))}"
    c = client(version)

    async def main() -> list[str]:
        return [(await c.get(url)).text for _ in range(2)]

    assert run(main) == ["1", "1"]
    assert run(main) == ["2", "2"]
    assert run(main) == ["3", "3"]
    run(c.aclose)


@each_version
def test_with_a_request_that_the_first_loop_has_cancelled(network: RealNetwork, version: int) -> None:
    url = f"http://127.0.0.1:{network.listen(site(version))}"
    c = client(version)

    async def first() -> None:
        asyncio.ensure_future(c.get(url + "/slow"))  # noqa: RUF006 - cancelled when the loop ends
        await asyncio.sleep(0.05)

    async def second() -> str:
        return (await c.get(url)).text

    asyncio.run(first())
    assert asyncio.run(second()) == "2"
    asyncio.run(c.aclose())


@each_version
def test_with_a_request_that_was_abandoned(network: RealNetwork, version: int) -> None:
    """Its coroutine is garbage: nobody steps it any more."""
    url = f"http://127.0.0.1:{network.listen(site(version))}"
    c = client(version)

    async def first() -> None:
        await c.get(url)
        steps = c.get(url + "/slow")
        steps.send(None)
        del steps

    async def second() -> str:
        return (await c.get(url)).text

    asyncio.run(first())
    gc.collect()
    assert asyncio.run(second()) == "2"
    asyncio.run(c.aclose())


@each_loop
@each_version
def test_with_a_response_that_was_dropped(network: RealNetwork, run: Run, version: int) -> None:
    url = f"http://127.0.0.1:{network.listen(site(version))}"
    c = client(version)

    async def first() -> None:
        await c.send(c.build_request("GET", url + "/slow"), stream=True)

    async def second() -> str:
        return (await c.get(url)).text

    run(first)
    gc.collect()
    assert run(second) == "2"
    run(c.aclose)


@each_loop
def test_with_a_response_of_http2_that_somebody_still_has(network: RealNetwork, run: Run) -> None:
    """The connection is shared no more, and takes nobody's place; who has it keeps it."""
    url = f"http://127.0.0.1:{network.listen(site(2))}"
    c = client(2)
    kept: list[httpure.Response] = []

    async def first() -> None:
        kept.append(await c.send(c.build_request("GET", url + "/slow"), stream=True))

    async def second() -> str:
        return (await c.get(url)).text

    run(first)
    assert run(second) == "2"
    statistics = c._transport.statistics  # type: ignore[attr-defined]
    assert (statistics, statistics.requests) == ((1, 1, 0), 1)
    run(kept[0].aclose)
    assert c._transport.statistics.requests == 0  # type: ignore[attr-defined]
    run(c.aclose)
