"""aiohttp: asyncio only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from ..bodies import PAYLOAD, PatternCheck, check_accepted, upload_path
from ..workloads import Load
from . import TIMEOUT, context_of, version_of


def _session(load: Load) -> aiohttp.ClientSession:
    context = context_of(load)
    connector = aiohttp.TCPConnector(
        limit=load.pool, keepalive_timeout=3600, ssl=True if context is None else context
    )
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT))


class Aiohttp:
    """A session with a connector of `load.pool` connections."""

    def __init__(self, name: str) -> None:
        self.version = version_of(name)

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        async with _session(load) as session:

            async def get() -> bytes:
                async with session.get(load.url) as response:
                    return await response.read()

            async def post() -> bytes:
                async with session.post(load.url, json=PAYLOAD) as response:
                    return await response.read()

            yield post if load.posts else get

    @asynccontextmanager
    async def asyncio_document(self, load: Load) -> AsyncIterator[Any]:
        async with _session(load) as session:

            async def get() -> Any:
                async with session.get(load.url) as response:
                    return await response.json()

            yield get

    @asynccontextmanager
    async def asyncio_hold(self, load: Load) -> AsyncIterator[Any]:
        async with _session(load) as session:

            async def hold(arrived: Any, go_on: Any) -> None:
                async with session.get(load.url) as response:
                    arrived()
                    if go_on is not None:
                        await go_on.wait()
                    await response.read()

            yield hold

    @asynccontextmanager
    async def asyncio_download(self, load: Load) -> AsyncIterator[Any]:
        async with _session(load) as session:

            async def download(size: int) -> None:
                body = PatternCheck(size)
                async with session.get(f"{load.url}/{size}") as response:
                    async for piece in response.content.iter_any():
                        body.take(piece)
                body.finish()

            yield download

    @asynccontextmanager
    async def asyncio_send(self, load: Load) -> AsyncIterator[Any]:
        async with _session(load) as session:

            async def send(size: int) -> None:
                with upload_path(load.folder, size).open("rb") as file:
                    async with session.post(f"{load.url}/{size}", data=file) as response:
                        check_accepted(await response.read())

            yield send

    @asynccontextmanager
    async def asyncio_upload(self, load: Load) -> AsyncIterator[Any]:
        async with _session(load) as session:

            async def upload(size: int) -> None:
                with upload_path(load.folder, size).open("rb") as file:
                    form = aiohttp.FormData()
                    form.add_field("file", file, filename="upload.bin")
                    async with session.post(f"{load.url}/{size}", data=form) as response:
                        check_accepted(await response.read())

            yield upload


make = Aiohttp
