"""Layers: machines that stand between a link and the machine that it carries bytes for, such as TLS or a tunnel.

    link ◀──▶ TLS with the proxy ◀──▶ tunnel ◀──▶ TLS with the origin ◀──▶ HTTP

A layer first says its own, a handshake, with nothing inside. When that is over it is `established`, and `attach` puts
the next machine into it. What arrives in between, as the two ends of a layer do not move in step, waits in
`Early`. So a layer knows neither what it is put into nor what comes into it, and the next machine can be chosen
by what the handshake said.
"""

from __future__ import annotations

from errno import errorcode

from .contracts import READ_AHEAD, Machine
from .signals import Signal

__all__ = ["BrokenTLS", "Early", "Layer", "Passage", "UnannouncedEnd", "in_words", "reason_of"]

#: The system's names for: nobody there, or no way there. ETIMEDOUT is the kernel's own patience, not ours.
_UNREACHABLE = frozenset(
    ("EADDRNOTAVAIL", "EAFNOSUPPORT", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ETIMEDOUT")
)


class UnannouncedEnd(ConnectionAbortedError):
    """The bytes are over, and the peer did not say so in TLS: they may have been cut off (RFC 8446 section 6.1).

    Where the machine inside knows by itself whether all has come, as it does of a message with a length, this is an
    end like any other. Where the end is all that says so, it cannot be trusted (RFC 9112 section 9.8).
    """

    def __init__(self) -> None:
        super().__init__(
            None, "it ended without the good-bye of TLS (close_notify), so what came may be cut short"
        )


class BrokenTLS(ConnectionAbortedError):
    """TLS ended with an error after its handshake: an alert, or bytes that are none of the peer's."""

    def __init__(self, why: str) -> None:
        super().__init__(None, why)


class Early:
    """What a layer has inside until there is something: it keeps what comes, and its end."""

    __slots__ = ("_ended", "_error", "_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._error: OSError | None = None

    @property
    def wants_data(self) -> bool:
        """False when so much waits that the link should stop reading."""
        return self._size < READ_AHEAD

    def receive_data(self, data: bytes) -> None:
        """Keep the bytes."""
        self._pieces.append(data)
        self._size += len(data)

    def receive_eof(self, error: OSError | None = None) -> None:
        """Keep the end."""
        if not self._ended:
            self._ended, self._error = True, error

    def data_to_send(self) -> bytes:
        """Nothing: nobody is here yet."""
        return b""

    def hand_on(self, machine: Machine) -> None:
        """Give everything to the machine that takes the place."""
        pieces = self._pieces
        self._pieces = []  # the layer keeps this object, and nobody needs the bytes twice
        if pieces:
            machine.receive_data(b"".join(pieces))
        if self._ended:
            machine.receive_eof(self._error)


class Layer:
    """What all layers have in common. See `contracts.Layer`. Subclasses write `receive_data` and `receive_eof`."""

    __slots__ = ("_early", "advice", "cause", "established", "failure", "inner", "reason", "signal")

    def __init__(self) -> None:
        self.signal = Signal()
        self.established = False
        self.failure: str | None = None
        #: That in one word, as `TransportError.reason`, and what the user can do; where there is such a thing.
        self.reason: str | None = None
        self.advice = ""
        #: What a library raised, where that is what the handshake failed of.
        self.cause: Exception | None = None
        self._early = Early()
        #: What the plain bytes go to.
        self.inner: Machine = self._early

    @property
    def wants_data(self) -> bool:
        """As the machine inside."""
        return self.inner.wants_data

    def attach(self, inner: Machine) -> None:
        """Put the next machine inside, and hand it what came too early for it."""
        self.inner = inner
        self._early.hand_on(inner)

    def fail(
        self, why: str, cause: Exception | None = None, reason: str | None = None, advice: str = ""
    ) -> None:
        """End the handshake without success. The first failure is the one to tell."""
        if self.failure is None:
            self.failure, self.cause = why, cause and cause.with_traceback(None)
            self.reason, self.advice = reason, advice
        self.signal.set()

    def succeed(self) -> None:
        """End the handshake."""
        self.established = True
        self.signal.set()


class Passage(Layer):
    """A layer that is no more than its handshake: what follows passes as it is.

    Subclasses write `hear`, which gets what arrives during the handshake and hands what stands behind it to `inner`;
    they put what they have to say into `outgoing`.
    """

    __slots__ = ("outgoing",)

    def __init__(self) -> None:
        super().__init__()
        self.outgoing = b""

    def receive_data(self, data: bytes) -> None:
        """Listen, or pass the bytes on."""
        if self.established:
            self.inner.receive_data(data)
        elif self.failure is None:
            self.hear(data)

    def receive_eof(self, error: OSError | None = None) -> None:
        """Give up, or pass the end on."""
        if self.established:
            self.inner.receive_eof(error)
        elif self.failure is None:
            self.lose(error)

    def data_to_send(self) -> bytes | memoryview:
        """Return what we have to say, and then what the machine inside has."""
        if not self.outgoing:
            return self.inner.data_to_send()
        outgoing, self.outgoing = self.outgoing, b""
        return outgoing + self.inner.data_to_send()

    def hear(self, data: bytes) -> None:
        """Take bytes of the handshake, and call `succeed` or `fail` in the end."""
        raise NotImplementedError(f"{type(self).__name__} must implement hear().")

    def lose(self, error: OSError | None) -> None:
        """The connection ended before the handshake: call `fail`."""
        if error is None or isinstance(error, UnannouncedEnd):
            self.fail("it closed the connection without an answer", reason="closed")
        else:
            self.fail(f"the connection was lost: {in_words(error)}", reason=reason_of(error))


def in_words(error: OSError) -> str:
    """Return the error as text, which is never empty."""
    return error.strerror or str(error) or type(error).__name__


def reason_of(error: OSError) -> str | None:
    """Return the error in the one word of `TransportError.reason`: by its class and number, which no locale changes."""
    if isinstance(error, BrokenTLS):
        return "tls"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset"  # whether the system says one or the other is a matter of chance
    if isinstance(error, ConnectionAbortedError):
        return "closed"
    name = errorcode.get(error.errno or 0, "").removeprefix("WSA")
    return "unreachable" if name in _UNREACHABLE else None
