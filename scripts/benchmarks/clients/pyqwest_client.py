"""pyqwest: reqwest (Rust); the one of its kind that runs on trio, too.

It would keep two idle connections of a host: it is told to keep as many as the others. Its hooks for OpenTelemetry stay
on, as they are by default; nobody listens to them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyqwest

from ..bodies import PAYLOAD
from ..workloads import Load
from . import TIMEOUT, version_of


def _client(load: Load) -> pyqwest.Client:
    transport = pyqwest.HTTPTransport(
        tls_ca_cert=Path(load.ca).read_bytes() if load.ca else None,
        timeout=TIMEOUT,
        pool_idle_timeout=3600,
        pool_max_idle_per_host=load.pool,
    )
    return pyqwest.Client(transport)


class Pyqwest:
    """A client on a transport of its own."""

    def __init__(self, name: str) -> None:
        self.version = version_of(name)

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        client = _client(load)

        async def get() -> bytes:
            return (await client.get(load.url)).content

        async def post() -> bytes:
            return (await client.post(load.url, content=PAYLOAD)).content

        yield post if load.posts else get

    # One client serves both event loops.
    trio_fetch = asyncio_fetch


make = Pyqwest
