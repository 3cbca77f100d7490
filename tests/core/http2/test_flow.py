"""Flow control, both ways (RFC 9113 section 5.2)."""

from __future__ import annotations

import threading

import pytest
from h2.events import WindowUpdated
from h2.settings import SettingCodes

from httpure_core.http2.limits import CONNECTION_WINDOW, FIRST_WINDOW, MAX_STREAMS, STREAM_WINDOW
from httpure_core.http2.stream import Http2Stream

from .pair import HOST, Evil, Pair, greeted, sent_frames

MIB = 1024 * 1024
#: What a reader takes of a first window, and of the widest, before it is given back.
FIRST_CREDIT = FIRST_WINDOW // 4
CREDIT = STREAM_WINDOW // 4
#: How many streams may have the widest window at a time.
WIDE = 7


class TestSending:
    def test_waits_for_the_window_of_the_stream(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        pair.acknowledges = False
        stream = pair.get(b"POST", b"x" * 25)
        assert stream.blocked and pair.bodies[1] == b"x" * 10 and not stream.signal.ready
        pair.server.increment_flow_control_window(10, 1)
        pair.pump()
        assert stream.blocked and pair.bodies[1] == b"x" * 20 and stream.signal.ready
        stream.signal.ready = False
        pair.server.increment_flow_control_window(10, 1)
        pair.pump()
        assert not stream.blocked and pair.bodies[1] == b"x" * 25 and stream.signal.ready
        assert pair.ended() == [1]

    def test_waits_for_the_window_of_the_connection(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: MIB})
        pair.acknowledges = False
        first, second = pair.get(b"POST", b"x" * 65535), pair.get(b"POST", b"y" * 10)
        assert not first.blocked and second.blocked
        pair.server.increment_flow_control_window(100)
        pair.pump()
        assert not second.blocked and not first.signal.ready and second.signal.ready
        assert pair.ended() == [1, 3]

    def test_in_turns(self) -> None:
        client, tell = greeted(Evil.settings({4: MIB}))
        first = client.open_stream(b"POST", b"/", HOST, b"x" * 200_000)
        second = client.open_stream(b"POST", b"/", HOST, b"y" * 200_000)
        client.data_to_send()
        tell(Evil.window(0, 16384 * 5))
        sent = [(frame.stream_id, len(frame.data)) for frame in sent_frames(client)]  # type: ignore[attr-defined]
        assert sent == [(1, 16384), (3, 16384), (1, 16384), (3, 16384), (1, 16384)]
        assert first.blocked and second.blocked

    def test_a_setting_opens_the_windows_of_all_streams(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        streams = [pair.get(b"POST", b"x" * 10) for _ in range(3)]
        assert all(stream.blocked for stream in streams) and pair.bodies == {}
        pair.server.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100})
        pair.pump()
        assert not any(stream.blocked for stream in streams)
        assert pair.ended() == [1, 3, 5]

    def test_a_setting_shuts_windows_beyond_zero(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 100})
        pair.acknowledges = False
        stream = pair.get(b"POST", b"x" * 100 + b"y" * 50)
        pair.server.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        pair.pump()
        pair.server.increment_flow_control_window(80, 1)
        pair.pump()
        assert pair.bodies[1] == b"x" * 100, "the window stands at -10"
        pair.server.increment_flow_control_window(30, 1)
        pair.pump()
        assert pair.bodies[1] == b"x" * 100 + b"y" * 20
        assert stream.blocked

    def test_pieces_queue_up(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 5})
        pair.acknowledges = False
        stream = pair.get(b"POST", None)
        for piece in (b"abc", b"def", b"ghi"):
            stream.send_data(piece)
        stream.end_data()
        pair.pump()
        assert pair.bodies[1] == b"abcde" and not pair.ended()
        pair.server.increment_flow_control_window(100, 1)
        pair.pump()
        assert pair.bodies[1] == b"abcdefghi" and pair.ended() == [1]

    def test_the_end_needs_no_window(self) -> None:
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 3})
        pair.acknowledges = False
        stream = pair.get(b"POST", None)
        stream.send_data(b"abc")
        stream.end_data()
        pair.pump()
        assert pair.ended() == [1] and not stream.blocked

    def test_nothing_is_kept_once_it_is_sent(self) -> None:
        pair = Pair()
        stream = pair.get(b"POST", b"x" * 50_000)
        assert stream.queue.nbytes == 0 and stream.queue.obj == b""

    def test_a_window_too_far_ends_its_stream_only(self) -> None:
        pair = Pair()
        stream, other = pair.get(b"POST", None), pair.get()
        pair.tell(Evil.window(1, 2**31 - 1))
        assert "opened a window of flow control too far" in str(stream.failure)
        assert stream.signal.ready and not stream.open
        pair.pump()
        assert pair.resets() == [(1, "FLOW_CONTROL_ERROR")]
        pair.answer(other, b"hello")
        assert other.take() == b"hello"

    def test_a_window_too_far_of_the_connection(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil.window(0, 2**31 - 1))
        assert "broke the rules of HTTP/2: May not increment flow control window" in str(stream.failure)


