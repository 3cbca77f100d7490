"""Requests that are given up, at any moment and for any reason, leave the client whole; and so do threads.

Slow servers, a pool of ten, thousands of requests. Afterwards ten connections still serve ten requests at once, and
nothing is left over: no slot, no task, no socket. Unclosed sockets would be warnings, which are errors here.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Answer, Deaf, Peer, RealNetwork, Site, scripted, with_tls

from .certificates import certificates
from .quick import Quick, Slow, open_files

LIMITS = httpure.Limits(max_connections=10, max_keepalive_connections=10)
COUNT = 2000
#: Tasks or threads at a time; more than the pool has, so that some wait for a slot when they are given up.
WORKERS = 16
#: Seconds after which a request is given up, at most: it takes up to 12 ms, and then there is the queue.
PATIENCE = 0.012


@pytest.fixture(autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Every socket is closed at the end; or else fail."""
    before = open_files()
    yield
    gc.collect()
    after = open_files()
    assert after is None or before is None or after <= before


class Servers:
    """Two of them: the slow one, and one that is asked afterwards."""

    def __init__(self, network: RealNetwork, tls: bool = False) -> None:
        slow: Callable[[], Peer] = Slow.factory(seed=1)
        if tls:
            slow = with_tls(slow, certificates().server())
        self.slow = f"http{'s' * tls}://127.0.0.1:{network.listen(slow)}"
        self.site = Site(lambda call: Answer(200, call.path.encode(), delay=0.05))
        self.sound = f"http://127.0.0.1:{network.listen(self.site)}"

    def urls(self) -> list[str]:
        return [f"{self.sound}/{number}" for number in range(10)]

    def check(self, client: Any, answers: list[httpure.Response]) -> None:
        """See that ten requests at once had ten connections, and that the pool has no other."""
        assert [answer.text for answer in answers] == [f"/{number}" for number in range(10)]
        assert self.site.connections == 10
        assert client._transport.statistics == (10, 10, 0)


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    with RealNetwork() as network:
        yield Servers(network, tls=getattr(request, "param", False))


def settled(client: Any) -> None:
    """See that nobody has a slot any more."""
    statistics = client._transport.statistics
    assert statistics.connections == statistics.idle
    assert statistics.waiting == 0


over_both = pytest.mark.parametrize(
    ("servers", "count"), [(False, COUNT), (True, 300)], ids=["plain", "tls"], indirect=["servers"]
)


async def _ask(client: httpure.AsyncClient, url: str, streaming: bool) -> None:
    """Send a request, one way or the other."""
    if not streaming:
        await client.post(url, content=b"x" * 100)
        return
    async with client.stream("GET", url) as response:
        async for _ in response.aiter_raw():
            pass


