"""The client process: `python -m benchmarks.worker '{"client": ..., "load": {...}}'`.

It answers one JSON line when it is ready, then one for each order that it reads from standard input. An order
is a number: of requests, or of bytes for a transfer. Only what happens between reading an order and answering
is measured.
"""

from __future__ import annotations

import gc
import importlib
import json
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from .bodies import PAYLOAD, WrongBody, difference
from .clients import client_named
from .frames import FrameCount
from .machine import PeakMemory
from .workloads import TRANSFERS, Load

Act = Callable[..., Any]


class Meter:
    """CPU time of the process (user and system, all threads), wall time and memory, until `stop`."""

    def __init__(self) -> None:
        gc.collect()
        self.memory = PeakMemory()
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop(self) -> dict[str, float | None]:
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        return {"cpu": cpu, "wall": wall, "memory": self.memory.added()}


def reply(**facts: object) -> None:
    """Answer the bench with one line."""
    print(json.dumps(facts), flush=True)


def orders() -> Iterator[int]:
    """Yield what the bench asks for, until it closes our standard input."""
    for line in sys.stdin:
        yield int(line)


def check(body: Any, expected: Any) -> None:
    """Raise `WrongBody` unless the body is, in length and bytes, what the server sends."""
    if body != expected:
        raise WrongBody(difference(body, expected))


def check_echo(body: bytes) -> None:
    """Raise `WrongBody` unless what was posted came back."""
    if not body or json.loads(bytes(body)) != PAYLOAD:
        raise WrongBody(f"the server received {bytes(body[:60])!r} as JSON")


def opened(client: Any, load: Load) -> Any:
    """Return the context manager that gives the client's `act`."""
    face = "asyncio" if load.face == "uvloop" else load.face
    return getattr(client, f"{face}_{load.task}")(load)


def to_echo(load: Load) -> Load:
    return load._replace(url=load.echo)


# blocking


def repeat(act: Act, load: Load, count: int) -> None:
    expected = load.expected
    for _ in range(count):
        check(act(), expected)


def in_threads(act: Act, load: Load, count: int) -> None:
    """Share `count` requests among as many threads as the concurrency says."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(load.concurrency) as users:
        for done in [
            users.submit(repeat, act, load, count // load.concurrency) for _ in range(load.concurrency)
        ]:
            done.result()


def construct(act: Act, load: Load, count: int) -> None:
    for _ in range(count):
        act()


def transfer(act: Act, load: Load, count: int) -> None:
    act(count)


def blocking(client: Any, load: Load) -> None:
    turn = {"construct": construct, **dict.fromkeys(TRANSFERS, transfer)}.get(
        load.task, in_threads if load.concurrency > 1 else repeat
    )
    if load.echo:
        with opened(client, to_echo(load)) as act:
            check_echo(act())
    with opened(client, load) as act:
        for count in orders():
            meter = Meter()
            turn(act, load, count)
            reply(**meter.stop())


# asyncio and trio

Together = Callable[[Callable[[], Awaitable[None]], int], Awaitable[None]]


async def spread(act: Act, load: Load, count: int, together: Together) -> None:
    """Run `count` requests: by as many users as the concurrency says, or each in a task of its own."""
    users = count if load.queued else min(load.concurrency, count)
    each, expected = count // users, load.expected

    async def user() -> None:
        for _ in range(each):
            check(await act(), expected)

    await (user() if users == 1 else together(user, users))


async def rounds(client: Any, load: Load, together: Together) -> None:
    if load.echo:
        async with opened(client, to_echo(load)) as act:
            check_echo(await act())
    async with opened(client, load) as act:
        if load.task == "hold":
            await hold(act, load)
        for count in orders():
            if load.counted:
                with FrameCount() as counted:
                    await spread(act, load, count, together)
                reply(frames=counted.frames, wall=0.0)
                continue
            meter = Meter()
            await (act(count) if load.task in TRANSFERS else spread(act, load, count, together))
            reply(**meter.stop())


async def hold(act: Act, load: Load) -> None:
    from .held import Holding  # it needs asyncio, which not every client does

    holding = Holding(act, load.queued)
    for count in orders():
        await holding.measure(count, reply)


def on_asyncio(client: Any, load: Load) -> None:
    import asyncio

    async def together(user: Callable[[], Any], users: int) -> None:
        await asyncio.gather(*[user() for _ in range(users)])

    with asyncio.Runner(loop_factory=uvloop_or_none(load)) as runner:
        runner.run(rounds(client, load, together))


def uvloop_or_none(load: Load) -> Any:
    """Return what makes the event loop; None leaves it to asyncio."""
    if load.face != "uvloop":
        return None
    import uvloop

    return uvloop.new_event_loop


def on_trio(client: Any, load: Load) -> None:
    import trio

    async def together(user: Callable[[], Awaitable[None]], users: int) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(users):
                nursery.start_soon(user)

    trio.run(rounds, client, load, together)


FACES = {"blocking": blocking, "asyncio": on_asyncio, "uvloop": on_asyncio, "trio": on_trio}


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the bench's to handle
    order = json.loads(sys.argv[1])
    load = Load(**order["load"])
    try:
        client = client_named(order["client"])
        if load.face != "blocking":
            importlib.import_module(load.face)
    except ImportError as exc:
        return reply(missing=str(exc))
    try:
        reply(version=client.version)
        FACES[load.face](client, load)
    except Exception as exc:
        reply(fault=_described(exc))


def _described(exc: Exception) -> str:
    wrong: BaseException = exc
    while isinstance(wrong, BaseExceptionGroup) and len(wrong.exceptions) == 1:
        wrong = wrong.exceptions[0]  # trio wraps what a user raised
    return (
        f"wrong body: {wrong}" if isinstance(wrong, WrongBody) else "".join(traceback.format_exception(wrong))
    )


if __name__ == "__main__":
    main()
