"""The pool against examples, against a small model under random schedules, and against itself: re-entered."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from httpure_core.pool import Pool, Route, Statistics, Ticket

from .pooling import Connection, admitted, connected, idle, pool


class TestGranting:
    def test_a_new_ticket_has_nothing(self) -> None:
        ticket = Ticket("a")
        assert (ticket.route, ticket.connection) == ("a", None)
        assert not (ticket.may_dial or ticket.reused or ticket.refused or ticket.ready)

    def test_the_first_may_dial(self) -> None:
        p = pool()
        ticket = admitted(p)
        assert ticket.ready
        assert (ticket.may_dial, ticket.connection, ticket.reused) == (True, None, False)
        assert p.statistics == Statistics(connections=1, idle=0, waiting=0)

    def test_what_was_dialled_belongs_to_the_ticket(self) -> None:
        p = pool()
        ticket, connection = connected(p)
        assert (ticket.may_dial, ticket.connection, ticket.reused) == (False, connection, False)
        assert p.statistics == (1, 0, 0)

    def test_an_idle_connection_is_used_again(self) -> None:
        p = pool()
        connection = idle(p)
        assert p.statistics == (1, 1, 0)
        ticket = admitted(p)
        assert (ticket.connection, ticket.reused, ticket.may_dial) == (connection, True, False)
        assert ticket.ready
        assert p.statistics == (1, 0, 0)

    def test_the_one_used_last_is_used_first(self) -> None:
        p = pool()
        first, second = connected(p), connected(p)
        p.release(first[0], 0.0)
        p.release(second[0], 0.0)
        assert [admitted(p).connection, admitted(p).connection] == [second[1], first[1]]

    def test_a_connection_serves_its_own_route_only(self) -> None:
        p = pool()
        connection = idle(p, "a")
        assert admitted(p, "b").may_dial
        assert admitted(p, "a").connection is connection

    def test_what_cannot_be_used_again_is_closed(self) -> None:
        p = pool()
        ticket, connection = connected(p)
        connection.reusable = False
        p.release(ticket, 0.0)
        assert connection.link.closed == 1
        assert p.statistics == (0, 0, 0)

    def test_what_became_unusable_while_idle_is_closed_and_not_granted(self) -> None:
        p = pool()
        good = idle(p)
        ticket = admitted(p)
        bad = idle(p)
        p.release(ticket, 0.0)
        good.reusable = True
        bad.reusable = False
        assert admitted(p).connection is good
        assert admitted(p).may_dial
        assert (good.link.closed, bad.link.closed) == (0, 1)
        assert p.statistics == (2, 0, 0)

    def test_there_is_no_limit_unless_one_is_set(self) -> None:
        p = pool()
        assert all(admitted(p).may_dial for _ in range(1000))


class TestWaiting:
    def test_when_all_are_busy_the_next_waits(self) -> None:
        p = pool(max_connections=1)
        first, connection = connected(p)
        second = admitted(p)
        assert not second.ready
        assert p.statistics == (1, 0, 1)
        p.release(first, 0.0)
        assert second.ready
        assert (second.connection, second.reused) == (connection, True)
        assert p.statistics == (1, 0, 0)

    def test_first_come_first_served_whatever_the_route(self) -> None:
        p = pool(max_connections=1)
        holder, connection = connected(p, "a")
        waiting = [admitted(p, route) for route in "bac"]
        p.release(holder, 0.0)
        assert [ticket.ready for ticket in waiting] == [True, False, False]
        assert waiting[0].may_dial, "the idle connection of another route gave way"
        assert connection.link.closed == 1

    def test_nobody_overtakes_those_who_wait(self) -> None:
        """Even if an idle connection would fit: there is none while somebody waits."""
        p = pool(max_connections=1)
        holder, _ = connected(p)
        first, second = admitted(p), admitted(p)
        p.release(holder, 0.0)
        assert first.connection is not None
        assert not second.ready

    def test_a_failed_dial_lets_the_next_dial(self) -> None:
        p = pool(max_connections=1)
        first, second = admitted(p), admitted(p)
        p.release(first, 0.0)
        assert second.may_dial
        assert p.statistics == (1, 0, 0)

    def test_a_broken_connection_lets_the_next_dial(self) -> None:
        p = pool(max_connections=1)
        first, connection = connected(p)
        second = admitted(p)
        connection.reusable = False
        p.release(first, 0.0)
        assert second.may_dial
        assert connection.link.closed == 1

    def test_whoever_stops_waiting_is_not_served(self) -> None:
        p = pool(max_connections=1)
        holder, connection = connected(p)
        first, second = admitted(p), admitted(p)
        p.release(first, 0.0)
        assert p.statistics == (1, 0, 1)
        p.release(holder, 0.0)
        assert not first.ready
        assert second.connection is connection

    def test_a_grant_that_came_too_late_is_passed_on(self) -> None:
        p = pool(max_connections=1)
        holder, connection = connected(p)
        first, second = admitted(p), admitted(p)
        p.release(holder, 0.0)
        p.release(first, 0.0)
        assert first.connection is None
        assert second.connection is connection

    def test_without_room_for_idle_ones_a_waiter_dials(self) -> None:
        p = pool(max_connections=1, max_idle=0)
        holder, connection = connected(p)
        waiter = admitted(p)
        p.release(holder, 0.0)
        assert waiter.may_dial
        assert connection.link.closed == 1


class TestKeeping:
    def test_not_more_idle_ones_than_allowed(self) -> None:
        p = pool(max_idle=2)
        held = [connected(p) for _ in range(4)]
        for ticket, _ in held:
            p.release(ticket, 0.0)
        assert [connection.link.closed for _, connection in held] == [1, 1, 0, 0]
        assert p.statistics == (2, 2, 0)

    def test_with_none_allowed_each_is_closed_at_once(self) -> None:
        p = pool(max_idle=0)
        connection = idle(p)
        assert connection.link.closed == 1
        assert p.statistics == (0, 0, 0)

    def test_an_expired_one_is_not_granted(self) -> None:
        p = pool(expiry=5.0)
        connection = idle(p, now=10.0)
        ticket = admitted(p, now=15.0)
        assert ticket.connection is connection
        p.release(ticket, 20.0)
        ticket = admitted(p, now=25.5)
        assert ticket.may_dial
        assert connection.link.closed == 1
        assert p.statistics == (1, 0, 0)

    def test_expired_ones_of_all_routes_go_when_another_becomes_idle(self) -> None:
        p = pool(expiry=5.0)
        held = [connected(p, route) for route in "abbc"]
        for (ticket, _), now in zip(held, (0.0, 1.0, 4.0, 8.0), strict=True):
            p.release(ticket, now)
        assert [connection.link.closed for _, connection in held] == [1, 1, 0, 0]
        assert p.statistics == (2, 2, 0)

    def test_an_idle_one_gives_way_to_another_route_longest_idle_first(self) -> None:
        p = pool(max_connections=3)
        first, second, third = idle(p, "a"), idle(p, "b"), idle(p, "c")
        assert admitted(p, "d").may_dial
        assert [each.link.closed for each in (first, second, third)] == [1, 0, 0]
        p.release(admitted(p, "b"), 1.0)  # now the most recent
        assert admitted(p, "d").may_dial
        assert [each.link.closed for each in (first, second, third)] == [1, 0, 1]
        assert p.statistics == (3, 1, 0)
        assert admitted(p, "b").connection is second

    def test_of_one_route_too_the_longest_idle_one_gives_way(self) -> None:
        p = pool(max_connections=2)
        held = [connected(p), connected(p)]
        for ticket, _ in held:
            p.release(ticket, 0.0)
        assert admitted(p, "b").may_dial
        assert [connection.link.closed for _, connection in held] == [1, 0]
        assert admitted(p, "a").connection is held[1][1]


class TestReleasing:
    """Legal in every state, any number of times."""

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_before_admission(self, times: int) -> None:
        p = pool(max_connections=1)
        ticket = Ticket("a")
        for _ in range(times):
            p.release(ticket, 0.0)
        assert p.statistics == (0, 0, 0)

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_while_dialling(self, times: int) -> None:
        p = pool(max_connections=1)
        ticket = admitted(p)
        for _ in range(times):
            p.release(ticket, 0.0)
        assert p.statistics == (0, 0, 0)
        assert admitted(p).may_dial

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_while_waiting(self, times: int) -> None:
        p = pool(max_connections=1)
        connected(p)
        ticket = admitted(p)
        for _ in range(times):
            p.release(ticket, 0.0)
        assert p.statistics == (1, 0, 0)

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_while_connected(self, times: int) -> None:
        p = pool(max_connections=1)
        ticket, _ = connected(p)
        for _ in range(times):
            p.release(ticket, 0.0)
        assert p.statistics == (1, 1, 0)
        p.release(ticket, 0.0)
        assert admitted(p).connection is not None
        p.release(ticket, 0.0)
        assert p.statistics == (1, 0, 0), "what the ticket had belongs to another one now"


class TestRedialling:
    def test_a_stale_connection_makes_room_for_a_new_one(self) -> None:
        p = pool(max_connections=1)
        stale = idle(p)
        ticket = admitted(p)
        p.redial(ticket)
        assert (ticket.connection, ticket.reused, ticket.may_dial) == (None, False, True)
        assert stale.link.closed == 1
        assert p.statistics == (1, 0, 0)
        fresh: Any = Connection()
        assert p.dialled(ticket, fresh)
        p.release(ticket, 0.0)
        assert admitted(p).connection is fresh

    def test_in_a_closed_pool_nothing_is_left_to_drop(self) -> None:
        p = pool()
        stale = idle(p)
        ticket = admitted(p)
        p.close()
        p.redial(ticket)
        assert stale.link.closed == 1
        assert not ticket.may_dial
        p.release(ticket, 0.0)
        assert p.statistics == (0, 0, 0)


class TestClosing:
    def test_closes_all_and_refuses_those_who_wait(self) -> None:
        p = pool(max_connections=3)
        unused = idle(p)
        busy = connected(p, "b")
        dialling = admitted(p, "c")
        gone, waiting = connected(p, "d")[0], [admitted(p), admitted(p, "b")]
        p.close()
        assert unused.link.closed == busy[1].link.closed == 1
        assert [(ticket.refused, ticket.ready) for ticket in waiting] == [(True, True)] * 2
        assert not dialling.refused
        assert p.statistics == (1, 0, 0), "the one that dials keeps its slot until it is back"
        for ticket in (gone, busy[0], dialling, *waiting):
            p.release(ticket, 0.0)
        assert p.statistics == (0, 0, 0)

    def test_a_dial_that_ends_later_is_not_taken(self) -> None:
        p = pool()
        ticket = admitted(p)
        p.close()
        connection: Any = Connection()
        assert not p.dialled(ticket, connection)
        assert ticket.connection is None
        p.release(ticket, 0.0)
        assert p.statistics == (0, 0, 0)

    def test_who_comes_later_is_refused(self) -> None:
        p = pool()
        p.close()
        ticket = admitted(p)
        assert (ticket.refused, ticket.ready, ticket.may_dial) == (True, True, False)
        p.release(ticket, 0.0)
        assert p.statistics == (0, 0, 0)

    def test_twice_is_once(self) -> None:
        p = pool()
        connection = idle(p)
        p.close()
        p.close()
        assert connection.link.closed == 1

    def test_of_ten_thousand_waiters(self) -> None:
        p = pool(max_connections=1)
        connected(p)
        waiting = [admitted(p) for _ in range(10_000)]
        p.close()
        assert all(ticket.refused for ticket in waiting)


class TestRetiring:
    def test_keeps_nothing_and_serves_who_comes(self) -> None:
        ways = pool(2)
        busy, used = connected(ways)
        spare = idle(ways, "b")
        ways.retire()
        assert (spare.link.closed, used.link.closed) == (1, 0)
        assert ways.statistics[:3] == (1, 0, 0)
        ways.release(busy, 0.0)
        assert used.link.closed == 1
        late, connection = connected(ways, "b")
        ways.release(late, 0.0)
        assert connection.link.closed == 1
        assert ways.statistics[:3] == (0, 0, 0)
        ways.retire()


class InterruptedMutex:
    """A lock in whose acquiring and holding something else happens: garbage collection, another thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.once_taken: Callable[[], None] = lambda: None
        self.before_release: Callable[[], None] = lambda: None

    def acquire(self, blocking: bool = True) -> bool:
        assert not (blocking and self.lock.locked()), "would wait for itself"
        if not self.lock.acquire(blocking):
            return False
        now, self.once_taken = self.once_taken, lambda: None
        now()
        return True

    def release(self) -> None:
        now, self.before_release = self.before_release, lambda: None
        now()
        self.lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self.release()


