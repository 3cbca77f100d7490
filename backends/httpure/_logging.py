"""The core's logs, written to loggers of the standard library: "httpure", and "httpure.connection" and so on below it.

`logging` is imported by those who want logs, and not by us: it takes milliseconds, and where nobody has imported it,
there is no handler that would write anything down.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from httpure_core.contracts import Asks

if TYPE_CHECKING:
    import logging

__all__ = ["Journal", "journal"]


class Journal:
    """One logger, found when `logging` is there. See `contracts.Log`."""

    __slots__ = ("_logger", "_name", "enabled")

    def __init__(self, name: str) -> None:
        self._name = name
        self._logger: logging.Logger | None = None
        #: At first ours, which asks for `logging`; then what the logger itself has, with nothing of ours between.
        self.enabled: Asks = self._look

    def record(self, level: int, text: str, *arguments: object) -> None:
        """Write to the logger."""
        if self._logger is not None:
            self._logger.log(level, text, *arguments)

    def _look(self, level: int) -> bool:
        find = getattr(sys.modules.get("logging"), "getLogger", None)
        if find is None:  # not imported; or not to the end, in another thread
            return False
        self._logger = logger = find(self._name)
        self.enabled = logger.isEnabledFor
        return self.enabled(level)


_journals: dict[str, Journal] = {}


def journal(name: str = "") -> Journal:
    """Return the log of that name, always the same one; that of the requests themselves has none."""
    found = _journals.get(name)
    if found is None:
        found = _journals.setdefault(name, Journal(f"httpure.{name}" if name else "httpure"))
    return found
