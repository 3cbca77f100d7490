"""No safe request fails because its server ended the connection that it was sent on."""

from __future__ import annotations

import pytest

from .stale import BACKENDS, run

pytestmark = pytest.mark.slow

versions = pytest.mark.parametrize("version", [1, 2], ids=["http1", "http2"])
backends = pytest.mark.parametrize("backend", BACKENDS)


@versions
@backends
def test_no_safe_request_fails(backend: str, version: int) -> None:
    outcome = run(backend, version, 1000)
    assert outcome.failures == {}
    # There was no lack of opportunities.
    assert all(outcome.ends[way] > 5 for way in ("close", "reset"))


@backends
def test_what_is_not_safe_is_not_sent_again(backend: str) -> None:
    """The server may have done what was asked: nobody but the user can know what is right then."""
    outcome = run(backend, 1, 200, methods=("POST",))
    kinds = {words.partition(":")[0] for words in outcome.failures}
    assert kinds <= {"RemoteProtocolError", "ReadError", "WriteError"}
    assert outcome.failures.total() > 5
