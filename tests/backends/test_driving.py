"""The drivers by themselves: operations written by hand, and a backend that only takes notes."""

from __future__ import annotations

import asyncio
import io
import weakref
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest

from httpure._driving import AsyncDriver, BlockingDriver
from httpure_core.auth import Auth
from httpure_core.content.files import FileStream
from httpure_core.content.multipart import encode_multipart
from httpure_core.content.parts import Part
from httpure_core.content.streams import AsyncByteStream, IterableStream, SyncByteStream
from httpure_core.effects import (
    Advance,
    Call,
    Close,
    Effect,
    Flush,
    Offload,
    Operation,
    Park,
    Pull,
    Read,
    Receive,
    Sleep,
    Transmit,
)
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.signals import Signal

OURS = Request("GET", "http://example.org/")


class Backend:
    """Notes what it is asked to do. Sleeping is what takes time, parking fails."""

    name = "noting"

    def __init__(self) -> None:
        self.log: list[str] = []

    def _note(self, effect: Effect) -> None:
        self.log.append(type(effect).__name__)

    resolve = begin = race = dial = flush = receive = _note

    def clock(self) -> float:
        return 0.0

    def mutex(self) -> Any:
        return None

    def park(self, effect: Park) -> None:
        self._note(effect)
        raise TimeoutError("parked for too long")

    def sleep(self, effect: Sleep) -> None:
        self._note(effect)


class AsyncBackend(Backend):
    """The same, awaited, except where there is nothing to wait for."""

    async def sleep(self, effect: Sleep) -> None:  # type: ignore[override]
        self._note(effect)
        await asyncio.sleep(0)

    def offload(self, effect: Offload) -> Any:
        async def work() -> None:
            self._note(effect)
            effect.function()

        return work()


class Runner:
    """A driver of either colour, called the same way."""

    def __init__(self, colour: str) -> None:
        self.blocking = colour == "blocking"
        self.backend = Backend() if self.blocking else AsyncBackend()
        self.driver: Any = (BlockingDriver if self.blocking else AsyncDriver)(self.backend)  # type: ignore[operator]

    def run(self, operation: Operation[Any]) -> Any:
        if self.blocking:
            return self.driver.run(operation)
        return asyncio.run(self.driver.run(operation))


@pytest.fixture(params=["blocking", "async"])
def runner(request: pytest.FixtureRequest) -> Runner:
    return Runner(request.param)


def yielding(*effects: Effect) -> Operation[str]:
    yield from effects
    return "result"


def test_operation_without_effects(runner: Runner) -> None:
    assert runner.run(yielding()) == "result"
    assert runner.backend.log == []


def test_every_effect_is_performed_in_order(runner: Runner) -> None:
    link: Any = None
    effects = [Sleep(1), Flush(link, Signal(), 1), Receive(link, Signal(), 1), Sleep(2)]
    assert runner.run(yielding(*effects)) == "result"
    assert runner.backend.log == ["Sleep", "Flush", "Receive", "Sleep"]


def test_errors_are_thrown_in_and_may_be_caught(runner: Runner) -> None:
    def operation() -> Operation[str]:
        try:
            yield Park(Signal(), 1)
        except TimeoutError as exc:
            yield Sleep(1)
            return str(exc)
        return "not reached"

    assert runner.run(operation()) == "parked for too long"
    assert runner.backend.log == ["Park", "Sleep"]


def test_errors_that_nobody_catches(runner: Runner) -> None:
    ended = []

    def operation() -> Operation[str]:
        try:
            yield Park(Signal(), 1)
        finally:
            ended.append(True)
        return "not reached"

    with pytest.raises(TimeoutError, match="parked"):
        runner.run(operation())
    assert ended == [True]


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_errors_of_the_operation(runner: Runner, kind: type[BaseException]) -> None:
    def operation() -> Operation[str]:
        yield Sleep(1)
        raise kind

    with pytest.raises(kind):
        runner.run(operation())


def test_interrupt_in_an_effect_reaches_the_operation(runner: Runner) -> None:
    seen: list[type[BaseException]] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    def operation() -> Operation[str]:
        try:
            yield Offload(interrupted)
        except BaseException as exc:
            seen.append(type(exc))
            raise
        return "not reached"

    with pytest.raises(KeyboardInterrupt):
        runner.run(operation())
    assert seen == [KeyboardInterrupt]


