"""The rest of a request, sent by whoever reads the response."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.content.streams import SyncByteStream
from httpure_core.effects import Close, Effect, Flush, Operation, Pull, Receive
from httpure_core.errors import (
    LocalProtocolError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    WriteError,
    WriteTimeout,
)
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.body import IncomingBody
from httpure_core.operations.closing import or_close
from httpure_core.operations.exchange import exchange
from httpure_core.operations.report import Report, silent
from httpure_core.operations.reported import ReportedBody
from httpure_core.operations.upload import PIECE_SIZE, expects, without_expectation
from httpure_core.pool import Ticket

from .stepping import EOF, Cancelled, World, Wrapped, drive, each_way, ended, left_at_each_step, step, whole
from .test_exchange import Wired

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HI = b"2\r\nhi\r\n"
END = b"0\r\n\r\n"


class Source(SyncByteStream):
    """A body of some pieces, which tells whether it was closed."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces or (b"one", b"two", b"three")
        self.log: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        self.log.append("begun")
        try:
            yield from self.pieces
        finally:
            self.log.append("closed")


class Early(Wired):
    """A world in which the head of the response comes with the first piece of the request's body."""

    def __init__(self, *acts: Any, aloud: bool = False, timeout: Timeout | None = None) -> None:
        super().__init__([])
        self.source = Source()
        fields = {"Host": "example.org", "Transfer-Encoding": "chunked"}
        extensions = {} if timeout is None else {"timeout": timeout.as_dict()}
        self.request = Request(
            "POST", "http://example.org/", headers=fields, stream=self.source, extensions=extensions
        )
        self.acts = list(acts)
        self.events: list[str] = []
        self.aloud = aloud
        self.answered = False

    def flush(self, effect: Flush) -> None:
        super().flush(effect)
        wire = self.wire
        if b"one" in wire.sent and not self.answered:
            self.answered = True
            wire.tell(HEAD)
            wire.incoming += self.acts

    def begin_body(self) -> IncomingBody:
        """Return the body of the response, when its head is there."""
        ticket = Ticket("route")
        self.pool.admit(ticket, 0.0)
        self.pool.dialled(ticket, self.connection, 0.0)
        budget = self.budget(self.request)
        if self.aloud:
            budget.report = Report(lambda name, info: self.events.append(name), silent)
        stream = self.run(exchange(self.connection, budget))
        if budget.report is not None:
            return ReportedBody(stream, self.wire, self.pool, ticket, budget, 0.0, budget.report)
        return IncomingBody(stream, self.wire, self.pool, ticket, budget, 0.0)


SENT = b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"


