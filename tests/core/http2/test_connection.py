"""One exchange after the other, and many at a time, with a server that keeps to the rules."""

from __future__ import annotations

import logging

import pytest
from h2.events import PingAckReceived, RemoteSettingsChanged, SettingsAcknowledged, TrailersReceived
from h2.settings import SettingCodes

from httpure_core.contracts import Connection, Stream
from httpure_core.errors import LocalProtocolError
from httpure_core.http2.connection import CloseReason, Http2Connection
from httpure_core.http2.limits import CONNECTION_WINDOW, FIRST_WINDOW, MAX_STREAMS

from .pair import HOST, Evil, Pair, greeted, sent_frames


class TestGreeting:
    def test_settings(self) -> None:
        pair = Pair()
        settings = pair.server.remote_settings
        assert settings.enable_push == 0
        assert settings.initial_window_size == FIRST_WINDOW
        assert settings.max_frame_size == 65536
        assert settings.max_header_list_size == 65536
        assert settings.header_table_size == 4096
        assert pair.server.outbound_flow_control_window == CONNECTION_WINDOW
        (changed,) = pair.heard(RemoteSettingsChanged)
        assert SettingCodes.MAX_CONCURRENT_STREAMS not in changed.changed_settings
        assert len(pair.heard(SettingsAcknowledged)) == 1

    def test_the_first_request_does_not_wait_for_the_servers_settings(self) -> None:
        pair = Pair(greet=False)
        stream = pair.client.open_stream(b"GET", b"/", HOST, b"")
        assert pair.client.data_to_send().startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert pair.client.data_to_send() == b""
        pair = Pair(greet=False)
        stream = pair.get()
        pair.answer(stream, b"hello")
        assert stream.take() == b"hello"

    def test_as_the_core_wants_it(self) -> None:
        connection: Connection = Http2Connection(b"http")
        stream: Stream = connection.open_stream(b"GET", b"/", HOST, b"")
        assert connection.wants_data
        assert stream.duplex and not stream.blocked and not stream.flush_due and stream.raw is None


