"""pyreqwest: reqwest (Rust) for blocking code and asyncio, HTTP/1.1 unless it is asked for more.

Its builder's defaults are kept but for the limits that all clients get. A body is handed out as its own `Bytes`, which
compare with `bytes` at full speed: it is not copied here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyreqwest.client import ClientBuilder, SyncClientBuilder
from pyreqwest.simple.sync_request import pyreqwest_get

from ..bodies import PAYLOAD
from ..workloads import Load
from . import TIMEOUT, version_of


def _built(builder: Any, load: Load) -> Any:
    builder = (
        builder.max_connections(load.pool)
        .pool_max_idle_per_host(load.pool)
        .pool_idle_timeout(timedelta(hours=1))
        .timeout(timedelta(seconds=TIMEOUT))
    )
    if load.ca:
        builder = builder.add_root_certificate_pem(Path(load.ca).read_bytes())
    return builder.build()


class Pyreqwest:
    """A client made by its builder."""

    def __init__(self, name: str) -> None:
        self.version = version_of(name)

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        with _built(SyncClientBuilder(), load) as client:
            if load.posts:
                yield lambda: client.post(load.url).body_json(PAYLOAD).build().send().bytes()
            else:
                yield lambda: client.get(load.url).build().send().bytes()

    @contextmanager
    def blocking_one_shot(self, load: Load) -> Iterator[Any]:
        yield lambda: pyreqwest_get(load.url).send().bytes()

    @contextmanager
    def blocking_construct(self, load: Load) -> Iterator[Any]:
        yield lambda: SyncClientBuilder().build().close()

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        async with _built(ClientBuilder(), load) as client:

            async def get() -> Any:
                response = await client.get(load.url).build().send()
                return await response.bytes()

            async def post() -> Any:
                response = await client.post(load.url).body_json(PAYLOAD).build().send()
                return await response.bytes()

            yield post if load.posts else get


make = Pyreqwest
