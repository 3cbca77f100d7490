"""Many worlds, in several processes: what was in them, and which of them went wrong."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from .world import Failure, World

__all__ = ["Found", "run"]

#: Worlds that a process runs before it tells of them.
_AT_ONCE = 100
#: Seconds between two lines that tell how it goes.
_PAUSE = 10.0
#: What networks write into the log when they do something to a connection.
_FATES = (": cut after", ": reset after", ": stall after")


class Found:
    """What was in some worlds."""

    def __init__(self) -> None:
        self.worlds = self.requests = self.steps = 0
        self.kinds: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        #: What went wrong, by the seeds of the worlds.
        self.failures: dict[int, str] = {}

    def add(self, other: Found) -> None:
        self.worlds += other.worlds
        self.requests += other.requests
        self.steps += other.steps
        for mine, theirs in (
            (self.kinds, other.kinds),
            (self.errors, other.errors),
            (self.faults, other.faults),
        ):
            mine.update(theirs)
        self.failures |= other.failures

    def look_at(self, world: World) -> None:
        """Run a world, and count what was in it."""
        try:
            world.run()
        except Failure as failure:
            self.failures[world.seed] = str(failure)
        self.worlds += 1
        self.requests += world.begun
        self.steps += world.steps
        self.kinds.update((world.kind, f"HTTP {world.version}", f"by {world.way or 'no proxy'}"))
        self.kinds[f"{len(world.parties)} clients"] += 1
        self.errors += world.errors
        self.faults += world.manners.tally
        for line in world.simulation.log:
            if " after " in line:
                for fate in _FATES:
                    if fate in line:
                        self.faults[f"network{fate[:-6]}"] += 1

    def report(self, seconds: float) -> str:
        """Return all of it in words."""
        lines = [
            f"{self.worlds:,} scenarios, {self.requests:,} requests, {self.steps:,} steps, each looked at; "
            f"{seconds:.0f} s",
            f"worlds: {_listed(self.kinds)}",
            f"faults: {_listed(self.faults)}",
            f"errors: {_listed(self.errors)}",
            f"broken invariants: {len(self.failures)}",
        ]
        lines += [f"  {text}" for _, text in sorted(self.failures.items())]
        return "\n".join(lines)


def run(first: int, count: int, jobs: int) -> int:
    """Run the worlds of these seeds, tell how that goes, and return 1 where one went wrong."""
    began = time.perf_counter()
    found = Found()
    told = 0.0
    for part in _parts(first, count, jobs):
        found.add(part)
        for text in part.failures.values():
            print(text[:1000], flush=True)
        seconds = time.perf_counter() - began
        if seconds < told + _PAUSE and found.worlds < count:
            continue
        told = seconds
        left = seconds / found.worlds * (count - found.worlds)
        print(
            f"{found.worlds:,} of {count:,}, {found.requests:,} requests, {len(found.failures)} failures, "
            f"{seconds:.0f} s, about {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )
    print(found.report(time.perf_counter() - began))
    return 1 if found.failures else 0


def _parts(first: int, count: int, jobs: int) -> Iterator[Found]:
    ranges = [
        range(begin, min(begin + _AT_ONCE, first + count)) for begin in range(first, first + count, _AT_ONCE)
    ]
    if jobs == 1:
        yield from map(look, ranges)
        return
    # Anew in each process, as what a process was forked from may have threads.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as executor:
        for done in as_completed([executor.submit(look, seeds) for seeds in ranges]):
            yield done.result()


def look(seeds: range) -> Found:
    """Run the worlds of some seeds."""
    found = Found()
    for seed in seeds:
        found.look_at(World(seed))
    return found


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counter.most_common()) or "none"
