"""The two drivers: they step an operation and have each effect performed, blocking or awaited.

What touches the world is performed by a backend; what calls the user's code (body iterators, transports, hooks, auth
flows), by the driver itself, in the one colour or the other. No HTTP in here either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from httpure_core.effects import (
    Advance,
    Call,
    Dial,
    Effect,
    Flush,
    Offload,
    Operation,
    Park,
    Pull,
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
            Dial: backend.dial,
            Flush: backend.flush,
            Receive: backend.receive,
            Park: backend.park,
            Sleep: backend.sleep,
            Offload: _offload,
            Pull: _pull,
            Transmit: _transmit,
            Read: _read,
            Call: _call,
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
            result: T = stop.value
            return result
        finally:
            operation.close()  # for an interrupt that fell between two steps


class AsyncDriver:
    """Performs every effect, awaiting those that cannot be done at once."""

    def __init__(self, backend: AsyncBackend) -> None:
        self.backend = backend
        self._perform: dict[type[Effect], Callable[[Any], Awaitable[None] | None]] = {
            Resolve: backend.resolve,
            Dial: backend.dial,
            Flush: backend.flush,
            Receive: backend.receive,
            Park: backend.park,
            Sleep: backend.sleep,
            Offload: backend.offload,
            Pull: self._pull,
            Transmit: _transmit_async,
            Read: _read_async,
            Call: _call_async,
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
            result: T = stop.value
            return result
        finally:
            operation.close()

    def _pull(self, effect: Pull) -> Awaitable[None] | None:
        if getattr(effect.source, "may_block", False):
            return self.backend.offload(Offload(lambda: _pull(effect)))
        if hasattr(effect.source, "__aiter__"):
            return _pull_async(effect)
        _pull(effect)
        return None


def _offload(effect: Offload) -> None:
    effect.function()


def _pull(effect: Pull) -> None:
    if effect.finished:
        effect.close()
        return
    if effect.iterator is None:
        effect.iterator = iter(effect.source)
    effect.piece = next(effect.iterator, None)


async def _pull_async(effect: Pull) -> None:
    if effect.finished:
        if hasattr(effect.iterator, "aclose"):
            await effect.iterator.aclose()
        return
    if effect.iterator is None:
        effect.iterator = aiter(effect.source)
    effect.piece = await anext(effect.iterator, None)


def _transmit(effect: Transmit) -> None:
    effect.response = effect.transport.handle_request(effect.request)


async def _transmit_async(effect: Transmit) -> None:
    effect.response = await effect.transport.handle_async_request(effect.request)


def _read(effect: Read) -> None:
    effect.message.read()


async def _read_async(effect: Read) -> None:
    await effect.message.aread()


def _call(effect: Call) -> None:
    result = effect.hook(effect.argument)
    if hasattr(result, "__await__"):
        if hasattr(result, "close"):
            result.close()
        raise TypeError("An event hook of a blocking client is a plain function; this one must be awaited.")


async def _call_async(effect: Call) -> None:
    result = effect.hook(effect.argument)
    if hasattr(result, "__await__"):
        await result


def _advance(effect: Advance) -> None:
    try:
        if effect.flow is None:
            effect.flow = effect.auth.sync_auth_flow(effect.request)
            effect.request = next(effect.flow)
        else:
            effect.request = effect.flow.send(effect.response)
    except StopIteration:
        effect.request = None


async def _advance_async(effect: Advance) -> None:
    try:
        if effect.flow is None:
            effect.flow = effect.auth.async_auth_flow(effect.request)
            effect.request = await anext(effect.flow)
        else:
            effect.request = await effect.flow.asend(effect.response)
    except StopAsyncIteration:
        effect.request = None
