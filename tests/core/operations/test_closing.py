"""Letting go of a response: in its driver's way if there is time, at once if there is none."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from httpure_core.content.streams import AsyncByteStream, ByteStream, SyncByteStream
from httpure_core.effects import Close, Operation, Sleep
from httpure_core.models.response import Response
from httpure_core.operations.closing import discard, or_close

from .stepping import Cancelled, ended


class Held(SyncByteStream):
    """Counts how often it is closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


class AsyncHeld(AsyncByteStream):
    """Closing it takes a while, or not, or cannot be done."""

    def __init__(self, waits: bool = False, error: Exception | None = None) -> None:
        self.waits = waits
        self.error = error
        self.closed: list[str] = []

    async def aclose(self) -> None:
        self.closed.append("begun")
        try:
            if self.waits:
                await Waiting()
            if self.error is not None:
                raise self.error
            self.closed.append("done")
        finally:
            self.closed.append("over")


class Waiting:
    def __await__(self) -> Iterator[None]:
        yield


class Incoming:
    """A body of the core's own."""

    closed = 0

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


def test_an_error_leaves_time_to_close_it_in_order() -> None:
    for stream in (Held(), AsyncHeld(waits=True)):
        response, operation = begun(stream)
        effect = operation.throw(KeyError("first"))
        assert isinstance(effect, Close) and effect.message is response
        response.is_closed = True  # as a driver does it
        with pytest.raises(KeyError, match="first"):
            next(operation)
        assert not stream.closed


def test_an_error_of_the_closing_does_not_hide_the_first() -> None:
    stream = Held()
    _, operation = begun(stream)
    assert isinstance(operation.throw(KeyError("first")), Close)
    with pytest.raises(KeyError, match="first"):
        operation.throw(OSError("second"))
    assert stream.closed == 1


def test_a_cancellation_of_the_closing() -> None:
    stream = Held()
    _, operation = begun(stream)
    assert isinstance(operation.throw(KeyError("first")), Close)
    with pytest.raises(Cancelled):
        operation.throw(Cancelled())
    assert stream.closed == 1


@pytest.mark.parametrize("error", [KeyError, Cancelled])
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


@pytest.mark.parametrize("way", ["cancelled", "left"])
@pytest.mark.parametrize(("waits", "log"), [(False, ["begun", "done", "over"]), (True, ["begun", "over"])])
def test_a_cancellation_does_not_wait(way: str, waits: bool, log: list[str]) -> None:
    """What would wait is broken off, and its own clean-up runs."""
    stream = AsyncHeld(waits)
    response, operation = begun(stream)
    if way == "left":
        operation.close()
    else:
        with pytest.raises(Cancelled):
            operation.throw(Cancelled())
    assert stream.closed == log
    assert response.is_closed


def test_a_stream_of_both_colours_is_closed_in_both() -> None:
    class Both(Held, AsyncHeld):
        def __init__(self) -> None:
            AsyncHeld.__init__(self)
            self.log = self.closed
            self.closed = 0  # type: ignore[assignment]

        async def aclose(self) -> None:
            self.log.append("async")

    stream = Both()
    discard(Response(200, stream=stream))
    assert (stream.closed, stream.log) == (1, ["async"])


def test_what_cannot_be_closed_is_nobodys_problem() -> None:
    class Stuck(SyncByteStream):
        def close(self) -> None:
            raise OSError("cannot be closed")

    discard(Response(200, stream=Stuck()))
    discard(Response(200, stream=AsyncHeld(error=OSError("cannot be closed"))))
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
