"""Letting go of what is the user's: the response of a custom transport, an auth flow, the iterator of a body.

Cleanup never yields, with this one exception: to close what is async and not ours has to be awaited, and only a
driver can do that. So whatever passes, be it an error, a cancellation or Ctrl-C, the closing is an effect, which the
driver awaits in its own task, as any `finally: await stream.aclose()` would be. Where that task is being cancelled, its
event loop decides what that means: on trio each checkpoint within raises `Cancelled` again, on asyncio it waits. To
step an `aclose()` by hand instead, and break it off, would leave the task in whatever queue the closing waits in.

Where nobody steps the operation any more (GeneratorExit: it was abandoned, or garbage collection came) nothing can be
awaited. What closes without waiting is closed; async generators are left to the hooks of their event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from ..effects import Close, Effect, Operation

if TYPE_CHECKING:
    from ..models.response import Response

__all__ = ["discard", "or_close", "or_let_go"]

T = TypeVar("T")


def or_let_go(
    using: Operation[T], last: Callable[[], Effect | None], at_once: Callable[[], object]
) -> Operation[T]:
    """Run an operation, and close what it uses if that fails: it raises what the operation did.

    `last` returns the effect that closes it, or None where there is nothing to wait for. `at_once` is called in any
    case, and closes what can be closed without waiting; what the two raise is dropped, unless it is a cancellation.
    """
    try:
        return (yield from using)
    except GeneratorExit:
        with suppress(Exception):
            at_once()
        raise
    except BaseException as exc:
        error = exc
    try:
        effect = last()
        if effect is not None:
            with suppress(Exception):
                yield effect
        raise error
    finally:
        del error  # it holds this frame
        with suppress(Exception):
            at_once()


def or_close(response: Response, using: Operation[T]) -> Operation[T]:
    """Run an operation that uses a response, and close the response if that fails."""

    def closing() -> Effect | None:
        incoming = getattr(response.stream, "incoming", None)
        # Ours is closed without waiting, unless it is still sending what has a source of the user's.
        at_once = incoming is not None and incoming.sending is None
        return None if response.is_closed or at_once else Close(response)

    return or_let_go(using, closing, lambda: discard(response))


def discard(response: Response) -> None:
    """Close a response, as far as that goes without waiting; does nothing the second time."""
    if response.is_closed:
        return
    response.is_closed = True
    stream = response.stream
    incoming = getattr(stream, "incoming", None)
    close = getattr(stream if incoming is None else incoming, "close", None)
    if close is not None:
        with suppress(Exception):
            waiting = close()
            if hasattr(waiting, "__await__") and hasattr(waiting, "close"):
                waiting.close()  # a coroutine that has not begun
