"""The simulated backend itself: it repeats exactly, tells who is stuck, and does what its conditions say."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import httpure
from httpure.simulated import Cancelled, Conditions, Deadlock, Simulation
from httpure_core import ambient
from tests.peers import CLOSE, RESET, Answer, Call, Deaf, Peer, Site, scripted

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"


def serving(factory: Callable[[], Peer], seed: int = 0, network: Conditions | None = None) -> Simulation:
    """Return a simulation in which http://server.test/ is served."""
    simulation = Simulation(seed, network)
    simulation.network.listen("server.test", 80, factory)
    return simulation


def client_of(simulation: Simulation, **kwargs: Any) -> httpure.AsyncClient:
    return httpure.AsyncClient(backend=simulation.backend, **kwargs)


def getting(simulation: Simulation, **kwargs: Any) -> Callable[[], Coroutine[Any, Any, httpure.Response]]:
    """Return a coroutine function that gets http://server.test/."""

    async def get() -> httpure.Response:
        async with client_of(simulation, **kwargs) as client:
            return await client.get("http://server.test/")

    return get


# Tasks and time


def test_run_returns_and_raises() -> None:
    async def add(a: int, b: int) -> int:
        return a + b

    async def fail() -> None:
        raise ZeroDivisionError

    assert Simulation().run(add, 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        Simulation().run(fail)


def test_time_is_virtual() -> None:
    simulation = Simulation()

    async def main() -> list[float]:
        async def nap(seconds: float) -> float:
            await simulation.sleep(seconds)
            return simulation.clock()

        tasks = [simulation.spawn(nap(seconds)) for seconds in (3600.0, 60.0, 0.0)]
        return [await task.join() for task in tasks]

    assert simulation.run(main) == [3600.0, 60.0, 0.0]


def test_the_seed_decides_who_runs_next() -> None:
    def order(seed: int) -> str:
        simulation = Simulation(seed)
        seen: list[str] = []

        async def note(letter: str) -> None:
            seen.append(letter)

        async def main() -> None:
            for task in [simulation.spawn(note(letter)) for letter in "abcdef"]:
                await task.join()

        simulation.run(main)
        return "".join(seen)

    orders = [order(seed) for seed in range(20)]
    assert orders == [order(seed) for seed in range(20)]
    assert len(set(orders)) > 10
    assert {"".join(sorted(letters)) for letters in orders} == {"abcdef"}


def test_cancel_raises_at_the_await() -> None:
    simulation = Simulation()
    seen: list[str] = []

    async def wait() -> None:
        try:
            await simulation.sleep(10)
        except Cancelled:
            seen.append(f"cancelled at {simulation.clock():g}")
            raise
        finally:
            seen.append("finally")

    async def main() -> bool:
        task = simulation.spawn(wait())
        await simulation.sleep(1)
        task.cancel()
        with pytest.raises(Cancelled):
            await task.join()
        task.cancel()  # does nothing now
        return task.cancelled

    assert simulation.run(main) is True
    assert seen == ["cancelled at 1", "finally"]


def test_cancel_before_the_first_step_and_of_oneself() -> None:
    simulation = Simulation(seed=3)

    async def never() -> None:
        raise AssertionError("this was cancelled before it began")

    async def suicidal() -> None:
        me.cancel()
        await simulation.sleep(0)
        raise AssertionError("this was cancelled at its await")

    async def main() -> None:
        task = simulation.spawn(never())
        task.cancel()
        for doomed in (task, me):
            with pytest.raises(Cancelled):
                await doomed.join()

    me = simulation.spawn(suicidal())
    simulation.run(main)


def test_a_cancelled_task_may_go_on() -> None:
    simulation = Simulation()

    async def stubborn() -> str:
        try:
            await simulation.sleep(10)
        except Cancelled:
            await simulation.sleep(1)
        return f"done at {simulation.clock():g}"

    async def main() -> str:
        task = simulation.spawn(stubborn())
        await simulation.sleep(1)
        task.cancel()
        return await task.join()

    assert simulation.run(main) == "done at 2"


def test_tasks_that_are_left_are_cancelled() -> None:
    simulation = Simulation()
    ended: list[str] = []

    async def endless() -> None:
        try:
            while True:
                await simulation.sleep(1)
        finally:
            ended.append("endless")

    async def main() -> None:
        simulation.spawn(endless())
        await simulation.sleep(2.5)

    simulation.run(main)
    assert ended == ["endless"]
    assert simulation.clock() == 2.5


def test_errors_of_tasks_that_nobody_joins_are_raised() -> None:
    simulation = Simulation()

    async def fail() -> None:
        raise ZeroDivisionError("unseen")

    async def main() -> None:
        simulation.spawn(fail())
        await simulation.sleep(1)

    with pytest.raises(ZeroDivisionError, match="unseen"):
        simulation.run(main)


def test_awaiting_what_is_not_simulated() -> None:
    class Foreign:
        def __await__(self):
            yield "a future of some event loop"

    async def main() -> None:
        await Foreign()

    with pytest.raises(TypeError, match="can await only what is simulated"):
        Simulation().run(main)


def test_deadlock_names_what_each_task_waits_for() -> None:
    simulation = serving(scripted())

    async def main() -> None:
        async with client_of(simulation, timeout=None, limits=httpure.Limits(max_connections=1)) as client:
            first = simulation.spawn(client.get("http://server.test/"), "first")
            await simulation.sleep(1)
            simulation.spawn(client.get("http://server.test/"), "second")
            await first.join()

    with pytest.raises(Deadlock) as caught:
        simulation.run(main)
    assert str(caught.value).splitlines() == [
        "Nothing can happen any more at 1.000000 s, and these wait:",
        "  main: the end of first",
        "  first: Receive on link 1 to 10.0.0.1:80",
        "  second: Park, for a connection of the pool",
    ]


def test_watchers_see_each_step() -> None:
    simulation = serving(Site(lambda call: Answer(200, b"x")))
    seen: list[float] = []
    simulation.watch(lambda: seen.append(simulation.clock()))
    simulation.run(getting(simulation))
    assert len(seen) >= 5


def test_what_a_server_raises_ends_the_run() -> None:
    def fail(call: Call) -> Answer:
        raise ZeroDivisionError("in the server")

    simulation = serving(Site(fail))
    with pytest.raises(ZeroDivisionError, match="in the server"):
        simulation.run(getting(simulation))


# The same seed replays exactly


def busy(seed: int) -> Simulation:
    """Run many requests over a bad network, with cancellations; return the simulation when it is over."""
    conditions = Conditions(
        delay=(0.0, 0.05), split=0.5, refuse=0.1, cut=0.1, reset=0.1, stall=0.1, within=800, window=300
    )
    simulation = serving(
        Site(lambda call: Answer(200, call.body, chunked=True, pause=0.01)), seed, network=conditions
    )
    random = simulation.random

    async def main() -> None:
        limits = httpure.Limits(max_connections=3, max_keepalive_connections=2, keepalive_expiry=1)
        async with client_of(simulation, limits=limits, timeout=0.5) as client:
            simulation.watch(lambda: check(client, limits))
            tasks = []
            for number in range(8):
                body = b"%d" % number * random.randrange(200)
                files = {"file": body} if number % 2 else None
                content = None if files else body
                tasks.append(simulation.spawn(one(client, content, files), f"request {number}"))
            for task in tasks[::2]:
                await simulation.sleep(random.random() * 0.2)
                task.cancel()
            for task in tasks:
                with contextlib.suppress(Cancelled, httpure.TransportError):
                    await task.join()
            pool = client._transport.statistics
            assert pool.connections == pool.idle
            assert pool.waiting == 0
        assert client._transport.statistics == (0, 0, 0)

    async def one(client: httpure.AsyncClient, content: bytes | None, files: Any) -> None:
        response = await client.post("http://server.test/", content=content, files=files)
        if content is not None:
            assert response.content == content

    def check(client: httpure.AsyncClient, limits: httpure.Limits) -> None:
        pool = client._transport.statistics
        assert 0 <= pool.idle <= pool.connections <= 3
        assert not pool.waiting or pool.connections == 3

    simulation.run(main)
    return simulation


def test_the_same_seed_gives_the_same_log() -> None:
    for seed in range(10):
        first, second = busy(seed).log, busy(seed).log
        assert first == second
        assert len(first) > 50
    assert busy(1).log != busy(2).log


def test_closing_under_load_replays_too() -> None:
    def closing() -> list[str]:
        simulation = serving(scripted(), 1, Conditions(delay=(0.0, 0.05)))

        async def main() -> None:
            client = client_of(simulation)
            tasks = [simulation.spawn(client.get("http://server.test/")) for _ in range(8)]
            await simulation.sleep(1)
            await client.aclose()
            for task in tasks:
                with pytest.raises(httpure.ReadError, match="the client was closed"):
                    await task.join()
            await simulation.sleep(1)

        simulation.run(main)
        return simulation.log

    first = closing()
    in_the_way = [
        object() for _ in range(10_000)
    ]  # objects get other addresses, which decide the order of a set
    assert closing() == first
    del in_the_way


@pytest.mark.slow
def test_the_pool_is_whole_after_300_bad_days() -> None:
    for seed in range(300):
        try:
            busy(seed)
        except BaseException as exc:
            exc.add_note(f"seed {seed}")
            raise


def test_chance_and_date_are_the_simulation_s() -> None:
    before = (ambient.random_bytes(8), ambient.wall_time())

    async def look() -> tuple[bytes, float]:
        simulation_now = ambient.wall_time()
        return ambient.random_bytes(8), simulation_now

    first, second = Simulation(5).run(look), Simulation(5).run(look)
    assert first == second
    assert before[0] != first[0]
    assert ambient.wall_time() >= before[1] > first[1] or first[1] != before[1]
    assert gc.isenabled()


# The network


def test_delay() -> None:
    simulation = serving(Site(lambda call: Answer(200, b"x")), network=Conditions(delay=0.25))
    assert simulation.run(getting(simulation)).content == b"x"
    assert simulation.clock() == pytest.approx(1.0)  # look-up, dial, request, response


def test_split() -> None:
    simulation = serving(scripted([WHOLE]), network=Conditions(split=1.0))
    assert simulation.run(getting(simulation)).content == b"0123456789"
    assert sum("received" in line for line in simulation.log) > 3


def test_piece() -> None:
    simulation = serving(scripted([WHOLE]), network=Conditions(piece=1))
    assert simulation.run(getting(simulation)).content == b"0123456789"
    received = [line for line in simulation.log if "received: 1 bytes" in line]
    assert len(received) == len(WHOLE)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("cut", httpure.RemoteProtocolError),
        ("reset", (httpure.ReadError, httpure.WriteError)),
        ("stall", httpure.ReadTimeout),
    ],
)
def test_fates(kind: str, error: type[Exception]) -> None:
    for seed in range(40):
        conditions = Conditions(**{kind: 1.0}, within=len(WHOLE) - 1)  # type: ignore[arg-type]
        simulation = serving(scripted([WHOLE]), seed, conditions)
        with pytest.raises(error):
            simulation.run(getting(simulation))
        assert any(f": {kind} after " in line for line in simulation.log)


