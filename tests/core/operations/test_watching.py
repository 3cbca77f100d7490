"""Waiting for a peer that may be gone."""

from __future__ import annotations

from typing import Any

import pytest
from h2.settings import SettingCodes

from httpure_core.effects import Flush, Receive
from httpure_core.errors import ReadError, ReadTimeout, WriteTimeout
from httpure_core.http2.connection import Http2Connection
from httpure_core.models.request import Request
from httpure_core.operations.dial import Dialler
from httpure_core.operations.exchange import exchange
from tests.core.http2.pair import Pair

from .stepping import FakeTLSConfig, run
from .test_exchange_http2 import Http2Wire, Http2World, post


class Watched(Http2World):
    """The server answers PINGs as long as it is there, and to requests after `busy` seconds. Waiting takes time."""

    def __init__(self, busy: float | None = None, there: bool = True, window: int = 65_535) -> None:
        super().__init__(window=window, reads=False, answer=None)
        client = Http2Connection(ping_interval=10)
        self.pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: window}, client=client)
        self.connection = client
        self.wires.clear()
        client.link = Http2Wire(self.pair, self.hear)
        self.wires.append(client.link)
        self.answers_at = busy
        self.there = there
        #: How long it was waited for news, each time.
        self.pauses: list[float | None] = []

    def receive(self, effect: Receive) -> None:
        self.pauses.append(effect.timeout)
        if effect.signal.ready:
            return
        if self.wire.nudges:
            self.wire.nudges = 0
            if self.there:
                self.wire.send()
            else:
                self.connection.data_to_send()
        if self.there and self.wire.incoming:
            self.wire.tell(self.wire.incoming.popleft())
        ends = float("inf") if effect.timeout is None else self.clock.now + effect.timeout
        if self.answers_at is not None and self.answers_at <= ends:
            self.clock.now = self.answers_at
            self.pair.server.send_headers(1, [(":status", "200")], end_stream=True)
            self.wire.tell(self.pair.server.data_to_send())
        if not effect.signal.ready:
            self.clock.now = ends
            raise TimeoutError


def get(world: Watched, **timeouts: float) -> Any:
    return run(world.exchange(Request("GET", "http://example.org/"), **timeouts), world.perform)


def test_an_answer_in_time() -> None:
    world = Watched(busy=3)
    assert get(world).status == 200
    assert world.pauses == [10] and world.clock.now == 3


def test_a_server_that_thinks_for_long() -> None:
    world = Watched(busy=95)
    assert get(world).status == 200
    assert world.clock.now == 95
    assert max(pause for pause in world.pauses if pause) == 10


def test_a_server_that_is_gone() -> None:
    world = Watched(there=False)
    with pytest.raises(
        ReadError, match=r"did not answer a PING within 10 s, GET http://example\.org/"
    ) as caught:
        get(world)
    assert caught.value.unanswered
    assert world.pauses == [10, 10, 10] and world.clock.now == 20, "the last one is over at once"
    assert world.connection.available_streams == 0


def test_the_timeout_of_the_request_comes_first() -> None:
    world = Watched()
    with pytest.raises(ReadTimeout, match="Nothing was received for 25 s"):
        get(world, read=25.0)
    assert world.clock.now == 25
    world = Watched()
    with pytest.raises(ReadTimeout, match=r"within 15 s \(the total timeout\)"):
        get(world, total=15.0)
    assert world.clock.now == 15


def test_while_a_body_waits_for_leave() -> None:
    world = Watched(window=10)
    with pytest.raises(WriteTimeout, match="Nothing could be sent for 30 s"):
        run(world.exchange(post(1000), write=30.0), world.perform)
    assert world.clock.now == 30
    world = Watched(window=10, there=False)
    with pytest.raises(Exception, match="did not answer a PING"):
        run(exchange(world.connection, world.budget(post(1000))), world.perform)
    assert world.clock.now == 20
    assert any(isinstance(effect, Flush) for effect in world.performed)


def test_an_interval_is_positive() -> None:
    with pytest.raises(ValueError, match="http2_ping_interval is 0, but must be positive"):
        Dialler(FakeTLSConfig(), http2_ping_interval=0)
    assert Dialler(FakeTLSConfig(), http2_ping_interval=0.5).http2_ping_interval == 0.5
