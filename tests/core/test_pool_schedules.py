"""Any schedule of requests, of both versions of HTTP, on a pool with all of its limits; and what must always hold."""

from __future__ import annotations

import threading
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from httpure_core.pool import Pool, Ticket

from .pooling import Connection, opened

LIMIT, MAX_IDLE, PER_ROUTE, EXPIRY, MAX_AGE, MAX_REQUESTS = 3, 2, 2, 5.0, 20.0, 6
ROUTES = "abc"


class Schedule(RuleBasedStateMachine):
    """`c` is a route that speaks HTTP/1.1 only, and is known to."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(
            threading.Lock(),
            LIMIT,
            MAX_IDLE,
            EXPIRY,
            max_per_route=PER_ROUTE,
            max_age=MAX_AGE,
            max_requests=MAX_REQUESTS,
        )
        self.now = 0.0
        self.all: list[Ticket] = []  # in the order of their coming
        self.undecided: list[Ticket] = []
        self.connections: list[Any] = []
        self.lost: set[Any] = set()  # those that one found stale while others had them
        self.closed = False

    # What happens.

    @rule(target=tickets, route=st.sampled_from(ROUTES), newer=st.sampled_from([0, 0, 0, 1]))
    def admit(self, route: str, newer: int) -> Ticket:
        return self.come(route, len(self.connections) * newer)

    @rule(target=tickets, route=st.sampled_from("ab"), count=st.integers(2, 6))
    def rush(self, route: str, count: int) -> Any:
        return multiple(*[self.come(route) for _ in range(count)])

    def come(self, route: str, newer_than: int = 0) -> Ticket:
        ticket = Ticket(route, route != "c", newer_than)
        self.all.append(ticket)
        self.pool.admit(ticket, self.now)
        if ticket.decided:
            self.nobody_was_overtaken(ticket)
        return ticket

    def nobody_was_overtaken(self, newcomer: Ticket) -> None:
        """Who is served at once comes after all who wait: they wait for something of other routes."""
        for ticket in self.all:
            if not ticket.decided:
                assert ticket.route != newcomer.route
                assert self.why_not(ticket) != "full"

    @rule(ticket=tickets, streams=st.sampled_from([None, 1, 2, 5]))
    def dial(self, ticket: Ticket, streams: int | None) -> None:
        if ticket.may_dial:
            connection: Any = Connection(None if ticket.route == "c" else streams)
            connection.most = connection.streams
            self.connections.append(connection)
            assert self.pool.dialled(ticket, connection, self.now)

    @rule(ticket=tickets)
    def open(self, ticket: Ticket) -> None:
        if ticket.connection is not None and ticket.connection.multiplexed and not ticket.opened:
            opened(ticket)

    @rule(ticket=tickets)
    def fail(self, ticket: Ticket) -> None:
        ticket.failed = True

    @rule(ticket=tickets, stale=st.booleans())
    def redial(self, ticket: Ticket, stale: bool) -> None:
        connection: Any = ticket.connection
        if connection is None or not ticket.reused or ticket.opened:
            return
        if not stale:
            connection.alive = False
        elif len(self.users(connection)) > 1:
            self.lost.add(connection)
        elif connection not in self.lost:
            connection.alive = False
        self.pool.redial(ticket, self.now, stale)
        if not ticket.decided:
            self.all.remove(ticket)
            self.all.append(ticket)  # it has joined the end of the line
        elif ticket.connection is not None:
            self.nobody_was_overtaken(ticket)

    @rule(ticket=consumes(tickets), alive=st.booleans())
    def release(self, ticket: Ticket, alive: bool) -> None:
        connection: Any = ticket.connection
        if connection is not None:
            connection.open -= ticket.opened and connection.multiplexed
            if not connection.multiplexed and not alive:
                connection.alive = False
        self.all.remove(ticket)
        self.pool.release(ticket, self.now)

    @precondition(lambda self: self.pool._places.slots)
    @rule(
        random=st.randoms(use_true_random=False), what=st.sampled_from(["end", "limit", "limit", "suspect"])
    )
    def change(self, random: Random, what: str) -> None:
        connection: Any = random.choice(list(self.pool._places.slots)).connection
        if what == "end":
            connection.alive = False
        elif connection.multiplexed and what == "limit":
            connection.streams = random.choice([1, 3, 8])
        elif connection.multiplexed:
            connection.suspect = not connection.suspect
        connection.tell()

    @rule()
    def sweep(self) -> None:
        self.pool.sweep()

    @rule(seconds=st.sampled_from([0.5, 3.0, 6.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    # What must hold.

    def users(self, connection: Any) -> list[Ticket]:
        return [ticket for ticket in self.all if ticket.connection is connection]

    def places(self, route: str | None = None) -> int:
        """How many places are taken, as the tickets and the links tell it."""
        dialling = [t for t in self.all if t.may_dial and route in (None, t.route)]
        kept = [s for s in self.pool._places.slots if route in (None, s.lane.route)]
        return len(dialling) + len(kept)

    @invariant()
    def places_are_neither_lost_nor_made(self) -> None:
        statistics = self.pool.statistics
        assert statistics.connections == self.places() <= LIMIT
        by_route = self.pool.statistics_by_route()
        for route in ROUTES:
            count = by_route[route].connections if route in by_route else 0
            assert count == self.places(route) <= PER_ROUTE
        assert statistics.waiting == sum(not ticket.decided for ticket in self.all)
        assert statistics.requests == sum(ticket.connection is not None for ticket in self.all)

    @invariant()
    def what_is_open_is_known(self) -> None:
        kept = {slot.connection for slot in self.pool._places.slots}
        for connection in self.connections:
            if connection.link.closed:
                assert connection not in kept
                assert connection.link.closed == 1
            elif connection not in kept:
                assert self.users(connection), "nobody has it, and nobody closes it"
        idle = [slot for slot in self.pool._places.slots if not self.users(slot.connection)]
        assert len(idle) == self.pool.statistics.idle <= MAX_IDLE

    @invariant()
    def nobody_has_more_streams_than_there_were(self) -> None:
        for connection in self.connections:
            users = self.users(connection)
            assert len(users) <= 1 or connection.multiplexed
            if len(users) <= connection.streams:
                connection.most = connection.streams
            else:
                connection.most = max(connection.most, connection.streams)
            assert len(users) <= connection.most

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """In the order of their coming: who can be served is; who waits for a place is all that holds up others."""
        seen: set[Any] = set()
        for ticket in self.all:
            if ticket.decided or ticket.route in seen:
                continue
            seen.add(ticket.route)  # those behind it wait for it
            why = self.why_not(ticket)
            assert why, f"a ticket of {ticket.route} waits for nothing"
            if why == "full":
                break

    def why_not(self, ticket: Ticket) -> str:
        lane: Any = ticket.lane
        for slot in self.pool._places.slots:
            if slot.lane is not lane or slot.number <= ticket.newer_than:
                continue
            users = self.users(slot.connection)
            if not users and slot.usable and slot.expires >= self.now:
                return ""
            free = slot.room > 0 and slot.left > 0 and slot.retires > self.now
            if users and slot.connection.multiplexed and free:
                return ""
        if lane.first is not None and ticket.number > lane.free_until:
            return "a dial is going on"
        assert lane.first is None or lane.first.may_dial
        if lane.count >= PER_ROUTE and not lane.idle:
            return "the route is full"
        if self.pool.statistics.connections >= LIMIT and not self.pool.statistics.idle:
            return "full"
        return ""

    @invariant()
    def of_a_route_the_oldest_is_served_first(self) -> None:
        """Who waits is younger than everybody who was served since it came."""
        waiting = [ticket for ticket in self.all if not ticket.decided]
        for earlier in self.undecided:
            if earlier not in waiting and earlier in self.all:
                older = [t for t in waiting if t.route == earlier.route and t.number < earlier.number]
                assert not older
        self.undecided = waiting

    def teardown(self) -> None:
        tickets = list(self.all)
        for number, ticket in enumerate(tickets):
            if number % 2:
                self.release(ticket, True)
        self.nobody_waits_for_nothing()
        self.pool.close()
        for ticket in list(self.all):
            self.pool.release(ticket, self.now)
        assert self.pool.statistics == (0, 0, 0)
        assert self.pool.statistics.requests == 0
        assert all(connection.link.closed == 1 for connection in self.connections)
        assert not self.pool._places.lanes


Schedule.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
TestSchedules = pytest.mark.slow(Schedule.TestCase)
