"""Servers that follow a script, however wrong it is: bytes, pauses in seconds, `CLOSE` and `RESET`.

http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 0.05, b"of it", CLOSE]))
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from functools import partial

from .peer import Channel, Peer

__all__ = ["CLOSE", "RESET", "Deaf", "Script", "Step", "dripping", "scripted"]


class Act(enum.Enum):
    """What a script can do besides sending and waiting."""

    CLOSE = "close"
    RESET = "reset"


CLOSE = Act.CLOSE
RESET = Act.RESET

#: Bytes to send, seconds to wait, CLOSE or RESET.
Step = bytes | float | Act


class Script(Peer):
    """Follows the n-th script when it gets the n-th request (its blank line, that is); then the last one again.

    With `at_once`, follows the first one as soon as a client connects.
    """

    def __init__(self, scripts: Sequence[Sequence[Step]], at_once: bool = False) -> None:
        self._scripts = scripts
        self._at_once = at_once
        self._requests = 0
        self._received = b""

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        if self._at_once:
            self._begin()

    def receive_data(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            self._received = self._received[end + 4 :]
            self._begin()

    def _begin(self) -> None:
        self._requests += 1
        if self._scripts:
            self._follow(list(self._scripts[min(self._requests, len(self._scripts)) - 1]))

    def _follow(self, steps: list[Step]) -> None:
        for index, step in enumerate(steps):
            if isinstance(step, bytes):
                self.channel.send(step)
            elif step is CLOSE:
                self.channel.close()
            elif step is RESET:
                self.channel.reset()
            else:
                assert isinstance(step, float)
                self.channel.call_later(step, partial(self._follow, steps[index + 1 :]))
                return


class Deaf(Peer):
    """Never reads what the client sends, and never answers."""

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        channel.pause()


def scripted(*scripts: Sequence[Step], at_once: bool = False) -> Callable[[], Script]:
    """Return a factory of peers that follow the scripts; with none, they never answer."""
    return lambda: Script(scripts, at_once)


def dripping(data: bytes, size: int, seconds: float) -> list[Step]:
    """Return a script that sends `size` bytes at a time, with `seconds` between."""
    steps: list[Step] = []
    for start in range(0, len(data), size):
        steps += [data[start : start + size], seconds]
    return steps[:-1]
