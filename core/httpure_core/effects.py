"""What an operation asks its driver to do.

An operation is a generator: it yields effects and is resumed when they are performed. An effect returns
nothing; results are written onto it, so that `Operation[T] = Generator[Effect, None, T]` type-checks in full.
Drivers raise builtins (`OSError`, `TimeoutError`, and whatever user code raised) at the yield.

    >>> from httpure_core.effects import Sleep
    >>> def nap():
    ...     yield Sleep(0.5)
    ...     return "rested"
    >>> operation = nap()
    >>> next(operation).seconds  # what a driver performs, before it asks for the next effect
    0.5
    >>> next(operation)
    Traceback (most recent call last):
    StopIteration: rested

`timeout` is in seconds from the moment the effect is yielded; None means no limit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

from .contracts import Attempt, Link, Machine
from .signals import Signal

__all__ = [
    "Address",
    "Advance",
    "Begin",
    "Call",
    "Close",
    "Consult",
    "Dial",
    "Effect",
    "Flush",
    "Lend",
    "Offload",
    "Operation",
    "Park",
    "Pull",
    "Race",
    "Read",
    "Receive",
    "Resolve",
    "Sleep",
    "Transmit",
]

T = TypeVar("T")


class Effect:
    """The base of all effects."""

    __slots__ = ()


#: A generator that yields effects and returns T. T is never None: a forgotten `yield from` must not be silent.
Operation: TypeAlias = Generator[Effect, None, T]


class Address:
    """Where to dial: an IP address with its port, or the path of a Unix socket.

    `host` is in digits; `family` is "ipv4", "ipv6" or "unix". Of what a resolver returns, the family follows from
    `host` or `path`, and a port of 0 is the URL's.

    >>> httpure.Address("192.0.2.1", 80), httpure.Address("2001:db8::1", 443, family="ipv6")
    (<Address 192.0.2.1:80>, <Address [2001:db8::1]:443>)
    """

    __slots__ = ("family", "host", "path", "port", "scope")

    def __init__(
        self, host: str = "", port: int = 0, *, family: str = "ipv4", scope: int = 0, path: str | None = None
    ) -> None:
        self.family = family  #: "ipv4", "ipv6" or "unix"
        self.host = host  #: the address in digits
        self.port = port
        self.scope = scope  #: the zone of a link-local IPv6 address
        self.path = path  #: of the Unix socket

    def __str__(self) -> str:
        if self.path is not None:
            return self.path
        return f"[{self.host}]:{self.port}" if self.family == "ipv6" else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"<Address {self}>"


class Resolve(Effect):
    """Look a host name up. The driver fills in `addresses`, best first; raises OSError if there are none."""

    __slots__ = ("addresses", "host", "port", "timeout")

    def __init__(self, host: str, port: int, timeout: float | None) -> None:
        self.host, self.port, self.timeout = host, port, timeout
        self.addresses: list[Address] = []


class Consult(Effect):
    """Ask the user's resolver for the addresses of a name. The driver fills in `answer`, whatever that is.

    Raises TimeoutError, and whatever the resolver raised.
    """

    __slots__ = ("answer", "host", "port", "resolver", "timeout")

    def __init__(
        self, resolver: Callable[[str, int], Any], host: str, port: int, timeout: float | None
    ) -> None:
        self.resolver, self.host, self.port, self.timeout = resolver, host, port, timeout
        self.answer: Any = None


class Begin(Effect):
    """Begin to connect to one address of several, and do not wait. The driver fills in `attempt`; raises OSError."""

    __slots__ = ("address", "attempt", "local_address", "socket_options")

    def __init__(
        self,
        address: Address,
        local_address: str | None = None,
        socket_options: tuple[tuple[Any, ...], ...] = (),
    ) -> None:
        self.address = address
        self.local_address, self.socket_options = local_address, socket_options
        self.attempt: Attempt | None = None


class Race(Effect):
    """Wait until one of several attempts has connected or failed, which they say themselves. Raises TimeoutError."""

    __slots__ = ("attempts", "timeout")

    def __init__(self, attempts: list[Attempt], timeout: float | None) -> None:
        self.attempts, self.timeout = attempts, timeout


class Dial(Effect):
    """Connect to one address, for one machine. The driver fills in `link`; raises OSError or TimeoutError.

    With `attempt`, that is done, and only the link is to be made of it.
    """

    __slots__ = ("address", "attempt", "link", "local_address", "machine", "socket_options", "timeout")

    def __init__(
        self,
        address: Address,
        machine: Machine,
        timeout: float | None,
        local_address: str | None = None,
        socket_options: tuple[tuple[Any, ...], ...] = (),
        attempt: Attempt | None = None,
    ) -> None:
        self.address, self.machine, self.timeout = address, machine, timeout
        self.local_address, self.socket_options = local_address, socket_options
        self.attempt = attempt
        self.link: Link | None = None


class Flush(Effect):
    """Send what the link's machine has to send.

    If the peer is slow, wait until it takes some of it, once: the driver sets `flushed` to False if there is more,
    and the operation yields the effect anew, with a new timeout. Ends early when `signal` is set: the peer has
    answered. Raises OSError if the connection is lost, TimeoutError if the peer takes nothing for `timeout` seconds.
    """

    __slots__ = ("flushed", "link", "signal", "timeout")

    def __init__(self, link: Link, signal: Signal, timeout: float | None) -> None:
        self.link, self.signal, self.timeout = link, signal, timeout
        self.flushed = True


class Receive(Effect):
    """Wait until `signal` is set, reading from the link meanwhile if nobody else does.

    The end of the connection, orderly or not, is told to the machine and so sets the signal; only
    TimeoutError is raised.
    """

    __slots__ = ("link", "signal", "timeout")

    def __init__(self, link: Link, signal: Signal, timeout: float | None) -> None:
        self.link, self.signal, self.timeout = link, signal, timeout


class Park(Effect):
    """Wait until `signal` is set by somebody else. Raises TimeoutError."""

    __slots__ = ("signal", "timeout")

    def __init__(self, signal: Signal, timeout: float | None) -> None:
        self.signal, self.timeout = signal, timeout


class Sleep(Effect):
    """Wait for some seconds."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Offload(Effect):
    """Call a function that blocks; async drivers do it in a worker thread. What it raises is raised.

    With `abandon`, nobody waits for its end who was cancelled meanwhile: not even the end of the program.
    """

    __slots__ = ("abandon", "function")

    def __init__(self, function: Callable[[], None], abandon: bool = False) -> None:
        self.function, self.abandon = function, abandon