class TestExchange:
    def test_get(self) -> None:
        pair = Pair()
        stream = pair.get(target=b"/path?query=1", fields=[*HOST, (b"Accept", b"*/*")])
        assert pair.heads() == [
            [
                (b":method", b"GET"),
                (b":scheme", b"https"),
                (b":authority", b"example.org"),
                (b":path", b"/path?query=1"),
                (b"accept", b"*/*"),
            ]
        ]
        assert pair.ended() == [1]
        assert (stream.stream_id, stream.status, stream.signal.ready) == (1, 0, False)
        pair.answer(stream, b"hello", fields=[(b"content-length", b"5"), (b"x-a", b"1"), (b"x-a", b"2")])
        assert stream.signal.ready
        assert (stream.http_version, stream.status, stream.reason) == (b"HTTP/2", 200, b"")
        assert stream.fields == [(b"content-length", b"5"), (b"x-a", b"1"), (b"x-a", b"2")]
        assert all(type(field) is tuple for field in stream.fields)
        assert (stream.buffered, stream.take(), stream.take(), stream.buffered) == (5, b"hello", b"", 0)
        assert stream.ended and stream.failure is None
        assert pair.client.reusable and pair.client.close_reason is None
        assert pair.resets() == []

    def test_piece_by_piece(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        assert (stream.status, stream.ended, stream.take()) == (200, False, b"")
        for piece in (b"a", b"b"):
            stream.signal.ready = False
            pair.body(stream, piece, ended=False)
            assert stream.signal.ready
        assert stream.take() == b"ab"
        stream.signal.ready = False
        pair.server.end_stream(1)
        pair.pump()
        assert stream.signal.ready and stream.ended and stream.take() == b""

    @pytest.mark.parametrize(
        "body", [b"", b"x", b"x" * 65535, b"x" * 65536, b"x" * 300_000], ids=lambda b: len(b)
    )
    @pytest.mark.parametrize("length", [True, False])
    def test_post_at_once(self, body: bytes, length: bool) -> None:
        pair = Pair()
        fields = [*HOST, (b"Content-Length", b"%d" % len(body))] if length else HOST
        pair.get(b"POST", body, fields)
        assert pair.bodies.get(1, b"") == body
        assert pair.ended() == [1]

    @pytest.mark.parametrize("length", [True, False])
    def test_post_in_pieces(self, length: bool) -> None:
        pair = Pair()
        stream = pair.get(b"POST", None, [*HOST, (b"Content-Length", b"6")] if length else HOST)
        assert not pair.ended() and pair.heads()
        for piece in (b"abc", b"", b"def"):
            stream.send_data(piece)
            pair.pump()
        assert pair.bodies[1] == b"abcdef"
        assert bool(pair.ended()) is length  # a body of known length ends with its last byte
        stream.end_data()
        stream.end_data()
        pair.pump()
        assert pair.ended() == [1]
        pair.answer(stream)
        assert stream.ended and pair.client.reusable

    def test_an_empty_body_in_pieces(self) -> None:
        pair = Pair()
        stream = pair.get(b"POST", None)
        stream.end_data()
        pair.pump()
        assert pair.ended() == [1]

    def test_one_after_the_other(self) -> None:
        pair = Pair()
        for number in range(50):
            stream = pair.get()
            pair.answer(stream, b"%d" % number)
            assert (stream.stream_id, stream.take()) == (2 * number + 1, b"%d" % number)
        assert pair.client.available_streams == 100

    def test_many_at_a_time(self) -> None:
        pair = Pair()
        streams = [pair.get() for _ in range(20)]
        assert pair.client.available_streams == 80
        for stream in reversed(streams):
            pair.head(stream, ended=False)
        for stream in streams:
            pair.body(stream, b"%d" % stream.stream_id)
        assert [stream.take() for stream in streams] == [b"%d" % (2 * n + 1) for n in range(20)]
        assert pair.client.available_streams == 100

    def test_trailers(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.answer(stream, b"hello", ended=False)
        assert not stream.ended
        pair.server.send_headers(1, [(b"x-checksum", b"1")], end_stream=True)
        pair.pump()
        assert stream.ended and stream.trailers == [(b"x-checksum", b"1")] and stream.take() == b"hello"

    def test_informational_responses_are_skipped(self) -> None:
        pair = Pair()
        stream = pair.get()
        for status in (100, 103):
            pair.head(stream, status, [(b"link", b"</a>")])
            assert stream.status == 0 and stream.signal.ready and not stream.unanswered
        pair.answer(stream, b"hello")
        assert (stream.status, len(stream.informational), stream.take()) == (200, 2, b"hello")

    def test_cookies_in_crumbs(self) -> None:
        """Several Cookie fields are crumbs of one, which the server puts together (RFC 9113 section 8.2.3)."""
        pair = Pair()
        pair.server.config.normalize_inbound_headers = True
        crumbs = [(b"Cookie", b"a=1"), (b"Cookie", b"b=" + b"2" * 30), (b"cookie", b"c=3")]
        for _ in range(3):
            pair.answer(pair.get(fields=[*HOST, *crumbs]))
            assert pair.heads()[-1][-1] == (b"cookie", b"a=1; b=" + b"2" * 30 + b"; c=3")

    def test_connect(self) -> None:
        pair = Pair()
        stream = pair.get(b"CONNECT", None, target=b"example.org:443")
        assert pair.heads() == [[(b":method", b"CONNECT"), (b":authority", b"example.org:443")]]
        pair.head(stream, fields=[(b"content-length", b"3")])
        pair.body(stream, b"hello", ended=False)
        stream.send_data(b"hi")
        pair.pump()
        assert (stream.take(), pair.bodies[1]) == (b"hello", b"hi")


class TestBodilessResponses:
    @pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
    @pytest.mark.parametrize("apart", [False, True])
    def test_content_length_is_of_the_body_that_is_not_there(
        self, method: bytes, status: int, apart: bool
    ) -> None:
        pair = Pair()
        stream = pair.get(method)
        pair.head(stream, status, [(b"content-length", b"12345")], ended=not apart)
        if apart:
            pair.server.end_stream(1)
            pair.pump()
        assert stream.ended and stream.failure is None and stream.take() == b""
        assert stream.fields == [(b"content-length", b"12345")]

    @pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
    def test_a_body_is_refused(self, method: bytes, status: int) -> None:
        pair = Pair()
        stream = pair.get(method)
        pair.head(stream, status)
        pair.tell(Evil.data(1, b"x"))
        assert "not valid HTTP/2: its body should have 0 bytes, and 1 came" in str(stream.failure)
        assert pair.client.reusable


class TestHowManyStreams:
    def test_before_the_servers_settings(self) -> None:
        connection = Http2Connection()
        assert connection.available_streams == 100
        for _ in range(100):
            connection.open_stream(b"GET", b"/", HOST, b"")
        assert not connection.reusable
        with pytest.raises(LocalProtocolError, match="100 at a time are allowed"):
            connection.open_stream(b"GET", b"/", HOST, b"")

    def test_as_the_server_says(self) -> None:
        pair = Pair({SettingCodes.MAX_CONCURRENT_STREAMS: 2})
        assert pair.client.available_streams == 2
        first, second = pair.get(), pair.get()
        assert (pair.client.available_streams, pair.client.reusable) == (0, False)
        assert pair.client.close_reason is None
        with pytest.raises(LocalProtocolError, match="2 at a time are allowed") as caught:
            pair.get()
        assert caught.value.unprocessed
        pair.answer(first)
        assert pair.client.available_streams == 1
        second.discard()
        assert pair.client.available_streams == 2, "though nothing was sent yet"
        pair.get()
        assert pair.client.available_streams == 1
        pair.pump()
        assert pair.client.available_streams == 1

    def test_the_server_changes_its_mind(self) -> None:
        pair = Pair()
        streams = [pair.get() for _ in range(5)]
        pair.server.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 2})
        pair.pump()
        assert pair.client.available_streams == 0
        for stream in streams[:4]:
            pair.answer(stream)
        assert pair.client.available_streams == 1
        pair.server.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 0})
        pair.pump()
        pair.answer(streams[4])
        assert streams[4].ended
        assert (pair.client.available_streams, pair.client.reusable) == (0, False)

    def test_no_limit(self) -> None:
        """None of the server's: as many as have windows of their own within that of the connection."""
        client, _ = greeted()
        assert client.available_streams == client.stream_limit == MAX_STREAMS == 128
        client.expect_streams(1000)
        assert client.stream_limit == MAX_STREAMS
        again = Http2Connection()
        again.expect_streams(1000)
        assert again.available_streams == MAX_STREAMS

    def test_numbers_run_out(self) -> None:
        pair = Pair()
        pair.client._next_id = 2**31 - 3
        stream = pair.get()
        last = pair.get()
        assert last.stream_id == 2**31 - 1
        assert pair.client.close_reason is CloseReason.USED_UP
        with pytest.raises(LocalProtocolError, match="all numbers of streams were used"):
            pair.get()
        pair.answer(stream)
        pair.answer(last, b"hello")
        assert last.take() == b"hello"

    def test_a_reason_that_is_there_stays(self) -> None:
        pair = Pair()
        pair.client._next_id = 2**31 - 1
        pair.get()
        pair.tell(Evil.goaway(2**31 - 1))
        assert pair.client.close_reason is CloseReason.USED_UP

    def test_closed_streams_are_let_go_of(self) -> None:
        """h2 does so when it counts: not for each new stream, and not so late that it keeps thousands."""
        pair = Pair()
        for _ in range(500):
            pair.answer(pair.get(), b"x")
            assert len(pair.client._h2.streams) <= 65  # type: ignore[attr-defined]
        streams = [pair.get() for _ in range(100)]
        for stream in streams:
            pair.answer(stream)
        for _ in range(500):
            pair.answer(pair.get(), b"x")
            assert len(pair.client._h2.streams) <= 265  # type: ignore[attr-defined]
        assert pair.client.available_streams == 100


