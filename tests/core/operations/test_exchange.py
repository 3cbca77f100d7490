"""One request out, the head of its response in."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.content.streams import SyncByteStream
from httpure_core.effects import Flush, Operation, Pull, Receive
from httpure_core.errors import (
    LocalProtocolError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    WriteError,
    WriteTimeout,
)
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.layers import BrokenTLS
from httpure_core.models.request import Request
from httpure_core.operations.budget import Budget
from httpure_core.operations.exchange import SMALL_BODY, exchange
from httpure_core.operations.sending import news
from httpure_core.operations.upload import PIECE_SIZE
from httpure_core.signals import Signal

from .stepping import (
    EMPTY,
    EOF,
    Cancelled,
    Clock,
    Wire,
    World,
    drive,
    each_way,
    ended,
    left_at_each_step,
    step,
)

TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"


def upload(pieces: Iterable[bytes] = (b"one ", b"two"), **keywords: Any) -> Request:
    """A request whose body is pulled from the caller's iterable."""
    return Request("POST", "http://example.org/", content=iter(pieces), **keywords)


def large(size: int = PIECE_SIZE * 2 + 10) -> Request:
    return Request(
        "POST", "http://example.org/", content=bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    )


def streaming(stream: SyncByteStream) -> Request:
    fields = {"Host": "example.org", "Transfer-Encoding": "chunked"}
    return Request("POST", "http://example.org/", headers=fields, stream=stream)


REQUESTS = {
    "GET": lambda: Request("GET", "http://example.org/"),
    "small body": lambda: Request("POST", "http://example.org/", content=b"hello"),
    "large body": large,
    "pulled body": upload,
}

each_request = pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)


