"""Several requests on one connection, waiting for others' dials, and going again: all of it stepped by hand."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.content.streams import AsyncIterableStream, ByteStream, IterableStream
from httpure_core.effects import Dial, Flush, Park, Receive, Sleep
from httpure_core.errors import ConnectError, ConnectTimeout, LocalProtocolError, PoolTimeout, ReadError
from httpure_core.models.request import Request
from httpure_core.operations.budget import Budget
from httpure_core.operations.dial import Dialler
from httpure_core.operations.resending import MOST_REFUSALS, Resending, may_resend
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Pool, Ticket

from .stepping import EOF, World, Wrapped, drive, step, whole

SETTINGS = bytes.fromhex("000000040000000000")


def request(method: str = "GET", path: str = "/", **keywords: Any) -> Request:
    return Request(method, f"http://example.org{path}", **keywords)


def limited(**limits: Any) -> Request:
    return request(extensions={"timeout": Timeout(None, **limits).as_dict()})


def world2(**keywords: Any) -> World:
    """A world in which HTTP/2 is spoken without asking."""
    world = World(**keywords)
    world.dialler = Dialler(world.tls, http1=False, http2=True)
    world.transmitter = Transmitter(world.pool, world.dialler, world.clock, Wrapped)
    return world


def until(world: World, operation: Any, kind: type) -> Any:
    """Step an operation until it asks for an effect of this kind."""
    effect = next(operation)
    while not isinstance(effect, kind):
        effect = step(operation, effect, world.perform)
    return effect


def headers(number: int) -> bytes:
    return bytes.fromhex("0000010105") + number.to_bytes(4) + b"\x88"


class TestSharing:
    def test_two_requests_one_connection(self) -> None:
        world = world2()
        first, second = (world.transmitter.transmit(request()) for _ in range(2))
        waiting = until(world, first, Receive)
        also = until(world, second, Receive)
        world.wire.tell(SETTINGS + headers(1) + headers(3))
        assert world.run(first, waiting).status_code == 200
        assert world.run(second, also).extensions["stream_id"] == 3
        assert len(world.wires) == 1

    def test_the_second_waits_for_the_dial_of_the_first(self) -> None:
        world = world2(max_connections=None)
        first = world.transmitter.transmit(limited(connect=7))
        dial = until(world, first, Dial)
        second = world.transmitter.transmit(limited(connect=5, pool=3))
        park = next(second)
        assert isinstance(park, Park)
        assert park.timeout == 5
        effect = step(first, dial, world.perform)
        assert park.signal.ready
        until_flush = next(second)
        assert isinstance(effect, Flush)
        assert isinstance(until_flush, Flush)
        first.close()
        second.close()

    def test_which_takes_too_long(self) -> None:
        world = world2(max_connections=None)
        first = world.transmitter.transmit(request())
        until(world, first, Dial)
        second = world.transmitter.transmit(limited(connect=5))
        next(second)
        with pytest.raises(ConnectTimeout, match="because another request, whose connection this one"):
            second.throw(TimeoutError())
        first.close()
        assert world.pool.statistics == (0, 0, 0)

    def test_after_it_there_may_be_no_place(self) -> None:
        """Then another limit holds."""
        world = World(max_connections=1)
        world.dialler = Dialler(world.tls, http2=True)
        world.transmitter = Transmitter(world.pool, world.dialler, world.clock, Wrapped)
        url = "https://example.org/"
        first = world.transmitter.transmit(Request("GET", url))
        effect = until(world, first, Dial)
        extensions = {"timeout": Timeout(None, connect=5, pool=3).as_dict()}
        second = world.transmitter.transmit(Request("GET", url, extensions=extensions))
        park = next(second)
        assert park.timeout == 5  # type: ignore[attr-defined]
        held = world.run(first, effect)
        assert park.signal.ready  # type: ignore[attr-defined]
        park = next(second)
        assert park.timeout == 3  # type: ignore[attr-defined]
        with pytest.raises(PoolTimeout):
            second.throw(TimeoutError())
        held.stream.incoming.close()  # type: ignore[union-attr]

    def test_which_fails(self) -> None:
        world = world2(max_connections=None)
        first, second, third = (world.transmitter.transmit(request()) for _ in range(3))
        until(world, first, Dial)
        parks = [next(second), next(third)]
        with pytest.raises(ConnectError):
            world.run(first, step_failing(first))
        dials = [until_dial(world, operation) for operation in (second, third)]
        assert len(parks) == len(dials) == 2
        second.close()
        third.close()

    def test_a_lost_race_for_the_last_stream(self) -> None:
        """The server has lowered its limit while the request was on its way to the connection."""
        world = world2()
        first = world.transmitter.transmit(request())
        waiting = until(world, first, Receive)
        machine: Any = world.wire.machine
        opening, machine_class = [], type(machine)

        class Losing(machine_class):  # type: ignore[misc,valid-type]
            __slots__ = ()

            def open_stream(self, *parts: Any) -> Any:
                if not opening:
                    opening.append(parts)
                    refusal = LocalProtocolError("No further stream")
                    refusal.unprocessed = True
                    raise refusal
                return super().open_stream(*parts)

        machine.__class__ = Losing
        second = world.transmitter.transmit(request("POST", content=iter([b"x"])))
        assert isinstance(next(second), Flush)
        assert len(opening) == 1
        first.close()
        second.close()
        assert waiting is not None

    def test_a_connection_without_room_is_left_and_asked_for_again(self) -> None:
        world = world2()
        first = world.transmitter.transmit(request())
        until(world, first, Receive)
        machine: Any = world.wire.machine
        rooms = iter([9, 0, 0])
        machine_class = type(machine)

        class Filling(machine_class):  # type: ignore[misc,valid-type]
            __slots__ = ()
            available_streams = property(lambda self: next(rooms, 0))
            reusable = property(lambda self: self.available_streams > 0)

        machine.__class__ = Filling
        second = world.transmitter.transmit(limited(pool=4))
        park = next(second)
        assert isinstance(park, Park)
        assert park.timeout == 4
        assert world.pool.statistics == (1, 0, 1)
        machine.__class__ = machine_class
        first.close()
        second.close()

    def test_a_stale_one_is_left_to_those_who_use_it(self) -> None:
        world = world2()
        first = world.transmitter.transmit(request())
        until(world, first, Receive)
        wire = world.wire
        wire.stale = True
        second = world.transmitter.transmit(request())
        until(world, second, Flush)
        assert not wire.closed
        assert world.pool.statistics == (1, 0, 0)
        first.close()
        assert wire.closed
        second.close()


def step_failing(operation: Any) -> Any:
    return operation.throw(OSError("refused"))


def until_dial(world: World, operation: Any) -> Any:
    effect = next(operation)
    while not isinstance(effect, Dial):
        effect = step(operation, effect, world.perform)
    return effect


class TestSweeping:
    def test_before_another_connection_is_made(self) -> None:
        world = World(max_connections=None)
        world.get("http://dead.example/")
        world.wires[0].stale = True
        world.get("http://example.org/")
        assert [wire.closed for wire in world.wires] == [True, False]
        assert world.pool.statistics == (1, 1, 0)


LOST = [OSError("reset")]


class TestGoingAgain:
    def world(self, *answers: Any, **keywords: Any) -> World:
        """With an idle connection, which is lost at the next request."""
        world = World(*answers, max_connections=2)
        world.transmitter = Transmitter(world.pool, world.dialler, world.clock, Wrapped, **keywords)
        world.get()
        world.answers.append(LOST)  # type: ignore[arg-type]
        return world

    def test_once_on_a_new_connection(self) -> None:
        world = self.world()
        assert world.get().content == b"hello"
        assert len(world.wires) == 2
        assert world.pool.statistics == (1, 1, 0)

    def test_not_twice(self) -> None:
        world = self.world()
        world.answers.append(LOST)  # type: ignore[arg-type]
        with pytest.raises(ReadError) as caught:
            world.get()
        assert caught.value.unanswered
        assert len(world.wires) == 2
        assert world.pool.statistics == (0, 0, 0)

    def test_not_where_it_is_switched_off(self) -> None:
        world = self.world(resend=False)
        with pytest.raises(ReadError):
            world.get()

    @pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT"])
    def test_not_what_may_not_be_repeated(self, method: str) -> None:
        world = self.world()
        extensions = {"target": b"example.org:80"}
        with pytest.raises(ReadError):
            world.run(whole(world, request(method, extensions=extensions)))

    def test_not_a_body_that_was_begun(self) -> None:
        world = self.world()
        with pytest.raises(ReadError):
            world.run(whole(world, request("PUT", content=iter([b"once"]))))

    def test_a_list_can_be_sent_again(self) -> None:
        world = self.world()
        response = world.run(whole(world, request("PUT", content=[b"any", b"time"])))
        assert response.content == b"hello"

    def test_not_after_a_timeout(self) -> None:
        world = self.world()
        operation = world.transmitter.transmit(request())
        until(world, operation, Receive)
        with pytest.raises(Exception, match="Nothing was received"):
            operation.throw(TimeoutError())

    def test_not_on_a_connection_that_was_made_for_it(self) -> None:
        world = World(LOST)  # type: ignore[arg-type]
        with pytest.raises(ReadError):
            world.get()

    def test_not_when_the_total_is_over(self) -> None:
        world = self.world()
        operation = world.transmitter.transmit(limited(total=5))
        effect = until(world, operation, Receive)
        world.clock.now = 6.0
        with pytest.raises(ReadError):
            world.run(operation, effect)

    def test_the_total_holds_over_all(self) -> None:
        world = self.world()
        operation = world.transmitter.transmit(limited(total=5))
        effect = until(world, operation, Receive)
        world.clock.now = 4.0
        effect = step(operation, effect, world.perform)
        assert effect.timeout == 1.0  # type: ignore[attr-defined]
        operation.close()

    def test_left_in_the_middle_nothing_is_lost(self) -> None:
        for steps in range(12):
            world = self.world()
            operation = whole(world, request())
            if drive(operation, world.perform, steps) is None:
                break
            operation.close()
            statistics = world.pool.statistics
            assert statistics.connections == statistics.idle
        else:
            pytest.fail("it should have ended")

    def test_is_told_to_a_trace_function(self) -> None:
        world = self.world()
        told: list[Any] = []
        asked = request(extensions={"trace": lambda name, info: told.append((name, info))})
        world.run(whole(world, asked))
        ((_, info),) = [event for event in told if event[0] == "connection.resend"]
        assert info["request"] is asked
        assert isinstance(info["exception"], ReadError)


class TestResending:
    def test_at_most_five_goes(self) -> None:
        world = World()
        resending = Resending(Budget(request(), world.clock), True)
        refused = ReadError("refused")
        refused.unprocessed = True
        assert [resending.may(refused, Ticket("a")) for _ in range(5)] == [True, True, True, True, False]

    def test_refusals_of_a_shared_connection_are_no_goes(self) -> None:
        """Others can make it refuse at any moment, again and again; nothing was sent then."""
        world = World()
        resending = Resending(Budget(request(), world.clock), True)
        refused = LocalProtocolError("No further stream")
        refused.unprocessed = True
        ticket = Ticket("a")
        ticket.reused = True
        assert all(resending.may(refused, ticket) for _ in range(MOST_REFUSALS))
        assert not resending.may(refused, ticket)

    def test_of_lost_connections_the_third_is_its_own(self) -> None:
        """The second was made since, and others may have used it: it can have been dying as well."""
        world = World()
        resending = Resending(Budget(request(), world.clock), True)
        lost = ReadError("lost")
        lost.unanswered = True
        ticket = Ticket("a")
        ticket.reused, ticket.seen = True, 7
        newer = [resending.newer_than for _ in range(2) if resending.may(lost, ticket)]
        assert newer[0] == 7
        assert newer[1] > 10**9, "newer than whatever there may be"
        assert not resending.may(lost, ticket)

    def test_of_a_body_that_was_begun(self) -> None:
        world = World()
        asked = request("POST", content=iter([b"once"]))
        ticket = Ticket("a")
        ticket.opened = True
        refused = ReadError("refused")
        refused.unprocessed = True
        assert Resending(Budget(asked, world.clock), True).may(refused, ticket)
        next(iter(asked.stream))  # type: ignore[arg-type]
        assert not Resending(Budget(asked, world.clock), True).may(refused, ticket)

    def test_what_can_be_sent_again(self) -> None:
        class Own:
            """Nothing is known of it."""

        class AsyncOnce:
            def __aiter__(self) -> AsyncOnce:
                return self

            async def __anext__(self) -> bytes:
                raise StopAsyncIteration

        class Awaitable:
            def __init__(self, source: Any) -> None:
                self.source = source

        once, async_once = IterableStream(iter([b"x"])), AsyncIterableStream(AsyncOnce())
        for stream in (ByteStream(b""), IterableStream([b""]), once, async_once, Awaitable(ByteStream(b""))):
            asked = request()
            asked.stream = stream  # type: ignore[assignment]
            assert may_resend(asked)
        assert not once.begun
        next(iter(once))
        aiter(async_once)
        for stream in (once, async_once, Own()):
            asked.stream = stream  # type: ignore[assignment]
            assert not may_resend(asked)


class TestDraining:
    def test_waits_for_all(self) -> None:
        world = World()
        held = world.run(world.transmitter.transmit(request()))
        draining = world.transmitter.drain(5, True)
        park = next(draining)
        assert isinstance(park, Park)
        assert park.timeout == 5
        with pytest.raises(
            RuntimeError, match="The client is about to close, and takes no new requests, GET"
        ):
            world.get()
        held.stream.incoming.close()  # type: ignore[union-attr]
        assert park.signal.ready
        assert world.run(draining, park) is True

    def test_not_for_ever(self) -> None:
        world = World()
        held = world.run(world.transmitter.transmit(request()))
        draining = world.transmitter.drain(5, True)
        next(draining)
        with pytest.raises(StopIteration) as stop:
            draining.throw(TimeoutError())
        assert stop.value.value is False
        held.stream.incoming.close()  # type: ignore[union-attr]

    def test_for_ever_if_that_is_wanted(self) -> None:
        world = World()
        held = world.run(world.transmitter.transmit(request()))
        park = next(world.transmitter.drain(float("inf"), True))
        assert park.timeout is None  # type: ignore[attr-defined]
        held.stream.incoming.close()  # type: ignore[union-attr]

    def test_gives_those_a_moment_who_are_between_two_exchanges(self) -> None:
        world = World()
        held = world.run(world.transmitter.transmit(request()))
        draining = world.transmitter.drain(5, False)
        park = next(draining)
        held.stream.incoming.close()  # type: ignore[union-attr]
        moment = step(draining, park, world.perform)
        assert isinstance(moment, Sleep)
        held = world.run(world.transmitter.transmit(request()))
        world.clock.now = 2.0
        park = next(draining)
        assert isinstance(park, Park)
        assert park.timeout == 3.0
        held.stream.incoming.close()  # type: ignore[union-attr]
        assert isinstance(step(draining, park, world.perform), Sleep)
        with pytest.raises(StopIteration) as stop:
            next(draining)
        assert stop.value.value is True

    def test_nothing(self) -> None:
        world = World()
        world.get()
        assert world.run(world.transmitter.drain(5, True)) is True


def test_a_pool_of_its_own_lock() -> None:
    """The pool is closed and abandoned while somebody parks: they are told, or forgotten."""
    world = World()
    held = world.run(world.transmitter.transmit(request()))
    waiting = world.transmitter.transmit(request())
    next(waiting)
    world.pool.abandon(threading.Lock())
    waiting.close()
    held.stream.incoming.close()  # type: ignore[union-attr]
    assert world.pool.statistics == (0, 0, 0)
    assert isinstance(world.pool, Pool)
    assert world.get().content == b"hello"
    assert EOF == b""