class TestWhatTheServerAsks:
    def test_ping(self) -> None:
        pair = Pair()
        pair.server.ping(b"12345678")
        assert [event.ping_data for event in pair.pump()] == [b"12345678"]
        assert len(pair.heard(PingAckReceived)) == 1

    def test_settings_are_acknowledged(self) -> None:
        pair = Pair()
        pair.server.update_settings({SettingCodes.MAX_FRAME_SIZE: 20_000})
        assert isinstance(pair.pump()[0], SettingsAcknowledged)
        pair.get(b"POST", b"x" * 40_000)
        assert pair.bodies[1] == b"x" * 40_000

    def test_frames_of_ours_are_not_longer_than_64_kib(self) -> None:
        client, _ = greeted(Evil.settings({5: 2**24 - 1, 4: 2**20}), Evil.window(0, 2**20))
        client.open_stream(b"POST", b"/", HOST, b"x" * 200_000)
        sizes = [len(frame.data) for frame in sent_frames(client) if frame.type == 0]  # type: ignore[attr-defined]
        assert sizes == [65536, 65536, 65536, 3392]

    @pytest.mark.parametrize("size", [0, 100, 4096, 65536, 2**32 - 1])
    def test_the_table_of_compression_is_small(self, size: int) -> None:
        pair = Pair({SettingCodes.HEADER_TABLE_SIZE: size})
        assert pair.client._h2.encoder.header_table_size == min(size, 4096)
        for number in range(200):
            pair.get(fields=[*HOST, (b"x-long", b"%d" % number * 50)])
            pair.answer(list(pair.client._table.streams.values())[-1])
        assert len(pair.heads()) == 200

    def test_secrets_stay_out_of_compression(self) -> None:
        pair = Pair()
        secrets = [(b"Authorization", b"Basic abc"), (b"Cookie", b"a=1"), (b"Proxy-Authorization", b"x")]
        pair.get(fields=[*HOST, *secrets, (b"X-Open", b"1"), (b"Cookie", b"b=" + b"2" * 40)])
        by_name = {field[0] + b"=" + field[1][:1]: field for field in pair.heads()[0]}
        never = {name for name, field in by_name.items() if not getattr(field, "indexable", True)}
        assert {b"authorization=B", b"proxy-authorization=x"} <= never
        table = str(pair.client._h2.encoder._encoder.header_table.dynamic_entries)
        assert "x-open" in table and "222" in table
        assert "Basic" not in table and "a=1" not in table

    def test_no_field_is_logged_not_even_by_hpack(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        pair = Pair()
        stream = pair.get(fields=[*HOST, (b"Cookie", b"secret=" + b"1" * 40)])
        pair.answer(stream, b"x", fields=[(b"set-cookie", b"secret=2")])
        assert not [record for record in caplog.records if record.name.startswith(("h2", "hpack"))]

    def test_priorities_and_unknown_frames_are_ignored(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(b"\0\0\5\2\0\0\0\0\1" + b"\0\0\0\0\1", b"\0\0\3\x0a\0\0\0\0\0abc", b"\0\0\0\xee\0\0\0\0\7")
        pair.answer(stream, b"hello")
        assert stream.take() == b"hello"

    def test_a_trailer_event_is_no_head(self) -> None:
        """The server hears trailers of nobody: requests have none."""
        pair = Pair()
        pair.get(b"POST", b"x")
        assert not pair.heard(TrailersReceived)


class TestBadRequests:
    """Nothing of them is queued, and the connection goes on."""

    @pytest.mark.parametrize(
        ("fields", "body", "text"),
        [
            ([], b"", "Host is missing"),
            ([*HOST, (b"content-length", b"3")], b"ab", "has 2 bytes, and its Content-Length says 3"),
            ([*HOST, (b"content-length", b"3")], b"", "has 0 bytes, and its Content-Length says 3"),
        ],
    )
    def test_at_once(self, fields: list[tuple[bytes, bytes]], body: bytes, text: str) -> None:
        pair = Pair()
        with pytest.raises(LocalProtocolError, match=text):
            pair.client.open_stream(b"POST", b"/", fields, body)
        assert pair.client.data_to_send() == b""
        stream = pair.get()
        pair.answer(stream, b"hello")
        assert (stream.stream_id, stream.take()) == (1, b"hello")

    @pytest.mark.parametrize("body", [b"", b"abc", None])
    def test_more_of_it_when_it_was_whole(self, body: bytes | None) -> None:
        pair = Pair()
        stream = pair.get(b"POST", body)
        if body is None:
            stream.send_data(b"abc")
            stream.end_data()
        with pytest.raises(LocalProtocolError, match="was said to be whole"):
            stream.send_data(b"d")

    def test_longer_than_it_said(self) -> None:
        pair = Pair()
        stream = pair.get(b"POST", None, [*HOST, (b"Content-Length", b"3")])
        with pytest.raises(LocalProtocolError, match="longer than its Content-Length"):
            stream.send_data(b"abcd")
        stream.discard()
        pair.pump()
        assert pair.resets() == [(1, "CANCEL")] and pair.bodies == {}

    def test_shorter_than_it_said(self) -> None:
        pair = Pair()
        stream = pair.get(b"POST", None, [*HOST, (b"Content-Length", b"3")])
        stream.send_data(b"ab")
        with pytest.raises(LocalProtocolError, match="shorter than its Content-Length"):
            stream.end_data()
        stream.discard()
        pair.pump()
        assert pair.resets() == [(1, "CANCEL")]
