"""Streaming holds a little at a time, whatever the size: measured as the peak of a fresh process.

The server runs elsewhere. Plain HTTP, HTTPS, down and up, with a body that would not go unnoticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import sys
import weakref

import pytest

import httpure
from httpure.asyncio.backend import Link
from tests.peers import RESET, RealNetwork, scripted
from tests.servers import LocalServer

from .fresh import fresh

SIZE = 64 * 1024 * 1024
#: Bytes by which the peak may grow.
ALLOWED = 20 * 1024 * 1024

CODE = """if True:
    import asyncio, importlib, ssl, sys
    import httpure

    backend, url, ca_file, size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    whole = sys.argv[5:] == ["whole"]
    PIECE = bytes(256 * 1024)

    def peak():
        # Of our own memory: ru_maxrss counts that of the process that started us, too, on Linux.
        try:
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
        except OSError:
            import resource
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def pieces(left):
        while left > 0:
            yield PIECE[:left]
            left -= len(PIECE)

    async def async_pieces(left):
        for piece in pieces(left):
            yield piece

    def blocking(size):
        with httpure.Client(verify=verify, timeout=20) as client:
            with client.stream("GET", f"{url}/large/{size}") as response:
                pieces_read = [response.read()] if whole else response.iter_bytes()
                assert sum(map(len, pieces_read)) == size
            response = client.post(f"{url}/anything", content=pieces(size))
            assert int(response.headers["x-body-size"]) == size

    async def waiting(size):
        http = importlib.import_module(f"httpure.{backend}")
        async with http.Client(verify=verify, timeout=20) as client:
            async with client.stream("GET", f"{url}/large/{size}") as response:
                assert sum([len(piece) async for piece in response.aiter_bytes()]) == size
            response = await client.post(f"{url}/anything", content=async_pieces(size))
            assert int(response.headers["x-body-size"]) == size

    def run(size):
        if backend == "sockets":
            blocking(size)
        elif backend == "trio":
            import trio
            trio.run(waiting, size)
        else:
            asyncio.run(waiting(size))

    verify = ssl.create_default_context(cafile=ca_file)
    run(1_000_000)
    before = peak()
    run(size)
    print(peak() - before)
"""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="nothing tells the peak there"),
]


def added(*arguments: str) -> int:
    """Bytes by which the peak of a fresh process grows."""
    return int(fresh(CODE, *arguments, development=False))


@pytest.mark.parametrize("backend", ["sockets", "asyncio", "trio"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_streaming_adds_little(local_server: LocalServer, backend: str, tls: bool) -> None:
    url = local_server.tls_url if tls else local_server.url
    assert added(backend, url, local_server.ca_file, str(SIZE)) < ALLOWED


def test_the_measure_would_notice(local_server: LocalServer) -> None:
    assert added("sockets", local_server.url, local_server.ca_file, str(SIZE), "whole") > SIZE


def test_a_body_that_broke_off_leaves_nothing_to_collect(
    network: RealNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop's error has a traceback, whose frames have the buffer: its memory would be held by a cycle."""
    baskets: list[weakref.ref[io.BytesIO]] = []

    def basket() -> io.BytesIO:
        made = io.BytesIO()
        baskets.append(weakref.ref(made))
        return made

    monkeypatch.setattr(Link, "basket", staticmethod(basket))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    url = f"http://127.0.0.1:{network.listen(scripted([head, 0.01, b'x' * 100_000, 0.01, RESET]))}"

    async def main() -> None:
        async with httpure.AsyncClient() as client:
            with contextlib.suppress(httpure.ReadError):
                await client.get(url)
            await asyncio.sleep(0)
            assert [reference() for reference in baskets] == [None]

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()