def test_effect_of_nobody(runner: Runner) -> None:
    class Unknown(Effect):
        pass

    with pytest.raises(KeyError):
        runner.run(yielding(Unknown()))


def test_cancelled_task() -> None:
    """Cancellation comes out of the yield at which the operation stands."""
    seen: list[type[BaseException]] = []

    def operation() -> Operation[str]:
        try:
            while True:
                yield Sleep(1)
        except BaseException as exc:
            seen.append(type(exc))
            raise

    async def main() -> None:
        task = asyncio.ensure_future(AsyncDriver(AsyncBackend()).run(operation()))  # type: ignore[arg-type]
        await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == [asyncio.CancelledError]


def test_coroutine_that_is_dropped() -> None:
    """An operation that nobody will step again is closed: its `finally` gives back what it holds."""
    ended: list[bool] = []

    def operation() -> Operation[str]:
        try:
            yield Sleep(1)
        finally:
            ended.append(True)
        return "not reached"

    coroutine = AsyncDriver(AsyncBackend()).run(operation())  # type: ignore[arg-type]
    coroutine.send(None)
    coroutine.close()
    assert ended == [True]


# What calls the user's code


def test_offload(runner: Runner) -> None:
    called: list[int] = []
    runner.run(yielding(Offload(lambda: called.append(1))))
    assert called == [1]
    assert runner.backend.log == ([] if runner.blocking else ["Offload"])


class Blocking(SyncByteStream):
    def __init__(self, may_block: bool = False) -> None:
        self.may_block = may_block

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"a", b"b")


