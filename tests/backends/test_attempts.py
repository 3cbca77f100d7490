"""Sockets on their way to one of several addresses, and what is left of them: nothing."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import httpure
from httpure import sockets
from httpure._socket_attempt import SocketAttempt
from httpure._socket_waiting import wait_for_any
from httpure.asyncio.attempts import TaskAttempt, WatchedAttempt, begin
from httpure_core.effects import Address, Begin, Dial, Race
from tests.peers import Answer, RealNetwork, Site


@pytest.fixture
def network() -> Iterator[RealNetwork]:
    made = RealNetwork()
    yield made
    made.close()


@pytest.fixture
def here(network: RealNetwork) -> Address:
    """Where somebody listens."""
    return Address("127.0.0.1", network.listen(Site(lambda call: Answer(200, b"hello"))))


@pytest.fixture
def nowhere() -> Address:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", sock.getsockname()[1])


@pytest.fixture
def dead() -> Iterator[Address]:
    """Where somebody listens who takes nobody in."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as two:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for sock in (one, two):
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield Address(*listener.getsockname())


class TestSocketAttempt:
    def test_its_error_keeps_nobody_alive(self, nowhere: Address) -> None:
        """Raised itself, it would know the frames of whoever asked, which know it."""
        attempt = self.settled(nowhere)
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError) as caught:
                attempt.finish()
            assert caught.value is not attempt.error
        assert attempt.error is not None and attempt.error.__traceback__ is None

    def settled(self, address: Address) -> SocketAttempt:
        attempt = SocketAttempt(Begin(address))
        wait_for_any([attempt.sock], 5)
        attempt.settle()
        return attempt

    def test_one_that_connects(self, here: Address) -> None:
        attempt = self.settled(here)
        assert (attempt.connected, attempt.error, attempt.under_way) == (True, None, False)
        attempt.settle()
        assert attempt.finish() is attempt.sock
        assert attempt.sock.getpeername() == (here.host, here.port)
        for _ in range(2):
            attempt.close()
        assert attempt.sock.fileno() == -1

    def test_one_that_fails(self, nowhere: Address) -> None:
        attempt = self.settled(nowhere)
        assert (attempt.connected, attempt.under_way) == (False, False)
        assert isinstance(attempt.error, ConnectionRefusedError)
        assert attempt.sock.fileno() == -1
        with pytest.raises(ConnectionRefusedError):
            attempt.finish()

    def test_one_that_fails_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[socket.socket] = []
        original = socket.socket
        monkeypatch.setattr(socket, "socket", lambda *args: made.append(original(*args)) or made[-1])
        with pytest.raises(OSError) as caught:
            SocketAttempt(Begin(Address("255.255.255.255", 80)))
        assert caught.value.errno in (errno.EACCES, errno.ENETUNREACH, errno.EHOSTUNREACH)
        with pytest.raises(FileNotFoundError):
            SocketAttempt(Begin(Address(family="unix", path="/nowhere/at/all")))
        assert [sock.fileno() for sock in made] == [-1, -1]

    def test_one_that_was_closed_under_its_hands(self, dead: Address) -> None:
        attempt = SocketAttempt(Begin(dead))
        assert attempt.under_way
        attempt.sock.close()
        attempt.settle()
        assert attempt.error is not None


def test_waiting_for_any(here: Address, dead: Address) -> None:
    slow, fast = SocketAttempt(Begin(dead)), SocketAttempt(Begin(here))
    assert wait_for_any([slow.sock], 0) == []
    assert wait_for_any([slow.sock, fast.sock], None) == [fast.sock]
    slow.close()
    fast.close()


def test_a_race_that_is_over_already_waits_for_nothing(here: Address, dead: Address) -> None:
    backend = sockets.Backend()
    fast, slow = SocketAttempt(Begin(here)), SocketAttempt(Begin(dead))
    wait_for_any([fast.sock], 5)
    fast.settle()
    backend.race(Race([slow, fast], None))
    fast.close()
    slow.close()


def test_a_link_is_made_of_the_winner(here: Address) -> None:
    backend = sockets.Backend()
    effect = Begin(here)
    backend.begin(effect)
    assert effect.attempt is not None
    backend.race(Race([effect.attempt], 5))
    machine: Any = None
    dial = Dial(here, machine, 5, attempt=effect.attempt)
    backend.dial(dial)
    assert isinstance(dial.link, sockets.backend.Link)
    assert dial.link.sock is effect.attempt.sock  # type: ignore[attr-defined]
    dial.link.close()


class Unwatching(asyncio.SelectorEventLoop):
    """A loop that cannot watch sockets: as that of Windows is, which need not be there to be tested for."""

    add_writer = asyncio.AbstractEventLoop.add_writer  # type: ignore[assignment]


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "a loop that cannot watch": Unwatching,
}


if sys.platform != "win32":
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


@pytest.fixture(params=LOOPS)
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as made:
        yield made


class TestLoops:
    def test_the_kind_of_attempt(self, runner: asyncio.Runner, dead: Address) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            attempt = begin(Begin(dead), loop)
            assert type(attempt) is (TaskAttempt if isinstance(loop, Unwatching) else WatchedAttempt)
            assert attempt.under_way
            attempt.close()
            attempt.close()
            await asyncio.sleep(0.01)
            assert attempt.sock.fileno() == -1

        runner.run(main())

    def test_a_race(self, runner: asyncio.Runner, here: Address, nowhere: Address, dead: Address) -> None:
        asked = []

        async def resolver(host: str, port: int) -> list[Address]:
            asked.append(host)
            return [nowhere, dead, here]

        async def main() -> list[str]:
            async with httpure.AsyncClient(resolver=resolver, timeout=0.6) as client:
                answers = await asyncio.gather(*[client.get("http://name.test/") for _ in range(3)])
                return [answer.text for answer in answers]

        assert runner.run(main()) == ["hello"] * 3

    def test_all_fail(self, runner: asyncio.Runner, nowhere: Address, dead: Address) -> None:
        async def main() -> None:
            async with httpure.AsyncClient(
                resolver=lambda host, port: [nowhere, dead], timeout=0.1
            ) as client:
                with pytest.raises(
                    httpure.ConnectTimeout, match=r": Connection refused; 127\.0\.0\.1:\d+: timed out"
                ):
                    await client.get("http://name.test/")

        runner.run(main())

    def test_cancelled_at_any_moment(self, runner: asyncio.Runner, here: Address, dead: Address) -> None:
        async def main() -> None:
            async with httpure.AsyncClient(
                resolver=lambda host, port: [dead, dead, here], timeout=0.1
            ) as client:
                for steps in range(30):
                    task = asyncio.ensure_future(client.get("http://name.test/"))
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                assert client._transport.statistics.connections == 0  # type: ignore[attr-defined]

        runner.run(main())

    def test_a_loop_that_ends_before_its_attempts(self, runner: asyncio.Runner, dead: Address) -> None:
        made = []

        async def main() -> None:
            made.append(begin(Begin(dead), asyncio.get_running_loop()))

        runner.run(main())
        runner.close()
        made[0].close()
        assert made[0].sock.fileno() == -1
        assert not made[0].connected


def test_a_task_that_fails_in_another_way_has_failed(here: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a race would wait for it for ever."""

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def connect(sock: socket.socket, where: Any) -> None:
            raise ValueError("no such address")

        monkeypatch.setattr(loop, "sock_connect", connect)
        attempt = TaskAttempt(Begin(here), loop)
        await asyncio.sleep(0.01)
        assert str(attempt.error) == "no such address"
        assert attempt.sock.fileno() == -1

    asyncio.run(main())
