"""One HTTP/2 connection of a scripted server, on h2."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import NoSuchStreamError, ProtocolError, StreamClosedError, StreamIDTooLowError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

from ..simulated.channel import Channel
from .answers import Answer
from .received import Received
from .replying import Pairs, Reply
from .site import Site
from .wire import Wire

__all__ = ["Http2Peer"]

#: What h2 raises for a stream that the client has reset.
_GIVEN_UP = (NoSuchStreamError, StreamIDTooLowError, StreamClosedError)


class Http2Peer:
    """Hears requests, many at a time, and has the site answer them. See `simulated.Peer`."""

    def __init__(self, site: Site, number: int) -> None:
        self.site = site
        self.number = number
        self.wire: Wire
        self.streams: dict[int, Http2Exchange] = {}
        self.h2 = H2Connection(H2Configuration(client_side=False, validate_outbound_headers=False))
        self._last: int | None = None  # of GOAWAY
        self._reads = True

    @property
    def request(self) -> Received | None:
        """One of the requests that are being received or answered."""
        return next((exchange.request for exchange in self.streams.values()), None)

    def connected(self, channel: Channel) -> None:
        """A client is here."""
        self.channel = channel
        self.wire = Wire(channel, self.site.random)
        self.site.peers.append(self)
        self.h2.initiate_connection()
        if self.site.max_streams is not None:
            # Apart, so that h2 keeps to the old ones until the client has acknowledged these.
            self.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self.site.max_streams})
        self.push()

    def receive_data(self, data: bytes) -> None:
        """Bytes came."""
        if not self._reads:
            return
        try:
            events = self.h2.receive_data(data)
        except ProtocolError as exc:
            self._reads = False
            raise self.site.problem(f"it was sent what is no HTTP/2: {exc}") from None
        for event in events:
            self._hear(event)
        self.push()

    def receive_eof(self) -> None:
        """The client is gone."""
        self._reads = False
        self.wire.close()

    def drop(self, how: str) -> bool:
        """Close or reset the connection if it is idle; tell whether it was."""
        if self.streams or self.wire.over:
            return False
        self._reads = False
        self.wire.reset() if how == "reset" else self.wire.close()
        return True

    def _hear(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            if exchange := self.streams.get(event.stream_id or 0):
                exchange.body += event.data or b""
            if event.flow_controlled_length:
                with contextlib.suppress(*_GIVEN_UP):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 0)
        elif isinstance(event, StreamEnded):
            if exchange := self.streams.get(event.stream_id or 0):
                exchange.received()
        elif isinstance(event, WindowUpdated):
            for exchange in list(self.streams.values()):
                exchange.send_queued()
        elif isinstance(event, StreamReset):
            if exchange := self.streams.get(event.stream_id or 0):
                exchange.leave()
        elif isinstance(event, ConnectionTerminated):
            self._reads = False

    def _begin(self, event: RequestReceived) -> None:
        number = event.stream_id or 0
        if self.wire.over or (self._last is not None and number > self._last):
            return  # it is too late: GOAWAY, or the end of the connection, has told the client, or will
        pairs = [(_text(name), _text(value)) for name, value in event.headers or ()]
        pseudo = {name: value for name, value in pairs if name.startswith(":")}
        fields = [pair for pair in pairs if not pair[0].startswith(":")]
        authority = pseudo.get(":authority", "")
        path = pseudo.get(":path", "")
        request = self.site.received(
            pseudo[":method"],
            f"{self.site.scheme}://{authority}{'' if path == '*' else path}",
            [("host", authority), *fields],
            connection=self.number,
            http_version="HTTP/2",
        )
        exchange = self.streams[number] = Http2Exchange(self, number, request)
        if self.site.answers_early():
            exchange.answer()

    def go_away(self, below: int, code: int) -> None:
        """Say that nothing from this stream on was looked at, and close when the others are done."""
        self._last = below - 1
        self.push()
        frame = GoAwayFrame(0, last_stream_id=max(0, below - 2), error_code=code)
        self.wire.send(frame.serialize())
        for number in [number for number in self.streams if number >= below]:
            del self.streams[number]
        self.done()

    def done(self) -> None:
        """An exchange is over: after GOAWAY, that may have been the last."""
        if self._last is not None and not self.streams:
            self.push()
            self.wire.hang_up()

    def push(self) -> None:
        """Send what h2 has to say."""
        if data := self.h2.data_to_send():
            self.wire.send(data)


class Http2Exchange:
    """One stream. See `replying.Out`."""

    def __init__(self, peer: Http2Peer, number: int, request: Received) -> None:
        self.request = request
        self.body = b""
        self._peer = peer
        self._number = number
        self._left = False
        self._answering = False
        self._queue = bytearray()
        self._whole: Answer | None = None  # once all of it is in the queue
        self._ended: Callable[[], None] = _nothing
        self._cut: int | None = None  # bytes of the body until the stream is reset
        self._code = 0
        self._bodiless = False

    @property
    def over(self) -> bool:
        """True when nobody hears any more."""
        return self._left or self._peer.wire.over

    def received(self) -> None:
        """All of the request is there."""
        self.request.complete(self.body)
        if not self._answering:
            self.answer()

    def answer(self) -> None:
        """Have the site answer."""
        self._answering = True
        answer = self._peer.site.answer_for(self.request)
        if answer.raw is not None:
            raise self._peer.site.problem("it cannot answer with bytes: this is HTTP/2, which has frames")
        fault = answer.fault
        if fault is not None and fault.kind == "goaway":
            self._later(answer.delay, partial(self._peer.go_away, self._number, fault.code))
            return
        if fault is not None and fault.kind == "drip":
            # Of a part of a frame nobody would hear: a slow server sends small ones.
            answer = answer.in_frames(fault.size, fault.seconds or 0.0)
        if fault is not None and fault.kind == "reset_stream":
            self._cut, self._code = fault.after, fault.code
            if self._cut == 0:
                self._later(answer.delay, self.reset)
                return
        Reply(answer, self, self._later).start()

    def begin(self, answer: Answer) -> None:
        """The bytes of an answer begin."""
        self._peer.push()
        self._ended = self._peer.wire.begin(answer)

    def inform(self, status: int, fields: Pairs) -> None:
        """Send an informational response."""
        self._headers([(":status", str(status)), *_lowered(fields)])

    def head(self, answer: Answer) -> None:
        """Send the head."""
        fields = _lowered(answer.headers)
        self._bodiless = self.request.method == "HEAD" or answer.status in (204, 304)
        if not answer.chunked and answer.status not in (204, 304):
            fields.append(("content-length", str(answer.length)))
        self._headers([(":status", str(answer.status)), *fields])

    def data(self, data: bytes) -> None:
        """Queue a piece of the body for when the client's windows allow it."""
        if not self._bodiless:
            self._queue += data
            self.send_queued()

    def end(self, answer: Answer) -> None:
        """The answer is whole."""
        self._whole = answer
        self.send_queued()

    def send_queued(self) -> None:
        """Send what the windows allow, and the end behind it."""
        h2 = self._peer.h2
        with contextlib.suppress(*_GIVEN_UP):
            while self._queue and not self.over:
                room = min(h2.local_flow_control_window(self._number), h2.max_outbound_frame_size)
                if self._cut is not None:
                    room = min(room, self._cut)
                if room <= 0:
                    break
                size = min(room, len(self._queue))
                h2.send_data(self._number, bytes(self._queue[:size]))
                del self._queue[:size]
                self._cut = None if self._cut is None else self._cut - size
                self._peer.push()
            if self._cut == 0:
                self.reset()
            elif self._whole is not None and not self._queue and not self.over:
                self._finish(self._whole)

    def _finish(self, answer: Answer) -> None:
        h2 = self._peer.h2
        if self._code or self._cut is not None:
            self.reset()
            return
        if answer.trailers:
            h2.send_headers(self._number, _lowered(answer.trailers), end_stream=True)
        else:
            h2.end_stream(self._number)
        self._peer.push()
        self._ended()
        self.leave()
        if answer.close:
            self._peer.go_away(self._number + 2, 0)
        if answer.hang_up is not None:
            self._peer.channel.call_later(answer.hang_up, partial(self._peer.drop, "close"))

    def reset(self) -> None:
        """Reset the stream."""
        if not self.over:
            with contextlib.suppress(*_GIVEN_UP):
                self._peer.h2.reset_stream(self._number, self._code)
            self._peer.push()
            self._ended()
            self.leave()

    def leave(self) -> None:
        """Nobody wants this exchange any more, or it is over."""
        self._left = True
        self._peer.streams.pop(self._number, None)
        self._peer.done()

    def _headers(self, fields: Pairs) -> None:
        with contextlib.suppress(*_GIVEN_UP):
            self._peer.h2.send_headers(self._number, fields)
            self._peer.push()

    def _later(self, seconds: float, step: Callable[[], object]) -> None:
        def go_on() -> None:
            if not self.over:
                step()

        if seconds:
            self._peer.channel.call_later(seconds, go_on)
        else:
            step()


def _lowered(fields: Pairs) -> Pairs:
    return [(name.lower(), value) for name, value in fields]


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("latin-1")


def _nothing() -> None:
    pass
