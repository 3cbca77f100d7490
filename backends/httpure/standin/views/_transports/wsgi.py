"""What stands for `httpx._transports.wsgi`."""

from __future__ import annotations

from httpure import WSGITransport

__all__ = ["WSGITransport"]