class Wired(World):
    """A world with one connection, which is there already."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.connection = Http1Connection()
        self.connection.link = Wire(self.connection, self.answers)
        self.wires.append(self.connection.link)

    def exchange(self, request: Request | None = None, timeout: Timeout | None = None) -> Operation[Any]:
        request = request or Request("GET", "http://example.org/")
        if timeout is not None:
            request.extensions["timeout"] = timeout.as_dict()
        return exchange(self.connection, self.budget(request))


class TestSending:
    def test_a_small_request_is_one_write(self) -> None:
        world = Wired()
        stream = world.run(world.exchange(Request("POST", "http://example.org/a?b", content=b"hello")))
        assert world.kinds() == ["Flush", "Receive"]
        assert world.wire.sent == (
            b"POST /a?b HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello"
        )
        assert stream.status == 200

    @pytest.mark.parametrize("size", [SMALL_BODY, SMALL_BODY + 1, PIECE_SIZE, PIECE_SIZE + 1, PIECE_SIZE * 2])
    def test_a_body_in_memory_goes_out_in_pieces(self, size: int) -> None:
        world = Wired()
        request = large(size)
        world.run(world.exchange(request))
        assert world.wire.sent.partition(b"\r\n\r\n")[2] == request.content
        pieces = 1 if size <= SMALL_BODY else -(-size // PIECE_SIZE) + 1
        assert world.kinds() == ["Flush"] * pieces + ["Receive"]

    def test_a_body_is_pulled_piece_by_piece(self) -> None:
        world = Wired()
        world.run(world.exchange(upload([b"one ", b"two"])))
        assert world.kinds() == ["Flush", "Pull", "Flush", "Pull", "Flush", "Pull", "Flush", "Receive"]
        assert world.wire.sent.endswith(b"\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")

    @pytest.mark.parametrize("where", ["content", "files"])
    def test_the_head_goes_out_with_the_beginning_of_a_file(self, where: str) -> None:
        world = Wired()
        keywords: Any = {where: io.BytesIO(b"hello") if where == "content" else {"f": io.BytesIO(b"hello")}}
        world.run(world.exchange(Request("POST", "http://example.org/", **keywords)))
        assert world.kinds()[:3] == ["Pull", "Flush", "Pull"]
        assert b"hello" in world.wire.sent

    def test_looks_for_an_answer_now_and_then(self) -> None:
        world = Wired()
        looks: list[float] = []
        wire: Any = world.connection.link
        wire.is_stale = lambda: looks.append(world.clock.now)

        def pieces() -> Iterator[bytes]:
            for _ in range(30):
                yield b"x"
                world.clock.now += 0.0004

        world.run(world.exchange(upload(pieces())))
        assert len(looks) == 10

    def test_an_empty_piece_is_not_the_end(self) -> None:
        class Gaps(SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield from (b"", b"a", b"", b"b")

        world = Wired()
        world.run(world.exchange(streaming(Gaps())))
        assert world.wire.sent.endswith(b"\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")

    def test_a_declared_length_is_kept_to(self) -> None:
        world = Wired()
        world.run(world.exchange(upload([b"he", b"llo"], headers={"Content-Length": "5"})))
        assert world.wire.sent.endswith(b"Content-Length: 5\r\n\r\nhello")

    def test_the_target_can_be_another(self) -> None:
        world = Wired()
        world.run(world.exchange(Request("OPTIONS", "http://example.org/a", extensions={"target": b"*"})))
        assert world.wire.sent.startswith(b"OPTIONS * HTTP/1.1\r\n")

    @pytest.mark.parametrize("target", [b"", b"/a b", b"/a\r\nX: y", b"/\xe9", b"/\x00", b"/\x7f"])
    def test_a_target_that_breaks_the_line_is_refused_and_not_shown(self, target: bytes) -> None:
        world = Wired()
        with pytest.raises(LocalProtocolError) as caught:
            world.run(world.exchange(Request("GET", "http://example.org/a", extensions={"target": target})))
        assert str(caught.value) == (
            "The extension 'target' is empty, or has other bytes than visible ASCII (RFC 9112 section 3.2), "
            "GET http://example.org/a"
        )
        assert world.wire.sent == b""
        assert world.connection.reusable

    def test_a_target_is_bytes(self) -> None:
        world = Wired()
        with pytest.raises(TypeError, match=r"The extension 'target' is bytes, such as b'\*', not str\."):
            world.run(world.exchange(Request("GET", "http://example.org/a", extensions={"target": "*"})))

    def test_connect_says_where_to(self) -> None:
        world = Wired([b"HTTP/1.1 200 OK\r\n\r\n"])
        target = {"target": b"example.com:443"}
        stream = world.run(world.exchange(Request("CONNECT", "http://example.org/", extensions=target)))
        assert world.wire.sent.startswith(b"CONNECT example.com:443 HTTP/1.1\r\n")
        assert stream.raw is not None
        with pytest.raises(LocalProtocolError, match=r"A CONNECT request says where .*b'host:port'"):
            world.run(world.exchange(Request("CONNECT", "http://example.org/")))

    def test_the_mutex_is_free_at_each_effect(self) -> None:
        """Rule 6: nothing is waited for while a lock is held."""
        for make in REQUESTS.values():
            world = Wired()
            operation = world.exchange(make())
            effect = next(operation)
            with pytest.raises(StopIteration):
                while True:
                    assert not world.wire.mutex.locked()
                    effect = step(operation, effect, world.perform)


class TestBadRequests:
    @pytest.mark.parametrize(("pieces", "word"), [([b"hell"], "shorter"), ([b"hel", b"lo!"], "longer")])
    def test_a_body_of_another_length(self, pieces: list[bytes], word: str) -> None:
        world = Wired()
        with pytest.raises(LocalProtocolError) as caught:
            world.run(world.exchange(upload(pieces, headers={"Content-Length": "5"})))
        assert f"body is {word} than its Content-Length says" in str(caught.value)
        assert str(caught.value).endswith(", POST http://example.org/")
        assert caught.value.request.method == "POST"
        assert not world.connection.reusable

    def test_fields_that_were_broken_after_the_request_was_made(self) -> None:
        request = Request("GET", "http://example.org/?secret")
        del request.headers["host"]
        world = Wired()
        with pytest.raises(LocalProtocolError, match=r"cannot be sent.*Host.*, GET http://example\.org/$"):
            world.run(world.exchange(request))
        assert world.wire.sent == b""
        assert world.connection.reusable, "nothing was sent: the connection is as good as before"

    def test_a_body_that_raises(self) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"one"
            raise KeyError("the caller's own")

        world = Wired()
        with pytest.raises(KeyError, match="the caller's own"):
            world.run(world.exchange(upload(pieces())))
        assert world.connection.close_reason is CloseReason.ABANDONED


class TestTime:
    def effects(self, request: Request, timeout: Timeout | None) -> list[Any]:
        world = Wired()
        world.run(world.exchange(request, timeout))
        return [effect for effect in world.performed if not isinstance(effect, Pull)]

    @each_request
    def test_a_limit_is_a_number_on_the_effect(self, request_: Any) -> None:
        """Rule 2."""
        for effect in self.effects(request_(), Timeout(None, write=2, read=3)):
            assert effect.timeout == (2 if isinstance(effect, Flush) else 3)
        assert all(effect.timeout is None for effect in self.effects(request_(), None))

    @each_request
    def test_a_server_that_takes_nothing(self, request_: Any) -> None:
        world = Wired()
        operation = world.exchange(request_(), Timeout(4))
        assert isinstance(next(operation), Flush)
        with pytest.raises(WriteTimeout, match="Nothing could be sent for 4 s"):
            operation.throw(TimeoutError())
        assert not world.connection.reusable

    def test_a_server_that_says_nothing(self) -> None:
        world = Wired()
        operation = world.exchange(timeout=Timeout(4))
        drive(operation, world.perform, 1)
        with pytest.raises(ReadTimeout, match="Nothing was received for 4 s"):
            operation.throw(TimeoutError())
        assert not world.connection.reusable


class TestAnswers:
    def test_a_head_in_many_pieces(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        world = Wired([head[at : at + 1] for at in range(len(head))])
        assert world.run(world.exchange()).status == 200

    def test_informational_responses_are_passed_over(self) -> None:
        world = Wired([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n", *EMPTY])
        assert world.run(world.exchange()).status == 200

    @pytest.mark.parametrize(
        ("acts", "kind", "words"),
        [
            ([EOF], RemoteProtocolError, "closed the connection before its response was there"),
            (
                [b"HTTP/1.1 200", EOF],
                RemoteProtocolError,
                "closed the connection before its response was there",
            ),
            ([b"garbage\r\n\r\n"], RemoteProtocolError, "head of the response is not valid HTTP/1.1"),
            ([OSError(104, "Connection reset by peer")], ReadError, "was lost: Connection reset by peer"),
        ],
    )
    def test_failures_name_the_request(self, acts: Any, kind: type[Exception], words: str) -> None:
        world = Wired(acts)
        with pytest.raises(kind) as caught:
            world.run(world.exchange(Request("GET", "http://example.org/a?secret")))
        assert words in str(caught.value)
        assert str(caught.value).endswith(", GET http://example.org/a")
        assert caught.value.request.url.path == "/a"  # type: ignore[attr-defined]
        assert not world.connection.reusable

    def test_a_body_that_ends_early_is_not_yet_the_exchange_s_business(self) -> None:
        world = Wired([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", EOF])
        assert world.run(world.exchange()).status == 200


class TestEarlyAnswers:
    """Sending stops when the server has answered, or has hung up: perhaps it said why."""

    @pytest.mark.parametrize("make", [large, upload])
    def test_an_answer_during_the_upload(self, make: Any) -> None:
        for steps in range(2 if make is large else 6):  # that is, before its last byte
            world = Wired()
            operation = world.exchange(make())
            effect = drive(operation, world.perform, steps)
            if not isinstance(effect, Flush):
                continue
            world.perform(effect)
            world.wire.tell(TOO_LARGE)
            assert world.run(operation).status == 413
            assert world.connection.close_reason is CloseReason.ANSWERED_EARLY

    @pytest.mark.parametrize("make", [large, upload])
    def test_an_answer_before_the_connection_is_lost(self, make: Any) -> None:
        world = Wired()
        operation = world.exchange(make())
        drive(operation, world.perform, 2 if make is upload else 1)
        effect = operation.throw(BrokenPipeError(32, "Broken pipe"))
        if isinstance(effect, Pull):
            world.perform(effect)
            effect = next(operation)
        assert isinstance(effect, Receive)
        world.wire.tell(TOO_LARGE)
        assert ended(operation).status == 413

    @each_request
    @pytest.mark.parametrize("last_word", [EOF, ConnectionResetError()])
    def test_no_answer_after_the_connection_was_lost(self, request_: Any, last_word: Any) -> None:
        world = Wired()
        operation = world.exchange(request_())
        next(operation)
        assert isinstance(operation.throw(BrokenPipeError(32, "Broken pipe")), Receive)
        world.wire.tell(last_word)
        with pytest.raises(WriteError) as caught:
            next(operation)
        assert "The connection was lost: Broken pipe" in str(caught.value)
        assert isinstance(caught.value.__cause__, BrokenPipeError)
        assert caught.value.reason == "reset"
        assert caught.value.request.url.host == "example.org"

    @pytest.mark.parametrize(
        ("lost", "last_word", "kind", "reason"),
        [
            (BrokenPipeError(32, "Broken pipe"), BrokenTLS("alert unknown ca"), ReadError, "tls"),
            (ConnectionAbortedError(103, "the client was closed"), EOF, RemoteProtocolError, "closed"),
        ],
        ids=["alert", "orderly end"],
    )
    def test_how_it_came_about_tells_more(self, lost: Any, last_word: Any, kind: Any, reason: str) -> None:
        """Of a server that hangs up for a reason, and of a link that was closed therefore."""
        world = Wired()
        operation = world.exchange(Request("GET", "http://example.org/"))
        next(operation)
        assert isinstance(operation.throw(lost), Receive)
        world.wire.tell(last_word)
        with pytest.raises(kind) as caught:
            next(operation)
        assert type(caught.value) is kind and caught.value.reason == reason

    @pytest.mark.parametrize("last_word", [EOF, ConnectionResetError(104, "Connection reset by peer")])
    @pytest.mark.parametrize("make", ["small", "upload"])
    def test_an_end_before_anything_was_asked(self, last_word: Any, make: str) -> None:
        """A server may hang up on a new connection: who asks nevertheless hears of it, and nothing is sent."""
        world = Wired()
        world.wire.tell(last_word)
        kind = RemoteProtocolError if last_word == EOF else ReadError
        operation = world.exchange(upload() if make == "upload" else Request("GET", "http://example.org/"))
        with pytest.raises((kind, WriteError)) as caught:
            world.run(operation)
        assert caught.value.reason == ("closed" if last_word == EOF else "reset")
        assert not world.wire.sent

    @pytest.mark.parametrize("make", [large, upload])
    def test_it_is_the_same_error_where_the_reader_notices_first(self, make: Any) -> None:
        world = Wired()
        operation = world.exchange(make())
        drive(operation, world.perform, 2 if make is upload else 1)
        world.wire.tell(ConnectionResetError(104, "Connection reset by peer"))
        with pytest.raises(WriteError, match=r"The connection was lost: .*, POST http://example\.org/$"):
            world.run(operation)

    def test_but_not_once_all_has_gone(self) -> None:
        for flushed, kind in ((False, WriteError), (True, ReadError)):
            world = Wired()
            operation = world.exchange()
            effect = next(operation)
            assert isinstance(effect, Flush)
            effect.flushed = flushed
            world.wire.tell(ConnectionResetError(104, "Connection reset by peer"))
            with pytest.raises(kind, match="The connection was lost: Connection reset by peer"):
                next(operation)

    def test_no_answer_and_no_end_either(self) -> None:
        world = Wired()
        operation = world.exchange(timeout=Timeout(1))
        next(operation)
        operation.throw(BrokenPipeError())
        with pytest.raises(ReadTimeout):
            operation.throw(TimeoutError())

    @pytest.mark.parametrize("make", [large, upload])
    @pytest.mark.parametrize("hint", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
    def test_an_informational_response_is_no_answer(self, make: Any, hint: bytes) -> None:
        """RFC 9110 section 15.2: the request goes on. With `Expect: 100-continue` each server sends one."""
        for at in range(8 if make is upload else 4):
            world = Wired()
            request = make()
            operation = world.exchange(request)
            effect = drive(operation, world.perform, at)
            assert effect is not None
            world.perform(effect)
            world.wire.tell(hint[:10])
            world.wire.tell(hint[10:])
            assert world.run(operation).status == 200
            body = world.wire.sent.partition(b"\r\n\r\n")[2]
            assert body == (b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n" if make is upload else request.content)

    def test_an_answer_is_looked_for_between_the_pieces(self) -> None:
        """Where nobody reads during an upload, `is_stale` feeds the machine what has arrived."""
        for make in (large, upload):
            world = Wired()
            wire = world.wire
            wire.is_stale = lambda wire=wire: bool(wire.tell(TOO_LARGE))  # type: ignore[method-assign,misc]
            operation = world.exchange(make())
            assert world.run(operation).status == 413
            assert world.connection.close_reason is CloseReason.ANSWERED_EARLY

    def test_the_source_is_closed_by_a_driver(self) -> None:
        """An async iterator cannot be closed without waiting: so that is an effect, where there is time for it."""
        world = Wired()
        operation = world.exchange(upload())
        effect = drive(operation, world.perform, 2)
        assert isinstance(effect, Flush)
        world.perform(effect)
        world.wire.tell(TOO_LARGE)
        pull = next(operation)
        assert isinstance(pull, Pull)
        assert pull.finished
        assert pull.iterator is not None
        assert ended(operation).status == 413

    @pytest.mark.parametrize("kind", [KeyError, Cancelled, KeyboardInterrupt])
    def test_the_source_is_closed_by_a_driver_whatever_passes(self, kind: type[BaseException]) -> None:
        for steps in range(1, 6):  # from the first pull to the last
            world = Wired()
            operation = world.exchange(upload())
            drive(operation, world.perform, steps)
            first = kind("first")
            effect = operation.throw(first)
            assert isinstance(effect, Pull) and effect.finished
            with pytest.raises(kind) as caught:
                operation.throw(KeyError("of the closing"))
            assert caught.value is first
            assert world.connection.close_reason is CloseReason.ABANDONED


class TestSlowPeers:
    def test_a_flush_that_is_not_over_is_yielded_anew_with_a_new_timeout(self) -> None:
        """The write timeout is one of progress; the bytes stay in the link meanwhile."""
        world = Wired()
        operation = world.exchange(timeout=Timeout(None, write=3, total=10))
        limits = []
        effect = next(operation)
        for now in (2.0, 4.0, 8.0):
            assert isinstance(effect, Flush)
            limits.append(effect.timeout)
            effect.flushed = False
            world.clock.now = now
            effect = next(operation)
        assert isinstance(effect, Flush)
        assert [*limits, effect.timeout] == [3, 3, 3, 2]
        assert world.run(operation, effect).status == 200

    def test_each_time_the_answer_is_looked_for_first(self) -> None:
        world = Wired()
        operation = world.exchange()
        effect = next(operation)
        assert isinstance(effect, Flush)
        world.perform(effect)
        effect.flushed = False
        world.wire.tell(TOO_LARGE)
        assert ended(operation).status == 413

    @each_request
    def test_the_total_can_be_over_before_the_next_piece(self, request_: Any) -> None:
        world = Wired()
        operation = world.exchange(request_(), Timeout(None, total=10))
        effect = next(operation)
        assert isinstance(effect, Flush)
        world.perform(effect)
        effect.flushed = False
        world.clock.now = 10.0
        with pytest.raises(WriteTimeout, match="the total timeout"):
            next(operation)
        assert not world.connection.reusable


class TestNews:
    """Rule 7: clear the signal, look at the state, then wait."""

    class Recorder:
        """A stream that writes down in which order it is looked at."""

        def __init__(self) -> None:
            self.log: list[str] = []
            recorder = self

            class Recorded(Signal):
                def __setattr__(self, name: str, value: object) -> None:
                    super().__setattr__(name, value)
                    if name == "ready" and value is False:
                        recorder.log.append("clear")

            self.signal = Recorded()
            self.log.clear()
            self.buffered, self.ended, self.flush_due, self.vigil = 0, False, False, None

        @property
        def failure(self) -> None:
            self.log.append("look")

    def budget(self) -> Budget:
        return Budget(Request("GET", "http://a/"), Clock())

    def test_clear_look_wait(self) -> None:
        recorder: Any = self.Recorder()
        operation = news(recorder, recorder, self.budget())
        next(operation)
        recorder.log.append("wait")
        assert recorder.log == ["clear", "look", "wait"]
        assert ended(operation) is recorder

    @pytest.mark.parametrize(("buffered", "over"), [(1, False), (0, True)])
    def test_there_is_no_waiting_for_what_is_there(self, buffered: int, over: bool) -> None:
        recorder: Any = self.Recorder()
        recorder.buffered, recorder.ended = buffered, over
        assert ended(news(recorder, recorder, self.budget())) is recorder

    def test_a_wake_up_between_two_looks_is_not_lost(self) -> None:
        """What arrives after the look sets the signal, and the Receive that follows returns at once."""
        world = Wired()
        operation = world.exchange()
        effect = drive(operation, world.perform, 1)
        assert isinstance(effect, Receive)
        world.wire.tell(EMPTY[0])
        assert effect.signal.ready
        assert ended(operation).status == 200


@each_way
@each_request
def test_left_at_each_step_the_connection_is_not_used_again(way: str, request_: Any) -> None:
    """Unless the exchange is over: then nothing speaks against it. And the body's source is let go of."""
    for world in left_at_each_step(way, lambda world: world.exchange(request_()), Wired):  # type: ignore[attr-defined]
        connection = world.connection  # type: ignore[attr-defined]
        if connection.reusable:
            assert connection.stream is None
        else:
            assert connection.close_reason is not None
        assert not world.wire.mutex.locked()


