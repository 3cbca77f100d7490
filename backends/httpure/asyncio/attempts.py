"""Connecting to several addresses at the same time, on an event loop of asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from httpure_core.effects import Begin
from httpure_core.signals import Signal

from .._socket_addresses import in_plain_words, open_socket, socket_address
from .._socket_attempt import SocketAttempt
from .._socket_link import closed_here

__all__ = ["TaskAttempt", "WatchedAttempt", "begin"]


class WatchedAttempt(SocketAttempt):
    """A socket that the loop watches. No task: closing it is a plain call, after which nothing is left of it."""

    __slots__ = ("_loop", "_watched", "signal")

    def __init__(self, effect: Begin, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(effect)
        self._loop = loop
        #: Of the one who waits for it.
        self.signal: Signal | None = None
        self._watched = False
        try:
            if self.under_way:
                loop.add_writer(self.sock.fileno(), self._writable)
                self._watched = True
        except BaseException:
            super().close()
            raise

    def _writable(self) -> None:
        self._unwatch()
        self.settle()
        if self.signal is not None:
            self.signal.set()

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.remove_writer(self.sock.fileno())

    def close(self) -> None:
        """Close the socket."""
        self._unwatch()
        super().close()


class TaskAttempt:
    """A socket that a task connects, for loops that cannot watch one: that of Windows."""

    __slots__ = ("_task", "connected", "error", "signal", "sock")

    def __init__(self, effect: Begin, loop: asyncio.AbstractEventLoop) -> None:
        self.connected = False
        self.error: OSError | None = None
        self.signal: Signal | None = None
        self.sock = open_socket(effect.address, effect.local_address, effect.socket_options)
        self._task = loop.create_task(self._connect(loop, effect))
        self._task.add_done_callback(self._done)

    @property
    def under_way(self) -> bool:
        """True as long as it has neither connected nor failed."""
        return not self.connected and self.error is None

    async def _connect(self, loop: asyncio.AbstractEventLoop, effect: Begin) -> None:
        await loop.sock_connect(self.sock, socket_address(effect.address))

    def _done(self, task: asyncio.Task[None]) -> None:
        error = closed_here() if task.cancelled() else task.exception()
        if error is None:
            self.connected = True
        else:
            self.error = in_plain_words(error) if isinstance(error, OSError) else OSError(str(error))
            self.sock.close()
        if self.signal is not None:
            self.signal.set()

    def finish(self) -> socket.socket:
        """Return the connected socket."""
        return self.sock

    def close(self) -> None:
        """Close the socket: at once, or when the task has heard of it."""
        if self._task.done():
            self.sock.close()
        else:
            self._task.cancel()


def begin(effect: Begin, loop: asyncio.AbstractEventLoop) -> WatchedAttempt | TaskAttempt:
    """Begin to connect. Raises OSError where that fails at once."""
    watches = type(loop).add_writer is not asyncio.AbstractEventLoop.add_writer
    return (WatchedAttempt if watches else TaskAttempt)(effect, loop)
