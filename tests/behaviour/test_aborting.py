"""A response that one reads is closed by another: a thread, or a task. The reader is told, at once."""

from __future__ import annotations

from typing import Any

import pytest

import httpure
from tests.peers import Answer, Call, Site
from tests.peers.http2 import Ask, Http2Site

from .world import World

versions = pytest.mark.parametrize("version", [1, 2], ids=["http1", "http2"])

SIZE = 300_000


def app(call: Call | Ask) -> Answer:
    """Answers at once, or never to the end."""
    if call.path == "/quick":
        return Answer(200, b"ok")
    return Answer(200, [b"x" * (SIZE if call.path == "/large" else 10), b"y" * SIZE], pause=3600)


@versions
@pytest.mark.parametrize("path", ["/small", "/large"])
@pytest.mark.parametrize("how", ["read", "iter_raw"])
async def test_a_response_is_closed_while_it_is_read(http: World, version: int, how: str, path: str) -> None:
    url = http.serve(Site(app) if version == 1 else Http2Site(app))
    came: list[Any] = []

    async def read(response: Any) -> None:
        if how == "read":
            await http.read(response)
        async for piece in http.pieces(response, how):
            came.append(piece)

    async def close(response: Any) -> None:
        incoming = response.stream.incoming
        while not incoming._waits or (how == "iter_raw" and not came):
            await http.sleep(0.001)
        await http.close_response(response)

    async with http.client(http1=version == 1, http2=version == 2, timeout=3600) as client:
        async with client.stream("GET", f"{url}{path}") as response:
            failed, closed = await http.gather(read(response), close(response))
            assert closed is None
            assert type(failed) is httpure.ReadError
            assert failed.reason == "closed"
            assert str(failed) == f"The response was closed while its body was being read, GET {url}{path}"
            with pytest.raises(httpure.StreamError):
                await http.read(response)
        connections = version - 1  # of HTTP/1.1, nobody knows what is still to come
        assert client.statistics == (connections, connections, 0)
        assert (await client.get(f"{url}/quick")).content == b"ok"
