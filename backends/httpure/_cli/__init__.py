"""The command line: `httpure https://example.org`.

It uses the public clients as any program would, and adds no HTTP of its own, but for ranges. To read, in this order:

    command   the command; its options, and what --help says of them, are in `options` and `manual`
    order     what was asked for, as arguments of a client
    call      where things are shown, and how it ends: the exit codes
    exchange  the one request, blocking or on an event loop, for a receiver
    display   a receiver that shows the body;  media, jsontext: what it is, and how it reads well
    download  a receiver that saves it;  saving, partial, ranges: files that grow, and may be continued
    printing  text for terminals and for pipes;  verbose, progress: what else is shown
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

__all__ = ["load_main"]

ABSENT = """\
The httpure command line needs the packages click and rich, and not both are installed. Install them with

    pip install "httpure[cli]"
"""


def load_main() -> Callable[..., Any]:
    """Return the command; where its packages are not installed, a function that says so and exits with 1."""
    if any(find_spec(name) is None for name in ("click", "rich")):
        return _explain
    from .command import main

    return main


def _explain() -> None:
    """Say what is missing, and exit."""
    import sys

    sys.stderr.write(ABSENT)
    sys.exit(1)
