"""A link over a socket, as far as it is the same on all backends."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from httpure._socket_link import FIRST_READ, LARGEST_READ, SocketLink
from httpure.backends import (
    ThreadLink,
    addresses_of,
    host_bytes,
    in_plain_words,
    open_socket,
    socket_address,
)
from httpure_core.effects import Address, Receive, Resolve
from httpure_core.signals import Signal


class Recorder:
    """A machine that keeps what it is told."""

    def __init__(self) -> None:
        self.received = b""
        self.ends: list[OSError | None] = []
        self.out = b""
        self.wants_data = True

    def receive_data(self, data: bytes) -> None:
        self.received += data

    def receive_eof(self, error: OSError | None = None) -> None:
        self.ends.append(error)

    def data_to_send(self) -> bytes:
        data, self.out = self.out, b""
        return data


@pytest.fixture
def far() -> Iterator[tuple[SocketLink, Recorder, socket.socket]]:
    """A link, its machine, and the other end of its socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listener.getsockname())
    theirs, _ = listener.accept()
    listener.close()
    ours.setblocking(False)
    machine = Recorder()
    link = SocketLink(ours, machine, threading.Lock())
    yield link, machine, theirs
    link.close()
    theirs.close()


Far = tuple[SocketLink, Recorder, socket.socket]


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += sock.recv(size - len(data))
    return data


def test_push(far: Far) -> None:
    link, machine, theirs = far
    assert link.push()
    machine.out = b"hello"
    assert link.push()
    assert theirs.recv(100) == b"hello"


def test_push_more_than_the_kernel_takes(far: Far) -> None:
    """What is left stays in order, in front of what comes later."""
    link, machine, theirs = far
    body = bytes(range(256)) * 65536
    machine.out = body
    assert not link.push()
    left = b"".join(link.unsent)
    assert left and body.endswith(left)
    assert not link.push()
    assert left.endswith(b"".join(link.unsent))  # the kernel may have found some more room
    machine.out = b"and more"
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(receive(theirs, len(body) + 8)))
    reader.start()
    while not link.push():
        pass
    reader.join()
    assert received == [body + b"and more"]
    assert not link.unsent
    assert link.left == link.gone == len(left) + 8


def test_pull(far: Far) -> None:
    link, machine, theirs = far
    assert not link.pull()
    assert machine.received == b""
    theirs.send(b"hello")
    assert link._wait_for_read(5)
    assert link.pull()
    assert machine.received == b"hello"
    theirs.close()
    assert link._wait_for_read(5)
    assert link.pull()
    assert machine.ends == [None]


def test_pull_from_a_connection_that_was_reset(far: Far) -> None:
    link, machine, theirs = far
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    theirs.close()
    assert link._wait_for_read(5)
    assert link.pull()
    (end,) = machine.ends
    assert isinstance(end, ConnectionResetError)


