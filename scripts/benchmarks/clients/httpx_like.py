"""httpure, httpx and httpx2: one API, three libraries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from typing import Any, BinaryIO

from ..bodies import PAYLOAD, PatternCheck, check_accepted, upload_path
from ..workloads import Load
from . import TIMEOUT, context_of, version_of


class HttpxLike:
    """A library with httpx's names."""

    def __init__(self, name: str) -> None:
        self.http: Any = import_module(name)
        if not hasattr(self.http, "Client"):
            raise ImportError(f"{name} has no Client")
        self.version = version_of(name)

    def settings(self, load: Load) -> dict[str, Any]:
        limits = self.http.Limits(
            max_connections=load.pool, max_keepalive_connections=None, keepalive_expiry=3600
        )
        # Waiting for the pool is what the queue measures: it must not time out.
        settings = {"limits": limits, "timeout": self.http.Timeout(TIMEOUT, pool=None)}
        if load.http2:
            settings |= {"http1": load.tls, "http2": True}
        if (context := context_of(load)) is not None:
            settings["verify"] = context
        return settings

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        with self.http.Client(**self.settings(load)) as client:
            if load.posts:
                yield lambda: client.post(load.url, json=PAYLOAD).content
            else:
                yield lambda: client.get(load.url).content

    @contextmanager
    def blocking_document(self, load: Load) -> Iterator[Any]:
        with self.http.Client(**self.settings(load)) as client:
            yield lambda: client.get(load.url).json()

    @contextmanager
    def blocking_one_shot(self, load: Load) -> Iterator[Any]:
        yield lambda: self.http.get(load.url).content

    @contextmanager
    def blocking_construct(self, load: Load) -> Iterator[Any]:
        yield lambda: self.http.Client().close()

    @contextmanager
    def blocking_download(self, load: Load) -> Iterator[Any]:
        with self.http.Client(**self.settings(load)) as client:

            def download(size: int) -> None:
                body = PatternCheck(size)
                with client.stream("GET", f"{load.url}/{size}") as response:
                    for piece in response.iter_bytes():
                        body.take(piece)
                body.finish()

            yield download

    @contextmanager
    def blocking_send(self, load: Load) -> Iterator[Any]:
        with self.http.Client(**self.settings(load)) as client:

            def send(size: int) -> None:
                with upload_path(load.folder, size).open("rb") as file:
                    response = client.post(f"{load.url}/{size}", content=file)
                check_accepted(response.content)

            yield send

    @contextmanager
    def blocking_upload(self, load: Load) -> Iterator[Any]:
        with self.http.Client(**self.settings(load)) as client:

            def upload(size: int) -> None:
                with upload_path(load.folder, size).open("rb") as file:
                    response = client.post(f"{load.url}/{size}", files={"file": file})
                check_accepted(response.content)

            yield upload

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        async with self.http.AsyncClient(**self.settings(load)) as client:

            async def get() -> bytes:
                body: bytes = (await client.get(load.url)).content
                return body

            async def post() -> bytes:
                body: bytes = (await client.post(load.url, json=PAYLOAD)).content
                return body

            yield post if load.posts else get

    @asynccontextmanager
    async def asyncio_document(self, load: Load) -> AsyncIterator[Any]:
        async with self.http.AsyncClient(**self.settings(load)) as client:

            async def get() -> Any:
                return (await client.get(load.url)).json()

            yield get

    @asynccontextmanager
    async def asyncio_download(self, load: Load) -> AsyncIterator[Any]:
        async with self.http.AsyncClient(**self.settings(load)) as client:

            async def download(size: int) -> None:
                body = PatternCheck(size)
                async with client.stream("GET", f"{load.url}/{size}") as response:
                    async for piece in response.aiter_bytes():
                        body.take(piece)
                body.finish()

            yield download

    @asynccontextmanager
    async def asyncio_send(self, load: Load) -> AsyncIterator[Any]:
        async with self.http.AsyncClient(**self.settings(load)) as client:

            async def send(size: int) -> None:
                with upload_path(load.folder, size).open("rb") as file:
                    # httpx wants an async iterator here, and httpx2 too; its file is read in their own block size.
                    own = self.http.__name__ == "httpure"
                    settings = {} if own else {"headers": {"Content-Length": str(size)}}
                    content = file if own else _pieces(file)
                    response = await client.post(f"{load.url}/{size}", content=content, **settings)
                check_accepted(response.content)

            yield send

    @asynccontextmanager
    async def asyncio_hold(self, load: Load) -> AsyncIterator[Any]:
        async with self.http.AsyncClient(**self.settings(load)) as client:

            async def hold(arrived: Any, go_on: Any) -> None:
                if go_on is None:
                    await client.get(load.url)
                    arrived()
                    return
                async with client.stream("GET", load.url) as response:
                    arrived()
                    await go_on.wait()
                    await response.aread()

            yield hold

    @asynccontextmanager
    async def asyncio_upload(self, load: Load) -> AsyncIterator[Any]:
        async with self.http.AsyncClient(**self.settings(load)) as client:

            async def upload(size: int) -> None:
                with upload_path(load.folder, size).open("rb") as file:
                    response = await client.post(f"{load.url}/{size}", files={"file": file})
                check_accepted(response.content)

            yield upload

    # One AsyncClient serves both event loops.
    trio_fetch, trio_download, trio_send, trio_upload = (
        asyncio_fetch,
        asyncio_download,
        asyncio_send,
        asyncio_upload,
    )


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := file.read(65_536):
        yield piece


make = HttpxLike
