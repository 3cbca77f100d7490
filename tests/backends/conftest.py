"""Runs coroutine functions that take `http` on each of the real backends; see `tests/behaviour/world.py`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator

import pytest

from tests.behaviour.world import World
from tests.behaviour.worlds import AsyncioWorld, BlockingWorld, TrioWorld
from tests.peers import RealNetwork

BACKENDS = {"sockets": BlockingWorld, "asyncio": AsyncioWorld, "trio": TrioWorld}


@pytest.fixture(params=BACKENDS)
def http(request: pytest.FixtureRequest) -> Iterator[World]:
    """A real backend, and servers for it."""
    world = BACKENDS[request.param](request.param)
    yield world
    world.close()


@pytest.fixture
def network() -> Iterator[RealNetwork]:
    """Servers, for tests that choose the client themselves."""
    with RealNetwork() as running:
        yield running


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function on its backend."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    arguments["http"].run(functools.partial(pyfuncitem.obj, **arguments))
    return True
