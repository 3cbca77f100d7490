"""Requests that a proxy forwards, stepped without I/O: where they go, and what a 407 is answered with."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from httpure_core.auth import DigestAuth
from httpure_core.config.options import Proxy, Timeout
from httpure_core.content.streams import SyncByteStream
from httpure_core.errors import LocalProtocolError, TimeoutException, TransportError
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.dial import Dialler
from httpure_core.operations.forwarding import ForwardingTransmitter
from httpure_core.operations.reading import MAX_DRAINED
from httpure_core.pool import Pool

from .stepping import ANSWER, EOF, Act, FakeTLSConfig, World, Wrapped, each_way, left_at_each_step, whole

DIGEST = b'Digest realm="r", nonce="n", qop="auth"'


def asks(challenge: bytes = DIGEST, more: bytes = b"") -> list[Act]:
    return [
        b"HTTP/1.1 407 Who\r\nProxy-Authenticate: %b\r\n%bContent-Length: 4\r\n\r\n" % (challenge, more),
        b"who?",
    ]


STALE = asks(DIGEST + b", stale=true")


class Forwarding(World):
    def __init__(self, *answers: Sequence[Act], url: str = "http://proxy.test", auth: Any = None) -> None:
        super().__init__(*answers, max_connections=None)
        proxy = Proxy(url, auth=auth or DigestAuth("user", "pass"))
        self.dialler = Dialler(self.tls, proxy=proxy, proxy_tls=FakeTLSConfig())
        self.transmitter = ForwardingTransmitter(
            Pool(threading.Lock(), None, None), self.dialler, self.clock, Wrapped
        )
        self.pool = self.transmitter.pool

    def send(self, request: Request | None = None) -> Response:
        return self.run(whole(self, request or Request("GET", "http://example.org/a")))

    def told(self, index: int = 0) -> list[bytes | None]:
        """What each request on a connection has said of us."""
        found = []
        for head in self.wires[index].sent.split(b" HTTP/1.1\r\n")[1:]:
            fields = dict(line.partition(b": ")[::2] for line in head.split(b"\r\n"))
            found.append(fields.get(b"Proxy-Authorization"))
        return found


class Once(SyncByteStream):
    """A body that can be read only once."""

    replayable = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"body"


class Many(Once):
    replayable = True


class TestChallenges:
    def test_are_answered_on_the_same_connection(self) -> None:
        world = Forwarding(asks())
        assert world.send().content == b"hello"
        first, second = world.told()
        assert first is None
        assert second is not None
        assert b'uri="http://example.org/a"' in second
        assert world.wire.sent.count(b"GET http://example.org/a HTTP/1.1") == 2
        assert world.pool.statistics[:3] == (1, 1, 0)

    def test_are_answered_once_and_once_more_if_stale(self) -> None:
        world = Forwarding(asks(), STALE, asks())
        assert world.send().status_code == 407
        assert len(world.told()) == 3
        world = Forwarding(asks(), asks())
        response = world.send()
        assert (response.status_code, response.content) == (407, b"who?")
        assert len(world.told()) == 2

    def test_are_remembered(self) -> None:
        world = Forwarding(asks())
        world.send()
        world.send(Request("GET", "http://other.test/"))
        counts = [told and told.partition(b"nc=")[2][:8] for told in world.told()]
        assert counts == [None, b"00000001", b"00000002"]

    @pytest.mark.parametrize("auth", [("user", "pass"), DigestAuth("user", "pass")])
    def test_of_other_kinds_are_the_response(self, auth: Any) -> None:
        world = Forwarding(asks(b"Basic realm=x"), auth=auth)
        assert world.send().status_code == 407
        assert len(world.told()) == 1

    def test_are_the_response_where_the_request_speaks_for_itself(self) -> None:
        world = Forwarding(asks())
        request = Request("GET", "http://example.org/", headers={"Proxy-Authorization": "Basic eA=="})
        assert world.send(request).status_code == 407
        assert world.told() == [b"Basic eA=="]

    def test_that_are_long_or_cut_off_cost_the_connection(self) -> None:
        long: list[Act] = [
            b"HTTP/1.1 407 Who\r\nProxy-Authenticate: %b\r\nContent-Length: %d\r\n\r\n"
            % (DIGEST, 10 * MAX_DRAINED),
            b"?" * (2 * MAX_DRAINED),
        ]
        for answer in (
            long,
            [long[0], EOF],
            [long[0], ConnectionResetError(104, "lost")],
            asks(more=b"Connection: close\r\n"),
        ):
            world = Forwarding(answer)
            assert world.send().content == b"hello"
            assert [wire.closed for wire in world.wires] == [True, False]

    def test_of_an_origin_behind_a_tunnel_are_its_own(self) -> None:
        """Which it must not send; but nothing of ours is said to it."""
        world = Forwarding(url="socks5://proxy.test", auth=("user", "pass"))
        assert not world.dialler.forwards(Request("GET", "http://example.org/"))
        operation = world.transmitter.transmit(Request("GET", "http://example.org/"))
        assert type(next(operation)).__name__ == "Resolve"
        operation.close()

    def test_the_total_is_one_for_all(self) -> None:
        world = Forwarding(asks(), asks())
        real = world.receive

        def slow(effect: Any) -> None:
            world.clock.now += 2.0
            real(effect)

        world.receive = slow  # type: ignore[method-assign]
        limits = Timeout(5, total=3).as_dict()
        with pytest.raises(TimeoutException, match="the total timeout"):
            world.send(Request("GET", "http://example.org/", extensions={"timeout": limits}))


class TestBodies:
    @pytest.mark.parametrize("body", [b"body", Many()])
    def test_are_sent_again(self, body: Any) -> None:
        world = Forwarding(asks())
        arguments: Any = {"content": body} if isinstance(body, bytes) else {"stream": body}
        request = Request(
            "POST", "http://example.org/", headers={"Host": "example.org", "Content-Length": "4"}, **arguments
        )
        assert world.send(request).content == b"hello"
        assert world.wire.sent.count(b"\r\n\r\nbody") == 2

    def test_that_can_be_read_once_are_not(self) -> None:
        world = Forwarding(asks())
        request = Request(
            "POST",
            "http://example.org/",
            headers={"Host": "example.org", "Content-Length": "4"},
            stream=Once(),
        )
        assert world.send(request).status_code == 407
        assert world.wire.sent.count(b"\r\n\r\nbody") == 1

    def test_are_proved_where_the_proxy_wants_that(self) -> None:
        demand = b'Digest realm="r", nonce="n", qop="auth-int"'
        world = Forwarding(asks(demand))
        assert world.send(Request("POST", "http://example.org/", content=b"body")).status_code == 200
        request = Request(
            "POST",
            "http://example.org/",
            headers={"Host": "example.org", "Content-Length": "4"},
            stream=Many(),
        )
        with pytest.raises(LocalProtocolError, match=r"this body is a stream.*POST http://example\.org/"):
            world.send(request)
        assert world.pool.statistics[0] == world.pool.statistics[1]


class TestConnections:
    def test_are_those_to_the_proxy(self) -> None:
        world = Forwarding(ANSWER, ANSWER, ANSWER, auth=("user", "pass"))
        for url in ("http://example.org/", "http://other.test:81/x", "http://[::1]/"):
            world.send(Request("GET", url))
        lines = [line for line in world.wire.sent.split(b"\r\n") if line.startswith(b"GET")]
        assert lines == [
            b"GET http://example.org/ HTTP/1.1",
            b"GET http://other.test:81/x HTTP/1.1",
            b"GET http://[::1]/ HTTP/1.1",
        ]

    def test_routes(self) -> None:
        def route(url: str, **options: Any) -> Any:
            return Forwarding().dialler.route(Request("GET", url, **options))

        assert route("http://a.test/") == route("http://b.test:81/")
        assert route("http://a.test/") != route("https://a.test/")
        assert route("http://a.test/") != route("http://a.test/", headers={"Proxy-Authorization": "x"})
        assert route("https://a.test/") != route("https://b.test/")
        assert route("https://a.test/") != route("https://a.test/", extensions={"sni_hostname": "b"})

    def test_of_other_kinds_are_not_turned(self) -> None:
        class Connection:
            """Has no such method."""

        connection: Any = Connection()
        Forwarding().dialler.face(connection, Request("GET", "https://example.org/"))


def sending(world: Forwarding) -> Any:
    return whole(world, Request("GET", "http://example.org/"))


@each_way
def test_left_at_each_step_nothing_stays_taken(way: str) -> None:
    worlds = list(left_at_each_step(way, sending, lambda: Forwarding(asks(more=b"Connection: close\r\n"))))  # type: ignore[arg-type,return-value]
    assert len(worlds) > 8
    for world in worlds:
        assert (
            world.pool.statistics[0]
            == world.pool.statistics[1]
            == sum(not wire.closed for wire in world.wires)
        )


def test_errors_are_as_ever() -> None:
    world = Forwarding([OSError(5, "it broke")])
    with pytest.raises(TransportError, match="it broke"):
        world.send()