class TestReading:
    def test_sends_the_rest_first(self) -> None:
        world = Early(HI, END)
        body = world.begin_body()
        assert body.sending is not None
        assert world.wire.sent.endswith(b"3\r\none\r\n")
        assert world.run(body.read_all()) == b"hi"
        assert world.wire.sent.endswith(SENT)
        assert body.sending is None
        assert world.source.log == ["begun", "closed"]
        assert world.pool.statistics == (1, 1, 0)

    def test_hands_out_what_has_come_before_it_sends_more(self) -> None:
        world = Early(HI, END)
        body = world.begin_body()
        world.wire.tell(HI)
        assert ended(body.next_piece()) == b"hi"
        assert world.run(body.next_piece()) == b"hi"

    def test_waits_for_either_where_the_peer_is_slow(self) -> None:
        world = Early()
        body = world.begin_body()
        operation = body.next_piece()
        effect = drive(operation, world.perform, 2)
        assert isinstance(effect, Flush)
        effect.flushed = False
        world.wire.tell(HI)
        assert ended(operation) == b"hi"
        effect = next(again := body.next_piece())
        assert isinstance(effect, Flush), "what was queued is still to go out"
        again.close()

    def test_ends_with_the_response(self) -> None:
        world = Early()
        body = world.begin_body()
        world.wire.tell(HI + END)
        operation = body.next_piece()
        effect = next(operation)
        assert isinstance(effect, Pull) and effect.finished
        world.perform(effect)
        assert ended(operation) == b"hi"
        assert world.source.log == ["begun", "closed"]
        assert world.pool.statistics == (0, 0, 0), "not all of the request was sent"
        assert world.wire.closed

    def test_whole_is_whole(self) -> None:
        world = Early()
        body = world.begin_body()
        world.wire.tell(HI + END)
        assert world.run(body.read_all()) == b"hi"
        assert world.source.log == ["begun", "closed"]

    @pytest.mark.parametrize(("last", "kind"), [(EOF, RemoteProtocolError), (OSError("reset"), ReadError)])
    def test_a_response_that_is_cut_off(self, last: Any, kind: type[Exception]) -> None:
        world = Early()
        body = world.begin_body()
        world.wire.tell(last)
        with pytest.raises(kind):
            world.run(body.next_piece())
        assert world.source.log == ["begun", "closed"]
        assert world.pool.statistics == (0, 0, 0)

    def test_a_write_error_is_none_if_the_response_is_whole(self) -> None:
        world = Early(HI, END)
        body = world.begin_body()
        operation = body.read_all()
        effect = drive(operation, world.perform, 2)
        assert isinstance(effect, Flush)
        effect = operation.throw(BrokenPipeError())
        assert isinstance(effect, Pull) and effect.finished
        assert world.run(operation, effect) == b"hi"
        assert world.pool.statistics == (0, 0, 0)

    def test_the_write_timeout(self) -> None:
        world = Early(timeout=Timeout(None, write=3))
        body = world.begin_body()
        operation = body.next_piece()
        effect = drive(operation, world.perform, 2)
        assert isinstance(effect, Flush) and effect.timeout == 3
        closing = operation.throw(TimeoutError())
        assert isinstance(closing, Pull) and closing.finished
        world.perform(closing)
        with pytest.raises(WriteTimeout, match="Nothing could be sent for 3 s"):
            next(operation)
        assert world.source.log == ["begun", "closed"]

    def test_large_pieces_are_cut(self) -> None:
        world = Early(END)
        world.source.pieces = (b"one", b"y" * (PIECE_SIZE * 2 + 1), b"")
        body = world.begin_body()
        world.performed.clear()
        world.run(body.read_all())
        assert world.wire.sent.count(b"y") == PIECE_SIZE * 2 + 1
        kinds = ["Flush", "Pull", "Flush", "Flush", "Flush", "Pull", "Pull", "Flush", "Receive"]
        assert world.kinds() == kinds


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_memory_that_a_stream_fills_again_is_in_no_link(kind: Any) -> None:
    """Links keep what the kernel has not taken: views of it, where that costs no copy."""

    class Refilled(SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            memory = bytearray(3)
            for piece in (b"one", b"two"):
                memory[:] = piece
                yield kind(memory) if kind is memoryview else memory

    class Slow(Wired):
        def flush(self, effect: Flush) -> None:
            kept.append(effect.link.machine.data_to_send())

    kept: list[bytes | memoryview] = []
    world = Slow([])
    fields = {"Host": "example.org", "Content-Length": "6"}
    request = Request("POST", "http://example.org/", headers=fields, stream=Refilled())
    drive(world.exchange(request), world.perform, 6)
    assert [bytes(data) for data in kept][1:] == [b"one", b"two"]


class TestBadBodies:
    """That the length is another one is found out while the response is read already."""

    @pytest.mark.parametrize("aloud", [False, True])
    @pytest.mark.parametrize(("length", "word"), [("5", "longer"), ("99", "shorter")])
    def test_are_told_with_the_place(self, aloud: bool, length: str, word: str) -> None:
        world = Early(HI, END, aloud=aloud)
        world.request.headers = Headers({"Host": "example.org", "Content-Length": length})
        body = world.begin_body()
        with pytest.raises(LocalProtocolError) as caught:
            world.run(body.read_all())
        text = str(caught.value)
        assert f"body is {word} than its Content-Length says" in text
        assert text.endswith(", POST http://example.org/") and text.count("POST") == 1
        assert (caught.value.request, caught.value.request_sent) == (world.request, True)
        assert world.source.log == ["begun", "closed"]
        assert world.pool.statistics == (0, 0, 0)


class TestClosing:
    def test_by_hand(self) -> None:
        world = Early()
        body = world.begin_body()
        body.close()
        assert world.source.log == ["begun", "closed"]
        assert body.sending is None
        assert world.pool.statistics == (0, 0, 0)

    def test_with_time(self) -> None:
        world = Early()
        body = world.begin_body()
        operation = body.finish()
        effect = next(operation)
        assert isinstance(effect, Pull) and effect.finished
        assert world.pool.statistics == (0, 0, 0), "this does not wait for that"
        world.perform(effect)
        assert ended(operation) is True
        assert ended(body.finish()) is True

    def test_an_error_of_it_is_the_user_s(self) -> None:
        world = Early()
        operation = world.begin_body().finish()
        next(operation)
        with pytest.raises(KeyError):
            operation.throw(KeyError("mine"))

    def test_when_more_comes_than_is_worth_it(self) -> None:
        world = Early(HI, HI)
        body = world.begin_body()
        world.wire.tell(HI)
        assert world.run(body.drain(1)) == b""
        assert world.source.log == ["begun", "closed"]

    def test_by_dropping_it(self) -> None:
        world = Early()
        body: IncomingBody | None = world.begin_body()
        assert body is not None
        body = None
        gc.collect(1)
        assert world.source.log == ["begun", "closed"]

    def test_a_response_is_closed_by_a_driver_then(self) -> None:
        world = Early()
        response = Response(200, stream=Wrapped(world.begin_body()))

        def failing() -> Operation[str]:
            yield Flush(world.wire, Any, None)  # type: ignore[arg-type]
            return ""

        operation = or_close(response, failing())
        next(operation)
        assert isinstance(operation.throw(KeyError()), Close)
        operation.close()


class TestAloud:
    def test_the_end_is_told_when_it_comes(self) -> None:
        world = Early(HI, END, aloud=True)
        body = world.begin_body()
        assert world.run(body.read_all()) == b"hi"
        assert world.events[2:] == [
            "http11.send_request_body.started",
            "http11.receive_response_headers.started",
            "http11.receive_response_headers.complete",
            "http11.receive_response_body.started",
            "http11.send_request_body.complete",
            "http11.receive_response_body.complete",
            "http11.response_closed.started",
            "http11.response_closed.complete",
        ]

    def test_and_so_is_a_failure(self) -> None:
        world = Early(aloud=True)
        world.source.pieces = (b"one", "no bytes")  # type: ignore[assignment]
        body = world.begin_body()
        with pytest.raises(TypeError):
            world.run(body.next_piece())
        assert "http11.send_request_body.failed" in world.events


@each_way
@pytest.mark.parametrize("read", ["next_piece", "read_all", "finish"])
@pytest.mark.parametrize("aloud", [False, True])
def test_left_at_each_step_nothing_is_left(way: str, read: str, aloud: bool) -> None:
    def begin(world: Any) -> Any:
        return getattr(world.begin_body(), read)()

    for world in left_at_each_step(way, begin, lambda: Early(HI, END, aloud=aloud)):
        gc.collect(1)
        assert world.source.log == ["begun", "closed"]  # type: ignore[attr-defined]
        statistics = world.pool.statistics
        assert statistics.connections == statistics.idle and statistics.waiting == 0
        assert not world.wire.mutex.locked()


class TestInforming:
    HINTS = (
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: <b>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    )

    @pytest.mark.parametrize("content", [b"", b"small", "pulled"])
    @pytest.mark.parametrize("at_once", [False, True])
    @pytest.mark.parametrize("aloud", [False, True])
    def test_all_in_order(self, content: Any, at_once: bool, aloud: bool) -> None:
        told: list[tuple[int, str]] = []
        request = Request(
            "POST",
            "http://e.org/",
            content=iter([b"x"]) if content == "pulled" else content,
            extensions={"informational": lambda status, headers: told.append((status, headers["link"]))},
        )
        world = Wired([b"".join(self.HINTS)] if at_once else self.HINTS)
        budget = world.budget(request)
        budget.report = Report(None, silent) if aloud else None
        assert world.run(exchange(world.connection, budget)).status == 200
        assert told == [(103, "<a>"), (103, "<b>")]
        assert world.kinds().count("Call") == 2

    def test_nobody_wants_to_know(self) -> None:
        world = Wired(self.HINTS)
        assert world.run(world.exchange()).status == 200
        assert "Call" not in world.kinds()

    def test_the_last_one_that_switches_is_a_response(self) -> None:
        switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n"
        world = Wired([self.HINTS[0], switched])
        told: list[int] = []
        request = Request(
            "GET",
            "http://e.org/",
            headers={"Connection": "Upgrade", "Upgrade": "a"},
            extensions={"informational": lambda status, headers: told.append(status)},
        )
        assert world.run(world.exchange(request)).status == 101
        assert told == [103]


class TestUnanswered:
    @pytest.mark.parametrize("content", [b"", b"x" * 100_000, "pulled"])
    @pytest.mark.parametrize("came", [b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
    @pytest.mark.parametrize("last", [EOF, OSError("reset")])
    @pytest.mark.parametrize("lost", [False, True])
    def test_is_told_by_the_error(self, content: Any, came: bytes, last: Any, lost: bool) -> None:
        world = Wired([])
        request = Request("POST", "http://e.org/", content=iter([b"x"]) if content == "pulled" else content)
        operation = world.exchange(request)
        effect = next(operation)
        if lost:
            effect = operation.throw(BrokenPipeError(32, "Broken pipe"))
        if came:
            world.wire.tell(came)
        world.wire.incoming.append(last)
        with pytest.raises((ReadError, WriteError, RemoteProtocolError)) as caught:
            world.run(operation, effect)
        assert caught.value.unanswered is not bool(came)

    def test_not_by_a_timeout(self) -> None:
        world = Wired([])
        operation = world.exchange(timeout=Timeout(1))
        drive(operation, world.perform, 1)
        with pytest.raises(ReadTimeout) as caught:
            operation.throw(TimeoutError())
        assert not caught.value.unanswered


class TestExpecting:
    def request(self, content: Any = b"hello", **extensions: Any) -> Request:
        return Request(
            "POST",
            "http://e.org/",
            headers={"Expect": "100-Continue"},
            content=content,
            extensions=extensions,
        )

    @pytest.mark.parametrize("content", [b"hello", b"x" * 100_000, "pulled"])
    def test_the_head_goes_alone(self, content: Any) -> None:
        world = Wired([])
        body = iter([b"one"]) if content == "pulled" else content
        operation = world.exchange(self.request(body, expect_timeout=3))
        effect = drive(operation, world.perform, 1)
        assert isinstance(effect, Receive) and effect.timeout == 3
        assert world.wire.sent.endswith(b"\r\n\r\n")
        world.clock.now = 2.0
        world.wire.tell(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        effect = next(operation)
        assert isinstance(effect, Receive) and effect.timeout == 1
        world.wire.tell(b"HTTP/1.1 100 Continue\r\n\r\n")
        world.wire.incoming.append(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert world.run(operation).status == 200
        assert world.connection.reusable

    @pytest.mark.parametrize("late", [False, True])
    def test_time_runs_out(self, late: bool) -> None:
        world = Wired([])
        operation = world.exchange(self.request())
        drive(operation, world.perform, 1)
        world.clock.now = 1.0
        if late:
            world.wire.tell(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            effect: Effect = next(operation)
        else:
            effect = operation.throw(TimeoutError())
        world.wire.incoming.append(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert world.run(operation, effect).status == 200
        assert world.wire.sent.endswith(b"hello")

    def test_a_final_answer(self) -> None:
        world = Wired([])
        source = Source()
        request = self.request(source)
        operation = world.exchange(request)
        drive(operation, world.perform, 1)
        world.wire.tell(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        assert ended(operation).status == 403
        assert source.log == []
        assert not world.connection.reusable

    def test_a_wrong_time_leaves_nothing(self) -> None:
        world = Wired([])
        with pytest.raises(TypeError, match="expect_timeout"):
            world.run(world.exchange(self.request(expect_timeout="soon")))
        assert not world.connection.reusable

    def test_who_expects(self) -> None:
        assert expects([(b"Host", b"a"), (b"eXpect", b" 100-continue ")])
        assert not expects([(b"Expect", b"200-ok"), (b"Expect", b"100-continue")])
        assert not expects([(b"Accept", b"100-continue")])

    def test_without_it(self) -> None:
        world = Wired([])
        budget = world.budget(self.request())
        again = without_expectation(budget)
        assert again is not None and "expect" not in again.headers and again.content == b"hello"
        used = self.request(iter([b"x"]))
        list(used.stream)  # type: ignore[arg-type]
        assert without_expectation(world.budget(used)) is None
        assert without_expectation(world.budget(Request("GET", "http://a/"))) is None


def test_an_expectation_that_failed_is_dropped() -> None:
    """Once more without it, on another connection, as nobody knows what the server makes of this one."""
    world = World([b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"])
    request = Request("POST", "http://e.org/", headers={"Expect": "100-continue"}, content=b"hello")
    response = world.run(whole(world, request))
    assert response.content == b"hello" and response.request is request
    first, second = world.wires
    assert first.closed and b"Expect" in first.sent and not first.sent.endswith(b"hello")
    assert b"Expect" not in second.sent and second.sent.endswith(b"\r\n\r\nhello")
    world.wires.remove(first)
    world.check()


def test_a_cancelled_closing_is_the_last_word() -> None:
    world = Early()
    operation = world.begin_body().next_piece()
    next(operation)
    closing = operation.throw(Cancelled())
    assert isinstance(closing, Pull) and closing.finished
    with pytest.raises(Cancelled):
        step(operation, closing, world.perform)
    assert world.source.log == ["begun", "closed"]
