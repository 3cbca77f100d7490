"""Whole clients, of which many use one HTTP/2 connection when something ends it, or them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Answer, RealNetwork
from tests.peers.http2 import Ask, Http2Site

from .test_forks import in_child

HTTP2: Any = {"http1": False, "http2": True, "trust_env": False}
CROWD = 32

each_loop = pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)


def answer(ask: Ask) -> Answer | None:
    """Tell the number of the connection; never, for /never."""
    return None if ask.path == "/never" else Answer(200, str(ask.connection).encode())


async def together(functions: list[Any]) -> None:
    if asyncio_runs():
        await asyncio.gather(*(function() for function in functions))
    else:
        async with trio.open_nursery() as nursery:
            for function in functions:
                nursery.start_soon(function)


def asyncio_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def sleep(seconds: float) -> None:
    await (asyncio.sleep if asyncio_runs() else trio.sleep)(seconds)


def all_asked(site: Http2Site, count: int = CROWD) -> bool:
    return sum(ask.path == "/never" for ask in site.asked) == count


def test_a_blocking_client_is_closed(network: RealNetwork) -> None:
    url = f"http://127.0.0.1:{network.listen(site := Http2Site(answer))}"
    errors: list[str] = []
    client = httpure.Client(**HTTP2)
    assert client.get(url).text == "1"

    def ask(number: int) -> None:
        try:
            if number % 4:
                client.get(f"{url}/never", timeout=60)
            else:
                client.post(f"{url}/never", content=iter([b"x" * 1_000_000] * 100), timeout=60)
        except httpure.TransportError as exc:
            errors.append(f"{type(exc).__name__}: {exc}")

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(CROWD)]
    for thread in threads:
        thread.start()
    while not all_asked(site):
        time.sleep(0.001)
    began = time.monotonic()
    client.close()
    for thread in threads:
        thread.join(10)
    assert time.monotonic() - began < 5
    assert len(errors) == CROWD
    assert all("the client was closed" in error for error in errors), set(errors)
    assert {error.partition(":")[0] for error in errors} <= {"ReadError", "WriteError"}
    assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]
    assert site.connections == 1


@each_loop
def test_an_async_client_is_closed(network: RealNetwork, run: Any) -> None:
    url = f"http://127.0.0.1:{network.listen(site := Http2Site(answer))}"
    errors: list[str] = []

    async def main() -> None:
        client = httpure.AsyncClient(**HTTP2)
        assert (await client.get(url)).text == "1"

        async def ask() -> None:
            try:
                await client.get(f"{url}/never", timeout=60)
            except httpure.TransportError as exc:
                errors.append(f"{type(exc).__name__}: {exc}")

        async def close() -> None:
            while not all_asked(site):
                await sleep(0.001)
            await client.aclose()

        await together([*[ask] * CROWD, close])
        assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]

    run(main())
    assert len(errors) == CROWD
    assert all(
        error.startswith("ReadError: The connection was lost: the client was closed") for error in errors
    )
    assert site.connections == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_a_child_leaves_the_shared_connection_of_its_parent_alone(network: RealNetwork) -> None:
    delayed = Http2Site(
        lambda ask: Answer(200, str(ask.connection).encode(), delay=0.2 * (ask.path == "/slow"))
    )
    url = f"http://127.0.0.1:{network.listen(delayed)}"
    client = httpure.Client(**HTTP2)
    assert client.get(url).text == "1"
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.get(f"{url}/slow").text)) for _ in range(CROWD)
    ]
    for thread in threads:
        thread.start()
    while sum(ask.path == "/slow" for ask in delayed.asked) < CROWD:
        time.sleep(0.001)
    result = in_child(lambda: str(client.close()))
    for thread in threads:
        thread.join(10)
    assert result() == "None"
    assert answers == ["1"] * CROWD
    assert client.get(url).text == "1"
    client.close()


@each_loop
def test_one_client_in_two_runs(network: RealNetwork, run: Any) -> None:
    """What the first run has opened is of no use in the second."""
    url = f"http://127.0.0.1:{network.listen(site := Http2Site(answer))}"
    client = httpure.AsyncClient(**HTTP2)

    async def main(expected: str, close: bool) -> None:
        answers: list[str] = []

        async def ask() -> None:
            answers.append((await client.get(url)).text)

        await ask()
        await together([ask] * 10)
        assert answers == [expected] * 11
        if close:
            await client.aclose()

    run(main("1", False))
    run(main("2", True))
    assert site.connections == 2
    assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]
