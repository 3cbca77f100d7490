"""Servers that say more than anybody wants to hear, and do not listen: memory and processor are ours."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from hpack import Encoder
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, SettingsFrame

import httpure
from tests.peers import Peer, RealNetwork


class Pinging(Peer):
    """Answers the first request, and pings; bytes of a body in between show good will. Reads on only a moment later."""

    begun = False

    def receive_data(self, data: bytes) -> None:
        if self.begun:
            return
        self.begun = True
        head = HeadersFrame(1, Encoder().encode([(":status", "200")]), flags=["END_HEADERS"])
        flood = [PingFrame(0, b"whoisit?").serialize() * 500, DataFrame(1, b"x").serialize()]
        end = DataFrame(1, flags=["END_STREAM"])
        self.channel.send(
            SettingsFrame(0).serialize() + head.serialize() + b"".join(flood) * 20 + end.serialize()
        )
        self.channel.pause()
        self.channel.call_later(0.1, self.channel.resume)


def test_of_pings(network: RealNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 of them, while nobody reads the body: at some point they are not looked at, until the answers are gone."""
    monkeypatch.setattr("httpure.asyncio.backend.MOST_UNHEARD", 80_000)
    url = f"http://127.0.0.1:{network.listen(Pinging, receive_buffer=4096)}"
    # The kernel holds as little as it can, so that it does not take many.
    options: Any = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)]
    transport = httpure.AsyncHTTPTransport(http1=False, http2=True, socket_options=options)

    async def main() -> None:
        async with httpure.AsyncClient(transport=transport) as client, client.stream("GET", url) as response:
            link: Any = response.stream.incoming.link  # type: ignore[union-attr]
            while link._reading:
                await asyncio.sleep(0.001)
            assert link._held() > 80_000
            assert b"".join([piece async for piece in response.aiter_raw()]) == b"x" * 20
            async with asyncio.timeout(5):
                while not link._reading:  # the last answers may still have been on their way out
                    await asyncio.sleep(0.001)

    asyncio.run(main())
