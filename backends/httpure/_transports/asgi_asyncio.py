"""A task of asyncio that keeps what it raises."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextvars import Context

__all__ = ["AsyncioTask"]


class AsyncioTask:
    """See `asgi_tasks.Task`."""

    def __init__(
        self,
        function: Callable[[], Awaitable[object]],
        name: str,
        context: Context,
        on_end: Callable[[], None],
    ) -> None:
        self.returned = False
        self.error: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(function), name=name, context=context)
        # Not at the end of `_run`: a task that is cancelled before its first step never gets there.
        self._task.add_done_callback(lambda _: on_end())

    async def _run(self, function: Callable[[], Awaitable[object]]) -> None:
        try:
            await function()
            self.returned = True
        except asyncio.CancelledError:
            raise
        except BaseException as exc:
            self.error = exc

    @property
    def done(self) -> bool:
        """True once it is over."""
        return self._task.done()

    def cancel(self) -> None:
        """Cancel it."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing runs any more
            self._task.cancel()

    def cancel_soon(self) -> None:
        """Cancel it in a moment."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def wait(self, seconds: float, *, shielded: bool = False) -> None:
        """Wait until it is over. Nothing needs a shield here: a cancellation is delivered once, and was."""
        if self._loop is asyncio.get_running_loop():  # on another one it would never end
            await asyncio.wait([self._task], timeout=seconds)
