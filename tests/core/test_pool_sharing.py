"""The pool with connections that carry many requests, and with limits for one route; sweeping, draining, forks."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from httpure_core.pool import Pool, Ticket

from .pooling import Connection, admitted, connected, done, idle, opened, pool


class TestSharing:
    def test_a_connection_in_use_is_granted_again(self) -> None:
        p = pool()
        first, connection = connected(p, streams=3)
        second, third = admitted(p), admitted(p)
        assert second.connection is third.connection is connection
        assert (first.reused, second.reused) == (False, True)
        assert p.statistics == (1, 0, 0)
        assert p.statistics.requests == 3
        for ticket in (first, second, third):
            assert connection.link.closed == 0
            p.release(ticket, 0.0)
        assert p.statistics == (1, 1, 0)
        assert p.statistics.requests == 0

    def test_not_beyond_its_streams(self) -> None:
        """Streams that were granted and not opened yet are counted by the pool, the others by the connection."""
        p = pool()
        tickets = [connected(p, streams=3)[0], opened(admitted(p)), admitted(p)]
        connection = tickets[0].connection
        assert admitted(p).may_dial
        opened(tickets[0])
        assert admitted(p).may_dial
        done(p, tickets[0])
        assert admitted(p).connection is connection

    def test_a_grant_that_was_not_used_makes_room(self) -> None:
        p = pool(max_connections=1)
        first, connection = connected(p, streams=2)
        second, waiting = admitted(p), admitted(p)
        assert not waiting.decided
        p.release(second, 0.0)
        assert waiting.connection is connection
        p.release(waiting, 0.0)
        p.release(first, 0.0)
        assert admitted(p).connection is connection
        assert p.statistics == (1, 0, 0)

    def test_an_open_one_is_preferred_to_an_idle_one(self) -> None:
        p = pool()
        (first, _), (second, busy) = connected(p, streams=1), connected(p, streams=5)
        p.release(first, 0.0)
        assert admitted(p).connection is busy
        assert p.statistics == (2, 1, 0)
        p.release(second, 0.0)

    def test_an_idle_one_can_be_shared_again(self) -> None:
        p = pool()
        connection = idle(p, streams=2)
        assert admitted(p).connection is admitted(p).connection is connection
        assert admitted(p).may_dial

    def test_one_that_is_used_up_is_closed_after_its_last_user(self) -> None:
        p = pool()
        first, connection = connected(p, streams=5)
        second = admitted(p)
        connection.alive = False
        assert admitted(p, "a").may_dial
        p.release(first, 0.0)
        assert connection.link.closed == 0
        p.release(second, 0.0)
        assert connection.link.closed == 1
        assert p.statistics == (1, 0, 0)

    def test_streams_are_no_reason_for_others_to_overtake(self) -> None:
        """While somebody waits for a place, nobody younger is served, whatever the route."""
        p = pool(max_connections=1)
        first, connection = connected(p, "a", streams=100)
        older, younger = admitted(p, "b"), admitted(p, "a")
        assert not older.decided
        assert not younger.decided
        p.release(first, 0.0)
        assert older.may_dial
        assert connection.link.closed == 1
        assert not younger.decided

    def test_who_stops_waiting_lets_those_behind_pass(self) -> None:
        p = pool(max_connections=1)
        _, connection = connected(p, "a", streams=100)
        older, younger = admitted(p, "b"), admitted(p, "a")
        p.release(older, 0.0)
        assert younger.connection is connection
        assert set(p.statistics_by_route()) == {"a"}


class TestNews:
    """What `Connection.changed` leads to."""

    def test_the_next_connection_is_expected_to_have_the_limit_of_the_last(self) -> None:
        shared = pool()
        first = admitted(shared, shares=True)
        connection = Connection(100)
        shared.dialled(first, connection)
        connection.streams = connection.stream_limit = 2
        connection.tell()
        second, third = (admitted(shared, shares=True) for _ in range(2))
        assert second.connection is connection and third.may_dial
        fourth, fifth = (admitted(shared, shares=True) for _ in range(2))
        shared.dialled(third, Connection(100))
        assert third.connection is fourth.connection is not None and fifth.may_dial

    def test_the_end_of_an_idle_connection_frees_its_place(self) -> None:
        p = pool(max_connections=1)
        connection = idle(p)
        connection.alive = False
        connection.tell()
        assert connection.link.closed == 1
        assert p.statistics == (0, 0, 0)
        assert connection.changed is None

    def test_the_end_of_a_busy_one_is_for_its_user_to_see(self) -> None:
        p = pool()
        ticket, connection = connected(p)
        connection.alive = False
        connection.tell()
        assert connection.link.closed == 0
        p.release(ticket, 0.0)
        assert connection.link.closed == 1

    def test_more_streams_serve_those_who_wait(self) -> None:
        p = pool(max_connections=1)
        first, connection = connected(p, streams=1)
        opened(first)
        waiting = [admitted(p) for _ in range(3)]
        connection.streams = 3
        connection.tell()
        assert [ticket.decided for ticket in waiting] == [True, True, False]

    def test_an_idle_connection_that_is_asked_for_a_sign_of_life_stays(self) -> None:
        p = pool()
        ticket, connection = connected(p, streams=5)
        connection.suspect = True
        p.release(ticket, 0.0)
        connection.tell()
        assert p.statistics == (1, 1, 0)
        assert admitted(p).connection is connection
        assert admitted(p).may_dial

    def test_news_of_a_connection_that_was_dropped_is_none(self) -> None:
        p = pool()
        connection = idle(p)
        late = connection.changed
        connection.alive = False
        late()
        late()
        assert connection.link.closed == 1
        assert p.statistics == (0, 0, 0)


class TestDiallingForAll:
    def test_others_wait_for_what_may_be_shared(self) -> None:
        p = pool()
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(3)]
        assert [ticket.awaits_dial for ticket in others] == [True] * 3
        assert admitted(p, "b", shares=True).may_dial
        connection: Any = Connection(streams=3)
        p.dialled(first, connection)
        assert [ticket.connection for ticket in others] == [connection, connection, None]
        assert others[2].may_dial, "the streams of the first one are used up"

    def test_the_next_waits_for_the_second_one(self) -> None:
        p = pool()
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(9)]
        p.dialled(first, Connection(streams=2))  # type: ignore[arg-type]
        assert [ticket.decided for ticket in others] == [True, True, *[False] * 7]
        assert others[1].may_dial
        assert others[2].awaits_dial
        second: Any = Connection(streams=2)
        p.dialled(others[1], second)
        assert others[2].connection is second
        assert others[3].may_dial

    def test_if_it_cannot_be_shared_all_dial_at_once(self) -> None:
        p = pool(max_connections=3)
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(4)]
        p.dialled(first, Connection())  # type: ignore[arg-type]
        assert [ticket.may_dial for ticket in others] == [True, True, False, False]
        assert not any(ticket.awaits_dial for ticket in others[2:]), "now it is a place that they wait for"
        assert all(ticket.ready for ticket in others), "of which they are told"

    def test_that_is_remembered(self) -> None:
        p = pool()
        connection = idle(p, streams=None)
        plain = admitted(p, shares=True)
        assert plain.connection is connection
        first = admitted(p, shares=True)
        p.dialled(first, Connection())  # type: ignore[arg-type]
        assert all(admitted(p, shares=True).may_dial for _ in range(3))
        p.dialled(admitted(p, shares=True), Connection(streams=5))  # type: ignore[arg-type]
        assert admitted(p, shares=True).connection is not None

    def test_of_a_thousand_routes(self) -> None:
        p = pool()
        for number in range(1001):
            p.dialled(admitted(p, number, shares=True), Connection())  # type: ignore[arg-type]
        assert len(p._plain) == 1000
        assert admitted(p, 0, shares=True).may_dial
        assert not admitted(p, 0, shares=True).decided
        assert [admitted(p, 1000, shares=True).may_dial for _ in range(2)] == [True, True]

    def test_if_it_fails_each_tries_for_itself(self) -> None:
        p = pool()
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(3)]
        first.failed = True
        p.release(first, 0.0)
        assert all(ticket.may_dial for ticket in others)
        newcomer = admitted(p, shares=True)
        assert newcomer.awaits_dial

    def test_if_it_fails_those_without_a_place_wait_for_one(self) -> None:
        p = pool(max_connections=2)
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(3)]
        first.failed = True
        p.release(first, 0.0)
        assert [ticket.may_dial for ticket in others] == [True, True, False]
        others[1].failed = True
        p.release(others[1], 0.0)
        assert others[2].may_dial

    def test_if_it_is_given_up_the_next_dials(self) -> None:
        p = pool()
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(3)]
        p.release(first, 0.0)
        assert [ticket.decided for ticket in others] == [True, False, False]
        assert others[0].may_dial

    def test_another_dial_of_the_route_may_be_the_faster_one(self) -> None:
        p = pool()
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(2)]
        first.failed = True
        p.release(first, 0.0)
        newcomer = admitted(p, shares=True)
        connection: Any = Connection(streams=5)
        p.dialled(others[1], connection)
        assert newcomer.connection is connection
        p.dialled(others[0], Connection(streams=5))  # type: ignore[arg-type]
        assert p.statistics == (2, 0, 0)

    def test_and_may_show_that_there_is_nothing_to_share(self) -> None:
        p = pool()
        first = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(2)]
        first.failed = True
        p.release(first, 0.0)
        newcomer = admitted(p, shares=True)
        p.dialled(others[1], Connection())  # type: ignore[arg-type]
        assert newcomer.may_dial
        p.dialled(others[0], Connection())  # type: ignore[arg-type]
        assert p.statistics == (3, 0, 0)

    def test_ten_thousand_who_wait_are_not_all_told_of_each_dial(self) -> None:
        p = pool()
        dialling = admitted(p, shares=True)
        waiting = [admitted(p, shares=True) for _ in range(10_000)]
        for _ in range(90):
            p.dialled(dialling, Connection(streams=100))  # type: ignore[arg-type]
            dialling = next(ticket for ticket in waiting if ticket.may_dial)
        lane = p._places.lanes["a"]
        assert len(lane.hopeful) <= 2 * len(lane.waiting) + 1


class TestOneRoute:
    def test_has_so_many_connections(self) -> None:
        p = pool(max_per_route=2)
        first, _ = connected(p)[0], connected(p)
        waiting = admitted(p)
        assert not waiting.decided
        assert not waiting.awaits_dial
        assert admitted(p, "b").may_dial, "who goes elsewhere is not held up"
        assert not admitted(p).decided
        p.release(first, 0.0)
        assert waiting.reused
        assert p.statistics == (3, 0, 1)

    def test_a_failed_dial_makes_room(self) -> None:
        p = pool(max_per_route=1)
        first, second = admitted(p), admitted(p)
        p.release(first, 0.0)
        assert second.may_dial

    def test_who_waits_for_it_and_then_for_a_place_comes_before_those_who_came_later(self) -> None:
        p = pool(max_connections=2, max_per_route=1)
        first, one = connected(p, "a")
        connected(p, "b")
        held, behind = admitted(p, "a"), admitted(p, "c")
        assert not behind.decided
        one.alive = False
        p.release(first, 0.0)
        assert held.may_dial
        assert not behind.decided

    def test_figures(self) -> None:
        p = pool(max_per_route=1)
        connected(p, "a", streams=3)
        admitted(p, "a")
        idle(p, "b")
        admitted(p, "c")
        admitted(p, "c")
        figures = p.statistics_by_route()
        assert figures == {"a": (1, 0, 0), "b": (1, 1, 0), "c": (1, 0, 1)}
        assert [figures[route].requests for route in "abc"] == [2, 0, 0]


class TestNewerOnly:
    """Who has met a dead connection wants one that was made since."""

    def test_no_idle_one_will_do(self) -> None:
        p = pool()
        connection = idle(p)
        ticket = Ticket("a", newer_than=1)
        p.admit(ticket, 0.0)
        assert ticket.may_dial
        assert connection.link.closed == 0
        assert p.statistics == (2, 1, 0)

    def test_nor_a_shared_one(self) -> None:
        p = pool()
        connected(p, streams=9)
        ticket = Ticket("a", True, 1)
        p.admit(ticket, 0.0)
        assert ticket.may_dial
        p.dialled(ticket, Connection(streams=9))  # type: ignore[arg-type]
        another = Ticket("a", True, 1)
        p.admit(another, 0.0)
        assert another.connection is ticket.connection

    def test_an_older_one_hides_no_newer_one(self) -> None:
        p = pool(max_connections=2)
        first, older = connected(p, streams=1)
        opened(first)
        _, newer = connected(p, streams=5)
        older.streams = 2
        older.tell()
        ticket = Ticket("a", True, 1)
        p.admit(ticket, 0.0)
        assert ticket.connection is newer
        assert admitted(p).connection is older, "it stands where it stood"

    @pytest.mark.parametrize("limits", [{"max_connections": 1}, {"max_per_route": 1}])
    def test_at_the_limit_an_idle_one_gives_way(self, limits: Any) -> None:
        p = pool(**limits)
        connection = idle(p)
        ticket = Ticket("a", newer_than=1)
        p.admit(ticket, 0.0)
        assert ticket.may_dial
        assert connection.link.closed == 1
        assert p.statistics == (1, 0, 0)

    def test_tickets_know_what_was_there(self) -> None:
        p = pool()
        connections = [connected(p)[0] for _ in range(3)]
        p.release(connections[0], 0.0)
        assert admitted(p).seen == 3
        connected(p, "b", streams=2)
        assert admitted(p, "b").seen == 4


class TestRedialling:
    def test_a_stale_shared_one_is_left_to_those_who_have_it(self) -> None:
        p = pool(max_connections=1)
        first, connection = connected(p, streams=5)
        second = admitted(p)
        p.redial(second, 0.0)
        assert second.may_dial
        assert connection.link.closed == 0
        assert p.statistics == (1, 0, 0)
        assert p.statistics.requests == 1
        third = admitted(p)
        assert not third.decided, "nobody shares it any more"
        p.release(first, 0.0)
        assert connection.link.closed == 1
        assert p.statistics == (1, 0, 1)

    def test_who_waits_for_it_holds_up_nobody(self) -> None:
        p = pool(max_connections=2)
        idle(p, "a", streams=1)
        _, shared = connected(p, "b", streams=5)
        ticket = admitted(p, "a", shares=True)
        opened(ticket)
        next_one, other = admitted(p, "a", shares=True), admitted(p, "b", shares=True)
        assert not next_one.decided and not other.decided, "first come, first served: all places are taken"
        ticket.opened = False
        p.redial(ticket, 0.0)
        assert ticket.may_dial and not next_one.decided
        assert other.connection is shared

    def test_by_several(self) -> None:
        p = pool()
        first, connection = connected(p, streams=5)
        second, third = admitted(p), admitted(p)
        p.redial(second, 0.0)
        p.redial(third, 0.0)
        assert (second.may_dial, third.may_dial) == (True, True)
        p.redial(first, 0.0)
        assert connection.link.closed == 1
        assert p.statistics == (3, 0, 0)

    def test_by_several_when_it_was_dialled_for_all(self) -> None:
        p = pool()
        dialling = admitted(p, shares=True)
        others = [admitted(p, shares=True) for _ in range(2)]
        p.dialled(dialling, Connection(streams=5))  # type: ignore[arg-type]
        for ticket in others:
            p.redial(ticket, 0.0)
        assert others[0].may_dial
        assert others[1].awaits_dial

    def test_one_without_room_is_left_alone(self) -> None:
        p = pool(max_connections=1)
        first, connection = connected(p, streams=2)
        second = admitted(p)
        connection.streams = 0
        p.redial(second, 0.0, stale=False)
        assert not second.decided
        assert p.statistics == (1, 0, 1)
        connection.streams = 1
        p.release(first, 0.0)
        assert second.connection is connection

    def test_in_a_closed_pool(self) -> None:
        p = pool()
        first, connection = connected(p, streams=2)
        second = admitted(p)
        p.close()
        for ticket in (first, second):
            p.redial(ticket, 0.0)
            assert ticket.refused
            p.release(ticket, 0.0)
        p.redial(second, 0.0)
        assert connection.link.closed == 1
        assert p.statistics == (0, 0, 0)

    def test_what_others_still_have_is_closed_with_the_pool(self) -> None:
        p = pool()
        first, connection = connected(p, streams=2)
        second = admitted(p)
        p.redial(second)
        p.close()
        assert connection.link.closed == 1
        p.release(first, 0.0)
        assert connection.link.closed == 1


class TestSweeping:
    def test_closes_what_has_gone_stale(self) -> None:
        p = pool()
        connections = [idle(p, route) for route in "abc"]
        connections[1].link.stale = True
        connections[2].alive = False
        p.sweep()
        assert [each.link.closed for each in connections] == [0, 1, 1]
        assert p.statistics == (1, 1, 0)

    def test_asks_nobody_who_is_busy(self) -> None:
        p = pool()
        p.sweep()
        _, connection = connected(p)
        p.sweep()
        idle(p, "b")
        p.sweep()
        assert connection.link.asked == 0

    def test_asks_a_few_at_a_time_each_in_its_turn(self) -> None:
        p = pool()
        connections = [idle(p, number) for number in range(40)]
        for _ in range(10):
            p.sweep()
            assert sum(each.link.asked for each in connections) % 8 == 0
        assert max(each.link.asked for each in connections) <= 4

    def test_changes_nothing_in_the_order(self) -> None:
        p = pool(expiry=5.0)
        tickets = [connected(p) for _ in range(3)]
        for now, (ticket, _) in enumerate(tickets):
            p.release(ticket, now)
        p.sweep()
        assert admitted(p, now=5.5).connection is tickets[2][1]
        assert admitted(p, now=6.5).may_dial

    def test_nobody_gets_what_is_being_looked_at(self) -> None:
        p = pool(max_connections=1)
        connection = idle(p)
        waiting: list[Ticket] = []
        connection.link.is_stale = lambda: waiting.append(admitted(p))
        p.sweep()
        assert waiting[0].connection is connection

    def test_an_interrupt_loses_none(self) -> None:
        p = pool()
        connection = idle(p)

        def interrupted() -> bool:
            raise KeyboardInterrupt

        connection.link.is_stale = interrupted
        with pytest.raises(KeyboardInterrupt):
            p.sweep()
        assert p.statistics == (1, 1, 0)

    def test_a_pool_that_is_closed_meanwhile(self) -> None:
        p = pool()
        connection = idle(p)
        connection.link.is_stale = p.close
        p.sweep()
        assert connection.link.closed == 1
        assert p.statistics == (0, 0, 0)


class TestDraining:
    def test_an_unused_pool_is_quiet(self) -> None:
        p = pool()
        idle(p)
        assert p.drain(True).ready

    def test_tells_when_all_are_done(self) -> None:
        p = pool(max_connections=1)
        holder, _ = connected(p)
        waiting = admitted(p)
        quiet, another = p.drain(False), p.drain(True)
        late = admitted(p)
        assert late.refused
        p.release(holder, 0.0)
        assert not quiet.ready
        p.release(waiting, 0.0)
        assert quiet.ready
        assert another.ready

    def test_a_dial_that_fails_is_done(self) -> None:
        p = pool()
        ticket = admitted(p)
        quiet = p.drain(True)
        p.release(ticket, 0.0)
        assert quiet.ready

    def test_closing_ends_it(self) -> None:
        p = pool()
        connected(p)
        quiet = p.drain(True)
        p.close()
        assert quiet.ready

    def test_while_connections_are_looked_at(self) -> None:
        p = pool()
        connection = idle(p)
        quiet: list[Any] = []
        connection.link.is_stale = lambda: quiet.append(p.drain(True))
        p.sweep()
        assert quiet[0].ready

    def test_those_who_have_a_stale_one_count(self) -> None:
        p = pool()
        first, _ = connected(p, streams=2)
        second = admitted(p)
        p.redial(second)
        p.release(second, 0.0)
        quiet = p.drain(True)
        assert not quiet.ready
        p.release(first, 0.0)
        assert quiet.ready


class TestAbandoning:
    """In a process that was forked off."""

    def test_begins_anew(self) -> None:
        mutex = threading.Lock()
        p = Pool(mutex, 2, max_per_route=1)
        unused, (holder, busy) = idle(p, "a"), connected(p, "b", streams=5)
        shared, dialling_or_waiting = admitted(p, "b"), [admitted(p, "a"), admitted(p, "a"), admitted(p, "c")]
        mutex.acquire()  # by a thread that is not here any more
        p.abandon(threading.Lock())
        assert p.statistics == (0, 0, 0)
        assert unused.link.closed == busy.link.closed == 1
        assert busy.changed is None
        fresh = admitted(p, "b")
        assert fresh.may_dial
        for ticket in (holder, shared, *dialling_or_waiting):
            p.release(ticket, 0.0)
        assert p.statistics == (1, 0, 0)
        assert busy.link.closed == 1

    def test_what_was_dialling_is_not_taken(self) -> None:
        p = pool()
        ticket = admitted(p)
        p.abandon(threading.Lock())
        assert not p.dialled(ticket, Connection())  # type: ignore[arg-type]
        p.release(ticket, 0.0)
        assert p.statistics == (0, 0, 0)

    def test_what_was_stale_is_refused(self) -> None:
        p = pool()
        idle(p)
        ticket = admitted(p)
        p.abandon(threading.Lock())
        p.redial(ticket)
        assert ticket.refused
