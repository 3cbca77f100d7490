"""Waiting for a socket, in one thread, with a limit of time.

`poll` and not `settimeout`: a timeout set on the socket would be shared by the one who reads and the one who
writes. Windows has no `poll`; `select` does there, whose limits on descriptors other systems have and Windows has not.
"""

from __future__ import annotations

import math
import select
import socket
from collections.abc import Callable

__all__ = ["LONGEST", "Wait", "wait_for_read", "wait_for_write", "wait_for_write_or_read"]

#: Seconds that a wait lasts at most, whatever its limit: `poll` counts milliseconds in 31 bits, some 24 days.
LONGEST = 2_000_000.0

#: Called with seconds, or None for no limit; tells whether the socket is ready.
Wait = Callable[[float | None], bool]

if hasattr(select, "poll"):

    def _waiting(sock: socket.socket, read: bool, write: bool) -> Wait:
        poll = select.poll()
        poll.register(sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        ready = poll.poll

        def wait(seconds: float | None) -> bool:
            return bool(ready(None if seconds is None else math.ceil(min(seconds, LONGEST) * 1000)))

        return wait

else:  # pragma: no cover - Windows

    def _waiting(sock: socket.socket, read: bool, write: bool) -> Wait:
        def wait(seconds: float | None) -> bool:
            # A connection that fails shows as an exceptional condition on Windows.
            limit = None if seconds is None else min(seconds, LONGEST)
            return any(select.select([sock] * read, [sock] * write, [sock], limit))

        return wait


def wait_for_read(sock: socket.socket) -> Wait:
    """Return a function that waits until the socket can be read from, or is at its end."""
    return _waiting(sock, read=True, write=False)


def wait_for_write(sock: socket.socket) -> Wait:
    """Return a function that waits until the socket can be written to, or has failed."""
    return _waiting(sock, read=False, write=True)


def wait_for_write_or_read(sock: socket.socket) -> Wait:
    """Return a function that waits until the socket can be written to, or read from, or has failed."""
    return _waiting(sock, read=True, write=True)
