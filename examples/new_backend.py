"""A whole backend of your own: blocking, safe for threads, on the `selectors` module. See docs/writing-a-backend.md."""

import contextlib
import errno
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE

import httpure
from httpure.backends import addresses_of, host_bytes, open_socket, socket_address
from httpure_core.contracts import Machine
from httpure_core.effects import Dial, Flush, Park, Receive, Resolve, Sleep
from httpure_core.signals import ReadTurn, Signal

LONGEST = 1_000_000.0  # seconds: the system's waits do not take more


def closed_here() -> OSError:
    """Return what those are told who wait on a link while it is closed."""
    return ConnectionAbortedError(errno.ECONNABORTED, "the client was closed")


def wait_for_socket(sock: socket.socket, events: int, timeout: float | None) -> int:
    """Wait until the socket is ready for any of the events. Returns for which; 0 if the time is over."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, events)
        found = selector.select(None if timeout is None else min(timeout, LONGEST))
    return found[0][1] if found else 0


def wait_for_wake(signal: Signal, gate: threading.Lock, timeout: float | None) -> None:
    """Wait until `gate.release`, which is the signal's wake, was called. Raises TimeoutError."""
    woken = gate.acquire(timeout=-1 if timeout is None else min(timeout, LONGEST))
    if not woken and not signal.ready:
        raise TimeoutError


class Link:
    """One connection. Reading is guarded by `turn`, `unsent` by `sending`, the machine and the turn by `mutex`."""

    def __init__(self, sock: socket.socket, machine: Machine) -> None:
        self.sock = sock
        self.machine = machine
        self.mutex = threading.Lock()
        self.sending = threading.Lock()  # is taken before `mutex`
        self.turn = ReadTurn()
        self.unsent = bytearray()
        self.ended = False
        self.closed = False
        self.users: dict[object, None] = {}

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the socket from being closed; the last user of a closed link closes it."""
        me = object()
        self.users[me] = None
        try:
            yield
        finally:
            del self.users[me]
            if self.closed and not self.users:
                self.sock.close()

    def close(self) -> None:
        """Close at once, or wake the users, who then do."""
        self.closed = True
        if self.users:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
        else:
            self.sock.close()

    def nudge(self) -> None:
        """Nothing to do: who waits, reads."""

    def is_stale(self) -> bool:
        """Read what is there, without waiting. Returns True if the connection has ended."""
        with self.in_use(), self.turn_if_free(Signal()) as mine:
            while mine and self.machine.wants_data and self.read():
                pass
        return self.ended or self.closed

    @contextlib.contextmanager
    def turn_if_free(self, signal: Signal) -> Iterator[bool]:
        """Take the turn to read if nobody has it; do not queue for it."""
        with self.mutex:
            mine = self.turn.reader is None and self.turn.join(signal)
        try:
            yield mine
        finally:
            if mine:
                with self.mutex:
                    self.turn.leave(signal)

    def read(self) -> bool:
        """Read once, feed the machine, and send its answer. Returns True if there may be more to read."""
        data, error = b"", None
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            if not self.closed:
                return False
        except OSError as exc:
            error = exc
        with self.mutex:
            if data and not self.closed:
                self.machine.receive_data(data)
            else:
                self.ended = True
                self.machine.receive_eof(closed_here() if self.closed else error)
        with contextlib.suppress(OSError):
            self.send()
        return not self.ended

    def send(self) -> bool:
        """Send what the kernel takes now. Returns True if nothing is left."""
        with self.sending:
            with self.mutex:
                self.unsent += self.machine.data_to_send()
            try:
                while self.unsent:
                    del self.unsent[: self.sock.send(self.unsent)]
            except BlockingIOError:
                return False
            except OSError:
                if self.closed:
                    raise closed_here() from None
                raise
            return True
