"""The blocking backend: sockets, threads, and `poll`.

Threads may share a link. Lock order: `sending` (held while writing) before `mutex` (held for pure steps only); a
blocking read holds neither.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time

from httpure_core.contracts import Machine
from httpure_core.effects import Dial, Flush, Park, Receive, Resolve, Sleep
from httpure_core.signals import Signal

from .._socket_addresses import addresses_of, host_bytes, open_socket, socket_address
from .._socket_link import SocketLink
from .._socket_waiting import LONGEST, wait_for_write, wait_for_write_or_read

__all__ = ["Backend", "Link"]

_IN_PROGRESS = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, getattr(errno, "WSAEWOULDBLOCK", 0)}


class Link(SocketLink):
    """A socket that threads share."""

    __slots__ = ("_wait_for_write_or_read", "sending")

    def __init__(self, sock: socket.socket, machine: Machine) -> None:
        super().__init__(sock, machine, threading.Lock())
        self.sending = threading.Lock()  # guards `unsent`; acquire before `mutex`
        self._wait_for_write_or_read = wait_for_write_or_read(sock)

    def flush(self, effect: Flush) -> None:
        """Send all, or what goes in one wait, or until the peer answers."""
        with self.sending:
            try:
                if not self.push():
                    self._flush_slowly(effect)
            finally:
                if self.closed:
                    super().close()

    def _flush_slowly(self, effect: Flush) -> None:
        if not self._wait_for_write_or_read(effect.timeout):
            raise TimeoutError
        self._look_for_news(effect.signal)
        effect.flushed = self.push()

    def _look_for_news(self, signal: Signal) -> None:
        # The peer may have news instead of room. If another thread has the turn to read, it will see them.
        with self.mutex:
            if self.turn.reader is not None:
                return
            self.turn.join(signal)
        try:
            self.pull()
        finally:
            self._leave_turn(signal)

    def receive(self, signal: Signal, timeout: float | None) -> None:
        """Read, or wait for the thread that reads, until the signal is set (runs once per request)."""
        deadline = _deadline(timeout)
        while True:
            gate = None
            with self.mutex:
                if signal.ready:
                    return
                if not self.turn.join(signal):
                    gate = _Gate()
                    signal.wake = gate.open
            try:
                if gate is None:
                    self._read(deadline)
                elif not gate.wait(_left(deadline)) and not signal.ready:
                    raise TimeoutError
            finally:
                self._leave_turn(signal)

    def _read(self, deadline: float | None) -> None:
        if not self._wait_for_read(_left(deadline)):
            raise TimeoutError
        if self.pull():
            # What the machine has to say in answer, such as acknowledgements. If the connection is lost, the
            # next read will tell.
            with self.sending, contextlib.suppress(OSError):
                self.push()

    def _leave_turn(self, signal: Signal) -> None:
        with self.mutex:
            signal.wake = None
            self.turn.leave(signal)
        if self.closed:
            super().close()

    def close(self) -> None:
        """Close the socket; where a thread waits for it, wake that one, which then closes it."""
        self.closed = True
        if self.turn.reader is None and not self.sending.locked():
            super().close()
        else:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class _Gate:
    """Shut until it is opened, once, by whoever. One plain lock, as garbage collection may open it while its own
    thread is about to wait: `threading.Event`, whose methods take a lock of their own, could then wait for itself."""

    __slots__ = ("_lock", "open")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.open = self._lock.release

    def wait(self, seconds: float | None) -> bool:
        """Wait until it is open; False if that took longer."""
        return self._lock.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))


class Backend:
    """Performs effects with blocking calls of the standard library. Safe to share between threads."""

    name = "sockets"
    clock = staticmethod(time.monotonic)
    mutex = staticmethod(threading.Lock)

    def resolve(self, effect: Resolve) -> None:
        """Look a host name up. The operating system's resolver decides how long that takes."""
        found = socket.getaddrinfo(host_bytes(effect), effect.port, type=socket.SOCK_STREAM)
        effect.addresses = addresses_of(found, effect)

    def dial(self, effect: Dial) -> None:
        """Connect to an address."""
        sock = open_socket(effect.address, effect.local_address, effect.socket_options)
        try:
            error = sock.connect_ex(socket_address(effect.address))
            if error in _IN_PROGRESS:
                if not wait_for_write(sock)(effect.timeout):
                    raise TimeoutError
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
        except BaseException:
            sock.close()
            raise
        effect.link = Link(sock, effect.machine)

    def flush(self, effect: Flush) -> None:
        """Send what the link's machine has to send."""
        link: Link = effect.link  # type: ignore[assignment]
        link.flush(effect)

    def receive(self, effect: Receive) -> None:
        """Read from the link until the signal is set."""
        link: Link = effect.link  # type: ignore[assignment]
        link.receive(effect.signal, effect.timeout)

    def park(self, effect: Park) -> None:
        """Wait until another thread sets the signal."""
        gate = _Gate()
        effect.signal.wake = gate.open
        timeout = None if effect.timeout is None else min(effect.timeout, LONGEST)
        if not effect.signal.ready and not gate.wait(timeout) and not effect.signal.ready:
            raise TimeoutError

    def sleep(self, effect: Sleep) -> None:
        """Sleep."""
        time.sleep(effect.seconds)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + min(timeout, LONGEST)


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
