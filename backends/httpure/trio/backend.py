"""The trio backend: non-blocking sockets, `wait_readable` and `wait_writable`, and no task of its own.

Who reads a link that tasks share is decided by its `ReadTurn`. Nothing is awaited while the turn is held, save the
socket itself.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TypeVar, cast

import trio

from httpure_core.contracts import Machine
from httpure_core.effects import Begin, Dial, Flush, Offload, Park, Race, Receive, Resolve, Sleep
from httpure_core.signals import Signal

from .._errand import look_up
from .._socket_addresses import addresses_of, host_bytes
from .._socket_attempt import SocketAttempt
from .._socket_link import SocketLink, closed_here
from .limits import limits_of_this_run

__all__ = ["Backend", "Link"]

T = TypeVar("T")


class Link(SocketLink):
    """A socket that tasks share.

    The one that has the turn to read waits for the socket, for all: to be read from; and to be written to, if bytes are
    left unsent. The others wait until their signals are set, or they are nudged to take the turn. Who leaves bytes here
    rings, and the reader looks again.
    """

    __slots__ = ("_limits", "_room_awaited", "_thread", "_token")

    def __init__(self, sock: socket.socket, machine: Machine) -> None:
        super().__init__(sock, machine, threading.Lock())  # see pool.py for why it is a real one
        self._token = trio.lowlevel.current_trio_token()
        self._thread = threading.get_ident()
        self._limits = limits_of_this_run()
        self._alone = True  # tasks do not run at the same time
        self._room_awaited = False  # whether a task waits for the socket to be written to: trio allows one

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Send what the kernel takes now; return an awaitable if that is not all."""
        try:
            return None if self.push() else self._flush_slowly(effect, self.left)
        except OSError:
            if self.closed:
                raise closed_here() from None
            raise

    async def _flush_slowly(self, effect: Flush, mark: int) -> None:
        """Wait until so many of the bytes that were left are gone."""
        signal, gone = effect.signal, self.gone
        try:
            with _within(effect.timeout):
                while not signal.ready and not self.closed and self.gone < mark:
                    self.flushers[signal] = mark
                    await self._wait_to_send(signal)
                    if not self.closed:
                        self.push()
        except TimeoutError:
            if self.gone == gone and not signal.ready:
                raise
        finally:
            self.flushers.pop(signal, None)
            self._leave(signal)
        if self.closed:
            raise closed_here()
        effect.flushed = self.gone >= mark

    async def _wait_to_send(self, signal: Signal) -> None:
        # Of a peer that talks without listening, no more is taken than its reader has room for.
        if self.machine.wants_data and not self.ended:
            if self.turn.join(signal):
                await self._watch(signal)
                return
            self._ring()
        else:
            self.turn.leave(signal)
            if not self._room_awaited:
                await self._room()
                return
        await _woken(signal)

    async def receive(self, signal: Signal, timeout: float | None) -> None:
        """Read, or wait for the task that reads, until the signal is set (runs once per request)."""
        limit = None if timeout is None else self._limits.begin(signal, timeout)
        try:
            while not signal.ready and not self.closed:
                if limit is not None and limit.late:
                    raise TimeoutError
                if not self.turn.join(signal):
                    await _woken(signal)
                    continue
                await self._watch(signal)
                try:
                    self.push()  # what the machine has to say in answer, such as acknowledgements
                except OSError:
                    continue  # if the connection is lost, the next read tells
        finally:
            if limit is not None:
                self._limits.end(limit)
            self._leave(signal)
        if self.closed and not signal.ready:
            self.end(closed_here())

    async def _watch(self, signal: Signal) -> None:
        """Wait for the socket, for all, and read what has come. Only for who has the turn."""
        signal.wake = self._rouse
        if self.unsent and not self._room_awaited:
            # Only here, where the peer is slow, is a nursery worth its price.
            async with trio.open_nursery() as nursery:

                async def first(wait: Callable[[], Awaitable[object]]) -> None:
                    await wait()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(first, self._room)
                nursery.start_soon(first, self._readable)
        else:
            try:
                await trio.lowlevel.wait_readable(self.sock)
            except trio.ClosedResourceError:  # it was closed, or another task has rung
                if not self.closed:
                    return
        signal.wake = None
        self.pull()

    async def _readable(self) -> None:
        if not self.closed:
            with contextlib.suppress(trio.ClosedResourceError):
                await trio.lowlevel.wait_readable(self.sock)

    async def _room(self) -> None:
        self._room_awaited = True
        try:
            if not self.closed:
                with contextlib.suppress(trio.ClosedResourceError):
                    await trio.lowlevel.wait_writable(self.sock)
        finally:
            self._room_awaited = False
            if self.unsent and not self.closed:
                # Somebody else is to wait for room now: whoever reads, or one of those who do not.
                self._ring()
                for signal in list(self.flushers):
                    if signal not in self.turn.waiting:
                        signal.nudge()

    def _ring(self) -> None:
        """Have whoever reads look again, if not all that is to be waited for is waited for."""
        if not self._room_awaited:
            self._rouse()

    def _rouse(self) -> None:
        # The socket is not closed at all; but so whoever waits for it is woken, at no cost where nobody needs it.
        if not self.closed:
            trio.lowlevel.notify_closing(self.sock)

    def _leave(self, signal: Signal) -> None:
        signal.wake = None
        self.turn.leave(signal)

    def nudge(self) -> None:
        """Send what is queued, as soon as nothing is in the middle of a step; from whatever thread."""
        if not self.closed and not self.inherited:
            with contextlib.suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._send_queued, idempotent=True)

    def _send_queued(self) -> None:
        if not self._offer() and not self.closed:
            self._ring()

    def is_stale(self) -> bool:
        """True if the connection is closed, or belongs to another run of trio."""
        return self._token is not trio.lowlevel.current_trio_token() or SocketLink.is_stale(self)

    def close(self) -> None:
        """Close the socket; from whatever thread, and even if the run is over."""
        if self.sock.fileno() >= 0:
            if self.inherited:
                super().close()
            elif threading.get_ident() == self._thread:
                with contextlib.suppress(RuntimeError):  # not within trio: then nobody waits for the socket
                    trio.lowlevel.notify_closing(self.sock)
                super().close()
            else:
                try:
                    self._token.run_sync_soon(self.close)
                except trio.RunFinishedError:
                    super().close()


