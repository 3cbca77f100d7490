"""What a response is made of is taken here without h2: h2's own client, fed the same frames, sees the same."""

from __future__ import annotations

from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes
from hyperframe.frame import Frame
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.http2.connection import Http2Connection
from httpure_core.http2.limits import CONNECTION_WINDOW, MAX_FRAME_SIZE, STREAM_WINDOW
from httpure_core.http2.stream import Http2Stream

from .pair import HOST, OK, Evil

STREAMS = (1, 3, 5)
#: Of an h2 that has found no fault: what a stream has brought.
Seen = tuple[int, list[Any], bytes, list[Any], int, bool, bool]


class Reference:
    """Three requests by h2 alone, all its checks switched on."""

    def __init__(self) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self.h2.local_settings.max_frame_size = MAX_FRAME_SIZE
        self.h2.local_settings.acknowledge()
        self.h2.max_inbound_frame_size = MAX_FRAME_SIZE
        self.h2.initiate_connection()
        self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW})
        self.h2.increment_flow_control_window(CONNECTION_WINDOW - 65_535)
        self.h2.receive_data(Evil.settings().serialize())
        for _ in range(2):  # our settings count from their acknowledgements on, and there were two
            acknowledgement = Evil.settings()
            acknowledgement.flags.add("ACK")
            self.h2.receive_data(acknowledgement.serialize())
        self.heads: dict[int, list[Any]] = {}
        self.trailers: dict[int, list[Any]] = {}
        self.bodies: dict[int, bytes] = {}
        self.early: dict[int, int] = {}
        self.ended: set[int] = set()
        self.reset: set[int] = set()
        for number in STREAMS:
            request = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a"), (b":path", b"/")]
            self.h2.send_headers(number, request, end_stream=True)

    def feed(self, data: bytes) -> bool:
        """False if h2 finds fault with it."""
        try:
            for event in self.h2.receive_data(data):
                self._hear(event)
        except H2Error:
            return False
        return True

    def _hear(self, event: Event) -> None:
        number: int = getattr(event, "stream_id", None) or 0
        if isinstance(event, ResponseReceived):
            self.heads[number] = list(event.headers)
        elif isinstance(event, TrailersReceived):
            self.trailers[number] = list(event.headers)
        elif isinstance(event, InformationalResponseReceived):
            self.early[number] = self.early.get(number, 0) + 1
        elif isinstance(event, DataReceived):
            self.bodies[number] = self.bodies.get(number, b"") + event.data
        elif isinstance(event, StreamEnded):
            self.ended.add(number)
        elif isinstance(event, StreamReset):
            self.reset.add(number)

    def seen(self, number: int) -> Seen:
        head = self.heads.get(number, [(b":status", b"0")])
        return (
            int(head[0][1]), head[1:], self.bodies.get(number, b""), self.trailers.get(number, []),
            self.early.get(number, 0), number in self.ended, number in self.reset,
        )  # fmt: skip


class Ours:
    """The same by our machine."""

    def __init__(self) -> None:
        self.client = Http2Connection()
        self.streams = {number: self.client.open_stream(b"GET", b"/", HOST, b"") for number in STREAMS}
        self.client.data_to_send()
        self.client.receive_data(Evil.settings().serialize())
        self.bodies = dict.fromkeys(STREAMS, b"")

    def feed(self, data: bytes) -> None:
        self.client.receive_data(data)
        self.client.data_to_send()

    def reset_by_peer(self, stream: Http2Stream) -> bool:
        return stream.failure is not None and "The server reset the stream" in str(stream.failure)

    def too_short(self, number: int) -> bool:
        return number in self.streams and "its body should have" in str(self.streams[number].failure)

    @property
    def faulty(self) -> bool:
        """Whether a rule was broken, of the connection or a stream."""
        found = any(each.failure and not self.reset_by_peer(each) for each in self.streams.values())
        return self.client.close_reason is not None or found

    def seen(self, number: int) -> Seen:
        stream = self.streams[number]
        self.bodies[number] += stream.take()
        return (
            stream.status, stream.fields, self.bodies[number], stream.trailers, len(stream.informational),
            stream.ended, self.reset_by_peer(stream),
        )  # fmt: skip