def test_a_chance_of_one_half_happens_to_some() -> None:
    happened = 0
    for seed in range(60):
        simulation = serving(scripted([WHOLE]), seed, Conditions(refuse=0.5))
        try:
            simulation.run(getting(simulation))
        except httpure.ConnectError:
            happened += 1
    assert 15 < happened < 45


def test_unknown_host_refused_port_and_black_hole() -> None:
    simulation = serving(scripted([WHOLE]))
    simulation.network.add_black_hole("hole.test")

    async def main() -> list[str]:
        told = []
        async with client_of(simulation, timeout=2) as client:
            for where in ("nowhere.test", "server.test:81", "hole.test"):
                try:
                    await client.get(f"http://{where}/")
                except httpure.TransportError as exc:
                    told.append(f"{type(exc).__name__}: {exc}")
        return told

    unknown, refused, hole = simulation.run(main)
    assert unknown.startswith("ResolveError: Could not look up the host name 'nowhere.test' (Name or service")
    assert refused.startswith(
        "ConnectError: Could not connect to server.test (10.0.0.1:81: Connection refused)"
    )
    assert hole.startswith("ConnectTimeout: No connection was made within 2 s")
    assert simulation.clock() == 2


def test_slow_look_up() -> None:
    simulation = serving(scripted([WHOLE]), network=Conditions(delay=3))
    with pytest.raises(httpure.ConnectTimeout, match="looking up the name"):
        simulation.run(getting(simulation, timeout=2))
    assert simulation.clock() == 2


