"""What a target is, and what targets have in common."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

__all__ = ["TARGETS", "Target", "cut", "target"]

#: Takes an input, and raises if something is wrong with what becomes of it. What it returns tells kinds of outcomes
#: apart: an input with an outcome that is new is one to go on with.
Check = Callable[[bytes], Hashable]
#: Makes an input of another one, in a way that suits the target.
Mutate = Callable[[Random, bytes], bytes]


class Target(NamedTuple):
    """Something to be fuzzed: where to begin, and words that mean something there."""

    name: str
    check: Check
    seeds: Sequence[bytes]
    words: Sequence[bytes]
    mutate: Mutate | None = None
    #: Seconds of CPU that one input may take at most, whatever it is.
    longest: float = 2.0


TARGETS: dict[str, Target] = {}


def target(
    seeds: Sequence[bytes], words: Sequence[bytes] = (), mutate: Mutate | None = None
) -> Callable[[Check], Check]:
    """Make a target of a function, whose name it gets."""

    def made(check: Check) -> Check:
        name = check.__name__
        TARGETS[name] = Target(name, check, seeds, words, mutate)
        return check

    return made


def cut(data: bytes, seed: int) -> Iterator[list[bytes]]:
    """Yield the data in pieces, in several ways: whole, byte by byte where it is short, and at a few places."""
    yield [data] if data else []
    if len(data) < 300:
        yield [data[at : at + 1] for at in range(len(data))]
    random = Random(seed)
    edges = [0, *sorted(random.randrange(len(data) + 1) for _ in range(4)), len(data)]
    yield [data[start:end] for start, end in pairwise(edges) if start < end]
