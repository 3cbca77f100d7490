"""Write a test once as a coroutine, run it on every event loop."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

__all__ = ["LOOPS", "on_each_loop", "run"]

#: The event loops; each is also the name of the package `httpure.NAME`.
LOOPS = ("asyncio", "trio")


def run(backend_name: str, coroutine_function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """Run `coroutine_function(*args)` to its end in a new event loop of that kind, and return its result."""
    if backend_name == "trio":
        return trio.run(coroutine_function, *args)
    return asyncio.run(coroutine_function(*args))  # type: ignore[arg-type]


def on_each_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make one test per event loop of a coroutine function; its first parameter is the package to use.

        @on_each_loop
        async def test_get(http, server):
            assert (await http.get(server)).status_code == 200

    The other parameters are fixtures, as in any test.
    """

    def each(backend: str, **fixtures: Any) -> None:
        http = importlib.import_module(f"httpure.{backend}")
        run(backend, functools.partial(test, http, **fixtures))

    own = list(inspect.signature(test).parameters.values())[1:]
    first = inspect.Parameter("backend", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    each.__signature__ = inspect.Signature([first, *own])  # type: ignore[attr-defined]
    each.__name__, each.__doc__, each.__module__ = test.__name__, test.__doc__, test.__module__
    each.__dict__.update(test.__dict__)  # marks that stand below this decorator
    return pytest.mark.parametrize("backend", LOOPS)(each)
