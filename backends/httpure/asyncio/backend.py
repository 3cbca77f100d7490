"""The asyncio backend: one protocol per connection, and no task, stream or timer per request.

The event loop reads: what arrives is fed to the machine at once, and the machine sets signals. All links of a
thread share one receive buffer, because a plain `Protocol` would have the loop allocate 256 KiB for each read.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from httpure_core.contracts import Machine, Mutex, innermost
from httpure_core.effects import Begin, Dial, Flush, Offload, Park, Race, Receive, Resolve, Sleep
from httpure_core.signals import Signal

from .._errand import Errand, look_up
from .._memory import Basket, keep_freed_memory
from .._socket_addresses import addresses_of, host_bytes, in_plain_words, open_socket, socket_address
from .._socket_info import socket_info
from .._socket_link import closed_here
from .._socket_waiting import look
from .attempts import TaskAttempt, WatchedAttempt, begin
from .parked import parked, time_out

__all__ = ["Backend", "Link"]

T = TypeVar("T")

_BUFFER_SIZE = 256 * 1024
#: How often a link is read from before it is used again: session tickets of TLS come in a few pieces.
_MOST_IDLE_READS = 8


class _Buffer(threading.local):
    """The receive buffer of a thread: filled and emptied within one callback, so links can share it."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_BUFFER_SIZE))


_buffer = _Buffer()


