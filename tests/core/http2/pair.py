"""Our client and h2's server, joined in memory; and frames that h2's server would not send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from httpure_core.contracts import Fields
from httpure_core.http2.connection import Http2Connection
from httpure_core.http2.stream import Http2Stream

HOST: Fields = [(b"Host", b"example.org")]
OK = [(b":status", b"200")]


class Pair:
    """A client and a server, and the bytes between them. `requests` are what the server got."""

    def __init__(
        self,
        settings: dict[SettingCodes | int, int] | None = None,
        greet: bool = True,
        client: Http2Connection | None = None,
    ) -> None:
        self.client = client or Http2Connection()
        self.server = H2Connection(H2Configuration(client_side=False, validate_outbound_headers=False))
        self.server.initiate_connection()
        self.events: list[Event] = []
        self.bodies: dict[int, bytes] = {}
        self.acknowledges = True
        if greet:
            self.pump()
        if settings:
            self.server.update_settings(settings)
            self.pump()

    def pump(self) -> list[Event]:
        """Let both sides talk until they have no more to say; return what the server heard."""
        heard: list[Event] = []
        while True:
            sent = self.client.data_to_send()
            if sent:
                for event in self.server.receive_data(sent):
                    heard.append(event)
                    self._hear(event)
            answer = self.server.data_to_send()
            if answer:
                self.client.receive_data(answer)
            if not sent and not answer:
                self.events += heard
                return heard

    def _hear(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
            if self.acknowledges and event.flow_controlled_length:
                self.server.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def get(
        self, method: bytes = b"GET", body: bytes | None = b"", fields: Fields = HOST, target: bytes = b"/"
    ) -> Http2Stream:
        """Open a stream, and let the server hear of it."""
        stream = self.client.open_stream(method, target, fields, body)
        self.pump()
        return stream

    def answer(
        self,
        stream: Http2Stream,
        body: bytes = b"",
        status: int = 200,
        fields: Sequence[tuple[bytes, bytes]] = (),
        ended: bool = True,
    ) -> None:
        """Answer a request."""
        self.head(stream, status, fields, ended and not body)
        if body:
            self.body(stream, body, ended)

    def head(
        self,
        stream: Http2Stream,
        status: int = 200,
        fields: Sequence[tuple[bytes, bytes]] = (),
        ended: bool = False,
    ) -> None:
        """Send the head of a response."""
        self.server.send_headers(stream.stream_id, [(b":status", b"%d" % status), *fields], ended)
        self.pump()

    def body(self, stream: Http2Stream, data: bytes, ended: bool = True) -> None:
        """Send a body, as far as the windows allow."""
        while data:
            size = min(self.server.local_flow_control_window(stream.stream_id), 16384)
            if not size:
                self.pump()
                size = min(self.server.local_flow_control_window(stream.stream_id), 16384)
            assert size, "the client's window is shut"
            self.server.send_data(stream.stream_id, data[:size], ended and len(data) <= size)
            data = data[size:]
        self.pump()

    def tell(self, *frames: Frame | bytes) -> None:
        """Let the client hear something that h2's server knows nothing of."""
        for frame in frames:
            self.client.receive_data(frame if isinstance(frame, bytes) else frame.serialize())

    def heard(self, kind: type[Any]) -> list[Any]:
        """What the server has heard of one kind of event."""
        return [event for event in self.events if isinstance(event, kind)]

    def heads(self) -> list[list[tuple[bytes, bytes]]]:
        """The heads of the requests that came."""
        return [event.headers for event in self.heard(RequestReceived)]

    def resets(self) -> list[tuple[int, str]]:
        """The streams that the client has reset, with the names of the reasons."""
        return [(event.stream_id, event.error_code.name) for event in self.heard(StreamReset)]

    def ended(self) -> list[int]:
        """The streams whose requests have come in full."""
        return [event.stream_id for event in self.heard(StreamEnded)]


class Evil:
    """Makes frames of a server that keeps to no rules. It has one table for compression, as every server."""

    def __init__(self) -> None:
        self.encoder = Encoder()

    def headers(
        self, stream_id: int, pairs: Any = (), *, ended: bool = False, whole: bool = True
    ) -> HeadersFrame:
        block = self.encoder.encode(OK if pairs == () else pairs, huffman=False)
        frame = HeadersFrame(stream_id, block)
        if ended:
            frame.flags.add("END_STREAM")
        if whole:
            frame.flags.add("END_HEADERS")
        return frame

    @staticmethod
    def data(
        stream_id: int, data: bytes = b"", *, ended: bool = False, padding: int | None = None
    ) -> DataFrame:
        frame = DataFrame(stream_id, data)
        if ended:
            frame.flags.add("END_STREAM")
        if padding is not None:
            frame.flags.add("PADDED")
            frame.pad_length = padding
        return frame

    @staticmethod
    def goaway(last: int, code: int = 0, words: bytes = b"") -> GoAwayFrame:
        return GoAwayFrame(0, last_stream_id=last, error_code=code, additional_data=words)

    @staticmethod
    def reset(stream_id: int, code: int = 8) -> RstStreamFrame:
        return RstStreamFrame(stream_id, error_code=code)

    @staticmethod
    def settings(settings: dict[int, int] | None = None) -> SettingsFrame:
        return SettingsFrame(0, settings=settings or {})

    @staticmethod
    def window(stream_id: int, increment: int) -> WindowUpdateFrame:
        return WindowUpdateFrame(stream_id, window_increment=increment)

    @staticmethod
    def ping(data: bytes = b"12345678") -> PingFrame:
        return PingFrame(0, opaque_data=data)

    @staticmethod
    def continuation(stream_id: int, data: bytes = b"", *, whole: bool = False) -> ContinuationFrame:
        frame = ContinuationFrame(stream_id, data)
        if whole:
            frame.flags.add("END_HEADERS")
        return frame


def sent_frames(client: Http2Connection) -> list[Frame]:
    """Return what the client has to send, as frames, without its preface."""
    data = client.data_to_send().removeprefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    frames = []
    while data:
        frame, length = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9 : 9 + length]))
        frames.append(frame)
        data = data[9 + length :]
    return frames


def greeted(*frames: Frame | bytes) -> tuple[Http2Connection, Callable[..., None]]:
    """Return a client whose server has sent its settings, and what feeds it frames."""
    pair = Pair(greet=False)
    pair.client.data_to_send()
    pair.tell(Evil.settings(), *frames)
    return pair.client, pair.tell
