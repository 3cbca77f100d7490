"""Whatever a server sends, a client's memory stays small: the peak of a fresh process is measured, on each backend."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial

import pytest

from httpure_core.content.libraries import brotli_library, zstd_library
from tests.backends.fresh import fresh
from tests.peers import Peer, RealNetwork, scripted

from .bombs import MIB, bomb, packed

#: Bytes by which the peak may grow, of all cases together.
ALLOWED = 64 * MIB
GIB = 1024 * MIB

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="nothing tells the peak there"),
]

CODE = """if True:
    import asyncio, importlib, json, sys
    import httpure

    backend, urls, warm = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    LIMITS = httpure.Limits(max_body=20_000_000)

    def peak():
        # Of our own memory: ru_maxrss counts that of the process that started us, too, on Linux.
        try:
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
        except OSError:
            import resource
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def run(name, url, client, streamed):
        waits = backend != "sockets"
        # What is decoded comes in small pieces; what is not, as it was received.
        most = 65_536 if any(coding in name for coding in ("gzip", "deflate", "br", "zstd")) else 2_000_000
        try:
            if not streamed:
                answer = client.get(url)
                await answer if waits else answer
            elif waits:
                async with client.stream("GET", url) as response:
                    async for piece in response.aiter_bytes():
                        assert len(piece) <= most
            else:
                with client.stream("GET", url) as response:
                    for piece in response.iter_bytes():
                        assert len(piece) <= most
        except httpure.RequestError as exc:
            return type(exc).__name__
        return "nothing"

    async def main():
        http = importlib.import_module("httpure." + backend)
        outcomes = {}
        for name in (warm, *urls):
            for streamed in (False, True):
                limited = streamed or name in ("a body", "chunks")  # which whoever reads all of it must limit
                client = http.Client(timeout=20, limits=LIMITS if limited else httpure.Limits())
                if name == warm:
                    outcome = await run("warm", warm, client, streamed)
                    before = peak()
                else:
                    outcome = await run(name, urls[name], client, streamed)
                    outcomes[f"{name}, {'streamed' if streamed else 'whole'}"] = outcome, peak() - before
                await client.aclose() if hasattr(client, "aclose") else client.close()
        print(json.dumps(outcomes))

    if backend == "sockets":
        try:
            main().send(None)
        except StopIteration:
            pass
    elif backend == "trio":
        import trio
        trio.run(main)
    else:
        asyncio.run(main())
"""


class Endless(Peer):
    """Answers, and then says the same for ever, as fast as it is heard."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self.head, self.piece, self.gone = head, piece * (64 * 1024 // len(piece)), False

    def receive_data(self, data: bytes) -> None:
        if self.head:
            self.channel.send(self.head)
            self.head = b""
            self.go_on()

    def receive_eof(self) -> None:
        self.gone = True
        self.channel.close()

    def go_on(self) -> None:
        if not self.gone:
            while self.channel.unsent < MIB and not self.gone:
                self.channel.send(self.piece)
            self.channel.call_later(0.001, self.go_on)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

#: What the server says without end, and the errors that end it: read as a whole, and streamed with a `max_body`.
ENDLESS: dict[str, tuple[bytes, bytes, str]] = {
    "fields": (OK, b"X: y\r\n", "HeadTooLarge"),
    "a field": (OK + b"X: ", b"y", "HeadTooLarge"),
    "a status line": (b"HTTP/1.1 200 ", b"O", "HeadTooLarge"),
    "informational responses": (
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        "HeadTooLarge",
    ),
    "an extension": (CHUNKED + b"1;", b"x", "HeadTooLarge"),
    "extensions": (CHUNKED, b"1;" + b"x" * 1000 + b"\r\n.\r\n", "HeadTooLarge"),
    "a body": (OK + b"\r\n", b"x", "BodyTooLarge"),
    "chunks": (CHUNKED, b"1000\r\n" + bytes(4096) + b"\r\n", "BodyTooLarge"),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n", "HeadTooLarge"),
}


def bombs() -> dict[str, tuple[bytes, bytes]]:
    """Return the codings and bodies of a GiB each, out of a MiB at most."""
    made = {"gzip": (b"gzip", bomb("gzip", GIB)), "deflate": (b"deflate", bomb("deflate", GIB))}
    if brotli_library():
        made["br"] = (b"br", bomb("br", GIB))
    if zstd_library():
        made["zstd"] = (b"zstd", bomb("zstd", GIB))
    made["gzip in gzip"] = (b"gzip, gzip", packed("gzip", bomb("gzip", GIB)))
    for _, body in made.values():
        assert len(body) < 1.1 * MIB
    return made


def serve(network: RealNetwork, peer: Callable[[], Peer]) -> str:
    return f"http://127.0.0.1:{network.listen(peer)}/"


def measured(backend: str, urls: dict[str, str], warm: str) -> dict[str, tuple[str, int]]:
    outcomes: dict[str, tuple[str, int]] = json.loads(
        fresh(CODE, backend, json.dumps(urls), warm, development=False)
    )
    return outcomes


@pytest.mark.parametrize("backend", ["sockets", "asyncio", "trio"])
def test_memory(backend: str) -> None:
    """A GiB out of a MiB, five times, and what never ends: 64 MiB are enough for all of it."""
    with RealNetwork() as network:
        urls = {
            name: serve(
                network,
                scripted(
                    [OK + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body)), body]
                ),
            )
            for name, (coding, body) in bombs().items()
        }
        for name, (head, piece, _) in ENDLESS.items():
            urls[name] = serve(network, partial(Endless, head, piece))
        warm = serve(
            network, scripted([OK + b"Content-Encoding: gzip\r\nContent-Length: 23\r\n\r\n" + _HELLO])
        )
        outcomes = measured(backend, urls, warm)
    for name, (kind, added) in outcomes.items():
        what = name.partition(",")[0]
        assert kind == (ENDLESS[what][2] if what in ENDLESS else "BodyTooLarge"), name
        assert added < ALLOWED, name


_HELLO = packed("gzip", b"hi!")
