"""The two drivers: they step an operation and have each effect performed, blocking or awaited.

What touches the world is performed by a backend; what calls the user's code (body iterators, transports, hooks, auth
flows), by the driver itself, in the one colour or the other. No HTTP in here either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from httpure_core.content.pulling import Stepped, pull_at_once, pull_awaited, pulled
from httpure_core.content.streams import AsyncByteStream
from httpure_core.effects import (
    Advance,
    Begin,
    Call,
    Close,
    Consult,
    Dial,
    Effect,
    Flush,
    Lend,
    Offload,
    Operation,
    Park,
    Pull,
    Race,
    Read,
    Receive,
    Resolve,
    Sleep,
    Transmit,
)

from .backends import AsyncBackend, BlockingBackend

__all__ = ["AsyncDriver", "BlockingDriver"]

T = TypeVar("T")


class BlockingDriver:
    """Performs every effect before it steps on."""

    def __init__(self, backend: BlockingBackend) -> None:
        self.backend = backend
        self._perform: dict[type[Effect], Callable[[Any], None]] = {
            Resolve: backend.resolve,
            Begin: backend.begin,
            Race: backend.race,
            Dial: backend.dial,
            Flush: backend.flush,
            Receive: backend.receive,
            Park: backend.park,
            Sleep: backend.sleep,
            Consult: self.consult,
            Offload: _offload,
            Pull: pull_at_once,
            Transmit: _transmit,
            Read: _read,
            Close: _close,
            Call: _call,
            Lend: self._lend,
            Advance: _advance,
        }

    def run(self, operation: Operation[T]) -> T:
        """Step the operation to its end and return its result, or raise what it raised."""
        perform = self._perform
        try:
            effect = next(operation)
            while True:
                try:
                    perform[type(effect)](effect)
                except BaseException as exc:
                    effect = operation.throw(exc)
                else:
                    effect = next(operation)
        except StopIteration as stop:
            # In no variable: whoever keeps an error that the operation has survived, keeps this frame.
            return stop.value  # type: ignore[no-any-return]
        finally:
            operation.close()  # for an interrupt that fell between two steps

    def consult(self, effect: Consult) -> None:
        """Ask the user's resolver; where there is a limit, in a thread, as nothing else could hold it."""
        if effect.timeout is None:
            effect.answer = effect.resolver(effect.host, effect.port)
        else:
            # Imported here, as hardly anybody has a resolver.
            from contextvars import copy_context

            from ._errand import Errand

            context = copy_context()
            errand = Errand(lambda: context.run(effect.resolver, effect.host, effect.port))
            errand.go(f"httpure: resolve {effect.host}")
            self.backend.park(Park(errand.join(), effect.timeout))
            effect.answer = errand.result()
        _refuse_awaitable(effect.answer, "The resolver of a blocking client is a plain function")

    def _lend(self, effect: Lend) -> None:
        effect.driver = self


