"""Servers that end idle connections at random moments, while the next request may be under way.

An honest server may do this: it has answered all that it has read, waits for a while, and closes. What arrives in
that moment is lost, and a client cannot know if it was. Each peer here stops reading at some answer, and up to
`LONGEST` seconds later it ends the connection, in one of the ways that servers have for it.
"""

from __future__ import annotations

from random import Random

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from tests.peers import Peer

__all__ = ["Fickle", "Fickle1", "Fickle2", "Host"]

#: Seconds between the last answer and the end, at most.
LONGEST = 0.005


class Host:
    """What the connections of one server share. `chance` is that of an answer to be a connection's last one."""

    def __init__(self, seed: int, chance: float) -> None:
        self.random = Random(seed)
        self.chance = chance
        self.connections = 0
        self.answers = 0
        #: How many connections were ended in which way.
        self.ends = dict.fromkeys(("close", "reset", "goodbye"), 0)

    def http1(self) -> Fickle1:
        """Make the peer of a connection."""
        self.connections += 1
        return Fickle1(self)

    def http2(self) -> Fickle2:
        """Make the peer of a connection."""
        self.connections += 1
        return Fickle2(self)


class Fickle(Peer):
    """What both versions have in common."""

    WAYS: tuple[str, ...]

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ending = False
        self._gone = False

    def receive_eof(self) -> None:
        self._gone = True
        super().receive_eof()

    def perhaps_end(self) -> None:
        """All that was read is answered: end the connection soon, perhaps."""
        random = self._host.random
        if not self._ending and random.random() < self._host.chance:
            self._ending = True
            self.channel.pause()
            self.channel.call_later(random.uniform(0, LONGEST), lambda: self._end(random.choice(self.WAYS)))

    def _end(self, way: str) -> None:
        if self._gone:
            return
        self._host.ends[way] += 1
        if way == "reset":
            self._gone = True
            self.channel.reset()
            return
        if way == "goodbye":
            self.say_goodbye()
        self.channel.close()

    def say_goodbye(self) -> None:
        """Tell the client which requests were seen."""
        raise NotImplementedError


class Fickle1(Fickle):
    """HTTP/1.1. Answers a request with its target. Knows no bodies save those that come with the head."""

    WAYS = ("close", "reset")

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._received = b""

    def receive_data(self, data: bytes) -> None:
        self._received += data
        head, end, self._received = self._received.partition(b"\r\n\r\n")
        if not end:
            self._received = head
            return
        self._received = b""  # a body
        method, target, _ = head.split(b" ", 2)
        body = b"" if method == b"HEAD" else target
        self.channel.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), body))
        self._host.answers += 1
        self.perhaps_end()


class Fickle2(Fickle):
    """HTTP/2, without TLS. Answers a request with its path, as soon as it has its head."""

    WAYS = ("close", "reset", "goodbye")

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._h2 = H2Connection(H2Configuration(client_side=False, validate_outbound_headers=False))
        self._h2.initiate_connection()
        self._last = 0

    def receive_data(self, data: bytes) -> None:
        answered = False
        for event in self._h2.receive_data(data):
            if isinstance(event, RequestReceived):
                self._answer(event)
                answered = True
        if out := self._h2.data_to_send():
            self.channel.send(out)
        if answered:
            self.perhaps_end()

    def _answer(self, event: RequestReceived) -> None:
        assert event.headers is not None and event.stream_id is not None
        fields = {bytes(name): bytes(value) for name, value in event.headers}
        number, path = event.stream_id, fields[b":path"]
        head = fields[b":method"] == b"HEAD"
        told = [(":status", "200"), ("content-length", str(len(path)))]
        self._h2.send_headers(number, told, end_stream=head)
        if not head:
            self._h2.send_data(number, path, end_stream=True)
        self._last = number
        self._host.answers += 1

    def say_goodbye(self) -> None:
        self._h2.close_connection(last_stream_id=self._last)
        self.channel.send(self._h2.data_to_send())
