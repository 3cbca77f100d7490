"""The rest of a response while somebody listens."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from httpure_core.effects import Call, Effect, Operation
from httpure_core.errors import RemoteProtocolError
from httpure_core.models.request import Request
from httpure_core.operations.reported import ReportedBody

from .stepping import ANSWER, EOF, Act, Cancelled, World, each_way, left_at_each_step
from .test_report import Told

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
RECEIVED = ["http11.receive_response_body.started", "http11.receive_response_body.complete"]
CLOSED = ["http11.response_closed.started", "http11.response_closed.complete"]


def incoming(*acts: Act, told: Any = None, **headers: str) -> tuple[World, ReportedBody]:
    """The body of a response whose head has arrived; of what was told before, nothing is kept."""
    world = World(list(acts) or ANSWER)
    extensions = {"trace": told or (lambda event, info: None)}
    request = Request("GET", "http://example.org/", headers=headers, extensions=extensions)
    response = world.run(world.transmitter.transmit(request))
    body = response.stream.incoming  # type: ignore[union-attr]
    assert isinstance(body, ReportedBody)
    if isinstance(told, Told):
        told.events.clear()
        told.infos.clear()
    return world, body


@pytest.mark.parametrize("acts", [(HEAD, b"he", b"llo"), (HEAD + b"hello",)], ids=["later", "with the head"])
@pytest.mark.parametrize("read", ["read_all", "drain", "pieces"])
def test_is_told_of_from_the_first_byte_to_the_closing(acts: tuple[Act, ...], read: str) -> None:
    told = Told()
    world, body = incoming(*acts, told=told)
    assert told.events == []
    if read == "pieces":
        while world.run(body.next_piece()):
            assert told.events == RECEIVED[:1]
    else:
        assert world.run(body.read_all() if read == "read_all" else body.drain(100)) == b"hello"
    assert told.events == RECEIVED + CLOSED
    request = body.budget.request
    assert told.infos == [{"request": request}, {"return_value": None}, {}, {"return_value": None}]
    assert world.run(body.next_piece()) == b""
    world.run(body.finish())
    body.close()
    assert told.events == RECEIVED + CLOSED, "each once"
    assert world.pool.statistics == (1, 1, 0)


def test_is_told_of_failing() -> None:
    told = Told()
    world, body = incoming(HEAD, b"he", EOF, told=told)
    with pytest.raises(RemoteProtocolError) as caught:
        world.run(body.read_all())
    assert told.events == [RECEIVED[0], "http11.receive_response_body.failed", *CLOSED]
    assert told.infos[1] == {"exception": caught.value}
    with pytest.raises(RemoteProtocolError):
        world.run(body.next_piece())
    assert len(told.events) == 4
    assert world.pool.statistics == (0, 0, 0)


def test_is_told_of_a_cancellation() -> None:
    told = Told()
    world, body = incoming(HEAD, told=told)
    operation = body.next_piece()
    world.perform(next(operation))
    next(operation)
    with pytest.raises(Cancelled):
        operation.throw(Cancelled())
    assert told.events == [RECEIVED[0], "http11.receive_response_body.failed", *CLOSED]
    assert world.wire.closed


@pytest.mark.parametrize("how", ["finish", "close"])
@pytest.mark.parametrize("acts", [(HEAD,), (HEAD + b"hello",)], ids=["later", "with the head"])
def test_closing_is_told_of_where_nobody_read(how: str, acts: tuple[Act, ...]) -> None:
    told = Told()
    world, body = incoming(*acts, told=told)
    if how == "finish":
        world.run(body.finish())
    else:
        body.close()
    assert told.events == CLOSED
    assert world.pool.statistics.connections == world.pool.statistics.idle


def test_closing_at_once_tells_no_coroutine_function() -> None:
    begun: list[str] = []

    async def wait(event: str) -> None:
        begun.append(event)

    def trace(event: str, info: dict[str, Any]) -> Any:
        return wait(event) if "closed" in event else None

    world, body = incoming(HEAD, told=trace)
    body.close()  # no warning of a coroutine that was never awaited, either
    assert world.wire.closed
    assert begun == []


def test_finishing_tells_the_driver() -> None:
    world, body = incoming(HEAD, told=print)
    operation = body.finish()
    effect = next(operation)
    assert world.wire.closed, "first of all"
    assert isinstance(effect, Call)
    assert effect.hook is print


def test_garbage_collection_tells_nobody() -> None:
    told = Told()
    world, body = incoming(HEAD, told=told)
    del body
    gc.collect()
    assert told.events == []
    assert world.wire.closed


def test_an_upgraded_connection_is_closed_only_then() -> None:
    told = Told()
    world, body = incoming(SWITCHED, told=told, Connection="upgrade", Upgrade="echo")
    for _ in range(2):
        assert world.run(body.next_piece()) == b""
    assert told.events == RECEIVED
    assert world.pool.statistics == (1, 0, 0)
    world.run(body.finish())
    assert told.events == RECEIVED + CLOSED
    assert world.wire.closed


@pytest.mark.parametrize("event", [*RECEIVED, *CLOSED, "http11.receive_response_body.failed"])
def test_what_the_trace_function_raises_goes_to_the_user_and_leaks_nothing(event: str) -> None:
    world, body = incoming(HEAD, b"he", EOF if "failed" in event else b"llo", told=Told(raises=event))
    with pytest.raises(KeyError, match="of the trace function"):
        world.run(body.read_all())
    assert world.pool.statistics.connections == world.pool.statistics.idle
    world.check()


READS: dict[str, Callable[[ReportedBody], Operation[Any]]] = {
    "next_piece": lambda body: body.next_piece(),
    "read_all": lambda body: body.read_all(),
    "drain": lambda body: body.drain(1000),
    "finish": lambda body: body.finish(),
}


@each_way
@pytest.mark.parametrize("read", READS)
def test_left_at_each_step_the_slot_is_free(way: str, read: str) -> None:
    def trace(event: str, info: dict[str, Any]) -> None: ...

    def begin(world: World) -> Operation[Any]:
        request = Request("GET", "http://example.org/", extensions={"trace": trace})
        response = world.run(world.transmitter.transmit(request))
        return READS[read](response.stream.incoming)  # type: ignore[union-attr]

    for world in left_at_each_step(way, begin):
        world.check()


def test_effects_are_those_of_a_body_that_nobody_listens_to() -> None:
    """Of one that is read piece by piece: nobody would be told of the pieces of another."""

    def effects(listening: bool) -> list[type[Effect]]:
        world = World()
        extensions = {"trace": lambda event, info: None} if listening else {}
        response = world.run(
            world.transmitter.transmit(Request("GET", "http://example.org/", extensions=extensions))
        )
        while world.run(response.stream.incoming.next_piece()):  # type: ignore[union-attr]
            pass
        return [type(effect) for effect in world.performed if type(effect) is not Call]

    assert effects(True) == effects(False)
