"""What cannot be interrupted is done by threads that nobody has to wait for: name look-ups above all."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import trio

import httpure
from httpure import _errand
from httpure._errand import Errand, look_up
from httpure.sockets import Backend
from httpure_core.effects import Resolve
from tests.peers import Answer, RealNetwork, Site


class Resolver:
    """In the place of `getaddrinfo`: names that begin with "hang" take until `release()`."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: bytes | str, port: int, *args: Any, **keywords: Any) -> list[tuple[Any, ...]]:
        name = host.decode() if isinstance(host, bytes) else host
        self.asked.append(name)
        if name.startswith("hang"):
            self.gate.wait(10)
        if name.startswith("unknown"):
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    system = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", system)
    yield system
    system.gate.set()
    ends = time.monotonic() + 5
    while _errand._under_way and time.monotonic() < ends:
        time.sleep(0.001)
    assert not _errand._under_way


@pytest.fixture
def port() -> Iterator[int]:
    network = RealNetwork()
    yield network.listen(Site(lambda call: Answer(200, b"hello")))
    network.close()


def blocking(url: str, **settings: Any) -> str:
    with httpure.Client(**settings) as client:
        return client.get(url).text


async def asynchronous(url: str, **settings: Any) -> str:
    async with httpure.AsyncClient(**settings) as client:
        return (await client.get(url)).text


def on_asyncio(url: str, **settings: Any) -> str:
    return asyncio.run(asynchronous(url, **settings))


def on_trio(url: str, **settings: Any) -> str:
    return trio.run(partial(asynchronous, url, **settings))


each_way = pytest.mark.parametrize("get", [blocking, on_asyncio, on_trio])
Get = Callable[..., str]


@each_way
def test_limits_hold_during_a_look_up(get: Get, resolver: Resolver) -> None:
    began = time.monotonic()
    with pytest.raises(httpure.ConnectTimeout, match=r"looking up the name hang\.test took too long"):
        get("http://hang.test/", timeout=0.05)
    assert time.monotonic() - began < 20, "no event loop waits for the thread when it ends, either"


@each_way
def test_others_are_not_held_up(get: Get, resolver: Resolver, port: int) -> None:
    for _ in range(3):
        with pytest.raises(httpure.ConnectTimeout):
            get("http://hang.test/", timeout=0.01)
    assert get(f"http://fine.test:{port}/") == "hello"
    assert get(f"http://127.0.0.1:{port}/") == "hello"


@each_way
def test_one_thread_for_each_name_that_hangs(get: Get, resolver: Resolver, port: int) -> None:
    """However often it is asked for while it does; who asks late has the answer early."""
    for _ in range(5):
        with pytest.raises(httpure.ConnectTimeout):
            get("http://hang.test/", timeout=0.02)
    assert resolver.asked == ["hang.test"]
    threading.Timer(0.02, resolver.gate.set).start()
    with pytest.raises(httpure.ConnectError, match=r"127\.0\.0\.1:80"):
        get("http://hang.test/", timeout=5)
    assert resolver.asked == ["hang.test"]


@each_way
@pytest.mark.parametrize("timeout", [5.0, None])
def test_what_the_system_says(get: Get, resolver: Resolver, timeout: float | None) -> None:
    for _ in range(2):
        with pytest.raises(httpure.ConnectError) as caught:
            get("http://unknown.test/", timeout=timeout)
        assert "'unknown.test' (Name or service not known)" in str(caught.value)
        assert type(caught.value.__cause__) is socket.gaierror


def test_without_a_limit_there_is_no_thread(monkeypatch: pytest.MonkeyPatch, resolver: Resolver) -> None:
    monkeypatch.setattr(threading, "Thread", None)
    resolve = Resolve("fine.test", 80, None)
    Backend().resolve(resolve)
    assert [str(address) for address in resolve.addresses] == ["127.0.0.1:80"]


def test_an_address_needs_none(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    with httpure.Client() as client:
        monkeypatch.setattr(threading, "Thread", None)
        monkeypatch.setattr(socket, "getaddrinfo", None)
        assert client.get(f"http://127.0.0.1:{port}/").text == "hello"


HANGING = """
import socket, threading, time
socket.getaddrinfo = lambda *args, **keywords: time.sleep(60)
import httpure

def get():
    try:
        httpure.get("http://hang.test/", timeout=0.05)
    except httpure.ConnectTimeout:
        print("timed out")

async def aget():
    async with httpure.AsyncClient(timeout=0.05, {extra}) as client:
        try:
            await client.get("http://hang.test/")
        except httpure.ConnectTimeout:
            print("timed out")

{run}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "extra"),
    [
        ("get()", ""),
        ("import asyncio; asyncio.run(aget())", ""),
        ("import asyncio; asyncio.run(aget())", "resolver=lambda host, port: time.sleep(60)"),
        ("import trio; trio.run(aget)", ""),
        ("import trio; trio.run(aget)", "resolver=lambda host, port: time.sleep(60)"),
    ],
)
def test_the_program_ends_although_a_look_up_hangs(run: str, extra: str) -> None:
    program = HANGING.format(run=run, extra=extra)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=20, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "timed out\n", "")


class TestErrand:
    def test_all_who_join_are_told(self) -> None:
        errand = Errand(lambda: 7)
        before = errand.join()
        assert not before.ready
        errand.run()
        after = errand.join()
        assert before.ready
        assert after.ready
        assert errand.result() == 7

    def test_what_it_raises_is_raised_once_and_keeps_nothing_alive(self) -> None:
        class Mine(Exception):
            pass

        def function() -> None:
            raise Mine

        errand: Errand[None] = Errand(function)
        alive = []
        gc.disable()
        try:
            errand.run()
            try:
                errand.result()
            except Mine as exc:
                alive.append(weakref.ref(exc))
            assert alive[0]() is None
        finally:
            gc.enable()

    def test_where_no_thread_can_be_had_it_is_done_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At the end of the interpreter, and where the system's limit is reached."""

        def start(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        here = []
        errand = Errand(lambda: here.append(threading.current_thread()))
        errand.go("name")
        assert here == [threading.current_thread()]
        assert errand.join().ready

    def test_its_thread_does_not_hold_up_the_end(self) -> None:
        errand = Errand(threading.current_thread)
        errand.go("what it does")
        while not errand.join().ready:
            time.sleep(0.001)
        assert errand.result().daemon
        assert errand.result().name == "what it does"


def test_a_look_up_where_no_thread_can_be_had(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(function: object, arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("httpure._errand.start_new_thread", start)
    found = look_up(b"fine.test", 80)
    assert found.join().ready
    assert found.found()[0][4][1] == 80


def test_errors_of_a_shared_look_up_are_each_its_own(resolver: Resolver) -> None:
    errand = look_up(b"unknown.test", 80)
    while not errand.join().ready:
        time.sleep(0.001)
    errors = []
    for _ in range(2):
        with pytest.raises(socket.gaierror) as caught:
            errand.found()
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert errors[0].args == errors[1].args == (-2, "Name or service not known")
