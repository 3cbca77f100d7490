"""What stands for `httpx._transports.asgi`."""

from __future__ import annotations

from httpure import ASGITransport

__all__ = ["ASGITransport"]
