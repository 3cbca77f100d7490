"""Run seeds: `python -m tests.simulation --seed N`, or `--first N --count N`."""

from __future__ import annotations

import argparse
import traceback

from .many import run
from .world import Failure, World


def main(arguments: list[str] | None = None, count: int = 150, jobs: int = 1) -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation")
    parser.add_argument("--seed", type=int, help="run this one, and tell what happened")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=count, help=f"{count:,} by default")
    parser.add_argument("--jobs", type=int, default=jobs, help=f"processes, {jobs} by default")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _one(options.seed)
    return run(options.first, options.count, options.jobs)


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
        f"seed {seed} ({world.kind}) is well: {world.done} of {world.begun} requests, "
        f"{world.errors.total()} errors"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
