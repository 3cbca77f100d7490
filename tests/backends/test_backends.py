"""Corners of the real backends that no ordinary request visits: other threads, other signals, every method."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest
import trio
import trio.testing

import httpure
from httpure import sockets
from httpure.asyncio import Backend as AsyncioBackend
from httpure.backends import find_backend
from httpure.trio import Backend as TrioBackend
from httpure_core.effects import Offload, Park, Sleep
from httpure_core.signals import Signal
from tests.behaviour.world import World
from tests.peers import Answer, RealNetwork, Site
from tests.running import LOOPS, run

METHODS = ("get", "options", "head", "post", "put", "patch", "delete")
BACKENDS: dict[str, type[Any]] = {"asyncio": AsyncioBackend, "trio": TrioBackend}


async def test_methods_of_a_client(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, b"ok")))
    async with http.client() as client:
        for name in METHODS:
            response = await getattr(client, name)(url)
            assert response.text == ("" if name == "head" else "ok")
        await client.request("PROPFIND", url)
    assert [call.method for call in site.calls] == [name.upper() for name in METHODS] + ["PROPFIND"]
    assert site.connections == 1


@pytest.mark.parametrize("loop", [None, *LOOPS])
def test_functions(network: RealNetwork, loop: str | None) -> None:
    url = f"http://127.0.0.1:{network.listen(site := Site(lambda call: Answer(200, b'ok')))}"
    package: Any = sockets if loop is None else getattr(httpure, loop)

    async def ask_all() -> None:
        for name in METHODS:
            assert (await getattr(package, name)(url)).status_code == 200

    if loop is None:
        for name in METHODS:
            assert getattr(package, name)(url).status_code == 200
    else:
        run(loop, ask_all)
    assert [call.method for call in site.calls] == [name.upper() for name in METHODS]
    assert site.connections == len(METHODS)


# Waiting


@pytest.mark.parametrize("loop", LOOPS)
def test_park_and_sleep(loop: str) -> None:
    backend = BACKENDS[loop]()

    async def main() -> None:
        set_before = Signal()
        set_before.set()
        await backend.park(Park(set_before, None))
        with pytest.raises(TimeoutError):
            await backend.park(Park(Signal(), 0.01))
        woken_elsewhere = Signal()
        threading.Timer(0.01, woken_elsewhere.set).start()
        await backend.park(Park(woken_elsewhere, 5))
        await backend.park(Park(woken_elsewhere, 0))
        await backend.sleep(Sleep(0.001))
        done: list[threading.Thread] = []
        await backend.offload(Offload(lambda: done.append(threading.current_thread())))
        assert done[0] is not threading.current_thread()

    run(loop, main)


def test_park_and_sleep_in_threads() -> None:
    backend = sockets.Backend()
    set_before = Signal()
    set_before.set()
    backend.park(Park(set_before, None))
    with pytest.raises(TimeoutError):
        backend.park(Park(Signal(), 0.01))
    woken_elsewhere = Signal()
    threading.Timer(0.01, woken_elsewhere.set).start()
    backend.park(Park(woken_elsewhere, 5))
    backend.sleep(Sleep(0.001))


@pytest.mark.parametrize("loop", LOOPS)
def test_woken_when_the_loop_is_gone(loop: str) -> None:
    """Somebody parked, was cancelled with his whole loop, and another thread tells him the news: nobody minds."""
    backend = BACKENDS[loop]()
    signal = Signal()
    kept: list[Any] = []

    async def main() -> None:
        if loop == "asyncio":
            task = asyncio.ensure_future(backend.park(Park(signal, None)))
            await asyncio.sleep(0)
            kept.append(signal.wake)
            task.cancel()
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(backend.park, Park(signal, None))
                await trio.testing.wait_all_tasks_blocked()
                kept.append(signal.wake)
                nursery.cancel_scope.cancel()

    run(loop, main)
    thread = threading.Thread(target=kept[0])
    thread.start()
    thread.join()


# Responses that another thread drops


@pytest.mark.parametrize("loop", LOOPS)
def test_response_that_another_thread_drops(network: RealNetwork, loop: str) -> None:
    """As garbage collection may do. The task that waits for its slot is woken."""
    site = Site(lambda call: Answer(200, [b"x" * 1000] * 100, chunked=True, pause=0.01))
    url = f"http://127.0.0.1:{network.listen(site)}"
    limits, timeout = httpure.Limits(max_connections=1), httpure.Timeout(3, pool=2)

    async def main() -> None:
        async with httpure.AsyncClient(limits=limits, timeout=timeout) as client:
            held = [await client.send(client.build_request("GET", url), stream=True)]

            def drop() -> None:
                held.clear()
                gc.collect()

            threading.Timer(0.02, drop).start()
            async with client.stream("GET", url) as response:
                assert response.status_code == 200
            assert client._transport.statistics.connections == 0  # type: ignore[attr-defined]

    run(loop, main)
    assert site.connections == 2


# Backends by name


@pytest.mark.parametrize("name", ["sockets", "asyncio", "trio"])
def test_backend_by_its_name(name: str) -> None:
    """Found where it is registered: in the metadata of the installed package."""
    try:
        backend = find_backend(name)
    except ValueError:
        pytest.skip("httpure is not installed here, only in the path")
    assert backend.name == name


def test_backend_that_nobody_has() -> None:
    with pytest.raises(ValueError, match="no backend 'twisted'; installed are: "):
        find_backend("twisted")
