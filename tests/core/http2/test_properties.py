"""What holds for every way of cutting the bytes, every order of events, and every peer, however mad."""

from __future__ import annotations

from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, SettingsAcknowledged, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.http2.connection import Http2Connection
from httpure_core.http2.limits import CONNECTION_WINDOW, STREAM_WINDOW
from httpure_core.http2.stream import Http2Stream

from .pair import HOST, OK, Evil
from .test_faults import CONNECTION_FAULTS, STREAM_FAULTS

STREAMS = (1, 3, 5)


def outcome(data: bytes, edges: list[int]) -> list[Any]:
    """Feed a client that has three requests under way, cut at these places, and return all that can be seen of it."""
    client = Http2Connection()
    streams = [client.open_stream(b"GET", b"/", HOST, b"") for _ in STREAMS]
    sent = [client.data_to_send()]
    for start, end in zip([0, *edges], [*edges, len(data)], strict=True):
        if start < end:
            client.receive_data(data[start:end])
            sent.append(client.data_to_send())
    seen: list[Any] = [
        (each.status, each.fields, each.trailers, each.informational, each.take(), each.ended, each.open)
        for each in streams
    ]
    return [*seen, [str(each.failure) for each in streams], client.close_reason, b"".join(sent)]


def script(parts: list[tuple[str, int]]) -> bytes:
    """The bytes of a server that has said these things, the settings before."""
    evil = Evil()
    says = {
        "head": lambda number: evil.headers(number, [*OK, (b"x-number", b"%d" % number)]),
        "length": lambda number: evil.headers(number, [*OK, (b"content-length", b"%d" % number)]),
        "early": lambda number: evil.headers(number, [(b":status", b"103"), (b"link", b"</a>")]),
        "body": lambda number: evil.data(number, b"x" * number),
        "padded": lambda number: evil.data(number, b"y", padding=number),
        "end": lambda number: evil.data(number, b"z", ended=True),
        "trailers": lambda number: evil.headers(number, [(b"x-last", b"1")], ended=True),
        "reset": lambda number: evil.reset(number, ErrorCodes.REFUSED_STREAM),
        "goaway": lambda number: evil.goaway(number),
        "ping": lambda number: evil.ping(),
        "settings": lambda number: evil.settings({3: number}),
        "window": lambda number: evil.window(number, 10),
        "begun": lambda number: evil.headers(number, whole=False),
        "go on": lambda number: evil.continuation(number, whole=True),
    }
    frames = [evil.settings(), *(says[what](number) for what, number in parts)]
    return b"".join(frame.serialize() for frame in frames)


SAYINGS = (
    "head",
    "length",
    "early",
    "body",
    "padded",
    "end",
    "trailers",
    "reset",
    "goaway",
    "ping",
    "settings",
)
parts = st.lists(
    st.tuples(
        st.sampled_from((*SAYINGS, "head", "body", "window", "begun", "go on")), st.sampled_from(STREAMS)
    ),
    max_size=12,
)


class TestCutting:
    @given(parts, st.lists(st.integers(0, 400), max_size=6))
    def test_anywhere(self, said: list[tuple[str, int]], cuts: list[int]) -> None:
        data = script(said)
        edges = sorted({cut for cut in cuts if cut < len(data)})
        assert outcome(data, edges) == outcome(data, [])

    @pytest.mark.parametrize(
        "name", [*STREAM_FAULTS, *sorted(set(CONNECTION_FAULTS) - {"more than the window"})]
    )
    def test_before_each_byte_of_a_fault(self, name: str) -> None:
        evil = Evil()
        frames = (STREAM_FAULTS.get(name) or CONNECTION_FAULTS[name])[0](evil)
        data = evil.settings().serialize()
        data += b"".join(frame if isinstance(frame, bytes) else frame.serialize() for frame in frames)
        data += evil.headers(3, ended=True).serialize()
        whole = outcome(data, [])
        assert whole[3] != ["None"] * 3
        edges = [*range(1, min(len(data), 400))]
        assert outcome(data, edges) == whole


