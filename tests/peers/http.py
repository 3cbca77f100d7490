"""A well-behaved HTTP/1.1 server on h11.

site = Site(lambda call: Answer(200, b"hello"))
url = http.serve(site)
...
assert site.calls[0].method == "GET" and site.connections == 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import h11

from .peer import Channel, Peer

__all__ = ["Answer", "App", "Call", "HTTPPeer", "Site"]

Fields = Sequence[tuple[str, str]]


class Call:
    """A request as the server got it. `connection` counts from 1."""

    def __init__(self, connection: int, head: h11.Request) -> None:
        self.connection = connection
        self.method = head.method.decode("ascii")
        self.target = head.target.decode("ascii")
        self.path = self.target.partition("?")[0]
        self.fields = [(name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers]
        self.body = b""

    def field(self, name: str) -> str | None:
        """Return the value of the header field, names in lower case; None if there is none."""
        return dict(self.fields).get(name)


class Answer:
    """What to answer. `body` may be given in pieces, with `pause` seconds before each but the first.

    `delay`: seconds before the head. `close`: hang up after it. `informational`: status codes (1xx) to send
    before.
    """

    def __init__(
        self,
        status: int = 200,
        body: bytes | Sequence[bytes] = b"",
        fields: Fields = (),
        *,
        chunked: bool = False,
        delay: float = 0.0,
        pause: float = 0.0,
        close: bool = False,
        trailers: Fields = (),
        informational: Sequence[int] = (),
    ) -> None:
        self.status = status
        self.pieces = [body] if isinstance(body, bytes) else list(body)
        self.chunked = chunked
        self.delay = delay
        self.pause = pause
        self.trailers = list(trailers)
        self.informational = informational
        self.fields = list(fields)
        if close:
            self.fields.append(("Connection", "close"))
        if chunked:
            self.fields.append(("Transfer-Encoding", "chunked"))
        elif status >= 200 and status not in (204, 304):
            self.fields.append(("Content-Length", str(sum(map(len, self.pieces)))))


#: Answers a whole request. May return None where an answer was given at its head.
App = Callable[[Call], Answer]


class Site:
    """Makes the peers of one server, and remembers what they were asked.

    `app` is asked when a request has arrived in full; `at_head`, if given, as soon as its head has, and may
    return an answer already.
    """

    def __init__(self, app: App, at_head: Callable[[Call], Answer | None] | None = None) -> None:
        self.app = app
        self.at_head = at_head
        self.connections = 0
        self.calls: list[Call] = []
        #: Of the connections, those that the client has closed.
        self.closed = 0

    def __call__(self) -> HTTPPeer:
        self.connections += 1
        return HTTPPeer(self, self.connections)


class HTTPPeer(Peer):
    """One connection of a site."""

    def __init__(self, site: Site, number: int) -> None:
        self._site = site
        self._number = number
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        self._call: Call | None = None
        self._pieces: list[bytes] = []
        self._answering = False

    def connected(self, channel: Channel) -> None:
        self.channel = channel

    def receive_data(self, data: bytes) -> None:
        self._h11.receive_data(data)
        self._advance()

    def receive_eof(self) -> None:
        self._site.closed += 1
        self.channel.close()

    def _advance(self) -> None:
        while True:
            try:
                event: Any = self._h11.next_event()
            except h11.RemoteProtocolError as exc:
                self._refuse(exc)
                return
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._end()
            else:
                return

    def _begin(self, head: h11.Request) -> None:
        self._call = call = Call(self._number, head)
        self._site.calls.append(call)
        answer = self._site.at_head(call) if self._site.at_head is not None else None
        if answer is not None:
            self._answer(answer)

    def _end(self) -> None:
        assert self._call is not None
        self._call.body = b"".join(self._pieces)
        self._pieces = []
        if not self._answering:
            self._answer(self._site.app(self._call))
        else:
            self._rest()

    def _answer(self, answer: Answer) -> None:
        self._answering = True
        if answer.delay:
            self.channel.call_later(answer.delay, lambda: self._send_head(answer))
        else:
            self._send_head(answer)

    def _send_head(self, answer: Answer) -> None:
        for status in answer.informational:
            self._send(h11.InformationalResponse(status_code=status, headers=[]))
        self._send(h11.Response(status_code=answer.status, headers=answer.fields))
        assert self._call is not None
        bodiless = self._call.method == "HEAD" or answer.status in (204, 304)
        self._send_pieces([] if bodiless else list(answer.pieces), answer)

    def _send_pieces(self, pieces: list[bytes], answer: Answer) -> None:
        while pieces:
            self._send(h11.Data(pieces.pop(0)))  # type: ignore[arg-type]
            if pieces and answer.pause:
                self.channel.call_later(answer.pause, lambda: self._send_pieces(pieces, answer))
                return
        self._send(h11.EndOfMessage(headers=answer.trailers))
        self._rest()

    def _rest(self) -> None:
        """After an answer: hang up, or go on to the next request."""
        if self._h11.our_state is h11.MUST_CLOSE:
            self.channel.close()
        elif self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._answering = False
            self._h11.start_next_cycle()
            self._advance()

    def _send(self, event: Any) -> None:
        data = self._h11.send(event)
        if data:
            self.channel.send(data)

    def _refuse(self, exc: h11.RemoteProtocolError) -> None:
        text = str(exc).encode()
        self.channel.send(
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(text)
        )
        self.channel.send(text)
        self.channel.close()