class Link(asyncio.BufferedProtocol):
    """A connection of the event loop. See `contracts.Link`."""

    basket = Basket

    # A dict for each of many idle connections would be a third of a KiB.
    __slots__ = (
        "_blocked",
        "_closed",
        "_deadline",
        "_error",
        "_in_place",
        "_limited",
        "_look",
        "_loop",
        "_process",
        "_reading",
        "_rings",
        "_sock",
        "_thread",
        "_timer",
        "_transport",
        "_view",
        "_writers",
        "_written",
        "machine",
        "mutex",
    )

    def __init__(self, machine: Machine, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        keep_freed_memory()
        self.machine = machine
        self.mutex: Mutex = threading.Lock()  # see pool.py for why it is a real one
        self._loop = loop
        self._sock = sock
        self._look = look(sock)
        self._thread = threading.get_ident()
        self._process = os.getpid()
        self._transport: asyncio.Transport | None = None
        self._view = _buffer.view
        self._in_place = False  # whether the loop reads right into the machine's room
        self._error: OSError | None = None
        self._closed = False
        self._reading = True
        self._blocked = False  # the transport holds more than it wants to
        self._written = 0  # bytes that it ever got
        self._writers: list[asyncio.Future[bool]] = []  # tasks that wait for it to hold less
        self._limited: asyncio.Future[bool] | None = None  # who has the link's timer
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._rings = 0.0  # when that does

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the thread's buffer; or the place of a large body, which is then not copied any more."""
        room = getattr(self.machine, "room", None)
        self._in_place = room is not None
        return self._view if room is None else room()

    def buffer_updated(self, nbytes: int) -> None:
        """Feed the machine, and send what it answers (runs once per arrival of bytes)."""
        machine: Any = self.machine
        with self.mutex:
            if self._in_place:
                machine.filled(nbytes)
            else:
                data = self._view[:nbytes]
                # The fast lane reads in the buffer, and copies only what it keeps.
                machine.receive_data(data if getattr(machine, "reads_views", False) else bytes(data))
            answer = machine.data_to_send()
        if answer:
            self._write(answer)
        if not machine.wants_data and self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Tell the machine. The transport then closes itself, unless there may be more to say: after an upgrade."""
        with self.mutex:
            self.machine.receive_eof()
        return getattr(innermost(self.machine), "half_open", False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the machine why, and wake those who wait to write."""
        self._closed = True
        last_words = b""
        if exc is None:
            # In order, if the peer has ended the connection before, which the machine knows then.
            self._error = closed_here()
        else:
            # Of the loop's frames, one has the buffer that it received into, and so the memory of the body, which would
            # stay until a collection; and there, its end would be a BufferError (shown from Python 3.13 on).
            exc.__traceback__ = None
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
        self._blocked = False
        for future in self._writers:
            if not future.done():
                future.set_result(True)

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
        """Feed what has arrived and the loop has not read yet; True if the link is of no use here (once per request).

        The loop reads between two steps of its tasks. What came since it last did would meet the next request, as if
        that were what had been asked for. So the kernel is asked, which takes 0.6 µs.
        """
        if self._closed or self._loop is not asyncio.get_running_loop():
            return True
        return bool(self._look(0)) and self._read_idly()

    def _read_idly(self) -> bool:
        """Read as the loop would. Returns as `is_stale`. The loop sees an end by itself, too."""
        for _ in range(_MOST_IDLE_READS):
            if not self._reading or self._closed:
                break  # in the middle of an upload: its reader has to catch up
            try:
                size = self._sock.recv_into(self.get_buffer(-1))
            except (BlockingIOError, InterruptedError):
                break
            except OSError as exc:
                exc.__traceback__ = None  # as in `connection_lost`
                with self.mutex:
                    self.machine.receive_eof(exc)  # the kernel tells it once only
                return True
            if not size:
                return True
            self.buffer_updated(size)
        return self._closed

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
        if data and self._transport is not None:  # as `_write`
            self._written += len(data)
            self._transport.write(data)
        return self._drain(effect) if self._blocked else None

    def _read_on(self) -> None:
        if not self._reading and not self._closed and self._transport is not None and self.machine.wants_data:
            self._reading = True
            self._transport.resume_reading()

    def _send_queued(self) -> None:
        with self.mutex:
            data = self.machine.data_to_send()
        if data:
            self._write(data)

    def _write(self, data: bytes | memoryview) -> None:
        if not self._closed and self._transport is not None:
            self._written += len(data)
            self._transport.write(data)

    async def receive(self, signal: Signal, timeout: float | None) -> None:
        """Wait for the signal."""
        if signal.ready:
            return
        future: asyncio.Future[bool] = self._loop.create_future()
        signal.wake = functools.partial(_resolve, future)
        timer = None if timeout is None else self._limit(future, timeout)
        try:
            await future
        except TimeoutError:
            if not signal.ready:
                raise
        finally:
            signal.wake = None
            if timer is not None:
                timer.cancel()
            elif self._limited is future:
                self._limited = None

    async def _drain(self, effect: Flush) -> None:
        """Wait until the transport has room, or the signal is set. Some progress is enough to begin anew.

        Who waits while the transport gets room has been served, whatever others write into it then.
        """
        gone = self._gone()
        future: asyncio.Future[bool] = self._loop.create_future()
        effect.signal.wake = functools.partial(_resolve, future)
        self._writers.append(future)
        timer = None if effect.timeout is None else self._limit(future, effect.timeout)
        effect.flushed = False
        try:
            effect.flushed = await future
        except TimeoutError:
            if self._gone() <= gone and not effect.signal.ready:
                raise
        finally:
            effect.signal.wake = None
            self._writers.remove(future)
            if timer is not None:
                timer.cancel()
            elif self._limited is future:
                self._limited = None
        if self._closed:
            raise self._error or closed_here()

    def _held(self) -> int:
        transport = self._transport
        return 0 if transport is None else transport.get_write_buffer_size()

    def _gone(self) -> int:
        return self._written - self._held()

    def _limit(self, future: asyncio.Future[bool], timeout: float) -> asyncio.TimerHandle | None:
        """Have a wait end in time. The first gets the link's own timer, any other one of its own, which is returned.

        The link's timer is left running when a wait ends early: it is dearer to cancel than to let it find nothing.
        """
        when = self._loop.time() + timeout
        if self._limited is not None:
            return self._loop.call_at(when, time_out, future)
        self._limited, self._deadline = future, when
        if self._timer is None or when < self._rings:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._rings = self._loop.call_at(when, self._tick), when
        return None

    def _tick(self) -> None:
        self._timer = None
        future = self._limited
        if future is not None:
            if self._deadline <= self._loop.time():
                time_out(future)
            else:
                self._timer, self._rings = self._loop.call_at(self._deadline, self._tick), self._deadline


class Backend:
    """Performs effects on the running asyncio event loop, or uvloop's."""

    name = "asyncio"
    clock = staticmethod(time.monotonic)
    mutex = staticmethod(threading.Lock)

    async def resolve(self, effect: Resolve) -> None:
        """Look a host name up, in a thread; not in one of the loop's, which are few, and whose end `run` waits for."""
        errand = look_up(host_bytes(effect), effect.port)
        await self.park(Park(errand.join(), effect.timeout))
        effect.addresses = addresses_of(errand.found(), effect)

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several."""
        effect.attempt = begin(effect, asyncio.get_running_loop())

    async def race(self, effect: Race) -> None:
        """Wait until one of several attempts has connected or failed."""
        signal = Signal()
        for attempt in cast("list[WatchedAttempt | TaskAttempt]", effect.attempts):
            attempt.signal = signal
            if not attempt.under_way:
                signal.set()
        await self.park(Park(signal, effect.timeout))

    async def dial(self, effect: Dial) -> None:
        """Connect to an address."""
        loop = asyncio.get_running_loop()
        attempt = cast("WatchedAttempt | TaskAttempt | None", effect.attempt)
        if attempt is not None:
            sock = attempt.finish()
        else:
            sock = open_socket(effect.address, effect.local_address, effect.socket_options)
        try:
            async with asyncio.timeout(effect.timeout):
                if attempt is None:
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
        if effect.signal.ready:
            return None
        link: Link = effect.link  # type: ignore[assignment]
        return link.receive(effect.signal, effect.timeout)

    async def park(self, effect: Park) -> None:
        """Wait until the signal is set, by whatever thread."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        effect.signal.wake = functools.partial(_resolve_from_anywhere, future, loop, threading.get_ident())
        timer = None if effect.timeout is None else parked.limit(future, effect.timeout, loop)
        try:
            if not effect.signal.ready:
                await future
        finally:
            effect.signal.wake = None
            if timer is not None:
                timer.cancel()
            elif effect.timeout is not None:
                future.cancel()  # it may never have been waited for
                parked.leave()

    async def sleep(self, effect: Sleep) -> None:
        """Sleep."""
        await asyncio.sleep(effect.seconds)

    async def offload(self, effect: Offload) -> None:
        """Call a function in a worker thread of the loop; in one of its own if it may be abandoned."""
        if effect.abandon:
            errand = Errand(functools.partial(contextvars.copy_context().run, effect.function))
            errand.go("httpure: a function that may hang")
            await self.park(Park(errand.join(), None))
            errand.result()
        else:
            await asyncio.to_thread(effect.function)

    async def limit(self, function: Callable[[], Awaitable[T]], seconds: float | None) -> T:
        """Call a coroutine function, for at most so long."""
        async with asyncio.timeout(seconds):
            return await function()


def _resolve(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(False)


def _resolve_from_anywhere(
    future: asyncio.Future[bool], loop: asyncio.AbstractEventLoop, thread: int
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
