"""`python -m httpure.standin program.py ...` or `-m package ...`: run a program with httpure in the place of httpx."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import NoReturn

from . import install

USAGE = """\
usage: python -m httpure.standin PROGRAM [ARGUMENT ...]
       python -m httpure.standin -m MODULE [ARGUMENT ...]

Runs a program, as Python itself would, in which `import httpx` gives httpure.
"""


def main() -> None:
    """Install the stand-in and run what the arguments name."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return
    as_module = arguments[0] == "-m"
    if as_module:
        del arguments[0]
    if not arguments or (arguments[0].startswith("-") and not as_module):
        _refuse("the program to run is missing" if not arguments else f"unknown option {arguments[0]}")
    install()
    sys.argv = arguments
    if as_module:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        return
    program = Path(arguments[0])
    if not program.exists():
        _refuse(f"there is no file {arguments[0]!r}")
    if not sys.flags.safe_path and program.is_file():
        sys.path[0] = str(program.resolve().parent)  # where Python looks first when it runs a file
    runpy.run_path(arguments[0], run_name="__main__")


def _refuse(why: str) -> NoReturn:
    print(f"{USAGE}\npython -m httpure.standin: {why}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