def test_listeners_come_and_go() -> None:
    simulation = serving(scripted([WHOLE, CLOSE]))

    async def main() -> None:
        async with client_of(simulation) as client:
            assert (await client.get("http://server.test/")).status_code == 200
            simulation.network.close_listener("server.test", 80)
            with pytest.raises(httpure.ConnectError):
                await client.get("http://server.test/")
            simulation.network.listen("10.0.0.1", 80, scripted([WHOLE]))
            assert (await client.get("http://server.test/")).status_code == 200

    simulation.run(main)
    assert len(simulation.network.connections) == 2


def test_unix_socket() -> None:
    simulation = Simulation()
    simulation.network.listen_at_path("/run/server.sock", scripted([WHOLE]))

    async def get(path: str) -> bytes:
        transport = httpure.AsyncHTTPTransport(uds=path, backend=simulation.backend)
        async with client_of(simulation, transport=transport) as client:
            return (await client.get("http://anything/")).content

    assert simulation.run(get, "/run/server.sock") == b"0123456789"
    with pytest.raises(httpure.ConnectError, match="No such file"):
        simulation.run(get, "/run/other.sock")


def test_back_pressure() -> None:
    simulation = serving(Deaf, network=Conditions(window=1000))
    taken: list[int] = []

    async def body():
        for number in range(50):
            taken.append(number)
            yield b"x" * 100

    async def main() -> None:
        async with client_of(simulation, timeout=7) as client:
            with pytest.raises(httpure.WriteTimeout):
                await client.post("http://server.test/", content=body())

    simulation.run(main)
    assert simulation.clock() == 7
    assert 5 <= len(taken) < 12


