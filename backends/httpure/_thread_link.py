"""What threads have in common, whatever they wait with: a link that they share, and a gate to wait at.

One of those who use a link at a time waits for its socket, to read for all, and to send what the kernel did not take of
what they had to send. The others wait at gates.

    has the turn to read        waits for the socket: to be read from; and to be written to, if bytes are left unsent
    waits for news              at a gate, until its signal is set, or it is nudged to take the turn
    waits for its bytes to go   at a gate as well, after ringing the bell: whoever reads looks again, and sees them

Lock order: `sending` (held while bytes are handed to the kernel) before `mutex` (held for pure steps only). Nobody
waits for the socket with one of them.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import time
from _thread import allocate_lock  # `threading.Lock`; the import of that module takes a millisecond

from httpure_core.contracts import Machine, innermost
from httpure_core.effects import Flush, Receive
from httpure_core.signals import Signal

from ._socket_link import SocketLink, closed_here
from ._socket_waiting import LONGEST, wait_for_read

__all__ = ["Gate", "ThreadLink"]


class ThreadLink(SocketLink):
    """A socket that threads share. Subclass it and write `wait`."""

    __slots__ = ("_ringer", "_settled", "bell")

    def __init__(self, sock: socket.socket, machine: Machine) -> None:
        super().__init__(sock, machine, allocate_lock())
        # What rings when whoever reads is to look again: a socket to be read from. None where the link is one user's at
        # a time.
        self.bell: socket.socket | None = None
        self._ringer: socket.socket | None = None
        self._settled = False  # whether there is to be a bell

    def wait(self, read: bool, write: bool, timeout: float | None, bell: socket.socket | None = None) -> bool:
        """Wait until the socket can be read from, or written to, or has failed; False if that took too long.

        The `bell`, where there is one, is another socket: when that can be read from, the wait is over, too.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement wait().")

    def flush(self, effect: Flush) -> None:
        """Send all that there is, or what goes until the time is over, or until the peer answers."""
        try:
            with self.sending:
                flushed = self._push()
                mark = self.left
            if not flushed:
                self._flush_slowly(effect, mark)
        except TimeoutError:
            raise
        except OSError:
            if self.closed:
                raise closed_here() from None
            raise
        finally:
            if self.closed:
                self._bury()

    def receive(self, effect: Receive) -> None:
        """Read, or wait for the thread that reads, until the signal is set (runs once per request)."""
        signal, left = effect.signal, effect.timeout
        deadline = None if left is None else time.monotonic() + left
        try:
            while not signal.ready:
                gate = None
                with self.mutex:
                    if signal.ready or self.closed:
                        break
                    if not self._settled:
                        self._settle()
                    if not self.turn.join(signal):
                        gate = Gate(signal)
                    elif self.bell is not None:
                        signal.wake = self._ring
                if gate is not None:
                    gate.wait(left)
                else:
                    self._watch(signal, left)
                    try:  # noqa: SIM105 - this is run for each request, and `suppress` is four frames
                        self.push()  # what the machine has to say in answer, such as acknowledgements
                    except OSError:
                        pass  # if the connection is lost, the next read tells
                if deadline is not None and not signal.ready:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise TimeoutError  # of a peer that never pauses: there would always be something to read
        except TimeoutError:
            if not signal.ready:
                raise
        finally:
            try:
                self._leave(signal)
            except BaseException:  # an interrupt: once more, as others wait for the turn
                self._leave(signal)
                raise
        if self.closed and not signal.ready:
            self.end(closed_here())

    def _flush_slowly(self, effect: Flush, mark: int) -> None:
        """Wait until so many of the bytes that were left are gone."""
        signal, gone = effect.signal, self.gone
        deadline = None if effect.timeout is None else time.monotonic() + effect.timeout
        try:
            while True:
                with self.mutex:
                    if signal.ready or self.closed:
                        break
                    self.flushers[signal] = mark
                    reads, gate = self._place(signal)
                    if self.gone >= mark:
                        break
                if gate is not None:
                    gate.wait(_left(deadline))
                    continue
                if reads:
                    self._watch(signal, _left(deadline))
                else:
                    self._wait_alone(signal, deadline)
                self.push()
        except TimeoutError:
            if self.gone == gone and not signal.ready:
                raise
        finally:
            try:
                self._leave(signal)
            except BaseException:  # an interrupt: once more, as others wait for the turn
                self._leave(signal)
                raise
        if self.closed:
            raise closed_here()
        effect.flushed = self.gone >= mark

    def _place(self, signal: Signal) -> tuple[bool, Gate | None]:
        """Find who waits to send a place: True to read meanwhile, or a gate; neither of them to wait for room alone."""
        if not self._settled:
            self._settle()
        # Of a peer that talks without listening, no more is taken than its reader has room for.
        reads = self.machine.wants_data and not self.ended
        if reads and self.turn.join(signal):
            if self.bell is not None:
                signal.wake = self._ring
            return True, None
        if reads and self.bell is not None:
            gate = Gate(signal)
            self._ring()
            return False, gate
        self.turn.leave(signal)
        return False, None

    def _watch(self, signal: Signal, left: float | None) -> None:
        """Wait for the socket, for all, and read what has come. Only for who has the turn."""
        if not self.wait(True, bool(self.unsent), left, self.bell):
            raise TimeoutError
        if self.bell is not None:
            signal.wake = None
            with contextlib.suppress(BlockingIOError):
                self.bell.recv(64)
        self.pull()

    def _wait_alone(self, signal: Signal, deadline: float | None) -> None:
        """Wait for room, or news that another thread reads, by a bell that is made for that: few ever come here."""
        bell, ringer = _bell()
        try:
            signal.wake = functools.partial(_ring, ringer)
            gone = self.gone >= self.flushers[signal]
            if not signal.ready and not gone and not self.wait(False, True, _left(deadline), bell):
                raise TimeoutError
        finally:
            signal.wake = None
            if bell is not None and ringer is not None:
                bell.close()
                ringer.close()

    def _settle(self) -> None:
        """Find out whether the link is for several, as soon as its machine knows; then it gets a bell."""
        multiplexed = getattr(innermost(self.machine), "multiplexed", None)
        self._settled = multiplexed is not None
        self._alone = self._settled and not multiplexed
        if multiplexed:
            self.bell, self._ringer = _bell()
            self._wait_for_read = wait_for_read(self.sock, self.bell)

    def _ring(self) -> None:
        _ring(self._ringer)

    def nudge(self) -> None:
        """Send what the kernel takes now, unless somebody is at it. What is left is for whoever reads."""
        if not self._offer() and not self.closed:
            self._ring()

    def _leave(self, signal: Signal) -> None:
        with self.mutex:
            signal.wake = None
            if self.flushers:
                self.flushers.pop(signal, None)
            self.turn.leave(signal)
        if self.closed:
            self._bury()

    def close(self) -> None:
        """Close the socket; where threads use it, wake the one who waits for it, and leave it to the last of them."""
        self.closed = True
        if self.inherited:
            self._close_all()
            return
        if self.sending.acquire(False):
            try:
                if self.mutex.acquire(False):
                    try:
                        if not self._in_use:
                            self._close_all()
                            return
                    finally:
                        self.mutex.release()
            finally:
                self.sending.release()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def _bury(self) -> None:
        # As `close`, by one who has used the link: garbage collection never comes here, so this may wait for locks.
        with self.sending, self.mutex:
            if not self._in_use:
                self._close_all()
                return
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    @property
    def _in_use(self) -> bool:
        # Others would wait for the number of a socket that is closed, which may be another's by then.
        return self.turn.reader is not None or bool(self.turn.waiting or self.flushers)

    def _close_all(self) -> None:
        super().close()
        if self.bell is not None and self._ringer is not None:
            self.bell.close()
            self._ringer.close()


