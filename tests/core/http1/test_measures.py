"""How much there may be of heads, trailers and chunks, in whatever lane and however the bytes come."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.errors import HeadTooLarge, RemoteProtocolError
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.limits import DEFAULT_LIMITS, Limits

START = b"HTTP/1.1 200 OK\r\n"
HEAD = START + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"Content-Length: 0\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\n"
KIB = 1024
both_lanes = pytest.mark.parametrize("fast", [True, False], ids=["fast", "h11"])
in_pieces = pytest.mark.parametrize("size", [2**20, 60_000, 999])


def after(answer: bytes, fast: bool = True, size: int = 2**20, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The stream behind an answer that comes in pieces of that size."""
    connection = Http1Connection(fast, limits)
    stream = connection.open_stream(b"GET", b"/", [(b"Host", b"a")], b"")
    for start in range(0, len(answer), size):
        connection.receive_data(answer[start : start + size])
    assert (connection.close_reason is CloseReason.FAILED) == (stream.failure is not None)
    assert not (stream.failure and connection.reusable)
    return stream


def fields(count: int) -> bytes:
    return b"".join(b"x%d: 1\r\n" % number for number in range(count))


def field(size: int) -> bytes:
    """One of so many bytes."""
    return b"x: " + b"y" * (size - 3) + b"\r\n"


def fill(size: int) -> bytes:
    """A head of exactly so many bytes."""
    rest = size - len(START) - len(END)
    whole, left = divmod(rest, 50_002)
    return START + field(50_000) * whole + field(left - 2) + END


CHUNK = b"000000001\r\nx\r\n"  # of which 13 bytes are around one: 4 more than that, and the usual 8
LAST = b"0\r\n\r\n"
#: For each limit: what is just within it, and what is just beyond.
EDGES: dict[str, tuple[bytes, bytes]] = {
    "max_head_size": (fill(256 * KIB), fill(256 * KIB + 1)),
    "max_field_size": (START + field(64 * KIB) + END, START + field(64 * KIB + 1) + END),
    "max_fields": (START + fields(999) + END, START + fields(1000) + END),
    "max_trailers": (HEAD + b"0\r\n" + fields(100) + b"\r\n", HEAD + b"0\r\n" + fields(101) + b"\r\n"),
    "max_trailers_size": (
        HEAD + b"0\r\n" + field(32 * KIB - 2) + b"\r\n",
        HEAD + b"0\r\n" + field(32 * KIB - 1) + b"\r\n",
    ),
    "max_informational": ((EARLY + b"\r\n") * 16 + START + END, (EARLY + b"\r\n") * 17 + START + END),
    "max_chunk_overhead": (HEAD + CHUNK * (16 * KIB) + LAST, HEAD + CHUNK * (16 * KIB + 1) + LAST),
}


@both_lanes
@pytest.mark.parametrize("size", [2**20, 999])
@pytest.mark.parametrize("limit", EDGES)
def test_just_within_and_just_beyond(limit: str, size: int, fast: bool) -> None:
    within, beyond = EDGES[limit]
    stream = after(within, fast, size)
    assert stream.failure is None and stream.ended
    stream = after(beyond, fast, size)
    assert type(stream.failure) is HeadTooLarge and isinstance(stream.failure, RemoteProtocolError)
    assert stream.failure.limit == limit
    assert f"and {getattr(DEFAULT_LIMITS, limit):,} are allowed" in str(stream.failure)
    assert f"with Limits({limit}=...)" in str(stream.failure)
    assert not stream.ended


#: For each limit: limits that allow little, an answer within, and one beyond.
OWN: dict[str, tuple[Limits, bytes, bytes]] = {
    "max_head_size": (Limits(max_head_size=60), START + b"X: y\r\n" + END, START + b"X: y\r\n" * 4 + END),
    "max_field_size": (Limits(max_field_size=17), START + END, START + b"X: " + b"y" * 15 + b"\r\n" + END),
    "max_fields": (Limits(max_fields=1), START + END, START + b"X: y\r\n" + END),
    "max_trailers": (Limits(max_trailers=0), HEAD + LAST, HEAD + b"0\r\nX: y\r\n\r\n"),
    "max_trailers_size": (Limits(max_trailers_size=0), HEAD + LAST, HEAD + b"0\r\nX: y\r\n\r\n"),
    "max_informational": (Limits(max_informational=0), START + END, EARLY + b"\r\n" + START + END),
    "max_chunk_overhead": (Limits(max_chunk_overhead=3), HEAD + b"2\r\nhi\r\n" + LAST, HEAD + CHUNK + LAST),
}


@both_lanes
@pytest.mark.parametrize("limit", OWN)
@pytest.mark.parametrize("size", [2**20, 1])
def test_limits_of_ones_own(limit: str, size: int, fast: bool) -> None:
    limits, within, beyond = OWN[limit]
    assert after(within, fast, size, limits).ended
    assert after(beyond, fast, size, limits).failure.limit == limit


@both_lanes
@pytest.mark.parametrize("limit", OWN)
def test_more_than_by_default(limit: str, fast: bool) -> None:
    roomy = Limits(**{limit: getattr(DEFAULT_LIMITS, limit) * 2})
    assert after(EDGES[limit][1], fast, limits=roomy).ended


