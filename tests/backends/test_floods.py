"""Servers that say more than anybody wants to hear, and do not listen: memory and processor are ours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import trio
from hpack import Encoder
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, SettingsFrame

import httpure
from tests.peers import Peer, RealNetwork


class Pinging(Peer):
    """Answers the first request, and pings; bytes of a body in between show good will. Reads nothing from then on."""

    begun = False

    def receive_data(self, data: bytes) -> None:
        if self.begun:
            return
        self.begun = True
        self.channel.pause()
        head = HeadersFrame(1, Encoder().encode([(":status", "200")]), flags=["END_HEADERS"])
        flood = [PingFrame(0, b"whoisit?").serialize() * 500, DataFrame(1, b"x").serialize()]
        self.channel.send(SettingsFrame(0).serialize() + head.serialize() + b"".join(flood) * 21)


DEAF = "asked 10000 times .* without reading an answer"


def test_of_pings(network: RealNetwork) -> None:
    """10,500 of them, and all the time the body goes on: the answers are not kept without end."""
    url = f"http://127.0.0.1:{network.listen(Pinging, receive_buffer=4096)}"
    with httpure.Client(http1=False, http2=True) as client:
        with pytest.raises(httpure.RemoteProtocolError, match=DEAF):
            client.get(url)


@pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)
def test_of_pings_in_async_clients(network: RealNetwork, run: Any) -> None:
    url = f"http://127.0.0.1:{network.listen(Pinging, receive_buffer=4096)}"

    async def main() -> None:
        async with httpure.AsyncClient(http1=False, http2=True) as client:
            with pytest.raises(httpure.RemoteProtocolError, match=DEAF):
                await client.get(url)

    run(main())
