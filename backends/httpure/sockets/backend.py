"""The blocking backend: sockets, threads, and `poll`."""

from __future__ import annotations

import socket
import time
from _thread import allocate_lock  # `threading.Lock`; the import of that module takes a millisecond
from typing import cast

from httpure_core.effects import Begin, Dial, Flush, Park, Race, Receive, Resolve, Sleep

from .._socket_addresses import addresses_of, host_bytes
from .._socket_attempt import SocketAttempt
from .._socket_waiting import wait_for_any, wait_for_write, wait_for_write_or_read
from .._thread_link import Gate, ThreadLink

__all__ = ["Backend", "Link"]


class Link(ThreadLink):
    """A socket that `poll` waits for."""

    __slots__ = ()

    def wait(self, read: bool, write: bool, timeout: float | None, bell: socket.socket | None = None) -> bool:
        """Wait until the socket can be read from, or written to, or has failed; False if that took too long."""
        if not write:
            return self._wait_for_read(timeout)  # and for the link's bell
        # Made anew: few links ever wait to write.
        return (wait_for_write_or_read if read else wait_for_write)(self.sock, bell)(timeout)


class Backend:
    """Performs effects with blocking calls of the standard library. Safe to share between threads."""

    name = "sockets"
    clock = staticmethod(time.monotonic)
    mutex = staticmethod(allocate_lock)

    def resolve(self, effect: Resolve) -> None:
        """Look a host name up; where there is a limit, in a thread, as the system's resolver keeps none."""
        host, port = host_bytes(effect), effect.port
        if effect.timeout is None:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        else:
            from .._errand import look_up  # here, as addresses in digits need none of it

            errand = look_up(host, port)
            self.park(Park(errand.join(), effect.timeout))
            found = errand.found()
        effect.addresses = addresses_of(found, effect)

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several."""
        effect.attempt = SocketAttempt(effect)

    def race(self, effect: Race) -> None:
        """Wait until one of several attempts has connected or failed."""
        attempts = cast("list[SocketAttempt]", effect.attempts)
        if all(attempt.under_way for attempt in attempts):
            settled = wait_for_any([attempt.sock for attempt in attempts], effect.timeout)
            if not settled:
                raise TimeoutError
            for attempt in attempts:
                if attempt.sock in settled:
                    attempt.settle()

    def dial(self, effect: Dial) -> None:
        """Connect to an address."""
        attempt = cast("SocketAttempt | None", effect.attempt) or SocketAttempt(effect)
        try:
            if attempt.under_way and not wait_for_write(attempt.sock)(effect.timeout):
                raise TimeoutError
            effect.link = Link(attempt.finish(), effect.machine)
        except BaseException:
            attempt.close()
            raise

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
