"""No real network: on each of the real backends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import trio

import httpure
from httpure import testing
from tests.backends.fresh import fresh
from tests.core.source import BACKEND_MODULES, imports


async def visit(url: str) -> int:
    async with httpure.AsyncClient() as client:
        return (await client.get(url)).status_code


def by_sockets(url: str) -> int:
    with httpure.Client() as client:
        return client.get(url).status_code


def by_asyncio(url: str) -> int:
    return asyncio.run(visit(url))


def by_trio(url: str) -> int:
    return trio.run(visit, url)


each_backend = pytest.mark.parametrize("get", [by_sockets, by_asyncio, by_trio])


@each_backend
@pytest.mark.parametrize("url", ["http://api.test", "http://192.0.2.1", "https://[2001:db8::1]"])
def test_nobody_gets_through(get: Callable[[str], int], url: str) -> None:
    with testing.no_network() as keeper, pytest.raises(testing.NetworkForbidden, match="refuses"):
        try:
            get(url)
        finally:
            refused = list(keeper.refused)
            keeper.refused.clear()
    assert len(refused) == 1


@each_backend
def test_what_is_allowed_gets_through(get: Callable[[str], int], server: str) -> None:
    with testing.no_network(allow=["127.0.0.1"]):
        assert get(server + "/get") == 200
    with testing.no_network(allow=["localhost"]):
        assert get(server.replace("127.0.0.1", "localhost") + "/get") == 200


def test_what_code_has_hushed_up_is_told() -> None:
    with pytest.raises(AssertionError, match=r"asked for.*: api\.test\. What was raised"):
        with testing.no_network():
            with pytest.raises(testing.NetworkForbidden):
                httpure.get("http://api.test")


def test_what_is_raised_is_raised_once() -> None:
    with pytest.raises(testing.NetworkForbidden), testing.no_network():
        httpure.get("http://api.test")


def test_a_world_needs_no_network() -> None:
    with testing.no_network(), testing.world() as world:
        world.serve("http://api.test").answer(200)
        assert httpure.get("http://api.test").status_code == 200


@pytest.mark.slow
def test_what_is_imported_when() -> None:
    kit = "print([name for name in sys.modules if name.startswith(('httpure.testing', 'httpure.simulated'))])"
    loops = "print([name for name in ('trio', 'asyncio') if name in sys.modules])"
    code = f"import sys, httpure; httpure.Client().close(); {kit}; import httpure.testing; {loops}"
    assert fresh(code, development=False).split() == ["[]", "[]"]


def test_nothing_else_imports_the_kit() -> None:
    for module in BACKEND_MODULES:
        if not module.name.startswith("httpure.testing"):
            for each in imports(module):
                assert not each.module.startswith("httpure.testing"), module.path
