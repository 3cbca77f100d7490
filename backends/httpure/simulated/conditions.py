"""What a simulated network may do to what is sent over it."""

from __future__ import annotations

from random import Random

__all__ = ["Conditions", "Fate"]


class Fate:
    """How a connection ends by itself: "cut", "reset" or "stall", when `at` bytes have been delivered."""

    __slots__ = ("at", "kind")

    def __init__(self, kind: str, at: int) -> None:
        self.kind = kind
        self.at = at


class Conditions:
    """What a network does; the default is a perfect one. Chances are between 0 and 1, sizes in bytes.

    `delay`: the least and the most seconds between sending and delivery, and for connecting.
    `split`: the chance, at each delivery, that only a part of what could be delivered is.
    `piece`: the most bytes in one delivery; 1 delivers byte by byte.
    `window`: the bytes that one direction of a connection holds before its sender has to wait.
    `refuse`: the chance that a connection is refused.
    `cut`, `reset`, `stall`: the chance that a connection, after a number of bytes drawn up to `within`, ends
    in an orderly way, is reset, or delivers nothing any more. At most one of these happens to a connection.
    """

    __slots__ = ("cut", "delay", "piece", "refuse", "reset", "split", "stall", "window", "within")

    def __init__(
        self,
        *,
        delay: float | tuple[float, float] = 0.0,
        split: float = 0.0,
        piece: int = 64 * 1024,
        window: int = 128 * 1024,
        refuse: float = 0.0,
        cut: float = 0.0,
        reset: float = 0.0,
        stall: float = 0.0,
        within: int = 4096,
    ) -> None:
        self.delay = delay if isinstance(delay, tuple) else (delay, delay)
        self.split = split
        self.piece = piece
        self.window = window
        self.refuse = refuse
        self.cut = cut
        self.reset = reset
        self.stall = stall
        self.within = within

    def seconds(self, random: Random) -> float:
        """Draw how long a delivery takes."""
        low, high = self.delay
        return low if low == high else random.uniform(low, high)

    def size(self, random: Random, available: int) -> int:
        """Draw how many of the available bytes, at least one, are delivered together."""
        size = min(available, self.piece)
        if self.split and size > 1 and random.random() < self.split:
            size = random.randint(1, size - 1)
        return size

    def refuses(self, random: Random) -> bool:
        """Draw whether a connection is refused."""
        return self.refuse > 0 and random.random() < self.refuse

    def fates(self, random: Random) -> tuple[Fate | None, Fate | None]:
        """Draw what becomes of a connection, by what happens on its way to the server, and to the client."""
        if not (self.cut or self.reset or self.stall):
            return None, None
        drawn = random.random()
        for kind, chance in (("cut", self.cut), ("reset", self.reset), ("stall", self.stall)):
            if drawn < chance:
                fate = Fate(kind, random.randint(0, self.within))
                return (fate, None) if random.random() < 0.5 else (None, fate)
            drawn -= chance
        return None, None
