"""What stands for `httpx._models`."""

from __future__ import annotations

from httpure_core.models.cookies import Cookies
from httpure_core.models.field import SENSITIVE as SENSITIVE_HEADERS
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.models.response import Response

from ._decoders import SUPPORTED_DECODERS

__all__ = ["SENSITIVE_HEADERS", "SUPPORTED_DECODERS", "Cookies", "Headers", "Request", "Response"]
