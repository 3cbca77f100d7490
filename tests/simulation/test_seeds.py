"""Whole clients, each at the mercy of a seed. To see what happened: `python -m tests.simulation --seed N`."""

from __future__ import annotations

import pytest

from .manners import FAULTS
from .many import Found, look, run
from .world import Failure, World


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 151, 10))
def test_seeds(first: int) -> None:
    for seed in range(first, first + 10):
        World(seed).run()


@pytest.mark.parametrize("seed", [4, 10])
def test_a_seed_repeats_itself(seed: int) -> None:
    worlds = [World(seed), World(seed)]
    for world in worlds:
        world.run()
    assert worlds[0].simulation.log == worlds[1].simulation.log
    assert worlds[0].errors == worlds[1].errors
    assert worlds[0].done


def test_the_worlds_are_not_all_alike() -> None:
    """What is to be looked at is there: all faults, all ways, perfect worlds, too."""
    worlds = [World(seed) for seed in range(1, 151)]
    parties = [party for world in worlds for party in world.parties]
    assert {fault for world in worlds for fault in world.manners.faults} == set(FAULTS)
    assert {world.kind for world in worlds} == {"perfect", "gentle", "rough"}
    assert {world.way for world in worlds} == {None, "proxy", "detours", "socks"}
    assert {world.version for world in worlds} == {"1", "2", "alpn", "mixed"}
    assert {len(world.parties) for world in worlds} == {1, 2, 3}
    assert {True, False} == {party.policy is None for party in parties}
    assert any(party.small for party in parties)
    assert any(party.timeout.total for party in parties)
    assert any(party.timeout.min_rate for party in parties)
    assert any(party.closes_at is not None for party in parties)
    assert any(party.closes_after is not None for party in parties)


def test_what_was_in_them_is_told() -> None:
    found = look(range(4, 6))
    text = found.report(1.0)
    assert text.startswith("2 scenarios")
    assert "broken invariants: 0" in text


def test_a_failure_tells_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(world: World) -> None:
        world.ledger.wrong.append("the sky fell")

    before = World._check_step
    monkeypatch.setattr(World, "_check_step", lambda world: (break_down(world), before(world)))
    with pytest.raises(
        Failure, match=r"seed 4 .*the sky fell\n    replay: python -m tests.simulation --seed 4"
    ):
        World(4).run()
    assert run(4, 1, 1) == 1
    said = capsys.readouterr()
    assert "broken invariants: 1" in said.out
    assert "1 of 1, " in said.err


def test_parts_add_up() -> None:
    found = Found()
    found.add(look(range(4, 5)))
    found.add(look(range(5, 6)))
    whole = look(range(4, 6))
    assert found.report(1.0) == whole.report(1.0)
