"""niquests: blocking and asyncio, each a session.

Its pools hold ten connections unless they are told otherwise: they are told. HTTP/2 and HTTP/3 stay allowed, as they
are by default; our server offers neither where it is asked for HTTP/1.1.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import niquests

from ..bodies import PAYLOAD
from ..workloads import Load
from . import TIMEOUT, version_of


def _settings(load: Load) -> dict[str, Any]:
    return {"pool_maxsize": load.pool, "timeout": TIMEOUT}


class Niquests:
    """The successor of requests, on urllib3-future."""

    def __init__(self, name: str) -> None:
        self.version = version_of(name)

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        with niquests.Session(**_settings(load)) as session:
            if load.posts:
                yield lambda: session.post(load.url, json=PAYLOAD).content
            else:
                yield lambda: session.get(load.url).content

    @contextmanager
    def blocking_document(self, load: Load) -> Iterator[Any]:
        with niquests.Session(**_settings(load)) as session:
            yield lambda: session.get(load.url).json()

    @contextmanager
    def blocking_one_shot(self, load: Load) -> Iterator[Any]:
        yield lambda: niquests.get(load.url).content

    @asynccontextmanager
    async def asyncio_document(self, load: Load) -> AsyncIterator[Any]:
        async with niquests.AsyncSession(**_settings(load)) as session:

            async def get() -> Any:
                return (await session.get(load.url)).json()

            yield get

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        async with niquests.AsyncSession(**_settings(load)) as session:

            async def get() -> bytes:
                body: bytes = (await session.get(load.url)).content
                return body

            async def post() -> bytes:
                body: bytes = (await session.post(load.url, json=PAYLOAD)).content
                return body

            yield post if load.posts else get


make = Niquests
