"""What the servers of one world may do, and how often."""

from __future__ import annotations

from collections import Counter
from random import Random

__all__ = ["FAULTS", "Manners"]

#: What a server may do to a request, and whether a request that may be repeated gets an answer all the same.
FAULTS = {
    "half": False,  # close in the middle of the answer
    "half_reset": False,
    "half_end": False,  # half of the answer, and half of the connection is closed
    "silent": False,  # close in the place of an answer
    "silent_reset": False,
    "stall": False,
    "early": True,  # a good answer before the request's body is there
    "early_error": False,  # another one, and the rest of the body is not read
    "drip": True,  # a good answer, a few bytes at a time
    "surplus": True,  # HTTP/1.1: bytes behind a good answer
    "misdirected": True,  # 421, once, where the connection is not new
    "deaf": False,  # not only no answer: nothing is read any more either
    "refused": True,  # HTTP/2, as all below
    "goaway": True,
    "reset": False,
    "half_stream": False,
}


class Manners:
    """Chances between 0 and 1. `kind`: "perfect", "gentle" (nothing that a good client cannot hide), or "rough"."""

    def __init__(self, random: Random, kind: str) -> None:
        rough = kind == "rough"
        allowed = [] if kind == "perfect" else [name for name, gentle in FAULTS.items() if gentle or rough]
        #: What can happen to a request, with its chance.
        self.faults = {name: random.choice((0.02, 0.1, 0.3)) for name in allowed if random.random() < 0.4}
        self.kind = kind
        self.slow = random.choice(
            (0.0, 0.0, 0.05, 0.5)
        )  # most seconds before an answer, and between its pieces
        self.pieces = random.choice((1, 1, 3, 10))
        self.informs = random.choice((0.0, 0.0, 0.2))
        self.heeds_expect = random.random() < 0.7
        perfect = kind == "perfect"
        self.leaves = 0.0 if perfect else random.choice((0.0, 0.2, 0.6))  # hang up on an idle connection
        self.leaves_by = random.choice(("close", "close", "end", *(("reset",) if rough else ())))
        self.says_close = 0.0 if perfect else random.choice((0.0, 0.1))
        self.open_ended = 0.0 if perfect else random.choice((0.0, 0.2))
        self.keep_alive = random.random() < 0.2
        #: HTTP/2: settings that change, and small windows.
        self.streams = random.choice((None, None, 1, 2, 3, 10))
        self.changes = 0.0 if perfect else random.choice((0.0, 0.1, 0.3))
        self.least_streams = 0 if rough else 1
        self.window = random.choice((None, None, 10, 1000, 20_000))
        self.goaways = 3 if rough else 1  # for each server; a client does not try for ever
        self.pings = random.choice((0.0, 0.0, 0.2))
        #: Who asks for credentials, sets cookies, and is too busy.
        self.guarded = random.choice((0.0, 0.2, 0.5))
        self.cookies = random.choice((0.0, 0.0, 0.3))
        self.busy = random.choice((0.0, 0.0, 0.1, 0.3))
        #: What was done, and how often.
        self.tally: Counter[str] = Counter()

    def fault(self, random: Random, *those: str) -> str:
        """Draw what goes wrong, "" for nothing."""
        for name, chance in self.faults.items():
            if name in those and random.random() < chance:
                self.tally[name] += 1
                return name
        return ""

    def improve(self) -> None:
        """From now on nothing goes wrong."""
        self.faults = {}
        self.kind = "perfect"
        self.leaves = self.says_close = self.changes = self.slow = self.busy = 0.0
