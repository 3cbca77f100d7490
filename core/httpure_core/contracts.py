"""What the core asks of the parts it works with, as types.

    Link         a transport that a backend owns: a socket, or a simulated one
    Attempt      what may become a link: an address that a backend is connecting to
    Machine      what a link feeds: bytes in, bytes out (TLS, a tunnel, HTTP)
    Layer        a machine that another one can be put into (TLS, a tunnel)
    Connection   the machine of one HTTP version on one link
    Stream       one request and its response on a connection

Machines nest: a layer feeds what is inside of it, which can be a layer again. See `layers.py`.
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
    "Asks",
    "Attempt",
    "Basket",
    "Clock",
    "Connection",
    "FieldBlock",
    "Fields",
    "Layer",
    "Link",
    "Log",
    "Machine",
    "Mutex",
    "RawMachine",
    "Stream",
    "TLSMachine",
    "Vigil",
    "innermost",
]

#: Returns monotonic seconds. The core is handed one; it never asks the system.
Clock: TypeAlias = Callable[[], float]

#: Header or trailer fields as they stand on the wire: (name, value) pairs in order.
Fields: TypeAlias = list[tuple[bytes, bytes]]
#: Fields as they go to the wire: the lines, each with its end, and the bytes of body that they frame; None where the
#: body is chunked. See `models/field_block.py`.
FieldBlock: TypeAlias = tuple[bytes, int | None]


#: Bytes of a response's body that are held for a slow reader before its link stops reading. More than one arrival
#: brings (256 KiB on asyncio): else each would stop the reading for a moment, a fifth of a download's CPU time.
READ_AHEAD = 512 * 1024


class Asks(Protocol):
    """A function that tells, at next to no cost, whether anybody wants records of a level."""

    def __call__(self, level: int, /) -> bool:
        """10 is DEBUG, 20 INFO."""
        ...


class Log(Protocol):
    """Where the face writes what happens, such as a logger of the standard library, whose levels these are."""

    @property
    def enabled(self) -> Asks:
        """What to ask before a record is made."""
        ...

    def record(self, level: int, text: str, *arguments: object) -> None:
        """Write `text % arguments`."""
        ...


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


class Basket(Protocol):
    """Memory that grows, and becomes `bytes` without a copy, such as `io.BytesIO`. A link brings it."""

    def seek(self, at: int, /) -> int:
        """Go on at this place."""
        ...

    def write(self, data: bytes | memoryview, /) -> int:
        """Put bytes there; what lies before them becomes zeros, if it is not there yet. Returns how many they were."""
        ...

    def truncate(self, size: int, /) -> int:
        """Keep the first bytes only."""
        ...

    def getbuffer(self) -> memoryview:
        """Return all of it, to write into. While anybody looks at that, it cannot grow."""
        ...

    def getvalue(self) -> bytes:
        """Return all of it."""
        ...


class Machine(Protocol):
    """Bytes in, bytes out. A link calls these with its mutex held; none of them waits or raises.

    It may have three more attributes, of which a link need not take notice:

    - `reads_views`: True where `receive_data` takes a memoryview, too, and keeps none of it
    - `room`: a function, while the next bytes belong to one large thing that is received in place, and None as a rule.
      It returns the memoryview that they go to. Instead of `receive_data`, the link then calls `filled(size)`.
    - `filled`: is told how many bytes have come into the room. Nothing else may be done with the machine in between,
      but to ask for `room` again
    """

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

    def data_to_send(self) -> bytes | memoryview:
        """Return, once, the bytes that the peer should get: never changed later, so that the link may keep them."""
        ...


def innermost(machine: Machine) -> Any:
    """Return the machine inside of all layers. It may say more of itself than a `Machine` has to:

    - `multiplexed`: whether several use its link at a time; such as do not say so yet have something else put inside
    - `half_open`: True where it may still have something to send when the peer has said all
    """
    inside: Any = machine
    while (inner := getattr(inside, "inner", None)) is not None:
        inside = inner
    return inside


class Link(Protocol):
    """A transport that a backend made. Unsent bytes live here, so that a cancelled task loses none.

    It may have a method `extra_info(name)`, which returns what is known of the connection, and None for what is not:
    "client_addr" and "server_addr" as `socket` has them, "socket", "is_readable".

    And it may have an attribute `basket`, which is called for a new `Basket`: `io.BytesIO`, which the core does not
    import. Then a large body that somebody wants whole is received in place.
    """

    #: What the received bytes go to and the bytes to send come from. Guarded by `mutex`.
    machine: Machine
    mutex: Mutex

    def nudge(self) -> None:
        """Look at the machine again: it wants data again, after a pause, or it has something to send.

        Never waits and never raises. Garbage collection may call it in any thread, in the middle of any step. What
        cannot be sent at once goes out with the next `Flush`.
        """
        ...

    def is_stale(self) -> bool:
        """True if an idle link cannot carry a request any more.

        Feeds the machine what has arrived meanwhile, which may be the end of the connection.
        """
        ...

    def close(self) -> None:
        """Close at once. Never waits, never raises, and may be called twice and from anywhere."""
        ...


class Attempt(Protocol):
    """An address that a backend is connecting to, one of several perhaps, and a machine has not been chosen for yet."""

    @property
    def connected(self) -> bool:
        """True when the connection stands."""
        ...

    @property
    def error(self) -> OSError | None:
        """Why there will be none; None as long as there may be."""
        ...

    def close(self) -> None:
        """Give it up. Never waits, never raises, may be called twice, and also after a link made of it was closed."""
        ...


class Stream(Protocol):
    """One exchange: a request going out, a response coming in. Guarded by its link's mutex.

    It may have a method `gather(clock, basket)`: whoever reads wants all of the body, and to hear of its end only. From
    then on `signal` is set when the response has ended or failed, there is no limit to what is held for the reader, and
    `heard` is when the last bytes came, on that clock. With a `Basket`, they may be received in place.
    """

    signal: Signal
    #: The final status code; 0 until the response's head has arrived.
    status: int
    http_version: bytes
    reason: bytes
    fields: Fields
    trailers: Fields
    #: Bytes that the body has as it is sent, and never more; None where the server has not said.
    length: int | None
    #: True when the response has arrived in full.
    ended: bool
    #: Why the response will never be whole.
    failure: TransportError | None
    #: What the connection carries behind this response, if that is HTTP no more: after 101, or 2xx to CONNECT.
    raw: RawMachine | None
    #: The informational responses (1xx) that have come, as (status, fields). The signal tells of each.
    informational: tuple[tuple[int, Fields], ...]

    @property
    def vigil(self) -> Vigil | None:
        """Who looks whether the peer is there, while somebody waits for it; None where nobody does."""
        ...

    @property
    def unanswered(self) -> bool:
        """True while nothing at all has come back that could be for this request."""
        ...

    @property
    def buffered(self) -> int:
        """Bytes of the response's body that wait for `take()`."""
        ...

    @property
    def stream_id(self) -> int | None:
        """The number of the stream on its connection; None where streams have none."""
        ...

    @property
    def duplex(self) -> bool:
        """True if a response may begin before its request was sent, and both go on. Else it ends the sending."""
        ...

    @property
    def blocked(self) -> bool:
        """True while some of the request's body waits for the peer's leave to send it. The signal tells of changes."""
        ...

    @property
    def flush_due(self) -> bool:
        """True if the peer waits to hear that the body is being read: flush before waiting for more of it."""
        ...

    def send_data(self, data: bytes | memoryview, /) -> None:
        """Queue a piece of the request's body, which never changes.

        Raises LocalProtocolError if it exceeds the declared length.
        """
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