@pytest.mark.slow
@over_both
def test_cancelled_tasks_of_asyncio(servers: Servers, count: int) -> None:
    random = Random(2)
    cancelled = 0

    async def work(client: httpure.AsyncClient) -> None:
        nonlocal cancelled
        for number in range(count // WORKERS):
            task = asyncio.ensure_future(_ask(client, servers.slow, number % 2 == 0))
            await asyncio.sleep(random.random() * PATIENCE)
            task.cancel()
            await asyncio.wait([task])
            if task.cancelled():
                cancelled += 1
            else:
                assert task.exception() is None

    async def main() -> None:
        async with httpure.AsyncClient(limits=LIMITS, verify=certificates().trusting) as client:
            await asyncio.gather(*[work(client) for _ in range(WORKERS)])
            settled(client)
            servers.check(client, await asyncio.gather(*[client.get(url) for url in servers.urls()]))
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert cancelled > count // 2


@pytest.mark.slow
@over_both
def test_cancelled_scopes_of_trio(servers: Servers, count: int) -> None:
    random = Random(3)
    cancelled = 0

    async def work(client: httpure.AsyncClient) -> None:
        nonlocal cancelled
        for number in range(count // WORKERS):
            with trio.move_on_after(random.random() * PATIENCE) as scope:
                await _ask(client, servers.slow, number % 2 == 0)
            cancelled += scope.cancelled_caught

    async def main() -> None:
        async with httpure.AsyncClient(limits=LIMITS, verify=certificates().trusting) as client:
            async with trio.open_nursery() as nursery:
                for _ in range(WORKERS):
                    nursery.start_soon(work, client)
            settled(client)
            answers: list[Any] = [None] * 10

            async def get(number: int, url: str) -> None:
                answers[number] = await client.get(url)

            async with trio.open_nursery() as nursery:
                for number, url in enumerate(servers.urls()):
                    nursery.start_soon(get, number, url)
            servers.check(client, answers)
            assert len(trio.lowlevel.current_task().child_nurseries) == 0

    trio.run(main)
    assert cancelled > count // 2


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Call `work(number)` in so many threads. Raises what one of them raised."""
    errors: list[BaseException] = []

    def carefully(number: int) -> None:
        try:
            work(number)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=carefully, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


@pytest.mark.slow
@over_both
def test_tiny_timeouts_in_threads(servers: Servers, count: int) -> None:
    given_up: list[type[Exception]] = []
    with httpure.Client(limits=LIMITS, verify=certificates().trusting) as client:

        def work(number: int) -> None:
            random = Random(number)
            for _ in range(count // WORKERS):
                try:
                    limit = random.random() * PATIENCE / 2
                    total = httpure.Timeout(limit, total=limit if random.random() < 0.5 else None)
                    client.post(servers.slow, content=b"x" * 100, timeout=total)
                except httpure.TimeoutException as exc:
                    given_up.append(type(exc))

        in_threads(WORKERS, work)
        settled(client)
        answers: list[Any] = [None] * 10
        urls = servers.urls()

        def get(number: int) -> None:
            answers[number] = client.get(urls[number])

        in_threads(10, get)
        servers.check(client, answers)
    assert len(given_up) > count // 4


@pytest.mark.slow
def test_each_answer_belongs_to_its_request(network: RealNetwork) -> None:
    """32 threads, 5,000 requests, 10 connections."""
    url = f"http://127.0.0.1:{network.listen(Quick)}"
    with httpure.Client(limits=LIMITS, timeout=20) as client:

        def work(thread: int) -> None:
            for number in range(5000 // 32 + 1):
                mine = f"{thread}-{number}"
                if number % 2:
                    assert client.get(f"{url}/{mine}").text == f"GET /{mine} "
                else:
                    assert client.post(url, content=mine * 3).text == f"POST / {mine * 3}"

        in_threads(32, work)
        settled(client)
        assert client._transport.statistics.connections <= 10  # type: ignore[attr-defined]


@pytest.mark.slow
def test_cookies_of_many_threads(network: RealNetwork) -> None:
    def answer(call: Any) -> Answer:
        return Answer(200, b"", [("Set-Cookie", f"{call.path[1:]}=1; Path=/")])

    url = f"http://127.0.0.1:{network.listen(Site(answer))}"
    with httpure.Client(limits=LIMITS) as client:

        def work(thread: int) -> None:
            for number in range(5):
                client.get(f"{url}/c{thread}-{number}")

        in_threads(8, work)
        assert set(client.cookies) == {f"c{thread}-{number}" for thread in range(8) for number in range(5)}


# Uploads that are given up


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_cancelled_uploads(network: RealNetwork, loop: str) -> None:
    """To a server that reads nothing: what is unsent is thrown away, and nobody waits for it."""
    deaf = f"http://127.0.0.1:{network.listen(Deaf, receive_buffer=4096)}"
    body = b"x" * 5_000_000
    quick = f"http://127.0.0.1:{network.listen(Quick)}"

    async def pieces() -> Any:
        while True:
            yield body[:100_000]

    async def main() -> None:
        async with httpure.AsyncClient(limits=httpure.Limits(max_connections=1)) as client:
            for content in (lambda: body, lambda: iter([body]), pieces):
                given: Any = content()
                if loop == "asyncio":
                    with pytest.raises(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await client.post(deaf, content=given)
                else:
                    with trio.move_on_after(0.02) as scope:
                        await client.post(deaf, content=given)
                    assert scope.cancelled_caught
                if hasattr(given, "aclose"):
                    await given.aclose()
                assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]
            assert (await client.get(quick)).text == "GET / "

    if loop == "asyncio":
        asyncio.run(main())
    else:
        trio.run(main)


# Interrupts


class InterruptingPeer(Peer):
    """Sends some bytes, and interrupts the main thread a moment later, when that waits for more."""

    def __init__(self, says: bytes) -> None:
        self.says = says

    def receive_data(self, data: bytes) -> None:
        if self.says:
            self.channel.send(self.says)
        main = threading.main_thread().ident
        assert main is not None
        self.channel.call_later(0.004, lambda: signal.pthread_kill(main, signal.SIGUSR1))


@pytest.fixture
def interrupts() -> Iterator[None]:
    """SIGUSR1 raises KeyboardInterrupt, wherever the main thread is."""
    if not hasattr(signal, "SIGUSR1"):
        pytest.skip("this system has no such signals")

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
@pytest.mark.parametrize("tls", [False, True])
def test_interrupt_while_waiting_for_the_response(
    network: RealNetwork, interrupts: None, says: bytes, tls: bool
) -> None:
    def factory() -> Peer:
        return InterruptingPeer(says)

    port = network.listen(with_tls(factory, certificates().server()) if tls else factory)
    url = f"http{'s' * tls}://127.0.0.1:{port}"
    limits = httpure.Limits(max_connections=1)
    with httpure.Client(limits=limits, timeout=3, verify=certificates().trusting) as client:
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                client.get(url)
            assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]
        assert client.get(f"http://127.0.0.1:{network.listen(Quick)}").text == "GET / "


def test_interrupt_while_waiting_for_a_slot(network: RealNetwork, interrupts: None) -> None:
    url = f"http://127.0.0.1:{network.listen(scripted())}"
    with httpure.Client(limits=httpure.Limits(max_connections=1), timeout=3) as client:

        def hold() -> None:
            with pytest.raises(httpure.ReadError):
                client.get(url)

        other = threading.Thread(target=hold)
        other.start()
        while client._transport.statistics.connections == 0:  # type: ignore[attr-defined]
            time.sleep(0.001)
        main = threading.main_thread().ident
        assert main is not None
        for _ in range(3):
            timer = threading.Timer(0.01, lambda: signal.pthread_kill(main, signal.SIGUSR1))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                client.get(url)
            timer.join()
            assert client._transport.statistics == (1, 0, 0)  # type: ignore[attr-defined]
        client.close()
        other.join(5)
        assert not other.is_alive()


def test_interrupt_in_user_code(network: RealNetwork) -> None:
    """Ctrl-C in a hook, an auth flow or a body: each of them is called in the middle of a request."""
    url = f"http://127.0.0.1:{network.listen(Quick)}"
    armed = True

    def interrupt(_: Any) -> Any:
        if armed:
            raise KeyboardInterrupt
        return _

    def body() -> Iterator[bytes]:
        yield b"x"
        interrupt(None)

    with httpure.Client(limits=httpure.Limits(max_connections=1)) as client:
        for event in ("request", "response"):
            armed = True
            client.event_hooks = {event: [interrupt]}
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    client.get(url)
            armed = False
            assert client.get(url).text == "GET / "
        client.event_hooks = {}
        armed = True
        with pytest.raises(KeyboardInterrupt):
            client.get(url, auth=interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.post(url, content=body(), headers={"Content-Length": "100"})
        with pytest.raises(KeyboardInterrupt), client.stream("GET", url) as response:
            for _ in response.iter_raw():
                raise KeyboardInterrupt
        settled(client)
        assert client.get(url).text == "GET / "


# One client, several event loops


@pytest.mark.parametrize("tls", [False, True])
def test_one_client_in_two_runs_of_asyncio(network: RealNetwork, tls: bool) -> None:
    """The connections of the first are of no use in the second; they are closed, and new ones made."""
    site = Site(lambda call: Answer(200, b"sound"))
    port = network.listen(with_tls(site, certificates().server()) if tls else site)
    url = f"http{'s' * tls}://127.0.0.1:{port}"
    client = httpure.AsyncClient(limits=httpure.Limits(max_connections=2), verify=certificates().trusting)

    async def ask() -> None:
        for _ in range(2):
            answers = await asyncio.gather(client.get(url), client.get(url))
            assert [answer.text for answer in answers] == ["sound"] * 2

    asyncio.run(ask())
    assert site.connections == 2
    asyncio.run(ask())
    assert site.connections == 4

    async def ask_and_close() -> None:
        await ask()
        await client.aclose()

    asyncio.run(ask_and_close())
    assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]


def test_one_client_in_two_runs_of_trio(network: RealNetwork) -> None:
    site = Site(lambda call: Answer(200, b"sound"))
    url = f"http://127.0.0.1:{network.listen(site)}"
    client = httpure.AsyncClient()

    async def ask(close: bool) -> None:
        for _ in range(2):
            assert (await client.get(url)).text == "sound"
        if close:
            await client.aclose()

    trio.run(ask, False)
    trio.run(ask, True)
    assert site.connections == 2


@pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)
def test_closing_in_another_run(network: RealNetwork, run: Any) -> None:
    url = f"http://127.0.0.1:{network.listen(Quick)}"
    client = httpure.AsyncClient()

    async def ask() -> None:
        await client.get(url)

    async def close() -> None:
        await client.aclose()

    run(ask())
    run(close())
    assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"]
)
def test_response_dropped_when_its_loop_is_gone(network: RealNetwork, run: Any) -> None:
    half = scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
    url = f"http://127.0.0.1:{network.listen(half)}"
    client = httpure.AsyncClient()
    kept: list[httpure.Response] = []

    async def ask() -> None:
        kept.append(await client.send(client.build_request("GET", url), stream=True))

    run(ask())
    kept.clear()
    gc.collect()
    assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]