class TestFairness:
    """Streams of one connection do not starve each other."""

    def test_a_window_that_opens_by_little(self) -> None:
        """Each time there is room for one frame: it is not always the same stream's."""
        client, tell = greeted(Evil.settings({4: MIB}))
        streams = [client.open_stream(b"POST", b"/", HOST, b"x" * 200_000) for _ in range(4)]
        client.data_to_send()
        turns = []
        for _ in range(12):
            tell(Evil.window(0, 16384))
            turns += [frame.stream_id for frame in sent_frames(client)]
        assert turns == [1, 3, 5, 7] * 3
        assert all(stream.blocked for stream in streams)

    def test_one_that_ends_or_is_given_up_leaves_the_line(self) -> None:
        client, tell = greeted(Evil.settings({4: MIB}))
        first, second, third = (client.open_stream(b"POST", b"/", HOST, b"x" * 100_000) for _ in range(3))
        client.data_to_send()
        second.discard()
        tell(Evil.reset(first.stream_id))
        client.data_to_send()
        tell(Evil.window(0, 200_000))
        assert {frame.stream_id for frame in sent_frames(client)} == {5}
        assert third.all_sent and client._table._waiting == {}

    def test_uploads_and_downloads_side_by_side(self) -> None:
        """Three uploads, one download that is read at once, and one that is read slowly: all come to their ends."""
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: 50_000})
        body = bytes(range(256)) * 4 * 1024
        uploads = [pair.get(b"POST", None) for _ in range(3)]
        quick, slow = pair.get(), pair.get()
        for stream in (*uploads, quick, slow):
            pair.head(stream)
        left = {stream: len(body) for stream in (quick, slow)}
        queued = dict.fromkeys(uploads, 0)
        read = {quick: b"", slow: b""}
        finished: list[Http2Stream] = []
        for step in range(400):
            for stream in uploads:
                # As an operation does: the next piece when the last one has gone.
                if not stream.blocked and queued[stream] < len(body):
                    stream.send_data(body[queued[stream] : queued[stream] + 20_000])
                    queued[stream] += 20_000
                    if queued[stream] >= len(body):
                        stream.end_data()
            for stream, rest in left.items():
                room = min(pair.server.local_flow_control_window(stream.stream_id), 16384, rest)
                if room:
                    data = body[len(body) - rest :][:room]
                    pair.server.send_data(stream.stream_id, data, end_stream=room == rest)
                    left[stream] = rest - room
            pair.pump()
            read[quick] += quick.take()
            if step % 50 == 49:
                read[slow] += slow.take()
            if quick.ended and not finished:
                finished.append(quick)
                assert step < 100, "the download keeps its pace"
            sizes = [len(pair.bodies.get(stream.stream_id, b"")) for stream in uploads]
            assert max(sizes) - min(sizes) <= 50_000, "no upload runs ahead of the others"
        read[slow] += slow.take()
        assert read == {quick: body, slow: body}
        assert [pair.bodies[stream.stream_id] for stream in uploads] == [body] * 3

    def test_uploads_share_the_window_of_the_connection(self) -> None:
        """Its 64 KiB are all there is, and the server gives them back as it reads: still each upload gets on."""
        pair = Pair({SettingCodes.INITIAL_WINDOW_SIZE: MIB})
        pair.acknowledges = False
        streams = [pair.get(b"POST", b"x" * MIB) for _ in range(5)]
        given = len(pair.bodies[1])
        assert [stream.stream_id in pair.bodies for stream in streams] == [True] + [False] * 4
        for _ in range(40):
            pair.server.increment_flow_control_window(16384)
            given += 16384
            pair.pump()
        sizes = [len(pair.bodies[stream.stream_id]) for stream in streams]
        assert sum(sizes) == given
        assert max(sizes[1:]) - min(sizes[1:]) <= 16384


