"""A system task of trio that keeps what it raises.

A system task belongs to the run and not to a nursery of the caller: it outlives the cancel scopes that are open where
it is started, and is cancelled by trio when the main task ends. An exception that left it would bring the run down.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from contextvars import Context

import trio

__all__ = ["TrioTask"]


class TrioTask:
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
        self._scope = trio.CancelScope()
        self._over = trio.Event()
        self._on_end = on_end
        self._token = trio.lowlevel.current_trio_token()
        trio.lowlevel.spawn_system_task(self._run, function, name=name, context=context)

    async def _run(self, function: Callable[[], Awaitable[object]]) -> None:
        try:
            with self._scope:
                await _interruptible(function)
                self.returned = True
        except trio.Cancelled:
            raise
        except BaseException as exc:
            self.error = exc
        finally:
            self._over.set()
            self._on_end()

    @property
    def done(self) -> bool:
        """True once it is over."""
        return self._over.is_set()

    def cancel(self) -> None:
        """Cancel it."""
        self._scope.cancel()

    def cancel_soon(self) -> None:
        """Cancel it in a moment."""
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._scope.cancel)

    async def wait(self, seconds: float, *, shielded: bool = False) -> None:
        """Wait until it is over."""
        with trio.CancelScope(deadline=trio.current_time() + seconds, shield=shielded):
            await self._over.wait()


@trio.lowlevel.disable_ki_protection
async def _interruptible(function: Callable[[], Awaitable[object]]) -> None:
    """Call the function so that Ctrl-C reaches it, which it would not in a system task; an app may never await."""
    await function()
