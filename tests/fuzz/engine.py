"""Inputs made out of others, and what is learned from them."""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from random import Random
from types import CodeType, FrameType
from typing import Any

from .target import Target

__all__ = ["MAX_SIZE", "Coverage", "Failure", "Fuzzer", "mutated"]

#: Bytes of an input, at most.
MAX_SIZE = 20_000
#: Seconds after which an input is said to hang.
LONGEST = 20

_BYTES = b"\x00\t\n\r \"%&'*+,-./09:;<=>?@AZ[\\]^_az{|}~\x7f\x80\xc3\xff"
_NUMBERS = (
    *(b"0", b"-1", b"+1", b"00", b"1_0", b"0x10", b"255", b"256", b"65535", b"65536", b"2147483648"),
    *(b"18446744073709551616", b"9" * 30, "\u0661".encode(), b"1e9", b"1.5"),
)


class Failure(Exception):
    """What a target found wrong, and with which input."""

    def __init__(self, target: Target, data: bytes, error: BaseException) -> None:
        super().__init__(f"{target.name}: {type(error).__name__}: {error}")
        self.target = target
        self.data = data
        self.error = error

    def report(self) -> str:
        """Say how to see it again."""
        where = "".join(traceback.format_exception(self.error)[-6:])
        return f"{where}\n{self}\n    python -m tests.fuzz {self.target.name} --input {self.data!r}"


class Hung(Exception):
    """An input took far too long."""


class Coverage:
    """The lines of the core that were reached. A function of which all were is traced no more."""

    def __init__(self, folder: str = "httpure_core") -> None:
        self.reached = 0
        self._folder = folder
        self._left: dict[CodeType, set[int]] = {}

    def __enter__(self) -> Coverage:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *reason: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        left = self._left.get(code)
        if left is None:
            ours = self._folder in code.co_filename
            left = self._left[code] = {line for *_, line in code.co_lines() if line} if ours else set()
        return self._line if left else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        left = self._left[frame.f_code]
        if event == "line" and frame.f_lineno in left:
            left.discard(frame.f_lineno)
            self.reached += 1
        return self._line


class Fuzzer:
    """Tries inputs on one target. Those that reach something new are what the next ones are made of."""

    def __init__(self, target: Target, seed: int, coverage: Coverage | None = None) -> None:
        self.target = target
        self.tried = 0
        self.outcomes: set[Hashable] = set()
        self.corpus: list[bytes] = []
        self._random = Random(f"{target.name} {seed}")
        self._coverage = coverage
        for data in target.seeds:
            self.corpus.append(data)
            self.outcomes.add(self.run(data))

    def step(self) -> None:
        """Try one more input. Raises Failure."""
        random, target = self._random, self.target
        data = random.choice(self.corpus)
        if target.mutate is not None and random.random() < 0.5:
            data = target.mutate(random, data)
        if target.mutate is None or random.random() < 0.5:
            data = mutated(random, data, target.words, self.corpus)
        before = self._coverage.reached if self._coverage is not None else 0
        outcome = self.run(data)
        new_lines = self._coverage is not None and self._coverage.reached > before
        if outcome not in self.outcomes or new_lines:
            self.outcomes.add(outcome)
            self.corpus.append(data)

    def run(self, data: bytes) -> Hashable:
        """Try this input. Raises Failure."""
        self.tried += 1
        before = time.process_time()
        try:
            with _limited():
                if self._coverage is None:
                    outcome = self.target.check(data)
                else:
                    with self._coverage:
                        outcome = self.target.check(data)
        except Exception as exc:
            raise Failure(self.target, data, exc) from None
        taken = time.process_time() - before
        if taken > self.target.longest:
            raise Failure(self.target, data, Hung(f"it took {taken:.1f} s of CPU"))
        return outcome

    def shrunk(self, failure: Failure, seconds: float = 5.0) -> Failure:
        """Return the failure with a smaller input that ends in the same kind of error."""
        kind, data = type(failure.error), failure.data
        ends = time.monotonic() + seconds
        size = len(data) // 2
        while size:
            at = 0
            while at < len(data) and time.monotonic() < ends:
                shorter = data[:at] + data[at + size :]
                try:
                    self.run(shorter)
                except Failure as again:
                    if type(again.error) is kind:
                        failure, data = again, shorter
                        continue
                at += size
            size //= 2
        return failure


@contextmanager
def _limited() -> Iterator[None]:
    """Interrupt what hangs, where that can be done."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hung(f"it was not done after {LONGEST} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def mutated(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    """Return something like the data."""
    for _ in range(1 + int(random.expovariate(0.7))):
        change = random.choice(_CHANGES)
        data = change(random, data, words, others)
    return data[:MAX_SIZE]


def _place(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + int(random.expovariate(0.15)))


def _set_byte(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    byte = random.choice(_BYTES) if random.random() < 0.7 else random.randrange(256)
    return data[:at] + bytes([byte]) + data[at + 1 :]


def _insert_byte(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.choice(_BYTES)]) + data[at:]


def _insert_word(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    start, end = _place(random, data)
    word = random.choice(words or _NUMBERS)
    return data[:start] + word + data[start if random.random() < 0.5 else end :]


def _number(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    places = [at for at, byte in enumerate(data[:2000]) if 48 <= byte <= 57]
    if not places:
        return data
    start = end = random.choice(places)
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    return data[:start] + random.choice(_NUMBERS) + data[end:]


def _delete(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    start, end = _place(random, data)
    return data[:start] + data[end:]


def _repeat(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    start, end = _place(random, data)
    times = random.choice((1, 1, 2, 5, 20, 200, 2000))
    return (data[:end] + data[start:end] * times)[:MAX_SIZE] + data[end:]


def _move(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    start, end = _place(random, data)
    rest = data[:start] + data[end:]
    at = random.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def _splice(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    other = random.choice(others)
    start = random.randrange(len(other) + 1)
    return data[: random.randrange(len(data) + 1)] + other[start:]


def _swap_case(random: Random, data: bytes, words: Any, others: list[bytes]) -> bytes:
    start, end = _place(random, data)
    return data[:start] + data[start:end].swapcase() + data[end:]


_CHANGES: tuple[Callable[[Random, bytes, Any, list[bytes]], bytes], ...] = (
    *(_set_byte, _insert_byte, _insert_word, _insert_word, _number),
    *(_delete, _repeat, _move, _splice, _swap_case),
)
