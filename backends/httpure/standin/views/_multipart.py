"""What stands for `httpx._multipart`."""

from __future__ import annotations

from httpure_core.content.multipart import MultipartStream
from httpure_core.content.multipart import (
    boundary_from_content_type as get_multipart_boundary_from_content_type,
)

__all__ = ["MultipartStream", "get_multipart_boundary_from_content_type"]
