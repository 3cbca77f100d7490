"""What stands for `httpx._transports.base`."""

from __future__ import annotations

from ...._transports.base import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncBaseTransport", "BaseTransport"]
