"""From a host and a port to a link: addresses, who may be connected to, and the race between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.config.options import Proxy, Timeout
from httpure_core.effects import Address, Begin, Consult, Dial, Operation, Race, Resolve
from httpure_core.errors import ConnectError, ConnectTimeout, ResolveError
from httpure_core.models.request import Request
from httpure_core.operations.dial import Dialler

from .stepping import Cancelled, Runner, World, drive, each_way, left_at_each_step

V6 = Address("2001:db8::1", 80, family="ipv6")
V4 = Address("192.0.2.1", 80)
BOTH = (V6, V4)
REFUSED = ConnectionRefusedError(111, "Connection refused")
UNREACHABLE = OSError(101, "Network is unreachable")
#: Connects, after no time at all or after some seconds; fails, at once or after some seconds; never answers.
Fate = float | OSError | tuple[float, OSError] | None


def dialling(
    world: World, url: str = "http://example.org/", timeout: Timeout | None = None, **extensions: Any
) -> Operation[Any]:
    if timeout is not None:
        extensions["timeout"] = timeout.as_dict()
    return world.dialler.dial(world.budget(Request("GET", url, extensions=extensions)))


class Timed(Runner):
    """An attempt whose fate is known from the beginning."""

    def __init__(self, moment: float | None, error: OSError | None) -> None:
        super().__init__()
        self.moment = moment
        self._then = error

    def look(self, now: float) -> None:
        if self.moment is not None and now >= self.moment:
            self.error, self.connected = self._then, self._then is None


class Slow(World):
    """Addresses have fates, in the order in which they are begun; a clock that goes on while the operation waits."""

    def __init__(self, *fates: Fate, addresses: Sequence[Address] = BOTH, **settings: Any) -> None:
        super().__init__(addresses=addresses)
        self.dialler = Dialler(self.tls, **settings)
        self.fates = list(fates)
        self.begun: list[tuple[float, str]] = []
        #: False to say of nothing that it has failed: of an effect that is done.
        self.raises = True

    def begin(self, effect: Begin) -> None:
        fate = self.fates.pop(0)
        self.begun.append((round(self.clock.now, 6), str(effect.address)))
        if isinstance(fate, OSError):
            if self.raises:
                raise fate
            fate = (0.0, fate)
        later, error = fate if isinstance(fate, tuple) else (fate, None)
        attempt = Timed(None if later is None else self.clock.now + later, error)
        attempt.look(self.clock.now)
        effect.attempt = attempt
        self.runners.append(attempt)

    def race(self, effect: Race) -> None:
        attempts: list[Any] = effect.attempts
        assert attempts
        assert not any(attempt.closed or attempt.connected or attempt.error for attempt in attempts)
        moments = [attempt.moment for attempt in attempts if attempt.moment is not None]
        next_one = min(moments, default=float("inf"))
        ends = float("inf") if effect.timeout is None else self.clock.now + effect.timeout
        assert min(next_one, ends) < float("inf"), "it would wait for ever"
        self.clock.now = min(next_one, ends)
        for attempt in attempts:
            attempt.look(self.clock.now)
        if next_one > ends and self.raises:
            raise TimeoutError

    def all_closed(self) -> bool:
        return all(runner.closed for runner in self.runners)


def test_two_addresses_of_which_the_first_is_fast() -> None:
    world = Slow(0.1)
    connection = world.run(dialling(world))
    assert world.kinds() == ["Resolve", "Begin", "Race", "Dial"]
    dial = world.performed[-1]
    assert isinstance(dial, Dial)
    assert (dial.address, dial.machine, dial.link) == (V6, connection, connection.link)
    assert not world.runners, "it has become the link"
    assert not world.wire.closed


def test_one_that_connects_at_once_waits_for_nothing() -> None:
    world = Slow(0.0)
    world.run(dialling(world))
    assert world.kinds() == ["Resolve", "Begin", "Dial"]


def test_one_address_is_no_race() -> None:
    world = Slow(addresses=[V4])
    world.run(dialling(world))
    assert world.kinds() == ["Resolve", "Dial"]


def test_twice_the_same_is_one_to_be_begun() -> None:
    world = Slow(REFUSED, addresses=[V4, Address("192.0.2.1", 80)])
    with pytest.raises(ConnectError, match=r"\(192\.0\.2\.1:80: Connection refused\)"):
        world.run(dialling(world))


def test_a_dead_first_address_costs_a_quarter_of_a_second() -> None:
    world = Slow(None, 0.02)
    world.run(dialling(world, timeout=Timeout(5)))
    assert world.begun == [(0.0, "[2001:db8::1]:80"), (0.25, "192.0.2.1:80")]
    assert world.clock.now == pytest.approx(0.27)
    assert world.all_closed(), "the loser"
    assert not world.wire.closed


def test_one_that_is_refused_costs_nothing() -> None:
    for fates in ((REFUSED, 0.0), ((0.0, REFUSED), 0.0), ((0.1, REFUSED), 0.0)):
        world = Slow(*fates)
        world.run(dialling(world))
        assert world.clock.now < 0.2
        assert world.all_closed()


def test_the_first_may_still_win_after_the_second_was_begun() -> None:
    world = Slow(0.3, 1.0)
    world.run(dialling(world))
    assert world.performed[-1].address is V6  # type: ignore[attr-defined]
    assert world.clock.now == pytest.approx(0.3)
    assert world.all_closed()


def test_local_address_and_options_go_along() -> None:
    world = Slow(REFUSED, 0.0, local_address="192.0.2.9", socket_options=((6, 1, 1),))
    world.run(dialling(world))
    for effect in world.performed[1:]:
        assert isinstance(effect, Begin | Dial)
        assert (effect.local_address, effect.socket_options) == ("192.0.2.9", ((6, 1, 1),))


def test_when_no_address_is_left_each_failure_is_told() -> None:
    world = Slow(REFUSED, (0.1, UNREACHABLE))
    with pytest.raises(ConnectError) as caught:
        world.run(dialling(world))
    assert str(caught.value) == (
        "Could not connect to example.org ([2001:db8::1]:80: Connection refused; "
        "192.0.2.1:80: Network is unreachable), GET http://example.org/"
    )
    assert caught.value.request.method == "GET"
    assert caught.value.__cause__ is UNREACHABLE
    assert world.all_closed()


@pytest.mark.parametrize(
    ("fates", "reason"),
    [
        ([REFUSED, UNREACHABLE], "refused"),
        ([UNREACHABLE, (0.1, REFUSED)], "refused"),
        ([UNREACHABLE, ConnectionResetError(104, "Connection reset by peer")], "reset"),
        ([UNREACHABLE, OSError("odd")], "unreachable"),
        ([OSError("odd"), OSError("odd, too")], None),
    ],
)
def test_of_several_failures_the_most_telling_is_the_reason(fates: list[Fate], reason: str | None) -> None:
    world = Slow(*fates)
    with pytest.raises(ConnectError) as caught:
        world.run(dialling(world))
    assert type(caught.value) is ConnectError
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("error", "reason"), [(FileNotFoundError(2, "No such file"), "refused"), (REFUSED, "refused")]
)
def test_a_unix_socket_that_nobody_has(error: OSError, reason: str) -> None:
    world = Slow(uds="/run/server")
    operation = dialling(world)
    next(operation)
    with pytest.raises(ConnectError) as caught:
        operation.throw(error)
    assert caught.value.reason == reason


def test_in_the_order_in_which_they_failed() -> None:
    world = Slow((1.0, REFUSED), (0.1, UNREACHABLE))
    with pytest.raises(
        ConnectError, match=r"192\.0\.2\.1:80: Network is unreachable; \[2001:db8::1\]:80: Conn"
    ):
        world.run(dialling(world))


def test_when_the_time_is_over_what_each_did_is_told() -> None:
    world = Slow(REFUSED, None, None, addresses=[V6, V4, Address("192.0.2.2", 80)])
    with pytest.raises(ConnectTimeout) as caught:
        world.run(dialling(world, timeout=Timeout(3)))
    assert str(caught.value) == (
        "No connection was made within 3 s (the connect timeout) ([2001:db8::1]:80: Connection refused; "
        "192.0.2.1:80: timed out; 192.0.2.2:80: timed out), "
        "GET http://example.org/; allow more with Timeout(connect=...)"
    )
    assert world.clock.now == 3
    assert world.all_closed()


def test_a_short_time_is_shared_out() -> None:
    world = Slow(None, 0.01)
    world.run(dialling(world, timeout=Timeout(0.2)))
    assert world.begun == [(0.0, "[2001:db8::1]:80"), (0.1, "192.0.2.1:80")]


def test_no_time_at_all_is_one_look() -> None:
    world = Slow(None)
    with pytest.raises(ConnectTimeout, match=r"\[2001:db8::1\]:80: timed out; 192\.0\.2\.1:80: not tried"):
        world.run(dialling(world, timeout=Timeout(0)))


def test_the_total_counts_too() -> None:
    world = Slow(None, None)
    with pytest.raises(ConnectTimeout, match=r"total=\.\.\."):
        world.run(dialling(world, timeout=Timeout(None, total=0.4)))
    assert world.clock.now == 0.4


def test_the_system_may_lose_patience_before_us() -> None:
    slow = TimeoutError(110, "Connection timed out")
    world = Slow((2.0, slow), (0.1, REFUSED))
    with pytest.raises(ConnectTimeout, match=r"refused; .*: Connection timed out"):
        world.run(dialling(world))


def test_one_that_cannot_become_a_link_leaves_the_race_to_the_others() -> None:
    world = Slow(0.0, 0.0)
    dial, errors = world.dial, [OSError(5, "no room")]

    def failing(effect: Dial) -> None:
        if errors:
            raise errors.pop()
        dial(effect)

    world.dial = failing  # type: ignore[method-assign]
    assert world.run(dialling(world)).link is world.wire
    assert world.all_closed()


def test_a_wait_that_fails_is_told() -> None:
    world = Slow(None)
    operation = dialling(world)
    assert isinstance(drive(operation, world.perform, 2), Race)
    with pytest.raises(ConnectError, match=r"example\.org \(no more descriptors\), GET"):
        operation.throw(OSError(24, "no more descriptors"))
    assert world.all_closed()


@pytest.mark.parametrize("error", [OSError("words"), OSError(), ConnectionResetError()])
def test_a_failure_is_never_empty(error: OSError) -> None:
    world = Slow(error, addresses=[V4])

    def failing(effect: Dial) -> None:
        raise error

    world.dial = failing  # type: ignore[method-assign]
    with pytest.raises(ConnectError, match=r"192\.0\.2\.1:80: \w+"):
        world.run(dialling(world))


def test_one_address_that_takes_too_long() -> None:
    world = World()
    operation = dialling(world, timeout=Timeout(3))
    assert isinstance(drive(operation, world.perform, 1), Dial)
    with pytest.raises(ConnectTimeout) as caught:
        operation.throw(TimeoutError())
    assert str(caught.value) == (
        "No connection was made within 3 s (the connect timeout) (192.0.2.1:80: timed out), "
        "GET http://example.org/; allow more with Timeout(connect=...)"
    )


def test_a_name_that_cannot_be_looked_up() -> None:
    world = World()
    operation = dialling(world)
    next(operation)
    with pytest.raises(ResolveError) as caught:
        operation.throw(OSError(-2, "Name or service not known"))
    assert str(caught.value) == (
        "Could not look up the host name 'example.org' (Name or service not known), GET http://example.org/"
    )
    assert caught.value.reason == "resolve"
    assert isinstance(caught.value.__cause__, OSError)


def test_a_look_up_that_takes_too_long() -> None:
    operation = dialling(World(), timeout=Timeout(3))
    next(operation)
    with pytest.raises(ConnectTimeout, match=r"because looking up the name example\.org took too long"):
        operation.throw(TimeoutError())


fates = st.one_of(
    st.none(),
    st.floats(0, 2),
    st.just(REFUSED),
    st.tuples(st.floats(0, 2), st.just(UNREACHABLE)),
)


@given(st.lists(fates, min_size=2, max_size=6), st.floats(0.01, 3), st.integers(0, 20), st.booleans())
def test_whatever_becomes_of_the_addresses(
    drawn: list[Fate], limit: float, steps: int, interrupted: bool
) -> None:
    """A link or a typed error within the limit; the fastest wins; and whatever happens, nothing stays open."""
    world = Slow(*drawn, addresses=[Address(f"192.0.2.{number}", 80) for number in range(len(drawn))])
    operation = dialling(world, timeout=Timeout(limit))
    try:
        effect = drive(operation, world.perform, steps) if interrupted else next(operation)
        if interrupted and effect is not None:
            with pytest.raises(Cancelled):
                operation.throw(Cancelled())
            assert all(wire.closed for wire in world.wires)
            assert world.all_closed()
            return
        link = world.wire if effect is None else world.run(operation, effect).link
    except ConnectTimeout as exc:
        assert world.clock.now == pytest.approx(limit)
        told = str(exc)
        assert all(f"{address}: " in told for address in world.addresses)
    except ConnectError as exc:
        assert all(isinstance(fate, OSError | tuple) for fate in drawn)
        assert all(f"{address}: " in str(exc) for address in world.addresses)
    else:
        assert world.wires == [link]
        assert not link.closed
        won = world.performed[-1]
        assert isinstance(won, Dial)
        assert won.attempt is not None
        assert won.attempt.connected
    assert world.clock.now <= limit + 1e-9
    assert world.all_closed()
    moments = [moment for moment, _ in world.begun]
    assert moments == sorted(moments)


@pytest.mark.parametrize("drawn", [(None, 0.1), (REFUSED, 0.1), (0.1,), ((0.1, REFUSED), 0.0)])
@each_way
def test_left_at_each_step_nothing_stays_open(way: str, drawn: tuple[Fate, ...]) -> None:
    def make() -> World:
        world = Slow(*drawn, *drawn, *drawn, *drawn)
        if way == "Ctrl-C once done":
            world.raises = False
        return world

    for world in left_at_each_step(way, dialling, make):
        assert all(wire.closed for wire in world.wires)
        assert all(runner.closed for runner in world.runners)


class TestResolver:
    def test_a_function_is_asked_in_the_place_of_the_system(self) -> None:
        asked = []

        def resolver(host: str, port: int) -> str:
            asked.append((host, port))
            return "192.0.2.5"

        world = Slow(resolver=resolver)
        world.run(dialling(world, "https://Example.ORG:8443/", timeout=Timeout(4)))
        assert asked == [("example.org", 8443)]
        assert world.kinds()[:3] == ["Offload", "Consult", "Dial"]
        consult, dial = world.performed[1:3]
        assert isinstance(consult, Consult)
        assert consult.timeout == 4
        assert str(dial.address) == "192.0.2.5:8443"  # type: ignore[attr-defined]

    def test_all_it_gives_are_tried_in_turns(self) -> None:
        given_ones = ["192.0.2.1", Address("192.0.2.2", 81), "2001:db8::1"]
        world = Slow(REFUSED, REFUSED, 0.0, resolver=lambda host, port: given_ones)
        world.run(dialling(world))
        assert [where for _, where in world.begun] == ["192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.2:81"]

    def test_it_is_not_asked_for_addresses(self) -> None:
        world = Slow(resolver=lambda host, port: pytest.fail("asked"))
        for url in ("http://192.0.2.7/", "http://[2001:db8::7]/", "http://[fe80::1%25eth0]/"):
            world.run(dialling(world, url))

    def test_names_that_it_does_not_know(self) -> None:
        world = Slow(resolver=lambda host, port: [])
        with pytest.raises(
            ConnectError, match=r"up the host name 'example\.org' \(the resolver knows no address"
        ):
            world.run(dialling(world))

    def test_what_it_gives_must_be_addresses(self) -> None:
        world = Slow(resolver=lambda host, port: "example.net")
        with pytest.raises(
            ValueError, match=r"answer for 'example\.org' holds 'example\.net', which is no IP"
        ):
            world.run(dialling(world))
        world = Slow(resolver=lambda host, port: None)
        with pytest.raises(
            TypeError, match=r"answer for 'example\.org' is None: addresses are str or Address"
        ):
            world.run(dialling(world))

    @pytest.mark.parametrize("error", [KeyError("mine"), RuntimeError("mine")])
    def test_its_own_exceptions_pass(self, error: Exception) -> None:
        def resolver(host: str, port: int) -> str:
            raise error

        world = Slow(resolver=resolver)
        with pytest.raises(type(error), match="mine"):
            world.run(dialling(world))

    def test_system_errors_are_connect_errors(self) -> None:
        def resolver(host: str, port: int) -> str:
            raise OSError("the name service is down")

        world = Slow(resolver=resolver)
        with pytest.raises(ConnectError, match=r"'example\.org' \(the name service is down\), GET http:"):
            world.run(dialling(world))

    def test_overrides(self) -> None:
        overrides = {"Example.org": "192.0.2.5", "example.org:443": ["192.0.2.6", "2001:db8::6"]}
        world = Slow(0.0, 0.0, resolver=overrides)
        world.run(dialling(world))
        assert world.kinds() == ["Dial"]
        assert str(world.performed[0].address) == "192.0.2.5:80"  # type: ignore[attr-defined]
        world.run(dialling(world, "https://example.org/"))
        assert [where for _, where in world.begun] == ["192.0.2.6:443"]
        world.performed.clear()
        world.run(dialling(world, "http://example.com/"))
        assert isinstance(world.performed[0], Resolve), "all others are the system's"

    def test_of_a_proxy_it_is_asked_too(self) -> None:
        world = Slow(resolver={"proxy.test": "192.0.2.8"}, proxy=Proxy("http://proxy.test:3128"))
        world.run(dialling(world))
        assert str(world.performed[0].address) == "192.0.2.8:3128"  # type: ignore[attr-defined]

    @pytest.mark.parametrize("resolver", ["192.0.2.1", 1, ["192.0.2.1"]])
    def test_what_is_no_resolver(self, resolver: Any) -> None:
        with pytest.raises(TypeError, match=r"resolver= is a function of host and port, or a dict"):
            Slow(resolver=resolver)


def only_v4(address: Address) -> bool:
    return address.family == "ipv4"


class TestPolicy:
    def test_what_it_refuses_is_not_connected_to(self) -> None:
        world = Slow(address_policy=only_v4)
        world.run(dialling(world))
        assert world.kinds() == ["Resolve", "Dial"], "one is left, so there is no race"
        assert world.performed[1].address is V4  # type: ignore[attr-defined]

    def test_when_none_is_left_that_is_told(self) -> None:
        asked = []

        def nothing(address: Address) -> bool:
            asked.append(address)
            return False

        world = Slow(address_policy=nothing)
        with pytest.raises(ConnectError) as caught:
            world.run(dialling(world))
        assert str(caught.value) == (
            "Could not connect to example.org ([2001:db8::1]:80: refused by the address policy; "
            "192.0.2.1:80: refused by the address policy), GET http://example.org/"
        )
        assert caught.value.reason == "policy"
        assert asked == list(BOTH)
        assert world.kinds() == ["Resolve"]

    def test_what_was_refused_is_told_with_what_failed(self) -> None:
        world = Slow(address_policy=only_v4)
        operation = dialling(world)
        assert isinstance(drive(operation, world.perform, 1), Dial)
        with pytest.raises(
            ConnectError, match=r"refused by the address policy; 192\.0\.2\.1:80: Connection refused"
        ):
            operation.throw(REFUSED)

    @pytest.mark.parametrize("host", ["192.0.2.7", "[2001:db8::7]", "[::FFFF:127.0.0.1]", "[fe80::1%25eth0]"])
    def test_addresses_in_urls_are_asked_about(self, host: str) -> None:
        world = Slow(address_policy=lambda address: False)
        with pytest.raises(ConnectError, match="refused by the address policy"):
            world.run(dialling(world, f"http://{host}/"))
        assert not world.performed

    def test_those_of_resolvers_too(self) -> None:
        for resolver in ({"example.org": "10.0.0.1"}, lambda host, port: ["10.0.0.1"]):
            world = Slow(resolver=resolver, address_policy=lambda address: address.host != "10.0.0.1")
            with pytest.raises(ConnectError, match=r"10\.0\.0\.1:80: refused by the address policy"):
                world.run(dialling(world))

    def test_a_proxy_is_the_users_choice(self) -> None:
        world = Slow(address_policy=lambda address: False, proxy=Proxy("http://192.0.2.8:3128"))
        world.run(dialling(world))
        assert str(world.performed[0].address) == "192.0.2.8:3128"  # type: ignore[attr-defined]

    def test_so_is_a_unix_socket(self) -> None:
        world = Slow(address_policy=lambda address: False, uds="/run/server")
        world.run(dialling(world))
        assert world.kinds() == ["Dial"]

    @pytest.mark.parametrize("verdict", [None, 1, "yes", 0])
    def test_only_true_and_false_are_answers(self, verdict: Any) -> None:
        world = Slow(address_policy=lambda address: verdict)
        with pytest.raises(TypeError, match="An address policy returns True or False, not"):
            world.run(dialling(world))

    def test_a_coroutine_function_would_allow_everything(self) -> None:
        async def policy(address: Address) -> bool:
            return False

        world = Slow(address_policy=policy)
        with pytest.raises(TypeError, match="not coroutine: it is a plain function"):
            world.run(dialling(world))

    def test_its_exceptions_pass(self) -> None:
        world = Slow(address_policy=lambda address: 1 / 0 > 0)
        with pytest.raises(ZeroDivisionError):
            world.run(dialling(world))

    def test_what_is_no_policy(self) -> None:
        with pytest.raises(
            TypeError, match="address_policy= is a function of an Address that returns True or F"
        ):
            Slow(address_policy=True)
