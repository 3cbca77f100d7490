"""Runs the coroutine functions of this folder, each in every world."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Iterator

import pytest

from .world import World
from .worlds import BY_H11, UVLOOP, WORLDS

#: What always runs on uvloop, too: where the loop itself matters, and no more than takes a few seconds. The rest with
#: HTTPURE_UVLOOP=all in the environment.
ON_UVLOOP = {
    "test_bodies",
    "test_connections",
    "test_every_error",
    "test_failures",
    "test_http2",
    "test_journeys",
    "test_large_bodies",
    "test_proxies",
    "test_requests",
    "test_resending",
    "test_timeouts",
}

#: What runs once more with all of HTTP/1.1 sent through h11: what is said, and not when and by whom.
BY_H11_TOO = {"test_bodies", "test_expectations", "test_framing", "test_journeys", "test_requests"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per world of each test that takes `http`, save worlds that lack what the test needs."""
    if "http" in metafunc.fixturenames:
        needed = getattr(metafunc.function, "needs", ())
        name = metafunc.module.__name__.rpartition(".")[2]
        every = [
            *WORLDS,
            *(UVLOOP if name in ON_UVLOOP or os.environ.get("HTTPURE_UVLOOP") == "all" else []),
            *(BY_H11 if name in BY_H11_TOO else []),
        ]
        worlds = [make for make in every if all(getattr(make.func, fact) for fact in needed)]
        metafunc.parametrize("http", worlds, ids=[make.args[0] for make in worlds], indirect=True)


@pytest.fixture
def http(request: pytest.FixtureRequest) -> Iterator[World]:
    """The world that the test runs in."""
    world = request.param()
    yield world
    world.close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function in its world."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    arguments["http"].run(functools.partial(pyfuncitem.obj, **arguments))
    return True
