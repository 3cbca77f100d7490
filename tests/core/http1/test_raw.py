"""A connection that leaves HTTP/1.1: what stands behind the head passes through as it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.contracts import READ_AHEAD
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.http1.raw import RawBytes
from httpure_core.layers import Layer

HOST = (b"Host", b"example.org")
UPGRADE = [HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"echo")]
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"

each_lane = pytest.mark.parametrize("fast", [True, False], ids=["fast", "h11"])


class Reversing(Layer):
    """A layer that turns the bytes around."""

    def receive_data(self, data: bytes) -> None:
        self.inner.receive_data(data[::-1])

    def receive_eof(self, error: OSError | None = None) -> None:
        self.inner.receive_eof(error)

    def data_to_send(self) -> bytes:
        return self.inner.data_to_send()[::-1]


class TestMachine:
    def test_keeps_what_comes_until_it_is_taken(self) -> None:
        raw = RawBytes()
        raw.receive_data(b"hello")
        assert raw.signal.ready
        assert (raw.buffered, raw.take(2), raw.take(100), raw.take(1), raw.buffered) == (
            5,
            b"he",
            b"llo",
            b"",
            0,
        )

    def test_keeps_what_is_to_go_until_it_is_sent(self) -> None:
        raw = RawBytes()
        raw.send(b"one ")
        raw.send(b"two")
        assert (raw.data_to_send(), raw.data_to_send()) == (b"one two", b"")

    @pytest.mark.parametrize("error", [None, OSError("lost")])
    def test_knows_the_end_and_its_first_reason(self, error: OSError | None) -> None:
        raw = RawBytes()
        raw.receive_data(b"last")
        raw.signal.ready = False
        raw.receive_eof(error)
        raw.receive_eof(OSError("later"))
        assert (raw.ended, raw.lost, raw.signal.ready) == (True, error, True)
        assert raw.take(10) == b"last"

    def test_stops_the_link_for_a_slow_reader(self) -> None:
        raw = RawBytes()
        raw.receive_data(bytes(READ_AHEAD - 1))
        assert raw.wants_data
        raw.receive_data(b"x")
        assert not raw.wants_data
        raw.take(1)
        assert raw.wants_data

    def test_passes_all_on_once_something_is_inside(self) -> None:
        raw, layer, inner = RawBytes(), Reversing(), RawBytes()
        raw.inner = layer
        layer.attach(inner)
        raw.receive_data(b"abc")
        inner.send(b"xyz")
        assert (raw.buffered, inner.take(10), raw.data_to_send()) == (0, b"cba", b"zyx")
        inner.receive_data(bytes(READ_AHEAD))
        assert not raw.wants_data
        raw.receive_eof()
        assert (raw.ended, inner.ended) == (False, True)

    def test_what_was_queued_before_goes_first(self) -> None:
        raw, layer, inner = RawBytes(), Reversing(), RawBytes()
        raw.send(b"plain ")
        raw.inner = layer
        layer.attach(inner)
        inner.send(b"terces")
        assert raw.data_to_send() == b"plain secret"


@each_lane
@given(st.data())
def test_what_stands_behind_the_head_arrives_wherever_it_is_cut(fast: bool, data: st.DataObject) -> None:
    method, fields, head = data.draw(
        st.sampled_from([(b"GET", UPGRADE, SWITCHED), (b"CONNECT", [HOST], CONNECTED)])
    )
    behind = data.draw(st.binary(max_size=50))
    cuts = data.draw(st.lists(st.integers(0, len(head + behind)), max_size=5))
    connection = Http1Connection(fast)
    stream = connection.open_stream(method, b"/", fields, b"")
    edges = sorted([0, *cuts, len(head + behind)])
    for start, stop in pairwise(edges):
        if start < stop:
            connection.receive_data((head + behind)[start:stop])
    assert stream.ended
    assert stream.failure is None
    assert stream.raw is connection.inner
    assert stream.raw is not None
    assert stream.raw.take(1000) == behind
    assert connection.close_reason is CloseReason.UPGRADED
    assert not connection.reusable


@each_lane
def test_bytes_go_out_behind_the_request(fast: bool) -> None:
    connection = Http1Connection(fast)
    stream = connection.open_stream(b"GET", b"/", UPGRADE, b"")
    assert connection.data_to_send().endswith(b"Upgrade: echo\r\n\r\n")
    connection.receive_data(SWITCHED)
    assert connection.data_to_send() == b""
    assert stream.raw is not None
    stream.raw.send(b"\x00\xff")
    assert connection.data_to_send() == b"\x00\xff"


def test_the_end_is_the_others_to_know() -> None:
    connection = Http1Connection()
    stream = connection.open_stream(b"GET", b"/", UPGRADE, b"")
    connection.receive_data(SWITCHED)
    assert connection.wants_data
    lost = ConnectionResetError("reset")
    connection.receive_eof(lost)
    assert stream.raw is not None
    assert (stream.raw.ended, stream.raw.lost, stream.failure) == (True, lost, None)


def test_a_slow_reader_stops_the_link() -> None:
    connection = Http1Connection()
    connection.open_stream(b"GET", b"/", UPGRADE, b"")
    connection.receive_data(SWITCHED + bytes(READ_AHEAD))
    assert not connection.wants_data


@each_lane
def test_a_refused_upgrade_is_a_response_as_any_and_the_connection_stays(fast: bool) -> None:
    connection = Http1Connection(fast)
    stream = connection.open_stream(b"GET", b"/", UPGRADE, b"")
    connection.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
    assert (stream.take(), stream.raw, connection.reusable) == (b"no", None, True)
    connection.open_stream(b"GET", b"/", [HOST], b"")


@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_framing_of_an_accepted_connect_is_ignored(field: bytes) -> None:
    """RFC 9110 section 9.3.6."""
    connection = Http1Connection()
    stream = connection.open_stream(b"CONNECT", b"a:1", [HOST], b"")
    connection.receive_data(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n\r\nraw")
    assert stream.ended
    assert stream.raw is not None
    assert stream.raw.take(10) == b"raw"


@pytest.mark.parametrize(("method", "head"), [(b"POST", SWITCHED), (b"CONNECT", CONNECTED)])
def test_a_switch_before_the_request_is_whole_is_refused(method: bytes, head: bytes) -> None:
    connection = Http1Connection()
    stream = connection.open_stream(method, b"/", [*UPGRADE, (b"Content-Length", b"9")], None)
    stream.send_data(b"half")
    connection.receive_data(head)
    assert "before the request was sent in full" in str(stream.failure)
    assert (stream.raw, connection.close_reason) == (None, CloseReason.FAILED)


def test_bytes_on_an_idle_connection_are_still_unsolicited() -> None:
    connection = Http1Connection()
    connection.receive_data(b"\x00")
    assert connection.close_reason is CloseReason.UNSOLICITED
