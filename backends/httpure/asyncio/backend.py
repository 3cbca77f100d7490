"""The asyncio backend: one protocol per connection, and no task, stream or timer per request.

The event loop reads: what arrives is fed to the machine at once, and the machine sets signals. All links of a
thread share one receive buffer, because a plain `Protocol` would have the loop allocate 256 KiB for each read.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import threading
import time
from collections.abc import Awaitable
from typing import Any

from httpure_core.contracts import Machine, Mutex
from httpure_core.effects import Dial, Flush, Offload, Park, Receive, Resolve, Sleep
from httpure_core.signals import Signal

from .._socket_addresses import addresses_of, host_bytes, in_plain_words, open_socket, socket_address
from .._socket_info import socket_info
from .._socket_link import closed_here

__all__ = ["Backend", "Link"]

_BUFFER_SIZE = 256 * 1024
#: Bytes that the peer has not taken, beyond which it gets no further answers: it might ask (PING, say) for ever.
MOST_UNHEARD = 1024 * 1024


class _Buffer(threading.local):
    """The receive buffer of a thread: filled and emptied within one callback, so links can share it."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_BUFFER_SIZE))


_buffer = _Buffer()


class Link(asyncio.BufferedProtocol):
    """A connection of the event loop. See `contracts.Link`."""

    def __init__(self, machine: Machine, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        self.machine = machine
        self.mutex: Mutex = threading.Lock()  # see pool.py for why it is a real one
        self._loop = loop
        self._sock = sock
        self._thread = threading.get_ident()
        self._process = os.getpid()
        self._transport: asyncio.Transport | None = None
        self._view = _buffer.view
        self._error: OSError | None = None
        self._closed = False
        self._reading = True
        self._blocked = False  # the transport holds more than it wants to
        self._unheard = False  # and more than it is worth to answer a peer who does not listen
        self._writers: set[asyncio.Future[None]] = set()  # tasks that wait for it to hold less
        self._deadlines: dict[asyncio.Future[None], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the thread's buffer."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Feed the machine, and send what it answers (runs once per arrival of bytes)."""
        machine = self.machine
        with self.mutex:
            machine.receive_data(bytes(self._view[:nbytes]))
            answer = machine.data_to_send()
        if answer:
            self._write(answer)
            self._unheard = self._blocked and self._held() > MOST_UNHEARD
        if (self._unheard or not machine.wants_data) and self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Tell the machine; the transport then closes itself."""
        with self.mutex:
            self.machine.receive_eof()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the machine why, and wake those who wait to write."""
        self._closed = True
        last_words = b""
        if exc is None:
            # In order, if the peer has ended the connection before, which the machine knows then.
            self._error = closed_here()
        else:
            self._error = exc if isinstance(exc, OSError) else ConnectionError(str(exc))
            last_words = _last_words(self._sock)
        with self.mutex:
            if last_words:
                self.machine.receive_data(last_words)
            self.machine.receive_eof(self._error)
        self.resume_writing()

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self._blocked = True

    def resume_writing(self) -> None:
        """The transport has room again."""
        self._blocked = self._unheard = False
        self._read_on()
        for future in self._writers:
            _resolve(future)

    # What the core calls.

    def nudge(self) -> None:
        """Read on, if the reader has caught up; and send what is queued, as soon as nothing is in the middle of a step.

        Garbage collection may call this in any thread, while the transport is being written to.
        """
        if self._closed or self._transport is None or self._process != os.getpid():
            return
        here = threading.get_ident() == self._thread
        if here:
            self._read_on()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            (self._loop.call_soon if here else self._loop.call_soon_threadsafe)(self._send_queued)

    def is_stale(self) -> bool:
        """True if the connection is closed, or belongs to another event loop."""
        return self._closed or self._loop is not asyncio.get_running_loop()

    def extra_info(self, name: str) -> Any:
        """Return what is known of the connection, such as "server_addr"; see `socket_info`."""
        if self._closed:  # the loop closes the socket later
            return True if name == "is_readable" else None
        return socket_info(self._sock, name)

    def close(self) -> None:
        """Close the connection; from whatever thread, and even if the loop is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._closed and self._transport is not None:
            self._closed = True
            if self._loop.is_closed() or self._process != os.getpid():
                # Where a process was forked off, its parent's loop goes on with the connection: nothing is told to it.
                self._sock.close()
                with contextlib.suppress(AttributeError):  # of uvloop, which needs no telling
                    self._transport._sock = None  # type: ignore[attr-defined]  # or it says that it was not closed
            elif threading.get_ident() == self._thread:
                self._transport.abort()
            else:
                with contextlib.suppress(RuntimeError):  # the loop was closed just now
                    self._loop.call_soon_threadsafe(self._transport.abort)

    # What the backend calls.

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Hand everything to the transport, which sends at once what the kernel takes."""
        with self.mutex:
            data = self.machine.data_to_send()
        if self._closed:
            raise self._error or closed_here()
        if data:
            self._write(data)
        return self._drain(effect) if self._blocked else None

    def receive(self, signal: Signal, timeout: float | None) -> Awaitable[None] | None:
        """Wait for the signal."""
        return None if signal.ready else self._wait(signal, timeout)

    def _read_on(self) -> None:
        if (
            not self._reading
            and not self._unheard
            and not self._closed
            and self._transport is not None
            and self.machine.wants_data
        ):
            self._reading = True
            self._transport.resume_reading()

    def _send_queued(self) -> None:
        with self.mutex:
            data = self.machine.data_to_send()
        if data:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if not self._closed and self._transport is not None:
            self._transport.write(data)

    async def _wait(self, signal: Signal, timeout: float | None) -> None:
        future = self._loop.create_future()
        signal.wake = functools.partial(_resolve, future)
        if timeout is not None:
            self._set_deadline(future, timeout)
        try:
            await future
        finally:
            signal.wake = None
            self._deadlines.pop(future, None)

    async def _drain(self, effect: Flush) -> None:
        """Wait until the transport has room, or the signal is set. Some progress is enough to begin anew."""
        held = self._held()
        future = self._loop.create_future()
        effect.signal.wake = functools.partial(_resolve, future)
        self._writers.add(future)
        if effect.timeout is not None:
            self._set_deadline(future, effect.timeout)
        try:
            await future
        except TimeoutError:
            if self._held() >= held:
                raise
        finally:
            effect.signal.wake = None
            self._writers.discard(future)
            self._deadlines.pop(future, None)
        if self._closed:
            raise self._error or closed_here()
        effect.flushed = not self._blocked

    def _held(self) -> int:
        transport = self._transport
        return 0 if transport is None else transport.get_write_buffer_size()

    def _set_deadline(self, future: asyncio.Future[None], timeout: float) -> None:
        # One timer per link, left running when a wait ends early: it is dearer to cancel than to let it find nothing.
        when = self._deadlines[future] = self._loop.time() + timeout
        timer = self._timer
        if timer is None or when < timer.when():
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(when, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self._timer = None
        for future, when in self._deadlines.items():
            if when <= now and not future.done():
                future.set_exception(TimeoutError())
        later = [when for future, when in self._deadlines.items() if not future.done()]
        if later:
            self._timer = self._loop.call_at(min(later), self._tick)


class Backend:
    """Performs effects on the running asyncio event loop, or uvloop's."""

    name = "asyncio"
    clock = staticmethod(time.monotonic)
    mutex = staticmethod(threading.Lock)

    async def resolve(self, effect: Resolve) -> None:
        """Look a host name up, in a worker thread of the loop."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(effect.timeout):
            found = await loop.getaddrinfo(host_bytes(effect), effect.port, type=socket.SOCK_STREAM)
        effect.addresses = addresses_of(found, effect)

    async def dial(self, effect: Dial) -> None:
        """Connect to an address."""
        loop = asyncio.get_running_loop()
        sock = open_socket(effect.address, effect.local_address, effect.socket_options)
        try:
            async with asyncio.timeout(effect.timeout):
                await loop.sock_connect(sock, socket_address(effect.address))
                _, effect.link = await loop.create_connection(
                    lambda: Link(effect.machine, loop, sock), sock=sock
                )
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
        """Wait until the signal is set; the loop reads."""
        link: Link = effect.link  # type: ignore[assignment]
        return link.receive(effect.signal, effect.timeout)

    async def park(self, effect: Park) -> None:
        """Wait until the signal is set, by whatever thread."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        effect.signal.wake = functools.partial(_resolve_from_anywhere, future, loop, threading.get_ident())
        timer = None
        if effect.timeout is not None:
            timer = loop.call_later(effect.timeout, _time_out, future)
        try:
            if not effect.signal.ready:
                await future
        finally:
            effect.signal.wake = None
            if timer is not None:
                timer.cancel()

    async def sleep(self, effect: Sleep) -> None:
        """Sleep."""
        await asyncio.sleep(effect.seconds)

    async def offload(self, effect: Offload) -> None:
        """Call a function in a worker thread of the loop."""
        await asyncio.to_thread(effect.function)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _time_out(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def _resolve_from_anywhere(
    future: asyncio.Future[None], loop: asyncio.AbstractEventLoop, thread: int
) -> None:
    # Garbage collection in another thread may release a slot that this loop waits for.
    if threading.get_ident() == thread:
        _resolve(future)
    else:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(_resolve, future)


def _last_words(sock: socket.socket) -> bytes:
    # When a write fails, asyncio closes without reading what the server said before it hung up: a 413, say.
    try:
        return sock.recv(_BUFFER_SIZE)
    except OSError:
        return b""
