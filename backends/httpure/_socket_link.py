"""A link over a non-blocking socket, as far as it is the same for every way of waiting.

`push` and `pull` do what the kernel allows right now; how to wait until it allows more is what backends differ in.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from typing import Any

from httpure_core.contracts import Machine, Mutex
from httpure_core.signals import ReadTurn

from ._socket_info import socket_info
from ._socket_waiting import wait_for_read

__all__ = ["SocketLink", "closed_here"]

#: Bytes asked for in one read. It doubles while reads come back full: a large transfer takes few of them, and
#: a small response does not pay for a large buffer.
FIRST_READ = 64 * 1024
LARGEST_READ = 512 * 1024
#: How often an idle connection is read from before it is used again: session tickets of TLS come in a few pieces.
_MOST_IDLE_READS = 8


class SocketLink:
    """Owns a connected socket and the bytes that it has not taken yet. See `contracts.Link`."""

    __slots__ = (
        "_process",
        "_read_size",
        "_wait_for_read",
        "closed",
        "ended",
        "machine",
        "mutex",
        "sending",
        "sock",
        "turn",
        "unsent",
    )

    def __init__(self, sock: socket.socket, machine: Machine, mutex: Mutex) -> None:
        self.sock = sock
        self.machine = machine
        self.mutex = mutex  # guards machine and turn; never held while waiting
        self.turn = ReadTurn()
        self.sending = threading.Lock()  # held while writing; acquire before `mutex`
        self.unsent = b""  # guarded by `sending`
        self.closed = False  # by us
        self.ended = False  # by the peer, or by an error
        self._read_size = FIRST_READ
        self._wait_for_read = wait_for_read(sock)
        self._process = os.getpid()

    def push(self) -> bool:
        """Send what the kernel takes now; True if nothing is left. Raises OSError."""
        with self.sending:
            return self._push()

    def _push(self) -> bool:
        """As `push`. Called with `sending` held."""
        with self.mutex:
            data = self.machine.data_to_send()
        if self.unsent:
            data = self.unsent + data
        return not data or self._send(data)

    def _send(self, data: bytes) -> bool:
        while data:
            try:
                sent = self.sock.send(data)
            except (BlockingIOError, InterruptedError):
                self.unsent = data
                return False
            data = data[sent:] if sent < len(data) else b""
        self.unsent = b""
        return True

    def pull(self) -> bool:
        """Feed the machine what the kernel has now; False if that is nothing.

        The end of the connection is told to the machine, so nothing is raised. There is no checkpoint between
        the arrival of bytes and the machine that takes them.
        """
        try:
            data = self.sock.recv(self._read_size)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as exc:
            self.end(exc)
            return True
        if self.closed:
            self.end(closed_here())
            return True
        with self.mutex:
            if data:
                self.machine.receive_data(data)
            else:
                self.ended = True
                self.machine.receive_eof()
        if len(data) == self._read_size < LARGEST_READ:
            self._read_size *= 2
        return True

    def end(self, error: OSError) -> None:
        """Tell the machine that the connection is lost."""
        self.ended = True
        with self.mutex:
            self.machine.receive_eof(closed_here() if self.closed else error)

    def nudge(self) -> None:
        """Send what the kernel takes now, unless somebody is at it: then it goes out with the next flush.

        Garbage collection may call this in the middle of any step, even one that holds a lock in the same thread. So
        it waits for none; and where it gets them both, nobody is in the middle of anything.
        """
        if self.closed or self.inherited or not self.sending.acquire(False):
            return
        try:
            if self.mutex.acquire(False):
                try:
                    data = self.machine.data_to_send()
                finally:
                    self.mutex.release()
                with contextlib.suppress(OSError):  # if the connection is lost, the next read tells
                    self._send(self.unsent + data)
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
        """Feed what has arrived while the link was idle, session tickets or an end; True if it is of no use here."""
        if self._process != os.getpid():
            return True
        if self.turn.reader is not None:
            return self.closed  # somebody reads, and is told
        for _ in range(_MOST_IDLE_READS):
            try:
                if self.ended or self.closed or not self._wait_for_read(0):
                    break
            except (OSError, ValueError):
                return True
            self.pull()
        else:
            return True  # it talks without end, and nobody has asked it anything
        return self.ended or self.closed

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