def test_reads_grow_while_they_come_back_full(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    link, machine, _ = far
    asked: list[int] = []

    class Gushing:
        def recv(self, size: int) -> bytes:
            asked.append(size)
            return b"x" * (size if len(asked) != 3 else 10)

    monkeypatch.setattr(link, "sock", Gushing())
    for _ in range(8):
        assert link.pull()
    monkeypatch.undo()
    assert asked[:5] == [FIRST_READ, 2 * FIRST_READ, 4 * FIRST_READ, FIRST_READ, 2 * FIRST_READ]
    assert asked[-1] == LARGEST_READ
    assert len(machine.received) == sum(asked) - asked[2] + 10


class Roomy(Recorder):
    """A machine that receives in place."""

    room: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.place = bytearray(100)
        self.sizes: list[int] = []

    def filled(self, size: int) -> None:
        self.sizes.append(size)


def test_pull_in_place(far: Far) -> None:
    link, _, theirs = far
    link.machine = machine = Roomy()
    machine.room = lambda: memoryview(machine.place)[sum(machine.sizes) :]
    assert not link.pull()
    theirs.send(b"x" * 60 + b"y" * 60)
    assert link._wait_for_read(5)
    assert link.pull()
    assert (machine.sizes, machine.place) == ([100], b"x" * 60 + b"y" * 40)
    machine.room = None
    assert link.pull()
    assert machine.received == b"y" * 20
    machine.sizes.clear()
    machine.room = lambda: memoryview(machine.place)
    theirs.close()
    assert link._wait_for_read(5)
    assert link.pull()
    assert (machine.sizes, machine.ends, link.ended) == ([], [None], True)


def test_a_peer_that_never_pauses_does_not_outrun_the_limit(far: Far) -> None:
    """Whoever gathers a body is not woken by its pieces, and there is always something to read."""
    plain, machine, theirs = far

    class Gushing(ThreadLink):
        def wait(self, *arguments: Any, **more: Any) -> bool:
            theirs.send(b"x")
            return True

    link = Gushing(plain.sock, machine)
    with pytest.raises(TimeoutError):
        link.receive(Receive(link, Signal(), 0.01))
    assert machine.received


def test_staleness(far: Far) -> None:
    link, machine, theirs = far
    assert not link.is_stale()
    theirs.send(b"a session ticket")  # is no end
    assert link._wait_for_read(5)
    assert not link.is_stale()
    assert machine.received == b"a session ticket"
    theirs.close()
    assert link._wait_for_read(5)
    assert link.is_stale()
    assert machine.ends
    link.close()
    assert link.is_stale()
    link.close()


class TestNudging:
    """What is queued goes out now, if that can be done without waiting for anything or anybody."""

    def test_sends(self, far: Far) -> None:
        link, machine, theirs = far
        link.nudge()
        machine.out = b"hello"
        link.nudge()
        assert theirs.recv(100) == b"hello"
        assert not link.sending.locked() and not link.mutex.locked()  # type: ignore[attr-defined]

    @pytest.mark.parametrize("held", ["sending", "mutex"])
    def test_waits_for_no_lock(self, far: Far, held: str) -> None:
        """As garbage collection may come while this very thread holds it."""
        link, machine, theirs = far
        machine.out = b"hello"
        with getattr(link, held):
            link.nudge()
            assert machine.out == b"hello", "it is the next flush's"
        assert link.push()
        assert theirs.recv(100) == b"hello"

    def test_sends_in_order(self, far: Far) -> None:
        link, machine, theirs = far
        body = bytes(range(256)) * 65536
        machine.out = body
        assert not link.push()
        machine.out = b"and more"
        link.nudge()
        assert b"".join(link.unsent).endswith(b"and more")
        received: list[bytes] = []
        reader = threading.Thread(target=lambda: received.append(receive(theirs, len(body) + 8)))
        reader.start()
        while link.unsent:
            link.nudge()
        reader.join()
        assert received == [body + b"and more"]

    def test_raises_nothing(self, far: Far) -> None:
        link, machine, _ = far
        link.sock.close()
        machine.out = b"hello"
        link.nudge()
        link.close()
        machine.out = b"hello"
        link.nudge()
        assert machine.out == b"hello"

    def test_an_interrupt_ends_the_connection(self, far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some of the bytes may have gone, and nobody knows which."""
        link, machine, _ = far

        class Interrupted:
            closed = False

            def send(self, data: bytes) -> int:
                raise KeyboardInterrupt

            def close(self) -> None:
                self.closed = True

        machine.out = b"hello"
        sock = link.sock
        link.sock = interrupted = Interrupted()  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            link.nudge()
        assert (link.closed, interrupted.closed, link.sending.locked()) == (True, True, False)
        sock.close()

    def test_while_another_thread_closes(self, far: Far) -> None:
        """Whoever holds the socket closes it then."""
        link, machine, _ = far
        link = ThreadLink(link.sock, machine)
        machine.out = b"hello"
        machine.data_to_send = lambda: link.close() or b"hello"  # type: ignore[method-assign,func-returns-value]
        link.nudge()
        assert link.sock.fileno() == -1


def test_one_that_talks_without_end_is_not_read_for_ever(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether that was asked for is known to the machine: on HTTP/2 it can be the rest of a download."""
    link, machine, _ = far
    monkeypatch.setattr(link, "_wait_for_read", lambda seconds: True)
    monkeypatch.setattr(SocketLink, "pull", lambda link: machine.receive_data(b"x") is None)
    assert not link.is_stale()
    assert 1 < len(machine.received) < 100


def test_closing_it_ourselves_is_no_error_of_the_peer(far: Far) -> None:
    """Who still waits for it is told who closed it."""
    link, machine, theirs = far
    theirs.send(b"x")
    assert link._wait_for_read(5)
    link.close()
    assert link.pull()
    (end,) = machine.ends
    assert end is not None and end.strerror == "the client was closed"


def test_words_of_the_system() -> None:
    """asyncio and trio put words of their own into errors: the same failure must read the same everywhere."""
    told = in_plain_words(OSError(111, "Connect call failed ('127.0.0.1', 80)"))
    assert (told.errno, told.strerror) == (111, os.strerror(111))
    untold = OSError("no number")
    assert in_plain_words(untold) is untold


def test_sockets_are_closed_when_they_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    original = socket.socket

    def making(*args: Any) -> socket.socket:
        made.append(original(*args))
        return made[-1]  # type: ignore[no-any-return]

    monkeypatch.setattr(socket, "socket", making)
    with pytest.raises(OSError):
        open_socket(Address("127.0.0.1", 80), "203.0.113.1", ())
    with pytest.raises(OSError):
        open_socket(Address("127.0.0.1", 80), None, ((-1, -1, 1),))
    assert [sock.fileno() for sock in made] == [-1, -1]


def test_options_of_a_socket() -> None:
    options = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.SOL_SOCKET, socket.SO_SNDBUF, 8192))
    with open_socket(Address("127.0.0.1", 80), "127.0.0.1", options) as sock:
        assert sock.getblocking() is False
        assert sock.getsockname()[0] == "127.0.0.1"
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.family == socket.AF_INET
    with open_socket(Address("::1", 80, family="ipv6"), None, ()) as sock:
        assert sock.family == socket.AF_INET6
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), "also where nobody asks for it"


