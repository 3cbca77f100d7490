"""Letting go of a response that nobody will get: something failed, or the caller left, while we had it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from ..content.streams import AsyncByteStream, SyncByteStream
from ..effects import Close, Operation, close_without_waiting

if TYPE_CHECKING:
    from ..models.response import Response

__all__ = ["discard", "or_close"]

T = TypeVar("T")


def or_close(response: Response, using: Operation[T]) -> Operation[T]:
    """Run an operation that uses a response, and close the response if that fails.

    After an ordinary error there is time to close the stream of a custom transport as it should be. A
    cancellation does not wait.
    """
    try:
        return (yield from using)
    except Exception as exc:
        error = exc
    except BaseException:
        discard(response)
        raise
    try:
        if not response.is_closed and not hasattr(response.stream, "incoming"):
            with suppress(Exception):
                yield Close(response)
        raise error
    finally:
        discard(response)
        del error  # it holds this frame


def discard(response: Response) -> None:
    """Close a response at once; does nothing the second time."""
    if response.is_closed:
        return
    response.is_closed = True
    stream = response.stream
    incoming = getattr(stream, "incoming", None)
    if incoming is not None:
        incoming.close()
        return
    with suppress(Exception):
        if isinstance(stream, SyncByteStream):
            stream.close()
        if isinstance(stream, AsyncByteStream):
            close_without_waiting(stream.aclose())
