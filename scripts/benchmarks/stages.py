"""Where the CPU time of one small request goes: `python -m scripts.benchmarks.stages [FACE] [REQUESTS]`.

An operation stops at each of its effects, so it can be timed from stop to stop, with no profiler in the way. Then some
parts of it are called by themselves. The figures are microseconds of the client's thread, and of each stage the
lowest but for a tenth: other programs only ever add to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import threading
import time
import timeit
from collections.abc import Callable, Iterator
from typing import Any

import httpure
from httpure_core.config.merge import merge_url
from httpure_core.http1.connection import Http1Connection
from httpure_core.http1.strict import read_head
from httpure_core.lanes import Ticket
from httpure_core.models.headers import Headers
from httpure_core.models.response import Response
from httpure_core.operations.follow import follow
from httpure_core.pool import Pool

from .frames import FrameCount

ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 02:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b'Content-Length: 1024\r\nLast-Modified: Sun, 22 Nov 2026 20:00:00 GMT\r\nETag: "6743e080-400"\r\n'
    b"Connection: keep-alive\r\nAccept-Ranges: bytes\r\n\r\n" + b"x" * 1024
)
#: Between two stops, and what is done there.
STAGES = {
    "build": "build_request",
    "begin": "follow, transmit, the pool, exchange; the request is encoded",
    "Flush": "to the kernel",
    "sent": "back in exchange",
    "Receive": "until the bytes are here; the head is read",
    "end": "Response, its body, release",
}

Stages = dict[str, list[int]]
clock, cpu = time.perf_counter_ns, time.thread_time_ns


def answer_all(listening: socket.socket) -> None:
    """Answer whatever comes, one connection at a time."""
    while True:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while connection.recv(65_536):
                connection.sendall(ANSWER)


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Run the server in another process, whose time is not ours. Yields its URL."""
    program = (
        f"from {__name__ if __name__ != '__main__' else 'scripts.benchmarks.stages'} import serve; serve()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/"
        finally:
            server.kill()


def serve() -> None:
    """Be that server, until the end of the process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        answer_all(listening)


class Watch:
    """Notes how long each stage took. What the system does has a clock that stands still while it waits: a dear one."""

    def __init__(self) -> None:
        self.stages: Stages = {name: [] for name in STAGES}
        self._dear = round(statistics.median(-cpu() + cpu() for _ in range(1000)))
        self._begun = self._called = 0

    def start(self) -> None:
        self._begun = clock()

    def stop(self, name: str) -> None:
        self.stages[name].append(clock() - self._begun)
        self._begun = clock()

    def call(self) -> None:
        self._called = cpu()

    def called(self, name: str) -> None:
        self.stages[name].append(cpu() - self._called - self._dear)
        self._begun = clock()

    def figures(self) -> dict[str, float]:
        return {name: usual(laps) for name, laps in self.stages.items() if laps}


def usual(laps: list[int]) -> float:
    """Return the microseconds that only a tenth of the laps falls short of."""
    return sorted(laps)[len(laps) // 10] / 1000


#: Requests that are timed together, as a whole.
BATCH = 20


async def timed(face: str, url: str, requests: int) -> tuple[dict[str, float], float, int]:
    """Return the stages and the whole, in microseconds, and how many frames a request takes.

    What an event loop does is a part of `Receive`. The blocking client never waits here for one.
    """
    watch, whole = Watch(), []
    client: Any = httpure.Client() if face == "blocking" else httpure.AsyncClient()
    await settled(client.get(url))
    for _ in range(requests // BATCH):
        for _ in range(BATCH):
            await one_by_steps(client, url, watch)
        begun = cpu()
        for _ in range(BATCH):
            await settled(client.get(url))
        whole.append(cpu() - begun)
    with FrameCount() as count:
        response = client.get(url)
        if face != "blocking":
            await response
    await settled(client.close() if face == "blocking" else client.aclose())
    return watch.figures(), usual(whole) / BATCH, count.frames


async def settled(result: Any) -> None:
    """Await what must be awaited."""
    if hasattr(result, "__await__"):
        await result


async def one_by_steps(client: Any, url: str, watch: Watch) -> None:
    """Do what a driver does, and look at the clock between all steps."""
    perform = client._driver._perform
    watch.start()
    request = client.build_request("GET", url)
    watch.stop("build")
    operation = follow(client, request, None, False, True)
    stages = iter(("begin", "sent", "end"))
    with contextlib.suppress(StopIteration):
        while True:
            effect = next(operation)
            watch.stop(next(stages))
            watch.call()
            waiting = perform[type(effect)](effect)
            if waiting is not None:
                await waiting
            watch.called(type(effect).__name__)
    watch.stop("end")


def run(face: str, *given: Any) -> tuple[dict[str, float], float, int]:
    """Run `timed` where such a client runs."""
    if face != "trio":
        return asyncio.run(timed(face, *given))
    import trio

    return trio.run(timed, face, *given)


def bare(url: str, requests: int) -> float:
    """Return the microseconds that sending and receiving alone take, on a socket that blocks."""
    address, request, took = httpure.URL(url), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", []
    with socket.create_connection((address.host, address.port or 80)) as sock:
        for _ in range(requests // BATCH):
            begun = cpu()
            for _ in range(BATCH):
                sock.send(request)
                sock.recv(65_536)
            took.append(cpu() - begun)
    return usual(took) / BATCH


def parts(url: str) -> dict[str, Callable[[], Any]]:
    """Return what can be called by itself, by name."""
    client = httpure.Client()
    request = client.build_request("GET", url)
    base, target, headers = client.base_url, request.url, request.headers
    pool, connection = Pool(threading.Lock()), Http1Connection()
    connection.link = type("Link", (), {"close": lambda self: None})()
    first = Ticket((target.origin, None), False)
    pool.admit(first, 0.0)
    pool.dialled(first, connection, 0.0)
    pool.release(first, 0.0)
    fields = read_head(ANSWER, b"GET")[2]  # type: ignore[index]

    def admit() -> None:
        ticket = Ticket((target.origin, None), False)
        pool.admit(ticket, 0.0)
        pool.release(ticket, 0.0)

    def exchange() -> None:
        stream = connection.open_stream(b"GET", b"/", headers._raw, b"", headers._block)
        connection.data_to_send()
        connection.receive_data(ANSWER)
        stream.take()

    return {
        "merge_url: the URL is known": lambda: merge_url(base, url),
        "Prepared.complete: the headers": lambda: client._prepared.complete("GET", target, None, {}, None),
        "Pool.admit, release": admit,
        "Http1Connection: all of an exchange": exchange,
        "of that, read_head": lambda: read_head(ANSWER, b"GET"),
        "Response, Headers": lambda: Response.assemble(
            200, Headers.from_wire(fields), request.stream, request, {}
        ),
    }


def called_alone(url: str, calls: int = 2000) -> dict[str, float]:
    """Return the microseconds that each of the parts takes."""
    return {
        name: min(timeit.repeat(part, number=calls, repeat=7, timer=time.thread_time)) / calls * 1e6
        for name, part in parts(url).items()
    }


def main(face: str = "blocking", requests: str = "5000") -> None:
    with serving() as url:
        count = max(int(requests), BATCH)
        stages, whole, frames = run(face, url, count)
        floor = bare(url, count)
        alone = called_alone(url, 2000 if count > 100 else 1)
    show({f"{name}: {STAGES[name]}": took for name, took in stages.items()})
    show({"the rest: get, request, send, the driver": whole - sum(stages.values())})
    show({f"in all, {frames} frames": whole})
    show({"bare send and recv": floor} | alone)


def show(figures: dict[str, float]) -> None:
    for name, took in figures.items():
        print(f"{took:7.1f}  {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