class Backend:
    """Performs effects within a run of trio."""

    name = "trio"
    clock = staticmethod(time.monotonic)
    mutex = staticmethod(threading.Lock)

    async def resolve(self, effect: Resolve) -> None:
        """Look a host name up, in a thread; not in one of trio's, which are limited, and some of which may hang."""
        errand = look_up(host_bytes(effect), effect.port)
        await self.park(Park(errand.join(), effect.timeout))
        effect.addresses = addresses_of(errand.found(), effect)

    async def dial(self, effect: Dial) -> None:
        """Connect to an address."""
        attempt = cast("SocketAttempt | None", effect.attempt) or SocketAttempt(effect)
        try:
            if attempt.under_way:
                with _within(effect.timeout):
                    await trio.lowlevel.wait_writable(attempt.sock)
            else:
                await trio.lowlevel.checkpoint()
            effect.link = Link(attempt.finish(), effect.machine)
        except BaseException:
            attempt.close()
            raise

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several."""
        effect.attempt = SocketAttempt(effect)

    async def race(self, effect: Race) -> None:
        """Wait until one of several attempts has connected or failed."""
        attempts = cast("list[SocketAttempt]", effect.attempts)
        if not all(attempt.under_way for attempt in attempts):
            return
        with _within(effect.timeout):
            if len(attempts) == 1:
                await _settle(attempts[0])
                return
            async with trio.open_nursery() as nursery:

                async def first(attempt: SocketAttempt) -> None:
                    await _settle(attempt)
                    nursery.cancel_scope.cancel()

                for attempt in attempts:
                    nursery.start_soon(first, attempt)

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Send what the link's machine has to send."""
        link: Link = effect.link  # type: ignore[assignment]
        return link.flush(effect)

    def receive(self, effect: Receive) -> Awaitable[None] | None:
        """Read from the link until the signal is set."""
        link: Link = effect.link  # type: ignore[assignment]
        return link.receive(effect.signal, effect.timeout)

    async def park(self, effect: Park) -> None:
        """Wait until the signal is set, by whatever thread."""
        woken = trio.Event()
        token, thread = trio.lowlevel.current_trio_token(), threading.get_ident()

        def wake() -> None:
            # Garbage collection in another thread may release a slot that this task waits for.
            if threading.get_ident() == thread:
                woken.set()
            else:
                with contextlib.suppress(trio.RunFinishedError):
                    token.run_sync_soon(woken.set)

        effect.signal.wake = wake
        try:
            with _within(effect.timeout):
                if not effect.signal.ready:
                    await woken.wait()
        finally:
            effect.signal.wake = None

    async def sleep(self, effect: Sleep) -> None:
        """Sleep."""
        await trio.sleep(effect.seconds)

    async def offload(self, effect: Offload) -> None:
        """Call a function in a worker thread."""
        await trio.to_thread.run_sync(effect.function, abandon_on_cancel=effect.abandon)

    async def limit(self, function: Callable[[], Awaitable[T]], seconds: float | None) -> T:
        """Call a coroutine function, for at most so long."""
        with _within(seconds):
            return await function()


async def _settle(attempt: SocketAttempt) -> None:
    await trio.lowlevel.wait_writable(attempt.sock)
    attempt.settle()


async def _woken(signal: Signal) -> None:
    """Wait until the signal is set, or nudged."""
    woken = trio.Event()
    signal.wake = woken.set
    await woken.wait()


class _within:
    """As `trio.fail_after`, but it raises the builtin TimeoutError, and None is no limit."""

    __slots__ = ("_scope",)

    def __init__(self, seconds: float | None) -> None:
        self._scope = trio.CancelScope()
        if seconds is not None:
            self._scope.deadline = trio.current_time() + seconds

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        swallowed = self._scope.__exit__(kind, exc, trace)
        if self._scope.cancelled_caught:
            raise TimeoutError
        return swallowed
