"""A connection that has left HTTP, after 101 or 2xx to CONNECT: its bytes in and out, and TLS on top of them."""

from __future__ import annotations

from ..contracts import RawMachine, TLSMachine
from ..effects import Flush, Operation, Receive
from ..errors import (
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    StreamError,
    TLSError,
    TransportError,
    WriteError,
    WriteTimeout,
)
from ..http1.raw import RawBytes
from ..layers import in_words, reason_of
from ..signals import Signal
from .body import IncomingBody
from .budget import Budget, place
from .connecting import Connecting, Handshake

__all__ = ["RawConnection"]


class RawConnection:
    """The bytes behind a response. Two may use it at a time, one who reads and one who writes.

    Closing the response closes the connection. Raises StreamError where the response is one of HTTP.
    """

    __slots__ = ("_body", "_machine", "_reading")

    def __init__(self, body: IncomingBody) -> None:
        machine = body.raw
        if machine is None:
            raise StreamError(
                "The connection speaks HTTP: its bytes can be read and written only after 101 Switching Protocols, "
                "or 2xx to CONNECT."
            )
        self._body = body
        self._machine: RawMachine = machine
        self._reading = False

    @property
    def readable(self) -> bool:
        """True if `receive_some` would not have to wait."""
        return self._machine.buffered > 0 or self._machine.ended

    def receive_some(self, max_bytes: int, timeout: float | None) -> Operation[bytes]:
        """Return what has come, at most `max_bytes`; wait for `timeout` seconds if that is nothing. b"" is the end.

        Raises ReadError, ReadTimeout, ValueError; StreamError if somebody else is at it.
        """
        if max_bytes <= 0:
            raise ValueError(f"max_bytes is {max_bytes}, but must be positive.")
        self._check_alone()
        self._reading = True
        try:
            while True:
                machine = self._machine
                # Clear the signal, look at the state, then wait.
                machine.signal.ready = False
                data = self._take(machine, max_bytes)
                if data or machine.ended:
                    return data
                try:
                    yield Receive(self._body.link, machine.signal, timeout)
                except TimeoutError:
                    what = f"Nothing was received {_in_time(timeout)}"
                    raise self._failed(ReadTimeout, what, "; allow more with read(timeout=...)") from None
        finally:
            self._reading = False

    def _take(self, machine: RawMachine, max_bytes: int) -> bytes:
        link = self._body.link
        with link.mutex:
            waited = machine.wants_data
            data = machine.take(max_bytes)
        if data:
            if not waited:
                link.nudge()  # it may have stopped reading for want of room
        elif self._body.released:
            raise self._failed(ReadError, "The connection was closed", reason="closed")
        elif machine.lost is not None:
            why = f"The connection was lost: {in_words(machine.lost)}"
            raise self._failed(ReadError, why, reason=reason_of(machine.lost)) from machine.lost
        return data

    def send_all(self, data: bytes, timeout: float | None) -> Operation[bool]:
        """Send all of it; the peer has to take something every `timeout` seconds. Raises WriteError, WriteTimeout."""
        if self._body.released:
            raise self._failed(WriteError, "The connection was closed", reason="closed")
        link, machine = self._body.link, self._machine
        with link.mutex:
            machine.send(data)
        signal = Signal()  # of its own: what the reader waits for is no news to the writer
        while True:
            flush = Flush(link, signal, timeout)
            try:
                yield flush
            except TimeoutError:
                what = f"Nothing could be sent {_in_time(timeout)}"
                raise self._failed(WriteTimeout, what, "; allow more with write(timeout=...)") from None
            except OSError as exc:
                orderly = machine.ended and machine.lost is None
                why = "the server has closed it" if orderly else in_words(exc)
                reason = "closed" if orderly else reason_of(exc)
                raise self._failed(WriteError, f"The connection was lost: {why}", reason=reason) from exc
            if flush.flushed:
                return True

    def secure(self, tls: TLSMachine, name: str, timeout: float | None) -> Operation[bool]:
        """Begin TLS; what is received and sent from then on goes through it. Closes the connection if that fails.

        Raises TLSError, ConnectTimeout; StreamError if somebody is reading.
        """
        self._check_alone()
        link, outer = self._body.link, self._machine
        try:
            if self._body.released:
                raise self._failed(TLSError, "The connection was closed", reason="closed")
            with link.mutex:
                early = outer.take(outer.buffered)
                outer.inner = tls
                if early:
                    tls.receive_data(early)
                if outer.ended:
                    tls.receive_eof(outer.lost)
            shaking = Handshake(
                _Starting(self._body.budget, timeout),
                link,
                tls,
                f"Could not start TLS with {name}",
                "the TLS handshake took too long",
                TLSError,
            ).shake()
            yield from shaking
            with link.mutex:
                self._machine = inner = RawBytes()
                tls.attach(inner)
        except BaseException:
            self._body.close()
            raise
        return True

    def _check_alone(self) -> None:
        if self._reading:
            raise StreamError("Somebody else is reading from this connection: one at a time.")

    def _failed(
        self, kind: type[TransportError], what: str, remedy: str = "", reason: str | None = None
    ) -> TransportError:
        request = self._body.budget.request
        error = kind(f"{what}, {place(request)}{remedy}", request=request)
        error.reason = reason
        return error


def _in_time(timeout: float | None, before: str = "for") -> str:
    # Without a limit of ours, it is the operating system's that was over.
    return "in time" if timeout is None else f"{before} {timeout:g} s"


class _Starting(Connecting):
    """A handshake in the middle of a connection's life, with a limit of its own."""

    __slots__ = ("_timeout",)

    def __init__(self, budget: Budget, timeout: float | None) -> None:
        self.budget = budget
        self._timeout = timeout
        self._ends = None if timeout is None else budget.clock() + timeout

    def spent(self, detail: str) -> TransportError:
        """Return the ConnectTimeout, telling what took so long."""
        request = self.budget.request
        return ConnectTimeout(
            f"No TLS connection was made {_in_time(self._timeout, 'within')}{detail}, {place(request)}; "
            "allow more with start_tls(timeout=...)",
            request=request,
        )
