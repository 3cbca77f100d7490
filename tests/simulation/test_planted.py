"""Bugs that are planted are caught: some here, and all of them by `python -m tests.simulation.planted`."""

from __future__ import annotations

import pytest

from httpure_core import pool
from httpure_core.http2.table import StreamTable

from .planted import PLANTED, caught, planted
from .world import World

#: Those that are caught soon, of each kind, and what finds them.
_QUICK = {
    "pool: who waits is not woken by what is given back": "waits, and",
    "pool: a dial that was cancelled keeps its place": "in the end",
    "pool: what is evicted is not closed": "the pools know of",
    "pool: one connection more than the limit": "connections",
    "http2: a lost connection ends the body of a response": "instead of",
    "redirects: another origin is told Authorization": "a stranger was told",
}
_SLOWER = (
    "http2: RST_STREAM is not sent for what was given up",
    "http2: DATA goes to another stream",
    "http1: a connection is used again though its body was not read",
    "retries: request_sent is False though it was sent",
    "cookies: another host is told them",
)


@pytest.mark.parametrize("name", _QUICK)
def test_quick_ones(name: str) -> None:
    found = caught(name, count=60)
    assert found is not None
    assert _QUICK[name] in found[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", _SLOWER)
def test_slower_ones(name: str) -> None:
    assert caught(name, count=200) is not None


def test_the_right_code_comes_back() -> None:
    before = {**vars(pool.Pool)}, {**vars(StreamTable)}
    for name in PLANTED:
        with planted(name):
            pass
    assert before == ({**vars(pool.Pool)}, {**vars(StreamTable)})
    World(4).run()
