"""Each target for a moment, always with the same inputs. `python -m tests.fuzz` is for longer."""

from __future__ import annotations

import pytest

from . import fields, given, wire
from .engine import Failure, Fuzzer, mutated
from .target import TARGETS, Target

__all__ = ["TARGETS", "fields", "given", "wire"]

#: Inputs for each target, besides its seeds.
INPUTS = 150


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_it_is_fed(name: str) -> None:
    try:
        fuzzer = Fuzzer(TARGETS[name], seed=1)
        for _ in range(INPUTS):
            fuzzer.step()
    except Failure as failure:
        pytest.fail(failure.report(), pytrace=False)
    assert len(fuzzer.outcomes) > 1, "it knows no difference"


def brittle(data: bytes) -> int:
    """A target that goes wrong for some inputs."""
    if b"!" in data:
        raise KeyError(data)
    return len(data) // 4


def test_a_fault_is_found_and_shrunk() -> None:
    fuzzer = Fuzzer(Target("brittle", brittle, [b"hello, world"], [b"!"]), seed=1)
    with pytest.raises(Failure) as caught:
        for _ in range(1000):
            fuzzer.step()
    least = fuzzer.shrunk(caught.value)
    assert least.data == b"!"
    assert "python -m tests.fuzz brittle --input b'!'" in least.report()


def test_inputs_can_be_made_again() -> None:
    from random import Random

    made = [
        [mutated(Random(seed), b"GET / 1", [b"word"], [b"other"]) for seed in range(50)] for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) > 40
