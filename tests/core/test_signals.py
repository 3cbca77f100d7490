"""`Signal` and `ReadTurn`. The turn's invariant is tried with thousands of random schedules."""

from __future__ import annotations

from random import Random

import pytest

from httpure_core.signals import ReadTurn, Signal


def test_setting_raises_the_flag_and_rings_once() -> None:
    signal = Signal()
    rings: list[str] = []
    signal.wake = lambda: rings.append("ring")
    signal.set()
    signal.set()
    assert signal.ready
    assert rings == ["ring"]
    assert signal.wake is None


def test_setting_with_nobody_waiting_is_remembered() -> None:
    signal = Signal()
    signal.set()
    assert signal.ready


def test_a_nudge_rings_without_news() -> None:
    signal = Signal()
    rings: list[str] = []
    signal.wake = lambda: rings.append("ring")
    signal.nudge()
    assert rings == ["ring"]
    assert not signal.ready


def test_the_bell_may_hang_up_a_new_bell() -> None:
    """The waiter may wait again within the call that wakes it."""
    signal = Signal()

    def wake() -> None:
        signal.wake = wake

    signal.wake = wake
    signal.set()
    assert signal.wake is wake


def test_the_first_reads_and_the_others_wait() -> None:
    turn = ReadTurn()
    first, second = Signal(), Signal()
    assert turn.join(first)
    assert not turn.join(second)
    assert turn.reader is first
    assert list(turn.waiting) == [second]


def test_who_leaves_promotes_the_one_who_has_waited_longest() -> None:
    turn = ReadTurn()
    reader, first, second = Signal(), Signal(), Signal()
    rings: list[str] = []
    turn.join(reader)
    for signal, name in ((first, "first"), (second, "second")):
        assert not turn.join(signal)
        signal.wake = lambda name=name: rings.append(name)  # type: ignore[misc]
    turn.leave(reader)
    assert rings == ["first"]
    turn.leave(first)
    assert turn.join(first)


def test_a_waiter_who_leaves_disturbs_nobody() -> None:
    turn = ReadTurn()
    reader, waiter = Signal(), Signal()
    turn.join(reader)
    turn.join(waiter)
    waiter.wake = pytest.fail
    turn.leave(waiter)
    assert turn.reader is reader
    assert not turn.waiting


def test_leaving_twice_or_without_having_joined_is_harmless() -> None:
    turn = ReadTurn()
    signal = Signal()
    turn.leave(signal)
    turn.join(signal)
    turn.leave(signal)
    turn.leave(signal)
    assert turn.reader is None


class User:
    """Somebody who wants news of a link: reads or waits, and may leave at any moment for any reason."""

    def __init__(self, turn: ReadTurn) -> None:
        self.turn = turn
        self.signal = Signal()
        self.state = "away"

    def join(self) -> None:
        self.signal.ready = False
        if self.turn.join(self.signal):
            self.state = "reading"
        else:
            self.state = "waiting"
            self.signal.wake = self.wake

    def wake(self) -> None:
        assert self.state == "waiting"
        self.state = "woken"

    def leave(self) -> None:
        self.signal.wake = None
        self.state = "away"
        self.turn.leave(self.signal)

    def look(self) -> None:
        """Being awake, leave for good if there is news, else join again. As the backends' loops do."""
        news = self.signal.ready
        self.leave()
        if not news:
            self.join()


@pytest.mark.parametrize("seeds", [range(start, start + 200) for start in range(0, 3000, 200)], ids=str)
def test_a_waiter_is_never_stranded(seeds: range) -> None:
    for seed in seeds:
        play(Random(seed))


def play(random: Random) -> None:
    """Have some users join, read, be woken, and leave in any order, and look at the turn after every step."""
    turn = ReadTurn()
    users = [User(turn) for _ in range(random.randint(2, 5))]
    for _ in range(40):
        user = random.choice(users)
        if user.state == "away":
            user.join()
        elif user.state == "reading":
            # What is read is news for some, perhaps for the reader itself; or the read was cancelled.
            for other in users:
                if other.state in ("reading", "waiting", "woken") and random.random() < 0.3:
                    other.signal.set()
            user.look() if random.random() < 0.7 else user.leave()
        elif user.state == "woken":
            user.look() if random.random() < 0.7 else user.leave()
        elif random.random() < 0.3:
            user.leave()  # a timeout
        readers = [user for user in users if user.state == "reading"]
        waiting = [user for user in users if user.state in ("waiting", "woken")]
        assert [user.signal for user in readers] == ([] if turn.reader is None else [turn.reader])
        assert set(turn.waiting) == {user.signal for user in waiting}
        if waiting and not readers:
            assert any(user.state == "woken" for user in waiting), "all wait, and nobody reads"
