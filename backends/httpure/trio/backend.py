"""The trio backend: non-blocking sockets, `wait_readable` and `wait_writable`, and no task of its own.

Who reads a link that tasks share is decided by its `ReadTurn`. Nothing is awaited while the turn is held, save the
read itself.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType

import trio

from httpure_core.contracts import Machine
from httpure_core.effects import Dial, Flush, Offload, Park, Receive, Resolve, Sleep
from httpure_core.signals import Signal

from .._socket_addresses import addresses_of, host_bytes, in_plain_words, open_socket, socket_address
from .._socket_link import SocketLink, closed_here

__all__ = ["Backend", "Link"]


class Link(SocketLink):
    """A socket that tasks share."""

    __slots__ = ("_thread", "_token", "_writing")

    def __init__(self, sock: socket.socket, machine: Machine) -> None:
        super().__init__(sock, machine, threading.Lock())  # see pool.py for why it is a real one
        self._token = trio.lowlevel.current_trio_token()
        self._thread = threading.get_ident()
        self._writing: trio.Event | None = None  # set when the task that waits for room does so no more

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Send what the kernel takes now; return an awaitable if that is not all."""
        return None if self.push() else self._flush_slowly(effect)

    async def _flush_slowly(self, effect: Flush) -> None:
        with _within(effect.timeout):
            await self._writable_or_news(effect.signal)
        if self.closed:
            raise closed_here()
        effect.flushed = self.push()

    async def _writable_or_news(self, signal: Signal) -> None:
        # Only here, where the peer is slow, is a nursery worth its price.
        async with trio.open_nursery() as nursery:

            async def first(wait: Callable[[], Awaitable[object]]) -> None:
                with contextlib.suppress(trio.ClosedResourceError):
                    await wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(first, self._writable)
            if (
                self.machine.wants_data
            ):  # of a peer that talks without listening, no more than its reader has room for
                nursery.start_soon(first, lambda: self._news(signal))

    async def _writable(self) -> None:
        # Trio lets one task at a time wait for this. The others wait for that one, and then all look again.
        if self._writing is not None:
            await self._writing.wait()
            return
        self._writing = done = trio.Event()
        try:
            await trio.lowlevel.wait_writable(self.sock)
        finally:
            self._writing = None
            done.set()

    async def receive(self, signal: Signal, timeout: float | None) -> None:
        """Read, or wait for the task that reads, until the signal is set."""
        with _within(timeout):
            while not signal.ready:
                await self._news(signal)

    async def _news(self, signal: Signal) -> None:
        try:
            if self.turn.join(signal):
                try:
                    await trio.lowlevel.wait_readable(self.sock)
                except trio.ClosedResourceError:
                    self.end(closed_here())
                    return
                if self.pull():
                    # What the machine has to say in answer. If the connection is lost, the next read tells.
                    with contextlib.suppress(OSError):
                        self.push()
            else:
                woken = trio.Event()
                signal.wake = woken.set
                await woken.wait()
        finally:
            signal.wake = None
            self.turn.leave(signal)

    def is_stale(self) -> bool:
        """True if the connection is closed, or belongs to another run of trio."""
        return self._token is not trio.lowlevel.current_trio_token() or super().is_stale()

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
        """Look a host name up, in a worker thread."""
        with _within(effect.timeout):
            found = await trio.socket.getaddrinfo(host_bytes(effect), effect.port, type=socket.SOCK_STREAM)
        effect.addresses = addresses_of(found, effect)

    async def dial(self, effect: Dial) -> None:
        """Connect to an address."""
        sock = open_socket(effect.address, effect.local_address, effect.socket_options)
        try:
            with _within(effect.timeout):
                await trio.socket.from_stdlib_socket(sock).connect(socket_address(effect.address))
            effect.link = Link(sock, effect.machine)
        except BaseException as exc:
            sock.close()
            if isinstance(exc, OSError):
                raise in_plain_words(exc) from None
            raise

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
        await trio.to_thread.run_sync(effect.function)


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
