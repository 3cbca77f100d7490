"""What is done as asked, and yet may not be what was meant: warned of, at the line that asked.

Python shows a warning once for each line. `-W error::httpure.QueryDroppedWarning` makes an exception of it.
Floor 1: this module imports nothing of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["QueryDroppedWarning", "warn"]

#: Whose lines are never at fault. `with client.stream(...)` comes here through contextlib.
_OURS = frozenset({"httpure", "httpure_core", "contextlib"})


class QueryDroppedWarning(UserWarning):
    """`params=` took the place of a query that the URL had itself, and names in it are not sent."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn of the line that called the library, from however deep inside of it."""
    import warnings  # here, as most programs are never warned

    try:
        raise category
    except category as here:
        frame: FrameType | None = here.__traceback__.tb_frame if here.__traceback__ else None
    level = 1
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _OURS:
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)
