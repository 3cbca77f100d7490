"""A server that speaks HTTP/2, on h2; well-behaved as far as it is told to be.

site = Http2Site(lambda call: Answer(200, b"hello"))
url = http.serve(site)                       # with http1=False, http2=True: prior knowledge
url = http.serve_http2(site)                 # over TLS, chosen by ALPN
"""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    PingAckReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import NoSuchStreamError, StreamIDTooLowError
from h2.settings import SettingCodes
from hyperframe.frame import Frame

from .http import Answer
from .peer import Channel, Peer
from .tls import authority, with_tls

__all__ = ["Ask", "Http2Peer", "Http2Site", "Reset", "over_tls"]


#: What h2 raises for a stream that the client has reset: at once, and when it has forgotten the stream.
_GIVEN_UP = (NoSuchStreamError, StreamIDTooLowError)


class Ask:
    """A request as the server got it. `connection` counts from 1, `stream` is the number on it."""

    def __init__(self, connection: int, stream: int, fields: list[tuple[bytes, bytes]]) -> None:
        self.connection = connection
        self.stream = stream
        self.fields = [(name.decode("ascii"), value.decode("latin-1")) for name, value in fields]
        self.method = self.field(":method") or ""
        self.path = (self.field(":path") or "").partition("?")[0]
        self.body = b""

    def field(self, name: str) -> str | None:
        """Return the value of the field, names in lower case; None if there is none."""
        return dict(self.fields).get(name)


class Reset:
    """What to do instead of answering: reset the stream, `after` so many bytes of a body."""

    def __init__(self, code: int, after: int | None = None) -> None:
        self.code = code
        self.after = after


#: Answers a whole request; None for not at all.
App = Callable[[Ask], Answer | Reset | None]


class Http2Site:
    """Makes the peers of one server, and remembers what they were asked.

    `app` is asked when a request has arrived in full; `at_head`, if given, as soon as its head has. `settings` are
    the server's own. With `reads=False` its windows stay as they are.
    """

    def __init__(
        self,
        app: App,
        at_head: App | None = None,
        settings: Mapping[SettingCodes, int] | None = None,
        reads: bool = True,
    ) -> None:
        self.app = app
        self.at_head = at_head
        self.settings: dict[SettingCodes | int, int] = dict(settings or {})
        self.reads = reads
        self.connections = 0
        self.peers: list[Http2Peer] = []
        self.asked: list[Ask] = []
        #: The streams that clients have reset, as (connection, stream, code).
        self.resets: list[tuple[int, int, int]] = []
        #: How often a client has answered to a PING.
        self.pongs = 0
        #: Of the connections, those that clients have closed.
        self.closed = 0

    def __call__(self) -> Http2Peer:
        self.connections += 1
        self.peers.append(Http2Peer(self, self.connections))
        return self.peers[-1]