class Gate:
    """Where a thread waits for a signal. Made before the last look at the signal's state, used once.

    One plain lock, as garbage collection may open it while its own thread is about to wait: `threading.Event`, whose
    methods take a lock of their own, could then wait for itself.
    """

    __slots__ = ("_lock", "_signal")

    def __init__(self, signal: Signal) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()
        self._signal = signal
        signal.wake = self._open

    def _open(self) -> None:
        with contextlib.suppress(RuntimeError):  # two threads had news at once
            self._lock.release()

    def wait(self, seconds: float | None) -> None:
        """Wait until the signal is set, or nudged. Raises TimeoutError."""
        limit = -1 if seconds is None else min(seconds, LONGEST)
        signal = self._signal
        if not signal.ready and not self._lock.acquire(timeout=limit) and not signal.ready:
            raise TimeoutError


def _bell() -> tuple[socket.socket | None, socket.socket | None]:
    """Make what can be waited for together with a socket, and what rings it. Without files left, do without."""
    try:
        bell, ringer = socket.socketpair()
    except OSError:
        return None, None
    bell.setblocking(False)
    ringer.setblocking(False)
    return bell, ringer


def _ring(ringer: socket.socket | None) -> None:
    if ringer is not None:
        with contextlib.suppress(OSError):  # it is full, so it rings already; or closed
            ringer.send(b"!")


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
