"""One family's exceptions as another's: httpx, httpx2, httpcore and httpure give theirs the same names."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["OURS", "raised_as", "translated"]

#: Where the classes of httpure are.
OURS = ("httpure", "httpure_core")


@contextmanager
def raised_as(package: str, families: Collection[str], request: Any) -> Iterator[None]:
    """Raise the exceptions of the families as those of `package`, with its request."""
    try:
        yield
    except Exception as exc:
        found = translated(exc, families, package, request)
        if found is None:
            raise
        raise found from exc


def translated(exc: Exception, families: Collection[str], package: str, request: Any = None) -> Any:
    """Return the exception of `package` that has the name of `exc`, or of its nearest ancestor that both have.

    None where `exc` is of none of the families. `request` is attached where the exception has a place for it.
    """
    home: Any = importlib.import_module(package)
    for kind in type(exc).__mro__:
        family = kind.__module__.partition(".")[0]
        counterpart: Any = getattr(home, kind.__name__, None)
        if family not in families or not isinstance(counterpart, type) or counterpart is home.HTTPStatusError:
            continue
        message = str(exc) or f"{type(exc).__name__}, of which {family} says no more."
        if issubclass(counterpart, home.RequestError):
            return counterpart(message, request=request)
        if issubclass(counterpart, home.StreamError) and counterpart is not home.StreamError:
            return counterpart()  # these bring their own words
        return counterpart(message)
    return None
