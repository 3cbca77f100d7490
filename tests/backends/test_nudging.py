"""Responses over HTTP/2 that are dropped wherever garbage collection comes, and the server that hears of it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Answer, RealNetwork
from tests.peers.http2 import Ask, Http2Site, over_tls
from tests.peers.tls import authority

from .transports.loops import sleep

HTTP2: Any = {"http1": False, "http2": True}

each_loop = pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)


def unending(ask: Ask) -> Answer:
    return Answer(200, [b"begun", b"late"], pause=60)


@each_loop
def test_dropped_in_another_thread(network: RealNetwork, run: Any) -> None:
    url = f"http://127.0.0.1:{network.listen(site := Http2Site(unending))}"

    async def main() -> None:
        async with httpure.AsyncClient(**HTTP2) as client:
            kept = [await client.send(client.build_request("GET", url), stream=True)]
            thread = threading.Thread(target=kept.clear)
            thread.start()
            thread.join()
            for _ in range(200):
                if site.resets:
                    break
                await sleep(0.005)
            assert site.resets == [(1, 1, 8)]
            assert client._transport.statistics == (1, 1, 0)  # type: ignore[attr-defined]

    run(main())


@each_loop
def test_dropped_when_the_loop_is_gone(network: RealNetwork, run: Any) -> None:
    url = f"http://127.0.0.1:{network.listen(Http2Site(unending))}"
    client = httpure.AsyncClient(**HTTP2)
    kept: list[httpure.Response] = []

    async def ask() -> None:
        kept.append(await client.send(client.build_request("GET", url), stream=True))

    run(ask())
    kept.clear()
    gc.collect()
    run(client.aclose())
    assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True])
def test_dropped_in_many_threads(network: RealNetwork, tls: bool) -> None:
    """Each in a circle, so that it is collected in the middle of what some thread does; few connections serve all.

    TLS would notice a byte that is lost, or sent twice, or in another order.
    """
    body = b"x" * 100_000
    site = Http2Site(lambda ask: Answer(200, body if ask.path == "/large" else ask.path.encode()))
    url = f"http{'s' * tls}://127.0.0.1:{network.listen(over_tls(site) if tls else site)}"
    limits = httpure.Limits(max_connections=3)
    errors: list[BaseException] = []
    with httpure.Client(http1=tls, http2=True, limits=limits, verify=authority().trusting) as client:

        def work(number: int) -> None:
            try:
                for turn in range(20):
                    circle: list[Any] = [
                        client.send(client.build_request("GET", url + "/large"), stream=True)
                    ]
                    circle.append(circle)
                    del circle
                    if turn % 4 == number % 4:
                        gc.collect()
                    assert client.get(f"{url}/{number}-{turn}").text == f"/{number}-{turn}"
            except BaseException as exc:
                errors.append(exc)

        def collect() -> None:
            while any(thread.is_alive() for thread in threads):
                gc.collect()
                time.sleep(0.002)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        collect()
        if errors:
            raise errors[0]
        gc.collect()
        assert client._transport.statistics.waiting == 0  # type: ignore[attr-defined]
    assert site.connections <= 3, "no connection was lost on the way"
    assert {code for *_, code in site.resets} <= {8}
