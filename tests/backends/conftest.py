"""Runs coroutine functions that take `http` on each of the real backends; see `tests/behaviour/world.py`."""

from __future__ import annotations

import functools
import inspect
import ssl
from collections.abc import Iterator

import pytest

from tests.behaviour.world import World
from tests.behaviour.worlds import AsyncioWorld, BlockingWorld, TrioWorld
from tests.peers import RealNetwork
from tests.servers import LocalServer, others

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


@pytest.fixture
def trusting(local_server: LocalServer) -> ssl.SSLContext:
    """A client's context that trusts `local_server`, and all that have its certificate."""
    return local_server.client_context()


@pytest.fixture(scope="session")
def granian(local_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[others.Site]:
    """The test server's application, served by granian."""
    with others.granian(tmp_path_factory.mktemp("granian"), local_server.identity) as site:
        yield site


@pytest.fixture(scope="session")
def nginx(local_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[others.Site]:
    """nginx before the test server."""
    folder = tmp_path_factory.mktemp("nginx")
    with others.nginx(folder, local_server.identity, local_server.url) as site:
        yield site


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function on its backend."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    arguments["http"].run(functools.partial(pyfuncitem.obj, **arguments))
    return True
