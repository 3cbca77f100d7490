"""How streams and connections end before their time."""

from __future__ import annotations

import errno

import pytest
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated
from h2.settings import SettingCodes

from httpure_core.errors import LocalProtocolError, ReadError, RemoteProtocolError
from httpure_core.http2 import table
from httpure_core.http2.connection import CloseReason, Http2Connection
from httpure_core.http2.limits import CONNECTION_WINDOW
from httpure_core.layers import UnannouncedEnd

from .pair import HOST, OK, Evil, Pair, greeted, sent_frames

MIB = 1024 * 1024


class TestGoaway:
    def test_streams_up_to_the_last_one_go_on(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        first, second = pair.get(b"POST", b"x" * 30), pair.get()
        third, fourth = pair.get(), pair.get()
        pair.tell(Evil.goaway(3))
        for stream in (third, fourth):
            assert type(stream.failure) is RemoteProtocolError
            assert str(stream.failure) == (
                "The server is closing the connection (GOAWAY NO_ERROR); "
                "it has not looked at the request, which can be sent again"
            )
            assert stream.failure.unprocessed and stream.signal.ready
        assert first.failure is second.failure is None
        assert (pair.client.close_reason, pair.client.reusable) == (CloseReason.PEER_WILL_CLOSE, False)
        with pytest.raises(LocalProtocolError, match="said that it will close") as caught:
            pair.get()
        assert caught.value.unprocessed
        pair.pump()
        pair.answer(first, b"hello")
        pair.answer(second, b"hello")
        assert first.take() == second.take() == b"hello" and second.ended
        assert pair.bodies[1] == b"x" * 30

    def test_nothing_was_looked_at(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil.goaway(0, ErrorCodes.ENHANCE_YOUR_CALM, b"too_many_pings\r\n" + b"x" * 1000))
        assert stream.failure is not None and stream.failure.unprocessed
        assert f"(GOAWAY ENHANCE_YOUR_CALM: too_many_pings??{'x' * 84})" in str(stream.failure)

    def test_in_two_steps(self) -> None:
        pair = Pair()
        first, second = pair.get(), pair.get()
        pair.tell(Evil.goaway(2**31 - 1))
        assert first.failure is second.failure is None and not pair.client.reusable
        pair.tell(Evil.goaway(1))
        assert first.failure is None
        assert second.failure is not None and second.failure.unprocessed
        pair.answer(first, b"hello")
        assert first.take() == b"hello"

    def test_an_end_behind_it_says_so(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil.goaway(1, ErrorCodes.INTERNAL_ERROR))
        pair.client.receive_eof()
        assert str(stream.failure) == (
            "The server closed the connection (GOAWAY INTERNAL_ERROR) before its response was there"
        )
        assert stream.failure is not None and not stream.failure.unprocessed

    def test_while_idle(self) -> None:
        pair = Pair()
        pair.answer(pair.get())
        assert pair.client.reusable
        pair.tell(Evil.goaway(1))
        assert not pair.client.reusable

    def test_what_comes_for_streams_behind_the_last_one_is_dropped(self) -> None:
        pair = Pair()
        first, second = pair.get(), pair.get()
        pair.server.send_headers(3, [(b":status", b"200"), (b"x-new", b"value of a new field")])
        pair.server.send_data(3, b"hello")
        pair.tell(Evil.goaway(1))
        pair.answer(first, b"hello", fields=[(b"x-new", b"value of a new field")])
        assert (second.status, first.take()) == (0, b"hello")
        assert first.fields == [(b"x-new", b"value of a new field")]

    @pytest.mark.parametrize(
        "frame", [b"\0\0\x07\x07\0\0\0\0\0" + bytes(7), b"\0\0\x08\x07\0\0\0\0\x01" + bytes(8)]
    )
    def test_not_valid(self, frame: bytes) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(frame)
        assert "sent a GOAWAY frame that is not valid" in str(stream.failure)


class TestResets:
    def test_refused(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.server.reset_stream(1, ErrorCodes.REFUSED_STREAM)
        pair.pump()
        assert type(stream.failure) is RemoteProtocolError and stream.failure.unprocessed
        assert str(stream.failure) == (
            "The server reset the stream (REFUSED_STREAM); "
            "it has not looked at the request, which can be sent again"
        )
        assert stream.signal.ready and pair.client.reusable and pair.resets() == []

    @pytest.mark.parametrize(
        ("code", "name"),
        [
            (0, "NO_ERROR"),
            (2, "INTERNAL_ERROR"),
            (8, "CANCEL"),
            (0xE, "error code 0xe"),
            (2**32 - 1, "0xffffffff"),
        ],
    )
    def test_for_other_reasons(self, code: int, name: str) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil.reset(1, code))
        assert stream.failure is not None and not stream.failure.unprocessed
        assert f"{name}) before its response was there" in str(stream.failure)

    def test_http_1_1_required(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil.reset(1, ErrorCodes.HTTP_1_1_REQUIRED))
        assert "(HTTP_1_1_REQUIRED): it wants this request over HTTP/1.1, so use http2=False" in str(
            stream.failure
        )

    @pytest.mark.parametrize(
        ("fields", "came"), [([(b"content-length", b"9")], "5 of 9 bytes"), ([], "5 bytes")]
    )
    def test_in_the_middle_of_a_body(self, fields: list[tuple[bytes, bytes]], came: str) -> None:
        pair = Pair()
        stream = pair.get()
        pair.answer(stream, b"hello", fields=fields, ended=False)
        pair.server.reset_stream(1, ErrorCodes.INTERNAL_ERROR)
        pair.pump()
        assert stream.take() == b"hello" and not stream.ended
        assert f"before the response's body was whole: {came} of it had come" in str(stream.failure)

    def test_others_go_on(self) -> None:
        pair = Pair()
        first, second = pair.get(), pair.get()
        pair.server.reset_stream(1)
        pair.answer(second, b"hello")
        assert first.failure is not None and second.take() == b"hello"

    def test_while_a_body_waits(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        stream = pair.get(b"POST", b"x" * 100)
        pair.tell(Evil.reset(1), Evil.window(0, 100))
        assert stream.failure is not None and not stream.blocked
        stream.send_data(b"more")
        stream.end_data()
        pair.pump()

    def test_behind_the_end(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.answer(stream, b"hello")
        pair.tell(Evil.reset(1, 0), Evil.window(1, 100))
        assert stream.failure is None and pair.client.reusable


class TestEarlyAnswers:
    """A whole response while the request is still being sent (RFC 9113 section 8.1)."""

    @pytest.mark.parametrize("then", ["nothing", "reset", "window"])
    def test_the_rest_of_the_request_is_dropped(self, then: str) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        pair.acknowledges = False
        stream = pair.get(b"POST", b"x" * 100)
        pair.server.send_headers(1, [(b":status", b"413")])
        pair.server.send_data(1, b"too large", end_stream=True)
        if then == "reset":
            pair.server.reset_stream(1, ErrorCodes.NO_ERROR)
        elif then == "window":
            pair.server.increment_flow_control_window(100)
        pair.pump()
        assert stream.ended and stream.failure is None and not stream.blocked
        assert (stream.status, stream.take()) == (413, b"too large")
        if then != "reset":
            assert pair.resets() == [(1, "NO_ERROR")]
        assert pair.bodies[1] == b"x" * 10
        stream.send_data(b"more")
        stream.end_data()
        pair.answer(second := pair.get(), b"hello")
        assert second.take() == b"hello"

    def test_the_head_alone_ends_nothing(self) -> None:
        pair = Pair()
        stream = pair.get(b"POST", None)
        pair.head(stream)
        for number in range(3):
            stream.send_data(b"%d" % number)
            pair.pump()
            pair.body(stream, b"%d" % number, ended=False)
            assert stream.take() == b"%d" % number
        stream.end_data()
        pair.server.end_stream(1)
        pair.pump()
        assert stream.ended and pair.ended() == [1] and pair.resets() == []


class TestDiscard:
    def test_before_the_response(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.server.ping(b"12345678")
        pair.pump()
        stream.discard()
        assert pair.client.reusable
        stream.discard()
        pair.pump()
        assert pair.resets() == [(1, "CANCEL")]
        assert not stream.open and stream.failure is None

    def test_in_the_middle_of_the_body(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.answer(stream, b"hello", ended=False)
        stream.discard()
        pair.pump()
        assert pair.resets() == [(1, "CANCEL")] and pair.client.reusable
        pair.answer(second := pair.get(), b"hello")
        assert second.take() == b"hello"

    def test_in_the_middle_of_the_request(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        stream = pair.get(b"POST", b"x" * 100)
        stream.discard()
        pair.pump()
        assert pair.resets() == [(1, "CANCEL")] and not stream.blocked

    def test_before_anything_was_sent(self) -> None:
        pair = Pair()
        stream = pair.client.open_stream(b"GET", b"/", HOST, b"")
        stream.discard()
        pair.pump()
        assert len(pair.heads()) == 1 and pair.resets() == [(1, "CANCEL")]

    def test_after_the_end(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.answer(stream, b"hello")
        stream.discard()
        pair.pump()
        assert pair.resets() == [] and pair.client.reusable

    def test_after_a_failure(self) -> None:
        pair = Pair()
        stream, other = pair.get(), pair.get()
        pair.tell(Evil.reset(1))
        stream.discard()
        other.discard()
        pair.client.receive_eof()
        pair.client.data_to_send()
        assert other.failure is not None

    def test_the_end_comes_before_it_is_settled(self) -> None:
        """Garbage collection may give a stream up in the middle of a step, which then goes on."""
        pair = Pair()
        stream = pair.get()
        stream.signal.wake = stream.discard
        pair.server.send_headers(1, OK)
        pair.server.send_data(1, b"hello", end_stream=True)
        pair.pump()
        assert stream.discarded and stream.ended and pair.resets() == []
        assert pair.client.available_streams == 100

    def test_what_still_comes_is_dropped(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        stream.discard()
        reset = pair.client.data_to_send()
        evil = Evil()
        pair.tell(Evil.data(1, b"x" * 60_000), Evil.data(1, padding=10), Evil.data(1), evil.headers(1))
        assert stream.take() == b""
        assert pair.client.data_to_send() == b"", "no more resets for one that was sent"
        pair.tell(Evil.data(1, b"x", ended=True))
        assert pair.client._table._forsaken == {}
        assert reset
        pair.answer(second := pair.get(), b"hello")
        assert second.take() == b"hello"

    @pytest.mark.parametrize("end", ["trailers", "reset"])
    def test_its_end_is_seen(self, end: str) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        stream.discard()
        pair.client.data_to_send()
        assert pair.client._table._forsaken
        pair.tell(Evil().headers(1, [(b"a", b"b")], ended=True) if end == "trailers" else Evil.reset(1))
        assert pair.client._table._forsaken == {}
        assert pair.client.reusable

    def test_heads_that_still_come_count_for_compression(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.server.ping(b"12345678")
        pair.pump()
        stream.discard()
        pair.client.data_to_send()
        pair.server.send_headers(1, [(b":status", b"200"), (b"x-new", b"value of a new field")])
        pair.answer(second := pair.get(), b"hello", fields=[(b"x-new", b"value of a new field")])
        assert second.fields == [(b"x-new", b"value of a new field")]

    def test_what_still_comes_is_paid_back(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        for _ in range(4):
            pair.tell(Evil.data(1, b"x" * 65536))
        stream.discard()
        frames = sent_frames(pair.client)
        assert [(frame.type, frame.stream_id) for frame in frames] == [(8, 1), (8, 1), (3, 1)]
        for _ in range(4):
            pair.tell(Evil.data(1, b"x" * 65536))
        assert sent_frames(pair.client) == []
        assert pair.client._table._owed == 8 * 65536
        for _ in range(8):
            other = pair.client.open_stream(b"GET", b"/", HOST, b"")
            pair.tell(Evil().headers(other.stream_id))
            other.discard()
            pair.client.data_to_send()
            pair.tell(Evil.data(other.stream_id, b"x" * 65536))
        (update,) = sent_frames(pair.client)
        assert (update.stream_id, update.window_increment) == (0, MIB)  # type: ignore[attr-defined]
        assert pair.client._table.window == CONNECTION_WINDOW

    def test_no_more_than_the_window_allows(self) -> None:
        pair = Pair()
        stream, other = pair.get(), pair.get()
        pair.head(stream)
        pair.tell(Evil.data(1, b"x" * 65536))
        stream.discard()
        for _ in range(3):
            pair.tell(Evil.data(1, b"x" * 65536))
        assert other.failure is None
        pair.tell(Evil.data(1, b"x"))
        assert "sent more than the window of a stream allows" in str(other.failure)

    def test_only_so_many_are_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(table, "_MOST_FORSAKEN", 5)
        pair = Pair()
        for _ in range(10):
            stream = pair.get()
            pair.head(stream)
            stream.discard()
            pair.pump()
        assert len(pair.client._table._forsaken) == 5
        pair.tell(Evil.data(1, b"x"), Evil().headers(3))
        assert [frame.type for frame in sent_frames(pair.client)] == [3, 3]
        assert pair.client.reusable


class TestTooLateToRefuse:
    """Who has answered has looked at the request, whatever is said afterwards: it must not be sent again."""

    @pytest.mark.parametrize("begin", [OK, [(":status", "103")]], ids=["200", "103"])
    @pytest.mark.parametrize("how", ["reset", "goaway"])
    def test_after_a_head(self, how: str, begin: list[tuple[str, str]]) -> None:
        pair = Pair()
        stream = pair.get(b"POST")
        pair.tell(Evil().headers(1, begin))
        pair.tell(Evil.goaway(0) if how == "goaway" else Evil.reset(1, ErrorCodes.REFUSED_STREAM))
        assert stream.failure is not None and not stream.failure.unprocessed
        assert "before" in str(stream.failure) and "looked" not in str(stream.failure)


class TestSilence:
    """A peer that has said nothing since the request went out may be gone: the next request must not find out."""

    def test_given_up_before_anything_came(self) -> None:
        pair = Pair()
        other = pair.get()
        stream = pair.client.open_stream(b"GET", b"/", HOST, b"")
        stream.discard()
        client = pair.client
        assert client.suspect and not client.reusable and client.close_reason is None
        with pytest.raises(
            LocalProtocolError, match="asked for a sign of life, and has not given any"
        ) as caught:
            client.open_stream(b"GET", b"/", HOST, b"")
        assert caught.value.unprocessed
        assert [frame.type for frame in sent_frames(client)] == [1, 3, 6], "HEADERS, RST_STREAM, PING"
        pair.answer(other, b"hello")
        assert other.take() == b"hello", "what is under way goes on"
        assert client.reusable and not client.suspect, "and has shown that the peer is there"

    def test_the_answer_to_the_ping_will_do(self) -> None:
        pair = Pair()
        noted = []
        stream = pair.get()
        pair.client.changed = lambda: noted.append(pair.client.reusable)
        stream.discard()
        assert pair.client.suspect
        pair.pump()
        assert pair.resets() == [(1, "CANCEL")]
        assert pair.client.reusable and not pair.client.suspect and noted == [True]
        pair.answer(second := pair.get(), b"hello")
        assert second.take() == b"hello"

    def test_the_peer_is_asked_once(self) -> None:
        pair = Pair()
        streams = [pair.get() for _ in range(3)]
        for stream in streams:
            stream.discard()
            pair.client.data_to_send()
        streams[0].discard()
        assert pair.client.data_to_send() == b""
        assert pair.client.suspect
        pair.client.ping()
        assert pair.client.data_to_send() == b""
        pair.tell(Evil.ping())
        pair.client.data_to_send()
        pair.client.ping()
        assert [frame.type for frame in sent_frames(pair.client)] == [6]

    def test_bytes_without_a_frame_are_no_sign(self) -> None:
        """A server that has lost step goes on to send, and nobody will ever understand a word."""
        pair = Pair()
        stream = pair.get()
        pair.tell(b"\x00\x10\x00\x00\x00")
        stream.discard()
        assert pair.client.suspect and pair.client.arrivals == 2
        noted: list[bool] = []
        pair.client.changed = lambda: noted.append(True)
        pair.tell(b"\x00\x00\x00\x01", b"x" * 4095)
        assert pair.client.suspect and noted == []
        pair.tell(b"x")
        assert not pair.client.suspect and noted == [True]

    def test_the_end(self) -> None:
        pair = Pair()
        pair.get().discard()
        pair.client.receive_eof()
        assert pair.client.close_reason is CloseReason.PEER_CLOSED and not pair.client.suspect
        pair.client.ping()
        assert pair.client.data_to_send() == b""

    def test_anything_at_all_will_do(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil.ping())
        stream.discard()
        assert pair.client.reusable and not pair.client.suspect
        assert [frame.type for frame in sent_frames(pair.client)] == [6, 3], (
            "no PING of ours: it is an answer"
        )


class TestChanged:
    """Those who hand out streams hear when there are more or fewer than they know of."""

    @pytest.fixture
    def pair(self) -> Pair:
        pair = Pair()
        self.heard: list[int] = []
        pair.client.changed = lambda: self.heard.append(pair.client.available_streams)
        return pair

    def test_another_limit(self, pair: Pair) -> None:
        pair.server.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 7})
        pair.pump()
        pair.server.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 7})
        pair.server.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 7})
        pair.pump()
        assert self.heard == [7]

    def test_what_is_expected_holds_until_it_is_told(self, pair: Pair) -> None:
        pair.client = Http2Connection()
        assert pair.client.stream_limit is None
        pair.client.expect_streams(3)
        assert pair.client.available_streams == 3
        pair.client.receive_data(Evil.settings({SettingCodes.MAX_CONCURRENT_STREAMS: 7}).serialize())
        pair.client.expect_streams(3)
        assert pair.client.available_streams == pair.client.stream_limit == 7

    @pytest.mark.parametrize("busy", [True, False])
    def test_goodbye(self, pair: Pair, busy: bool) -> None:
        if busy:
            pair.get()
        pair.tell(Evil.goaway(0))
        assert self.heard == [0]

    @pytest.mark.parametrize("error", [None, OSError("odd")])
    @pytest.mark.parametrize("busy", [True, False])
    def test_the_end(self, pair: Pair, busy: bool, error: OSError | None) -> None:
        if busy:
            pair.get()
        pair.client.receive_eof(error)
        pair.client.receive_eof(error)
        assert self.heard == [0]

    def test_a_fault(self, pair: Pair) -> None:
        pair.tell(Evil.continuation(1))
        assert self.heard == [0]

    def test_nothing_else(self, pair: Pair) -> None:
        stream = pair.get()
        pair.answer(stream, b"hello")
        pair.tell(Evil.ping())
        assert self.heard == []


class TestEnd:
    def test_in_order(self) -> None:
        pair = Pair()
        first, second, third = pair.get(), pair.get(), pair.get()
        pair.answer(first, b"hello")
        pair.answer(second, b"hello", fields=[(b"content-length", b"9")], ended=False)
        pair.client.receive_eof()
        assert first.ended and first.failure is None and first.take() == b"hello"
        assert str(second.failure) == (
            "The server closed the connection before the response's body was whole: "
            "5 of 9 bytes of it had come"
        )
        assert str(third.failure) == "The server closed the connection before its response was there"
        assert third.signal.ready and type(third.failure) is RemoteProtocolError
        assert pair.client.close_reason is CloseReason.PEER_CLOSED

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (OSError(errno.ECONNRESET, "Connection reset by peer"), "Connection reset by peer"),
            (OSError("odd"), "odd"),
            (TimeoutError(), "TimeoutError"),
        ],
    )
    def test_lost(self, error: OSError, words: str) -> None:
        pair = Pair()
        stream = pair.get()
        pair.client.receive_eof(error)
        assert type(stream.failure) is ReadError
        assert str(stream.failure) == f"The connection was lost: {words}"
        assert pair.client.close_reason is CloseReason.FAILED

    def test_without_good_bye(self) -> None:
        """TLS did not end in order: a response whose end was not there is cut off all the same."""
        pair = Pair()
        first, second = pair.get(), pair.get()
        pair.answer(first, b"hello")
        pair.answer(second, b"hello", ended=False)
        pair.client.receive_eof(UnannouncedEnd())
        assert first.ended and first.failure is None
        assert type(second.failure) is RemoteProtocolError
        assert str(second.failure).startswith("The server closed the connection before the response's body")
        assert pair.client.close_reason is CloseReason.PEER_CLOSED

    def test_nothing_counts_behind_it(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.client.receive_eof()
        failure = stream.failure
        pair.client.receive_eof(OSError("odd"))
        pair.tell(Evil.ping(), b"garbage" * 100)
        assert stream.failure is failure and pair.client.data_to_send() == b""
        with pytest.raises(LocalProtocolError, match="the peer closed the connection"):
            pair.get()

    def test_no_word_of_http_2(self) -> None:
        client = Http2Connection()
        stream = client.open_stream(b"GET", b"/", HOST, b"")
        client.receive_eof()
        assert "without a word of HTTP/2; perhaps it speaks HTTP/1.1 only" in str(stream.failure)

    def test_while_idle(self) -> None:
        client, _ = greeted()
        client.receive_eof()
        assert not client.reusable

    def test_streams_hear_no_more_of_a_dead_connection(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        stream = pair.get(b"POST", b"x" * 100)
        pair.client.receive_eof()
        assert not stream.blocked
        stream.send_data(b"x")
        stream.end_data()
        stream.discard()
        assert pair.client.data_to_send() == b""


class TestFarewell:
    def test_the_server_is_told_why(self) -> None:
        pair = Pair()
        pair.get()
        pair.tell(Evil.continuation(1))
        pair.pump()
        (event,) = pair.heard(ConnectionTerminated)
        assert event.error_code is ErrorCodes.PROTOCOL_ERROR
