"""`Signal` and `ReadTurn`: by themselves, in any order of events, and in the protocol that users of a link follow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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


def test_who_joins_again_keeps_the_turn_or_the_place_in_line() -> None:
    turn = ReadTurn()
    reader, first, second = Signal(), Signal(), Signal()
    for _ in range(2):
        assert turn.join(reader)
        assert not turn.join(first)
        assert not turn.join(second)
        assert list(turn.waiting) == [first, second]
    turn.leave(reader)
    assert turn.join(first)
    assert (turn.reader, list(turn.waiting)) == (first, [second])


def test_somebody_new_may_read_before_the_one_who_was_nudged_comes() -> None:
    """Who reads does so for all, so nobody loses by that; and the place in line is kept."""
    turn = ReadTurn()
    reader, first, second, late = Signal(), Signal(), Signal(), Signal()
    for signal in (reader, first, second):
        turn.join(signal)
    turn.leave(reader)
    assert turn.join(late)
    assert not turn.join(first)
    assert list(turn.waiting) == [first, second]


def test_leaving_twice_or_without_having_joined_is_harmless() -> None:
    turn = ReadTurn()
    signal = Signal()
    turn.leave(signal)
    turn.join(signal)
    turn.leave(signal)
    turn.leave(signal)
    assert turn.reader is None


class TurnTaking(RuleBasedStateMachine):
    """Users join, are woken, look again, get news, time out and are cancelled, in any order."""

    USERS = st.integers(0, 4)

    def __init__(self) -> None:
        super().__init__()
        self.turn = ReadTurn()
        self.signals = [Signal() for _ in range(5)]
        self.states = ["away"] * 5
        self.line: list[int] = []  # in the order in which they came
        self.nudged: list[int] = []

    def bell(self, user: int) -> None:
        assert self.states[user] == "asleep"
        self.states[user] = "awake"
        self.nudged.append(user)

    def join(self, user: int) -> None:
        if self.turn.join(self.signals[user]):
            self.states[user] = "reading"
            if user in self.line:
                self.line.remove(user)
        else:
            self.states[user] = "asleep"
            self.signals[user].wake = lambda: self.bell(user)
            if user not in self.line:
                self.line.append(user)

    def leave(self, user: int) -> None:
        reads = self.states[user] == "reading"
        self.states[user] = "away"
        if user in self.line:
            self.line.remove(user)
        self.nudged.clear()
        self.signals[user].wake = None
        asleep = bool(self.line) and self.states[self.line[0]] == "asleep"
        self.turn.leave(self.signals[user])
        if reads:
            assert self.nudged == self.line[: int(asleep)], "not the one who has waited longest"

    @rule(user=USERS)
    def come(self, user: int) -> None:
        if self.states[user] == "away":
            self.signals[user].ready = False
            self.join(user)

    @rule(user=USERS)
    def look_again(self, user: int) -> None:
        """As those do who were woken, and the reader after each read."""
        if self.states[user] in ("awake", "reading"):
            if self.signals[user].ready:
                self.leave(user)
            else:
                self.join(user)

    @rule(user=USERS)
    def give_up(self, user: int) -> None:
        """For a timeout or a cancellation, whatever the state."""
        if self.states[user] != "away":
            self.leave(user)

    @precondition(lambda self: self.turn.reader is not None)
    @rule(users=st.sets(USERS))
    def data_arrives(self, users: set[int]) -> None:
        for user in users:
            if self.states[user] != "away":
                self.signals[user].set()

    @invariant()
    def one_reads_at_most(self) -> None:
        readers = [self.signals[user] for user, state in enumerate(self.states) if state == "reading"]
        assert readers == ([] if self.turn.reader is None else [self.turn.reader])

    @invariant()
    def the_line_is_kept(self) -> None:
        assert list(self.turn.waiting) == [self.signals[user] for user in self.line]

    @invariant()
    def nobody_is_stranded(self) -> None:
        if self.line and self.turn.reader is None:
            assert any(self.states[user] == "awake" for user in self.line), "all sleep, and nobody reads"

    @invariant()
    def nobody_sleeps_through_news(self) -> None:
        for signal, state in zip(self.signals, self.states, strict=True):
            assert not (signal.ready and state == "asleep")


TestTurnTaking = pytest.mark.slow(TurnTaking.TestCase)
TestTurnTaking.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


class Shared:
    """A link as threads share it, each of them a generator: the scheduler goes on with any of them at each `yield`.

    What stands between two of these is done with the mutex held, or by one thread alone. A thread that yields a
    callable sleeps until that is true.
    """

    def __init__(self, users: int) -> None:
        self.turn = ReadTurn()
        self.kernel: deque[int] = deque()  # for whom the bytes are that nobody has read
        self.signals = [Signal() for _ in range(users)]
        self.arrived = [0] * users
        self.had = [0] * users
        self.cancelled = [False] * users
        self.waits: list[str] = [""] * users

    def user(self, me: int, wants: int) -> Iterator[object]:
        """Take so many pieces: the loop of an operation."""
        signal = self.signals[me]
        while self.had[me] < wants:
            # Clear the signal, look at the state, then wait.
            signal.ready = False
            yield None
            if self.had[me] < self.arrived[me]:
                yield None
                self.had[me] += 1
                continue
            yield from self.receive(me)
            if self.cancelled[me]:
                return

    def receive(self, me: int) -> Iterator[object]:
        """What a link of threads does."""
        signal = self.signals[me]
        while not self.cancelled[me]:
            yield None
            opened: list[bool] = []
            if signal.ready:  # with the mutex
                break
            reads = self.turn.join(signal)
            if not reads:
                signal.wake = lambda opened=opened: opened.append(True)  # type: ignore[misc]
            self.waits[me] = "reads" if reads else "asleep"
            if reads:
                yield lambda: bool(self.kernel or self.cancelled[me])
                if self.kernel and not self.cancelled[me]:
                    whose = self.kernel.popleft()
                    yield None  # between recv and the mutex
                    self.arrived[whose] += 1
                    self.signals[whose].set()
            else:
                yield lambda opened=opened: bool(opened or self.cancelled[me])
        yield None
        signal.wake = None
        self.waits[me] = ""
        self.turn.leave(signal)


@pytest.mark.slow
def test_nobody_misses_a_wake_up() -> None:
    """Whatever the interleaving: who waits for nothing but the scheduler gets all that was sent to them."""
    for seed in range(3000):
        play(Random(seed))


def play(random: Random) -> None:
    users = random.randint(2, 4)
    wants = [random.randint(1, 3) for _ in range(users)]
    link = Shared(users)
    to_send = [user for user, count in enumerate(wants) for _ in range(count)]
    random.shuffle(to_send)
    cancels = [random.randrange(users) for _ in range(random.randint(0, 2))]
    threads = {user: link.user(user, wants[user]) for user in range(users)}
    slow = random.randrange(users)
    sleeping: dict[int, object] = dict.fromkeys(threads)
    while True:
        awake = [user for user, until in sleeping.items() if not callable(until) or until()]
        if not awake:
            missed = [user for user in sleeping if link.had[user] < link.arrived[user]]
            assert not missed, f"their news are there, and they sleep: {missed}"
        steps: list[int | str] = [*awake, *["send"] * bool(to_send), *["cancel"] * bool(cancels)]
        if not steps:
            break
        step = random.choice(steps)
        if step == slow and random.random() < 0.8:
            continue  # what is seldom tried otherwise: much happens to the others between two steps of one
        if step == "send":
            link.kernel.append(to_send.pop())
        elif step == "cancel":
            link.cancelled[cancels.pop()] = True
        elif isinstance(step, int):
            try:
                sleeping[step] = next(threads[step])
            except StopIteration:
                del sleeping[step]
    assert not sleeping, f"asleep for ever: {[link.waits[user] for user in sleeping]}"
    assert link.turn.reader is None and not link.turn.waiting
    assert all(
        had == count for had, count, gone in zip(link.had, wants, link.cancelled, strict=True) if not gone
    )
