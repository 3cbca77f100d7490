"""Waking and taking turns, with no event loop in sight.

A `Signal` says "something happened": whoever waits for news clears it, looks at the state, and only then
waits, in that order, or a wake-up between looking and waiting would be lost.

A `ReadTurn` says who reads a link that several streams share. On asyncio the event loop reads and no turn is
needed; on threads and trio one of the waiting users reads for all. The invariant: while somebody waits, somebody
reads, or somebody who waits is awake, and will look, and take over.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["ReadTurn", "Signal"]


class Signal:
    """A flag with a bell: `set()` raises the flag and rings for the one who waits, if any."""

    __slots__ = ("ready", "wake")

    def __init__(self) -> None:
        #: True since the last `set()`; the waiter puts it back to False before it looks at the state.
        self.ready = False
        #: Wakes the party that waits. Filled in by the backend, used once, then forgotten.
        self.wake: Callable[[], None] | None = None

    def set(self) -> None:
        """Say that something happened."""
        self.ready = True
        wake = self.wake  # as `nudge()`, which would be a frame more for each arrival
        if wake is not None:
            self.wake = None
            wake()

    def nudge(self) -> None:
        """Wake the waiter without news: it looks again, and may find that it is its turn to read."""
        wake = self.wake
        if wake is not None:
            self.wake = None
            wake()


class ReadTurn:
    """Who reads. Guarded by the mutex of the link that it belongs to."""

    __slots__ = ("reader", "waiting")

    def __init__(self) -> None:
        self.reader: Signal | None = None
        #: Those who wait for the reader to bring their news, in the order of their coming.
        self.waiting: dict[Signal, None] = {}

    def join(self, signal: Signal) -> bool:
        """Take the turn if it is free. Returns True for "you read", False for "wait to be woken, and join again".

        Who joins again keeps what they have: the turn, or their place in line.
        """
        if self.reader is None:
            self.reader = signal
            if self.waiting:
                self.waiting.pop(signal, None)
        elif self.reader is not signal:
            self.waiting[signal] = None
            return False
        return True

    def leave(self, signal: Signal) -> None:
        """Give the turn back, or stop waiting for it: for news, a timeout, a cancellation, any reason.

        If nobody reads now, the one who has waited longest is nudged, joins again, and reads.
        """
        if self.reader is signal:
            self.reader = None
        else:
            self.waiting.pop(signal, None)
        if self.reader is None:
            for waiter in self.waiting:
                waiter.nudge()
                break
