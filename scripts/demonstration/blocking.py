"""The jobs on the blocking client; threads make it concurrent."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import httpure

from . import checks
from .report import Job, Report

__all__ = ["read", "tour"]

NAME = "blocking"


def tour(site: checks.Site, report: Report) -> None:
    """All jobs, against the embedded server."""
    with httpure.Client(base_url=site.url, verify=site.context, timeout=60) as client:
        _small_jobs(client, report)
        with report.job(NAME, checks.DOWNLOAD) as job:
            _download(client, report, job)
        with report.job(NAME, checks.UPLOAD) as job:
            _upload(client, site, report, job)
        with report.job(NAME, checks.CONCURRENT) as job:
            _concurrent(client, job)


def _small_jobs(client: httpure.Client, report: Report) -> None:
    with report.job(NAME, checks.GET):
        checks.page(client.get("/"))
    with report.job(NAME, checks.JSON):
        checks.document(client.post("/post", json=checks.DOCUMENT))
    with report.job(NAME, checks.COOKIES):
        client.get("/cookies/set", params={"flavour": "ginger", "size": "2"})
        checks.cookies(client.get("/cookies"))
    with report.job(NAME, checks.REDIRECTS):
        checks.redirects(client.get("/redirect/5", follow_redirects=True))
    with report.job(NAME, checks.AUTH):
        for path, auth in checks.SMALL_AUTH:
            checks.authenticated(client.get(path, auth=auth))
    with report.job(NAME, checks.CODINGS):
        for coding in ("gzip", "deflate", "brotli", "zstd"):
            checks.coded(client.get(f"/{coding}/{checks.CODED_SIZE}"))


def _download(client: httpure.Client, report: Report, job: Job) -> None:
    digest = hashlib.sha256()
    with report.progress() as progress, client.stream("GET", f"/large/{checks.SIZE}") as response:
        task = progress.add_task(f"{NAME} download", total=int(response.headers["Content-Length"]))
        for chunk in response.iter_bytes():
            digest.update(chunk)
            progress.update(task, completed=response.num_bytes_downloaded)
    checks.downloaded(digest.hexdigest())
    job.counts(checks.SIZE / 1e6, " MB")


def _upload(client: httpure.Client, site: checks.Site, report: Report, job: Job) -> None:
    with (
        report.progress() as progress,
        progress.open(site.upload, "rb", description=f"{NAME} upload") as file,
    ):
        r = client.post("/post", files={"file": ("large.bin", file)})
    checks.uploaded(r)
    job.counts(checks.SIZE / 1e6, " MB")


def _concurrent(client: httpure.Client, job: Job) -> None:
    def fetch(number: int) -> str:
        r = client.get("/get", params={"number": number})
        checks.numbered(r, number)
        return r.headers["x-connection"]

    with ThreadPoolExecutor(checks.CONCURRENCY) as threads:
        connections = set(threads.map(fetch, range(checks.CONCURRENCY)))
    job.counts(checks.CONCURRENCY)
    job.detail = f"over {len(connections)} connections"


def read(url: str, report: Report) -> None:
    """The reading jobs, against any URL; certificates are verified."""
    with httpure.Client(follow_redirects=True, timeout=30) as client:
        with report.job(NAME, "GET, new connection") as job:
            r = client.get(url).raise_for_status()
            job.figure = f"{r.status_code}, {len(r.content):,} bytes"
        with report.job(NAME, "GET, connection kept"):
            client.get(url).raise_for_status()
        with report.job(NAME, "headers") as job:
            job.figure = f"{len(client.head(url).raise_for_status().headers)} fields"
        with report.job(NAME, "download") as job:
            job.figure = f"sha256 {_read_all(client, url, report)[:12]}"
        with report.job(NAME, "50 concurrent GETs") as job, ThreadPoolExecutor(50) as threads:
            set(threads.map(lambda _: client.get(url).raise_for_status().status_code, range(50)))
            job.counts(50)


def _read_all(client: httpure.Client, url: str, report: Report) -> str:
    digest = hashlib.sha256()
    with report.progress() as progress, client.stream("GET", url) as response:
        response.raise_for_status()
        length = response.headers.get("Content-Length")
        task = progress.add_task(f"{NAME} download", total=int(length) if length else None)
        for chunk in response.iter_bytes():
            digest.update(chunk)
            progress.update(task, completed=response.num_bytes_downloaded)
    return digest.hexdigest()
