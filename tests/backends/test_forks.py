"""A client that is used before `fork()`: the child must leave the connections of its parent alone."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Answer, RealNetwork, Site, with_tls
from tests.peers.tls import authority

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")


def site() -> Site:
    """Tells which of its connections is used."""
    return Site(lambda call: Answer(200, str(call.connection).encode(), delay=0.1 * (call.path == "/slow")))


def in_child(function: Callable[[], str]) -> Callable[[], str]:
    """Fork, and call the function in the child; return what returns its result, or what it raised."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of newer Pythons, as there are threads
        child = os.fork()
    if child == 0:
        try:
            said = function()
        except BaseException:
            said = traceback.format_exc()
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)

    def result() -> str:
        with open(reader, "rb") as file:
            said = file.read().decode()
        os.waitpid(child, 0)
        return said

    return result


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_blocking(network: RealNetwork, tls: bool) -> None:
    port = network.listen(with_tls(site()) if tls else site())
    url = f"http{'s' * tls}://127.0.0.1:{port}"
    with httpure.Client(verify=authority().trusting) as client:
        assert client.get(url).text == "1"
        result = in_child(lambda: client.get(url).text)
        assert client.get(url).text == "1"
        assert result() == "2"
        assert client.get(url).text == "1"


def test_a_child_does_not_break_off_what_a_thread_of_its_parent_waits_for(network: RealNetwork) -> None:
    url = f"http://127.0.0.1:{network.listen(site())}/slow"
    client = httpure.Client()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(client.get(url).text))
    thread.start()
    while client._transport.statistics.connections == 0:  # type: ignore[attr-defined]
        time.sleep(0.001)
    time.sleep(0.02)  # it waits for its answer now

    result = in_child(lambda: str(client.close()))
    thread.join(5)
    assert result() == "None"
    assert answers == ["1"]
    client.close()


@pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)
def test_async(network: RealNetwork, run: Any) -> None:
    url = f"http://127.0.0.1:{network.listen(site())}"
    client = httpure.AsyncClient()

    async def ask() -> str:
        return (await client.get(url)).text

    async def main() -> None:
        assert await ask() == "1"
        # A new loop, in the child only, which has copies of the parent's.
        result = in_child(lambda: _in_new_thread(lambda: run(ask())))
        assert await ask() == "1"
        assert result() == "2"
        assert await ask() == "1"
        await client.aclose()

    run(main())


def _in_new_thread(function: Callable[[], str]) -> str:
    """Call the function where no loop runs yet."""
    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)
def test_a_child_that_lets_go_of_a_response_on_its_way(network: RealNetwork, run: Any) -> None:
    """What it does to its copies of link and transport must not reach the parent's event loop."""
    body = [b"x" * 100_000, b"y" * 600_000]
    url = f"http://127.0.0.1:{network.listen(Site(lambda call: Answer(200, body, pause=0.05)))}"

    async def main() -> None:
        async with httpure.AsyncClient() as client, client.stream("GET", url) as response:
            link = response.stream.incoming.link  # type: ignore[union-attr]

            def let_go() -> str:
                link.nudge()
                link.close()
                link.close()
                return str(link.extra_info("socket"))

            result = in_child(let_go)
            assert result() == "None"
            assert len(await response.aread()) == 700_000

    run(main())


@pytest.mark.parametrize("state", ["idle", "busy", "waiting", "mutex held", "closing"])
def test_a_child_begins_anew_whatever_the_pool_was_at(network: RealNetwork, state: str) -> None:
    """Of a pool with one place, whose threads the child does not have."""
    url = f"http://127.0.0.1:{network.listen(site())}"
    limits = httpure.Limits(max_connections=1)
    client = httpure.Client(limits=limits, timeout=httpure.Timeout(5, pool=2))
    assert client.get(url).text == "1"
    pool: Any = client._transport._transmitter.pool  # type: ignore[attr-defined]
    threads = [threading.Thread(target=client.get, args=(url + "/slow",)) for _ in range(2)]
    wanted = {"busy": 1, "waiting": 2, "closing": 1}.get(state, 0)
    for thread in threads[:wanted]:
        thread.start()
    while pool.statistics != ((1, 1, 0), (1, 0, 0), (1, 0, 1))[wanted]:
        time.sleep(0.001)
    if state == "mutex held":
        pool._mutex.acquire()

    def ask() -> str:
        said = client.get(url).text + client.get(url).text
        return f"{said} {pool.statistics} {client._transport.statistics_by_origin()}"  # type: ignore[attr-defined]

    result = in_child(ask)
    if state == "mutex held":
        pool._mutex.release()
    figures = "Statistics(connections=1, idle=1, waiting=0)"
    assert result() == f"22 {figures} {{'{url}': {figures}}}"
    for thread in threads[:wanted]:
        thread.join(5)
    assert client.get(url).text == "1"
    client.close()


def test_a_child_closes_its_copies_of_the_sockets(network: RealNetwork) -> None:
    url = f"http://127.0.0.1:{network.listen(site())}"
    with httpure.Client() as client:
        client.get(url)
        with client.stream("GET", url) as response:
            before = response.stream.incoming.link.sock.fileno()  # type: ignore[union-attr]

            def look() -> str:
                sock = response.stream.incoming.link.sock  # type: ignore[union-attr]
                response.close()  # of the parent: no place of the child's
                return f"{before >= 0} {sock.fileno()} {client._transport.statistics}"  # type: ignore[attr-defined]

            assert in_child(look)() == "True -1 Statistics(connections=0, idle=0, waiting=0)"
            assert response.read() == b"1"


def test_a_child_waits_for_no_thread_that_it_does_not_have(network: RealNetwork) -> None:
    """One that was storing a cookie, or loading certificates, when the process was forked off."""
    from httpure import _tls

    url = f"http://127.0.0.1:{network.listen(Site(lambda call: Answer(200, fields=[('Set-Cookie', 'a=b')])))}"
    with httpure.Client() as client:
        before = client.mutex
        assert client.mutex is before

        def ask() -> str:
            _tls.TLSConfig().prepare()
            return f"{client.get(url).cookies['a']} {client.mutex is client.mutex}"

        with client.mutex, _tls._contexts_lock:
            result = in_child(ask)
            assert result() == "b True"
        assert client.mutex is before
