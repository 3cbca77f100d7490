"""What an HTTP/1.1 connection tells of itself: its end while idle, how long it is kept, who was answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.http1.strict import read_keep_alive

HOST = [(b"Host", b"a")]
CHUNKED = [*HOST, (b"Transfer-Encoding", b"chunked")]
both_lanes = pytest.mark.parametrize("fast", [True, False])


class Told(Http1Connection):
    """A connection whose news are counted."""

    def __init__(self, fast: bool = True) -> None:
        super().__init__(fast)
        self.news = 0
        self.changed = self.count

    def count(self) -> None:
        self.news += 1

    def get(self, answer: bytes | None = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") -> Any:
        stream = self.open_stream(b"GET", b"/", HOST, b"")
        if answer is not None:
            self.receive_data(answer)
        return stream


class TestChanged:
    @both_lanes
    def test_the_end_of_an_idle_connection(self, fast: bool) -> None:
        connection = Told(fast)
        connection.get()
        assert (connection.news, connection.reusable, connection.available_streams) == (0, True, 1)
        for _ in range(2):
            connection.receive_eof()
        assert (connection.news, connection.close_reason) == (1, CloseReason.PEER_CLOSED)

    @both_lanes
    def test_bytes_that_nobody_asked_for(self, fast: bool) -> None:
        connection = Told(fast)
        connection.get()
        for _ in range(2):
            connection.receive_data(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        connection.receive_eof()
        assert (connection.news, connection.close_reason) == (1, CloseReason.UNSOLICITED)

    @both_lanes
    def test_in_the_middle_of_an_exchange_the_stream_tells(self, fast: bool) -> None:
        connection = Told(fast)
        connection.get(b"HTTP/1.1 200")
        connection.receive_eof()
        assert connection.news == 0

    def test_nobody_has_to_listen(self) -> None:
        connection = Http1Connection()
        connection.receive_eof()
        assert connection.close_reason is CloseReason.PEER_CLOSED


class TestKeepAlive:
    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (b"timeout=5, max=100", (5, 100)),
            (b"Timeout = 5 ,MAX=0", (5, 0)),
            (b"timeout=15", (15, None)),
            (b"max=7,", (None, 7)),
            (b"max=7, max=8, timeout=1, timeout=2", (1, 7)),
            (b"", (None, None)),
            (b"5", (None, None)),
            (b"timeout=-5, max=1e3", (None, None)),
            (b"timeout=5s, max=+1", (None, None)),
            (b'timeout="5"', (None, None)),
            (b"timeout=1234567890", (None, None)),
            (b"timeout=\xb2", (None, None)),
            (b"a, b, c, d, e, f, g, h, i, timeout=5", (None, None)),
        ],
    )
    def test_what_it_says(self, value: bytes, told: tuple[int | None, int | None]) -> None:
        assert read_keep_alive(value) == told

    @given(st.binary(max_size=60))
    def test_whatever_it_says(self, value: bytes) -> None:
        for number in read_keep_alive(value):
            assert number is None or 0 <= number < 10**9

    @both_lanes
    def test_a_connection_remembers(self, fast: bool) -> None:
        connection = Told(fast)
        connection.get()
        assert (connection.idle_limit, connection.requests_left) == (None, None)
        connection.get(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=5, max=2\r\n\r\n")
        assert (connection.idle_limit, connection.requests_left) == (5, 2)
        connection.get()
        assert (connection.idle_limit, connection.requests_left) == (5, 1)
        connection.get()
        connection.get()
        assert (connection.idle_limit, connection.requests_left) == (5, 0)

    @both_lanes
    @pytest.mark.parametrize("value", [b"keep-alive", b"Keep-Alive", b"keep-alive, TE"])
    def test_the_field_connection(self, fast: bool, value: bytes) -> None:
        connection = Told(fast)
        connection.get(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: %b\r\n\r\n" % value)
        assert connection.reusable


class TestUnanswered:
    @both_lanes
    @pytest.mark.parametrize("body", [b"", None])
    @pytest.mark.parametrize("error", [None, OSError("reset")])
    @pytest.mark.parametrize(
        ("came", "unanswered"), [(b"", True), (b"H", False), (b"HTTP/1.1 100 Continue\r\n\r\n", False)]
    )
    def test_a_lost_connection(
        self, fast: bool, body: bytes | None, error: OSError | None, came: bytes, unanswered: bool
    ) -> None:
        connection = Told(fast)
        stream = connection.open_stream(b"POST", b"/", HOST if body is not None else CHUNKED, body)
        assert stream.unanswered
        if came:
            connection.receive_data(came)
        connection.receive_eof(error)
        assert stream.failure is not None
        assert stream.failure.unanswered is stream.unanswered is unanswered

    def test_nonsense_is_an_answer(self) -> None:
        stream = Told().get(b"\x00\x01")
        assert stream.failure is not None and not stream.failure.unanswered


class TestDuplex:
    @pytest.mark.parametrize(
        ("head", "duplex"),
        [
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", True),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", True),
            (b"HTTP/1.1 200 OK\r\n\r\n", False),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", False),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, Close\r\n\r\n", False),
        ],
    )
    def test_both_go_on_unless_the_connection_ends(self, head: bytes, duplex: bool) -> None:
        connection = Told()
        stream = connection.open_stream(b"POST", b"/", CHUNKED, None)
        assert stream.duplex
        connection.receive_data(head)
        assert stream.duplex is duplex

    def test_to_the_end_of_both(self) -> None:
        connection = Told()
        stream = connection.open_stream(b"POST", b"/", CHUNKED, None)
        connection.receive_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
        stream.send_data(b"hello")
        connection.receive_data(b"2\r\nho\r\n")
        stream.end_data()
        connection.receive_data(b"0\r\nX-Trailer: 1\r\n\r\n")
        assert (stream.take(), stream.ended, stream.trailers) == (b"hiho", True, [(b"X-Trailer", b"1")])
        assert connection.reusable
        assert connection.data_to_send().endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
