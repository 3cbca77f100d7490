"""The rest of the response in, and the connection back to the pool."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.contracts import READ_AHEAD
from httpure_core.effects import Receive
from httpure_core.errors import ReadError, ReadTimeout, RemoteProtocolError, StreamClosed, TransportError
from httpure_core.models.request import Request
from httpure_core.operations.body import IncomingBody

from .stepping import ANSWER, EMPTY, EOF, Act, World, drive, each_way, ended, left_at_each_step

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def incoming(*acts: Act, timeout: Timeout | None = None) -> tuple[World, IncomingBody]:
    """The body of a response whose head has arrived."""
    world = World(list(acts) or ANSWER)
    extensions: dict[str, Any] = {} if timeout is None else {"timeout": timeout.as_dict()}
    request = Request("GET", "http://example.org/", extensions=extensions)
    response = world.run(world.transmitter.transmit(request))
    return world, response.stream.incoming  # type: ignore[union-attr]


class TestPieces:
    def test_come_as_they_arrive_and_end_with_nothing(self) -> None:
        world, body = incoming()
        assert [world.run(body.next_piece()) for _ in range(4)] == [b"he", b"llo", b"", b""]

    def test_that_arrived_with_the_head_need_no_effect(self) -> None:
        _, body = incoming(HEAD + b"hel", b"lo")
        assert ended(body.next_piece()) == b"hel"

    def test_that_arrived_together_are_one(self) -> None:
        world, body = incoming(HEAD, b"he")
        operation = body.next_piece()
        next(operation)
        world.wire.tell(b"he")
        world.wire.tell(b"l")
        assert ended(operation) == b"hel"

    def test_wake_ups_without_a_piece_are_slept_through(self) -> None:
        """The middle of a chunk's head is news to the machine, and none to the reader."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        world, body = incoming(head, *[b"%c" % byte for byte in b"2\r\nhi\r\n0\r\n\r\n"])
        assert [world.run(body.next_piece()) for _ in range(3)] == [b"h", b"i", b""]

    def test_the_last_one_gives_the_connection_back(self) -> None:
        world, body = incoming()
        world.run(body.next_piece())
        assert world.pool.statistics == (1, 0, 0)
        world.run(body.next_piece())
        assert world.pool.statistics == (1, 1, 0)

    def test_a_big_one_restarts_the_link(self) -> None:
        size = READ_AHEAD * 2
        world, body = incoming(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, b"x" * READ_AHEAD, b"y" * READ_AHEAD
        )
        assert world.run(body.next_piece()) == b"x" * READ_AHEAD
        assert world.wire.nudges == 1
        assert world.run(body.next_piece()) == b"y" * READ_AHEAD

    def test_a_small_one_does_not(self) -> None:
        world, body = incoming()
        world.run(body.read_all())
        assert world.wire.nudges == 0


class TestWhole:
    def test_is_all_there_is(self) -> None:
        world, body = incoming()
        assert world.run(body.read_all()) == b"hello"
        assert world.pool.statistics == (1, 1, 0)

    def test_needs_no_effect_where_it_came_in_one_go(self) -> None:
        world, body = incoming(HEAD + b"hello")
        assert world.pool.statistics == (1, 1, 0), "the connection is free before anybody reads"
        assert ended(body.read_all()) == b"hello"

    def test_ended_while_nobody_looked(self) -> None:
        """On asyncio the loop feeds the machine by itself."""
        world, body = incoming(HEAD)
        world.wire.tell(b"hello")
        assert ended(body.read_all()) == b"hello"
        body.close()
        assert world.pool.statistics == (1, 1, 0)

    def test_can_be_empty(self) -> None:
        _, body = incoming(*EMPTY)
        assert ended(body.read_all()) == b""

    def test_is_what_is_left_of_it(self) -> None:
        world, body = incoming()
        world.run(body.next_piece())
        assert world.run(body.read_all()) == b"llo"
        assert world.run(body.read_all()) == b""


