"""Where names lead, as users say it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.config.resolving import (
    addresses_from,
    allows,
    check_policy,
    overrides_of,
    resolver_of,
)
from httpure_core.effects import Address


def told(addresses: list[Address]) -> list[tuple[str, str]]:
    return [(str(address), address.family) for address in addresses]


class TestAnswers:
    def test_one_or_several(self) -> None:
        for answer in ("192.0.2.1", Address("192.0.2.1"), ["192.0.2.1"], ("192.0.2.1",), iter(["192.0.2.1"])):
            assert told(addresses_from(answer, 80, "x")) == [("192.0.2.1:80", "ipv4")]
        assert addresses_from([], 80, "x") == []

    def test_they_are_spelled_in_one_way(self) -> None:
        """Whoever compares them, a policy for one, is not deceived; and the family is that of the digits."""
        given_ones = ["::FFFF:7f00:1", Address("2001:DB8:0::1", 81), "fe80::1%eth0"]
        assert told(addresses_from(given_ones, 80, "x")) == [
            (f"[{ip_address('::ffff:7f00:1')}]:80", "ipv6"),  # from Python 3.13 on, [::ffff:127.0.0.1]
            ("[2001:db8::1]:81", "ipv6"),
            ("[fe80::1%eth0]:80", "ipv6"),
        ]

    def test_what_else_an_address_says_is_kept(self) -> None:
        (address,) = addresses_from(Address("fe80::1", 81, family="ipv6", scope=3), 80, "x")
        assert (address.port, address.scope) == (81, 3)
        (unix,) = addresses_from(Address(path="/run/server"), 80, "x")
        assert (unix.family, unix.path) == ("unix", "/run/server")

    @pytest.mark.parametrize("answer", [None, 7, b"192.0.2.1", {"192.0.2.1": 80}, object()])
    def test_what_is_no_answer(self, answer: Any) -> None:
        with pytest.raises(
            TypeError, match=r"^The answer is .*: addresses are str or Address, or a list of them"
        ):
            addresses_from(answer, 80, "The answer")

    @pytest.mark.parametrize("answer", [[None], [("192.0.2.1", 80)], [b"192.0.2.1"]])
    def test_what_is_no_address(self, answer: Any) -> None:
        with pytest.raises(TypeError, match=r"^The answer holds .*: an address is a str or an Address, not "):
            addresses_from(answer, 80, "The answer")

    @pytest.mark.parametrize(
        "answer", ["", "example.org", "192.0.2.1:80", "[::1]", "010.0.0.1", "127.1", "0x7f000001", " ::1"]
    )
    def test_what_is_not_in_digits(self, answer: str) -> None:
        with pytest.raises(
            ValueError, match=r"^The answer holds '.*', which is no IP address in digits: a port bel"
        ):
            addresses_from(answer, 80, "The answer")

    @given(st.ip_addresses(), st.integers(1, 65535))
    def test_every_address_in_every_spelling(self, address: Any, port: int) -> None:
        (found,) = addresses_from(address.exploded, port, "x")
        assert (found.host, found.port, found.family) == (str(address), port, f"ipv{address.version}")


class TestOverrides:
    def test_a_port_goes_before_all_ports(self) -> None:
        overrides = overrides_of({"example.org": "192.0.2.1", "example.org:443": ["192.0.2.2", "::1"]})
        assert told(overrides.addresses("example.org", 443)) == [
            ("192.0.2.2:443", "ipv4"),
            ("[::1]:443", "ipv6"),
        ]
        assert told(overrides.addresses("example.org", 80)) == [("192.0.2.1:80", "ipv4")]
        assert overrides.addresses("www.example.org", 80) == []

    def test_names_are_found_as_urls_spell_them(self) -> None:
        overrides = overrides_of({"BÜCHER.example": "192.0.2.1"})
        assert told(overrides.addresses("xn--bcher-kva.example", 80)) == [("192.0.2.1:80", "ipv4")]

    def test_another_port_and_a_unix_socket(self) -> None:
        overrides = overrides_of({"a": Address("192.0.2.1", 8080), "b": Address(path="/run/server")})
        assert told(overrides.addresses("a", 80)) == [("192.0.2.1:8080", "ipv4")]
        assert told(overrides.addresses("b", 80)) == [("/run/server", "unix")]

    def test_later_changes_of_the_mapping_are_not_seen(self) -> None:
        mapping = {"a": "192.0.2.1"}
        overrides = overrides_of(mapping)
        mapping.clear()
        assert overrides.addresses("a", 80)

    @pytest.mark.parametrize("key", ["", ":80", "192.0.2.1", "192.0.2.1:80"])
    def test_keys_that_would_never_be_asked_for(self, key: str) -> None:
        with pytest.raises(ValueError, match="would never be asked for: only names are looked up"):
            overrides_of({key: "192.0.2.1"})

    @pytest.mark.parametrize(
        "key", ["a b", "a:b", "a:70000", "[::1]:80", "1.2.3", "a/b", "https://a", "user@a"]
    )
    def test_keys_that_are_no_hosts(self, key: str) -> None:
        with pytest.raises(ValueError, match=r'The keys of resolver= are "host" and "host:port", not '):
            overrides_of({key: "192.0.2.1"})

    def test_other_things(self) -> None:
        keys: Any = {80: "192.0.2.1"}
        with pytest.raises(TypeError, match=r'keys of resolver= are "host" and "host:port", not 80'):
            overrides_of(keys)
        with pytest.raises(ValueError, match=r"resolver\['a'\] has no address"):
            overrides_of({"a": []})
        with pytest.raises(ValueError, match=r"resolver\['a'\] holds 'b', which is no IP address"):
            overrides_of({"a": "b"})


def test_a_resolver_is_a_function_or_a_mapping() -> None:
    def function(host: str, port: int) -> str:
        return "192.0.2.1"

    assert resolver_of(None) == (None, None)
    assert resolver_of(function) == (None, function)
    overrides, none = resolver_of({"a": "192.0.2.1"})
    assert overrides is not None
    assert none is None
    wrong: Any = "192.0.2.1"
    with pytest.raises(TypeError, match=r"resolver= is a function of host and port, .* not of type str"):
        resolver_of(wrong)


def test_policies() -> None:
    check_policy(None)
    check_policy(lambda address: True)
    with pytest.raises(TypeError, match="not of type list"):
        check_policy([])
    address = Address("192.0.2.1", 80)
    assert allows(lambda asked: asked is address, address) is True
    assert allows(lambda asked: asked is not address, address) is False
    wrong: Any = lambda asked: None  # noqa: E731
    with pytest.raises(TypeError, match="not NoneType"):
        allows(wrong, address)


def test_a_policy_that_must_be_awaited_decides_nothing() -> None:
    """What it returns is true, so it would allow all. A coroutine is closed, for nobody awaits it."""

    class Awaitable:
        def __await__(self) -> Any:
            raise AssertionError

    async def policy(asked: Address) -> bool:
        return True

    every: list[Any] = [policy, lambda asked: Awaitable()]
    for each in every:
        with pytest.raises(TypeError, match="An address policy returns True or False, not "):
            allows(each, Address("192.0.2.1", 80))
