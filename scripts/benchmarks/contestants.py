"""One client in one workload, seen from the bench: a process that is given turns.

`prepare` warms it, `take_turn` measures once. What goes wrong is kept, not raised, so that the others go on:
`missing` if the library is not installed, `fault` if it crashed or a body was wrong.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from .apart import environment_of
from .machine import child_environment, pinned, processors
from .workloads import TRANSFERS, Load, Workload

#: How an interpreter says that a library is not installed (or, of a bare folder, that there is nothing in it).
NOT_THERE = re.compile(
    r"ModuleNotFoundError|ImportError|AttributeError: module '\w+' has no attribute 'Client'"
)
#: Seconds after which a silent process is killed.
PATIENCE = 600.0


class Pace(NamedTuple):
    """How much is measured."""

    rounds: int
    #: Seconds that a turn should take.
    seconds: float
    #: A turn has at least so many requests for each user: the first and the last are not the usual case.
    least_each: int
    #: Seconds: a client whose turn takes longer has said enough and sits out the later rounds.
    long_turn: float
    quick: bool


class Sample(NamedTuple):
    """One turn: the figure in the workload's unit, and how many requests (or MB) it did a second."""

    #: None where the system does not tell.
    figure: float | None
    per_second: float | None = None
    #: Of transfers only: CPU time in ms, and memory added in MB.
    cpu: float | None = None
    memory: float | None = None


class Contestant:
    """What both kinds have in common."""

    def __init__(self, workload: Workload, client: str, pace: Pace) -> None:
        self.workload, self.client, self.pace = workload, client, pace
        self.version = ""
        self.missing: str | None = None
        self.fault: str | None = None
        self.samples: list[Sample] = []

    @property
    def playing(self) -> bool:
        """Whether it can take another turn."""
        return self.missing is None and self.fault is None

    def prepare(self) -> None:
        """Get ready for the first turn."""

    def take_turn(self) -> None:
        """Measure once."""
        raise NotImplementedError

    def close(self) -> None:
        """End the process."""


class Standing(Contestant):
    """A client in a process that stays, with its connections, for all rounds."""

    def __init__(self, workload: Workload, client: str, pace: Pace, load: Load) -> None:
        super().__init__(workload, client, pace)
        self.process = _started(
            client, ["-m", "benchmarks.worker", json.dumps({"client": client, "load": load._asdict()})]
        )
        self.turn = 0
        self.tired = False

    def prepare(self) -> None:
        """Wait until the client is imported, warm it, and find how much fits into a turn."""
        self.version = self.answer().get("version", "")
        warm = self.order(self.workload.warm_up)
        if self.workload.turn:
            self.turn = self.workload.turn[self.pace.quick]
        elif warm:
            # The first requests also opened the connections: the next tell more, unless they take long.
            pilot = warm if warm["wall"] > self.pace.seconds * 5 else self.order(self.workload.warm_up)
            self.turn = self.fitting(pilot)

    def fitting(self, pilot: dict[str, Any]) -> int:
        """Return how many requests fill a turn, by what the pilot took: the same for each user."""
        each: float = pilot.get("wall", 1.0) / self.workload.warm_up
        users = self.workload.load.concurrency
        return users * max(math.ceil(self.pace.seconds / each / users), self.pace.least_each)

    def take_turn(self) -> None:
        """Have one turn done, unless the client sits out."""
        if not self.tired and (facts := self.order(self.turn)):
            self.samples.append(self.sampled(facts))
            self.tired = facts["wall"] > self.pace.long_turn

    def sampled(self, facts: dict[str, Any]) -> Sample:
        """Return the turn's figure in the workload's unit."""
        if self.workload.load.task in TRANSFERS:
            wall: float = facts["wall"]
            return Sample(wall * 1e3, self.turn / wall / 1e6, facts["cpu"] * 1e3, facts["memory"])
        if self.workload.load.task == "hold":
            return Sample(facts["held"])
        if self.workload.load.counted:
            return Sample(facts["frames"] / self.turn)
        scale = {"µs": 1e6, "ms": 1e3}[self.workload.unit]
        return Sample(facts["cpu"] / self.turn * scale, self.turn / facts["wall"])

    def order(self, count: int) -> dict[str, Any]:
        """Have `count` requests (or bytes) done; empty if it cannot."""
        if not self.playing:
            return {}
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # if it died, its last answer says why
            self.process.stdin.write(f"{count}\n")
            self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """Read one answer; a fault, or the end of the process, is kept and leaves nothing to return."""
        assert self.process.stdout is not None
        with _watched(self.process):
            line = self.process.stdout.readline()
        facts: dict[str, Any] = json.loads(line) if line else {"fault": self.last_words()}
        self.missing, self.fault = facts.get("missing"), facts.get("fault")
        return facts if self.playing else {}

    def last_words(self) -> str:
        """Say how the process ended."""
        return f"the process ended with status {self.process.wait()}, or was silent for {PATIENCE:.0f} s"

    def close(self) -> None:
        """End the process at once: it may be in the middle of a turn."""
        self.process.kill()
        with contextlib.suppress(OSError):  # an order that it never read
            self.process.communicate()


class Fresh(Contestant):
    """Statements that run in a new interpreter each turn."""

    def __init__(self, workload: Workload, client: str, pace: Pace, statements: str) -> None:
        super().__init__(workload, client, pace)
        self.command = ["-c", f"from time import process_time as cpu\n{statements}\nprint(figure)"]

    def prepare(self) -> None:
        """Run once unmeasured: this tells if the library is there, and leaves its compiled modules behind."""
        self.take_turn()
        self.samples.clear()

    def take_turn(self) -> None:
        if not self.playing:
            return
        process = _started(self.client, self.command)
        with _watched(process):
            output, errors = process.communicate()
        if process.returncode == 0:
            self.samples.append(Sample(float(output)))
        elif NOT_THERE.match(reason := errors.rstrip().rpartition("\n")[2]):
            self.missing = reason
        else:
            self.fault = errors or f"the interpreter ended with status {process.returncode}"


@contextlib.contextmanager
def _watched(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill the process if what is done inside takes too long."""
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _started(client: str, arguments: list[str]) -> subprocess.Popen[str]:
    places = processors()
    fresh = arguments[0] == "-c"
    with pinned(places and places[1]):
        return subprocess.Popen(
            [sys.executable, "-P", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if fresh else None,
            text=True,
            env=environment_of(client, child_environment()),
        )