def frames_of(parts: list[tuple[str, int, int]]) -> list[Frame | bytes]:
    evil = Evil()
    kinds: dict[str, Any] = {
        "head": lambda number, size: evil.headers(number, [*OK, (b"x-size", b"%d" % size)]),
        "whole": lambda number, size: evil.headers(number, [*OK, (b"x-size", b"%d" % size)], ended=True),
        "length": lambda number, size: evil.headers(number, [*OK, (b"content-length", b"%d" % size)]),
        "early": lambda number, size: evil.headers(number, [(b":status", b"103"), (b"link", b"</a>")]),
        "bad name": lambda number, size: evil.headers(number, [*OK, (b"Upper", b"1")]),
        "bad field": lambda number, size: evil.headers(number, [*OK, (b"connection", b"close")]),
        "body": lambda number, size: evil.data(number, b"x" * size),
        "padded": lambda number, size: evil.data(number, b"y" * (size % 100), padding=size % 256),
        "end": lambda number, size: evil.data(number, b"z" * size, ended=True),
        "empty end": lambda number, size: evil.data(number, ended=True),
        "trailers": lambda number, size: evil.headers(number, [(b"x-last", b"%d" % size)], ended=True),
        "reset": lambda number, size: evil.reset(number),
        "window": lambda number, size: evil.window(number, size + 1),
        "ping": lambda number, size: evil.ping(),
        "unknown": lambda number, size: b"\0\0\3\xee\0\0\0\0" + bytes([number]) + b"abc",
    }
    return [kinds[what](number, size) for what, number, size in parts]


KINDS = (
    "head", "whole", "length", "early", "bad name", "bad field", "body", "padded", "end", "empty end",
    "trailers", "reset", "window", "ping", "unknown",
)  # fmt: skip
#: Mostly what makes sense, so that something comes of it before the first fault.
parts = st.lists(
    st.tuples(
        st.sampled_from((*KINDS, *("head", "body", "end") * 4, "length", "padded", "trailers")),
        st.sampled_from((*STREAMS * 8, 2, 7, 9)),
        st.sampled_from((0, 1, 5, 300, 60_000)),
    ),
    max_size=25,
)


@given(parts)
def test_the_same_frames(said: list[tuple[str, int, int]]) -> None:
    """As long as h2 finds no fault, both see the same; where it finds one, so do we."""
    reference, ours = Reference(), Ours()
    for part, frame in zip(said, frames_of(said), strict=True):
        data = frame if isinstance(frame, bytes) else frame.serialize()
        sound = reference.feed(data)
        ours.feed(data)
        if not sound:
            if part[0] == "early" and part[1] in reference.reset:
                return  # to h2 it is a fault of the connection, to RFC 9113 section 5.1 one of the stream
            assert ours.faulty, part
            return
        if part[0] == "trailers" and ours.too_short(part[1]):
            return  # h2 does not compare Content-Length with a body that trailers end
        assert not ours.faulty, (part, [str(each.failure) for each in ours.streams.values()])
        for number in STREAMS:
            assert ours.seen(number) == reference.seen(number), part


@pytest.mark.parametrize("streams", [1, 7])
def test_the_same_windows(streams: int) -> None:
    """Neither of them takes a byte more than they have allowed, once windows are as wide as they become."""
    reference, ours = Reference(), Ours()
    for number in range(7, 2 * streams + 1, 2):
        request = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a"), (b":path", b"/")]
        reference.h2.send_headers(number, request, end_stream=True)
        ours.client.open_stream(b"GET", b"/", HOST, b"")
    evil = Evil()
    numbers = [2 * place + 1 for place in range(streams)]
    for number in numbers:
        head = evil.headers(number).serialize()
        assert reference.feed(head)
        ours.feed(head)
    for number in numbers:
        for _ in range(STREAM_WINDOW // 65536):
            data = evil.data(number, b"x" * 65536).serialize()
            assert reference.feed(data)
            ours.feed(data)
            assert not ours.faulty
    last = evil.data(numbers[-1], b"x").serialize()
    assert not reference.feed(last)
    ours.feed(last)
    assert ours.faulty
