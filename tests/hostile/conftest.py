"""Runs the coroutine functions of this folder in the worlds of the behaviour suite, each on one backend."""

from __future__ import annotations

import pytest

from tests.behaviour.conftest import http, pytest_pyfunc_call
from tests.behaviour.worlds import WORLDS

__all__ = ["http", "pytest_generate_tests", "pytest_pyfunc_call"]

#: One world for each backend of ours.
NAMES = ("blocking", "asyncio", "trio", "simulated")
#: Cuts and delays what the servers send.
ROUGH = "simulated-roughly"
#: What needs no such thing: `test_fragmentation.py` cuts the same tables at each byte.
SMOOTH = {"test_http1_chunks", "test_http1_framing", "test_http1_heads", "test_http2", "test_informational"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test per world of each test that takes `http`, save worlds that lack what the test needs."""
    if "http" in metafunc.fixturenames:
        needed = getattr(metafunc.function, "needs", ())
        names = NAMES if metafunc.module.__name__.rpartition(".")[2] in SMOOTH else (*NAMES, ROUGH)
        worlds = [
            make
            for make in WORLDS
            if make.args[0] in names and all(getattr(make.func, fact) for fact in needed)
        ]
        metafunc.parametrize("http", worlds, ids=[make.args[0] for make in worlds], indirect=True)
