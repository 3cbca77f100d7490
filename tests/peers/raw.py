"""Servers that leave HTTP: they answer one request, and then speak something else on its connection.

http.serve(leaving(SWITCHED, Echo))
"""

from __future__ import annotations

from collections.abc import Callable

import wsproto
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage

from .peer import Channel, Peer

__all__ = ["CONNECTED", "SWITCHED", "Echo", "Leaving", "WebSocketEcho", "leaving"]

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Leaving(Peer):
    """Answers the first request, which has no body, and hands all that follows to another peer."""

    def __init__(self, answer: bytes, inner: Peer) -> None:
        self._answer = answer
        self._inner = inner
        self._head = b""
        self._left = False
        #: The head of the request.
        self.asked = b""

    def receive_data(self, data: bytes) -> None:
        if self._left:
            self._inner.receive_data(data)
            return
        self._head += data
        self.asked, end, rest = self._head.partition(b"\r\n\r\n")
        if end:
            self._left = True
            self.channel.send(self._answer)
            self._inner.connected(self.channel)
            if rest:
                self._inner.receive_data(rest)

    def receive_eof(self) -> None:
        if self._left:
            self._inner.receive_eof()
        self.channel.close()


class Echo(Peer):
    """Sends everything back, in capitals."""

    def receive_data(self, data: bytes) -> None:
        self.channel.send(data.upper())


class WebSocketEcho(Peer):
    """Accepts WebSockets (RFC 6455), by wsproto, and sends every message back."""

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        self._socket = wsproto.WSConnection(wsproto.ConnectionType.SERVER)

    def receive_data(self, data: bytes) -> None:
        self._socket.receive_data(data)
        for event in self._socket.events():
            if isinstance(event, Request):
                self.channel.send(self._socket.send(AcceptConnection(subprotocol=event.subprotocols[0])))
            elif isinstance(event, TextMessage):
                self.channel.send(
                    self._socket.send(TextMessage(event.data, message_finished=event.message_finished))
                )
            elif isinstance(event, BytesMessage):
                self.channel.send(
                    self._socket.send(BytesMessage(event.data, message_finished=event.message_finished))
                )
            elif isinstance(event, Ping):
                self.channel.send(self._socket.send(event.response()))
            elif isinstance(event, CloseConnection):
                self.channel.send(self._socket.send(event.response()))
                self.channel.close()


def leaving(answer: bytes, inner: Callable[[], Peer]) -> Callable[[], Leaving]:
    """Return a factory of peers that answer so, and then are others."""
    return lambda: Leaving(answer, inner())
