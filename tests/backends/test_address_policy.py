"""The public Internet, and what only looks like it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import httpure
from httpure import public_addresses_only
from httpure_core.effects import Address

from .fresh import fresh

PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 191.255.255.255 223.255.255.254
    2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450:4001:80b::200e
    ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1 2001:0:808:808::f7f7:f7f7
"""
OTHERS = """
    0.0.0.0 0.1.2.3 10.0.0.1 127.0.0.1 127.255.255.254 100.64.0.1 100.100.100.200 169.254.169.254 172.16.0.1
    172.31.255.255    192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250
    240.0.0.1 255.255.255.255
    :: ::1 ::2 ::8.8.8.8 ::127.0.0.1 fe80::1 fe80::1%eth0 fe80::1%1 fc00::1 fd00:ec2::254 fec0::1 ff02::1 100::1
    2001:db8::1 3fff::1 4000::1 5f00::1 2001:10::1
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:0 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::808:808 2002:7f00:1:: 2002:a00:1::1
    2001:0:808:808::80ff:fffe 2001:0:a00:1::f7f7:f7f7
"""


@pytest.mark.parametrize("digits", PUBLIC.split())
def test_public(digits: str) -> None:
    assert public_addresses_only(Address(digits, 443)) is True


@pytest.mark.parametrize("digits", OTHERS.split())
def test_not_public(digits: str) -> None:
    assert public_addresses_only(Address(digits, 443)) is False


@pytest.mark.parametrize(
    "text", ["", "localhost", "example.org", "010.0.0.1", "8.8.8.8:80", "0x8080808", "134744072"]
)
def test_what_is_no_address_in_digits(text: str) -> None:
    assert public_addresses_only(Address(text, 80)) is False


def test_unix_sockets() -> None:
    assert public_addresses_only(Address("8.8.8.8", path="/run/docker.sock", family="unix")) is False


@given(st.ip_addresses(v=4))
def test_what_is_embedded_is_as_private_as_by_itself(address: ipaddress.IPv4Address) -> None:
    public = public_addresses_only(Address(str(address)))
    for network in ("::ffff:0:0", "64:ff9b::", "::ffff:0:0:0"):
        embedded = ipaddress.IPv6Address(int(ipaddress.IPv6Address(network)) + int(address))
        assert public_addresses_only(Address(str(embedded))) is public
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) + (int(address) << 80) + 1)
    assert public_addresses_only(Address(str(six_to_four))) is public


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    doubtful = address.is_private or address.is_multicast or address.is_reserved or address.is_loopback
    embedding = address.version == 6 and (
        address.ipv4_mapped is not None
        or address.sixtofour is not None
        or address in ipaddress.ip_network("64:ff9b::/96")
    )
    if doubtful and not embedding:
        assert not public_addresses_only(Address(str(address)))


def test_it_is_found_where_it_is_looked_for() -> None:
    assert httpure.public_addresses_only is public_addresses_only
    assert "public_addresses_only" in httpure.__all__


def test_who_does_not_use_it_does_not_pay_for_it() -> None:
    assert fresh("import sys, httpure; print('ipaddress' in sys.modules)", development=False) == "False"
