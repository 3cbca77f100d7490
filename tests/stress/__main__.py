"""Do it in full and print figures. Exit status 1 if anything was wrong."""

from __future__ import annotations

import argparse
import faulthandler
import sys

from .crowds import CROWDS, Report, run
from .peer import Server


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.stress", description="Many on one HTTP/2 connection."
    )
    parser.add_argument("--requests", type=int, default=20_000, metavar="N")
    parser.add_argument("--crowd", type=int, metavar="N", help="at a time (default: 32 threads, 1,000 tasks)")
    parser.add_argument("--streams", type=int, default=1000, metavar="N", help="that the server allows")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--limit", type=float, default=600, metavar="S", help="seconds, then all stacks are shown"
    )
    parser.add_argument(
        "backends", nargs="*", metavar="BACKEND", help=f"of {', '.join(CROWDS)} (default: all)"
    )
    options = parser.parse_args()
    wrong = False
    for backend in options.backends or CROWDS:
        faulthandler.dump_traceback_later(options.limit, exit=True)
        with Server(options.streams, options.tls) as server:
            report = run(backend, server.url, options.requests, options.crowd, options.seed)
        show(backend, options.crowd or CROWDS[backend], report)
        wrong = wrong or bool(report.tally.wrong or report.left) or report.tally.total != options.requests
    faulthandler.cancel_dump_traceback_later()
    return int(wrong)


def show(backend: str, crowd: int, report: Report) -> None:
    tally = report.tally
    print(f"{backend}, {crowd} at a time: {tally.total} requests over {report.connections} connection(s)")
    print(
        f"  wall {report.wall:.1f} s, CPU {report.cpu:.1f} s ({report.cpu / tally.total * 1e6:.0f} µs a request)"
    )
    print(
        f"  memory behind each round: {' '.join(f'{each.size / 1e6:.1f}' for each in report.memory)} MB;",
        end="",
    )
    print(f" blocks of Python: {' '.join(str(each.blocks) for each in report.memory)}")
    print(f"  jobs: {', '.join(f'{kind} {count}' for kind, count in sorted(tally.done.items()))}")
    print(f"  errors that may be: {', '.join(f'{name} {n}' for name, n in sorted(tally.errors.items()))}")
    for what in [*tally.wrong[:10], *report.left]:
        print(f"  WRONG: {what}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
