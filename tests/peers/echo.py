"""Servers that send a request's body back while it comes, and hold little of it: full duplex, with back pressure.

http.serve(ChunkedEcho)      # HTTP/1.1, for bodies in chunks
http.serve(Http2Echo)        # HTTP/2, with prior knowledge
"""

from __future__ import annotations

import contextlib
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import StreamClosedError

from .peer import Channel, Peer

__all__ = ["HELD", "ChunkedEcho", "Http2Echo"]

#: Bytes that a server holds before it reads no more.
HELD = 64 * 1024
MOMENT = 0.0005


class ChunkedEcho(Peer):
    """Sends every byte behind the head of a request back: chunks of a request are chunks of a response."""

    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def __init__(self) -> None:
        self._data = b""
        self._begun = False
        self._tail = b""

    def receive_data(self, data: bytes) -> None:
        if not self._begun:
            self._data += data
            head, end, data = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            self._begun, self._data, self._tail = True, b"", b"\r\n"
            self.begin(head)
        self.body(data)

    def begin(self, head: bytes) -> None:
        """The head of a request has come."""
        self.channel.send(self.head)

    def body(self, data: bytes) -> None:
        """Some of its body has come."""
        self.channel.send(data)
        self._tail = (self._tail + data)[-7:]
        if self._tail == b"\r\n0\r\n\r\n":
            self._begun = False
        if self.channel.unsent > HELD:
            self.channel.pause()
            self._look()

    def _look(self) -> None:
        if self.channel.unsent > HELD:
            self.channel.call_later(MOMENT, self._look)
        else:
            self.channel.resume()


class Http2Echo(Peer):
    """Sends bodies back as the client's windows allow, and opens its own only for what has gone."""

    resets: int

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        self._h2 = H2Connection(H2Configuration(client_side=False))
        self._h2.initiate_connection()
        self._held: dict[int, list[tuple[bytes, int]]] = {}
        self._ended: set[int] = set()
        self.resets = 0
        self._push()

    def receive_data(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            self._hear(event)
        for number in list(self._held):
            self._send(number)
        self._push()

    def _hear(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            with contextlib.suppress(StreamClosedError):  # the client has given it up in the same breath
                self._h2.send_headers(event.stream_id, [(b":status", b"200")])
                self._held[event.stream_id] = []
        elif isinstance(event, DataReceived):
            if event.stream_id in self._held:
                self._held[event.stream_id].append((event.data, event.flow_controlled_length))
            else:
                self._h2.increment_flow_control_window(event.flow_controlled_length)
        elif isinstance(event, StreamEnded):
            self._ended.add(event.stream_id)
        elif isinstance(event, StreamReset):
            self.resets += 1
            for _, owed in self._held.pop(event.stream_id, []):
                self._h2.increment_flow_control_window(owed)  # of the connection

    def _send(self, number: int) -> None:
        held = self._held[number]
        while held:
            data, owed = held[0]
            room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
            if data and room <= 0:
                return
            if data:
                self._h2.send_data(number, data[:room])
            data = data[room:]
            if data:
                held[0] = (data, owed)
            else:
                del held[0]
                if owed:
                    self._h2.acknowledge_received_data(owed, number)
        if number in self._ended:
            self._h2.end_stream(number)
            del self._held[number]

    def receive_eof(self) -> None:
        self.channel.close()

    def _push(self) -> None:
        if data := self._h2.data_to_send():
            self.channel.send(data)
