"""h11, imported when something of it is first asked for: the fast lane needs none of it.

The import takes a third of what a first request costs otherwise. For type checkers, `h11` is the package itself.
"""

from __future__ import annotations

from typing import Any

__all__ = ["h11"]


class _Late:
    """Has what h11 has. What was asked for once is found here from then on, as in any module."""

    def __getattr__(self, name: str) -> Any:
        import h11

        value = getattr(h11, name)
        setattr(self, name, value)
        return value


h11 = _Late()