class TestMadness:
    @given(st.binary(max_size=200), st.booleans())
    def test_any_bytes(self, data: bytes, greeted: bool) -> None:
        outcome(script([]) * greeted + data, [])

    @given(
        st.lists(
            st.tuples(st.integers(0, 10), st.integers(0, 63), st.integers(0, 7), st.binary(max_size=20)),
            max_size=20,
        )
    )
    def test_any_frames(self, frames: list[tuple[int, int, int, bytes]]) -> None:
        data = b"".join(
            len(payload).to_bytes(3) + bytes([kind, flags]) + number.to_bytes(4) + payload
            for kind, flags, number, payload in frames
        )
        outcome(script([]) + data, [])

    @given(parts, st.integers(0, 10_000), st.binary(min_size=1, max_size=2))
    def test_a_byte_that_was_changed(self, said: list[tuple[str, int]], place: int, change: bytes) -> None:
        data = script(said)
        place %= len(data)
        outcome(data[:place] + change + data[place + len(change) :], [])


class Game:
    """A client and a server that does all that it may. Neither must ever find fault with the other."""

    def __init__(self) -> None:
        self.client = Http2Connection()
        self.server = H2Connection(H2Configuration(client_side=False))
        self.server.initiate_connection()
        self.streams: list[Http2Stream] = []
        self.bodies: dict[int, int] = {}  # how many bytes of each request came
        self.answerable: list[int] = []  # streams whose response is not whole
        self.begun: set[int] = set()
        self.unread: dict[int, int] = {}  # bytes of requests for which the server has not opened its windows
        self.sent: dict[int, int] = {}
        self.taken: dict[int, int] = {}
        self.gone = False
        # h2's server applies a change with the first acknowledgement that comes, so there is one at a time.
        self.unacknowledged = 1

    def move(self, what: str, which: int, size: int) -> None:
        getattr(self, f"_{what}")(which, size)
        assert all(not each.failure or each.failure.unprocessed or each.discarded for each in self.streams), (
            what
        )
        open_ones = self.client._table.streams
        assert all(each.open for each in open_ones.values()), what
        assert self.client._h2.count_streams() == len(open_ones), "h2 sees it otherwise"

    def _pump(self, which: int = 0, size: int = 0) -> None:
        """Let bytes go, in one direction or both."""
        if which % 3 != 1:
            for event in self.server.receive_data(self.client.data_to_send()):
                self._hear(event)
        if which % 3 != 2 and (data := self.server.data_to_send()):
            self.client.receive_data(data)

    def _hear(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            self.answerable.append(event.stream_id)
        elif isinstance(event, DataReceived):
            number = event.stream_id
            self.bodies[number] = self.bodies.get(number, 0) + len(event.data)
            self.unread[number] = self.unread.get(number, 0) + event.flow_controlled_length
        elif isinstance(event, SettingsAcknowledged):
            self.unacknowledged -= 1
        elif isinstance(event, StreamReset) and event.stream_id in self.answerable:
            self.answerable.remove(event.stream_id)

    def _open(self, which: int, size: int) -> None:
        if self.client.reusable:
            whole = bool(which % 2)
            stream = self.client.open_stream(b"POST", b"/", HOST, b"x" * size if whole else None)
            if not whole:
                stream.send_data(b"x" * size)
                stream.end_data()
            self.streams.append(stream)
            self.sent[stream.stream_id] = size

    def _answer(self, which: int, size: int) -> None:
        if self.answerable:
            number = self.answerable[which % len(self.answerable)]
            if number not in self.begun:
                self.begun.add(number)
                self.server.send_headers(number, OK)
            room = min(self.server.local_flow_control_window(number), 16384, size)
            ended = which % 3 == 0
            self.server.send_data(number, b"y" * max(0, room), end_stream=ended)
            if ended:
                self.answerable.remove(number)

    def _read(self, which: int, size: int) -> None:
        for number, length in list(self.unread.items())[which % 3 :]:
            self.server.acknowledge_received_data(length, number)
            del self.unread[number]

    def _take(self, which: int, size: int) -> None:
        if self.streams:
            self.streams[which % len(self.streams)].take()

    def _discard(self, which: int, size: int) -> None:
        if self.streams:
            self.streams[which % len(self.streams)].discard()

    def _refuse(self, which: int, size: int) -> None:
        fresh = [number for number in self.answerable if number not in self.begun]
        if fresh:
            number = fresh[which % len(fresh)]
            self.answerable.remove(number)
            self.server.reset_stream(number, ErrorCodes.REFUSED_STREAM)

    def _change(self, which: int, size: int) -> None:
        changes = (
            {SettingCodes.INITIAL_WINDOW_SIZE: size * 10},
            {SettingCodes.MAX_CONCURRENT_STREAMS: size % 7},
            {SettingCodes.MAX_FRAME_SIZE: 16384 + size},
            {SettingCodes.HEADER_TABLE_SIZE: size},
        )
        if not self.unacknowledged:
            self.unacknowledged += 1
            self.server.update_settings(changes[which % 4])

    def _ping(self, which: int, size: int) -> None:
        self.server.ping(b"12345678")

    def _leave(self, which: int, size: int) -> None:
        """Say goodbye: to all that is new, and to requests of which the server has seen nothing."""
        if not self.gone and self.answerable:
            self.gone = True
            last = max(self.answerable)
            self.client.receive_data(self.server.data_to_send() + GoAwayFrame(0, last).serialize())

    def play_to_the_end(self) -> None:
        """Open all windows, answer all requests, read all: then nothing is left."""
        for _ in range(3):
            self._pump()
        self._change(0, 6553)
        while True:
            before = (sum(self.bodies.values()), len(self.answerable))
            for _ in range(3):
                self._pump()
            self._read(0, 0)
            if before == (sum(self.bodies.values()), len(self.answerable)):
                break
        for number in list(self.answerable):
            if number not in self.begun:
                self.server.send_headers(number, OK)
            self.server.end_stream(number)
        for _ in range(3):
            self._pump()
        for stream in self.streams:
            stream.take()
        for _ in range(3):
            self._pump()


moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["open", "answer", "read", "take", "discard", "refuse", "change", "ping", "leave"]
            + ["pump", "open", "answer", "pump"] * 2
        ),
        st.integers(0, 20),
        st.sampled_from([0, 1, 100, 5000, 70_000]),
    ),
    max_size=40,
)


