"""Whether the peer listens to what it asked for: answers that it does not take pile up in front of it.

Each PING and SETTINGS draws an answer, and so does what comes for streams that are over. A peer that goes on asking and
reads nothing would fill our memory with answers, at its leisure: `Patience` is for floods that bring no stream
forward, and this one may do so. So, now and then, a PING of ours goes out behind the answers. Its eight bytes cannot be
guessed: who sends them back has read all that came before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ambient import random_bytes
from .faults import Code, ConnectionFault

if TYPE_CHECKING:
    from .engine import Engine
    from .frames import Frame

__all__ = ["ASKED_AFTER", "MOST_UNHEARD", "Hearing"]

#: Answers after which the peer has to show that it has heard them, and those that it gets without doing so.
ASKED_AFTER = 1000
MOST_UNHEARD = 10_000


class Hearing:
    """Counts the answers since the peer has shown that it listens."""

    __slots__ = ("_answers", "_h2", "_token")

    def __init__(self, h2: Engine) -> None:
        self._h2 = h2
        self._answers = 0
        self._token = b""  # of the PING that has not been answered yet

    def answer(self) -> None:
        """A frame came that draws an answer. Raises ConnectionFault if the peer has not taken the ones before."""
        self._answers += 1
        if self._answers > MOST_UNHEARD:
            text = f"it asked {MOST_UNHEARD} times (PING, SETTINGS) without reading an answer"
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, text)
        if self._answers >= ASKED_AFTER and not self._token:
            self._token = random_bytes(8)
            self._h2.ping(self._token)

    def hear(self, frame: Frame) -> None:
        """The answer to a PING came."""
        if self._token and frame.payload == self._token:
            self._answers, self._token = 0, b""