class AsyncDriver:
    """Performs every effect, awaiting those that cannot be done at once."""

    def __init__(self, backend: AsyncBackend) -> None:
        self.backend = backend
        self._perform: dict[type[Effect], Callable[[Any], Awaitable[None] | None]] = {
            Resolve: backend.resolve,
            Begin: backend.begin,
            Race: backend.race,
            Dial: backend.dial,
            Flush: backend.flush,
            Receive: backend.receive,
            Park: backend.park,
            Sleep: backend.sleep,
            Consult: self.consult,
            Offload: backend.offload,
            Pull: self.pull,
            Transmit: _transmit_async,
            Read: _read_async,
            Close: _close_async,
            Call: _call_async,
            Lend: self._lend,
            Advance: _advance_async,
        }

    async def run(self, operation: Operation[T]) -> T:
        """Step the operation to its end and return its result, or raise what it raised.

        Cancellation is thrown into the operation at its yield, and takes the same path as an error.
        """
        perform = self._perform
        try:
            effect = next(operation)
            while True:
                try:
                    waiting = perform[type(effect)](effect)
                    if waiting is not None:  # most flushes are done at once
                        await waiting
                except BaseException as exc:
                    effect = operation.throw(exc)
                else:
                    effect = next(operation)
        except StopIteration as stop:
            # In no variable: whoever keeps an error that the operation has survived, keeps this frame.
            return stop.value  # type: ignore[no-any-return]
        finally:
            operation.close()

    def consult(self, effect: Consult) -> Awaitable[None]:
        """Ask the user's resolver: await it, or call it in a worker thread if it is a plain function."""
        return self.backend.limit(partial(self._consult, effect), effect.timeout)

    async def _consult(self, effect: Consult) -> None:
        # Imported here, as hardly anybody has a resolver.
        from inspect import iscoroutinefunction

        resolver, host, port = effect.resolver, effect.host, effect.port
        if iscoroutinefunction(resolver) or iscoroutinefunction(getattr(resolver, "__call__", None)):  # noqa: B004
            effect.answer = resolver(host, port)
        else:

            def ask() -> None:
                effect.answer = resolver(host, port)

            waiting = self.backend.offload(Offload(ask, abandon=True))
            if waiting is not None:
                await waiting
        if hasattr(effect.answer, "__await__"):
            effect.answer = await effect.answer

    def pull(self, effect: Pull) -> Awaitable[None] | None:
        """Take the next piece of a body: in a worker thread where that may block, awaited where it must be."""
        source = effect.source
        if hasattr(source, "stepped"):  # a form: each of its parts is pulled in its own way
            if effect.iterator is None:
                effect.iterator = source.stepped(self.pull)
        elif getattr(source, "may_block", False):
            return self.backend.offload(Offload(lambda: pull_at_once(effect)))
        elif not hasattr(source, "__aiter__"):
            pull_at_once(effect)
            return None
        if effect.timeout is not None and not effect.finished:
            return self.backend.limit(partial(pull_awaited, effect), effect.timeout)
        return pull_awaited(effect)

    def _lend(self, effect: Lend) -> None:
        effect.driver = self

    def awaitable(self, stream: Any) -> Any:
        """Return a request's body as an async client has it: what would block is read in worker threads.

        So nothing blocks the event loop, whoever reads the body: hooks, auth flows, transports of the user.
        """
        if type(stream) is AwaitableBody:
            stream = stream.source  # of a client on another event loop, perhaps
        if hasattr(stream, "__aiter__") and not getattr(stream, "may_block", False):
            return stream
        return AwaitableBody(stream, self)


class AwaitableBody(AsyncByteStream):
    """A body that is read by a driver."""

    __slots__ = ("_driver", "source")

    def __init__(self, source: Any, driver: AsyncDriver) -> None:
        self.source = source
        self._driver = driver

    @property
    def replayable(self) -> bool:  # type: ignore[override]
        """False where a second iteration raises StreamConsumed."""
        return getattr(self.source, "replayable", True)

    @property
    def exact(self) -> bool:
        """True where the source's `content_length` is what it gives out, which takes no more than reading."""
        return getattr(self.source, "exact", False)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return Stepped(pulled(self.source), self._driver.pull)


def _offload(effect: Offload) -> None:
    effect.function()


def _transmit(effect: Transmit) -> None:
    effect.response = effect.transport.handle_request(effect.request)


async def _transmit_async(effect: Transmit) -> None:
    effect.response = await effect.transport.handle_async_request(effect.request)


def _read(effect: Read) -> None:
    if effect.most is None:
        effect.message.read()
    else:
        effect.message.skim(effect.most)


async def _read_async(effect: Read) -> None:
    if effect.most is None:
        await effect.message.aread()
    else:
        await effect.message.askim(effect.most)


def _close(effect: Close) -> None:
    effect.message.close()


async def _close_async(effect: Close) -> None:
    await effect.message.aclose()


def _call(effect: Call) -> None:
    result = effect.hook(*effect.arguments)
    _refuse_awaitable(result, "Event hooks and trace functions of a blocking client are plain functions")


def _refuse_awaitable(result: Any, what: str) -> None:
    if hasattr(result, "__await__"):
        if hasattr(result, "close"):
            result.close()
        raise TypeError(f"{what}; this one must be awaited.")


async def _call_async(effect: Call) -> None:
    result = effect.hook(*effect.arguments)
    if hasattr(result, "__await__"):
        await result


def _advance(effect: Advance) -> None:
    if effect.finished:
        effect.close()
        return
    try:
        if effect.flow is None:
            effect.flow = effect.auth.sync_auth_flow(effect.request)
            effect.request = next(effect.flow)
        else:
            effect.request = effect.flow.send(effect.response)
    except StopIteration:
        effect.request = None


async def _advance_async(effect: Advance) -> None:
    if effect.finished:
        if hasattr(effect.flow, "aclose"):
            await effect.flow.aclose()
        return
    try:
        if effect.flow is None:
            effect.flow = flow = effect.auth.async_auth_flow(effect.request)
            if hasattr(flow, "__await__"):  # no generator: it may be there only to raise something
                effect.flow = None
                await flow
                raise TypeError(
                    f"{type(effect.auth).__name__}.async_auth_flow() yields no request: add `yield request`."
                )
            effect.request = await anext(flow)
        else:
            effect.request = await effect.flow.asend(effect.response)
    except StopAsyncIteration:
        effect.request = None
