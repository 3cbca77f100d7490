"""Whole clients, each at the mercy of a seed. To see what happened: `python -m tests.simulation --seed N`."""

from __future__ import annotations

import pytest

from .manners import FAULTS
from .world import World


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 151, 10))
def test_seeds(first: int) -> None:
    for seed in range(first, first + 10):
        World(seed).run()


def test_a_seed_repeats_itself() -> None:
    worlds = [World(4), World(4)]
    for world in worlds:
        world.run()
    assert worlds[0].simulation.log == worlds[1].simulation.log
    assert worlds[0].done


def test_the_worlds_are_not_all_alike() -> None:
    """What is to be looked at is there: all faults, all ways, perfect worlds, too."""
    worlds = [World(seed) for seed in range(1, 151)]
    assert {fault for world in worlds for fault in world.manners.faults} == set(FAULTS)
    assert {world.kind for world in worlds} == {"perfect", "gentle", "rough"}
    assert {world.way for world in worlds} == {None, "proxy", "detours"}
    assert {world.version for world in worlds} == {"1", "2", "alpn", "mixed"}
