"""Closing several things, in each colour: all of them, though one of them raises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

__all__ = ["leave_all", "leave_all_async"]


def leave_all(leaving: Sequence[Callable[[], object]]) -> None:
    """Call each function, whatever those before it have raised, as nested `with` blocks do; raise the last error."""
    if len(leaving) == 1:
        leaving[0]()
    elif leaving:
        try:
            leaving[0]()
        finally:
            leave_all(leaving[1:])


async def leave_all_async(leaving: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """As `leave_all`, for what is to be awaited."""
    if leaving:
        try:
            await leaving[0]()
        finally:
            await leave_all_async(leaving[1:])
