"""What stands for `httpx._main`: the command line. Importing it imports what that needs."""

from __future__ import annotations

from httpure import main

__all__ = ["main"]
