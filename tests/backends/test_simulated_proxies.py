"""Proxies on a network that loses connections, cuts bytes anywhere, and whose users give up at any moment."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import pytest

import httpure
from httpure.simulated import Cancelled, Conditions, Simulation
from tests.peers import Answer, ConnectProxy, Site, SocksProxy, with_tls
from tests.peers.tls import authority

BAD = Conditions(
    delay=(0.0, 0.02), split=0.7, refuse=0.05, cut=0.1, reset=0.1, stall=0.05, within=6000, window=4096
)
BODY = bytes(range(256)) * 8


def busy(seed: int, scheme: str) -> None:
    """Many requests by way of a proxy, some of them given up; then the pool is whole, and another one passes."""
    simulation = Simulation(seed, BAD)
    origin = with_tls(Site(lambda call: Answer(200, call.body, chunked=True)))
    peer: Any = SocksProxy(origin) if scheme == "socks5" else ConnectProxy(origin)
    simulation.network.add_host("proxy.test", "192.0.2.1")
    simulation.network.listen("192.0.2.1", 3128, with_tls(peer, context()) if scheme == "https" else peer)
    proxy = httpure.Proxy(f"{scheme}://proxy.test:3128", ssl_context=authority().trusting)
    random = Random(seed)

    async def one(client: httpure.AsyncClient) -> None:
        try:
            response = await client.post("https://localhost/", content=BODY)
            assert response.content == BODY
        except httpure.TransportError as exc:
            assert str(exc)

    async def main() -> None:
        limits = httpure.Limits(max_connections=3)
        async with httpure.AsyncClient(
            proxy=proxy, verify=authority().trusting, limits=limits, backend=simulation.backend, timeout=2
        ) as client:
            tasks = [simulation.spawn(one(client)) for _ in range(12)]
            for task in tasks:
                if random.random() < 0.4:
                    await simulation.sleep(random.random() * 0.3)
                    task.cancel()
            for task in tasks:
                with contextlib.suppress(Cancelled):
                    await task.join()
            transport: Any = client._transport_for_url(httpure.URL("https://localhost/"))
            figures = transport.statistics
            assert figures.waiting == 0
            assert figures.connections == figures.idle <= 3
            simulation.network.conditions = Conditions()
            for _ in range(4):  # what is idle may be lost already
                try:
                    response = await client.post("https://localhost/", content=BODY)
                    break
                except httpure.TransportError:
                    continue
            assert response.content == BODY

    simulation.run(main)


def context() -> Any:
    return authority().server_context("proxy.test")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_whatever_happens_the_pool_stays_whole(scheme: str) -> None:
    for seed in range(40):
        try:
            busy(seed, scheme)
        except BaseException as exc:
            exc.add_note(f"seed {seed}")
            raise
