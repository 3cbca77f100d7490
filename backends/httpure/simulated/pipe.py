"""One direction of a simulated connection: bytes go in at one end and come out, in order, at the other.

What comes out, when, and in which pieces is up to the `Conditions`. What was written stays here until it is
delivered, and no more than the window fits: that is the back pressure that senders feel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .conditions import Conditions, Fate
from .scheduler import Event, Scheduler

__all__ = ["Pipe", "Receiver"]


class Receiver(Protocol):
    """Where a pipe delivers to."""

    @property
    def wants_data(self) -> bool:
        """False while nothing should be delivered; `Pipe.resume()` says when that is over."""
        ...

    def receive_data(self, data: bytes, /) -> None:
        """Take bytes, never none."""
        ...

    def receive_eof(self, error: OSError | None = None, /) -> None:
        """Nothing more will come. Called once at most."""
        ...


class Pipe:
    """Carries bytes to `receiver`. `name` stands in the log."""

    __slots__ = (
        "_conditions",
        "_delivered",
        "_ended",
        "_error",
        "_event",
        "_fate",
        "_in_flight",
        "_scheduler",
        "_stalled",
        "_stopped",
        "break_off",
        "name",
        "receiver",
        "room",
    )

    def __init__(
        self, scheduler: Scheduler, conditions: Conditions, name: str, receiver: Receiver, fate: Fate | None
    ) -> None:
        self.name = name
        self.receiver = receiver
        #: Called when there is room again for more.
        self.room: Callable[[], object] = _ignore
        #: Called with "cut" or "reset" when the connection breaks here.
        self.break_off: Callable[[str], object] = _ignore
        self._scheduler = scheduler
        self._conditions = conditions
        self._fate = fate
        self._in_flight = bytearray()
        self._delivered = 0
        self._ended = False
        self._stopped = False
        self._stalled = False
        self._error: OSError | None = None
        self._event: Event | None = None

    @property
    def empty(self) -> bool:
        """True if nothing is on its way."""
        return not self._in_flight

    def write(self, data: bytearray) -> int:
        """Take bytes from the beginning of `data`, as many as there is room for; return their number."""
        if self._stopped or self._ended:
            return len(data)  # nobody is there to get them
        size = min(len(data), self._conditions.window - len(self._in_flight))
        if size > 0:
            self._in_flight += data[:size]
            self._plan()
        return size

    def end(self, error: OSError | None = None) -> None:
        """Let the receiver know, after all that was written, that nothing more will come."""
        if not self._ended:
            self._ended, self._error = True, error
            self._plan()

    def stop(self) -> None:
        """Deliver nothing any more, not even an end. What is written from now on is lost."""
        self._stopped = True
        self._in_flight.clear()
        if self._event is not None:
            self._event.cancel()
            self._event = None
        self.room()

    def resume(self) -> None:
        """The receiver wants data again."""
        self._plan()

    def _plan(self) -> None:
        if self._event is not None or self._stopped or self._stalled:
            return
        if self._in_flight:
            if not self.receiver.wants_data:
                return
        elif not self._ended:
            return
        seconds = self._conditions.seconds(self._scheduler.random)
        self._event = self._scheduler.call_later(seconds, self._deliver)

    def _deliver(self) -> None:
        self._event = None
        if self._fate is not None and self._delivered >= self._fate.at:
            self._meet(self._fate)
        elif not self._in_flight:
            self._finish()
        elif self.receiver.wants_data:
            self._hand_over(self._size())
            self.room()
            self._plan()

    def _size(self) -> int:
        size = self._conditions.size(self._scheduler.random, len(self._in_flight))
        return size if self._fate is None else min(size, self._fate.at - self._delivered)

    def _hand_over(self, size: int) -> None:
        data = bytes(self._in_flight[:size])
        del self._in_flight[:size]
        self._delivered += size
        self._scheduler.record(f"{self.name}: {size} bytes")
        self.receiver.receive_data(data)

    def _finish(self) -> None:
        self._stopped = True
        self._scheduler.record(f"{self.name}: {'end' if self._error is None else self._error}")
        self.receiver.receive_eof(self._error)

    def _meet(self, fate: Fate) -> None:
        self._scheduler.record(f"{self.name}: {fate.kind} after {fate.at} bytes")
        if fate.kind == "stall":
            self._stalled = True  # what is in flight stays: its sender will notice that there is no room
        else:
            self.break_off(fate.kind)


def _ignore(*arguments: object) -> None:
    pass
