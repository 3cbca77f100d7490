"""Streaming holds a little at a time, whatever the size: measured as the peak of a fresh process.

The server runs elsewhere. Plain HTTP, HTTPS, down and up, with a body that would not go unnoticed.
"""

from __future__ import annotations

import sys

import pytest

from tests.servers import LocalServer

from .fresh import fresh

SIZE = 64 * 1024 * 1024
#: Bytes by which the peak may grow.
ALLOWED = 20 * 1024 * 1024

CODE = """if True:
    import asyncio, importlib, sys
    import httpure

    backend, url, ca_file, size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
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
                assert sum(map(len, response.iter_bytes())) == size
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

    verify = httpure.create_ssl_context(ca_file)
    run(1_000_000)
    before = peak()
    run(size)
    print(peak() - before, before, file=sys.stderr); print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no module `resource`")
@pytest.mark.parametrize("backend", ["sockets", "asyncio", "trio"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_streaming_adds_little(local_server: LocalServer, backend: str, tls: bool) -> None:
    url = local_server.tls_url if tls else local_server.url
    added = int(
        fresh(CODE, backend, url, local_server.ca_file, str(SIZE // 4 if tls else SIZE), development=False)
    )
    print(added)
    assert added < ALLOWED
