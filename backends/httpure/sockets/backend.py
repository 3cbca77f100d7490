"""The blocking backend: sockets, threads, and `poll`."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time

from httpure_core.effects import Dial, Flush, Park, Receive, Resolve, Sleep

from .._socket_addresses import addresses_of, host_bytes, open_socket, socket_address
from .._socket_waiting import wait_for_write, wait_for_write_or_read
from .._thread_link import Gate, ThreadLink

__all__ = ["Backend", "Link"]

#: What says that a connection has begun. EWOULDBLOCK does so on Windows only: for a Unix socket it is a failure.
_IN_PROGRESS = errno.EWOULDBLOCK if os.name == "nt" else errno.EINPROGRESS


class Link(ThreadLink):
    """A socket that `poll` waits for."""

    __slots__ = ()

    def wait(self, read: bool, write: bool, timeout: float | None) -> bool:
        """Wait until the socket can be read from, or written to, or has failed; False if that took too long."""
        if not write:
            return self._wait_for_read(timeout)
        # Made anew: few links ever wait to write.
        return (wait_for_write_or_read if read else wait_for_write)(self.sock)(timeout)


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
            if error == _IN_PROGRESS:
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
        link.receive(effect)

    def park(self, effect: Park) -> None:
        """Wait until another thread sets the signal."""
        Gate(effect.signal).wait(effect.timeout)

    def sleep(self, effect: Sleep) -> None:
        """Sleep."""
        time.sleep(effect.seconds)
