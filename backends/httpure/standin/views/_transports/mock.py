"""What stands for `httpx._transports.mock`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from httpure_core.models.request import Request
from httpure_core.models.response import Response

from ...._transports.mock import MockTransport

__all__ = ["AsyncHandler", "MockTransport", "SyncHandler"]

#: What a MockTransport is given.
SyncHandler: TypeAlias = Callable[[Request], Response]
AsyncHandler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]