def test_the_users_options_win() -> None:
    options = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 0))
    with open_socket(Address("127.0.0.1", 80), None, options) as sock:
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert not sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_unix_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    address = Address(family="unix", path="/tmp/socket")
    assert socket_address(address) == "/tmp/socket"
    if hasattr(socket, "AF_UNIX"):
        with open_socket(address, None, ()) as sock:
            assert sock.family == socket.AF_UNIX
    monkeypatch.delattr(socket, "AF_UNIX", raising=False)
    with pytest.raises(OSError, match="no Unix sockets"):
        open_socket(address, None, ())


def test_addresses() -> None:
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 3)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)),
        (-1, socket.SOCK_STREAM, 6, "", ()),
    ]
    look_up = Resolve("xn--bcher-kva.test", 8080, None)
    assert host_bytes(look_up) == b"xn--bcher-kva.test"
    addresses = addresses_of(found, look_up)
    assert [socket_address(address) for address in addresses] == [
        ("fe80::1", 8080, 0, 3),
        ("127.0.0.1", 8080),
    ]
    zoned = [Address(f"fe80::1%{zone}", 80, family="ipv6") for zone in ("7", socket.if_indextoname(1))]
    assert [socket_address(address) for address in zoned] == [("fe80::1", 80, 0, 7), ("fe80::1", 80, 0, 1)]
    with pytest.raises(OSError, match="there is no network interface 'no-such' here"):
        socket_address(Address("fe80::1%no-such", 80, family="ipv6"))
    with pytest.raises(OSError, match=r"no usable address for xn--bcher-kva\.test"):
        addresses_of(found[2:], look_up)
