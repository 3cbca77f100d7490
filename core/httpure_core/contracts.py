"""What the core asks of the parts it works with, as types.

    Link         a transport that a backend owns: a socket, or a simulated one
    Machine      what a link feeds: bytes in, bytes out (TLS, a tunnel, HTTP)
    Connection   the machine of one HTTP version on one link
    Stream       one request and its response on a connection

Machines nest: a TLS machine feeds the HTTP connection inside of it, and a tunnel can stand between them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, TypeAlias

from .errors import TransportError
from .signals import Signal

__all__ = [
    "READ_AHEAD",
    "TLS",
    "Clock",
    "Connection",
    "Fields",
    "Link",
    "Machine",
    "Mutex",
    "Stream",
    "TLSMachine",
]

#: Returns monotonic seconds. The core is handed one; it never asks the system.
Clock: TypeAlias = Callable[[], float]

#: Header or trailer fields as they stand on the wire: (name, value) pairs in order.
Fields: TypeAlias = list[tuple[bytes, bytes]]


#: Bytes of a response's body that are held for a slow reader before its link stops reading.
READ_AHEAD = 256 * 1024


class Mutex(Protocol):
    """A lock, such as `threading.Lock`. Every backend brings a real one, see `pool.py` for the reason."""

    def acquire(self, blocking: bool = ..., /) -> bool:
        """Take the lock. With `blocking=False`, return False where it is taken."""
        ...

    def release(self) -> None:
        """Give the lock back."""
        ...

    def __enter__(self) -> Any: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Any: ...


class Machine(Protocol):
    """Bytes in, bytes out. A link calls these with its mutex held; none of them waits or raises."""

    @property
    def wants_data(self) -> bool:
        """False while so much received data lies unread that the link should stop reading."""
        ...

    def receive_data(self, data: bytes, /) -> None:
        """Take bytes from the peer; never empty."""
        ...

    def receive_eof(self, error: OSError | None = None, /) -> None:
        """The peer will send nothing more. `error` tells why, where it was no orderly end."""
        ...

    def data_to_send(self) -> bytes:
        """Return, once, the bytes that the peer should get."""
        ...


class Link(Protocol):
    """A transport that a backend made. Unsent bytes live here, so that a cancelled task loses none."""

    #: What the received bytes go to and the bytes to send come from. Guarded by `mutex`.
    machine: Machine
    mutex: Mutex

    def nudge(self) -> None:
        """Look at the machine again: it wants data again, after a pause."""
        ...

    def is_stale(self) -> bool:
        """True if an idle link cannot carry a request any more.

        Feeds the machine what has arrived meanwhile, which may be the end of the connection.
        """
        ...

    def close(self) -> None:
        """Close at once. Never waits, never raises, and may be called twice and from anywhere."""
        ...


class Stream(Protocol):
    """One exchange: a request going out, a response coming in. Guarded by its link's mutex."""

    signal: Signal
    #: The final status code; 0 until the response's head has arrived.
    status: int
    http_version: bytes
    reason: bytes
    fields: Fields
    trailers: Fields
    #: Bytes of the response's body that wait for `take()`.
    buffered: int
    #: True when the response has arrived in full.
    ended: bool
    #: Why the response will never be whole.
    failure: TransportError | None

    def send_data(self, data: bytes, /) -> None:
        """Queue a piece of the request's body. Raises LocalProtocolError if it exceeds the declared length."""
        ...

    def end_data(self) -> None:
        """The request's body is whole. Raises LocalProtocolError if it is shorter than was declared."""
        ...

    def take(self) -> bytes:
        """Return what has arrived of the response's body since the last call; b"" for nothing."""
        ...

    def discard(self) -> None:
        """Nobody wants this exchange any more. Legal in every state, and idempotent.

        Needs no mutex and never waits: garbage collection may call it in the middle of any step.
        """
        ...


class Connection(Machine, Protocol):
    """An HTTP connection, in whatever version."""

    link: Link

    @property
    def reusable(self) -> bool:
        """True if a next request can be sent on it, as far as the machine knows."""
        ...

    def open_stream(self, method: bytes, target: bytes, fields: Fields, body: bytes | None, /) -> Stream:
        """Queue a request's head, and its body where that is given (b"" for none).

        With `body=None` the caller goes on with `Stream.send_data` and `end_data`.
        Raises LocalProtocolError, with nothing queued, if the request breaks the rules of HTTP.
        """
        ...


class TLSMachine(Machine, Protocol):
    """A machine that speaks TLS with the peer and feeds the plain bytes to the one inside."""

    signal: Signal
    inner: Machine
    #: True when the handshake is over and the peer is verified.
    established: bool
    #: Why the handshake failed, in words for the user.
    failure: str | None
    #: The protocol that ALPN chose, such as "http/1.1".
    protocol: str | None


class TLS(Protocol):
    """Makes TLS machines from one configuration; shared by all connections that trust alike."""

    @property
    def prepared(self) -> bool:
        """False while making a machine would first load certificates, which takes milliseconds."""
        ...

    def prepare(self) -> None:
        """Load the certificates. Blocks: the core asks a driver to do it, off the event loop."""
        ...

    def machine(self, server_hostname: str, alpn: list[str], /) -> TLSMachine:
        """Make the machine of one connection; its ClientHello is ready to send."""
        ...
