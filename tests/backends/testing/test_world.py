"""Worlds: what there is in them, who runs in them, and what is said at their end."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trio

import httpure
from httpure import testing

URL = "https://api.test"
LOOPS = ("asyncio", "trio", "simulated")


def sleeper(world: testing.World, on: str) -> Callable[[float], Any]:
    return {"asyncio": asyncio.sleep, "trio": trio.sleep, "simulated": world.sleep}[on]


each_loop = pytest.mark.parametrize("on", LOOPS)


@each_loop
def test_coroutines_run_in_virtual_time(on: Any) -> None:
    async def visit(sleep: Callable[[float], Any]) -> list[int]:
        async with httpure.AsyncClient() as client:
            await sleep(0.1)
            codes = [(await client.get(URL)).status_code]
            await sleep(3600)
            await world.sleep(1)
            return [*codes, (await client.get(URL)).status_code]

    began = time.monotonic()
    with testing.world() as world:
        server = world.serve(URL)
        server.answer(200, delay=0.2)
        server.answer(503, delay=0.2)
        assert world.run(visit, sleeper(world, on), on=on) == [200, 503]
        assert world.now == pytest.approx(3601.5)
        assert server.requests[1].at == pytest.approx(3601.3)
    assert time.monotonic() - began < 60


@each_loop
def test_timeouts_are_those_of_the_world(on: Any) -> None:
    async def visit() -> None:
        async with httpure.AsyncClient() as client:
            with pytest.raises(httpure.ReadTimeout):
                await client.get(URL, timeout=7.5)

    with testing.world() as world:
        world.serve(URL).answer(testing.stall(after=20))
        world.run(visit, on=on)
        assert world.now == 7.5


@each_loop
def test_a_deadlock_is_told(on: Any) -> None:
    async def visit() -> None:
        async with httpure.AsyncClient(timeout=None) as client:
            await client.get(URL)

    with pytest.raises(testing.Deadlock, match="Receive on link 1"):
        with testing.world() as world:
            world.serve(URL).answer(testing.stall())
            world.run(visit, on=on)


def test_a_deadlock_of_something_else() -> None:
    async def for_ever(event: Any) -> None:
        await event.wait()

    for on, event in (("asyncio", asyncio.Event()), ("trio", trio.Event())):
        with testing.world() as world, pytest.raises(testing.Deadlock, match=f"tasks of {on}"):
            world.run(for_ever, event, on=on)  # type: ignore[call-overload]


@each_loop
def test_what_a_server_cannot_answer_ends_the_run(on: Any) -> None:
    async def visit() -> None:
        async with httpure.AsyncClient() as client:
            await client.get(URL)

    with pytest.raises(AssertionError, match=r"no answer for GET https://api\.test/, its request number 1"):
        with testing.world() as world:
            world.serve(URL)
            world.run(visit, on=on)


@each_loop
def test_errors_come_through(on: Any) -> None:
    async def fail() -> None:
        await world.sleep(1)
        raise LookupError("mine")

    with testing.world() as world, pytest.raises(LookupError, match="mine"):
        world.run(fail, on=on)


def test_asyncio_is_all_there() -> None:
    async def visit(number: int) -> str:
        async with asyncio.timeout(50):
            return (await client.get(f"{URL}/{number}")).text

    async def main() -> Any:
        queue: asyncio.Queue[int] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(visit(number)) for number in range(20)]
            group.create_task(queue.put(1))
        doomed = asyncio.create_task(client.get(f"{URL}/slow"))
        await asyncio.sleep(0.5)
        doomed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doomed
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await client.get(f"{URL}/slow")
        threaded = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        await client.aclose()
        return sorted(task.result() for task in tasks), threaded == threading.get_ident(), queue.get_nowait()

    def handler(request: testing.Received) -> testing.Answer:
        delay = 3600 if "slow" in request.url.path else world.random.uniform(0, 1)
        return testing.Answer(200, text=request.url.path, delay=delay)

    with testing.world(network=testing.Conditions(delay=(0.0, 0.1), split=0.5)) as world:
        world.serve(URL).otherwise(handler)
        client = httpure.AsyncClient(limits=httpure.Limits(max_connections=3), timeout=None)
        texts, here, put = world.run(main)
        assert texts == sorted(f"/{number}" for number in range(20))
        assert here and put == 1
        assert world.connections == 0


def test_asyncio_gets_no_real_connection() -> None:
    async def connect() -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    with testing.world() as world, pytest.raises(testing.NetworkForbidden):
        world.run(connect)


def test_trio_is_all_there() -> None:
    texts = []

    async def visit(number: int) -> None:
        texts.append((await client.get(f"{URL}/{number}")).text)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(visit, number)
        with trio.move_on_after(2) as scope:
            await client.get(f"{URL}/slow")
        assert scope.cancelled_caught
        await client.aclose()

    def handler(request: testing.Received) -> testing.Answer:
        return testing.Answer(200, text="x", delay=3600 if "slow" in request.url.path else 1)

    with testing.world() as world:
        world.serve(URL, http2=True).otherwise(handler)
        client = httpure.AsyncClient(http2=True, timeout=None)
        world.run(main, on="trio")
        assert world.now == 3.0
        assert len(texts) == 10


def test_tasks_of_the_worlds_own() -> None:
    async def visit(number: int) -> str:
        return (await client.get(f"{URL}/{number}")).text

    async def main() -> list[str]:
        tasks = [world.spawn(visit(number)) for number in range(5)]
        doomed = world.spawn(visit(99))
        await world.sleep(0)
        doomed.cancel()
        texts = [await task.join() for task in tasks]
        await client.aclose()
        return texts

    with testing.world() as world:
        world.serve(URL).otherwise(lambda request: httpure.Response(200, text=request.url.path))
        client = httpure.AsyncClient()
        assert world.run(main, on="simulated") == [f"/{number}" for number in range(5)]
        coroutine = visit(1)
        with pytest.raises(RuntimeError, match=r"asyncio\.create_task"):
            world.spawn(coroutine)
        with pytest.raises(ValueError, match="on= is"):
            world.run(main, on="curio")  # type: ignore[call-overload]


def test_tasks_that_fail_alone_are_told() -> None:
    async def fail() -> None:
        raise LookupError("alone")

    async def main() -> None:
        world.spawn(fail())
        await world.sleep(1)

    with testing.world() as world, pytest.raises(LookupError, match="alone"):
        world.run(main, on="simulated")


def test_plain_functions_are_just_called() -> None:
    with testing.world() as world:
        assert world.run(lambda a, b: a + b, 1, 2) == 3


def test_a_resolver_of_the_users_is_limited() -> None:
    async def slowly(host: str, port: int) -> str:
        await world.sleep(60)
        return "10.0.0.1"

    async def visit() -> None:
        async with httpure.AsyncClient(resolver=slowly) as client:
            with pytest.raises(httpure.ConnectTimeout):
                await client.get("http://elsewhere.test")

    for on in LOOPS:
        with testing.world() as world:
            world.run(visit, on=on)  # type: ignore[call-overload]
            assert world.now == 5.0


def test_blocking_clients_wait_in_virtual_time() -> None:
    with testing.world(network=testing.Conditions(delay=0.5)) as world:
        world.serve("http://api.test").answer(200, delay=2)
        assert httpure.get("http://api.test").status_code == 200
        assert world.now == 4.0  # a look-up, a connection, there, and back
        world.network = testing.Conditions()
        world.wait(6)
        assert world.now == 10.0


def test_blocking_calls_are_for_one_thread_and_no_task() -> None:
    async def block() -> None:
        httpure.get(URL)

    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            httpure.get(URL)
        except RuntimeError as exc:
            errors.append(exc)

    with testing.world() as world:
        with pytest.raises(RuntimeError, match="use an AsyncClient"):
            world.run(block, on="simulated")
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert len(errors) == 1


def test_loops_of_ones_own_are_told() -> None:
    async def main() -> None:
        async with httpure.AsyncClient() as client:
            await client.get(URL)

    with testing.world() as world:
        with pytest.raises(RuntimeError, match=r"runs in world\.run"):
            asyncio.run(main())
        world.serve(URL).answer(200)
        world.run(main)


def test_deadlock_of_a_blocking_call() -> None:
    with testing.world() as world:
        world.serve(URL).answer(testing.stall())
        with pytest.raises(testing.Deadlock, match="the caller's wait"):
            httpure.get(URL, timeout=None)


def test_patched_time() -> None:
    real = time.sleep
    with testing.world(patch_time=True) as world:
        before = time.time()
        time.sleep(3600)
        assert world.now == time.monotonic() == time.perf_counter() == 3600
        assert time.time() - before == 3600
        ids: list[float] = []
        thread = threading.Thread(target=lambda: (time.sleep(0), ids.append(time.monotonic())))
        thread.start()
        thread.join()
        assert ids[0] != 3600
    assert time.sleep is real


def test_without_taking_over() -> None:
    with testing.world(takes_over=False) as world:
        world.serve(URL).otherwise(200)
        with httpure.Client() as client:
            assert client._transport.backend.name == "sockets"  # type: ignore[attr-defined]
        with httpure.Client(backend=world.blocking_backend) as client:
            assert client.get(URL).status_code == 200


def test_worlds_within_worlds() -> None:
    with testing.world() as outer:
        outer.serve(URL).otherwise(200)
        with testing.world() as inner:
            inner.serve(URL).otherwise(500)
            assert httpure.get(URL).status_code == 500
        assert httpure.get(URL).status_code == 200


def connect_error(kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        httpure.get(URL)


def test_worlds_are_for_one_thread_at_a_time() -> None:
    errors: list[BaseException] = []

    def enter() -> None:
        try:
            with testing.world():
                pass
        except RuntimeError as exc:
            errors.append(exc)

    with testing.world():
        for thread in (threading.Thread(target=enter),):
            thread.start()
            thread.join()
    assert [str(error)[:42] for error in errors] == ["Another thread is in a scripted world, and"]
    enter()
    assert len(errors) == 1


def test_connections_that_fail() -> None:
    with testing.world() as world:
        connect_error(httpure.ConnectError, "Name or service not known")
        server = world.serve(URL)
        server.otherwise(200)
        world.fail_lookup("api.test")
        connect_error(httpure.ConnectError, "Temporary failure")
        server.refuse()
        connect_error(httpure.ConnectError, "refused")
        server.ignore()
        connect_error(httpure.ConnectTimeout, "timed out")
        assert world.now == 5.0
        world.slow_lookup("api.test", 60)
        connect_error(httpure.ConnectTimeout, "looking up the name")
        server.slow_connect(60)
        connect_error(httpure.ConnectTimeout, "timed out")
        server.slow_connect(1)
        httpure.get(URL)
        assert world.now == 16.0
        server.refuse_tls("no cipher in common")
        connect_error(httpure.ConnectError, "no cipher in common")
        server.refuse_tls("certificate has expired", certificate=True)
        connect_error(httpure.ConnectError, "not trusted: certificate has expired")
        with pytest.raises(httpure.RemoteProtocolError):
            httpure.get("http://api.test:443")
        with httpure.Client(http1=False, http2=True) as client, pytest.raises(httpure.ConnectError):
            client.get(URL)


def test_several_addresses() -> None:
    with testing.world() as world:
        server = world.serve("http://api.test:8080", addresses=["2001:db8::1", "10.0.0.9"])
        server.answer(200)
        server.refuse()
        assert httpure.get("http://api.test:8080").status_code == 200


def test_what_cannot_be_served() -> None:
    with testing.world() as world:
        for url in ("ftp://api.test", "https://api.test/path", "/path"):
            with pytest.raises(ValueError, match="no origin"):
                world.serve(url)
        with pytest.raises(ValueError, match="http URL"):
            world.proxy("https://proxy.test")
        with pytest.raises(ValueError, match="no TLS"):
            world.serve("http://plain.test").refuse_tls()
        with pytest.raises(ValueError, match="allow= knows"):
            testing.world(allow=["everything"])  # type: ignore[list-item]


def test_call_later_and_texts() -> None:
    with testing.world(seed=3) as world:
        server = world.serve("http://api.test")
        server.otherwise(200)
        with httpure.Client() as client:
            client.get("http://api.test")
            world.call_later(1, server.drop_idle)
            world.wait(2)
            client.get("http://api.test")
        assert server.connections == 2
        assert repr(world) == "<World seed=3 now=2>"
        assert repr(server) == "<Server http://api.test>"


# What is left over.


def test_unread_answers_are_told() -> None:
    with pytest.raises(AssertionError) as caught, testing.world(seed=5) as world:
        server = world.serve(URL)
        server.answer(200)
        server.answer(200, times=2)
        server.refuse_tls()
    text = str(caught.value)
    assert "world of seed 5" in text
    assert "https://api.test has left: 3 answers after 0 requests, 1 failed handshake." in text
    assert "testing.world(seed=5) repeats it" in caught.value.__notes__[0]
    with testing.world(allow=["answers"]) as world:
        world.serve(URL).answer(200)


@pytest.mark.parametrize("http2", [False, True])
def test_connections_in_use_are_told(http2: bool) -> None:
    with pytest.raises(AssertionError, match=r"https://api\.test:443: a request is under way"):
        with testing.world() as world:
            world.serve(URL, http2=http2).answer(200, content=b"x" * 3_000_000)
            client = httpure.Client(http2=http2)
            response = client.send(client.build_request("GET", URL), stream=True)
    with testing.world(allow=["connections"]) as world:
        world.serve(URL, http2=http2).answer(200, content=b"x" * 3_000_000)
        client = httpure.Client(http2=http2)
        response = client.send(client.build_request("GET", URL), stream=True)
    assert response.status_code == 200


def test_idle_connections_may_be_left() -> None:
    with testing.world() as world:
        world.serve(URL).answer(200)
        client = httpure.Client()
        client.get(URL)
        assert world.connections == 1


@pytest.mark.parametrize("on", ["asyncio", "simulated"])
def test_tasks_left_behind_are_told(on: Any) -> None:
    async def main() -> None:
        tasks.append(asyncio.create_task(world.sleep(9)) if on == "asyncio" else world.spawn(world.sleep(9)))
        await world.sleep(1)

    tasks: list[Any] = []
    with pytest.raises(AssertionError, match="was still running"):
        with testing.world() as world:
            world.run(main, on=on)
    with testing.world(allow=["tasks"]) as world:
        world.run(main, on=on)


def test_what_a_server_could_not_answer_is_not_hushed_up() -> None:
    with pytest.raises(AssertionError, match="no answer for GET"):
        with testing.world() as world:
            world.serve(URL)
            with pytest.raises(AssertionError):
                httpure.get(URL)


def test_errors_have_the_seed() -> None:
    with pytest.raises(LookupError) as caught, testing.world(seed=42) as world:
        world.serve(URL).answer(200)
        httpure.get(URL)
        raise LookupError
    (note,) = caught.value.__notes__
    assert "testing.world(seed=42) repeats it" in note
    assert "https://api.test answers 200" in note


# Seeds.


@each_loop
def test_a_seed_repeats_itself(on: Any) -> None:
    def run(seed: int) -> list[str]:
        async def visit(client: httpure.AsyncClient, number: int) -> None:
            await client.post(f"{URL}/{number}", files={"a": b"x" * number})

        async def main() -> None:
            async with httpure.AsyncClient(http2=seed % 2 == 0, timeout=None) as client:
                if on == "asyncio":
                    await asyncio.gather(*[visit(client, number) for number in range(4)])
                elif on == "trio":
                    async with trio.open_nursery() as nursery:
                        for number in range(4):
                            nursery.start_soon(visit, client, number)
                else:
                    for task in [world.spawn(visit(client, number)) for number in range(4)]:
                        await task.join()

        with testing.world(seed, network=testing.Conditions(delay=(0, 1), split=0.5)) as world:
            world.serve(URL, http2=True).otherwise(lambda request: httpure.Response(200, text="x" * 999))
            world.run(main, on=on)
            return world.log

    logs = [run(seed) for seed in (1, 2, 1, 2)]
    assert logs[:2] == logs[2:]
    assert logs[0] != logs[1]


def test_chance_outside_is_left_alone() -> None:
    state = random.getstate()
    with testing.world() as world:
        assert world.random.random() == random.Random(0).random()
    assert random.getstate() == state


def test_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPURE_SEEDS", "17")
    assert testing.seeds(100) == [17]
    monkeypatch.setenv("HTTPURE_SEEDS", "5-7")
    assert testing.seeds(100) == [5, 6, 7]
    monkeypatch.setenv("HTTPURE_SEEDS", "many")
    with pytest.raises(ValueError, match="HTTPURE_SEEDS is 'many'"):
        testing.seeds(1)
