"""Do it in full and print figures. Exit status 1 if anything was wrong."""

from __future__ import annotations

import argparse
import faulthandler
import sys

from .server import Servers
from .users import BACKENDS, Report, run


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Servers that fail in every way, and one client."
    )
    parser.add_argument("--requests", type=int, default=50_000, metavar="N")
    parser.add_argument("--crowd", type=int, default=200, metavar="N", help="at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--retries", type=int, default=0, metavar="N", help="have the client retry, too")
    parser.add_argument(
        "--limit", type=float, default=1800, metavar="S", help="seconds, then all stacks are shown"
    )
    parser.add_argument(
        "backends", nargs="*", metavar="BACKEND", help=f"of {', '.join(BACKENDS)} (default: all)"
    )
    options = parser.parse_args()
    wrong = False
    for backend in options.backends or BACKENDS:
        faulthandler.dump_traceback_later(options.limit, exit=True)
        with Servers() as servers:
            report = run(
                backend, servers.urls, options.requests, options.crowd, options.seed, options.retries
            )
        show(backend, options.crowd, report)
        wrong = wrong or bool(report.tally.wrong or report.left) or report.tally.total != options.requests
    faulthandler.cancel_dump_traceback_later()
    return int(wrong)


def show(backend: str, crowd: int, report: Report) -> None:
    tally = report.tally
    print(f"{backend}, {crowd} at a time: {tally.total} requests, {len(tally.wrong)} wrong")
    print(
        f"  wall {report.wall:.1f} s, CPU {report.cpu:.1f} s ({report.cpu / tally.total * 1e6:.0f} µs a request)"
    )
    print(
        f"  memory behind each round: {' '.join(f'{each.size / 1e6:.1f}' for each in report.memory)} MB;",
        end="",
    )
    print(f" blocks of Python: {' '.join(str(each.blocks) for each in report.memory)}")
    print(f"  jobs: {', '.join(f'{kind} {count}' for kind, count in sorted(tally.done.items()))}")
    print(f"  errors: {', '.join(f'{name} {count}' for name, count in sorted(tally.errors.items()))}")
    for what in [*tally.wrong[:10], *report.left]:
        print(f"  WRONG: {what}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