class TestReceiving:
    def test_a_reader_who_keeps_up(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        taken = 0
        for number in range(50):
            pair.body(stream, b"x" * 100_000, ended=number == 49)
            taken += len(stream.take())
        pair.pump()
        assert taken == 5_000_000 and stream.ended

    def test_nobody_reads(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        pair.body(stream, b"x" * STREAM_WINDOW, ended=False)
        assert pair.server.local_flow_control_window(1) == 0
        assert stream.buffered == STREAM_WINDOW and not stream.flush_due
        assert len(stream.take()) == STREAM_WINDOW
        assert stream.flush_due, "the peer waits, and must be told"
        pair.pump()
        assert not stream.flush_due
        assert pair.server.local_flow_control_window(1) == STREAM_WINDOW

    def test_credit_comes_by_the_quarter(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        pair.events.clear()
        for _ in range(2):
            pair.body(stream, b"x" * (FIRST_CREDIT // 2), ended=False)
            assert pair.heard(WindowUpdated) == []
            stream.take()
        assert stream.flush_due
        pair.pump()
        (update,) = pair.heard(WindowUpdated)
        assert (update.stream_id, update.delta) == (1, FIRST_CREDIT)

    def test_a_window_is_widened_for_what_is_long(self) -> None:
        """By a factor of four, when half of it has come: so the peer need not wait for it."""
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        pair.events.clear()
        seen = []
        for _ in range(64):
            pair.body(stream, b"x" * 16384, ended=False)
            seen.append(stream.granted // 1024)
        assert seen == [64] + [256] * 6 + [1024] * 57
        assert [(update.stream_id, update.delta) for update in pair.heard(WindowUpdated)] == [
            (1, 192 * 1024),
            (1, 768 * 1024),
        ]

    @pytest.mark.parametrize(
        ("length", "granted"),
        [
            (60_000, FIRST_WINDOW),
            (70_000, FIRST_WINDOW + 16_384),
            (500_000, 500_000),
            (5_000_000, STREAM_WINDOW),
        ],
    )
    def test_a_length_tells_at_once_how_wide_it_has_to_be(self, length: int, granted: int) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream, fields=[(b"content-length", b"%d" % length)])
        assert stream.granted == stream.window == pair.server.local_flow_control_window(1) == granted
        pair.events.clear()
        while not stream.ended:
            rest = length - stream.received
            room = min(rest, 10_000)
            pair.body(stream, b"x" * room, room == rest)
            stream.take()
        assert sum(update.stream_id == 0 for update in pair.heard(WindowUpdated)) == length // MIB
        assert pair.client._table._spare == WIDE * MIB

    def test_windows_of_all_streams_together(self) -> None:
        """However many there are: no more than 16 MiB lie unread, and there is room for each one's first 64 KiB."""
        pair = Pair({SettingCodes.MAX_CONCURRENT_STREAMS: 1000})
        streams = [pair.get() for _ in range(MAX_STREAMS)]
        assert not pair.client.reusable
        for stream in streams:
            pair.head(stream)
        came = 0
        for stream in streams:
            while room := min(pair.server.local_flow_control_window(stream.stream_id), 16384):
                pair.server.send_data(stream.stream_id, b"x" * room)
                came += room
                pair.pump()
        assert came == sum(stream.buffered for stream in streams) == CONNECTION_WINDOW - MIB
        assert min(stream.buffered for stream in streams) == FIRST_WINDOW
        assert pair.client._table._spare == 0
        # Whoever goes makes room for others, when these have come further.
        streams[0].discard()
        last = streams[-1]
        last.take()
        pair.body(last, b"x" * 60_000, ended=False)
        last.take()
        pair.body(last, b"x" * 60_000, ended=False)
        assert last.granted > FIRST_WINDOW

    def test_credit_is_given_once(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        for _ in range(2):
            pair.tell(Evil.data(1, b"x" * 65536))
            stream.take()
            pair.client._table.settle_later(stream)
        pair.client.data_to_send()
        assert stream.credited == 2 * 65536 == pair.client._table._owed

    def test_slow_readers_do_not_hold_up_others(self) -> None:
        pair = Pair()
        slow, quick = pair.get(), pair.get()
        pair.head(slow)
        pair.body(slow, b"x" * STREAM_WINDOW, ended=False)
        pair.answer(quick, b"hello")
        assert quick.take() == b"hello" and quick.ended

    def test_streams_that_nobody_reads_stop_no_others(self) -> None:
        """However many there are: the window of the connection has room for those of all streams."""
        pair = Pair()
        streams = [pair.get() for _ in range(40)]
        for stream in streams:
            pair.head(stream)
        for stream in streams[:-1]:
            pair.body(
                stream, b"x" * (STREAM_WINDOW if stream.stream_id <= 2 * WIDE else FIRST_WINDOW), ended=False
            )
        for _ in range(100):
            pair.body(streams[-1], b"x" * FIRST_WINDOW, ended=False)
            assert len(streams[-1].take()) == FIRST_WINDOW
            pair.pump()

    def test_little_of_many_streams(self) -> None:
        """All that there may be, and each has read less than is worth a frame: there is room for one more piece."""
        pair = Pair({SettingCodes.MAX_CONCURRENT_STREAMS: 1000})
        streams = [pair.get() for _ in range(MAX_STREAMS)]
        for stream in streams:
            pair.head(stream)
        for _ in range(3):
            for stream in streams:
                pair.body(stream, b"x" * (FIRST_CREDIT - 100), ended=False)
                assert len(stream.take()) == FIRST_CREDIT - 100
                if stream.flush_due:
                    pair.pump()

    @pytest.mark.parametrize("taken", [True, False])
    def test_what_ends_is_paid_back(self, taken: bool) -> None:
        pair = Pair()
        for _ in range(40):
            stream = pair.get()
            pair.answer(stream, b"x" * 1_000_000)
            if taken:
                assert len(stream.take()) == 1_000_000
        pair.pump()
        assert CONNECTION_WINDOW * 0.75 <= pair.server.outbound_flow_control_window <= CONNECTION_WINDOW

    def test_what_is_given_up_is_paid_back(self) -> None:
        pair = Pair()
        for _ in range(40):
            stream = pair.get()
            pair.head(stream)
            pair.body(stream, b"x" * 1_000_000, ended=False)
            stream.discard()
            pair.pump()
        assert CONNECTION_WINDOW * 0.75 <= pair.server.outbound_flow_control_window <= CONNECTION_WINDOW

    def test_padding_is_paid_back(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        padded = Evil.data(1, b"x", padding=255).serialize()
        for _ in range(3 * FIRST_CREDIT // 256):
            pair.tell(padded)
        credit = [frame.window_increment for frame in sent_frames(pair.client)]  # type: ignore[attr-defined]
        assert credit == [FIRST_CREDIT] * 3
        pair.tell(Evil.data(1, ended=True))
        assert stream.ended and stream.received == 3 * FIRST_CREDIT // 256
        assert pair.client._table._owed == 3 * FIRST_CREDIT + 3 * FIRST_CREDIT // 256

    def test_more_than_the_window_allows(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        for _ in range(STREAM_WINDOW // 65536):
            pair.tell(Evil.data(1, b"x" * 65536))
        assert stream.failure is None
        pair.tell(Evil.data(1, b"x"))
        assert "broke the rules of HTTP/2: it sent more than the window of a stream allows" in str(
            stream.failure
        )

    def test_more_than_the_window_of_the_connection_allows(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        pair.client._table.window = 65536  # it has room for those of all streams, whatever they send
        pair.tell(Evil.data(1, b"x" * 65536))
        assert stream.failure is None
        pair.tell(Evil.data(1, b"x"))
        assert "it sent more than the window of the connection allows" in str(stream.failure)

    def test_what_came_before_a_failure_can_be_taken(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.head(stream)
        pair.body(stream, b"x" * CREDIT, ended=False)
        pair.client.receive_eof()
        assert stream.failure is not None
        assert len(stream.take()) == CREDIT
        assert not stream.flush_due


class TestTaking:
    """`take()` goes without the mutex, while another thread may put."""

    class Owner:
        vigil = None

        def __init__(self) -> None:
            self.settled: list[Http2Stream] = []

        def send_queued(self, stream: Http2Stream) -> None:
            raise AssertionError

        def settle_later(self, stream: Http2Stream) -> None:
            self.settled.append(stream)

    def test_in_one_piece(self) -> None:
        stream = Http2Stream(self.Owner(), 1, b"GET")
        assert stream.take() == b""
        for pieces in ([b"a"], [b"b", b"c", b"d"]):
            for piece in pieces:
                stream.put(piece)
            assert stream.take() == b"".join(pieces)
        assert (stream.received, stream.taken, stream.buffered) == (4, 4, 0)

    def test_the_owner_is_told_when_it_is_worth_it(self) -> None:
        owner = self.Owner()
        stream = Http2Stream(owner, 1, b"GET")
        stream.put(b"x" * (FIRST_CREDIT - 1))
        stream.take()
        assert owner.settled == [] and not stream.flush_due
        stream.put(b"x")
        stream.take()
        assert owner.settled == [stream] and stream.flush_due

    def test_while_another_thread_puts(self) -> None:
        stream = Http2Stream(self.Owner(), 1, b"GET")
        pieces = [b"%06d" % number for number in range(20_000)]
        putting = threading.Thread(target=lambda: [stream.put(piece) for piece in pieces])
        putting.start()
        taken = []
        while putting.is_alive() or stream.buffered:
            taken.append(stream.take())
        putting.join()
        assert b"".join(taken) == b"".join(pieces)
