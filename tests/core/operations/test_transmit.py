"""One request through the pool: a slot, a connection, an exchange."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.config.options import Proxy, Timeout
from httpure_core.effects import Dial, Flush, Operation, Park, Resolve
from httpure_core.errors import ConnectError, LocalProtocolError, PoolTimeout, UnsupportedProtocol
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL
from httpure_core.operations.dial import Dialler

from .stepping import (
    EMPTY,
    EOF,
    WAYS,
    FakeTLS,
    World,
    Wrapped,
    drive,
    each_way,
    left_at_each_step,
    step,
    whole,
)


def request(url: str = "http://example.org/", method: str = "GET", **keywords: Any) -> Request:
    return Request(method, url, **keywords)


def limited(timeout: Timeout) -> Request:
    return request(extensions={"timeout": timeout.as_dict()})


class TestResponse:
    def test_says_what_the_wire_said(self) -> None:
        world = World([b"HTTP/1.0 404 Nowhere\r\nX-One: 1\r\nContent-Length: 2\r\n\r\nno"])
        asked = request()
        response = world.run(world.transmitter.transmit(asked))
        assert response.status_code == 404
        assert response.headers.raw == [(b"X-One", b"1"), (b"Content-Length", b"2")]
        assert (response.http_version, response.reason_phrase) == ("HTTP/1.0", "Nowhere")
        assert response.request is asked
        assert isinstance(response.stream, Wrapped)

    def test_is_there_before_its_body(self) -> None:
        world = World()
        response = world.run(world.transmitter.transmit(request()))
        assert not response.is_closed
        assert world.wire.incoming, "the body has still to come"

    def test_knows_how_long_it_took(self) -> None:
        world = World()
        world.clock.now = 10.0
        response = world.run(world.transmitter.transmit(request()))
        with pytest.raises(RuntimeError):
            _ = response.elapsed
        world.clock.now = 12.5
        world.run(response.stream.incoming.read_all())  # type: ignore[union-attr]
        assert response.elapsed.total_seconds() == 2.5


class TestConnections:
    def test_are_dialled_once_and_used_again(self) -> None:
        world = World()
        assert [world.get().content for _ in range(3)] == [b"hello"] * 3
        assert len(world.wires) == 1
        assert world.kinds().count("Dial") == 1

    @pytest.mark.parametrize(
        "other",
        [
            "https://example.org/",
            "http://example.org:81/",
            "http://other.example/",
        ],
    )
    def test_are_of_one_origin(self, other: str) -> None:
        world = World(max_connections=None)
        world.get("http://example.org/")
        world.get(other)
        assert len(world.wires) == 2

    def test_are_of_one_tls_name(self) -> None:
        world = World(max_connections=None)
        for name in ("a.example", "a.example", "b.example"):
            world.run(whole(world, request("https://example.org/", extensions={"sni_hostname": name})))
        assert [machine.name for machine in world.tls.machines] == ["a.example", "b.example"]

    def test_of_another_origin_give_way_when_all_are_in_use(self) -> None:
        world = World()
        world.get("http://example.org/")
        world.get("http://other.example/")
        assert [wire.closed for wire in world.wires] == [True, False]
        assert world.pool.statistics == (1, 1, 0)

    def test_that_are_stale_are_replaced_in_the_same_slot(self) -> None:
        world = World()
        world.get()
        world.wire.stale = True
        assert world.get().content == b"hello"
        assert [wire.closed for wire in world.wires] == [True, False]
        assert world.pool.statistics == (1, 1, 0)

    def test_that_turn_out_to_be_closed_on_looking_are_replaced(self) -> None:
        """`is_stale` feeds the machine what has arrived meanwhile, and that may be the end."""
        world = World()
        world.get()
        wire = world.wire
        wire.is_stale = lambda: bool(wire.tell(EOF))  # type: ignore[method-assign,func-returns-value]
        assert world.get().content == b"hello"
        assert wire.closed
        assert len(world.wires) == 2

    def test_with_bytes_that_nobody_asked_for_are_not_used(self) -> None:
        world = World()
        world.get()
        wire = world.wire
        wire.tell(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        assert world.get().status_code == 200
        assert wire.closed

    def test_that_the_server_will_close_are_not_kept(self) -> None:
        world = World([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"])
        world.get()
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_speak_tls_where_asked_to(self) -> None:
        world = World()
        assert world.get("https://example.org/").content == b"hello"
        assert isinstance(world.wire.machine, FakeTLS)
        assert world.wire.sent.startswith(b"hello.finished.GET / HTTP/1.1\r\n")


class TestWaiting:
    def test_the_second_parks_until_the_first_is_done(self) -> None:
        world = World()
        first = world.run(world.transmitter.transmit(request()))
        second = world.transmitter.transmit(limited(Timeout(None, pool=5)))
        park = next(second)
        assert isinstance(park, Park)
        assert park.timeout == 5
        assert not park.signal.ready
        world.run(first.stream.incoming.read_all())  # type: ignore[union-attr]
        assert park.signal.ready
        assert world.run(second).status_code == 200
        assert len(world.wires) == 1

    def test_too_long(self) -> None:
        world = World()
        first = world.run(world.transmitter.transmit(request()))
        second = world.transmitter.transmit(limited(Timeout(None, pool=5)))
        next(second)
        with pytest.raises(PoolTimeout, match=r"within 5 s \(the pool timeout\)"):
            second.throw(TimeoutError())
        assert world.pool.statistics == (1, 0, 0)
        first.stream.incoming.close()  # type: ignore[union-attr]
        world.check()

    def test_a_grant_that_came_together_with_the_timeout_counts(self) -> None:
        world = World(EMPTY)
        first = world.run(world.transmitter.transmit(request()))
        assert first.status_code == 200
        held = world.run(world.transmitter.transmit(request()))
        second = world.transmitter.transmit(request())
        next(second)
        held.stream.incoming.close()  # type: ignore[union-attr]
        effect = second.throw(TimeoutError())
        assert world.run(second, effect).status_code == 200

    def test_a_failed_dial_lets_the_next_one_try(self) -> None:
        world = World()
        first = world.transmitter.transmit(request())
        next(first)
        second = world.transmitter.transmit(request())
        assert isinstance(next(second), Park)
        with pytest.raises(ConnectError):
            first.throw(OSError("no such name"))
        assert world.run(second).status_code == 200


class TestClosing:
    def test_while_waiting(self) -> None:
        world = World()
        held = world.run(world.transmitter.transmit(request()))
        operation = world.transmitter.transmit(request("http://example.org/a?secret"))
        next(operation)
        world.pool.close()
        with pytest.raises(RuntimeError) as caught:
            next(operation)
        assert str(caught.value) == (
            "The client was closed while the request waited, GET http://example.org/a"
        )
        assert world.wire.closed
        held.stream.incoming.close()  # type: ignore[union-attr]
        assert world.pool.statistics == (0, 0, 0)

    @pytest.mark.parametrize("url", ["http://example.org/", "https://example.org/"])
    def test_while_dialling(self, url: str) -> None:
        world = World()
        operation = world.transmitter.transmit(request(url))
        effect = next(operation)
        while not isinstance(effect, Dial):
            effect = step(operation, effect, world.perform)
        world.pool.close()
        with pytest.raises(RuntimeError, match="The client was closed while it connected"):
            world.run(operation, effect)
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_before(self) -> None:
        world = World()
        world.pool.close()
        with pytest.raises(RuntimeError) as caught:
            world.run(world.transmitter.transmit(request("http://example.org/a?secret")))
        assert str(caught.value) == (
            "The client is closed: make a new one to send more requests, GET http://example.org/a"
        )
        assert not world.wires

    def test_soon(self) -> None:
        world = World()
        world.pool.drain(True)
        with pytest.raises(RuntimeError) as caught:
            world.run(world.transmitter.transmit(request("http://example.org/a?secret")))
        assert str(caught.value) == (
            "The client is about to close, and takes no new requests, GET http://example.org/a"
        )

    def test_during_the_exchange(self) -> None:
        world = World()
        operation = world.transmitter.transmit(request())
        drive(operation, world.perform, 3)
        world.pool.close()
        assert world.wire.closed
        operation.close()
        assert world.pool.statistics == (0, 0, 0)


class TestTime:
    def test_the_total_begins_where_it_is_said(self) -> None:
        world = World(EMPTY)
        world.clock.now = 4.0
        world.run(world.transmitter.transmit(limited(Timeout(None, total=10)), 10.0))
        assert {effect.timeout for effect in world.performed} == {6.0}  # type: ignore[attr-defined]

    @pytest.mark.parametrize("url", ["http://example.org/", "https://example.org/"])
    def test_every_limit_is_a_number_or_none(self, url: str) -> None:
        """Rule 2: a driver turns it into a deadline at once, and needs to know no more."""
        for timeout, kinds in ((Timeout(3), {int, float}), (Timeout(None), {type(None)})):
            world = World()
            world.run(whole(world, request(url, extensions={"timeout": timeout.as_dict()})))
            limits = [effect.timeout for effect in world.performed if hasattr(effect, "timeout")]
            assert len(limits) >= 5
            assert {type(limit) for limit in limits} <= kinds


class TestUnsupported:
    @pytest.mark.parametrize(
        ("url", "words"),
        [
            (
                "ftp://example.org/a?secret",
                "The URL's scheme is 'ftp', and only 'http' and 'https' are supported",
            ),
            ("/path", "The URL has no scheme: it must begin with 'http://' or 'https://'"),
            ("//example.org/", "The URL has no scheme"),
            ("http:///path?secret", "The URL has no host"),
            ("http://me:secret@/path", "The URL has no host: 'http://me:[secure]@/path'"),
        ],
    )
    def test_urls_are_refused_before_anything_is_done(self, url: str, words: str) -> None:
        world = World()
        asked = request("http://example.org/")
        asked.url = URL(url)
        with pytest.raises(UnsupportedProtocol) as caught:
            next(world.transmitter.transmit(asked))
        assert words in str(caught.value)
        assert "secret" not in str(caught.value)
        assert caught.value.request is asked
        assert world.pool.statistics == (0, 0, 0)


def test_credentials_that_would_miss_their_proxy_are_refused_before_anything_is_done() -> None:
    world = World()
    world.transmitter.dialler = Dialler(world.tls, proxy=Proxy("http://proxy.example"))
    fields = {"Proxy-Authorization": "Basic eA=="}
    with pytest.raises(LocalProtocolError, match="Proxy-Authorization"):
        next(world.transmitter.transmit(request("https://example.org/", headers=fields)))
    assert world.pool.statistics == (0, 0, 0)
    assert isinstance(next(world.transmitter.transmit(request(headers=fields))), Resolve)


def test_a_request_that_breaks_the_rules_costs_no_connection() -> None:
    world = World()
    asked = request()
    del asked.headers["Host"]
    with pytest.raises(LocalProtocolError):
        world.run(world.transmitter.transmit(asked))
    assert world.pool.statistics == (1, 1, 0)
    world.check()


def test_cleanup_never_yields() -> None:
    """Rule 3: closing takes one call, at every step; a generator that yields meanwhile raises RuntimeError."""
    for steps in range(20):
        world = World()
        operation = whole(world, request("https://example.org/", "POST", content=iter([b"a", b"b"])))
        if drive(operation, world.perform, steps) is None:
            break
        operation.close()
        world.check()
    else:
        pytest.fail("it should have ended")
    assert steps > 12


# Abandoned at every step.


def get(world: World) -> Operation[Response]:
    return whole(world, request())


def get_secure(world: World) -> Operation[Response]:
    return whole(world, request("https://example.org/"))


def post_pulled(world: World) -> Operation[Response]:
    return whole(world, request(method="POST", content=iter([b"one", b"two"])))


def post_large(world: World) -> Operation[Response]:
    return whole(world, request(method="POST", content=b"x" * 600_000))


def get_again(world: World) -> Operation[Response]:
    """With an idle connection there."""
    world.get()
    return whole(world, request())


def get_stale(world: World) -> Operation[Response]:
    """With an idle connection there that has gone stale."""
    world.get()
    world.wire.stale = True
    return whole(world, request())


STORIES = [get, get_secure, post_pulled, post_large, get_again, get_stale]


@pytest.mark.parametrize("story", STORIES)
@each_way
def test_left_at_each_step_the_pool_is_whole(story: Any, way: str) -> None:
    for world in left_at_each_step(way, story):
        world.check()


@pytest.mark.parametrize("way", WAYS)
def test_left_while_waiting_nobody_is_held_up(way: str) -> None:
    """One who holds, one who waits and goes, one who waits behind."""
    world = World()
    held = world.run(world.transmitter.transmit(request()))
    leaving = world.transmitter.transmit(request())
    park = next(leaving)
    behind = world.transmitter.transmit(request())
    next(behind)
    assert world.pool.statistics == (1, 0, 2)
    if way == "Ctrl-C once done":
        held.stream.incoming.close()  # type: ignore[union-attr]
    WAYS[way](world, leaving, park)
    del leaving, park
    held.stream.incoming.close()  # type: ignore[union-attr]
    response = world.run(behind)
    response.stream.incoming.close()  # type: ignore[union-attr]
    world.check()


def test_two_at_once_do_not_share_a_connection() -> None:
    world = World(max_connections=2)
    first, second = (world.transmitter.transmit(request()) for _ in range(2))
    flushes = [drive(operation, world.perform, 2) for operation in (first, second)]
    assert all(isinstance(flush, Flush) for flush in flushes)
    responses = [world.run(first, flushes[0]), world.run(second, flushes[1])]
    assert [wire.requests for wire in world.wires] == [1, 1]
    assert [response.status_code for response in responses] == [200, 200]
