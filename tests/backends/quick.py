"""Servers that cost next to nothing, for tests that ask them thousands of times."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tests.peers import Peer

__all__ = ["Quick", "Slow", "open_files"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Quick(Peer):
    """Answers each request with its method, target and body. Knows bodies with Content-Length only."""

    def __init__(self) -> None:
        self._received = b""
        self.gone = False

    def receive_data(self, data: bytes) -> None:
        self._received += data
        while (start := self._received.find(b"\r\n\r\n") + 4) > 3:
            head = self._received[:start]
            length = _LENGTH.search(head)
            end = start + (int(length[1]) if length else 0)
            if len(self._received) < end:
                return
            method, target, _ = head.split(b" ", 2)
            body = self._received[start:end]
            self._received = self._received[end:]
            self.answer(b"%s %s %s" % (method, target, body))

    def receive_eof(self) -> None:
        self.gone = True
        super().receive_eof()

    def answer(self, body: bytes) -> None:
        """Send a response."""
        self.channel.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Slow(Quick):
    """Takes up to `longest` seconds before each of the three parts of an answer, at random."""

    longest = 0.004

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(body))
        self._send_later([head, body, body])

    def _send_later(self, parts: list[bytes]) -> None:
        def send() -> None:
            if not self.gone:
                self.channel.send(parts[0])
                if parts[1:]:
                    self._send_later(parts[1:])

        self.channel.call_later(self._random.random() * self.longest, send)

    @classmethod
    def factory(cls, seed: int) -> Callable[[], Slow]:
        """A factory of such peers, which share their randomness."""
        random = Random(seed)
        return lambda: cls(random)


def open_files() -> int | None:
    """How many files and sockets this process has open; None where that cannot be known."""
    import os

    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):
            return len(os.listdir(folder))
    return None
