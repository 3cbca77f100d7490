"""`lanes.py`: the figures, and the line of those who wait. The rest shows in the tests of the pool."""

from __future__ import annotations

import pickle

from httpure_core.lanes import Lane, Line, Statistics, Ticket


class TestLine:
    def test_first_come_first_served_whatever_the_route(self) -> None:
        line, lanes = Line(), [Lane("a"), Lane("b")]
        tickets = [(Ticket(lane.route), lane) for lane in (*lanes, *lanes)]
        for ticket, lane in tickets:
            line.join(ticket, lane)
        assert line.waiting == 4
        order = []
        while (first := line.first()) is not None:
            order.append(first)
            line.leave(*first)
        assert order == tickets
        assert line.waiting == 0

    def test_who_steps_aside_holds_nobody_up_and_keeps_the_place(self) -> None:
        line, one, other = Line(), Lane("a"), Lane("b")
        first, second = Ticket("a"), Ticket("b")
        line.join(first, one)
        line.join(second, other)
        line.step_aside()
        assert line.first() == (second, other)
        line.call(one)
        line.call(one)  # once is enough
        assert line.first() == (first, one)
        assert len(line.routes) == 2

    def test_the_one_in_front_gives_up(self) -> None:
        line, lane = Line(), Lane("a")
        tickets = [Ticket("a"), Ticket("a")]
        for ticket in tickets:
            line.join(ticket, lane)
        line.leave(tickets[0], lane)
        assert line.first() == (tickets[1], lane)
        assert line.empty(lane) == [tickets[1]]
        assert line.first() is None
        assert (line.waiting, line.routes, lane.queued) == (0, [], False)

    def test_a_route_for_which_nobody_waits_is_not_called(self) -> None:
        line = Line()
        line.call(Lane("a"))
        assert line.first() is None


class TestStatistics:
    def test_are_a_tuple_and_more(self) -> None:
        figures = Statistics(3, 1, 2, 7)
        connections, idle, waiting = figures
        assert (connections, idle, waiting, figures.requests) == (3, 1, 2, 7)
        assert figures == (3, 1, 2)
        assert repr(figures) == "Statistics(connections=3, idle=1, waiting=2)"
        total = figures.plus(Statistics(1, 1, 1, 1))
        assert (total, total.requests) == ((4, 2, 3), 8)
        again = pickle.loads(pickle.dumps(figures))
        assert (again, again.requests) == (figures, 7)
