"""The jobs on the async clients: the same lines run on asyncio and on trio."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import trio

from . import checks
from .report import Job, Report

__all__ = ["read", "run", "tour"]


def run(backend: str, function: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Run `function(backend, *args)` in a new event loop of that kind."""
    if backend == "trio":
        trio.run(function, backend, *args)
    else:
        asyncio.run(function(backend, *args))  # type: ignore[arg-type]


async def _all(backend: str, function: Callable[[int], Awaitable[None]], numbers: Iterable[int]) -> None:
    """Run `function(number)` for all numbers at the same time, in the loop's own way."""
    if backend == "trio":
        async with trio.open_nursery() as nursery:
            for number in numbers:
                nursery.start_soon(function, number)
    else:
        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(function(number))  # type: ignore[arg-type]


def _client(backend: str, **options: Any) -> Any:
    return importlib.import_module(f"httpure.{backend}").Client(**options)


async def tour(backend: str, site: checks.Site, report: Report) -> None:
    """All jobs, against the embedded server."""
    async with _client(backend, base_url=site.url, verify=site.context, timeout=60) as client:
        await _small_jobs(backend, client, report)
        with report.job(backend, checks.DOWNLOAD) as job:
            await _download(backend, client, report, job)
        with report.job(backend, checks.UPLOAD) as job:
            await _upload(backend, client, site, report, job)
        with report.job(backend, checks.CONCURRENT) as job:
            await _concurrent(backend, client, job)


async def _small_jobs(backend: str, client: Any, report: Report) -> None:
    with report.job(backend, checks.GET):
        checks.page(await client.get("/"))
    with report.job(backend, checks.JSON):
        checks.document(await client.post("/post", json=checks.DOCUMENT))
    with report.job(backend, checks.COOKIES):
        await client.get("/cookies/set", params={"flavour": "ginger", "size": "2"})
        checks.cookies(await client.get("/cookies"))
    with report.job(backend, checks.REDIRECTS):
        checks.redirects(await client.get("/redirect/5", follow_redirects=True))
    with report.job(backend, checks.AUTH):
        for path, auth in checks.SMALL_AUTH:
            checks.authenticated(await client.get(path, auth=auth))
    with report.job(backend, checks.CODINGS):
        for coding in ("gzip", "deflate", "brotli", "zstd"):
            checks.coded(await client.get(f"/{coding}/{checks.CODED_SIZE}"))


async def _download(backend: str, client: Any, report: Report, job: Job) -> None:
    digest = hashlib.sha256()
    with report.progress() as progress:
        async with client.stream("GET", f"/large/{checks.SIZE}") as response:
            task = progress.add_task(f"{backend} download", total=int(response.headers["Content-Length"]))
            async for chunk in response.aiter_bytes():
                digest.update(chunk)
                progress.update(task, completed=response.num_bytes_downloaded)
    checks.downloaded(digest.hexdigest())
    job.counts(checks.SIZE / 1e6, " MB")


async def _upload(backend: str, client: Any, site: checks.Site, report: Report, job: Job) -> None:
    with (
        report.progress() as progress,
        progress.open(site.upload, "rb", description=f"{backend} upload") as file,
    ):
        r = await client.post("/post", files={"file": ("large.bin", file)})
    checks.uploaded(r)
    job.counts(checks.SIZE / 1e6, " MB")


async def _concurrent(backend: str, client: Any, job: Job) -> None:
    connections = set()

    async def fetch(number: int) -> None:
        r = await client.get("/get", params={"number": number})
        checks.numbered(r, number)
        connections.add(r.headers["x-connection"])

    await _all(backend, fetch, range(checks.CONCURRENCY))
    job.counts(checks.CONCURRENCY)
    job.detail = f"over {len(connections)} connections"


async def read(backend: str, url: str, report: Report) -> None:
    """The reading jobs, against any URL; certificates are verified."""
    async with _client(backend, follow_redirects=True, timeout=30) as client:
        with report.job(backend, "GET, new connection") as job:
            r = (await client.get(url)).raise_for_status()
            job.figure = f"{r.status_code}, {len(r.content):,} bytes"
        with report.job(backend, "GET, connection kept"):
            (await client.get(url)).raise_for_status()
        with report.job(backend, "headers") as job:
            job.figure = f"{len((await client.head(url)).raise_for_status().headers)} fields"
        with report.job(backend, "download") as job:
            job.figure = f"sha256 {(await _read_all(backend, client, url, report))[:12]}"
        with report.job(backend, "50 concurrent GETs") as job:
            await _fifty(backend, client, url)
            job.counts(50)


async def _fifty(backend: str, client: Any, url: str) -> None:
    async def fetch(_: int) -> None:
        (await client.get(url)).raise_for_status()

    await _all(backend, fetch, range(50))


async def _read_all(backend: str, client: Any, url: str, report: Report) -> str:
    digest = hashlib.sha256()
    with report.progress() as progress:
        async with client.stream("GET", url) as response:
            response.raise_for_status()
            length = response.headers.get("Content-Length")
            task = progress.add_task(f"{backend} download", total=int(length) if length else None)
            async for chunk in response.aiter_bytes():
                digest.update(chunk)
                progress.update(task, completed=response.num_bytes_downloaded)
    return digest.hexdigest()