def test_a_client_that_does_not_read_slows_the_server_down() -> None:
    simulation = serving(Site(lambda call: Answer(200, b"x" * 2_000_000)))
    connections = simulation.network.connections

    async def main() -> None:
        async with client_of(simulation) as client, client.stream("GET", "http://server.test/") as response:
            await simulation.sleep(1)
            arrived = sum(int(line.split()[-2]) for line in simulation.log if "received:" in line)
            assert arrived < 600_000
            assert len(await response.aread()) == 2_000_000

    simulation.run(main)
    assert len(connections) == 1


def test_reset_comes_after_what_was_sent() -> None:
    simulation = serving(scripted([WHOLE, RESET]))

    async def main() -> None:
        async with client_of(simulation) as client:
            for _ in range(2):
                assert (await client.get("http://server.test/")).content == b"0123456789"

    simulation.run(main)
    assert len(simulation.network.connections) == 2


def test_timeout_during_a_flush_begins_anew_with_each_byte() -> None:
    class Slow(Peer):
        def connected(self, channel) -> None:
            self.channel = channel
            self.size = 0
            channel.pause()
            channel.call_later(1.0, self.read)

        def read(self) -> None:
            self.channel.resume()

        def receive_data(self, data: bytes) -> None:
            self.size += len(data)
            self.channel.pause()
            self.channel.call_later(1.0, self.read)
            if self.size >= 5000:
                self.channel.send(WHOLE)

    simulation = serving(Slow, network=Conditions(window=1000, piece=500))

    async def main() -> None:
        async with client_of(simulation, timeout=httpure.Timeout(1.5, read=60)) as client:
            assert (await client.post("http://server.test/", content=b"x" * 5000)).status_code == 200

    simulation.run(main)
    assert simulation.clock() > 8
