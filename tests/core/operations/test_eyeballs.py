"""Which address next, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from httpure_core.effects import Address
from httpure_core.operations.eyeballs import ATTEMPT_DELAY, LEAST_DELAY, Eyeballs, in_turns

FAMILIES = {"4": "ipv4", "6": "ipv6", "u": "unix"}


def addresses(kinds: str) -> list[Address]:
    """One address for each letter: "644" is one of IPv6 and two of IPv4."""
    return [Address(f"{kind}.{number}", 80, family=FAMILIES[kind]) for number, kind in enumerate(kinds)]


def order(kinds: str) -> str:
    return "".join(address.host[0] for address in in_turns(addresses(kinds)))


def test_families_take_turns() -> None:
    assert order("666444") == "646464"
    assert order("444666") == "464646", "the first is the first, as the resolver has ordered them (RFC 6724)"
    assert order("6444") == "6444"
    assert order("66664") == "64666"
    assert order("4") == "4"
    assert order("") == ""
    assert order("66u44") == "6u464"


def test_those_of_a_family_keep_their_order() -> None:
    assert [address.host for address in in_turns(addresses("6644"))] == ["6.0", "4.2", "6.1", "4.3"]


def test_each_is_tried_once() -> None:
    once = [
        Address("192.0.2.1", 80),
        Address("192.0.2.1", 81),
        Address("fe80::1", 80, family="ipv6", scope=1),
    ]
    again = [Address("192.0.2.1", 80), Address("fe80::1", 80, family="ipv6", scope=2)]
    found = [(str(address), address.scope) for address in in_turns([*once, *again])]
    assert found == [
        ("192.0.2.1:80", 0),
        ("[fe80::1]:80", 1),
        ("192.0.2.1:81", 0),
        ("[fe80::1]:80", 2),
    ]


@given(st.text("46u", max_size=12))
def test_turns_lose_nothing_and_are_fair(kinds: str) -> None:
    given_ones = addresses(kinds)
    ordered = in_turns(given_ones)
    assert sorted(ordered, key=id) == sorted(given_ones, key=id)
    for place, address in enumerate(ordered):
        before = [each.family for each in ordered[:place]]
        waiting = {each.family for each in ordered[place:]}
        assert before.count(address.family) == min(before.count(family) for family in waiting)


class TestMoments:
    def test_the_first_at_once_the_next_a_quarter_of_a_second_later(self) -> None:
        first, second = given_ones = addresses("64")
        eyeballs = Eyeballs(given_ones, None)
        assert eyeballs.pause(7.0) == 0
        assert eyeballs.due(7.0) is first
        assert eyeballs.due(7.2) is None
        assert eyeballs.pause(7.125) == 0.125
        assert eyeballs.due(7.25) is second
        assert (eyeballs.due(9.0), eyeballs.pause(9.0), eyeballs.over) == (None, None, False)

    def test_after_a_failure_the_next_at_once(self) -> None:
        first, second = given_ones = addresses("64")
        eyeballs = Eyeballs(given_ones, 5.0)
        assert eyeballs.due(7.0) is first
        eyeballs.failed()
        assert eyeballs.pause(7.0) == 0
        assert eyeballs.due(7.0) is second
        assert not eyeballs.over
        eyeballs.failed()
        assert eyeballs.over

    def test_where_time_is_short_each_has_its_share(self) -> None:
        assert Eyeballs(addresses("6464"), None).delay == ATTEMPT_DELAY
        assert Eyeballs(addresses("6464"), 5.0).delay == ATTEMPT_DELAY
        assert Eyeballs(addresses("6464"), 0.4).delay == 0.1
        assert Eyeballs(addresses("6464"), 0.0).delay == LEAST_DELAY
        assert Eyeballs([], 0.0).over

    def test_those_that_were_not_due(self) -> None:
        given_ones = addresses("6464")
        eyeballs = Eyeballs(given_ones, None)
        eyeballs.due(0.0)
        assert [address.host for address in eyeballs.untried] == ["4.1", "6.2", "4.3"]


@given(
    st.text("46", max_size=8),
    st.none() | st.floats(0, 10),
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60),
)
def test_at_any_times_and_with_any_failures(
    kinds: str, limit: float | None, happenings: list[tuple[float, bool]]
) -> None:
    """Each address once, in turns; never two within the delay, unless one has failed; over when all have failed."""
    eyeballs = Eyeballs(addresses(kinds), limit)
    expected = [address.host for address in in_turns(addresses(kinds))]
    begun: list[str] = []
    now, running, earliest = 100.0, 0, 0.0
    for passed, fails in happenings:
        now += passed
        if fails and running:
            eyeballs.failed()
            running, earliest = running - 1, now
        pause = eyeballs.pause(now)
        address = eyeballs.due(now)
        assert (address is not None) == (pause == 0), "it is due exactly when there is no pause"
        if address is not None:
            assert now >= earliest
            begun.append(address.host)
            running, earliest = running + 1, now + eyeballs.delay
            assert LEAST_DELAY <= eyeballs.delay <= ATTEMPT_DELAY
        elif pause is None:
            assert begun == expected
        else:
            assert 0 < pause <= eyeballs.delay + 1e-9
        assert eyeballs.over == (not running and begun == expected)
    assert begun == expected[: len(begun)]
    assert [address.host for address in eyeballs.untried] == expected[len(begun) :]
