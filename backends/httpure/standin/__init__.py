"""httpure in the place of httpx, for packages that were written for httpx. Nothing is aliased before `install()`.

    >>> import httpure.standin
    >>> httpure.standin.install()
    >>> import httpx  # is httpure from here on, for every package that imports it
    >>> httpx.Client is httpure.Client
    True

It must be called before anything imports httpx. A program as a whole is wrapped from outside, without a change to it:

    python -m httpure.standin program.py --its --arguments
    python -m httpure.standin -m package --its --arguments
"""

from __future__ import annotations

import sys

from ._finder import FAMILIES, Finder

__all__ = ["install", "is_installed", "uninstall"]

_finder: Finder | None = None


def install() -> None:
    """Let `import httpx` and `import httpx2` give httpure, in the whole process. A second call changes nothing.

    `httpx.__httpure__` is then the version of httpure, and `httpx.__version__` the one of httpx whose behaviour is
    kept. Processes that the program starts need a call of their own.

    Raises RuntimeError if the real httpx, or httpx2, was imported before: its classes are in use then, and are none
    of httpure's.
    """
    global _finder
    if _finder is not None:
        return
    for family in FAMILIES:
        if family in sys.modules:
            raise RuntimeError(
                f"{family} was imported before httpure.standin.install() was called, so what imported it holds the "
                f"classes of the real {family}. Call install() first of all, or start the program with "
                f"`python -m httpure.standin`."
            )
    from . import _reach

    _reach.extend()
    _finder = Finder()
    sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """Undo `install()`: the next `import httpx` gives the real one. What was imported until then stays httpure's."""
    global _finder
    if _finder is None:
        return
    from . import _reach

    sys.meta_path.remove(_finder)
    _finder = None
    for name in [name for name in sys.modules if name.partition(".")[0] in FAMILIES]:
        del sys.modules[name]
    _reach.restore()


def is_installed() -> bool:
    """Whether `import httpx` gives httpure."""
    return _finder is not None
