"""A backend of one's own, on the `selectors` module: blocking calls, safe for threads.

What is the same for every way of waiting comes from `httpure.backends`; docs/writing-a-backend.md tells the contract
behind it, for those who have no sockets or no threads.
"""

import socket
import sys
import threading
import time
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import cast

import httpure
from httpure.backends import Gate, SocketAttempt, ThreadLink, addresses_of, host_bytes
from httpure_core.effects import Begin, Dial, Flush, Park, Race, Receive, Resolve, Sleep

ELEVEN_DAYS = 1e6  #: seconds; the system's waits do not take any number


class Link(ThreadLink):
    """A socket that threads share, and that a selector waits for."""

    def wait(self, read: bool, write: bool, timeout: float | None, bell: socket.socket | None = None) -> bool:
        """Wait until the socket can be read from, or written to, or has failed; False if that took too long."""
        with DefaultSelector() as selector:
            selector.register(self.sock, EVENT_READ * read | EVENT_WRITE * write)
            if bell is not None:  # rung by another thread that wants this one to look again
                selector.register(bell, EVENT_READ)
            return bool(selector.select(None if timeout is None else min(timeout, ELEVEN_DAYS)))


class Backend:
    """Performs effects, and knows no HTTP."""

    name = "selectors"
    clock = staticmethod(time.monotonic)
    mutex = staticmethod(threading.Lock)

    def resolve(self, effect: Resolve) -> None:
        """Look a host name up: the operating system does."""
        found = socket.getaddrinfo(host_bytes(effect), effect.port, type=socket.SOCK_STREAM)
        effect.addresses = addresses_of(found, effect)

    def dial(self, effect: Dial) -> None:
        """Connect to one address, unless that is done, and make the link."""
        attempt = cast("SocketAttempt | None", effect.attempt) or SocketAttempt(effect)
        try:
            link = Link(attempt.sock, effect.machine)
            if attempt.under_way and not link.wait(False, True, effect.timeout):
                raise TimeoutError
            attempt.finish()
        except BaseException:
            attempt.close()
            raise
        effect.link = link

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several."""
        effect.attempt = SocketAttempt(effect)

    def race(self, effect: Race) -> None:
        """Wait until one of several attempts has connected or failed."""
        attempts = cast("list[SocketAttempt]", effect.attempts)
        if not all(attempt.under_way for attempt in attempts):
            return
        with DefaultSelector() as selector:
            for attempt in attempts:
                selector.register(attempt.sock, EVENT_WRITE, attempt)
            settled = selector.select(None if effect.timeout is None else min(effect.timeout, ELEVEN_DAYS))
        if not settled:
            raise TimeoutError
        for key, _ in settled:
            key.data.settle()

    def flush(self, effect: Flush) -> None:
        """Send what the link's machine has to send."""
        cast(Link, effect.link).flush(effect)

    def receive(self, effect: Receive) -> None:
        """Wait for news of the peer."""
        cast(Link, effect.link).receive(effect)

    def park(self, effect: Park) -> None:
        """Wait for news of the pool."""
        Gate(effect.signal).wait(effect.timeout)

    def sleep(self, effect: Sleep) -> None:
        """Wait for some seconds."""
        time.sleep(effect.seconds)


if __name__ == "__main__":
    with httpure.Client(backend=Backend()) as client:
        response = client.get(sys.argv[1] if len(sys.argv) > 1 else "https://example.org/")
        print(response.status_code, len(response.content))