class Pull(Effect):
    """Take the next piece of a request's body. The driver fills in `piece`; None is the end.

    `source` is a `SyncByteStream` or `AsyncByteStream`; the driver keeps the iterator here between pulls. With
    `finished`, no more pieces are wanted: the driver closes the iterator. With `timeout`, raises TimeoutError, where
    what is awaited takes longer; code that blocks cannot be ended.
    """

    __slots__ = ("finished", "iterator", "piece", "source", "timeout")

    def __init__(self, source: Any) -> None:
        self.source = source
        self.finished = False
        self.timeout: float | None = None
        self.iterator: Any = None
        self.piece: bytes | None = None

    def ending(self) -> Pull:
        """Ask for no more: return what has the driver close the iterator, awaited where it must be."""
        self.finished = True
        return self

    def close(self) -> None:
        """Let go of the source at once. What cannot be closed without waiting is left as it is."""
        close = getattr(self.iterator, "close", None)
        if close is not None:
            # A worker thread may still run the iterator: it then goes on to its next piece, and is forgotten.
            with contextlib.suppress(ValueError):
                close()


class Transmit(Effect):
    """Carry one request through a custom transport. The driver fills in `response`."""

    __slots__ = ("request", "response", "transport")

    def __init__(self, transport: Any, request: Any) -> None:
        self.transport, self.request = transport, request
        self.response: Any = None


class Read(Effect):
    """Read a message, a request or the response of a custom transport, to its end into its `content`.

    With `most`, it is a response that nobody may look at: the driver calls `skim(most)` or `askim(most)`.
    """

    __slots__ = ("message", "most")

    def __init__(self, message: Any, most: int | None = None) -> None:
        self.message, self.most = message, most


class Close(Effect):
    """Close the response of a custom transport, which nobody will get."""

    __slots__ = ("message",)

    def __init__(self, message: Any) -> None:
        self.message = message


class Call(Effect):
    """Call a function of the user's, an event hook or a trace function; drivers that await, await its result."""

    __slots__ = ("arguments", "hook")

    def __init__(self, hook: Callable[..., Any], *arguments: Any) -> None:
        self.hook, self.arguments = hook, arguments


class Lend(Effect):
    """Lend the driver, for operations at the user's wish that run beside this one. It fills in itself as `driver`.

    Its `run(operation)` is called, or awaited, where the user calls what needs it: in another thread or task perhaps.
    """

    __slots__ = ("driver",)

    def __init__(self) -> None:
        self.driver: Any = None


class Advance(Effect):
    """Take the next step of a user's auth flow: start it with `request`, or send it `response`.

    The driver keeps the flow here and puts the flow's next request into `request`; None says that it is over.
    With `finished`, no more requests are wanted: the driver closes the flow.
    """

    __slots__ = ("auth", "finished", "flow", "request", "response")

    def __init__(self, auth: Any, request: Any) -> None:
        self.auth = auth
        self.request = request
        self.response: Any = None
        self.finished = False
        self.flow: Any = None

    def ending(self) -> Advance:
        """Ask for no more: return what has the driver close the flow, awaited where it must be."""
        self.finished = True
        return self

    def close(self) -> None:
        """End the flow at once. What cannot be closed without waiting is left as it is."""
        close = getattr(self.flow, "close", None)
        if close is not None:
            close()
