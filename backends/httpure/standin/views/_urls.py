"""What stands for `httpx._urls`."""

from __future__ import annotations

from httpure_core.models.query import QueryParams
from httpure_core.models.url import URL

__all__ = ["URL", "QueryParams"]