class TestDraining:
    @pytest.mark.parametrize("size", [5, 100])
    def test_a_short_body_is_read_and_the_connection_kept(self, size: int) -> None:
        world, body = incoming()
        assert world.run(body.drain(size)) == b"hello"
        assert world.pool.statistics == (1, 1, 0)

    @pytest.mark.parametrize("size", [0, 1])
    def test_a_longer_one_is_given_up(self, size: int) -> None:
        world, body = incoming()
        assert world.run(body.drain(size)) == b""
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_one_that_is_said_to_be_longer_is_not_begun(self) -> None:
        world, body = incoming()
        assert ended(body.drain(4)) == b""
        assert world.pool.statistics == (0, 0, 0)

    def test_one_that_is_here_costs_nothing(self) -> None:
        world, body = incoming(HEAD + b"hello")
        assert ended(body.drain(4)) == b""
        assert world.pool.statistics == (1, 1, 0)

    def test_one_that_is_too_long_by_its_last_piece(self) -> None:
        world, body = incoming(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n")
        assert world.run(body.drain(4)) == b""
        assert world.pool.statistics == (1, 1, 0), "it came nevertheless: the connection is as good as ever"


class TestFailures:
    @pytest.mark.parametrize(
        ("act", "kind", "words"),
        [
            (EOF, RemoteProtocolError, "closed the connection before the response's body was whole"),
            (
                OSError(104, "Connection reset by peer"),
                ReadError,
                "The connection was lost: Connection reset by peer",
            ),
        ],
    )
    @pytest.mark.parametrize("read", ["next_piece", "read_all"])
    def test_are_never_a_short_success(
        self, act: Act, kind: type[TransportError], words: str, read: str
    ) -> None:
        world, body = incoming(HEAD, b"he", act)
        if read == "next_piece":
            assert world.run(body.next_piece()) == b"he", "what came is handed out first"
        with pytest.raises(kind) as caught:
            world.run(getattr(body, read)())
        assert words in str(caught.value)
        assert str(caught.value).endswith(", GET http://example.org/")
        assert caught.value.request.method == "GET"
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_broken_chunks(self) -> None:
        world, body = incoming(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\nhi\r\n", b"oops\r\n"
        )
        with pytest.raises(RemoteProtocolError, match="body of the response is not valid"):
            world.run(body.read_all())
        assert world.pool.statistics == (0, 0, 0)

    def test_a_server_that_stops_talking(self) -> None:
        world, body = incoming(HEAD, timeout=Timeout(None, read=7))
        operation = body.next_piece()
        effect = next(operation)
        assert isinstance(effect, Receive)
        assert effect.timeout == 7
        with pytest.raises(ReadTimeout, match="Nothing was received for 7 s"):
            operation.throw(TimeoutError())
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_the_silence_before_a_whole_body_is_counted_from_its_last_bytes(self) -> None:
        """Nobody is woken by a piece of it: a wait that was too short is followed by one for the rest."""
        world, body = incoming(HEAD, timeout=Timeout(None, read=7))
        operation = body.read_all()
        effect: Any = next(operation)
        assert effect.timeout == 7
        world.clock.now = 3.0
        world.wire.tell(b"h")
        world.clock.now = 5.0
        world.wire.tell(b"e")
        assert not effect.signal.ready
        world.clock.now = 7.0
        effect = operation.throw(TimeoutError())
        assert (type(effect), effect.timeout) == (Receive, 5)
        world.clock.now = 12.0
        with pytest.raises(ReadTimeout, match="Nothing was received for 7 s"):
            operation.throw(TimeoutError())
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_a_driver_that_is_late_tells_of_a_silence_that_was_long_enough(self) -> None:
        world, body = incoming(HEAD, timeout=Timeout(None, read=7))
        operation = body.read_all()
        next(operation)
        world.clock.now = 1.0
        world.wire.tell(b"he")
        world.clock.now = 8.0
        with pytest.raises(ReadTimeout, match="Nothing was received for 7 s"):
            operation.throw(TimeoutError())

    def test_a_drip_that_never_pauses_comes_to_its_end(self) -> None:
        world, body = incoming(HEAD, timeout=Timeout(None, read=7))
        operation = body.read_all()
        effect: Any = next(operation)
        for byte in b"hell":
            world.clock.now += 6.0
            world.wire.tell(b"%c" % byte)
            world.clock.now += 1.0
            effect = operation.throw(TimeoutError())
            assert effect.timeout == 6
        world.wire.tell(b"o")
        assert effect.signal.ready
        assert ended(operation) == b"hello"

    def test_a_drip_does_not_outrun_the_total(self) -> None:
        world, body = incoming(HEAD, timeout=Timeout(None, read=7, total=10))
        operation = body.read_all()
        effect: Any = next(operation)
        world.clock.now = 6.0
        world.wire.tell(b"h")
        world.clock.now = 7.0
        effect = operation.throw(TimeoutError())
        assert effect.timeout == 3
        world.clock.now = 9.0
        world.wire.tell(b"e")
        world.clock.now = 10.0
        with pytest.raises(ReadTimeout, match=r"within 10 s \(the total timeout\)"):
            operation.throw(TimeoutError())

    def test_a_link_that_has_stopped_reading_goes_on_for_who_wants_all(self) -> None:
        size = 2 * READ_AHEAD
        world, body = incoming(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, bytes(READ_AHEAD))
        world.wire.tell(bytes(READ_AHEAD))
        assert not world.wire.machine.wants_data
        operation = body.read_all()
        next(operation)
        assert (world.wire.nudges, world.wire.machine.wants_data) == (1, True)
        world.wire.tell(bytes(READ_AHEAD))
        assert ended(operation) == bytes(size)

    def test_a_body_of_which_nobody_can_be_told_the_end_only(self) -> None:
        """As of HTTP/2, whose reader gives the server leave to send more."""
        world, body = incoming()

        class Plain:
            def __getattr__(self, name: str) -> Any:
                if name == "gather":
                    raise AttributeError
                return getattr(stream, name)

        stream = body._stream
        body._stream = Plain()  # type: ignore[assignment]
        assert world.run(body.read_all()) == b"hello"

    def test_a_whole_body_that_is_cut_off(self) -> None:
        world, body = incoming(HEAD, b"he", EOF)
        with pytest.raises(RemoteProtocolError, match="2 of 5 bytes"):
            world.run(body.read_all())
        assert world.pool.statistics == (0, 0, 0)

    def test_the_total_covers_the_last_byte(self) -> None:
        world, body = incoming(HEAD, timeout=Timeout(None, total=10))
        world.clock.now = 8.0
        operation = body.read_all()
        effect: Any = next(operation)
        assert effect.timeout == 2
        world.clock.now = 10.0
        with pytest.raises(ReadTimeout, match=r"within 10 s \(the total timeout\)"):
            operation.throw(TimeoutError())


class TestClosing:
    def test_gives_up_what_has_not_arrived(self) -> None:
        world, body = incoming()
        body.close()
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)
        body.close()
        assert world.pool.statistics == (0, 0, 0)

    def test_ends_what_others_still_read(self) -> None:
        """An iterator over the body can outlive the response's `close()`."""
        world, body = incoming()
        world.run(body.next_piece())
        body.close()
        with pytest.raises(StreamClosed):
            next(body.next_piece())

    def test_after_a_failure_the_failure_stands(self) -> None:
        world, body = incoming(HEAD, EOF)
        for _ in range(2):
            with pytest.raises(RemoteProtocolError):
                world.run(body.next_piece())

    def test_keeps_the_connection_when_all_has_arrived(self) -> None:
        world, body = incoming(HEAD)
        world.wire.tell(b"hello")
        body.close()
        assert not world.wire.closed
        assert world.pool.statistics == (1, 1, 0)

    def test_serves_the_next_in_line(self) -> None:
        world, body = incoming()
        waiting = world.transmitter.transmit(Request("GET", "http://example.org/"))
        drive(waiting, world.perform, 0)
        assert world.pool.statistics == (1, 0, 1)
        body.close()
        assert world.pool.statistics == (1, 0, 0)
        assert world.run(waiting).status_code == 200

    def test_happens_by_itself_when_the_response_is_dropped(self) -> None:
        """A streamed response that nobody closes must not keep its slot."""
        world = World()
        response = world.run(world.transmitter.transmit(Request("GET", "http://example.org/")))
        assert world.pool.statistics == (1, 0, 0)
        cycle: list[Any] = [response]
        cycle.append(cycle)
        del response, cycle
        gc.collect()
        assert world.wire.closed
        world.check()


