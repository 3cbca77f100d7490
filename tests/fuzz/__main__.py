"""Run for as long as one likes. Exit status 1 if anything was found, with what shows it again.

python -m tests.fuzz                               every target, a minute each
python -m tests.fuzz url http1 --seconds 600       these, ten minutes each
python -m tests.fuzz url --input "b'http://a'"     this input, once
"""

from __future__ import annotations

import argparse
import ast
import sys
import time

from .engine import Coverage, Failure, Fuzzer
from .test_fuzz import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=float, default=60, metavar="N", help="for each target")
    parser.add_argument("--seed", type=int, default=int(time.time()), metavar="N")
    parser.add_argument("--input", type=ast.literal_eval, metavar="BYTES", help="try this once")
    parser.add_argument("--blind", action="store_true", help="not guided by what lines are reached: faster")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(unknown)}")
    found = 0
    for name in options.targets or TARGETS:
        if options.input is not None:
            print(repr(TARGETS[name].check(options.input)))
            continue
        found += not run(name, options.seconds, options.seed, options.blind)
    return int(found > 0)


def run(name: str, seconds: float, seed: int, blind: bool) -> bool:
    """Fuzz one target; True if nothing was found."""
    coverage = None if blind else Coverage()
    ends = time.monotonic() + seconds
    fuzzer = None
    try:
        fuzzer = Fuzzer(TARGETS[name], seed, coverage)
        while time.monotonic() < ends:
            fuzzer.step()
    except Failure as failure:
        print((failure if fuzzer is None else fuzzer.shrunk(failure)).report(), flush=True)
        return False
    print(
        f"{name}: {fuzzer.tried} inputs, {len(fuzzer.corpus)} of them worth keeping, "
        f"{coverage.reached if coverage else 0} lines reached, {len(fuzzer.outcomes)} outcomes, seed {seed}",
        flush=True,
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
