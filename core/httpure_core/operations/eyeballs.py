"""Which of a host's addresses to connect to next, and when: Happy Eyeballs (RFC 8305).

An address may be dead without saying so, and often all those of one family are. So they are tried in turns of their
families, and the next one does not wait for the end of the one before: the first to connect wins.

    >>> from httpure_core.effects import Address
    >>> from httpure_core.operations.eyeballs import Eyeballs
    >>> four, six = Address("192.0.2.1", 80), Address("2001:db8::1", 80, family="ipv6")
    >>> eyeballs = Eyeballs([six, four], limit=5.0)
    >>> print(eyeballs.due(now=100.0), eyeballs.due(now=100.0), eyeballs.pause(now=100.0))
    [2001:db8::1]:80 None 0.25
    >>> print(eyeballs.due(now=100.25), eyeballs.pause(now=100.25))
    192.0.2.1:80 None

Nothing here waits, or connects: `opening.py` does as it says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ..effects import Address

__all__ = ["ATTEMPT_DELAY", "LEAST_DELAY", "Eyeballs", "in_turns"]

#: Seconds from the beginning of one attempt to that of the next: the Connection Attempt Delay of RFC 8305 section 5.
ATTEMPT_DELAY = 0.25
#: What it never goes below, however short the time is.
LEAST_DELAY = 0.01


class Eyeballs:
    """The order and the moments in which attempts begin. `limit`: the seconds for all of them; None for no limit.

    Where the limit is short, the delay between two of them is shorter, so that each address has its share of it.
    """

    __slots__ = ("_due", "_under_way", "_waiting", "delay")

    def __init__(self, addresses: Iterable[Address], limit: float | None) -> None:
        self._waiting = deque(in_turns(addresses))
        self._under_way = 0
        #: The moment at which the next attempt begins; None for at once.
        self._due: float | None = None
        #: Seconds between two beginnings.
        self.delay = ATTEMPT_DELAY
        if limit is not None and self._waiting:
            self.delay = min(ATTEMPT_DELAY, max(LEAST_DELAY, limit / len(self._waiting)))

    def due(self, now: float) -> Address | None:
        """Return the address to begin with now, which counts as under way; None where it is not yet time for any."""
        if not self._waiting or (self._due is not None and now < self._due):
            return None
        self._due = now + self.delay
        self._under_way += 1
        return self._waiting.popleft()

    def pause(self, now: float) -> float | None:
        """Return the seconds until the next one is due; None where there is none left to begin with."""
        if not self._waiting:
            return None
        return 0.0 if self._due is None else max(0.0, self._due - now)

    def failed(self) -> None:
        """One that was under way has failed, so the next is due at once."""
        self._under_way -= 1
        self._due = None

    @property
    def over(self) -> bool:
        """True when all have failed."""
        return not self._waiting and not self._under_way

    @property
    def untried(self) -> list[Address]:
        """Those that were not due yet."""
        return list(self._waiting)


def in_turns(addresses: Iterable[Address]) -> list[Address]:
    """Return the addresses, each of them once, so that families take turns (RFC 8305 section 4).

    The first one stays the first, and those of a family keep their order.
    """
    families: dict[str, deque[Address]] = {}
    known = set()
    for address in addresses:
        key = (address.family, address.host, address.port, address.scope, address.path)
        if key not in known:
            known.add(key)
            families.setdefault(address.family, deque()).append(address)
    ordered: list[Address] = []
    while families:
        for family in list(families):
            ordered.append(families[family].popleft())
            if not families[family]:
                del families[family]
    return ordered
