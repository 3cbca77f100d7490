"""The server: HTTP/2, with TLS or without, in a process of its own, so that it takes no time of the client's.

Each path tells what to do: /get/300/token answers 300 bytes, made of the token. See `answer`.
"""

from __future__ import annotations

import subprocess
import sys
import zlib
from random import Random
from types import TracebackType

from h2.settings import SettingCodes

from tests.peers import Answer, RealNetwork
from tests.peers.http2 import Ask, Http2Site, Reset, over_tls

__all__ = ["PIECES", "Server", "content"]

#: In how many pieces an answer comes that takes its time.
PIECES = 4
#: Bytes of all requests together that may be under way: several streams wait for room, again and again.
WINDOW = 1_000_000
REFUSED = 7
INTERNAL = 2


class Server:
    """The process, as a context manager. `streams` is how many it allows at a time."""

    def __init__(self, streams: int = 1000, tls: bool = False) -> None:
        command = [sys.executable, "-m", __name__, str(streams), *["tls"] * tls]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.url = f"http{'s' * tls}://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        assert self._process.returncode == 0 or error is not None, "the server failed"


def content(token: str, size: int) -> bytes:
    """Return the bytes that belong to a token, and to no other."""
    word = token.encode() + b" "
    return (word * (size // len(word) + 1))[:size]


class Site(Http2Site):
    """Answers as the paths say."""

    def __init__(self, streams: int) -> None:
        settings = {SettingCodes.MAX_CONCURRENT_STREAMS: streams, SettingCodes.INITIAL_WINDOW_SIZE: 100_000}
        super().__init__(self.answer, self.early, settings)
        self._random = Random(1)
        self._refused: set[str] = set()

    def early(self, ask: Ask) -> Answer | Reset | None:
        """Answer to the head of a request already."""
        if ask.stream == 1:
            self.peers[-1].open_window(WINDOW)
        what, _, token = ask.path[1:].split("/")
        if what == "early":
            return Answer(413, content(token, 20))
        if what == "refused" and token not in self._refused:
            self._refused.add(token)
            return Reset(REFUSED)
        return None

    def answer(self, ask: Ask) -> Answer | Reset | None:
        """Answer to the whole of a request."""
        self.asked.clear()
        body, ask.body = ask.body, b""
        what, number, token = ask.path[1:].split("/")
        size = int(number)
        if what == "counts":
            return Answer(200, f"{self.connections} {len(self.resets)}".encode())
        if what in ("post", "upload"):
            return Answer(200, f"{token} {len(body)} {zlib.crc32(body)}".encode())
        if what == "slow":
            return Answer(200, content(token, size), delay=self._random.random() * 0.03)
        if what == "drip":
            data, step = content(token, size), size // PIECES + 1
            pieces = [data[start : start + step] for start in range(0, size, step)]
            return Answer(200, pieces, pause=self._random.random() * 0.01)
        if what == "reset":
            return Reset(INTERNAL, None if size % 2 else 100)
        return Answer(200, content(token, size))


def main() -> None:
    with RealNetwork() as network:
        site = Site(int(sys.argv[1]))
        print(network.listen(over_tls(site) if sys.argv[2:] else site), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