@given(moves)
def test_any_order_of_events(played: list[tuple[str, int, int]]) -> None:
    game = Game()
    for what, which, size in played:
        game.move(what, which, size)
    game.play_to_the_end()
    assert game.client._table.streams == {} == game.client._table._waiting
    for stream in game.streams:
        assert stream.ended or stream.failure or stream.discarded
        assert not stream.blocked and not stream.open
        if stream.ended and not game.gone and not stream.discarded:
            assert game.bodies.get(stream.stream_id, 0) <= game.sent[stream.stream_id]
    # What the server may still send, and what it was not told of yet, is the whole window of the connection.
    table = game.client._table
    assert game.server.outbound_flow_control_window + table._owed == CONNECTION_WINDOW
    assert table.window + table._owed == CONNECTION_WINDOW


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 300_000)), max_size=30))
def test_a_window_never_shuts_for_good(steps: list[tuple[bool, int]]) -> None:
    """Whatever the reader does: when it has read all, the server may send three quarters of a window at least."""
    client = Http2Connection()
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    stream = client.open_stream(b"GET", b"/", HOST, b"")
    server.receive_data(client.data_to_send())
    server.send_headers(1, OK)
    for reads, size in steps:
        if reads:
            stream.take()
        room = min(server.local_flow_control_window(1), 16384, size)
        server.send_data(1, b"x" * room)
        client.receive_data(server.data_to_send())
        assert stream.buffered <= STREAM_WINDOW
        server.receive_data(client.data_to_send())
    stream.take()
    server.receive_data(client.data_to_send())
    assert stream.granted * 3 // 4 < server.local_flow_control_window(1) <= stream.granted


def test_the_game_finds_faults() -> None:
    """The server in it is no pushover."""
    game = Game()
    game.move("open", 0, 100)
    game.move("pump", 0, 0)
    with pytest.raises(ProtocolError):
        game.server.receive_data(b"\0\0\x01\0\0\0\0\0\x07x")
    assert game.answerable == [1]
