"""What stands for `httpx._client`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

from httpure_core.config.options import USE_CLIENT_DEFAULT, UseClientDefault

from ..._async_client import AsyncClient
from ..._base_client import BaseClient
from ..._base_client import State as ClientState
from ..._bodies import AsyncBody as BoundAsyncStream
from ..._bodies import BlockingBody as BoundSyncStream
from ..._client import Client
from ..._defaults import default_headers
from .._reach import LOGGER

__all__ = [
    "ACCEPT_ENCODING",
    "USER_AGENT",
    "USE_CLIENT_DEFAULT",
    "AsyncClient",
    "BaseClient",
    "BoundAsyncStream",
    "BoundSyncStream",
    "Client",
    "ClientState",
    "EventHook",
    "UseClientDefault",
    "logger",
]

#: What clients send as Accept-Encoding and User-Agent.
ACCEPT_ENCODING: str = default_headers()["accept-encoding"]
USER_AGENT: str = default_headers()["user-agent"]
#: One of the functions in `event_hooks`.
EventHook: TypeAlias = Callable[..., Any]
#: The logger that request lines go to.
logger = logging.getLogger(LOGGER)