@each_way
def test_left_at_each_step_the_source_is_closed(way: str) -> None:
    log: list[str] = []

    class Source(SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            log.append("begun")
            try:
                yield b"one"
                yield b"two"
            finally:
                log.append("closed")

    for _ in left_at_each_step(way, lambda world: world.exchange(streaming(Source())), Wired):  # type: ignore[attr-defined]
        assert log in ([], ["begun", "closed"])
        log.clear()


class TestTheTotalOfABody:
    """A source of the user's may take as long as it likes, but not longer than all is to take."""

    def at_its_first_pull(self, timeout: Timeout) -> tuple[World, Operation[Any], Pull]:
        world = Wired()
        operation = world.exchange(upload(), timeout)
        effect = next(operation)
        while not isinstance(effect, Pull):
            effect = step(operation, effect, world.perform)
        return world, operation, effect

    def test_is_told_to_the_driver(self) -> None:
        world, operation, pull = self.at_its_first_pull(Timeout(1, total=5))
        assert pull.timeout == 5
        world.clock.now = 3.0
        effect: Any = step(operation, pull, world.perform)
        while effect is not pull:
            effect = step(operation, effect, world.perform)
        assert pull.timeout == 2
        operation.close()

    def test_which_has_none_where_there_is_none(self) -> None:
        _, operation, pull = self.at_its_first_pull(Timeout(1))
        assert pull.timeout is None
        operation.close()

    def test_is_told_in_words(self) -> None:
        world, operation, _ = self.at_its_first_pull(Timeout(1, total=5))
        world.clock.now = 5.0
        closing = operation.throw(TimeoutError())
        assert isinstance(closing, Pull) and closing.finished
        with pytest.raises(WriteTimeout) as caught:
            world.run(operation, closing)
        assert str(caught.value) == (
            "Nothing could be sent within 5 s (the total timeout) because the next piece of the request's body did not "
            "come, POST http://example.org/; allow more with Timeout(total=...)"
        )
        assert caught.value.request_sent is True

    @pytest.mark.parametrize("timeout", [Timeout(1), Timeout(1, total=5)])
    def test_a_timeout_of_the_source_s_own_is_left_as_it_is(self, timeout: Timeout) -> None:
        world, operation, _ = self.at_its_first_pull(timeout)
        world.clock.now = 4.0
        closing = operation.throw(TimeoutError("the database is slow"))
        with pytest.raises(TimeoutError, match="the database is slow") as caught:
            world.run(operation, closing)
        assert type(caught.value) is TimeoutError

    def test_that_is_over_takes_no_piece(self) -> None:
        world, operation, pull = self.at_its_first_pull(Timeout(1, total=5))
        effect: Any = step(operation, pull, world.perform)
        world.clock.now = 6.0
        with pytest.raises(WriteTimeout, match=r"within 5 s \(the total timeout\)"):
            world.run(operation, effect)
