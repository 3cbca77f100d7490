"""Exchanges over HTTP/2: bodies that wait for leave, answers that begin early, credit for what is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.settings import SettingCodes

from httpure_core.config.options import Timeout
from httpure_core.effects import Dial, Flush, Operation, Receive
from httpure_core.errors import ReadTimeout, RemoteProtocolError, WriteTimeout
from httpure_core.http2.connection import Http2Connection
from httpure_core.http2.limits import FIRST_WINDOW
from httpure_core.models.request import Request
from httpure_core.operations.body import IncomingBody
from httpure_core.operations.dial import Dialler
from httpure_core.operations.exchange import SMALL_BODY, exchange
from httpure_core.operations.report import Report, silent
from httpure_core.operations.sending import news
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Ticket
from tests.core.http2.pair import OK, Pair

from .stepping import Stuck, Wire, World, Wrapped, drive, each_way, ended, left_at_each_step

#: Bytes that a reader takes before the first window is opened again.
CREDIT = FIRST_WINDOW // 4
#: Bytes of a WINDOW_UPDATE frame.
UPDATE = 13


class Http2Wire(Wire):
    """A link whose peer is h2's server. `hear` is asked what to do about each of its events."""

    def __init__(self, pair: Pair, hear: Callable[[Any], None]) -> None:
        super().__init__(pair.client, deque())
        self._pair = pair
        self._hear = hear
        #: Whether the kernel takes all, or one byte at a time.
        self.slow = False
        self._unsent = b""

    def send(self) -> None:
        with self.mutex:
            self._unsent += self.machine.data_to_send()
        size = 1 if self.slow else len(self._unsent)
        data, self._unsent = self._unsent[:size], self._unsent[size:]
        for event in self._pair.server.receive_data(data):
            self._pair.events.append(event)
            self._hear(event)
        if answer := self._pair.server.data_to_send():
            self.incoming.append(answer)

    @property
    def flushed(self) -> bool:
        return not self._unsent


class Http2World(World):
    """A world with one connection, which is there already and speaks HTTP/2."""

    def __init__(self, window: int = 65_535, reads: bool = True, answer: bytes | None = b"hello") -> None:
        super().__init__()
        self.pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.connection = self.pair.client
        self.connection.link = Http2Wire(self.pair, self.hear)
        self.wires.append(self.connection.link)
        self.reads = reads
        self.answer = answer
        self.bodies: dict[int, bytes] = {}

    @property
    def wire(self) -> Http2Wire:
        wire = self.wires[0]
        assert isinstance(wire, Http2Wire)
        return wire

    def hear(self, event: Any) -> None:
        server = self.pair.server
        if isinstance(event, RequestReceived):
            self.at_head(event.stream_id)
        elif isinstance(event, DataReceived):
            self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
            if self.reads:
                server.increment_flow_control_window(max(1, event.flow_controlled_length), event.stream_id)
                server.increment_flow_control_window(max(1, event.flow_controlled_length))
        elif isinstance(event, StreamEnded) and self.answer is not None:
            server.send_headers(event.stream_id, OK)
            server.send_data(event.stream_id, self.answer, end_stream=True)

    def at_head(self, number: int) -> None:
        """A request has begun."""

    def flush(self, effect: Flush) -> None:
        self.wire.send()
        effect.flushed = self.wire.flushed

    def exchange(self, request: Request, **timeouts: float) -> Operation[Any]:
        request.extensions["timeout"] = Timeout(None, **timeouts).as_dict() if timeouts else {}
        return exchange(self.connection, self.budget(request))


