"""wreq: a fork of reqwest (Rust) that can pass for a browser, which it is not asked to do here.

A body is handed out as a memoryview. It is copied into bytes, which is what callers of the other clients hold: to
compare the view itself would take far longer than the copy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import wreq
import wreq.blocking

from ..bodies import PAYLOAD
from ..workloads import Load
from . import TIMEOUT, version_of


def _settings(load: Load) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "timeout": timedelta(seconds=TIMEOUT),
        "pool_idle_timeout": timedelta(hours=1),
        "pool_max_idle_per_host": load.pool,
        "pool_max_size": load.pool,
    }
    if load.ca:
        settings["tls_verify"] = Path(load.ca)
    return settings


class Wreq:
    """A client with the limits that all have."""

    def __init__(self, name: str) -> None:
        self.version = version_of(name)

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        with closing(wreq.blocking.Client(**_settings(load))) as client:

            def get() -> bytes:
                with client.get(load.url) as response:
                    return bytes(response.bytes())

            def post() -> bytes:
                with client.post(load.url, json=PAYLOAD) as response:
                    return bytes(response.bytes())

            yield post if load.posts else get

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        with closing(wreq.Client(**_settings(load))) as client:

            async def get() -> bytes:
                async with client.get(load.url) as response:
                    return bytes(await response.bytes())

            async def post() -> bytes:
                async with client.post(load.url, json=PAYLOAD) as response:
                    return bytes(await response.bytes())

            yield post if load.posts else get


make = Wreq
