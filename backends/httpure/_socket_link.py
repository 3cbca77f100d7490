"""A link over a non-blocking socket, as far as it is the same for every way of waiting.

`push` and `pull` do what the kernel allows right now; how to wait until it allows more is what backends differ in.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from _thread import allocate_lock  # `threading.Lock`; the import of that module takes a millisecond
from collections import deque
from typing import Any

from httpure_core.contracts import Machine, Mutex
from httpure_core.signals import ReadTurn, Signal

from ._memory import Basket, keep_freed_memory
from ._socket_info import socket_info
from ._socket_waiting import wait_for_read

__all__ = ["SocketLink", "closed_here"]

#: Bytes asked for in one read. It doubles while reads come back full: a large transfer takes few of them, and
#: a small response does not pay for a large buffer.
FIRST_READ = 64 * 1024
LARGEST_READ = 256 * 1024
#: How often an idle connection is read from before it is used again: session tickets of TLS come in a few pieces.
_MOST_IDLE_READS = 8
#: Bytes up to which what is left unsent is joined, so that many small pieces take few calls.
_SMALL = 16 * 1024
#: Has the turn while a link is looked at that nobody uses.
_LOOKING = Signal()


class SocketLink:
    """Owns a connected socket and the bytes that it has not taken yet. See `contracts.Link`.

    Several may use it at a time. What one of them cannot send stays here, and goes out in order, whoever sends next.
    """

    basket = Basket

    __slots__ = (
        "_alone",
        "_process",
        "_read_size",
        "_wait_for_read",
        "closed",
        "ended",
        "flushers",
        "gone",
        "left",
        "machine",
        "mutex",
        "sending",
        "sock",
        "turn",
        "unsent",
    )

    def __init__(self, sock: socket.socket, machine: Machine, mutex: Mutex) -> None:
        keep_freed_memory()
        self.sock = sock
        self.machine = machine
        self.mutex = mutex  # guards machine and turn; never held while waiting
        self.turn = ReadTurn()
        self.sending = allocate_lock()  # held while bytes are handed to the kernel; acquire before `mutex`
        # Guarded by `sending`:
        self.unsent: deque[memoryview] = deque()  # what the kernel has not taken
        self.left = 0  # bytes that it has not taken at once, of all that it ever got
        self.gone = 0  # those of them that it has taken since
        #: Who waits until so many bytes are gone: then all that they had to send is.
        self.flushers: dict[Signal, int] = {}
        self.closed = False  # by us
        self.ended = False  # by the peer, or by an error
        self._alone = False  # whether nobody looks at it at the same time: no other thread
        self._read_size = FIRST_READ
        self._wait_for_read = wait_for_read(sock)
        self._process = os.getpid()

    def push(self) -> bool:
        """Send what the kernel takes now; True if nothing is left. Raises OSError."""
        with self.sending:
            return self._push()

    def _push(self) -> bool:
        """As `push`. Called with `sending` held."""
        try:
            with self.mutex:
                data = self.machine.data_to_send()
            if self.unsent:
                return self._send_after(data)
            return not data or self._send(data)
        except OSError:
            raise
        except BaseException:
            self.closed = True  # an interrupt: some bytes may have gone, and nobody knows which
            raise

    def _send(self, data: bytes | memoryview) -> bool:
        try:
            sent = self.sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        return sent == len(data) or self._send_after(memoryview(data)[sent:])

    def _send_after(self, data: bytes | memoryview) -> bool:
        """Send what was left earlier, and then this."""
        unsent = self.unsent
        if data:
            self.left += len(data)
            if unsent and len(unsent[-1]) + len(data) <= _SMALL:
                data = b"".join((unsent.pop(), data))
            unsent.append(memoryview(data))
        try:
            while unsent:
                sent = self.sock.send(unsent[0])
                self.gone += sent
                if sent < len(unsent[0]):
                    unsent[0] = unsent[0][sent:]
                else:
                    unsent.popleft()
        except (BlockingIOError, InterruptedError):
            pass
        for signal, mark in list(self.flushers.items()):
            if mark <= self.gone:
                signal.nudge()
        return not unsent

    def pull(self) -> bool:
        """Feed the machine what the kernel has now; False if that is nothing. Only for who has the turn to read.

        The end of the connection is told to the machine, so nothing is raised. There is no checkpoint between
        the arrival of bytes and the machine that takes them.
        """
        room = getattr(self.machine, "room", None)
        read_size = self._read_size
        data = b""
        try:
            try:
                if room is None:
                    data = self.sock.recv(read_size)
                    size = len(data)
                else:  # nobody but who reads has to do with it, so the mutex is not needed
                    size = self.sock.recv_into(room())
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as exc:
                self.end(exc)
                return True
            if self.closed:
                self.end(closed_here())
                return True
            with self.mutex:
                if not size:
                    self.ended = True
                    self.machine.receive_eof()
                elif room is None:
                    self.machine.receive_data(data)
                else:
                    self.machine.filled(size)  # type: ignore[attr-defined]  # what has a room has this
        except BaseException:
            self.closed = True  # an interrupt: some of what came may be lost
            raise
        if room is None:
            if size == read_size:
                self._read_size = min(2 * read_size, LARGEST_READ)
            elif size < FIRST_READ:
                self._read_size = FIRST_READ
        return True

    def end(self, error: OSError) -> None:
        """Tell the machine that the connection is lost."""
        with self.mutex:
            self.ended = True
            self.machine.receive_eof(closed_here() if self.closed else error)
        for signal in list(self.flushers):
            signal.nudge()

    def nudge(self) -> None:
        """Send what the kernel takes now, unless somebody is at it: then it goes out with the next flush.

        Garbage collection may call this in the middle of any step, even one that holds a lock in the same thread. So
        it waits for none; and where it gets them both, nobody is in the middle of anything.
        """
        self._offer()

    def _offer(self) -> bool:
        """As `nudge`; False if something is left to send, or somebody is at it."""
        if self.closed or self.inherited:
            return True
        if not self.sending.acquire(False):
            return False
        try:
            if not self.mutex.acquire(False):
                return False
            try:
                data = self.machine.data_to_send()
            finally:
                self.mutex.release()
            try:
                return self._send_after(data)
            except OSError:
                return True  # if the connection is lost, the next read tells
        except BaseException:
            self.closed = True  # an interrupt: some bytes may have gone, and nobody knows which
            raise
        finally:
            self.sending.release()
            if self.closed:
                self.close()

    @property
    def inherited(self) -> bool:
        """True in a process that was forked off: the connection is its parent's, who goes on using it."""
        return self._process != os.getpid()

    def is_stale(self) -> bool:
        """Feed what has arrived while nobody read, session tickets or an end; True if the link is of no use here.

        Never waits: where somebody reads, all that this tells is whether the link is closed.
        """
        if self._process != os.getpid() or self.closed or self.ended:
            return True
        # Nearly always there is nothing. Who is alone can ask that without the turn, for a third of the instructions;
        # another thread must not, as a `poll` that is under way takes no second call.
        if self._alone and self.turn.reader is None:
            try:
                if not self._wait_for_read(0):
                    return False
            except (OSError, ValueError):
                return True
        return self._read_idly()

    def _read_idly(self) -> bool:
        """Read what has come while nobody read. Returns as `is_stale`."""
        looking = False
        try:
            with self.mutex:
                if self.turn.reader is not None or self.closed:
                    return self.closed or self.ended
                looking = True
                self.turn.reader = _LOOKING
            for _ in range(_MOST_IDLE_READS):
                if self.ended or self.closed or not self._wait_for_read(0) or not self.pull():
                    return self.ended or self.closed
                if not self.machine.wants_data:  # in the middle of an upload: its reader has to catch up
                    return self.ended or self.closed
            # There is more than can be read here: much of a download that somebody left, on a connection with many
            # streams. Whoever has talked unasked is found out by the machine, which will not use the connection again.
            return self.ended or self.closed
        except (OSError, ValueError):
            return True
        finally:
            if looking:
                with self.mutex:
                    self.turn.reader = None
                    if self.turn.waiting:
                        self.turn.leave(_LOOKING)  # somebody has come meanwhile
                if self.closed:
                    self._bury()

    def _bury(self) -> None:
        """Close the socket of a closed link, when the last who used it leaves."""
        self.close()

    def extra_info(self, name: str) -> Any:
        """Return what is known of the connection, such as "server_addr"; see `socket_info`."""
        return socket_info(self.sock, name)

    def close(self) -> None:
        """Close the socket."""
        self.closed = True
        with contextlib.suppress(OSError):
            self.sock.close()


def closed_here() -> OSError:
    """Return the error for those whose connection is closed under their hands, by closing the client."""
    return ConnectionAbortedError(errno.ECONNABORTED, "the client was closed")
