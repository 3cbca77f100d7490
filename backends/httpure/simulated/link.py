"""A client's end of a simulated connection. See `contracts.Link`.

As on asyncio, nobody takes turns at reading: what the network delivers goes to the machine at once, and
what the machine has to send then, such as acknowledgements, goes out.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable
from functools import partial
from typing import Any

from httpure_core import contracts
from httpure_core.effects import Flush, Receive

from .._memory import Basket
from .pipe import Pipe
from .scheduler import Mutex, Scheduler, Wait

__all__ = ["Link"]


class Link:
    """Connects a machine to two pipes. `name` stands in the log and in the report of a deadlock."""

    basket = Basket

    __slots__ = (
        "_closed",
        "_ended",
        "_incoming",
        "_lost",
        "_outgoing",
        "_scheduler",
        "_sending",
        "_unsent",
        "ends",
        "machine",
        "mutex",
        "name",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        machine: contracts.Machine,
        ends: tuple[Any, Any] = (None, None),
    ) -> None:
        self.machine = machine
        #: The addresses of client and server, in the form that sockets have them.
        self.ends = ends
        self.mutex: contracts.Mutex = Mutex()
        self.name = name
        self._scheduler = scheduler
        self._unsent = bytearray()
        self._sending: list[Wait] = []  # those who wait for room in the outgoing pipe
        self._ended = False  # nothing more will be received
        self._closed = False
        self._lost: OSError | None = None  # why nothing can be sent any more
        self._incoming: Pipe
        self._outgoing: Pipe

    def connect(self, incoming: Pipe, outgoing: Pipe) -> None:
        """Join the two pipes. Called once, by the network."""
        self._incoming, self._outgoing = incoming, outgoing
        outgoing.room = self._pump

    # What the core asks of a link.

    def nudge(self) -> None:
        """Look at the machine again, soon."""
        self._scheduler.call_later(0, self._look)

    def is_stale(self) -> bool:
        """True if the connection has ended."""
        return self._ended or self._closed

    def extra_info(self, name: str) -> Any:
        """Return "client_addr", "server_addr" or "is_readable"; None for all else, and once it is closed."""
        if name == "is_readable":
            return self._ended or self._closed or not self._incoming.empty
        if name in ("client_addr", "server_addr") and not self._closed:
            return self.ends[name == "server_addr"]
        return None

    def close(self) -> None:
        """Hang up. What was flushed still arrives."""
        if self._closed:
            return
        self._closed = True
        self._lost = self._lost or OSError(errno.ECONNABORTED, "the client was closed")
        self._unsent.clear()
        self._incoming.stop()
        self._outgoing.end()
        # Not at once: this may run in the middle of a step of the machine.
        self._scheduler.call_later(0, partial(self.receive_eof, self._lost))

    # What the backend asks of a link.

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Send what the machine has to send; at once, if there is room."""
        self._send()
        if self._lost is not None:
            raise _like(self._lost)
        effect.flushed = not self._unsent
        if effect.flushed or effect.signal.ready:
            return None
        return self._drain(effect)

    def receive(self, effect: Receive) -> Awaitable[None] | None:
        """Wait for news."""
        if effect.signal.ready:
            return None
        return self._scheduler.until(effect.signal, effect.timeout, f"Receive on {self.name}")

    # What the network tells a link.

    @property
    def wants_data(self) -> bool:
        """False while the machine's reader lags behind."""
        return self.machine.wants_data

    def receive_data(self, data: bytes) -> None:
        """Feed the machine, and send its answer."""
        with self.mutex:
            self._feed(data)
        self._send()

    def _feed(self, data: bytes) -> None:
        """Give the machine the bytes, in place where it offers room: as every link does that has sockets."""
        machine: Any = self.machine
        while data and (room := getattr(machine, "room", None)) is not None:
            place = room()
            size = min(len(place), len(data))
            place[:size] = data[:size]
            machine.filled(size)
            data = data[size:]
        if data:
            machine.receive_data(data)

    def receive_eof(self, error: OSError | None = None) -> None:
        """Tell the machine that this was all."""
        if not self._ended:
            self._ended = True
            with self.mutex:
                self.machine.receive_eof(error)
            self._send()
        if error is not None:
            self._lost = self._lost or error
            self._unsent.clear()
            self._wake_senders()

    def _look(self) -> None:
        self._send()
        if not self._closed:
            self._incoming.resume()

    def _send(self) -> None:
        with self.mutex:
            data = self.machine.data_to_send()
        if data and self._lost is None:
            self._unsent += data
            self._pump()

    def _pump(self) -> None:
        """Give the pipe what there is room for, and tell those who wait for that."""
        if self._unsent and (size := self._outgoing.write(self._unsent)):
            del self._unsent[:size]
            self._wake_senders()

    def _wake_senders(self) -> None:
        waits, self._sending = self._sending, []
        for wait in waits:
            wait.wake()

    async def _drain(self, effect: Flush) -> None:
        """Wait until the pipe has taken something."""
        wait = Wait(f"Flush on {self.name}, {len(self._unsent)} bytes unsent")
        self._sending.append(wait)
        effect.signal.wake = wait.wake
        try:
            await self._scheduler.limited(wait, effect.timeout)
        finally:
            effect.signal.wake = None
        if self._lost is not None:
            raise _like(self._lost)
        effect.flushed = not self._unsent


def _like(error: OSError) -> OSError:
    """Return another one: what a link kept would keep the frames that it was raised in, and what these know."""
    return OSError(error.errno, error.strerror)
