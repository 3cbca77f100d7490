"""`places.py`: how long a connection stays, by the client's limits and the server's word."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.lanes import Lane, Slot
from httpure_core.places import Expiry
from httpure_core.pool import Route

from .pooling import Connection, admitted, connected, idle, pool


class TestAge:
    def test_an_old_one_is_not_kept(self) -> None:
        p = pool(max_age=10.0)
        ticket, connection = connected(p, now=5.0)
        p.release(ticket, 14.0)
        assert admitted(p, now=14.5).connection is connection
        again = admitted(p, now=14.5)
        assert again.may_dial

    def test_nor_granted(self) -> None:
        p = pool(max_age=10.0)
        connection = idle(p, now=5.0)
        assert admitted(p, now=15.5).may_dial
        assert connection.link.closed == 1

    def test_nor_shared(self) -> None:
        p = pool(max_age=10.0)
        ticket, connection = connected(p, now=5.0, streams=9)
        assert admitted(p, now=14.0).connection is connection
        assert admitted(p, now=15.5).may_dial
        assert connection.link.closed == 0
        p.release(ticket, 16.0)
        assert p.statistics.requests == 1

    def test_requests(self) -> None:
        p = pool(max_requests=2)
        connection = idle(p)
        ticket = admitted(p)
        assert ticket.connection is connection
        p.release(ticket, 0.0)
        assert connection.link.closed == 1

    def test_requests_at_the_same_time(self) -> None:
        p = pool(max_requests=2)
        _, connection = connected(p, streams=9)
        assert admitted(p).connection is connection
        assert admitted(p).may_dial


class TestWordsOfTheServer:
    @pytest.mark.parametrize(("limit", "last"), [(5.0, 4.0), (2.0, 1.0), (1.0, 0.5), (60.0, 20.0)])
    def test_how_long_it_keeps_an_idle_connection(self, limit: float, last: float) -> None:
        """A little less, as the next request takes its time."""
        for now, reused in ((last, True), (last + 0.01, False)):
            p = pool(expiry=20.0)
            ticket, connection = connected(p)
            connection.idle_limit = limit
            p.release(ticket, 0.0)
            assert admitted(p, now=now).reused is reused

    def test_how_many_requests_it_takes(self) -> None:
        p = pool()
        ticket, connection = connected(p)
        connection.requests_left = 1
        p.release(ticket, 0.0)
        ticket = admitted(p)
        assert ticket.connection is connection
        connection.requests_left = 0
        p.release(ticket, 0.0)
        assert connection.link.closed == 1

    def test_who_goes_first_is_who_would_be_closed_first(self) -> None:
        p = pool(max_connections=2, expiry=20.0)
        tickets = [connected(p, "a"), connected(p, "b")]
        tickets[1][1].idle_limit = 3.0
        for ticket, _ in tickets:
            p.release(ticket, 0.0)
        assert admitted(p, "c").may_dial
        assert [connection.link.closed for _, connection in tickets] == [0, 1]

    def test_a_limit_that_is_told_late(self) -> None:
        p = pool(max_connections=3)
        connection, other = idle(p, "a"), idle(p, "b")
        ticket = admitted(p, "a")
        connection.idle_limit = 3.0
        p.release(ticket, 1.0)
        p.release(connected(p, "c", now=9.0)[0], 9.0)
        assert (connection.link.closed, other.link.closed) == (1, 0)


class TestExpiry:
    def slot(self, expires: float, since: float = 0.0) -> Slot:
        connection: Any = Connection()
        slot = Slot(connection, Lane("a"), 1, 0.0, 0.0, False)
        slot.users, slot.expires, slot.since = 0, expires, since
        return slot

    def test_what_is_dead_is_not_kept_for_ever(self) -> None:
        """Connections that never expire, and come and go."""
        order = Expiry()
        for _ in range(1000):
            slot = self.slot(float("inf"))
            order.add(slot, 1)
            slot.kept = False
        assert len(order._heap) < 30

    def test_puts_right_what_has_moved_on(self) -> None:
        order = Expiry()
        slots = [self.slot(number) for number in (1.0, 2.0, 3.0)]
        for slot in slots:
            order.add(slot, 3)
        slots[0].expires = 9.0
        slots[1].users = 1
        assert order.first() is slots[2]
        assert order.next == 3.0
        slots[2].kept = False
        assert order.first() is slots[0]
        slots[0].users = 1
        assert order.first() is None
        assert order.next == float("inf")


def test_lanes_do_not_pile_up() -> None:
    p = pool(max_connections=2, expiry=1.0)
    for number in range(100):
        route: Route = ("https", str(number))
        if number % 3:
            idle(p, route, now=number)
        else:
            p.release(admitted(p, route, now=number), number)
    assert len(p._places.lanes) <= 3
    assert len(p._places.order._heap) <= 3
