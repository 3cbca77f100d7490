"""Bytes on their way out of a scripted server: when they go, in which pieces, and how they end.

HTTP/1.1 and HTTP/2 write here what their machines give them, and know nothing of faults that concern bytes. A mark
stands at a place of what is written, counted from the beginning of the connection; what is due there happens
when all that stands before it has gone out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random

from ..simulated.channel import Channel
from .answers import Answer, Fault, Split

__all__ = ["Delivery", "Wire"]


class Delivery:
    """How the bytes of one answer go out, from the place of its beginning to that of its end."""

    __slots__ = ("_random", "_split", "end", "pause", "start")

    def __init__(self, start: int, split: Split | None, pause: float, random: Random) -> None:
        self.start = start
        #: None until all of the answer is written.
        self.end: int | None = None
        self.pause = pause
        self._split = split
        self._random = random

    def size(self, at: int, available: int) -> int:
        """Return how many bytes go together, from a place on."""
        if self.end is not None:
            available = min(available, self.end - at)
        split = self._split
        if isinstance(split, int):
            return min(split, available)
        if isinstance(split, str):
            return self._random.randint(1, available)
        if split is None:
            return available
        return min([available, *(place - (at - self.start) for place in split if place > at - self.start)])


class Wire:
    """One connection's way out. None of its methods waits."""

    def __init__(self, channel: Channel, random: Random) -> None:
        #: True when nothing more can be sent.
        self.over = False
        self._channel = channel
        self._random = random
        self._buffer = bytearray()
        self._sent = 0
        self._marks: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = count()
        self._delivery: Delivery | None = None
        self._held = False
        self._awaiting = False  # all that was sent to be delivered
        channel.delivered = self._delivered

    @property
    def written(self) -> int:
        """The place where the next bytes will stand."""
        return self._sent + len(self._buffer)

    def send(self, data: bytes) -> None:
        """Send bytes when their time has come."""
        if not self.over:
            self._buffer += data
            self._pump()

    def begin(self, answer: Answer) -> Callable[[], None]:
        """An answer begins here. Returns what is to be called at its end."""
        fault, start = answer.fault, self.written
        split, pause = answer.split, 0.0
        if fault is not None and fault.kind == "drip":
            split, pause = fault.size, fault.seconds or 0.0
        delivery = Delivery(start, split, pause, self._random)
        if split is not None:
            self._delivery = delivery
        pending = [fault] if fault is not None and fault.kind in ("reset", "close", "stall") else []
        if pending and pending[0].after is not None:
            self._mark(start + pending[0].after, pending.pop())
        self._pump()

        def end() -> None:
            delivery.end = self.written
            for each in pending:
                self._mark(self.written, each)
            # What was to happen later than the answer lasts happens at its end.
            self._marks = [(min(at, self.written), number, act) for at, number, act in self._marks]
            heapq.heapify(self._marks)
            self._pump()

        return end

    def hang_up(self) -> None:
        """Close the connection when all is sent."""
        heapq.heappush(self._marks, (self.written, next(self._numbers), self.close))
        self._pump()

    def close(self) -> None:
        """Close the connection."""
        self.over = True
        self._channel.close()

    def reset(self) -> None:
        """Break the connection off."""
        self.over = True
        self._channel.reset()

    def _mark(self, at: int, fault: Fault) -> None:
        acts: dict[str, Callable[[], object]] = {"reset": self.reset, "close": self._end}
        act = acts.get(fault.kind) or (lambda: self._hold(fault.seconds))
        heapq.heappush(self._marks, (at, next(self._numbers), act))

    def _end(self) -> None:
        self.over = True
        self._channel.end()

    def _hold(self, seconds: float | None) -> None:
        self._held = True
        if seconds is not None:
            self._channel.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._held = False
        self._pump()

    def _delivered(self) -> None:
        if self._awaiting:
            self._awaiting = False
            self._go_on()

    def _pump(self) -> None:
        while not self.over and not self._held:
            if self._marks and self._marks[0][0] <= self._sent:
                heapq.heappop(self._marks)[2]()
            elif self._buffer:
                self._send_some()
            else:
                return

    def _send_some(self) -> None:
        size = len(self._buffer)
        if self._marks:
            size = min(size, self._marks[0][0] - self._sent)
        delivery = self._delivery
        if delivery is not None and delivery.end is not None and self._sent >= delivery.end:
            delivery = self._delivery = None
        if delivery is not None:
            size = delivery.size(self._sent, size)
            self._held = True
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._sent += size
        self._awaiting = delivery is not None and not delivery.pause
        self._channel.send(data)
        if delivery is not None and delivery.pause:
            self._channel.call_later(delivery.pause, self._go_on)
