"""What stands for `httpx._api`."""

from __future__ import annotations

from ..._api import delete, get, head, options, patch, post, put, request, stream

__all__ = ["delete", "get", "head", "options", "patch", "post", "put", "request", "stream"]