class Http2Peer(Peer):
    """One connection of a site. Tests may send frames of their own by `tell`."""

    def __init__(self, site: Http2Site, number: int) -> None:
        self._site = site
        self._number = number
        self._h2 = H2Connection(H2Configuration(client_side=False, validate_outbound_headers=False))
        self._asks: dict[int, Ask] = {}
        self._answered: set[int] = set()
        self._queues: dict[int, tuple[list[bytes], Answer | None]] = {}  # what the client's windows hold up
        self._gone = False

    # What the network calls.

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        self._h2.initiate_connection()
        if self._site.settings:
            # Apart, so that h2 keeps to the old ones until the client has acknowledged these.
            self._h2.update_settings(self._site.settings)
        self._push()

    def receive_data(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            self._hear(event)
        self._push()

    def receive_eof(self) -> None:
        self._site.closed += 1
        self._gone = True
        self.channel.close()

    # What a test may call.

    def tell(self, *frames: Frame) -> None:
        """Send frames of which h2 knows nothing."""
        self.channel.send(b"".join(frame.serialize() for frame in frames))

    def update_settings(self, settings: dict[SettingCodes, int]) -> None:
        self._h2.update_settings(settings)
        self._push()

    def ping(self) -> None:
        self._h2.ping(b"12345678")
        self._push()

    def open_window(self, size: int, stream: int | None = None) -> None:
        """Let the client send more."""
        self._h2.increment_flow_control_window(size, stream)
        self._push()

    def _hear(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            if event.stream_id in self._asks:
                self._asks[event.stream_id].body += event.data
            if self._site.reads and event.flow_controlled_length:
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            if event.stream_id not in self._answered:
                self._answer(event.stream_id, self._site.app(self._asks[event.stream_id]))
        elif isinstance(event, WindowUpdated):
            for number in list(self._queues):
                with contextlib.suppress(*_GIVEN_UP):  # which the client says next
                    self._send_queue(number)
        elif isinstance(event, StreamReset):
            self._site.resets.append((self._number, event.stream_id, int(event.error_code)))
            self._queues.pop(event.stream_id, None)
        elif isinstance(event, PingAckReceived):
            self._site.pongs += 1

    def _begin(self, event: Any) -> None:
        ask = Ask(self._number, event.stream_id, event.headers)
        self._asks[event.stream_id] = ask
        self._site.asked.append(ask)
        if self._site.at_head is not None:
            answer = self._site.at_head(ask)
            if answer is not None:
                self._answer(event.stream_id, answer)

    def _answer(self, number: int, answer: Answer | Reset | None) -> None:
        if answer is None:
            return
        self._answered.add(number)
        if isinstance(answer, Reset):
            with contextlib.suppress(*_GIVEN_UP):
                if answer.after is not None:
                    self._h2.send_headers(number, [(":status", "200")])
                    room = self._h2.local_flow_control_window(number)
                    self._h2.send_data(number, b"x" * min(answer.after, room))
                self._h2.reset_stream(number, answer.code)
        elif answer.delay:
            self.channel.call_later(
                answer.delay, functools.partial(self._later, self._send_head, number, answer)
            )
        else:
            with contextlib.suppress(*_GIVEN_UP):  # the client has done so in the same breath
                self._send_head(number, answer)

    def _later(self, step: Callable[..., None], *args: Any) -> None:
        if not self._gone:
            with contextlib.suppress(*_GIVEN_UP):  # the client has given it up meanwhile
                step(*args)
            self._push()

    def _send_head(self, number: int, answer: Answer) -> None:
        for status in answer.informational:
            self._h2.send_headers(number, [(":status", str(status))])
        fields = [(name.lower(), value) for name, value in answer.fields]
        fields = [field for field in fields if field[0] not in ("connection", "transfer-encoding")]
        self._h2.send_headers(number, [(":status", str(answer.status)), *fields])
        bodiless = self._asks[number].method == "HEAD" or answer.status in (204, 304)
        self._send_pieces(number, [] if bodiless else list(answer.pieces), answer)

    def _send_pieces(self, number: int, pieces: list[bytes], answer: Answer) -> None:
        if answer.pause and len(pieces) > 1:
            self._queue(number, pieces[:1], None)
            rest = functools.partial(self._later, self._send_pieces, number, pieces[1:], answer)
            self.channel.call_later(answer.pause, rest)
        else:
            self._queue(number, pieces, answer)

    def _queue(self, number: int, pieces: list[bytes], answer: Answer | None) -> None:
        """Send pieces, and the end of the answer behind them, as the windows allow."""
        waiting, _ = self._queues.get(number, ([], None))
        self._queues[number] = (waiting + pieces, answer)
        self._send_queue(number)

    def _send_queue(self, number: int) -> None:
        pieces, answer = self._queues[number]
        while pieces:
            room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
            if room <= 0:
                return
            self._h2.send_data(number, pieces[0][:room])
            pieces[0] = pieces[0][room:]
            if not pieces[0]:
                del pieces[0]
        del self._queues[number]
        if answer is not None and answer.trailers:
            self._h2.send_headers(number, [(n.lower(), v) for n, v in answer.trailers], end_stream=True)
        elif answer is not None:
            self._h2.end_stream(number)

    def _push(self) -> None:
        if data := self._h2.data_to_send():
            self.channel.send(data)


@functools.cache
def _context(*protocols: str) -> ssl.SSLContext:
    context = authority().server_context("127.0.0.1", "localhost")
    context.set_alpn_protocols(list(protocols))
    return context


def over_tls(factory: Callable[[], Peer], *protocols: str) -> Callable[[], Peer]:
    """Return a factory that puts TLS before the peers of another one, which speak these protocols (default: h2)."""
    return with_tls(factory, _context(*(protocols or ("h2", "http/1.1"))))
