"""Waiting for a socket, in one thread, with a limit of time.

`poll` and not `settimeout`: a timeout set on the socket would be shared by the one who reads and the one who
writes. Windows has no `poll`; `select` does there, whose limits on descriptors other systems have and Windows has not.
"""

from __future__ import annotations

import math
import select
import socket
from collections.abc import Callable, Iterable

__all__ = [
    "LONGEST",
    "Wait",
    "look",
    "wait_for_any",
    "wait_for_read",
    "wait_for_write",
    "wait_for_write_or_read",
]

#: Seconds that a wait lasts at most, whatever its limit: `poll` counts milliseconds in 31 bits, some 24 days.
LONGEST = 2_000_000.0

#: Called with seconds, or None for no limit; tells whether the socket is ready.
Wait = Callable[[float | None], bool]

if hasattr(select, "poll"):

    def _waiting(sock: socket.socket, read: bool, write: bool, bell: socket.socket | None = None) -> Wait:
        poll = select.poll()
        poll.register(sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        if bell is not None:
            poll.register(bell, select.POLLIN)
        ready = poll.poll

        def wait(seconds: float | None) -> bool:
            if not seconds:
                return bool(ready(seconds))  # forever, or a look
            return bool(ready(math.ceil(min(seconds, LONGEST) * 1000)))

        return wait

    def look(sock: socket.socket) -> Callable[[int], object]:
        """Return a function that is true of 0 if something can be read from the socket; it runs no Python code."""
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return poll.poll

    def wait_for_any(socks: Iterable[socket.socket], seconds: float | None) -> list[socket.socket]:
        """Return those that can be written to, or have failed, as soon as there are any; none if that took too long."""
        poll = select.poll()
        by_number = {sock.fileno(): sock for sock in socks}
        for number in by_number:
            poll.register(number, select.POLLOUT)
        ready = poll.poll(None if seconds is None else math.ceil(min(seconds, LONGEST) * 1000))
        return [by_number[number] for number, _ in ready]

else:  # pragma: no cover - Windows

    def _waiting(sock: socket.socket, read: bool, write: bool, bell: socket.socket | None = None) -> Wait:
        readers = [sock] * read if bell is None else [*[sock] * read, bell]

        def wait(seconds: float | None) -> bool:
            # A connection that fails shows as an exceptional condition on Windows.
            limit = None if seconds is None else min(seconds, LONGEST)
            return any(select.select(readers, [sock] * write, [sock], limit))

        return wait

    def look(sock: socket.socket) -> Callable[[int], object]:
        """Return a function that is true of 0 if something can be read from the socket."""
        return lambda seconds: select.select([sock], [], [], seconds)[0]

    def wait_for_any(socks: Iterable[socket.socket], seconds: float | None) -> list[socket.socket]:
        """Return those that can be written to, or have failed, as soon as there are any; none if that took too long."""
        every = list(socks)
        _, written, failed = select.select(
            [], every, every, None if seconds is None else min(seconds, LONGEST)
        )
        return list({*written, *failed})


def wait_for_read(sock: socket.socket, bell: socket.socket | None = None) -> Wait:
    """Return a function that waits until the socket can be read from, or is at its end, or the bell has rung.

    The bell is another socket, from which something can be read then.
    """
    return _waiting(sock, read=True, write=False, bell=bell)


def wait_for_write(sock: socket.socket, bell: socket.socket | None = None) -> Wait:
    """Return a function that waits until the socket can be written to, or has failed; or the bell has rung."""
    return _waiting(sock, read=False, write=True, bell=bell)


def wait_for_write_or_read(sock: socket.socket, bell: socket.socket | None = None) -> Wait:
    """Return a function that waits as the two above do together; the bell as in `wait_for_read`."""
    return _waiting(sock, read=True, write=True, bell=bell)
