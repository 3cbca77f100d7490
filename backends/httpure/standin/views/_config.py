"""What stands for `httpx._config`."""

from __future__ import annotations

from httpure_core.config.options import (
    DEFAULT_LIMITS,
    DEFAULT_MAX_REDIRECTS,
    DEFAULT_TIMEOUT_CONFIG,
    UNSET,
    Limits,
    Proxy,
    Timeout,
    UnsetType,
)

from ..._tls import create_ssl_context

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_MAX_REDIRECTS",
    "DEFAULT_TIMEOUT_CONFIG",
    "UNSET",
    "Limits",
    "Proxy",
    "Timeout",
    "UnsetType",
    "create_ssl_context",
]
