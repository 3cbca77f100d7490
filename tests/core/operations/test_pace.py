"""How fast a body must come: `Timeout(min_rate=...)`, on a clock that stands still."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.errors import ReadTimeout
from httpure_core.models.request import Request
from httpure_core.operations.body import IncomingBody
from httpure_core.operations.pace import Paced

from .stepping import World, ended

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
#: 10 bytes a second, 50 in a window.
RATE = Timeout(None, read=7.0, min_rate=10, rate_window=5.0)


def incoming(timeout: Timeout | dict[str, Any] = RATE) -> tuple[World, IncomingBody]:
    world = World([HEAD])
    limits = timeout.as_dict() if isinstance(timeout, Timeout) else timeout
    request = Request("GET", "http://example.org/", extensions={"timeout": limits})
    return world, world.run(world.transmitter.transmit(request)).stream.incoming  # type: ignore[union-attr]


class TestStreamed:
    def piece(self, world: World, body: IncomingBody, after: float, size: int) -> float:
        """Wait for a piece that comes after some seconds; return how long the waiting was allowed to take."""
        operation = body.next_piece()
        effect: Any = next(operation)
        world.clock.now += after
        world.wire.tell(b"x" * size)
        assert ended(operation) == b"x" * size
        return effect.timeout  # type: ignore[no-any-return]

    def test_a_window_that_is_not_full_ends_the_body(self) -> None:
        world, body = incoming()
        assert self.piece(world, body, after=2.0, size=20) == 5.0
        assert self.piece(world, body, after=2.0, size=20) == 3.0
        operation = body.next_piece()
        effect: Any = next(operation)
        assert effect.timeout == 1.0
        world.clock.now += 1.0
        with pytest.raises(ReadTimeout) as caught:
            operation.throw(TimeoutError())
        assert str(caught.value) == (
            "The body came too slowly: 40 bytes in 5 s, and at least 10 per second must come (min_rate), "
            "GET http://example.org/; allow less with Timeout(min_rate=...)"
        )
        assert caught.value.request.method == "GET"
        assert caught.value.request_sent is True
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_a_full_one_begins_the_next(self) -> None:
        world, body = incoming()
        for _ in range(3):
            assert self.piece(world, body, after=4.0, size=30) == 5.0
            assert self.piece(world, body, after=0.5, size=20) == 1.0

    def test_the_end_of_the_body_is_in_time(self) -> None:
        world, body = incoming()
        self.piece(world, body, after=1.0, size=995)
        self.piece(world, body, after=4.9, size=5)
        assert body.released

    def test_pauses_of_the_reader_do_not_count(self) -> None:
        world, body = incoming()
        self.piece(world, body, after=3.0, size=10)
        world.clock.now += 100.0
        assert self.piece(world, body, after=1.0, size=10) == 2.0, (
            "nothing waited for him, yet it was he who paused"
        )
        world.wire.tell(b"x" * 5)
        world.clock.now += 100.0
        assert ended(body.next_piece()) == b"x" * 5
        assert self.piece(world, body, after=0.5, size=25) == 1.0, "what waited for him counts"
        assert self.piece(world, body, after=0.5, size=1) == 5.0

    def test_news_that_are_no_bytes_do_not_begin_it_anew(self) -> None:
        world, body = incoming()
        operation = body.next_piece()
        next(operation)
        world.clock.now += 4.0
        effect: Any = next(operation)
        assert effect.timeout == 1.0

    def test_a_late_driver_finds_it_over(self) -> None:
        world, body = incoming()
        self.piece(world, body, after=9.0, size=10)
        operation = body.next_piece()
        effect: Any = next(operation)
        assert effect.timeout == 0.0
        with pytest.raises(ReadTimeout, match="10 bytes in 9 s"):
            operation.throw(TimeoutError())

    def test_a_limit_that_is_over_earlier_says_so(self) -> None:
        world, body = incoming(Timeout(None, read=4.0, min_rate=10, rate_window=5.0))
        operation = body.next_piece()
        effect: Any = next(operation)
        assert effect.timeout == 4.0
        world.clock.now += 4.0
        with pytest.raises(ReadTimeout, match=r"Nothing was received for 4 s \(the read timeout\)"):
            operation.throw(TimeoutError())

    def test_without_other_limits(self) -> None:
        world, body = incoming({"min_rate": 10})
        assert self.piece(world, body, after=1.0, size=1) == 10.0, "the window of who does not say"
        assert self.piece(world, body, after=1.0, size=1) == 9.0

    def test_none_is_none(self) -> None:
        world, body = incoming({"read": 3.0, "min_rate": None})
        assert self.piece(world, body, after=1.0, size=1) == 3.0
        assert body._pace is None


class TestGathered:
    """Nobody is told of the pieces: what has come is looked at when a window is over."""

    def test_windows(self) -> None:
        world, body = incoming()
        operation = body.read_all()
        effect: Any = next(operation)
        for _ in range(3):
            assert effect.timeout == 5.0
            world.clock.now += 3.0
            world.wire.tell(b"x" * 50)
            world.clock.now += 2.0
            effect = operation.throw(TimeoutError())
        world.clock.now += 3.0
        world.wire.tell(b"x" * 49)
        world.clock.now += 2.0
        with pytest.raises(ReadTimeout, match="came too slowly: 49 bytes in 5 s"):
            operation.throw(TimeoutError())
        assert world.wire.closed

    def test_what_was_there_before_counts(self) -> None:
        world, body = incoming()
        world.wire.tell(b"x" * 50)
        operation = body.read_all()
        next(operation)
        world.clock.now += 5.0
        operation.throw(TimeoutError())

    def test_a_silence_is_a_silence(self) -> None:
        world, body = incoming()
        operation = body.read_all()
        effect: Any = next(operation)
        world.wire.tell(b"x" * 60)
        world.clock.now += 5.0
        effect = operation.throw(TimeoutError())
        assert effect.timeout == 2.0
        world.clock.now += 2.0
        with pytest.raises(ReadTimeout, match=r"Nothing was received for 7 s"):
            operation.throw(TimeoutError())

    def test_a_silence_that_was_none_goes_on(self) -> None:
        world, body = incoming(Timeout(None, read=4.0, min_rate=10, rate_window=5.0))
        operation = body.read_all()
        effect: Any = next(operation)
        assert effect.timeout == 4.0
        world.clock.now += 2.0
        world.wire.tell(b"x" * 10)
        world.clock.now += 2.0
        effect = operation.throw(TimeoutError())
        assert effect.timeout == 1.0, "the window is over before the silence is too long"
        world.wire.tell(b"x" * 990)
        assert ended(operation) == b"x" * 1000


def test_nothing_is_made_where_there_is_none() -> None:
    world, body = incoming(Timeout(5.0))
    operation = body.next_piece()
    next(operation)
    world.wire.tell(b"x")
    assert ended(operation) == b"x"
    assert body._pace is None


def test_what_else_is_known_of_the_request_stays() -> None:
    world = World([HEAD])
    request = Request(
        "GET", "http://example.org/", extensions={"timeout": Timeout(5.0, total=30.0, min_rate=10).as_dict()}
    )
    budget = world.budget(request)
    paced = Paced(budget)
    assert (paced.request, paced.clock, paced.ends, paced.sending) == (request, world.clock, 30.0, None)
    world.clock.now = 28.0
    paced.begin()
    assert paced.seconds("read") == 2.0, "of the total"
