"""One link that several use at a time: who reads, who sends, and who is woken; on threads, asyncio and trio.

The peer is a socket of the test's own; the machine carries lines, each for the stream that its first letter names.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio

from httpure.asyncio.backend import Link as AsyncioLink
from httpure.backends import Gate
from httpure.sockets.backend import Link as ThreadLink
from httpure.trio.backend import Link as TrioLink
from httpure_core.effects import Flush, Receive
from httpure_core.signals import Signal

LIMIT = 10.0  #: seconds that nothing here takes, unless it hangs


class Machine:
    """Takes lines such as b"a...", news for the stream "a", and has what it is given to send."""

    multiplexed = True

    def __init__(self) -> None:
        self.news: dict[str, list[bytes]] = {}
        self.signals: dict[str, Signal] = {}
        self.out = b""
        self.ends: list[OSError | None] = []
        self.wants_data = True
        self.answer = b""
        self._early = b""

    def stream(self, name: str) -> Signal:
        """Begin a stream; its signal is not set."""
        self.news.setdefault(name, [])
        self.signals[name] = Signal()
        return self.signals[name]

    def receive_data(self, data: bytes) -> None:
        *lines, self._early = (self._early + data).split(b"\n")
        for line in lines:
            self.out += self.answer
            name = chr(line[0])
            self.news[name].append(line)
            self.signals[name].set()

    def receive_eof(self, error: OSError | None = None) -> None:
        self.ends.append(error)
        for signal in self.signals.values():
            signal.set()

    def data_to_send(self) -> bytes:
        data, self.out = self.out, b""
        return data


class Ends:
    """The socket of a link, which the kernel holds little for, and the peer's."""

    def __init__(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.ours = socket.socket()
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.ours.connect(listener.getsockname())
        self.ours.setblocking(False)
        self.peer, _ = listener.accept()
        self.peer.settimeout(LIMIT)
        listener.close()

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.peer.recv(min(65536, size - len(data)))
        return data


@pytest.fixture
def ends() -> Iterator[Ends]:
    both = Ends()
    yield both
    both.ours.close()
    both.peer.close()


MUCH = b"m" * 200_000  #: more than the kernel takes


# Threads


class Crew:
    """Threads that each do one thing with a link, and what came of it."""

    def __init__(self, link: ThreadLink, machine: Machine) -> None:
        self._link = link
        self._machine = machine
        self.results: dict[str, Any] = {}
        self._threads: dict[str, threading.Thread] = {}

    def start(self, name: str, function: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                self.results[name] = function()
            except BaseException as exc:
                self.results[name] = exc

        self._threads[name] = threading.Thread(target=run, name=name, daemon=True)
        self._threads[name].start()

    def read(self, name: str) -> None:
        """Have a thread wait for news of a stream: it has the turn to read, or stands in line for it."""
        link, signal = self._link, self._machine.stream(name)
        self.start(name, lambda: receive(link, signal))
        until(lambda: signal is link.turn.reader or signal in link.turn.waiting)

    def send(self, name: str) -> None:
        """Have a thread send more than the kernel takes."""
        link, signal = self._link, self._machine.stream(name)
        self._machine.out = MUCH
        self.start(name, lambda: flush(link, signal))
        until(lambda: signal in link.flushers)

    def join(self, *names: str) -> list[Any]:
        for name in names or list(self._threads):
            self._threads[name].join(LIMIT)
            assert not self._threads[name].is_alive(), f"{name} hangs"
        return [self.results[name] for name in names]


def until(condition: Callable[[], object]) -> None:
    """Wait until another thread has come so far."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "it never comes so far"
        time.sleep(0.0005)


def threaded(ends: Ends, multiplexed: bool | None = True) -> tuple[ThreadLink, Machine]:
    machine = Machine()
    machine.multiplexed = multiplexed  # type: ignore[assignment]
    return ThreadLink(ends.ours, machine), machine


def receive(link: ThreadLink, signal: Signal, timeout: float | None = LIMIT) -> bool:
    link.receive(Receive(link, signal, timeout))
    return signal.ready


def flush(link: ThreadLink, signal: Signal, timeout: float | None = LIMIT) -> bool:
    effect = Flush(link, signal, timeout)
    link.flush(effect)
    return effect.flushed


class TestThreads:
    def test_one_reads_for_all(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        for name in "abc":
            crew.read(name)
        ends.peer.send(b"c\n")
        assert crew.join("c") == [True]
        ends.peer.send(b"a\n")  # the reader's own: another one takes over
        assert crew.join("a") == [True]
        ends.peer.send(b"b\n")
        assert crew.join("b") == [True]
        assert (link.turn.reader, link.turn.waiting) == (None, {})
        link.close()

    def test_the_reader_gives_up(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.start("a", lambda: receive(link, machine.stream("a"), 0.05))
        until(lambda: link.turn.reader)
        crew.start("b", lambda: receive(link, machine.stream("b")))
        (error,) = crew.join("a")
        assert isinstance(error, TimeoutError)
        ends.peer.send(b"b\n")
        assert crew.join("b") == [True]
        link.close()

    def test_news_reach_one_who_cannot_send(self, ends: Ends) -> None:
        """An early answer, while another thread has the turn to read."""
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.read("a")
        crew.send("b")
        ends.peer.send(b"b413\n")
        assert crew.join("b") == [False]
        ends.peer.send(b"a\n")
        assert crew.join("a") == [True]
        link.close()

    def test_who_reads_sends_what_others_left(self, ends: Ends) -> None:
        """They wait at their gates, and are told when theirs has gone."""
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.read("a")
        for name in "bc":
            crew.send(name)
        assert ends.read(2 * len(MUCH)) == MUCH + MUCH
        assert crew.join("b", "c") == [True, True]
        assert not link.flushers and not link.unsent
        ends.peer.send(b"a\n")
        assert crew.join("a") == [True]
        link.close()

    def test_a_slow_flush_holds_up_nobody_who_only_reads(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.send("a")
        crew.start("b", lambda: receive(link, machine.stream("b")))
        until(lambda: link.turn.waiting)
        ends.peer.send(b"b\n")
        assert crew.join("b") == [True]
        assert "a" not in crew.results
        ends.read(len(MUCH))
        assert crew.join("a") == [True]
        link.close()

    def test_a_small_request_behind_a_slow_one(self, ends: Ends) -> None:
        """It leaves its bytes behind, and its own time runs: not that of the other one."""
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.send("a")
        machine.stream("b")
        machine.out = b"small"
        began = time.monotonic()
        crew.start("b", lambda: flush(link, machine.signals["b"], 0.05))
        (error,) = crew.join("b")
        assert isinstance(error, TimeoutError)
        assert time.monotonic() - began < LIMIT / 2
        assert ends.read(len(MUCH) + 5) == MUCH + b"small"
        assert crew.join("a") == [True]
        link.close()

    def test_time_counts_from_the_last_step_forward(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        machine.stream("a")
        machine.out = MUCH
        crew = Crew(link, machine)
        crew.start("a", lambda: flush(link, machine.signals["a"], 0.1))
        until(lambda: link.flushers)
        ends.read(50_000)
        assert crew.join("a") == [False]
        with pytest.raises(TimeoutError):
            while not flush(link, machine.signals["a"], 0.02):
                pass
        link.close()

    def test_answers_go_out_when_there_is_room_again(self, ends: Ends) -> None:
        """What the reader could not send, such as WINDOW_UPDATE, goes out although nobody flushes."""
        link, machine = threaded(ends)
        machine.stream("a")
        machine.out = MUCH
        with pytest.raises(TimeoutError):
            flush(link, machine.signals["a"], 0.01)
        machine.answer = b"answer"
        crew = Crew(link, machine)
        ends.peer.send(b"b\n")
        machine.stream("b")
        crew.start("a", lambda: receive(link, machine.signals["a"]))
        assert ends.read(len(MUCH) + 6) == MUCH + b"answer"
        machine.answer = b""
        ends.peer.send(b"a\n")
        assert crew.join("a") == [True]
        link.close()

    def test_a_nudge_that_comes_too_early_is_for_the_reader(self, ends: Ends) -> None:
        """Somebody was in the middle of a step: then whoever reads sends what there is."""
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.read("a")
        machine.out = b"reset"
        with link.sending:
            link.nudge()
        assert ends.read(5) == b"reset"
        ends.peer.send(b"a\n")
        crew.join("a")
        link.close()

    def test_the_signal_of_the_one_who_reads_is_set_by_another(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.read("a")
        with link.mutex:
            machine.signals["a"].set()
        assert crew.join("a") == [True]
        link.close()

    def test_where_there_is_no_bell_each_waits_for_room_alone(self, ends: Ends) -> None:
        """As behind an upgrade, where one reads and another writes."""
        link, machine = threaded(ends, multiplexed=False)
        crew = Crew(link, machine)
        crew.read("a")
        machine.out = MUCH
        crew.start("b", lambda: flush(link, Signal()))
        until(lambda: link.flushers)
        assert link.bell is None
        assert ends.read(len(MUCH)) == MUCH
        assert crew.join("b") == [True]
        ends.peer.send(b"a\n")
        assert crew.join("a") == [True]
        link.close()

    def test_news_reach_one_who_waits_for_room_alone(self, ends: Ends) -> None:
        link, machine = threaded(ends, multiplexed=False)
        crew = Crew(link, machine)
        crew.read("a")
        machine.stream("b")
        machine.out = MUCH
        crew.start("b", lambda: flush(link, machine.signals["b"]))
        until(lambda: machine.signals["b"].wake)
        ends.peer.send(b"b413\n")
        assert crew.join("b") == [False]
        link.close()
        crew.join("a")

    def test_who_may_not_read_leaves_that_to_others(self, ends: Ends) -> None:
        """Who sends to a peer whose bytes lie unread waits for room only; who wants those bytes can get at them."""
        link, machine = threaded(ends, multiplexed=False)
        machine.wants_data = False
        machine.out = MUCH
        crew = Crew(link, machine)
        crew.start("a", lambda: flush(link, Signal()))
        until(lambda: link.flushers)
        assert link.turn.reader is None
        crew.read("b")
        ends.peer.send(b"b\n")
        assert crew.join("b") == [True]
        ends.read(len(MUCH))
        assert crew.join("a") == [True]
        link.close()

    def test_a_peer_that_has_said_all_and_does_not_listen(self, ends: Ends) -> None:
        """No busy waiting for what it will not say, and the time is over in the end."""
        link, machine = threaded(ends, multiplexed=False)
        machine.out = MUCH
        ends.peer.shutdown(socket.SHUT_WR)
        began = time.thread_time()
        with pytest.raises(TimeoutError):
            while not flush(link, Signal(), 0.3):
                pass
        assert machine.ends == [None]
        assert time.thread_time() - began < 0.2
        link.close()

    def test_a_lost_connection_is_everybodys(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        for name in "abc":
            crew.read(name)
        crew.send("d")
        until(lambda: len(link.turn.waiting) == 3)
        ends.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        ends.peer.close()
        assert crew.join("a", "b", "c") == [True] * 3
        (outcome,) = crew.join("d")
        assert outcome is False or isinstance(outcome, OSError)
        link.close()

    def test_closing_wakes_all_and_the_last_one_closes_the_socket(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        for name in "abc":
            crew.read(name)
        crew.send("d")
        until(lambda: len(link.turn.waiting) == 3)
        link.close()
        crew.join()
        assert [crew.results[name] for name in "abc"] == [True] * 3
        error = crew.results["d"]
        assert isinstance(error, OSError) and error.strerror == "the client was closed"
        assert {end and end.errno for end in machine.ends} == {errno.ECONNABORTED}
        assert link.bell is not None
        assert (link.sock.fileno(), link.bell.fileno()) == (-1, -1)
        link.close()
        assert receive(link, machine.stream("e"))
        with pytest.raises(OSError, match="the client was closed"):
            machine.out = b"late"
            flush(link, machine.stream("f"))

    @pytest.mark.parametrize("held", ["sending", "mutex"])
    def test_closing_waits_for_no_lock(self, ends: Ends, held: str) -> None:
        """As garbage collection may come while this very thread holds it; the next who uses the link closes it."""
        link, machine = threaded(ends)
        with getattr(link, held):
            link.close()
        assert link.sock.fileno() >= 0
        machine.out = b"late"
        with pytest.raises(OSError, match="the client was closed"):
            flush(link, machine.stream("a"))
        assert link.sock.fileno() == -1

    def test_staleness_is_looked_for_where_nobody_reads(self, ends: Ends) -> None:
        link, machine = threaded(ends)
        machine.stream("a")
        ends.peer.send(b"a\n")
        assert link._wait_for_read(LIMIT)
        with link.mutex:
            assert link.turn.join(machine.signals["a"])
        assert not link.is_stale()
        assert machine.news == {"a": []}, "that is for the one who reads"
        with link.mutex:
            link.turn.leave(machine.signals["a"])
        assert not link.is_stale()
        assert machine.news == {"a": [b"a"]}
        assert link.turn.reader is None
        link.close()
        assert link.is_stale()

    def test_who_comes_while_staleness_is_looked_for(self, ends: Ends) -> None:
        """They stand in line, and take over."""
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        machine.stream("a")
        original = machine.receive_data

        def slow(data: bytes) -> None:
            original(data)
            link.mutex.release()
            crew.start("b", lambda: receive(link, machine.stream("b")))
            until(lambda: link.turn.waiting)
            link.mutex.acquire()

        machine.receive_data = slow  # type: ignore[method-assign]
        ends.peer.send(b"a\n")
        assert link._wait_for_read(LIMIT)
        assert not link.is_stale()
        machine.receive_data = original  # type: ignore[method-assign]
        ends.peer.send(b"b\n")
        assert crew.join("b") == [True]
        link.close()

    def test_an_interrupt_in_the_middle_of_sending_ends_the_connection(
        self, ends: Ends, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody knows what has gone; those who wait are told."""
        link, machine = threaded(ends)
        crew = Crew(link, machine)
        crew.read("a")

        def interrupted() -> bytes:
            raise KeyboardInterrupt

        machine.data_to_send = interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            flush(link, machine.stream("b"))
        crew.join("a")
        assert link.sock.fileno() == -1

    def test_no_files_left_for_a_bell(self, ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
        def none() -> Any:
            raise OSError(errno.EMFILE, "too many open files")

        link, machine = threaded(ends)
        monkeypatch.setattr(socket, "socketpair", none)
        ends.peer.send(b"a\n")
        assert receive(link, machine.stream("a"))
        assert link.bell is None
        link.nudge()
        link.close()


def test_a_gate_may_be_opened_twice() -> None:
    """By two threads that had news at once."""
    signal = Signal()
    gate = Gate(signal)
    wake = signal.wake
    assert wake is not None
    wake()
    wake()
    gate.wait(0)


# Tasks


class Tasks:
    """What asyncio and trio have in common here."""

    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        raise NotImplementedError

    async def link(self, sock: socket.socket, machine: Machine) -> Any:
        raise NotImplementedError

    async def pause(self) -> None:
        raise NotImplementedError

    async def together(self, *functions: Callable[[], Awaitable[object]]) -> None:
        raise NotImplementedError

    async def cancelled(self, function: Callable[[], Awaitable[object]]) -> None:
        """Run it for a moment, and cancel it."""
        raise NotImplementedError

    async def receive(self, link: Any, signal: Signal, timeout: float | None = LIMIT) -> bool:
        awaitable = link.receive(signal, timeout)
        if awaitable is not None:
            await awaitable
        return signal.ready

    async def flush(self, link: Any, signal: Signal, timeout: float | None = LIMIT) -> bool:
        effect = Flush(link, signal, timeout)
        awaitable = link.flush(effect)
        if awaitable is not None:
            await awaitable
        return effect.flushed

    async def read(self, ends: Ends, size: int) -> bytes:
        """Have the peer read, while the loop goes on."""
        ends.peer.setblocking(False)
        data = b""
        while len(data) < size:
            try:
                data += ends.peer.recv(min(65536, size - len(data)))
            except BlockingIOError:
                await self.pause()
        return data


class Asyncio(Tasks):
    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        async def limited() -> None:
            async with asyncio.timeout(LIMIT):
                await main()

        asyncio.run(limited())

    async def link(self, sock: socket.socket, machine: Machine) -> AsyncioLink:
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(lambda: AsyncioLink(machine, loop, sock), sock=sock)
        return link

    async def pause(self) -> None:
        await asyncio.sleep(0.001)

    async def together(self, *functions: Callable[[], Awaitable[object]]) -> None:
        await asyncio.gather(*(function() for function in functions))

    async def cancelled(self, function: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.ensure_future(function())
        await asyncio.sleep(0.005)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])


class Trio(Tasks):
    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        async def limited() -> None:
            with trio.fail_after(LIMIT):
                await main()

        trio.run(limited)

    async def link(self, sock: socket.socket, machine: Machine) -> TrioLink:
        await trio.lowlevel.checkpoint()
        return TrioLink(sock, machine)

    async def pause(self) -> None:
        await trio.sleep(0.001)

    async def together(self, *functions: Callable[[], Awaitable[object]]) -> None:
        async with trio.open_nursery() as nursery:
            for function in functions:
                nursery.start_soon(function)

    async def cancelled(self, function: Callable[[], Awaitable[object]]) -> None:
        with trio.move_on_after(0.005) as scope:
            await function()
        assert scope.cancelled_caught


@pytest.fixture(params=[Asyncio, Trio], ids=["asyncio", "trio"])
def tasks(request: pytest.FixtureRequest) -> Tasks:
    made: Tasks = request.param()
    return made


class TestTasks:
    def test_one_reads_for_all(self, tasks: Tasks, ends: Ends) -> None:
        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            order: list[str] = []

            async def wait(name: str) -> None:
                assert await tasks.receive(link, machine.stream(name))
                order.append(name)

            async def talk() -> None:
                for name in ("c", "a", "b"):
                    await tasks.pause()
                    ends.peer.send(name.encode() + b"\n")

            await tasks.together(*(lambda name=name: wait(name) for name in "abc"), talk)  # type: ignore[misc]
            assert order == ["c", "a", "b"]
            link.close()

        tasks.run(main)

    def test_a_reader_that_is_cancelled_or_gives_up(self, tasks: Tasks, ends: Ends) -> None:
        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            had: list[bool] = []

            async def wait() -> None:
                had.append(await tasks.receive(link, machine.stream("b")))

            async def others() -> None:
                ends.peer.send(b"b\n")

            async def first() -> None:
                await tasks.cancelled(lambda: tasks.receive(link, machine.stream("a")))
                with pytest.raises(TimeoutError):
                    await tasks.receive(link, machine.stream("a"), 0.005)
                await others()

            await tasks.together(first, wait)
            assert had == [True]
            link.close()

        tasks.run(main)

    def test_cancelled_with_its_bytes_partly_sent(self, tasks: Tasks, ends: Ends) -> None:
        """Nothing is lost or sent twice: what others have to send stands behind it."""

        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            machine.out = MUCH
            await tasks.cancelled(lambda: tasks.flush(link, machine.stream("a")))
            machine.out = b"and more"
            had: list[bytes] = []

            async def send() -> None:
                while not await tasks.flush(link, machine.stream("b")):
                    pass

            async def listen() -> None:
                had.append(await tasks.read(ends, len(MUCH) + 8))

            await tasks.together(send, listen)
            assert had == [MUCH + b"and more"]
            link.close()

        tasks.run(main)

    def test_many_send_while_one_reads(self, tasks: Tasks, ends: Ends) -> None:
        """Those behind are not held up by the one before, and an early answer is seen."""

        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            done: list[str] = []

            async def read() -> None:
                await tasks.receive(link, machine.stream("a"))
                done.append("a")

            async def send(name: str) -> None:
                signal = machine.stream(name)
                machine.out += MUCH
                while not await tasks.flush(link, signal) and not signal.ready:
                    pass
                done.append(name)

            async def listen() -> None:
                for _ in range(5):
                    await tasks.pause()
                ends.peer.send(b"b413\n")
                while "b" not in done:
                    await tasks.pause()
                assert done == ["b"]
                assert len(await tasks.read(ends, 3 * len(MUCH))) == 3 * len(MUCH)
                while len(done) < 3:
                    await tasks.pause()
                ends.peer.send(b"a\n")

            await tasks.together(read, *(lambda name=name: send(name) for name in "bcd"), listen)  # type: ignore[misc]
            assert sorted(done[1:3]) == ["c", "d"] and done[3] == "a"
            link.close()

        tasks.run(main)

    def test_a_writer_who_never_stops_does_not_keep_others_waiting(self, tasks: Tasks, ends: Ends) -> None:
        """Their flush is over when their bytes have gone, however much stands behind them."""

        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            over, listening = False, True

            async def much() -> None:
                nonlocal listening
                signal = machine.stream("a")
                while not over:
                    machine.out += b"x" * 50_000
                    await tasks.flush(link, signal)
                listening = False

            async def little() -> None:
                nonlocal over
                signal = machine.stream("b")
                for _ in range(3):
                    machine.out += b"small"
                    while not await tasks.flush(link, signal):
                        pass
                    await tasks.pause()
                over = True

            async def listen() -> None:
                while listening:
                    await tasks.pause()
                    with contextlib.suppress(BlockingIOError):
                        ends.peer.recv(65536)

            ends.peer.setblocking(False)

            await tasks.together(much, little, listen)
            link.close()

        tasks.run(main)

    def test_a_peer_that_takes_nothing(self, tasks: Tasks, ends: Ends) -> None:
        """What others write meanwhile is no step forward."""

        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            machine.out = MUCH
            failed: list[str] = []

            async def send(name: str, wait: float) -> None:
                with pytest.raises(TimeoutError):
                    while True:
                        await tasks.flush(link, machine.stream(name), wait)
                        machine.out += b"x" * 70_000
                failed.append(name)

            await tasks.together(lambda: send("a", 0.05), lambda: send("b", 0.03))
            assert sorted(failed) == ["a", "b"]
            link.close()

        tasks.run(main)

    def test_closing_wakes_all(self, tasks: Tasks, ends: Ends) -> None:
        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            errors: list[str | None] = []
            woken: list[bool] = []

            async def read(name: str) -> None:
                woken.append(await tasks.receive(link, machine.stream(name)))

            async def send(signal: Signal) -> None:
                machine.out = MUCH
                with pytest.raises(OSError) as caught:
                    while True:
                        await tasks.flush(link, signal)
                errors.append(caught.value.strerror)

            async def close() -> None:
                for _ in range(5):
                    await tasks.pause()
                link.close()
                link.close()

            await tasks.together(
                lambda: read("a"),
                lambda: read("b"),
                lambda: send(machine.stream("c")),
                lambda: send(Signal()),  # as behind an upgrade
                close,
            )
            assert woken == [True, True]
            assert errors == ["the client was closed"] * 2
            assert link.is_stale()

        tasks.run(main)

    def test_who_may_not_read_waits_for_room_only(self, tasks: Tasks, ends: Ends) -> None:
        async def main() -> None:
            machine = Machine()
            link = await tasks.link(ends.ours, machine)
            machine.wants_data = False
            machine.out = MUCH
            had: list[str] = []

            async def send(part: bytes) -> None:
                machine.out += part
                signal = Signal()
                while not await tasks.flush(link, signal):
                    pass
                had.append("sent")

            async def read() -> None:
                await tasks.pause()
                machine.wants_data = True
                link.nudge()
                await tasks.receive(link, signal)
                had.append("read")

            async def talk() -> None:
                ends.peer.send(b"b\n")
                while not had:
                    await tasks.pause()
                assert had == ["read"]
                assert await tasks.read(ends, len(MUCH) + 2) == MUCH + b"cc"

            signal = machine.stream("b")
            await tasks.together(lambda: send(b"c"), lambda: send(b"c"), read, talk)
            assert had == ["read", "sent", "sent"]
            link.close()

        tasks.run(main)


def test_a_thousand_limits_on_asyncio(ends: Ends) -> None:
    """One who waits has the link's own timer, which is left running; each further one has one of its own."""

    async def main() -> None:
        machine = Machine()
        link = await Asyncio().link(ends.ours, machine)
        late: list[int] = []

        async def wait(number: int, seconds: float) -> None:
            try:
                await link.receive(Signal(), seconds)
            except TimeoutError:
                late.append(number)

        await asyncio.gather(*(wait(number, 0.03 - number * 0.00001) for number in range(1000)))
        assert len(late) == 1000
        assert link._limited is None
        # The timer of an earlier wait fires in the middle of a later one: that goes on.
        tasks = [asyncio.ensure_future(wait(2000, 0.01))]
        await asyncio.sleep(0.001)
        tasks[0].cancel()
        await asyncio.wait(tasks)
        await wait(3000, 0.02)
        assert late[1000:] == [3000]
        link.close()

    asyncio.run(main())


def test_a_signal_that_is_set_together_with_the_end_of_the_time(ends: Ends) -> None:
    """There is nothing to complain of then."""

    async def main() -> None:
        machine = Machine()
        link = await Asyncio().link(ends.ours, machine)
        signal = Signal()

        async def both() -> None:
            await asyncio.sleep(0)
            future = link._limited
            assert future is not None
            future.set_exception(TimeoutError())
            signal.set()

        await asyncio.gather(link.receive(signal, LIMIT), both())
        link.close()

    asyncio.run(main())
