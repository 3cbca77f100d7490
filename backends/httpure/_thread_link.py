"""What threads have in common, whatever they wait with: a link that they share, and a gate to wait at.

Lock order: `sending` (held while writing) before `mutex` (held for pure steps only); a blocking read holds neither.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from httpure_core.contracts import Machine
from httpure_core.effects import Flush, Receive
from httpure_core.signals import Signal

from ._socket_link import SocketLink
from ._socket_waiting import LONGEST

__all__ = ["Gate", "ThreadLink"]


class ThreadLink(SocketLink):
    """A socket that threads share. Subclass it and write `wait`."""

    __slots__ = ("_answers",)

    def __init__(self, sock: socket.socket, machine: Machine) -> None:
        super().__init__(sock, machine, threading.Lock())
        self._answers = False  # the machine may have something to say to what was read

    def wait(self, read: bool, write: bool, timeout: float | None) -> bool:
        """Wait until the socket can be read from, or written to, or has failed; False if that took too long."""
        raise NotImplementedError(f"{type(self).__name__} must implement wait().")

    def flush(self, effect: Flush) -> None:
        """Send all, or what goes in one wait, or until the peer answers."""
        with self.sending:
            try:
                if not self._push():
                    self._flush_slowly(effect)
            finally:
                if self.closed:
                    super().close()
        if self._answers:
            self._answer()

    def _flush_slowly(self, effect: Flush) -> None:
        # Of a peer that talks without listening, no more is taken than its reader has room for.
        wants_data = self.machine.wants_data
        if not self.wait(wants_data, True, effect.timeout):
            raise TimeoutError
        if wants_data:
            self._look_for_news(effect.signal)
        effect.flushed = self._push()

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

    def receive(self, effect: Receive) -> None:
        """Read, or wait for the thread that reads, until the signal is set (runs once per request)."""
        signal = effect.signal
        deadline = None if effect.timeout is None else time.monotonic() + effect.timeout
        while True:
            gate = None
            with self.mutex:
                if signal.ready:
                    return
                if not self.turn.join(signal):
                    gate = Gate(signal)
            try:
                if gate is None:
                    self._read(deadline)
                else:
                    gate.wait(_left(deadline))
            finally:
                self._leave_turn(signal)

    def _read(self, deadline: float | None) -> None:
        if not self.wait(True, False, _left(deadline)):
            raise TimeoutError
        if self.pull():
            self._answers = True
            self._answer()

    def _answer(self) -> None:
        """Send what the machine has to say in answer, such as acknowledgements.

        Whoever has read does not wait for another thread that is sending, and may wait for the peer to take something.
        That one looks here when it is done.
        """
        while self._answers and self.sending.acquire(False):
            self._answers = False
            try:
                # If the connection is lost, the next read will tell.
                with contextlib.suppress(OSError):
                    self._push()
            finally:
                self.sending.release()
                if self.closed:
                    self.close()

    def _leave_turn(self, signal: Signal) -> None:
        with self.mutex:
            signal.wake = None
            self.turn.leave(signal)
        if self.closed:
            super().close()

    def close(self) -> None:
        """Close the socket; where a thread waits for it, wake that one, which then closes it."""
        self.closed = True
        if self.inherited or (self.turn.reader is None and not self.sending.locked()):
            super().close()
        else:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class Gate:
    """Where a thread waits for a signal. Made before the last look at the signal's state, used once.

    One plain lock, as garbage collection may open it while its own thread is about to wait: `threading.Event`, whose
    methods take a lock of their own, could then wait for itself.
    """

    __slots__ = ("_lock", "_signal")

    def __init__(self, signal: Signal) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._signal = signal
        signal.wake = self._lock.release

    def wait(self, seconds: float | None) -> None:
        """Wait until the signal is set, or nudged. Raises TimeoutError."""
        limit = -1 if seconds is None else min(seconds, LONGEST)
        signal = self._signal
        if not signal.ready and not self._lock.acquire(timeout=limit) and not signal.ready:
            raise TimeoutError


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
