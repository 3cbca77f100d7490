"""The connections of a pool: how many there are, which of them are idle, and how their stay ends.

Who gets one is decided in `pool.py`, whose mutex guards all of this.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import islice

from .contracts import Connection
from .lanes import Lane, Route, Slot, Statistics, Ticket

__all__ = ["Expiry", "Places"]

_INFINITY = float("inf")
#: How many connections are looked at before another one is dialled, and how many idle ones of them asked.
_MOST_LOOKED_AT = 32
_MOST_ASKED = 8


class Expiry:
    """The idle connections by when they expire; of those that stay as long, the one that was idle longest is first.

    What stands here is put right only when it comes first. So a connection may be used and idle again a thousand times
    without a change here.
    """

    __slots__ = ("_count", "_heap", "next")

    def __init__(self) -> None:
        #: The moment before which none of them expires.
        self.next = _INFINITY
        self._heap: list[tuple[float, float, int, Slot]] = []
        self._count = 0  # so that no two are alike

    def add(self, slot: Slot, most: int) -> None:
        """Take one in, of at most so many that are kept."""
        heap = self._heap
        if len(heap) > 2 * most + 16:
            heap[:] = [entry for entry in heap if entry[3].kept and entry[3].listed == entry[0]]
            heapify(heap)
        slot.listed = slot.expires
        self._count += 1
        heappush(heap, (slot.expires, slot.since, self._count, slot))
        self.next = heap[0][0]

    def first(self) -> Slot | None:
        """Return the one that is the first to go."""
        heap = self._heap
        while heap:
            expires, since, _, slot = heap[0]
            idle = slot.kept and not slot.users
            if idle and (expires, since) == (slot.expires, slot.since):
                self.next = expires
                return slot
            heappop(heap)
            if slot.listed == expires:
                slot.listed = None
                if idle:
                    self.add(slot, len(heap))
        self.next = _INFINITY
        return None

    def clear(self) -> None:
        """Forget all."""
        self._heap.clear()
        self.next = _INFINITY


class Places:
    """The routes of a pool, and their connections. The parameters are those of `Pool`, with infinity for no limit."""

    __slots__ = (
        "_expiry",
        "_max_age",
        "_max_requests",
        "count",
        "doomed",
        "idle",
        "lanes",
        "leaving",
        "made",
        "max_idle",
        "order",
        "slots",
    )

    def __init__(self, max_idle: float, expiry: float, max_age: float, max_requests: float) -> None:
        self.max_idle = max_idle
        self._expiry = expiry
        self._max_age = max_age
        self._max_requests = max_requests
        #: Places taken: by those that are being dialled, are in use, or idle.
        self.count = 0
        self.idle = 0
        #: How many connections there have ever been.
        self.made = 0
        self.lanes: dict[Route, Lane] = {}
        #: In the order of their making; a set would not repeat itself in a simulation.
        self.slots: dict[Slot, None] = {}
        #: In use, but of no use to anybody new: they count no more.
        self.leaving: dict[Slot, None] = {}
        #: The idle ones.
        self.order = Expiry()
        #: To be closed when the mutex is free.
        self.doomed: list[Connection] = []

    def anew(self) -> Places:
        """Return others, with the same limits and nothing in them."""
        return Places(self.max_idle, self._expiry, self._max_age, self._max_requests)

    def statistics(self, waiting: int) -> Statistics:
        """Return the figures, where so many tickets wait."""
        users = sum(slot.users for slot in [*self.slots, *self.leaving])
        return Statistics(self.count, self.idle, waiting, users)

    def statistics_by_route(self) -> dict[Route, Statistics]:
        """Return the figures of each route."""
        slots = [*self.slots, *self.leaving]
        return {
            lane.route: Statistics(
                lane.count,
                len(lane.idle),
                len(lane.waiting),
                sum(slot.users for slot in slots if slot.lane is lane),
            )
            for lane in list(self.lanes.values())
        }

    # Coming.

    def reserve(self, lane: Lane) -> None:
        """Take a place for a connection that is to be dialled."""
        lane.count += 1
        self.count += 1

    def cancel(self, lane: Lane) -> None:
        """Give such a place back."""
        lane.count -= 1
        self.count -= 1

    def take_in(self, connection: Connection, lane: Lane, now: float) -> Slot:
        """Put a new connection, which has one user, into a place that was reserved."""
        self.made += 1
        slot = Slot(
            connection, lane, self.made, now + self._max_age, self._max_requests - 1, connection.multiplexed
        )
        self.slots[slot] = None
        return slot

    # Being idle.

    def give_back(self, slot: Slot, ticket: Ticket, now: float) -> None:
        """A ticket has done with a connection: others still use it, or it is idle now, or is of no use any more."""
        if slot.granted or not slot.kept:
            self.leave(slot, ticket)
            if not slot.kept:
                return
        else:  # as `leave()`, which has no more to do for nearly all: a frame less for each request
            slot.users -= 1
        lane = slot.lane
        if slot.users:
            lane.open[slot] = None
            return
        if lane.open:
            lane.open.pop(slot, None)
        connection = slot.connection
        usable = connection.reusable or connection.suspect
        if not usable or self.max_idle <= 0 or slot.left <= 0 or connection.requests_left == 0:
            self.drop(slot)
            return
        expires = now + self._expiry
        limit = connection.idle_limit
        if limit is not None:
            # A little less than the server has said, or the next request may meet its goodbye.
            expires = min(expires, now + max(limit - 1, limit / 2))
        if slot.retires < expires:
            expires = slot.retires
        slot.since, slot.expires = now, expires
        lane.idle[slot] = None
        self.idle += 1
        if slot.listed is None or expires < slot.listed:
            self.order.add(slot, len(self.slots))

    def leave(self, slot: Slot, ticket: Ticket) -> None:
        """A ticket uses the connection no more. What counts no more is closed when the last of its users is gone."""
        slot.users -= 1
        if slot.granted and not ticket.opened:
            slot.granted -= 1
        if not slot.kept and not slot.users and slot in self.leaving:
            del self.leaving[slot]
            self.doomed.append(slot.connection)

    def borrow(self, asked: list[Slot]) -> None:
        """Fill the list with idle ones that are to be asked whether they are stale: meanwhile nobody has them."""
        for slot in list(islice(self.slots, _MOST_LOOKED_AT)):
            del self.slots[slot]
            self.slots[slot] = None  # the others come next time
            if not slot.users and len(asked) < _MOST_ASKED:
                slot.checking = True
                asked.append(slot)
                self._stop_idling(slot)
                slot.users = 1

    def put_back(self, slot: Slot) -> None:
        """It has been asked: if it still counts, it goes to where it was, as the one used last shall be used first."""
        slot.checking = False
        slot.users = 0
        if slot.kept:
            slot.lane.idle = dict.fromkeys(sorted([slot, *slot.lane.idle], key=_idle_since))
            self.idle += 1

    # Going.

    def expire(self, now: float) -> None:
        """Close the idle ones that are too many, or too old."""
        while (slot := self.order.first()) is not None and (slot.expires < now or self.idle > self.max_idle):
            self.evict(slot)

    def evict(self, slot: Slot) -> None:
        """Close an idle one."""
        self._stop_idling(slot)
        self.drop(slot)
        if not slot.lane.count:
            self.forget(slot.lane)

    def drop(self, slot: Slot) -> None:
        """Close one that has no users, or whose users it is closed for."""
        self.count -= 1
        slot.lane.count -= 1
        slot.kept = False
        slot.connection.changed = None
        del self.slots[slot]
        self.doomed.append(slot.connection)

    def let_go(self, slot: Slot) -> None:
        """Count it no more, as its place has passed to somebody else; those who use it may go on."""
        slot.kept = False
        slot.connection.changed = None
        slot.lane.open.pop(slot, None)
        del self.slots[slot]
        if slot.users:
            self.leaving[slot] = None
        else:
            self.doomed.append(slot.connection)

    def close(self) -> None:
        """Close all of them, busy ones too."""
        for slot in list(self.slots):
            if not slot.users:
                self._stop_idling(slot)
            self.drop(slot)
        self.doomed += [slot.connection for slot in self.leaving]
        self.leaving.clear()
        for lane in self.lanes.values():
            lane.open.clear()
        self.order.clear()

    def forget(self, lane: Lane) -> None:
        """Remember a route no longer that has no connection, and nobody who waits for one."""
        if not lane.count and not lane.waiting and self.lanes.get(lane.route) is lane:
            del self.lanes[lane.route]

    def _stop_idling(self, slot: Slot) -> None:
        del slot.lane.idle[slot]
        self.idle -= 1


def _idle_since(slot: Slot) -> float:
    return slot.since
