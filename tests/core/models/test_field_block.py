from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.models import field_block as room
from httpure_core.models.field_block import field_block, longer_block

HOST = (b"Host", b"shop.example")
CHUNKED = (b"Transfer-Encoding", b"chunked")
NAMES = (
    b"X-A",
    b"Accept",
    b"host",
    b"Connection",
    b"Content-Length",
    b"Transfer-Encoding",
    b"Expect",
    b"Not a token",
    b"",
)
VALUES = (b"", b"1", b"chunked", b"keep-alive", b"close", b" 1", b"1\t", b"a\r\nb", b"\x00", b"\xe4", b"01")
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=4)


def test_the_host_comes_first() -> None:
    assert field_block([(b"A", b"1"), HOST, (b"b", b"")]) == (b"Host: shop.example\r\nA: 1\r\nb: \r\n", 0)


def test_it_tells_what_the_fields_frame() -> None:
    block = field_block([HOST, (b"Content-Length", b"12")])
    assert block == (b"Host: shop.example\r\nContent-Length: 12\r\n", 12)
    assert field_block([CHUNKED, HOST]) == (b"Host: shop.example\r\nTransfer-Encoding: chunked\r\n", None)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b"Host", b"a b")],
        [(b"Host", b"a\x01")],
        [(b"Accept", b"*/*")],
        [HOST, HOST],
        [HOST, (b"Transfer-Encoding", b"Chunked")],
        [HOST, CHUNKED, CHUNKED],
        [HOST, CHUNKED, (b"Content-Length", b"1")],
        [HOST, (b"Content-Length", b"1"), CHUNKED],
        [HOST, (b"expect", b"100-continue")],
        [HOST, (b"Upgrade", b"websocket")],
        [HOST, (b"Connection", b"close")],
        [HOST, (b"Content-Length", b"1"), (b"Content-Length", b"1")],
        [HOST, (b"Content-Length", b"01")],
        [HOST, (b"Content-Length", b"-1")],
        [HOST, (b"Content-Length", b"1" * 16)],
        [HOST, (b"No Token", b"1")],
        [HOST, (b"", b"1")],
        [HOST, (b"A", b" 1")],
        [HOST, (b"A", b"1\t")],
        [HOST, (b"A", b"1\r\nB: 2")],
        [HOST, (b"A", b"\x7f")],
    ],
)
def test_what_is_odd_has_no_block(fields: list[tuple[bytes, bytes]]) -> None:
    assert field_block(fields) is None


def test_nothing_makes_a_block_of_none() -> None:
    assert longer_block(None, [(b"A", b"1")]) is None


@given(FIELDS, FIELDS)
def test_a_longer_block_is_that_of_all_fields(
    first: list[tuple[bytes, bytes]], more: list[tuple[bytes, bytes]]
) -> None:
    first = [HOST, *first]
    longer = longer_block(field_block(first), more)
    assert longer is None or longer == field_block(first + more)


def test_a_block_grows_by_what_is_only_passed_on() -> None:
    assert longer_block((b"Host: a\r\n", 3), [(b"X-A", b"1"), (b"X-B", b"2")]) == (
        b"Host: a\r\nX-A: 1\r\nX-B: 2\r\n",
        3,
    )


def test_names_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[bytes, bytes] = {}
    monkeypatch.setattr(room, "_tokens", known)
    monkeypatch.setattr(room, "_MOST_TOKENS", 2)
    assert field_block([HOST, (b"A", b""), (b"B", b"")]) == (b"Host: shop.example\r\nA: \r\nB: \r\n", 0)
    assert known == {b"Host": b"host", b"A": b"a"}
