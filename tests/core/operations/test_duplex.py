"""Bodies that are sent by hand, by who stands beside the exchange."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.content.duplex import DuplexBody
from httpure_core.content.streams import SyncByteStream
from httpure_core.effects import Flush, Lend, Receive, Sleep
from httpure_core.errors import LocalProtocolError, StreamConsumed, WriteError, WriteTimeout
from httpure_core.models.request import Request
from httpure_core.operations.duplex import Fork
from httpure_core.operations.exchange import exchange
from httpure_core.signals import Signal

from .stepping import drive, ended
from .test_exchange import Wired
from .test_exchange_http2 import Http2World

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Body(DuplexBody, SyncByteStream):
    """As a face makes it, without its colour."""

    exchange: Any = None


def asking(body: Body, timeout: Timeout | None = None, headers: dict[str, str] | None = None) -> Request:
    extensions = {} if timeout is None else {"timeout": timeout.as_dict()}
    return Request("POST", "http://example.org/", content=body, headers=headers, extensions=extensions)


def underway(
    body: Body, *pieces: bytes, timeout: Timeout | None = None, headers: dict[str, str] | None = None
) -> tuple[Wired, Any]:
    """Return a world, and the operation of an exchange that waits for the head of its response."""
    world = Wired([])
    for piece in pieces:
        body.put(piece)
    operation = world.exchange(asking(body, timeout, headers))
    effect: Any = next(operation)
    while not isinstance(effect, Receive):
        world.perform(effect)
        effect = next(operation)
    body.exchange = operation  # an exchange that is dropped is given up
    return world, operation


class TestSending:
    def test_what_was_kept_goes_first(self) -> None:
        body = Body()
        world, operation = underway(body, b"one", b"", b"two")
        assert world.kinds() == ["Lend", "Flush", "Flush"]
        assert world.wire.sent.endswith(b"3\r\none\r\n3\r\ntwo\r\n")
        assert body.begun and body.outlet.driver is world
        body.put(b"three")
        assert world.run(body.outlet.go()) is True
        assert world.wire.sent.endswith(b"5\r\nthree\r\n")
        body.finish()
        world.run(body.outlet.go())
        assert world.wire.sent.endswith(b"0\r\n\r\n")
        world.wire.tell(HEAD + b"0\r\n\r\n")
        assert ended(operation).ended
        assert world.connection.reusable

    def test_others_get_their_turn(self) -> None:
        body = Body()
        underway(body)
        assert isinstance(next(body.outlet.go()), Sleep)

    def test_the_answer_to_the_head(self) -> None:
        """It can come before anything was opened."""
        body = Body()
        world = Wired([HEAD])
        stream = world.run(world.exchange(asking(body)))
        assert stream.status == 200 and body.begun

    def test_only_once(self) -> None:
        body = Body()
        underway(body)
        world = Wired([])
        with pytest.raises(StreamConsumed, match="make a new one"):
            world.run(world.exchange(asking(body)))

    def test_the_length_is_held_to(self) -> None:
        body = Body()
        world, operation = underway(body, headers={"Content-Length": "3"})
        body.put(b"four")
        with pytest.raises(LocalProtocolError, match=r"longer .*, POST http://example\.org/"):
            world.run(body.outlet.go())
        assert world.wire.closed
        with pytest.raises(LocalProtocolError, match="longer"):
            next(operation)

    def test_also_of_what_was_kept(self) -> None:
        body = Body()
        with pytest.raises(LocalProtocolError, match="longer"):
            underway(body, b"four", headers={"Content-Length": "3"})

    @pytest.mark.parametrize("status", [200, 417])
    def test_expecting(self, status: int) -> None:
        body = Body()
        body.put(b"one")
        world = Wired([])
        operation = world.exchange(asking(body, headers={"Expect": "100-continue"}))
        effect = drive(operation, world.perform, 1)
        assert isinstance(effect, Receive) and effect.timeout == 1.0 and not body.begun
        world.wire.tell(b"HTTP/1.1 %d Whatever\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
        effect_or_end = [type(effect).__name__ for effect in operation]
        assert effect_or_end == (["Lend"] if status == 200 else [])
        assert body.begun is (status == 200)


class TestEndings:
    def test_a_peer_that_takes_nothing(self) -> None:
        body = Body()
        _, exchanging = underway(body, timeout=Timeout(None, write=3))
        body.put(b"more")
        operation = body.outlet.go()
        next(operation)
        effect = next(operation)
        assert isinstance(effect, Flush) and effect.timeout == 3
        effect.flushed = False
        again = next(operation)
        assert isinstance(again, Flush) and again is not effect
        with pytest.raises(WriteTimeout, match="for 3 s"):
            operation.throw(TimeoutError())
        exchanging.close()

    def test_a_lost_connection(self) -> None:
        body = Body()
        underway(body)
        body.put(b"more")
        operation = body.outlet.go()
        next(operation)
        next(operation)
        with pytest.raises(WriteError, match=r"The connection was lost: broken, POST"):
            operation.throw(OSError("broken"))

    @pytest.mark.parametrize(
        ("act", "words"),
        [
            (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", r"The server has answered \(403\)"),
            (HEAD + b"0\r\n\r\n", r"The server has answered \(200\)"),
            (OSError("reset"), "The connection was lost: reset"),
        ],
    )
    def test_nothing_more_is_wanted(self, act: Any, words: str) -> None:
        body = Body()
        world, _ = underway(body)
        world.wire.tell(act)
        for _ in range(2):
            body.put(b"more")
            with pytest.raises(WriteError, match=words + r".*, POST http://example\.org/"):
                world.run(body.outlet.go())
        body.finish()
        assert world.run(body.outlet.go()) is True, "nobody is harmed by that"

    def test_the_response_is_closed(self) -> None:
        body = Body()
        world, _ = underway(body)
        body.outlet.let_go()
        body.put(b"more")
        with pytest.raises(WriteError, match="The response was closed"):
            world.run(body.outlet.go())

    def test_left_in_the_middle(self) -> None:
        body = Body()
        underway(body)
        body.put(b"more")
        operation = body.outlet.go()
        for _ in range(2):
            next(operation)
        assert len(body.outlet._fork.others) == 1
        operation.close()
        assert body.outlet._fork.others == set()


def test_http2_waits_for_leave() -> None:
    world = Http2World(window=10, reads=False, answer=None)
    body = Body()
    request = asking(body)
    operation = exchange(world.connection, world.budget(request))
    effect: Any = next(operation)
    while not isinstance(effect, Receive):
        world.perform(effect)
        effect = next(operation)
    body.put(b"x" * 15)
    sending = body.outlet.go()
    waiting = drive(sending, world.perform, 2)
    assert isinstance(waiting, Receive) and waiting.signal is not effect.signal
    world.pair.server.increment_flow_control_window(10, 1)
    world.wire.tell(world.pair.server.data_to_send())
    assert waiting.signal.ready, "what is news to the stream is news to who sends"
    assert world.run(sending, waiting)
    assert world.bodies[1] == b"x" * 15


def test_http2_keeps_the_connection_when_a_length_is_wrong() -> None:
    world = Http2World(answer=None)
    body = Body()
    operation = exchange(world.connection, world.budget(asking(body, headers={"Content-Length": "3"})))
    effect: Any = next(operation)
    while not isinstance(effect, Receive):
        world.perform(effect)
        effect = next(operation)
    body.put(b"four")
    with pytest.raises(LocalProtocolError, match="longer"):
        world.run(body.outlet.go())
    with pytest.raises(LocalProtocolError, match="longer"):
        next(operation)
    assert not world.wire.closed


def test_a_fork_tells_all() -> None:
    fork, other = Fork(True), Signal()
    assert fork.ready
    fork.others.add(other)
    fork.set()
    assert other.ready


def test_pieces() -> None:
    body = Body()
    body.put(bytearray(b"one"))
    body.finish()
    body.finish()
    assert list(body.kept) == [b"one", None]
    with pytest.raises(ValueError, match="end"):
        body.put(b"two")
    with pytest.raises(TypeError, match="of type str"):
        body.put("text")
    assert not body.replayable and not body.begun
    assert Lend
