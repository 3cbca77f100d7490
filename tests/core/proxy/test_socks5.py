"""SOCKS5: each reply, however it is cut, and lengths checked before they are packed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.proxy.socks5 import Socks5
from tests.core.test_nested_layers import Inside

AUTH = (b"user", b"secret")
BOUND = b"\x01\x7f\x00\x00\x01\x00\x50"


def told(machine: Socks5, *replies: bytes) -> list[bytes]:
    """What the machine says at first, and after each reply."""
    said = [machine.data_to_send()]
    for reply in replies:
        machine.receive_data(reply)
        said.append(machine.data_to_send())
    return said


def test_without_credentials() -> None:
    machine = Socks5("example.org", 443)
    assert told(machine, b"\x05\x00", b"\x05\x00\x00" + BOUND) == [
        b"\x05\x01\x00",
        b"\x05\x01\x00\x03\x0bexample.org\x01\xbb",
        b"",
    ]
    assert machine.established
    assert machine.signal.ready


def test_with_credentials() -> None:
    machine = Socks5("example.org", 80, AUTH)
    assert told(machine, b"\x05\x02", b"\x01\x00", b"\x05\x00\x00" + BOUND) == [
        b"\x05\x02\x00\x02",
        b"\x01\x04user\x06secret",
        b"\x05\x01\x00\x03\x0bexample.org\x00\x50",
        b"",
    ]
    assert machine.established


def test_credentials_that_nobody_wants_are_not_said() -> None:
    machine = Socks5("example.org", 80, AUTH)
    assert b"secret" not in b"".join(told(machine, b"\x05\x00", b"\x05\x00\x00" + BOUND))
    assert machine.established


def test_an_empty_password() -> None:
    assert told(Socks5("h", 1, (b"u", b"")), b"\x05\x02")[1] == b"\x01\x01u\x00"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", b"\x01\xc0\x00\x02\x07"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("fe80::1%eth0", b"\x04\xfe\x80" + bytes(13) + b"\x01"),
        ("1.2.3", b"\x03\x051.2.3"),
        ("999.1.1.1", b"\x03\x09999.1.1.1"),
        ("a" * 255, b"\x03\xff" + b"a" * 255),
    ],
)
def test_addresses(host: str, address: bytes) -> None:
    assert told(Socks5(host, 258), b"\x05\x00")[1] == b"\x05\x01\x00" + address + b"\x01\x02"


@pytest.mark.parametrize("host", ["", "a" * 256])
def test_names_that_do_not_fit(host: str) -> None:
    with pytest.raises(ValueError, match=rf"host names of 1 to 255 bytes, not {len(host)}"):
        Socks5(host, 80)


@pytest.mark.parametrize("auth", [(b"", b"p"), (b"u" * 256, b"p"), (b"u", b"p" * 256)])
def test_credentials_that_do_not_fit(auth: tuple[bytes, bytes]) -> None:
    with pytest.raises(
        ValueError, match="user name of 1 to 255 bytes and a password of at most 255"
    ) as caught:
        Socks5("h", 80, auth)
    assert "uuu" not in str(caught.value)
    assert "ppp" not in str(caught.value)


@pytest.mark.parametrize(
    ("bound", "rest"),
    [
        (b"\x01\x7f\x00\x00\x01\x00\x50", b""),
        (b"\x04" + bytes(16) + b"\x00\x50", b"x"),
        (b"\x03\x00\x00\x50", b"early"),
        (b"\x03\xff" + b"n" * 255 + b"\x00\x50", b"e"),
    ],
)
def test_what_follows_is_not_ours(bound: bytes, rest: bytes) -> None:
    machine = Socks5("h", 80)
    told(machine, b"\x05\x00\x05\x00\x00" + bound + rest)
    assert machine.established
    machine.attach(inside := Inside())
    assert inside.got == rest
    machine.receive_data(b"more")
    assert inside.got == rest + b"more"


REFUSALS = [
    (None, [b"\x04\x00"], "it does not speak SOCKS5"),
    (None, [b"HTTP/1.1 400 Bad Request\r\n"], "it does not speak SOCKS5"),
    (None, [b"\x05\x02"], "it wants to know who we are in a way that was not offered (method 2)"),
    (AUTH, [b"\x05\x01"], "it wants to know who we are in a way that was not offered (method 1)"),
    (
        None,
        [b"\x05\xff"],
        "it wants to know who we are: give user name and password with Proxy(url, auth=...)",
    ),
    (AUTH, [b"\x05\xff"], "it does not take a user name and password"),
    (AUTH, [b"\x05\x02", b"\x01\x01"], "it did not accept the user name and password"),
    (AUTH, [b"\x05\x02", b"\x01\xff"], "it did not accept the user name and password"),
    (None, [b"\x05\x00", b"\x04\x00"], "its reply is not one of SOCKS5"),
    (None, [b"\x05\x00", b"\x05\x00\x00\x02\x00"], "its reply is not one of SOCKS5"),
    (None, [b"\x05\x00", b"\x05\x01"], "it failed"),
    (None, [b"\x05\x00", b"\x05\x02"], "its rules do not allow the connection"),
    (None, [b"\x05\x00", b"\x05\x03"], "the network cannot be reached from there"),
    (
        None,
        [b"\x05\x00", b"\x05\x04\x00" + BOUND],
        "the host cannot be reached, or its name not looked up, from there",
    ),
    (None, [b"\x05\x00", b"\x05\x05"], "the connection was refused"),
    (None, [b"\x05\x00", b"\x05\x06"], "the connection took too many hops"),
    (None, [b"\x05\x00", b"\x05\x07"], "it does not know the command CONNECT"),
    (None, [b"\x05\x00", b"\x05\x08"], "it does not know this type of address"),
    (None, [b"\x05\x00", b"\x05\x09"], "it refused for an unknown reason, 9"),
]


@pytest.mark.parametrize(("auth", "replies", "why"), REFUSALS)
def test_refusals(auth: tuple[bytes, bytes] | None, replies: list[bytes], why: str) -> None:
    machine = Socks5("h", 80, auth)
    told(machine, *replies)
    assert (machine.failure, machine.established, machine.signal.ready) == (why, False, True)
    machine.receive_data(b"\x05\x00\x00" + BOUND)
    machine.receive_eof()
    assert (machine.failure, machine.established) == (why, False)
    assert "secret" not in why


def test_an_end_in_the_middle() -> None:
    machine = Socks5("h", 80)
    told(machine, b"\x05\x00\x05\x00\x00\x03")
    assert machine.failure is None
    machine.receive_eof()
    assert machine.failure == "it closed the connection without an answer"


@given(
    auth=st.sampled_from([None, AUTH]),
    stream=st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"".join(replies) for _, replies, _ in REFUSALS]),
        st.binary(max_size=5).map(lambda rest: b"\x05\x00\x05\x00\x00" + BOUND + rest),
        st.binary(max_size=5).map(lambda rest: b"\x05\x02\x01\x00\x05\x00\x00\x03\x02ab\x00\x01" + rest),
    ),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
def test_the_same_however_it_is_cut(auth: tuple[bytes, bytes] | None, stream: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[object, ...]:
        machine = Socks5("example.org", 443, auth)
        said = b"".join(told(machine, *(piece for piece in pieces if piece)))
        machine.receive_eof()
        machine.attach(inside := Inside())
        return said, machine.established, machine.failure, inside.got, inside.ends

    at = sorted({0, *cuts, len(stream)})
    assert outcome([stream]) == outcome([stream[a:b] for a, b in itertools.pairwise(at)])