class Waiting(AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"


def pulling(pull: Pull) -> Operation[list[bytes]]:
    pieces = []
    while True:
        yield pull
        if pull.piece is None:
            return pieces
        pieces.append(pull.piece)


def test_pull(runner: Runner) -> None:
    assert runner.run(pulling(Pull(Blocking()))) == [b"a", b"b"]
    assert runner.backend.log == []
    assert runner.run(pulling(Pull(Blocking(may_block=True)))) == [b"a", b"b"]
    assert runner.backend.log == ([] if runner.blocking else ["Offload"] * 3)


def test_pull_of_the_async_colour() -> None:
    assert Runner("async").run(pulling(Pull(Waiting()))) == [b"a", b"b"]


def test_pull_from_a_form(runner: Runner) -> None:
    """Only what may block is taken to a worker thread, and a file of known length not once more to be told its end."""
    form = encode_multipart({"a": Part([b"1"]), "b": Part(io.BytesIO(b"2"))}, {}, b"B")
    assert b"".join(runner.run(pulling(Pull(form)))) == b"".join(form)  # type: ignore[arg-type]
    assert runner.backend.log == ([] if runner.blocking else ["Offload"])


def test_pull_that_is_finished_early(runner: Runner) -> None:
    closed: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            yield from (b"a", b"b")
        finally:
            closed.append("closed")

    def operation(pull: Pull) -> Operation[str]:
        yield pull
        pull.finished = True
        yield pull
        return "result"

    runner.run(operation(Pull(IterableStream(pieces()))))
    form = encode_multipart({"f": Part(pieces()), "g": Part([b"x" * 65536])}, {})
    runner.run(operation(Pull(form)))
    assert closed == ["closed", "closed"]


def test_what_an_async_driver_makes_awaitable() -> None:
    driver = AsyncDriver(AsyncBackend())  # type: ignore[arg-type]
    for stream in (Waiting(), encode_multipart({"a": "b"}, {}, b"B")):
        assert driver.awaitable(stream) is stream
    for stream in (IterableStream([b"a"]), FileStream(io.BytesIO(b"a"))):
        made = driver.awaitable(stream)
        assert isinstance(made, AsyncByteStream) and made.replayable
        again = driver.awaitable(made)
        assert again.source is stream
    assert not driver.awaitable(IterableStream(iter([b"a"]))).replayable


class Transport:
    """Both colours."""

    def handle_request(self, request: Request) -> Response:
        return Response(200, text="blocking")

    async def handle_async_request(self, request: Request) -> Response:
        return Response(200, text="async")


def test_transmit(runner: Runner) -> None:
    effect = Transmit(Transport(), OURS)
    runner.run(yielding(effect))
    assert effect.response.text == ("blocking" if runner.blocking else "async")


def test_read(runner: Runner) -> None:
    response = Response(200, stream=Blocking() if runner.blocking else Waiting())
    runner.run(yielding(Read(response)))
    assert response.content == b"ab"


def test_skim(runner: Runner) -> None:
    for most, content in ((2, b"ab"), (1, b"")):
        response = Response(200, stream=Blocking() if runner.blocking else Waiting())
        runner.run(yielding(Read(response, most)))
        assert (response.content, response.is_closed) == (content, True)


def test_close(runner: Runner) -> None:
    closed: list[str] = []

    class Held(Blocking, Waiting):
        def close(self) -> None:
            closed.append("blocking")

        async def aclose(self) -> None:
            closed.append("async")

    response = Response(200, stream=Held())
    runner.run(yielding(Close(response)))
    assert closed == ["blocking" if runner.blocking else "async"]
    assert response.is_closed


def test_call(runner: Runner) -> None:
    called: list[Any] = []

    async def waiting(argument: Any) -> None:
        called.append(argument)

    runner.run(yielding(Call(called.append if runner.blocking else waiting, OURS)))
    assert called == [OURS]


def test_call_with_several_arguments(runner: Runner) -> None:
    called: list[Any] = []
    runner.run(yielding(Call(lambda *arguments: called.extend(arguments), "one", "two")))
    assert called == ["one", "two"]


def test_call_of_what_must_be_awaited() -> None:
    """In blocking code. No warning of a coroutine that was never awaited, either."""

    async def waiting() -> None: ...

    with pytest.raises(
        TypeError, match="Event hooks and trace functions of a blocking client are plain functions"
    ):
        BlockingDriver(Backend()).run(yielding(Call(waiting)))  # type: ignore[arg-type]


class Flows(Auth):
    def sync_auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        response = yield request
        yield Request("GET", f"http://example.org/{response.text}")

    async def async_auth_flow(self, request: Request) -> Any:
        response = yield request
        yield Request("GET", f"http://example.org/{response.text}")


def test_advance(runner: Runner) -> None:
    step = Advance(Flows(), OURS)
    asked: list[Any] = []

    def operation() -> Operation[str]:
        for text in ("first", "second", "third"):
            yield step
            asked.append(step.request and str(step.request.url))
            step.response = Response(200, text=text)
        return "result"

    runner.run(operation())
    assert asked == ["http://example.org/", "http://example.org/first", None]


def test_advance_that_is_finished(runner: Runner) -> None:
    ended: list[str] = []

    class Ending(Auth):
        def sync_auth_flow(self, request: Request) -> Generator[Request, Response, None]:
            try:
                yield request
            finally:
                ended.append("blocking")

        async def async_auth_flow(self, request: Request) -> Any:
            try:
                yield request
            finally:
                ended.append("async")

    def operation(step: Advance, begun: bool) -> Operation[str]:
        if begun:
            yield step
        step.finished = True
        yield step
        return "result"

    for begun in (False, True):
        runner.run(operation(Advance(Ending(), OURS), begun))
    assert ended == ["blocking" if runner.blocking else "async"]


def test_drivers_hold_on_to_nothing() -> None:
    """The last response must not live until the next request."""
    driver = BlockingDriver(Backend())  # type: ignore[arg-type]
    effect = Transmit(Transport(), OURS)

    def operation() -> Operation[Response]:
        yield effect
        return effect.response  # type: ignore[no-any-return]

    response = weakref.ref(driver.run(operation()))
    effect.response = None
    assert response() is None


def test_errors_that_were_survived_hold_on_to_no_result(runner: Runner) -> None:
    """A link may keep the error that it was lost by: a response that is dropped must be gone all the same."""
    kept: list[TimeoutError] = []

    def operation() -> Operation[Response]:
        try:
            yield Park(Signal(), 1)
        except TimeoutError as exc:
            kept.append(exc)
        return Response(200)

    # In no variable here either; and without asyncio, whose task may outlive the call, and has the result.
    if runner.blocking:
        response = weakref.ref(runner.driver.run(operation()))
    else:
        response = weakref.ref(run_to_its_end(runner.driver.run(operation())))
    assert response() is None
    assert len(kept) == 1


def run_to_its_end(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")