def post(size: int, pieces: int = 0) -> Request:
    if pieces:
        return Request("POST", "http://example.org/", content=iter([b"x" * (size // pieces)] * pieces))
    return Request("POST", "http://example.org/", content=b"x" * size)


GET = Request("GET", "http://example.org/")


class TestSending:
    def test_a_small_request_is_one_write(self) -> None:
        world = Http2World()
        stream = world.run(world.exchange(GET))
        assert world.kinds() == ["Flush", "Receive"]
        assert (stream.status, stream.take(), stream.ended) == (200, b"hello", True)

    @pytest.mark.parametrize("request_", [post(SMALL_BODY), post(300_000), post(300_000, pieces=3)])
    def test_waits_for_leave(self, request_: Request) -> None:
        world = Http2World(window=10_000)
        world.run(world.exchange(request_))
        sizes = [len(body) for body in world.bodies.values()]
        assert sizes in ([SMALL_BODY], [300_000])
        assert "Receive" in world.kinds()[:-1]
        assert world.connection.reusable

    def test_the_write_timeout_is_for_the_leave(self) -> None:
        world = Http2World(window=10, reads=False)
        operation = world.exchange(post(100), write=3.0)
        effect = drive(operation, world.perform, 1)
        assert isinstance(effect, Receive) and effect.timeout == 3.0
        with pytest.raises(WriteTimeout, match="Nothing could be sent for 3 s"):
            operation.throw(TimeoutError())
        world.pair.pump()
        assert world.pair.resets() == [(1, "CANCEL")]

    def test_each_opening_of_the_window_is_progress(self) -> None:
        world = Http2World(window=10, reads=False)
        operation = world.exchange(post(25), write=3.0)
        effect = drive(operation, world.perform, 1)
        for _ in range(2):
            assert isinstance(effect, Receive) and effect.timeout == 3.0
            world.clock.now += 2.9
            world.pair.server.increment_flow_control_window(10, 1)
            world.wire.incoming.append(world.pair.server.data_to_send())
            world.perform(effect)
            effect = next(operation)
            assert isinstance(effect, Flush)
            world.perform(effect)
            effect = next(operation)
        assert world.bodies == {1: b"x" * 25}
        world.run(operation, effect)

    def test_a_reset_ends_the_sending(self) -> None:
        class Refusing(Http2World):
            def at_head(self, number: int) -> None:
                self.pair.server.reset_stream(number, 7)

        world = Refusing(window=10, reads=False)
        with pytest.raises(RemoteProtocolError, match="REFUSED_STREAM") as caught:
            world.run(world.exchange(post(100)))
        assert caught.value.unprocessed
        assert world.connection.reusable


class TestEarlyAnswers:
    def early(self, status: int, body: bytes, ended: bool) -> Http2World:
        class Early(Http2World):
            def at_head(self, number: int) -> None:
                self.pair.server.send_headers(number, [(b":status", b"%d" % status)])
                self.pair.server.send_data(number, body, end_stream=ended)

        return Early(window=10, answer=None)

    @pytest.mark.parametrize(("status", "ended"), [(413, True), (413, False), (302, False), (200, True)])
    def test_a_refusal_or_a_whole_answer_ends_the_sending(self, status: int, ended: bool) -> None:
        world = self.early(status, b"why", ended)
        stream = world.run(world.exchange(post(1000)))
        assert (stream.status, stream.take()) == (status, b"why")
        assert len(world.bodies.get(1, b"")) < 1000

    def test_a_good_beginning_does_not(self) -> None:
        world = self.early(200, b"go on", ended=False)
        stream = world.run(world.exchange(post(1000)))
        assert (stream.status, stream.take(), stream.ended) == (200, b"go on", False)
        assert len(world.bodies[1]) == 1000

    @pytest.mark.parametrize("status", [200, 413])
    @pytest.mark.parametrize("aloud", [False, True])
    def test_nor_while_it_is_pulled(self, status: int, aloud: bool) -> None:
        """But the rest is sent by whoever reads the response. A trace takes another way through the same sending."""
        world = self.early(status, b"go on", ended=False)
        events: list[str] = []
        budget = world.budget(post(1000, pieces=10))
        if aloud:
            budget.report = Report(lambda name, info: events.append(name), silent)
        stream = world.run(exchange(world.connection, budget))
        assert len(world.bodies.get(1, b"")) == 10
        assert events[-1:] == ["http2.receive_response_headers.complete"] * aloud
        if status == 413:
            assert budget.sending is None
            return
        upload = budget.sending
        assert upload is not None
        assert world.run(upload.go_on()) is True, "there is something to be read first"
        assert stream.take() == b"go on"
        while world.run(upload.go_on()):
            pass
        assert len(world.bodies[1]) == 1000
        assert events[-1:] == ["http2.send_request_body.complete"] * aloud


class TestCredit:
    def reading(self) -> tuple[Http2World, Any]:
        world = Http2World(answer=None)
        stream = world.pair.get()
        world.pair.head(stream)
        world.pair.body(stream, b"x" * CREDIT, ended=False)
        assert len(stream.take()) == CREDIT and stream.flush_due
        return world, stream

    def test_is_flushed_before_waiting_for_more(self) -> None:
        world, stream = self.reading()
        operation = news(stream, world.wire, world.budget(GET))
        effect = next(operation)
        assert isinstance(effect, Flush)
        world.perform(effect)
        assert isinstance(next(operation), Receive)
        assert not stream.flush_due
        assert world.pair.server.local_flow_control_window(1) == CREDIT * 4

    def test_all_of_it(self) -> None:
        world, stream = self.reading()
        world.wire.slow = True
        operation = news(stream, world.wire, world.budget(GET))
        for _ in range(UPDATE):
            effect = next(operation)
            assert isinstance(effect, Flush)
            world.perform(effect)
        assert isinstance(next(operation), Receive)

    def test_news_end_it(self) -> None:
        world, stream = self.reading()
        world.wire.slow = True
        operation = news(stream, world.wire, world.budget(GET))
        world.perform(next(operation))
        world.pair.body(stream, b"y", ended=False)
        effect = next(operation)
        assert isinstance(effect, Receive) and effect.signal.ready

    def test_a_peer_that_takes_nothing(self) -> None:
        world, stream = self.reading()
        request = Request("GET", "http://example.org/", extensions={"timeout": {"read": 2.0}})
        operation = news(stream, world.wire, world.budget(request))
        effect = next(operation)
        assert isinstance(effect, Flush) and effect.timeout == 2.0
        with pytest.raises(ReadTimeout, match="Nothing was received for 2 s"):
            operation.throw(TimeoutError())

    def test_a_connection_that_is_lost(self) -> None:
        world, stream = self.reading()
        operation = news(stream, world.wire, world.budget(GET))
        next(operation)
        effect = operation.throw(ConnectionResetError())
        assert isinstance(effect, Receive), "which will tell"
        assert ended(operation) is stream

    def test_a_body_that_is_read_to_its_end(self) -> None:
        world = Http2World(answer=None)
        stream = world.pair.get()
        world.pair.head(stream)
        ticket = Ticket("route")
        world.pool.admit(ticket, 0.0)
        world.pool.dialled(ticket, world.connection)
        body = IncomingBody(stream, world.wire, world.pool, ticket, world.budget(GET), 0.0)
        left = CREDIT * 10

        def more() -> None:
            nonlocal left
            size = min(left, world.pair.server.local_flow_control_window(1), 16_384)
            if size:
                left -= size
                world.pair.server.send_data(1, b"x" * size, end_stream=not left)
                world.wire.incoming.append(world.pair.server.data_to_send())

        received = 0
        while True:
            operation = body.next_piece()
            try:
                effect = next(operation)
                while True:
                    if isinstance(effect, Receive):
                        more()
                    world.perform(effect)
                    effect = next(operation)
            except StopIteration as stop:
                if not stop.value:
                    break
                received += len(stop.value)
        assert received == CREDIT * 10
        assert world.pool.statistics == (1, 1, 0)


def test_what_the_response_tells_of_it() -> None:
    class Dialled(World):
        def dial(self, effect: Dial) -> None:
            machine = effect.machine
            assert isinstance(machine, Http2Connection)
            world.pair = Pair(client=machine)
            effect.link = Http2Wire(world.pair, world.hear)
            world.wires.append(effect.link)

        flush = Http2World.flush  # type: ignore[assignment]

    world: Any = Dialled()
    world.hear = lambda event: Http2World.hear(world, event)
    world.at_head, world.bodies, world.answer, world.reads = lambda number: None, {}, b"hello", True
    world.dialler = Dialler(world.tls, http1=False, http2=True)
    world.transmitter = Transmitter(world.pool, world.dialler, world.clock, Wrapped)
    response = world.get("http://192.0.2.1/")
    assert response.content == b"hello"
    assert (response.http_version, response.reason_phrase) == ("HTTP/2", "OK")
    assert response.extensions["stream_id"] == 1 and "reason_phrase" not in response.extensions
    assert world.pair.heads()[0][1] == (b":scheme", b"http")


@each_way
@pytest.mark.parametrize("make", [lambda: GET, lambda: post(300), lambda: post(300, pieces=3)])
def test_left_at_each_step_the_stream_is_given_up(way: str, make: Callable[[], Request]) -> None:
    def begin(world: World) -> Operation[Any]:
        assert isinstance(world, Http2World)
        return world.exchange(make())

    for world in left_at_each_step(way, begin, lambda: Http2World(window=10)):
        assert isinstance(world, Http2World)
        assert not world.wire.mutex.locked()
        world.connection.data_to_send()
        assert world.connection._table.streams == {}


def test_the_world_gets_stuck() -> None:
    """An operation that waits for what never comes is found out."""
    world = Http2World(window=10, reads=False)
    with pytest.raises(Stuck):
        world.run(world.exchange(post(100)))


class TestGivingUp:
    """Where the connection stays, the peer is to hear of it now: the link is nudged."""

    def test_a_body(self) -> None:
        world = Http2World(answer=None)
        world.at_head = lambda number: world.pair.server.send_headers(number, OK)  # type: ignore[method-assign]
        stream = world.run(world.exchange(Request("GET", "http://example.org/")))
        budget = world.budget(Request("GET", "http://example.org/"))
        body = IncomingBody(stream, world.wire, world.pool, Ticket("route"), budget, 0.0)
        for _ in range(2):
            body.close()
            assert world.wire.nudges == 1

    def test_nothing(self) -> None:
        world = Http2World()
        stream = world.run(world.exchange(Request("GET", "http://example.org/")))
        budget = world.budget(Request("GET", "http://example.org/"))
        body = IncomingBody(stream, world.wire, world.pool, Ticket("route"), budget, 0.0)
        assert world.run(body.read_all()) == b"hello"
        body.close()
        assert world.wire.nudges == 0

    @pytest.mark.parametrize("aloud", [False, True])
    @each_way
    def test_an_exchange(self, way: str, aloud: bool) -> None:
        def begin(world: Any) -> Operation[Any]:
            request = Request("POST", "http://example.org/", content=iter([b"one", b"two"]))
            budget = world.budget(request)
            if aloud:
                budget.report = Report(None, silent)
            return exchange(world.connection, budget)

        def make() -> Http2World:
            world = Http2World()
            world.wire.nudge = world.connection.data_to_send  # type: ignore[method-assign,assignment]
            return world

        for world in left_at_each_step(way, begin, make):
            assert world.connection.data_to_send() == b"", "nothing is left to be said"  # type: ignore[attr-defined]