@both_lanes
@in_pieces
class TestFixed:
    """What no parameter changes."""

    def test_status_line(self, fast: bool, size: int) -> None:
        start = b"HTTP/1.1 200 "
        assert after(start + b"o" * (8192 - len(start)) + b"\r\n" + END, fast, size).ended
        stream = after(start + b"o" * (8193 - len(start)) + b"\r\n" + END, fast, size)
        assert type(stream.failure) is HeadTooLarge
        assert "bytes, and 8,192 are allowed, whatever max_head_size says" in str(stream.failure)

    def test_line_of_a_chunk(self, fast: bool, size: int) -> None:
        assert after(HEAD + b"1;" + b"x" * 4092 + b"\r\nx\r\n" + LAST, fast, size).ended
        stream = after(HEAD + b"1;" + b"x" * 4093 + b"\r\nx\r\n" + LAST, fast, size)
        assert type(stream.failure) is HeadTooLarge and stream.failure.limit == "max_chunk_overhead"
        assert "a line of 4,097 bytes, and 4,096 are allowed, whatever" in str(stream.failure)

    def test_digits_of_a_chunk(self, fast: bool, size: int) -> None:
        assert after(HEAD + b"0" * 15 + b"1\r\nx\r\n" + b"0" * 16 + b"\r\n\r\n", fast, size).ended
        for line in (b"0" * 16 + b"1\r\n", b"0" * 10_000):
            stream = after(HEAD + line, fast, size)
            assert type(stream.failure) is RemoteProtocolError
            assert "16 hexadecimal digits" in str(stream.failure)

    def test_empty_lines_before_a_head(self, fast: bool, size: int) -> None:
        assert after(b"\r\n" + START + END, fast, size).ended
        for wrong in (b"\r\n\r\n" + START + END, EARLY + b"\r\n\r\n" + START + END):
            assert "illegal status line" in str(after(wrong, fast, size).failure)


@both_lanes
@in_pieces
class TestEndless:
    """What never ends is found out when it is too long, and is not kept any further."""

    def test_fields(self, fast: bool, size: int) -> None:
        assert after(START + b"X: y\r\n" * 100_000, fast, size).failure.limit == "max_fields"

    def test_a_field(self, fast: bool, size: int) -> None:
        assert after(START + b"X: " + b"y" * 500_000, fast, size).failure.limit == "max_field_size"

    def test_folds(self, fast: bool, size: int) -> None:
        assert after(START + b"X: y\r\n" + b" z\r\n" * 50_000, fast, size).failure.limit == "max_field_size"

    def test_a_status_line(self, fast: bool, size: int) -> None:
        assert after(b"HTTP/1.1 200 " + b"y" * 500_000, fast, size).failure.limit == "max_head_size"

    def test_informational(self, fast: bool, size: int) -> None:
        stream = after((EARLY + b"\r\n") * 1000, fast, size)
        assert stream.failure.limit == "max_informational"
        assert len(stream.informational) == 17

    def test_fields_of_an_informational_one(self, fast: bool, size: int) -> None:
        assert after(EARLY + fields(1001) + b"\r\n", fast, size).failure.limit == "max_fields"

    def test_extensions(self, fast: bool, size: int) -> None:
        stream = after(HEAD + (b"1;" + b"x" * 3000 + b"\r\nx\r\n") * 100, fast, size)
        assert stream.failure.limit == "max_chunk_overhead"
        assert stream.take() == b"x" * 21, "what came before is told"

    def test_an_extension(self, fast: bool, size: int) -> None:
        assert after(HEAD + b"1;" + b"x" * 100_000, fast, size).failure.limit == "max_chunk_overhead"

    def test_trailers(self, fast: bool, size: int) -> None:
        assert after(HEAD + b"0\r\n" + b"X: y\r\n" * 10_000, fast, size).failure.limit == "max_trailers"


@both_lanes
def test_data_pays_for_what_is_around_it(fast: bool) -> None:
    """A server that sends events in small chunks, for hours, is refused no more than one that sends large ones."""
    event = b"14\r\ndata: " + b"x" * 14 + b"\r\n" + b"1\r\n\n\r\n"
    limits = Limits(max_chunk_overhead=0)
    for pieces in (event * 2000, b"1\r\n.\r\n" * 2000):
        assert after(HEAD + pieces + LAST, fast, limits=limits).ended


@both_lanes
def test_of_two_limits_the_one_that_was_met_first(fast: bool) -> None:
    limits = Limits(max_head_size=100, max_field_size=50)
    for size in (1, 1000):
        assert after(START + field(500) + END, fast, size, limits).failure.limit == "max_field_size"
        assert (
            after(START + field(40) + field(500) + END, fast, size, limits).failure.limit == "max_head_size"
        )


def test_what_is_large_but_plain_stays_in_the_fast_lane() -> None:
    for limits in (DEFAULT_LIMITS, Limits(max_field_size=5000)):
        connection = Http1Connection(True, limits)
        connection.open_stream(b"GET", b"/", [(b"Host", b"a")], b"")
        connection.receive_data(START + field(4999) * 3 + END)
        assert connection.reusable and connection._slow_lane is None
