"""How large heads and trailers may be, in whatever lane and however the bytes come."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.contracts import MAX_FIELDS, MAX_TRAILERS
from httpure_core.http1.connection import MAX_HEAD_SIZE, CloseReason, Http1Connection

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"Content-Length: 0\r\n\r\n"
both_lanes = pytest.mark.parametrize("fast", [True, False])
in_pieces = pytest.mark.parametrize("size", [2**20, 60_000])


def after(answer: bytes, fast: bool, size: int = 2**20) -> Any:
    """The stream behind an answer that comes in pieces of that size."""
    connection = Http1Connection(fast)
    stream = connection.open_stream(b"GET", b"/", [(b"Host", b"a")], b"")
    for start in range(0, len(answer), size):
        connection.receive_data(answer[start : start + size])
    assert (connection.close_reason is CloseReason.FAILED) == (stream.failure is not None)
    return stream


def fields(count: int) -> bytes:
    return b"".join(b"x%d: 1\r\n" % number for number in range(count))


@both_lanes
@in_pieces
class TestLimits:
    def test_fields_of_a_head(self, fast: bool, size: int) -> None:
        stream = after(b"HTTP/1.1 200 OK\r\n" + fields(MAX_FIELDS - 1) + END, fast, size)
        assert (stream.status, len(stream.fields), stream.ended) == (200, MAX_FIELDS, True)
        stream = after(b"HTTP/1.1 200 OK\r\n" + fields(MAX_FIELDS) + END, fast, size)
        assert "The head of the response is not valid HTTP/1.1: 1001 fields of" in str(stream.failure)

    def test_bytes_of_a_head(self, fast: bool, size: int) -> None:
        stream = after(b"HTTP/1.1 200 OK\r\nx: " + b"y" * (MAX_HEAD_SIZE - 100) + b"\r\n" + END, fast, size)
        assert stream.ended
        stream = after(b"HTTP/1.1 200 OK\r\nx: " + b"y" * MAX_HEAD_SIZE + b"\r\n" + END, fast, size)
        assert "The head of the response is not valid HTTP/1.1" in str(stream.failure)

    def test_fields_of_an_informational_head(self, fast: bool, size: int) -> None:
        stream = after(b"HTTP/1.1 103 Early Hints\r\n" + fields(MAX_FIELDS + 1) + b"\r\n", fast, size)
        assert "1001 fields of" in str(stream.failure)

    def test_trailers(self, fast: bool, size: int) -> None:
        stream = after(HEAD + b"0\r\n" + fields(MAX_TRAILERS) + b"\r\n", fast, size)
        assert stream.ended and len(stream.trailers) == MAX_TRAILERS
        stream = after(HEAD + b"0\r\n" + fields(MAX_TRAILERS + 1) + b"\r\n", fast, size)
        assert "101 trailers of 799 bytes, where 100 of 32768 are allowed" in str(stream.failure)
        assert not stream.ended
        stream = after(HEAD + b"0\r\nx: " + b"y" * 32_768 + b"\r\n\r\n", fast, size)
        assert "1 trailers of 32773 bytes" in str(stream.failure)
