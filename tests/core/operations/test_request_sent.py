"""Of each error it is known whether a server may have seen any of the request."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.effects import Dial, Flush, Park, Receive, Resolve
from httpure_core.errors import (
    BodyTooLarge,
    CloseError,
    ConnectError,
    ConnectTimeout,
    HeadTooLarge,
    LocalProtocolError,
    PoolTimeout,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    TransportError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
)
from httpure_core.models.request import Request

from .stepping import EMPTY, EOF, World, step, whole
from .test_transmit_sharing import SETTINGS, headers, until, world2

URL = "http://example.org/"
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
MISDIRECTED: list[Any] = [b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n"]
REFUSED = bytes.fromhex("000004030000000001") + (7).to_bytes(4)
GOAWAY = bytes.fromhex("000008070000000000") + bytes(8)


def get(**extensions: Any) -> Request:
    return Request("GET", URL, extensions=extensions)


def post(content: Any = b"order", **keywords: Any) -> Request:
    return Request("POST", URL, content=content, **keywords)


def limited(**limits: Any) -> Request:
    return get(timeout=Timeout(None, **limits).as_dict())


def ended(world: World, request: Request, kind: type[RequestError]) -> RequestError:
    with pytest.raises(kind) as caught:
        world.run(whole(world, request))
    return caught.value


def thrown(world: World, request: Request, effect: type, exc: Exception, turn: int = 1) -> RequestError:
    """Have the effect fail, the n-th of its kind."""
    operation = whole(world, request)
    at = until(world, operation, effect)
    for _ in range(turn - 1):
        at = step(operation, at, world.perform)
        while not isinstance(at, effect):
            at = step(operation, at, world.perform)
    with pytest.raises(RequestError) as caught:
        world.run(operation, operation.throw(exc))
    return caught.value


def until_next(world: World, operation: Any, effect: Any) -> Any:
    """Step an operation on until it waits anew."""
    effect = step(operation, effect, world.perform)
    while not isinstance(effect, Receive):
        effect = step(operation, effect, world.perform)
    return effect


class TestNot:
    @pytest.mark.parametrize("effect", [Resolve, Dial])
    @pytest.mark.parametrize("exc", [OSError("no way"), TimeoutError()])
    def test_where_no_connection_was_made(self, effect: type, exc: Exception) -> None:
        error = thrown(World(), post(), effect, exc)
        assert isinstance(error, ConnectError | ConnectTimeout)
        assert error.request_sent is False

    def test_where_tls_failed(self) -> None:
        world = World()
        world.certificate = b"another."
        with pytest.raises(ConnectError) as caught:
            world.get("https://example.org/")
        assert caught.value.request_sent is False

    def test_where_no_place_was_free(self) -> None:
        world = World()
        held = world.run(world.transmitter.transmit(get()))
        error = thrown(world, limited(pool=1), Park, TimeoutError())
        assert isinstance(error, PoolTimeout)
        assert error.request_sent is False
        held.stream.incoming.close()  # type: ignore[union-attr]

    def test_where_the_time_was_over_before(self) -> None:
        world = World()
        world.get()
        world.clock.now = 9.0
        operation = world.transmitter.transmit(limited(), 8.0)
        with pytest.raises(WriteTimeout) as caught:
            next(operation)
        assert caught.value.request_sent is False
        assert world.wire.requests == 1

    @pytest.mark.parametrize("request_", [get(target=b"a b"), Request("CONNECT", URL)])
    def test_of_a_request_that_cannot_be(self, request_: Request) -> None:
        assert ended(World(), request_, LocalProtocolError).request_sent is False

    def test_where_a_body_in_memory_has_another_length(self) -> None:
        """It is found out while its head still lies here."""
        world = World()
        request = post(b"x" * 200_000)
        request.headers["Content-Length"] = "100"
        error = ended(world, request, LocalProtocolError)
        assert error.request_sent is False
        assert world.wire.sent == b""

    def test_by_an_unknown_scheme(self) -> None:
        assert ended(World(), Request("GET", "ftp://example.org/"), UnsupportedProtocol).request_sent is False

    @pytest.mark.parametrize("answer", [REFUSED, GOAWAY], ids=["REFUSED_STREAM", "GOAWAY"])
    def test_what_the_server_says_that_it_has_not_looked_at(self, answer: bytes) -> None:
        world = world2()
        operation = world.transmitter.transmit(post(iter([b"once"])))
        effect = until(world, operation, Receive)
        world.wire.tell(SETTINGS + answer)
        with pytest.raises(RemoteProtocolError) as caught:
            world.run(operation, effect)
        assert caught.value.unprocessed
        assert caught.value.request_sent is False

    def test_where_no_stream_could_be_opened(self) -> None:
        world = world2()
        first = world.transmitter.transmit(get())
        until(world, first, Receive)
        machine: Any = world.wire.machine
        refuse = machine._refusal

        class Full(type(machine)):  # type: ignore[misc]
            __slots__ = ()

            def open_stream(self, *arguments: Any) -> Any:
                raise refuse()

        machine.__class__ = Full
        error = ended(world, get(), LocalProtocolError)
        assert (error.unprocessed, error.request_sent) == (True, False)  # type: ignore[attr-defined]
        first.close()


class TestPerhaps:
    def test_where_it_was_handed_to_the_system(self) -> None:
        world = World()
        operation = whole(world, get())
        until(world, operation, Flush)
        effect = operation.throw(BrokenPipeError(errno.EPIPE, "Broken pipe"))
        world.wire.incoming.append(RESET)
        with pytest.raises(TransportError) as caught:
            world.run(operation, effect)
        assert caught.value.request_sent is True

    def test_where_sending_took_too_long(self) -> None:
        error = thrown(World(), limited(write=1), Flush, TimeoutError())
        assert isinstance(error, WriteTimeout)
        assert error.request_sent is True

    @pytest.mark.parametrize("content", [b"", b"x" * 200_000, [b"a", b"b"]], ids=["none", "large", "pieces"])
    def test_where_no_answer_came(self, content: Any) -> None:
        error = thrown(World(), post(content), Receive, TimeoutError())
        assert isinstance(error, ReadTimeout)
        assert error.request_sent is True

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            ([RESET], ReadError),
            ([EOF], RemoteProtocolError),
            ([b"nonsense\r\n\r\n"], RemoteProtocolError),
            ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"half", RESET], ReadError),
            ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"half", EOF], RemoteProtocolError),
        ],
    )
    def test_where_the_answer_failed(self, answer: list[Any], kind: type[RequestError]) -> None:
        assert ended(World(answer), get(), kind).request_sent is True

    def test_where_the_body_took_too_long(self) -> None:
        error = thrown(World(), get(), Receive, TimeoutError(), turn=2)
        assert isinstance(error, ReadTimeout)
        assert error.request_sent is True

    def test_where_the_body_of_the_request_has_another_length(self) -> None:
        world = World()
        error = ended(world, post(iter([b"too long"]), headers={"Content-Length": "2"}), LocalProtocolError)
        assert error.request_sent is True
        assert world.wire.sent, "the head goes out while a generator takes its time"

    def test_where_a_stream_was_opened(self) -> None:
        """HEADERS that are queued go out, too, with what tells that the stream was given up."""
        world = world2()
        operation = world.transmitter.transmit(limited(total=5))
        until(world, operation, Flush)
        with pytest.raises(WriteTimeout) as caught:
            operation.throw(TimeoutError())
        assert caught.value.request_sent is True

    def test_where_the_server_left_the_stream(self) -> None:
        world = world2()
        operation = world.transmitter.transmit(get())
        effect = until(world, operation, Receive)
        world.wire.tell(SETTINGS + bytes.fromhex("000004030000000001") + (2).to_bytes(4))
        with pytest.raises(RemoteProtocolError) as caught:
            world.run(operation, effect)
        assert caught.value.request_sent is True


class TestSeveralGoes:
    """What one go has left with a server, the failure of the next does not take back."""

    def refused(self, world: World) -> None:
        def dial(effect: Dial) -> None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

        world.dial = dial  # type: ignore[method-assign]

    def test_a_lost_one_and_one_that_could_not_be(self) -> None:
        world = World()
        world.get()
        world.answers.append([RESET])
        self.refused(world)
        assert ended(world, get(), ConnectError).request_sent is True

    def test_a_refused_one_and_one_that_could_not_be(self) -> None:
        world = world2()
        operation = world.transmitter.transmit(post())
        effect = until(world, operation, Receive)
        world.wire.tell(SETTINGS + GOAWAY)
        self.refused(world)
        with pytest.raises(ConnectError) as caught:
            world.run(operation, effect)
        assert caught.value.request_sent is False

    def test_a_misdirected_one_and_one_that_could_not_be(self) -> None:
        world = World(EMPTY, MISDIRECTED)
        world.run(whole(world, get()))
        self.refused(world)
        assert ended(world, post(), ConnectError).request_sent is False


class TestOfAnothers:
    """What the source of a body has failed to get says nothing about the request that it was for."""

    @pytest.mark.parametrize("once", [True, False])
    def test_an_error_that_was_not_sent(self, once: bool) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            other = RemoteProtocolError("Refused", request=get())
            other.unprocessed, other.request_sent = True, False
            raise other

        class Again:
            def __iter__(self) -> Iterator[bytes]:
                return pieces()

        world = World()
        error = ended(world, post(pieces() if once else Again()), RemoteProtocolError)
        assert str(error) == "Refused" and error.request_sent is True
        assert len(world.wires) == 1

    def test_an_expectation_that_was_refused_has_been_seen(self) -> None:
        world = World([b"HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"])
        operation = whole(world, post(headers={"Expect": "100-continue"}))
        effect = until(world, operation, Receive)
        TestSeveralGoes.refused(TestSeveralGoes(), world)
        with pytest.raises(ConnectError) as caught:
            world.run(operation, effect)
        assert caught.value.request_sent is True


class TestMisdirected:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_once_more_on_a_new_connection(self, method: str) -> None:
        world = World(EMPTY, MISDIRECTED)
        world.run(whole(world, get()))
        assert world.run(whole(world, Request(method, URL))).status_code == 200
        assert [wire.closed for wire in world.wires] == [True, False]
        world.check()

    def test_once_only(self) -> None:
        world = World(EMPTY, MISDIRECTED, MISDIRECTED)
        world.run(whole(world, get()))
        assert world.run(whole(world, get())).status_code == 421
        assert len(world.wires) == 2
        world.check()

    def test_not_on_a_connection_that_was_made_for_it(self) -> None:
        world = World(MISDIRECTED)
        assert world.run(whole(world, get())).status_code == 421
        assert len(world.wires) == 1

    def test_not_a_body_that_can_be_read_once(self) -> None:
        world = World(EMPTY, MISDIRECTED)
        world.run(whole(world, get()))
        assert world.run(whole(world, post(iter([b"once"])))).status_code == 421

    def test_after_a_loss(self) -> None:
        """Each has its own right to it, and a connection of its own is told nothing else by another one."""
        world = World(EMPTY, [RESET], MISDIRECTED)
        world.run(whole(world, get()))
        assert world.run(whole(world, get())).status_code == 421

    def test_of_http2_the_others_go_on(self) -> None:
        world = world2(max_connections=2)
        first = world.transmitter.transmit(get())
        waiting = until(world, first, Receive)
        second = world.transmitter.transmit(get())
        also = until(world, second, Receive)
        block = b"\x08\x03421"
        world.wires[0].tell(SETTINGS + len(block).to_bytes(3) + bytes.fromhex("010500000003") + block)
        effect = until_next(world, second, also)
        assert len(world.wires) == 2
        world.wires[1].tell(SETTINGS + headers(1))
        assert world.run(second, effect).status_code == 200
        world.wires[0].tell(headers(1))
        assert world.run(first, waiting).status_code == 200

    def test_after_a_refusal(self) -> None:
        world = world2(max_connections=2)
        operation = world.transmitter.transmit(post())
        effect = until(world, operation, Receive)
        world.wires[0].tell(SETTINGS + REFUSED)
        effect = until_next(world, operation, effect)
        block = b"\x08\x03421"
        world.wires[0].tell(len(block).to_bytes(3) + bytes.fromhex("010500000003") + block)
        effect = until_next(world, operation, effect)
        assert len(world.wires) == 2
        world.wires[1].tell(SETTINGS + headers(1))
        assert world.run(operation, effect).status_code == 200

    def test_left_at_any_step(self) -> None:
        for steps in range(1, 12):
            world = World(EMPTY, MISDIRECTED)
            world.run(whole(world, get()))
            operation = whole(world, get())
            effect = next(operation)
            try:
                for _ in range(steps):
                    effect = step(operation, effect, world.perform)
            except StopIteration:
                return
            operation.close()
            world.check()


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (ConnectError, False), (ConnectTimeout, False), (PoolTimeout, False), (ProxyError, False),
        (UnsupportedProtocol, False), (RemoteProtocolError, True), (HeadTooLarge, True), (BodyTooLarge, True),
        (ReadError, None), (ReadTimeout, None), (WriteError, None), (WriteTimeout, None), (CloseError, None),
        (LocalProtocolError, None), (RequestError, None),
    ],
)  # fmt: skip
def test_what_a_class_says_by_itself(kind: Callable[[str], RequestError], sent: bool | None) -> None:
    """Errors of other transports, which say no more."""
    assert kind("it happened").request_sent is sent
