"""Ctrl-C within a step: what nobody can trust any more is closed, and no place is lost."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.errors import LocalProtocolError
from httpure_core.models.request import Request
from httpure_core.operations import transmit
from httpure_core.operations.body import IncomingBody

from .stepping import ANSWER, World


def asked(**extensions: Any) -> Request:
    return Request("GET", "http://example.org/", extensions=extensions)


def interrupt(*args: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize("aloud", [False, True], ids=["silent", "aloud"])
def test_while_a_stream_is_opened(monkeypatch: pytest.MonkeyPatch, aloud: bool) -> None:
    """Perhaps some of the request is queued, and would go out before the next one."""
    world = World(list(ANSWER))
    world.run(world.run(world.transmitter.transmit(asked())).stream.incoming.read_all())
    monkeypatch.setattr(type(world.wire.machine), "open_stream", interrupt)
    extensions = {"trace": lambda name, info: None} if aloud else {}
    with pytest.raises(KeyboardInterrupt):
        world.run(world.transmitter.transmit(asked(**extensions)))
    assert world.wire.closed
    statistics = world.pool.statistics
    assert statistics.connections == statistics.idle


def test_a_request_that_is_refused_closes_nothing() -> None:
    world = World(list(ANSWER))
    world.run(world.run(world.transmitter.transmit(asked())).stream.incoming.read_all())
    with pytest.raises(LocalProtocolError):
        world.run(world.transmitter.transmit(asked(target=b"a b")))
    assert not world.wire.closed
    assert world.pool.statistics == (1, 1, 0)


def test_while_the_response_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody owns the ticket then."""
    world = World(list(ANSWER))
    monkeypatch.setattr(transmit, "IncomingBody", interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.run(world.transmitter.transmit(asked()))
    assert world.pool.statistics == (0, 0, 0)


def test_while_a_body_is_made() -> None:
    body = IncomingBody.__new__(IncomingBody)
    body.__del__()
