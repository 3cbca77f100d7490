"""Servers that reset, stall, truncate, answer 5xx, close idle connections and say what nobody asked for.

Each path tells what to do: /get/300/token answers 300 bytes, made of the token.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from functools import partial
from random import Random
from types import TracebackType

from hyperframe.frame import GoAwayFrame

from tests.peers import Answer, RealNetwork, with_tls
from tests.peers.http2 import Ask, Http2Site, Reset, over_tls
from tests.stress.peer import content

from ..backends.quick import Quick

__all__ = ["Faulty1", "Servers", "content"]

#: Seconds between an answer and the end of its connection, at most.
LONGEST = 0.005
INTERNAL, REFUSED = 2, 7
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


class Servers:
    """The process, as a context manager. `urls` are those of its three servers."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.urls = self._process.stdout.readline().decode().split()

    def __enter__(self) -> Servers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        assert self._process.returncode == 0 or error is not None, "the server failed"


def head(size: int, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    """Return the head of an answer."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % size, *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Faulty1(Quick):
    """HTTP/1.1. What it does is in the path of each request."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def answer(self, body: bytes) -> None:
        what, size, token = body.split(b" ")[1][1:].decode().split("/")
        getattr(self, f"_{what}")(content(token, int(size)))

    def _get(self, data: bytes) -> None:
        self.channel.send(head(len(data)) + data)

    _post = _get

    def _unavailable(self, data: bytes) -> None:
        self.channel.send(head(len(data), b"Retry-After: 0", status=b"503 Service Unavailable") + data)

    def _chunked(self, data: bytes) -> None:
        chunks = [b"%x\r\n%b\r\n" % (len(data), data)] * bool(data)
        self.channel.send(
            b"".join([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n"])
        )

    def _gzip(self, data: bytes) -> None:
        packed = gzip.compress(data, 1)
        self.channel.send(head(len(packed), b"Content-Encoding: gzip") + packed)

    def _bad_gzip(self, data: bytes) -> None:
        packed = gzip.compress(data, 1)[:-5]
        self.channel.send(head(len(packed), b"Content-Encoding: gzip") + packed)

    def _drip(self, data: bytes) -> None:
        half = len(data) // 2
        self.channel.send(head(len(data)) + data[:half])
        self._later(lambda: self.channel.send(data[half:]))

    def _slow(self, data: bytes) -> None:
        self._later(lambda: self._get(data))

    def _fickle(self, data: bytes) -> None:
        self._get(data)
        self.channel.pause()  # it has heard all that it wants to hear
        self._later(self._random.choice((self.channel.close, self.channel.reset)))

    def _last(self, data: bytes) -> None:
        self.channel.send(head(len(data), b"Connection: close") + data)
        self.channel.close()

    def _surplus(self, data: bytes) -> None:
        # Not later: what the next request has crossed on its way cannot be told from an answer to it.
        self.channel.send(head(len(data)) + data + POISON)

    def _stall(self, data: bytes) -> None:
        pass

    def _stall_body(self, data: bytes) -> None:
        self.channel.send(head(len(data) + 1) + data)

    def _reset(self, data: bytes) -> None:
        self.channel.reset()

    def _reset_body(self, data: bytes) -> None:
        self.channel.send(head(len(data) + 1) + data)
        self._later(self.channel.reset)

    def _truncate(self, data: bytes) -> None:
        self.channel.send(head(len(data) + 1) + data)
        self.channel.close()

    def _close(self, data: bytes) -> None:
        self.channel.close()

    def _garbage(self, data: bytes) -> None:
        self.channel.send(b"220 mail.example ESMTP\r\n" + data)

    def _later(self, act: object) -> None:
        self.channel.call_later(self._random.random() * LONGEST, lambda: self.gone or act())  # type: ignore[operator]


class Faulty2(Http2Site):
    """HTTP/2. What it does is in the path of each request; some of it ends the connection, for all."""

    def __init__(self, random: Random) -> None:
        super().__init__(self.answer)
        self._random = random

    def answer(self, ask: Ask) -> Answer | Reset | None:
        self.asked.clear()
        what, number, token = ask.path[1:].split("/")
        peer, data = self.peers[ask.connection - 1], content(token, int(number))
        pause = self._random.random() * LONGEST
        if what in ("reset", "close", "garbage"):
            return Reset(INTERNAL)
        if what in ("reset_body", "truncate"):
            return Reset(INTERNAL, len(data))
        if what == "stall":
            return None
        if what == "stall_body":
            return Answer(200, [data, b"!"], pause=3600)
        if what == "fickle":
            act = self._random.choice((peer.channel.close, peer.channel.reset))
            peer.channel.call_later(pause, act)
        elif what == "last":
            peer.tell(GoAwayFrame(0, last_stream_id=ask.stream))
        if what in ("gzip", "bad_gzip"):
            packed = gzip.compress(data, 1)
            return Answer(200, packed[:-5] if what == "bad_gzip" else packed, [("Content-Encoding", "gzip")])
        half = len(data) // 2
        pieces = [data[:half], data[half:]] if what == "drip" else [data]
        status = 503 if what == "unavailable" else 200
        return Answer(status, pieces, pause=pause, delay=pause if what == "slow" else 0)


def main() -> None:
    random = Random(1)
    plain = partial(Faulty1, random)
    with RealNetwork() as network:
        ports = [
            network.listen(plain),
            network.listen(with_tls(plain)),
            network.listen(over_tls(Faulty2(random))),
        ]
        schemes = ("http", "https", "https")
        print(
            *[f"{scheme}://127.0.0.1:{port}" for scheme, port in zip(schemes, ports, strict=True)], flush=True
        )
        sys.stdin.read()


if __name__ == "__main__":
    main()
