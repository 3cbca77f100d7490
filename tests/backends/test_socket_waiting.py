"""Waiting for a socket, with `poll` and with the `select` that stands in for it on Windows."""

from __future__ import annotations

import importlib.util
import select
import socket
import time
from collections.abc import Iterator
from types import ModuleType

import pytest

from httpure import _socket_waiting


@pytest.fixture(params=["poll", "select"])
def waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, as it is here and as it is where there is no `poll`."""
    if request.param == "poll":
        if not hasattr(select, "poll"):
            pytest.skip("this system has no poll")
        return _socket_waiting
    monkeypatch.delattr(select, "poll", raising=False)
    spec = importlib.util.spec_from_file_location("without_poll", _socket_waiting.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def fill(sock: socket.socket) -> None:
    """Write until the kernel takes no more."""
    with pytest.raises(BlockingIOError):
        while True:
            sock.send(b"x" * 65536)


def test_read(waiting: ModuleType, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    wait = waiting.wait_for_read(ours)
    assert not wait(0)
    theirs.send(b"x")
    assert wait(0) and wait(None) and wait(5)
    ours.recv(1)
    assert not wait(0)
    theirs.close()
    assert wait(None)  # the end is something to read, too


def test_write(waiting: ModuleType, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    wait = waiting.wait_for_write(ours)
    assert wait(0) and wait(None)
    fill(ours)
    assert not wait(0)
    theirs.close()
    assert wait(None)  # so that the error is seen


def test_write_or_read(waiting: ModuleType, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    wait = waiting.wait_for_write_or_read(ours)
    assert wait(0)
    fill(ours)
    assert not wait(0)
    theirs.send(b"x")
    assert wait(None)


def test_how_long(waiting: ModuleType, ends: tuple[socket.socket, socket.socket]) -> None:
    """At least as long as was said, be it less than a millisecond, and not much longer."""
    wait = waiting.wait_for_read(ends[0])
    for seconds in (0.0001, 0.02):
        began = time.monotonic()
        assert not wait(seconds)
        assert seconds <= time.monotonic() - began + 0.001 < seconds + 0.5


def test_limits_that_are_beyond_the_system(
    waiting: ModuleType, ends: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = ends
    theirs.send(b"x")
    for seconds in (1e7, 1e10, 1e300):
        assert waiting.wait_for_read(ours)(seconds)


def test_connection_that_is_refused(waiting: ModuleType) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = unused.getsockname()
        with socket.socket() as sock:
            sock.setblocking(False)
            if sock.connect_ex(address) not in (0, 111, 61):  # some systems refuse at once
                assert waiting.wait_for_write(sock)(5)
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
