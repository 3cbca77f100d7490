"""For those who write a backend: a clock, a lock, and nine effects, with not a word of HTTP in them.

A backend performs the effects that touch the world; `_driving.py` performs the others for all of them. Each
method takes its effect from `httpure_core.effects`, whose docstring says what must be filled in and what may be raised.
docs/writing-a-backend.md tells it from the beginning. `SocketLink`, `ThreadLink`, `SocketAttempt`, `Gate`,
`open_socket`, `socket_address` and `addresses_of` are for backends that use sockets and threads: they do what is the
same for every way of waiting. A backend may also be made of a ready one:

    >>> from httpure.sockets import Backend
    >>> class Telling(Backend):
    ...     def dial(self, effect):
    ...         super().dial(effect)
    ...         print("connected by", effect.address.family)
    >>> with httpure.Client(backend=Telling()) as client:
    ...     client.get("https://example.org")
    connected by ipv4
    <Response [200 OK]>
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from httpure_core.contracts import Mutex
from httpure_core.effects import Begin, Dial, Flush, Offload, Park, Race, Receive, Resolve, Sleep

from ._socket_addresses import addresses_of, host_bytes, in_plain_words, open_socket, socket_address
from ._socket_attempt import SocketAttempt
from ._socket_link import SocketLink, closed_here
from ._thread_link import Gate, ThreadLink

__all__ = [
    "AsyncBackend",
    "BlockingBackend",
    "Gate",
    "SocketAttempt",
    "SocketLink",
    "ThreadLink",
    "addresses_of",
    "closed_here",
    "find_backend",
    "host_bytes",
    "in_plain_words",
    "open_socket",
    "socket_address",
]


class BlockingBackend(Protocol):
    """Performs each effect before it returns."""

    #: How the backend is called in messages and on the command line.
    name: str

    def clock(self) -> float:
        """Return monotonic seconds."""
        ...

    def mutex(self) -> Mutex:
        """Return a new lock."""
        ...

    def resolve(self, effect: Resolve) -> None:
        """Look a host name up."""
        ...

    def dial(self, effect: Dial) -> None:
        """Connect to an address and make the link; with `attempt`, make the link of that."""
        ...

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several, and do not wait."""
        ...

    def race(self, effect: Race) -> None:
        """Wait until one of several attempts has connected or failed."""
        ...

    def flush(self, effect: Flush) -> None:
        """Send what the link's machine has to send."""
        ...

    def receive(self, effect: Receive) -> None:
        """Read from the link until the signal is set."""
        ...

    def park(self, effect: Park) -> None:
        """Wait until the signal is set."""
        ...

    def sleep(self, effect: Sleep) -> None:
        """Wait for some seconds."""
        ...


class AsyncBackend(Protocol):
    """Performs each effect before it returns None, or else returns an awaitable that performs it."""

    #: How the backend is called in messages and on the command line.
    name: str

    def clock(self) -> float:
        """Return monotonic seconds."""
        ...

    def mutex(self) -> Mutex:
        """Return a new lock."""
        ...

    def resolve(self, effect: Resolve) -> Awaitable[None] | None:
        """Look a host name up."""
        ...

    def dial(self, effect: Dial) -> Awaitable[None] | None:
        """Connect to an address and make the link; with `attempt`, make the link of that."""
        ...

    def begin(self, effect: Begin) -> Awaitable[None] | None:
        """Begin to connect to one address of several, and do not wait."""
        ...

    def race(self, effect: Race) -> Awaitable[None] | None:
        """Wait until one of several attempts has connected or failed."""
        ...

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Send what the link's machine has to send."""
        ...

    def receive(self, effect: Receive) -> Awaitable[None] | None:
        """Wait until the signal is set, reading from the link if nobody else does."""
        ...

    def park(self, effect: Park) -> Awaitable[None] | None:
        """Wait until the signal is set."""
        ...

    def sleep(self, effect: Sleep) -> Awaitable[None] | None:
        """Wait for some seconds."""
        ...

    def offload(self, effect: Offload) -> Awaitable[None] | None:
        """Call a function that blocks, in a worker thread; with `abandon`, in one that nobody waits for at the end."""
        ...

    def limit(self, function: Callable[[], Awaitable[Any]], seconds: float | None) -> Awaitable[Any]:
        """Call a coroutine function and return its result; cancel it after so many seconds, and raise TimeoutError."""
        ...


def find_backend(name: str) -> Any:
    """Return a new backend of the kind that is registered under the name, such as "sockets" or "trio".

    Packages register theirs under the entry point group `httpure.backends`. Raises ValueError, naming those there
    are, for a name that is not among them.
    """
    from importlib.metadata import entry_points

    found = {entry.name: entry for entry in entry_points(group="httpure.backends")}
    if name not in found:
        raise ValueError(f"There is no backend {name!r:.100}; installed are: {', '.join(sorted(found))}.")
    return found[name].load()()