class TestReentrance:
    """A ticket that is released while the mutex is held is settled by its holder, and nobody waits for himself."""

    @pytest.fixture
    def mutex(self) -> InterruptedMutex:
        return InterruptedMutex()

    @pytest.mark.parametrize("moment", ["once_taken", "before_release"])
    @pytest.mark.parametrize("step", ["admit", "dialled", "redial", "release", "close"])
    def test_in_the_middle_of_each_step(self, mutex: InterruptedMutex, moment: str, step: str) -> None:
        p = Pool(mutex, 4)
        connection: Any = Connection()
        subject = Ticket("a")
        if step in ("redial", "release"):
            p.release(connected(p)[0], 0.0)
        if step != "admit":
            p.admit(subject, 0.0)
        forgotten, busy = connected(p, "b")
        busy.reusable = False
        dialling, waiting = admitted(p, "c"), [admitted(p, "d"), admitted(p, "e")]
        ran = []

        def collect() -> None:
            for ticket in (forgotten, dialling, waiting[1]):
                p.release(ticket, 0.0)
            assert busy.link.closed == 0, "nothing is closed while the mutex is held"
            ran.append(True)

        setattr(mutex, moment, collect)
        {
            "admit": lambda: p.admit(subject, 0.0),
            "dialled": lambda: p.dialled(subject, connection),
            "redial": lambda: p.redial(subject),
            "release": lambda: p.release(subject, 0.0),
            "close": p.close,
        }[step]()
        assert ran
        assert busy.link.closed == 1
        assert not p._returned
        for ticket in (subject, waiting[0]):
            p.release(ticket, 0.0)
        assert p.statistics.waiting == 0
        assert p.statistics.connections == p.statistics.idle

    def test_a_waiter_gets_the_slot_that_was_given_back_meanwhile(self, mutex: InterruptedMutex) -> None:
        p = Pool(mutex, 1)
        holder, connection = connected(p)
        mutex.before_release = lambda: p.release(holder, 0.0)
        waiter = admitted(p)
        assert waiter.connection is connection

    def test_a_release_while_links_are_closed(self) -> None:
        p = pool(max_connections=2)
        (first, one), (second, two) = connected(p), connected(p)
        one.reusable = two.reusable = False
        one.link.on_close = lambda: p.release(second, 0.0)
        p.release(first, 0.0)
        assert (one.link.closed, two.link.closed) == (1, 1)
        assert p.statistics == (0, 0, 0)

    def test_a_dropped_owner_of_a_ticket(self, mutex: InterruptedMutex) -> None:
        """The real thing: a cycle, with a `__del__` that releases, collected while the mutex is held."""
        p = Pool(mutex, 1)

        class Owner:
            def __init__(self) -> None:
                self.ticket, _ = connected(p)
                self.cycle = self

            def __del__(self) -> None:
                p.release(self.ticket, 0.0)

        Owner()
        mutex.before_release = lambda: [gc.collect()]  # type: ignore[assignment,return-value]
        waiter = admitted(p)
        assert waiter.connection is not None
        assert p.statistics == (1, 0, 0)

    def test_threads_lose_nothing(self) -> None:
        p = pool(max_connections=3)
        failures = []

        def use(route: str) -> None:
            for _ in range(150):
                ticket = Ticket(route)
                gate = threading.Event()
                ticket.wake = gate.set
                p.admit(ticket, 0.0)
                if not ticket.ready and not gate.wait(10):
                    failures.append("stranded")
                if ticket.may_dial:
                    p.dialled(ticket, Connection())  # type: ignore[arg-type]
                p.release(ticket, 0.0)

        threads = [threading.Thread(target=use, args=(route,)) for route in "aabbc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert p.statistics.waiting == 0
        assert p.statistics.connections == p.statistics.idle <= 3


class Model:
    """What the pool must agree with: who has a slot, who waits, and what is idle, oldest first."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.holders: list[Ticket] = []
        self.waiting: list[Ticket] = []
        self.idle: list[tuple[float, Route, Any]] = []

    def count(self) -> int:
        return len(self.holders) + len(self.idle)


class PoolMachine(RuleBasedStateMachine):
    """Any schedule of requests, dials, stale connections, ends and abandonments, with a running clock."""

    tickets = Bundle("tickets")
    limit, max_idle, expiry = 3, 2, 5.0

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(threading.Lock(), self.limit, self.max_idle, self.expiry)
        self.model = Model(self.limit)
        self.now = 0.0
        self.connections: list[Any] = []

    def settle(self) -> None:
        """Everybody whom the pool has served holds a slot now; in the order of their coming."""
        model = self.model
        while model.waiting and model.waiting[0].ready:
            ticket = model.waiting.pop(0)
            usable = [each for each in model.idle if each[1] == ticket.route and self.fits(each)]
            if ticket.connection is None:
                assert ticket.may_dial
                assert not usable, "it had to dial though a connection was idle"
            else:
                assert ticket.reused
                assert ticket.connection is usable[-1][2], "not the one that was used last"
            model.holders.append(ticket)
            model.idle = [
                each for each in model.idle if not each[2].link.closed and each[2] is not ticket.connection
            ]
        model.idle = [each for each in model.idle if not each[2].link.closed]

    def fits(self, idle: tuple[float, Route, Any]) -> bool:
        return idle[0] + self.expiry >= self.now and idle[2].reusable

    @rule(target=tickets, route=st.sampled_from("ab"))
    def admit(self, route: str) -> Ticket:
        ticket = Ticket(route)
        self.model.waiting.append(ticket)
        self.pool.admit(ticket, self.now)
        self.settle()
        return ticket

    @rule(ticket=tickets)
    def dial(self, ticket: Ticket) -> None:
        if ticket.may_dial:
            self.connections.append(Connection())
            assert self.pool.dialled(ticket, self.connections[-1])
            self.settle()

    @rule(ticket=tickets)
    def redial(self, ticket: Ticket) -> None:
        if ticket.reused:
            self.pool.redial(ticket)
            self.settle()

    @rule(ticket=consumes(tickets), reusable=st.booleans())
    def release(self, ticket: Ticket, reusable: bool) -> None:
        model, connection = self.model, ticket.connection
        if ticket in model.waiting:
            model.waiting.remove(ticket)
        else:
            model.holders.remove(ticket)
        if connection is not None:
            connection.reusable = connection.reusable and reusable
            if connection.reusable:
                model.idle.append((self.now, ticket.route, connection))
        self.pool.release(ticket, self.now)
        self.settle()

    @precondition(lambda self: self.model.idle)
    @rule(random=st.randoms(use_true_random=False))
    def break_an_idle_one(self, random: Random) -> None:
        random.choice(self.model.idle)[2].reusable = False

    @rule(seconds=st.sampled_from([0.5, 3.0, 6.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def agrees(self) -> None:
        model = self.model
        assert self.pool.statistics == (model.count(), len(model.idle), len(model.waiting))
        assert model.count() <= self.limit
        assert len(model.idle) <= self.max_idle
        assert not (model.waiting and (model.count() < self.limit or model.idle)), (
            "somebody waits for nothing"
        )
        assert not any(ticket.ready for ticket in model.waiting)
        kept = [each[2] for each in model.idle] + [ticket.connection for ticket in model.holders]
        assert all((connection in kept) == (not connection.link.closed) for connection in self.connections)

    def teardown(self) -> None:
        self.pool.close()
        for ticket in [*self.model.holders, *self.model.waiting]:
            self.pool.release(ticket, self.now)
        assert self.pool.statistics == (0, 0, 0)
        assert all(connection.link.closed == 1 for connection in self.connections)


PoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestAgainstTheModel = pytest.mark.slow(PoolMachine.TestCase)
