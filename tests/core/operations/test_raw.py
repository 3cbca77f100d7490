"""The bytes behind a response, when the connection has left HTTP."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from httpure_core.contracts import READ_AHEAD
from httpure_core.effects import Effect, Flush, Operation, Receive
from httpure_core.errors import (
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    StreamError,
    TimeoutException,
    TransportError,
    WriteError,
    WriteTimeout,
)
from httpure_core.models.request import Request
from httpure_core.operations.body import IncomingBody
from httpure_core.operations.information import extra_info
from httpure_core.operations.raw import RawConnection

from .stepping import EOF, Act, Cancelled, FakeTLS, World, drive, each_way, ended, left_at_each_step, step

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
LOST = OSError(104, "Connection reset by peer")
UPGRADE = {"Connection": "upgrade", "Upgrade": "echo"}


def switched(world: World, url: str = "http://example.org/chat?token=secret") -> RawConnection:
    world.answers.extendleft([[SWITCHED]])
    response = world.run(world.transmitter.transmit(Request("GET", url, headers=UPGRADE)))
    assert response.status_code == 101
    return RawConnection(response.stream.incoming)  # type: ignore[union-attr]


def raw(*acts: Act, url: str = "http://example.org/chat?token=secret") -> tuple[World, RawConnection]:
    """A connection that has left HTTP, and whose peer does these things then."""
    world = World()
    connection = switched(world, url)
    world.wire.incoming.extend(acts)
    return world, connection


def fake_tls() -> FakeTLS:
    return FakeTLS("inner.example", [], None)


class TestReceiving:
    def test_returns_what_has_come(self) -> None:
        world, connection = raw(b"hello", b"there")
        assert world.run(connection.receive_some(100, None)) == b"hello"
        assert world.run(connection.receive_some(2, None)) == b"th"
        assert ended(connection.receive_some(100, None)) == b"ere"

    def test_begins_with_what_came_with_the_head(self) -> None:
        world = World([SWITCHED + b"early"])
        request = Request("GET", "http://example.org/", headers=UPGRADE)
        response = world.run(world.transmitter.transmit(request))
        connection = RawConnection(response.stream.incoming)  # type: ignore[union-attr]
        assert connection.readable
        assert ended(connection.receive_some(100, None)) == b"early"
        assert not connection.readable

    def test_waits_as_long_as_it_may(self) -> None:
        _, connection = raw()
        operation = connection.receive_some(100, 2.5)
        effect = next(operation)
        assert isinstance(effect, Receive)
        assert effect.timeout == 2.5
        with pytest.raises(ReadTimeout) as caught:
            operation.throw(TimeoutError())
        assert str(caught.value) == (
            "Nothing was received for 2.5 s, GET http://example.org/chat; allow more with read(timeout=...)"
        )
        assert caught.value.request.method == "GET"

    def test_can_go_on_after_a_timeout(self) -> None:
        world, connection = raw()
        operation = connection.receive_some(100, 0.0)
        next(operation)
        with pytest.raises(ReadTimeout):
            operation.throw(TimeoutError())
        world.wire.tell(b"late")
        assert ended(connection.receive_some(100, 0.0)) == b"late"

    def test_ends_with_nothing(self) -> None:
        world, connection = raw(b"last", EOF)
        assert world.run(connection.receive_some(100, None)) == b"last"
        for _ in range(2):
            assert world.run(connection.receive_some(100, None)) == b""
        assert connection.readable

    def test_a_lost_connection(self) -> None:
        world, connection = raw(b"last", LOST)
        assert world.run(connection.receive_some(100, None)) == b"last"
        for _ in range(2):
            with pytest.raises(ReadError) as caught:
                world.run(connection.receive_some(100, None))
        assert str(caught.value) == (
            "The connection was lost: Connection reset by peer, GET http://example.org/chat"
        )
        assert caught.value.__cause__ is LOST

    def test_one_at_a_time(self) -> None:
        _, connection = raw()
        first = connection.receive_some(100, None)
        next(first)
        for second in (connection.receive_some(100, None), connection.secure(fake_tls(), "a", None)):
            with pytest.raises(StreamError, match="one at a time"):
                next(second)
        first.close()
        next(connection.receive_some(100, None))

    @pytest.mark.parametrize("size", [0, -1])
    def test_something(self, size: int) -> None:
        _, connection = raw()
        with pytest.raises(ValueError, match=f"max_bytes is {size}, but must be positive"):
            next(connection.receive_some(size, None))

    def test_restarts_a_link_that_had_no_room(self) -> None:
        world, connection = raw(bytes(READ_AHEAD))
        world.run(connection.receive_some(10, None))
        assert world.wire.nudges == 1
        world.run(connection.receive_some(10, None))
        assert world.wire.nudges == 1


class TestSending:
    def test_sends_all(self) -> None:
        world, connection = raw()
        assert world.run(connection.send_all(b"one ", None)) is True
        assert world.run(connection.send_all(b"two", None)) is True
        assert world.wire.sent.endswith(b"\r\n\r\none two")

    def test_a_slow_peer_has_to_take_something_now_and_then(self) -> None:
        _, connection = raw()
        operation = connection.send_all(b"data", 2.0)
        for _ in range(3):
            effect = next(operation)
            assert isinstance(effect, Flush)
            assert effect.timeout == 2.0
            effect.flushed = False
        with pytest.raises(WriteTimeout) as caught:
            operation.throw(TimeoutError())
        assert str(caught.value) == (
            "Nothing could be sent for 2 s, GET http://example.org/chat; allow more with write(timeout=...)"
        )

    def test_news_for_the_reader_is_none_for_the_writer(self) -> None:
        world, connection = raw()
        reading: Any = next(connection.receive_some(100, None))
        writing: Any = next(connection.send_all(b"data", None))
        world.wire.tell(b"news")
        assert reading.signal.ready
        assert not writing.signal.ready

    @pytest.mark.parametrize(
        ("act", "words"), [(LOST, "Broken pipe"), (EOF, "the server has closed it"), (b"more", "Broken pipe")]
    )
    def test_a_lost_connection(self, act: Act, words: str) -> None:
        world, connection = raw()
        world.wire.tell(act)
        operation = connection.send_all(b"data", None)
        next(operation)
        with pytest.raises(WriteError) as caught:
            operation.throw(OSError(32, "Broken pipe"))
        assert str(caught.value) == f"The connection was lost: {words}, GET http://example.org/chat"

    def test_two_may_send(self) -> None:
        world, connection = raw()
        first, second = connection.send_all(b"one ", None), connection.send_all(b"two", None)
        effects = [next(first), next(second)]
        for operation, effect in zip((second, first), reversed(effects), strict=True):
            assert world.run(operation, effect) is True
        assert world.wire.sent.endswith(b"one two")


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        (lambda raw: raw.receive_some(1, None), "Nothing was received in time, GET "),
        (lambda raw: raw.send_all(b"x", None), "Nothing could be sent in time, GET "),
        (lambda raw: raw.secure(fake_tls(), "a", None), "No TLS connection was made in time because "),
    ],
)
def test_the_system_has_limits_too(begin: Callable[[RawConnection], Operation[Any]], words: str) -> None:
    _, connection = raw()
    operation = begin(connection)
    next(operation)
    with pytest.raises(TimeoutException, match=words):
        operation.throw(TimeoutError(110, "Connection timed out"))


class TestTLS:
    def test_stands_on_top(self) -> None:
        world, connection = raw()
        tls = fake_tls()
        assert world.run(connection.secure(tls, "inner.example", 5.0)) is True
        assert world.wire.sent.endswith(b"\r\n\r\nhello.finished.")
        world.run(connection.send_all(b"data", None))
        assert world.wire.sent.endswith(b"finished.data")
        world.wire.tell(b"secret")
        assert ended(connection.receive_some(100, None)) == b"secret"

    def test_gets_what_came_before_it(self) -> None:
        world, connection = raw()
        world.wire.tell(b"certificate.")
        tls = fake_tls()
        world.run(connection.secure(tls, "inner.example", None))
        assert tls.established

    def test_gets_the_end_that_came_before_it(self) -> None:
        world, connection = raw()
        world.wire.tell(EOF)
        with pytest.raises(ConnectError, match="the server closed the connection during the handshake"):
            world.run(connection.secure(fake_tls(), "inner.example", None))

    def test_can_be_refused(self) -> None:
        world, connection = raw()
        world.wire._certificate = b"forged"
        with pytest.raises(ConnectError) as caught:
            world.run(connection.secure(fake_tls(), "inner.example", None))
        assert str(caught.value) == (
            "Could not start TLS with inner.example (its certificate is not trusted), GET http://example.org/chat"
        )
        assert world.wire.closed
        world.check()

    def test_can_take_too_long(self) -> None:
        world, connection = raw()
        operation = connection.secure(fake_tls(), "inner.example", 3.0)
        effect: Any = next(operation)
        assert effect.timeout == 3.0
        world.clock.now = 1.0
        effect = step(operation, effect, lambda effect: None)
        assert effect.timeout == 2.0
        with pytest.raises(ConnectTimeout) as caught:
            operation.throw(TimeoutError())
        assert str(caught.value) == (
            "No TLS connection was made within 3 s because the TLS handshake took too long, "
            "GET http://example.org/chat; allow more with start_tls(timeout=...)"
        )
        assert world.wire.closed

    def test_stands_in_other_tls(self) -> None:
        world, connection = raw(url="https://example.org/")
        outer = world.tls.machines[0]
        tls = fake_tls()
        world.run(connection.secure(tls, "inner.example", None))
        outer.ssl_object, tls.ssl_object = "outer", "inner"  # type: ignore[attr-defined]
        assert extra_info(world.wire, "ssl_object") == "inner"


class TestClosing:
    @pytest.mark.parametrize(
        ("use", "kind"),
        [
            (lambda raw: raw.receive_some(1, None), ReadError),
            (lambda raw: raw.send_all(b"x", None), WriteError),
            (lambda raw: raw.secure(fake_tls(), "a", None), ConnectError),
        ],
    )
    def test_ends_all_use(
        self, use: Callable[[RawConnection], Operation[Any]], kind: type[TransportError]
    ) -> None:
        world, connection = raw()
        connection._body.close()
        assert world.wire.closed
        with pytest.raises(kind, match=r"The connection was closed, GET http://example\.org/chat"):
            world.run(use(connection))
        world.check()

    def test_of_the_client(self) -> None:
        world, connection = raw()
        operation = connection.receive_some(1, None)
        effect = next(operation)
        world.pool.close()
        world.wire.tell(OSError(103, "the client was closed"))
        with pytest.raises(ReadError, match="the client was closed"):
            world.run(operation, effect)

    def test_happens_by_itself_when_all_is_dropped(self) -> None:
        world, connection = raw()
        del connection
        gc.collect()
        assert world.wire.closed
        world.check()

    def test_the_body_is_empty_and_ends_nothing(self) -> None:
        world, connection = raw()
        body: IncomingBody = connection._body
        assert world.run(body.read_all()) == b""
        assert world.run(body.next_piece()) == b""
        assert not world.wire.closed
        assert world.run(body.finish()) is True
        assert world.wire.closed


def test_a_connection_that_speaks_http_is_not_touched() -> None:
    world = World()
    response = world.run(world.transmitter.transmit(Request("GET", "http://example.org/")))
    with pytest.raises(StreamError, match="The connection speaks HTTP"):
        RawConnection(response.stream.incoming)  # type: ignore[union-attr]


USES: dict[str, Callable[[RawConnection], Operation[Any]]] = {
    "receive": lambda raw: raw.receive_some(100, 1.0),
    "send": lambda raw: raw.send_all(b"data", 1.0),
    "secure": lambda raw: raw.secure(fake_tls(), "a", 1.0),
}


@each_way
@pytest.mark.parametrize("use", USES)
def test_left_at_each_step_it_can_be_closed(way: str, use: str) -> None:
    bodies: list[IncomingBody] = []

    def begin(world: World) -> Operation[Any]:
        connection = switched(world)
        if use != "secure":
            world.wire.incoming.append(b"hello")
        bodies.append(connection._body)
        return USES[use](connection)

    for world in left_at_each_step(way, begin):
        bodies[-1].close()
        world.check()


def test_a_cancelled_write_loses_nothing_and_sends_nothing_twice() -> None:
    world, connection = raw()
    operation = connection.send_all(b"one ", None)
    effect: Effect = next(operation)
    assert isinstance(effect, Flush)
    with pytest.raises(Cancelled):
        operation.throw(Cancelled())
    world.run(connection.send_all(b"two", None))
    assert world.wire.sent.endswith(b"\r\n\r\none two")
    assert drive(connection.send_all(b"x", None), world.perform, 1) is None