class Vigil(Protocol):
    """Looks whether a silent peer is still there. Guarded by the link's mutex."""

    def look(self, now: float, /) -> tuple[float, bool]:
        """Return in how many seconds to look again, and whether there is something to send now.

        A peer that is not there any more has ended the connection then, and set the signals of its streams.
        """
        ...


class RawMachine(Machine, Protocol):
    """Bytes of which HTTP knows nothing, out as they were given and in as they came. Guarded by its link's mutex."""

    signal: Signal
    #: Where the bytes go to and come from instead, once TLS has begun on top of them.
    inner: Machine | None
    #: True when the peer will send nothing more.
    ended: bool
    #: Why, where that was no orderly end.
    lost: OSError | None

    @property
    def buffered(self) -> int:
        """Bytes that wait for `take()`."""
        ...

    def send(self, data: bytes, /) -> None:
        """Queue bytes."""
        ...

    def take(self, size: int, /) -> bytes:
        """Return what has come since the last call, at most so many bytes; b"" for nothing."""
        ...


class Connection(Machine, Protocol):
    """An HTTP connection, in whatever version."""

    link: Link
    #: Called when the connection can carry more, or less, than its users know: its end while it was idle, another
    #: limit of streams. With the link's mutex held; never waits. Filled in by whoever wants to know.
    changed: Callable[[], None] | None
    #: Seconds that the peer has said it keeps an idle connection for; None where it did not say.
    idle_limit: float | None
    #: How many more requests the peer has said it takes; None where it did not say.
    requests_left: int | None

    @property
    def multiplexed(self) -> bool:
        """True where several streams can be open at a time."""
        ...

    @property
    def available_streams(self) -> int:
        """How many more streams can be opened at this moment. May be looked at without the link's mutex."""
        ...

    @property
    def stream_limit(self) -> int | None:
        """How many streams the peer allows at a time; None before it has said so, or where it cannot."""
        ...

    def expect_streams(self, limit: int, /) -> None:
        """Until the peer has said how many streams it allows, assume so many: what it said the last time."""
        ...

    @property
    def reusable(self) -> bool:
        """True if a next request can be sent on it, as far as the machine knows."""
        ...

    @property
    def suspect(self) -> bool:
        """True while the peer is asked for a sign of life, and has given none yet. It is not `reusable` then."""
        ...

    def open_stream(
        self,
        method: bytes,
        target: bytes,
        fields: Fields,
        body: bytes | None,
        block: FieldBlock | None = None,
        /,
    ) -> Stream:
        """Queue a request's head, and its body where that is given (b"" for none).

        `block` may be what `field_block(fields)` returns, where somebody has asked that before.
        With `body=None` the caller goes on with `Stream.send_data` and `end_data`.
        Raises LocalProtocolError, with nothing queued, if the request breaks the rules of HTTP.
        """
        ...


class Layer(Machine, Protocol):
    """A machine that stands between the link and another one, after a handshake: TLS, a tunnel. See `layers.py`."""

    #: Set when the handshake is over, either way.
    signal: Signal
    #: True when the handshake has succeeded.
    established: bool
    #: Why the handshake failed, in words for the user.
    failure: str | None
    #: That in the one word of `TransportError.reason`; None where there is none.
    reason: str | None
    #: What the user can do about it; "" where nobody knows.
    advice: str
    #: What a library raised, where that is what the handshake failed of.
    cause: Exception | None

    def attach(self, inner: Machine, /) -> None:
        """Put a machine inside, once. It gets at once what has already come for it. Call with the link's mutex held."""
        ...


class TLSMachine(Layer, Protocol):
    """A layer that speaks TLS with the peer. When it is established, the peer is verified."""

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
