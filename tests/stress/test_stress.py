"""A small part of what `python -m tests.stress` does, which is for whoever has changed something there."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator

import pytest

from . import crowds
from .peer import Server

REQUESTS = 1500


@pytest.fixture(autouse=True)
def no_deadlock() -> Iterator[None]:
    """Nothing waits for ever: rather than the suite, this process ends, and tells where everybody was."""
    faulthandler.dump_traceback_later(120, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("streams", "tls"), [(1000, False), (20, True)], ids=["all at once", "few at a time, with TLS"]
)
@pytest.mark.parametrize("backend", crowds.CROWDS)
def test_one_connection_and_many_users(backend: str, streams: int, tls: bool) -> None:
    """Each gets the answer that is theirs or an error that may be, and nothing is left behind."""
    with Server(streams, tls) as server:
        report = crowds.run(backend, server.url, REQUESTS, seed=streams)
    assert report.tally.wrong == []
    assert report.left == []
    assert report.tally.total == REQUESTS
    assert len(report.tally.done) == 11, "each kind of job"
    behind_first, *_, behind_last = report.memory
    assert behind_last.blocks - behind_first.blocks < 10 * REQUESTS, "memory grows with each request"
