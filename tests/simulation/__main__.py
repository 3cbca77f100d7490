"""Run seeds: `python -m tests.simulation --seed N`, or `--first N --count N`."""

from __future__ import annotations

import argparse
import time
import traceback

from .world import Failure, World


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation")
    parser.add_argument("--seed", type=int, help="run this one, and tell what happened")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=150)
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return _one(arguments.seed)
    return _many(arguments.first, arguments.count)


def _one(seed: int) -> int:
    world = World(seed)
    try:
        world.run()
    except Failure:
        print("\n".join(world.story or world.simulation.log))
        traceback.print_exc()
        return 1
    print("\n".join(world.simulation.log))
    print(
        f"seed {seed} ({world.kind}) is well: {world.done} of {world.begun} requests, {len(world.errors)} errors"
    )
    return 0


def _many(first: int, count: int) -> int:
    began = time.perf_counter()
    failed, requests, errors = 0, 0, 0
    for seed in range(first, first + count):
        world = World(seed)
        try:
            world.run()
        except Failure as failure:
            failed += 1
            print(f"{failure}"[:400], flush=True)
        requests += world.done
        errors += len(world.errors)
    seconds = time.perf_counter() - began
    print(f"{count} seeds, {requests} requests, {errors} errors, {failed} failures, {seconds:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
