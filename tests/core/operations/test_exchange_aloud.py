"""An exchange, a wait and a dial while somebody listens: the same effects, and the tale of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpure_core.contracts import Log
from httpure_core.effects import Call, Operation, Park
from httpure_core.errors import LocalProtocolError, ReadError, WriteError
from httpure_core.http1.connection import Http1Connection
from httpure_core.http1.stream import Http1Stream
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.operations.exchange import exchange
from httpure_core.operations.report import Report, silent
from httpure_core.operations.reported import ReportedBody
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Ticket

from .stepping import ANSWER, EOF, Wire, World, Wrapped, each_way, left_at_each_step
from .test_exchange import REQUESTS, each_request, upload
from .test_report import Book, Told
from .test_reported import CLOSED, RECEIVED

SENT = [
    "http11.send_request_headers.started",
    "http11.send_request_headers.complete",
    "http11.send_request_body.started",
    "http11.send_request_body.complete",
]
ANSWERED = ["http11.receive_response_headers.started", "http11.receive_response_headers.complete"]
DIALLED = ["connection.connect_tcp.started", "connection.connect_tcp.complete"]
TOO_LARGE = [b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"]


def traced(request: Request, told: Callable[..., Any]) -> Request:
    request.extensions["trace"] = told
    return request


def transmit(world: World, request: Request) -> Any:
    return world.run(world.transmitter.transmit(request))


class Logging(World):
    """A world whose transmitter writes to logs of these names."""

    def __init__(self, *names: str, http2: bool = False) -> None:
        super().__init__()
        self.book = Book(*names)
        self.dialler.http2 = http2
        self.transmitter = Transmitter(self.pool, self.dialler, self.clock, Wrapped, logs=self.book)


@each_request
def test_is_told_of(request_: Callable[[], Request]) -> None:
    world, told = World(), Told()
    request = traced(request_(), told)
    transmit(world, request)
    assert told.events == DIALLED + SENT + ANSWERED
    assert told.infos[2]["request"] is request
    assert told.infos[-1] == {
        "return_value": (b"HTTP/1.1", 200, b"OK", [(b"Content-Length", b"5")]),
    }


@each_request
def test_sends_the_same_bytes(request_: Callable[[], Request]) -> None:
    silent, aloud = World(), World()
    transmit(silent, request_())
    transmit(aloud, traced(request_(), Told()))
    assert aloud.wire.sent == silent.wire.sent


def test_a_connection_that_is_used_again_is_not_dialled() -> None:
    world, told = World(), Told()
    world.get()
    transmit(world, traced(Request("GET", "http://example.org/"), told))
    assert told.events == SENT + ANSWERED


def test_a_request_that_cannot_be_sent() -> None:
    world, told = World(), Told()
    request = traced(Request("GET", "http://example.org/", extensions={"target": b"a b"}), told)
    with pytest.raises(LocalProtocolError):
        transmit(world, request)
    assert told.events == DIALLED, "it was not even begun"
    request = traced(Request("GET", "http://example.org/"), told)
    request.headers = Headers([(b"Host", b"a"), (b"Host", b"b")])
    with pytest.raises(LocalProtocolError) as caught:
        transmit(world, request)
    assert told.events[-1] == "http11.send_request_headers.failed"
    assert isinstance(told.infos[-1]["exception"], LocalProtocolError)
    assert "GET http://example.org/" in str(caught.value)
    world.check()


def test_a_body_that_fails() -> None:
    def failing() -> Any:
        yield b"a"
        raise KeyError("of the body")

    world, told = World(), Told()
    with pytest.raises(KeyError, match="of the body"):
        transmit(world, traced(upload(failing()), told))
    assert told.events[-1] == "http11.send_request_body.failed"
    world.check()


@pytest.mark.parametrize("name", ["large body", "pulled body"])
def test_an_answer_before_the_body(name: str) -> None:
    world, told = World(), Told()
    request = traced(REQUESTS[name](), told)
    operation = world.transmitter.transmit(request)
    effect = next(operation)
    while not (isinstance(effect, Call) and effect.arguments[0] == SENT[1]):
        world.perform(effect)
        effect = next(operation)
    world.wire.tell(TOO_LARGE[0])
    response = world.run(operation, effect)
    assert response.status_code == 413
    assert told.events == DIALLED + SENT + ANSWERED
    assert world.wire.sent.endswith(b"\r\n\r\n"), "nothing of the body"


def test_a_head_that_fails() -> None:
    world, told = World([OSError(104, "reset")]), Told()
    with pytest.raises(ReadError) as caught:
        transmit(world, traced(Request("GET", "http://example.org/"), told))
    assert told.events[-1] == "http11.receive_response_headers.failed"
    assert told.infos[-1]["exception"] is caught.value
    world.check()


def test_a_server_that_hangs_up_without_an_answer() -> None:
    world, told = World(), Told()
    operation = world.transmitter.transmit(traced(Request("GET", "http://example.org/"), told))
    effect = next(operation)
    while type(effect).__name__ != "Flush":
        world.perform(effect)
        effect = next(operation)
    effect = operation.throw(BrokenPipeError(32, "Broken pipe"))
    world.wire.tell(EOF)
    with pytest.raises(WriteError, match="Broken pipe"):
        world.run(operation, effect)
    assert told.events[-1] == "http11.receive_response_headers.failed"


@pytest.mark.parametrize("event", DIALLED + SENT + ANSWERED)
@pytest.mark.parametrize("name", REQUESTS)
def test_what_the_trace_function_raises_goes_to_the_user_and_leaks_nothing(event: str, name: str) -> None:
    world = World()
    with pytest.raises(KeyError, match="of the trace function"):
        transmit(world, traced(REQUESTS[name](), Told(raises=event)))
    world.check()


@each_way
@pytest.mark.parametrize("name", ["GET", "pulled body"])
def test_left_at_each_step_the_pool_is_whole(way: str, name: str) -> None:
    def begin(world: World) -> Operation[Any]:
        return world.transmitter.transmit(traced(REQUESTS[name](), lambda event, info: None))

    for world in left_at_each_step(way, begin):
        world.check()


class TestHttp2:
    """Who acts is called by the version of HTTP, and the number of the stream is known, too."""

    def test_tells_the_same_by_another_name(self) -> None:
        class Stream(Http1Stream):
            __slots__ = ()
            stream_id = 7

        class Connection(Http1Connection):
            multiplexed = True

            def open_stream(self, *parts: Any) -> Http1Stream:
                stream = super().open_stream(*parts)
                stream.__class__ = Stream
                return stream

        world, told = World(), Told()
        connection = Connection()
        connection.link = Wire(connection, world.answers)
        request = Request("GET", "http://example.org/")
        budget = world.budget(request)
        budget.report = report = Report(told, silent)
        stream = world.run(exchange(connection, budget))
        ticket = Ticket("route")
        body = ReportedBody(stream, connection.link, world.pool, ticket, budget, 0.0, report)
        assert world.run(body.read_all()) == b"hello"
        names = SENT + ANSWERED + RECEIVED + CLOSED
        assert told.events == [name.replace("http11", "http2") for name in names]
        known = {"request": request, "stream_id": 7}
        started = [
            info for name, info in zip(told.events, told.infos, strict=True) if name.endswith("started")
        ]
        assert started == [{"request": request}, known, known, known, known]
        assert told.infos[5] == {"return_value": (200, [(b"Content-Length", b"5")])}


class TestWaiting:
    def test_is_told_of(self) -> None:
        world, told = World(ANSWER), Told()
        held = transmit(world, Request("GET", "http://example.org/"))
        operation = world.transmitter.transmit(traced(Request("GET", "http://example.org/"), told))
        effect = next(operation)
        world.perform(effect)
        effect = next(operation)
        assert isinstance(effect, Park)
        assert told.events == ["pool.wait.started"]
        held.stream.incoming.close()
        world.run(operation, effect)
        assert told.events[:2] == ["pool.wait.started", "pool.wait.complete"]


class TestLogs:
    def test_of_exchanges(self) -> None:
        world = Logging("http11")
        world.get()
        assert [line.split()[1] for line in world.book.lines] == [
            *(event.removeprefix("http11.") for event in SENT + ANSWERED),
            "receive_response_body.started",
            "receive_response_body.complete",
            "response_closed.started",
            "response_closed.complete",
        ]
        assert world.book.lines[5] == (
            "http11: receive_response_headers.complete "
            "return_value=(b'HTTP/1.1', 200, b'OK', [(b'Content-Length', b'5')])"
        )
        assert "Call" not in world.kinds()

    def test_of_connections_alone(self) -> None:
        world = Logging("connection")
        world.get()
        world.get()
        assert [line.split()[:2] for line in world.book.lines] == [
            ["connection:", "connect_tcp.started"],
            ["connection:", "connect_tcp.complete"],
        ]

    def test_of_the_pool_alone(self) -> None:
        world = Logging("pool")
        held = transmit(world, Request("GET", "http://example.org/"))
        waiting = world.transmitter.transmit(Request("GET", "http://example.org/"))
        effect = next(waiting)
        assert world.book.lines == ["pool: wait.started request=<Request('GET', 'http://example.org/')>"]
        held.stream.incoming.close()
        world.run(waiting, effect)
        assert world.book.lines[1:] == ["pool: wait.complete"]

    @pytest.mark.parametrize("http2", [True, False])
    def test_of_http2_alone_are_asked_for_where_it_may_be_spoken(self, http2: bool) -> None:
        asked: list[str] = []

        def logs(name: str) -> Log:
            class Asked:
                def enabled(self, level: int) -> bool:
                    asked.append(name)
                    return False

                def record(self, level: int, text: str, *arguments: object) -> None:
                    raise AssertionError("it is off")

            return Asked()

        world = Logging(http2=http2)
        world.transmitter = Transmitter(world.pool, world.dialler, world.clock, Wrapped, logs=logs)
        world.get()
        asked.clear()
        world.get()
        assert asked == (["http11", "http2"] if http2 else ["http11"])
