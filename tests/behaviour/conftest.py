"""Runs the coroutine functions of this folder, each in every world."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator

import pytest

from .world import World
from .worlds import WORLDS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per world of each test that takes `http`, save worlds that lack what the test needs."""
    if "http" in metafunc.fixturenames:
        needed = getattr(metafunc.function, "needs", ())
        worlds = [make for make in WORLDS if all(getattr(make.func, fact) for fact in needed)]
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