def test_trailers_are_there_when_all_before_them_was_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    world, body = incoming(head, b"2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n")
    assert body.trailers == []
    world.wire.tell(world.wire.incoming.popleft())  # type: ignore[arg-type]
    assert body.trailers == []
    assert world.run(body.read_all()) == b"hi"
    assert body.trailers == [(b"X-Sum", b"1")]


def test_elapsed_is_measured_to_the_last_byte_or_the_closing() -> None:
    world, body = incoming(HEAD)
    assert (body.started, body.elapsed) == (0.0, None)
    world.clock.now = 3.5
    world.wire.tell(b"hello")
    assert body.elapsed is None
    world.run(body.next_piece())
    assert body.elapsed == 3.5
    world.clock.now = 5.0
    body.close()
    assert body.elapsed == 3.5


@each_way
@pytest.mark.parametrize("read", ["next_piece", "read_all", "drain"])
def test_left_at_each_step_the_slot_is_free(way: str, read: str) -> None:
    def begin(world: World) -> Any:
        response = world.run(world.transmitter.transmit(Request("GET", "http://example.org/")))
        body = response.stream.incoming  # type: ignore[union-attr]
        return body.drain(1000) if read == "drain" else getattr(body, read)()

    for world in left_at_each_step(way, begin):
        world.check()
