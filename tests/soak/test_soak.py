"""A small part of what `python -m tests.soak` does, which is for whoever has changed how requests end."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator

import pytest

from .jobs import BAD, GOOD
from .server import Servers
from .users import BACKENDS, run

REQUESTS = 600
#: Whose clients do again what failed, besides.
RETRYING = ("asyncio", "sockets")


@pytest.fixture(autouse=True)
def no_deadlock() -> Iterator[None]:
    """Nothing waits for ever: rather than the suite, this process ends, and tells where everybody was."""
    faulthandler.dump_traceback_later(180, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_servers_that_fail_in_every_way(backend: str) -> None:
    """Each request gets the answer that is its own, or a documented error, and nothing is left behind."""
    with Servers() as servers:
        report = run(backend, servers.urls, REQUESTS, crowd=50, retries=2 if backend in RETRYING else 0)
    assert report.tally.wrong == []
    assert report.left == []
    assert report.tally.total == REQUESTS
    assert set(report.tally.done) >= {*GOOD, *BAD}, "each kind of job"
    behind_second, behind_last = report.memory[1], report.memory[-1]
    assert behind_last.blocks - behind_second.blocks < 10 * REQUESTS, "memory grows with each request"
