"""Letting go of what is the user's: by a driver whatever passes, and at once where no driver is left."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from httpure_core.content.streams import AsyncByteStream, ByteStream, SyncByteStream
from httpure_core.effects import Close, Effect, Operation, Sleep
from httpure_core.models.response import Response
from httpure_core.operations.closing import discard, or_close, or_let_go

from .stepping import Cancelled, ended


class Held(SyncByteStream):
    """Counts how often it is closed."""

    closed = 0
    sending: Any = None

    def close(self) -> None:
        self.closed += 1


class AsyncHeld(AsyncByteStream):
    """Must not be closed but by a driver."""

    async def aclose(self) -> None:
        raise AssertionError("stepped by hand")


class Incoming:
    """A body of the core's own."""

    closed = 0
    sending: Any = None

    def close(self) -> None:
        self.closed += 1


class Own(SyncByteStream):
    def __init__(self) -> None:
        self.incoming = Incoming()


def working() -> Operation[str]:
    yield Sleep(1)
    return "result"


def begun(stream: Any) -> tuple[Response, Operation[str]]:
    response = Response(200, stream=stream)
    operation = or_close(response, working())
    assert isinstance(next(operation), Sleep)
    return response, operation


def test_what_goes_well_closes_nothing() -> None:
    stream = Held()
    response, operation = begun(stream)
    assert ended(operation) == "result"
    assert (stream.closed, response.is_closed) == (0, False)


@pytest.mark.parametrize("kind", [KeyError, Cancelled, KeyboardInterrupt])
@pytest.mark.parametrize("make", [Held, AsyncHeld])
def test_whatever_passes_a_driver_closes_it(make: Callable[[], Any], kind: type[BaseException]) -> None:
    response, operation = begun(make())
    first = kind("first")
    effect = operation.throw(first)
    assert isinstance(effect, Close) and effect.message is response
    response.is_closed = True  # as a driver does it
    with pytest.raises(kind) as caught:
        next(operation)
    assert caught.value is first


def test_an_error_of_the_closing_does_not_hide_the_first() -> None:
    for kind in (KeyError, Cancelled):
        stream = Held()
        _, operation = begun(stream)
        assert isinstance(operation.throw(kind("first")), Close)
        with pytest.raises(kind, match="first"):
            operation.throw(OSError("second"))
        assert stream.closed == 1


def test_a_cancellation_of_the_closing() -> None:
    """Now nothing is waited for any more."""
    for kind in (KeyError, Cancelled):
        stream = Held()
        _, operation = begun(stream)
        assert isinstance(operation.throw(kind("first")), Close)
        with pytest.raises(Cancelled, match="second"):
            operation.throw(Cancelled("second"))
        assert stream.closed == 1


@pytest.mark.parametrize("error", [KeyError, Cancelled, GeneratorExit])
def test_what_is_ours_needs_no_driver(error: type[BaseException]) -> None:
    stream = Own()
    response, operation = begun(stream)
    with pytest.raises(error):
        operation.throw(error("first"))
    assert response.is_closed
    assert stream.incoming.closed == 1


def test_what_is_closed_already_is_left_alone() -> None:
    stream = Held()
    response, operation = begun(stream)
    response.is_closed = True
    with pytest.raises(KeyError):
        operation.throw(KeyError("first"))
    discard(response)
    assert stream.closed == 0


@pytest.mark.parametrize("at", ["the work", "the closing"])
@pytest.mark.parametrize("way", ["closed", "dropped"])
def test_where_nobody_steps_it_any_more_it_closes_what_needs_no_waiting(at: str, way: str) -> None:
    for stream in (Held(), AsyncHeld()):
        response, operation = begun(stream)
        if at == "the closing":
            assert isinstance(operation.throw(KeyError()), Close)
        if way == "closed":
            operation.close()
        else:
            del operation
            gc.collect()
        assert response.is_closed
        assert isinstance(stream, AsyncHeld) or stream.closed == 1


def test_what_breaks_when_nobody_steps_it_any_more_is_dropped() -> None:
    def broken() -> None:
        raise OSError("cannot be closed")

    operation = or_let_go(working(), lambda: None, broken)
    next(operation)
    operation.close()


def test_the_closing_may_be_of_any_kind() -> None:
    log: list[str] = []

    def last() -> Effect:
        log.append("last")
        return Sleep(2)

    for steps in range(3):
        operation = or_let_go(working(), last, lambda: log.append("at once"))
        next(operation)
        if steps == 0:
            assert ended(operation) == "result"
            assert log == []
        else:
            effect = operation.throw(KeyError("first"))
            assert isinstance(effect, Sleep) and effect.seconds == 2
            with pytest.raises(KeyError, match="first"):
                next(operation)
            assert log == ["last", "at once"] * steps


def test_a_stream_with_a_closing_of_its_own_that_needs_no_waiting() -> None:
    """As that of an ASGI app has, though it is async."""

    class Quick(AsyncHeld):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    stream = Quick()
    _, operation = begun(stream)
    operation.close()
    assert stream.closed == 1


def test_one_that_is_a_coroutine_function_is_not_begun() -> None:
    """Nor is there a warning that nobody has awaited it."""

    class Misnamed(AsyncHeld):
        async def close(self) -> None:
            raise AssertionError("stepped by hand")

    discard(Response(200, stream=Misnamed()))
    gc.collect()


def test_what_cannot_be_closed_is_nobodys_problem() -> None:
    class Stuck(SyncByteStream):
        def close(self) -> None:
            raise OSError("cannot be closed")

    discard(Response(200, stream=Stuck()))
    discard(Response(200, stream=AsyncHeld()))
    discard(Response(200, stream=ByteStream(b"")))


def test_an_error_keeps_nothing_alive() -> None:
    """The frame that raised it must not hold it, or its response lives until the garbage collector comes."""
    response, operation = begun(Own())
    gone = weakref.ref(response)
    gc.disable()
    try:
        with pytest.raises(KeyError):
            operation.throw(KeyError("first"))
        del response, operation
        assert gone() is None
    finally:
        gc.enable()
