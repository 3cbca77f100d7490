"""The Clients page's "Monitoring download progress": the tqdm and the rich loops as printed, both colours.

Each runs over a plain download and over coded ones, where the body grows when it is decoded and only
`num_bytes_downloaded` can tell how far the download is.
"""

from __future__ import annotations

import tempfile
from typing import Any

import pytest
import rich.progress
from tqdm import tqdm

import httpure

from ..running import on_each_loop
from ..servers import bodies

SIZE = 2_000_000
PATHS = ["/large", "/gzip", "/deflate", "/brotli", "/zstd"]


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    return f"{request.param}/{SIZE}"


def assert_whole(path: str, file: Any) -> None:
    """The file holds the decoded body."""
    file.seek(0)
    expected = b"".join(bodies.large_body(SIZE)) if path.startswith("/large") else bodies.text_body(SIZE)
    assert file.read() == expected


def assert_coded_size(path: str, total: int) -> None:
    """The total counts what is downloaded, not what comes out of it."""
    assert total == SIZE if path.startswith("/large") else 0 < total < 0.7 * SIZE


def test_tqdm_loop(example: str, path: str) -> None:
    with tempfile.NamedTemporaryFile() as download_file:
        url = f"{example}{path}"
        with httpure.stream("GET", url) as response:
            total = int(response.headers["Content-Length"])

            with tqdm(total=total, unit_scale=True, unit_divisor=1024, unit="B") as progress:
                num_bytes_downloaded = response.num_bytes_downloaded
                for chunk in response.iter_bytes():
                    download_file.write(chunk)
                    progress.update(response.num_bytes_downloaded - num_bytes_downloaded)
                    num_bytes_downloaded = response.num_bytes_downloaded
        assert progress.n == total
        assert_coded_size(path, total)
        assert_whole(path, download_file)


def test_rich_loop(example: str, path: str) -> None:
    with tempfile.NamedTemporaryFile() as download_file:
        url = f"{example}{path}"
        with httpure.stream("GET", url) as response:
            total = int(response.headers["Content-Length"])

            with rich.progress.Progress(
                "[progress.percentage]{task.percentage:>3.0f}%",
                rich.progress.BarColumn(bar_width=None),
                rich.progress.DownloadColumn(),
                rich.progress.TransferSpeedColumn(),
            ) as progress:
                download_task = progress.add_task("Download", total=total)
                for chunk in response.iter_bytes():
                    download_file.write(chunk)
                    progress.update(download_task, completed=response.num_bytes_downloaded)
        assert progress.tasks[0].completed == total
        assert progress.finished
        assert_whole(path, download_file)


@on_each_loop
async def test_async_tqdm_loop(http: Any, example: str, path: str) -> None:
    with tempfile.NamedTemporaryFile() as download_file:
        url = f"{example}{path}"
        async with http.stream("GET", url) as response:
            total = int(response.headers["Content-Length"])

            with tqdm(total=total, unit_scale=True, unit_divisor=1024, unit="B") as progress:
                num_bytes_downloaded = response.num_bytes_downloaded
                async for chunk in response.aiter_bytes():
                    download_file.write(chunk)
                    progress.update(response.num_bytes_downloaded - num_bytes_downloaded)
                    num_bytes_downloaded = response.num_bytes_downloaded
        assert progress.n == total
        assert_coded_size(path, total)
        assert_whole(path, download_file)


@on_each_loop
async def test_async_rich_loop(http: Any, example: str, path: str) -> None:
    with tempfile.NamedTemporaryFile() as download_file:
        url = f"{example}{path}"
        async with http.stream("GET", url) as response:
            total = int(response.headers["Content-Length"])

            with rich.progress.Progress(
                "[progress.percentage]{task.percentage:>3.0f}%",
                rich.progress.BarColumn(bar_width=None),
                rich.progress.DownloadColumn(),
                rich.progress.TransferSpeedColumn(),
            ) as progress:
                download_task = progress.add_task("Download", total=total)
                async for chunk in response.aiter_bytes():
                    download_file.write(chunk)
                    progress.update(download_task, completed=response.num_bytes_downloaded)
        assert progress.tasks[0].completed == total
        assert progress.finished
        assert_whole(path, download_file)


def test_downloaded_bytes_only_grow(httpbin: str) -> None:
    with httpure.Client() as client, client.stream("GET", f"{httpbin}/stream-bytes/100000") as response:
        assert response.num_bytes_downloaded == 0
        seen = [response.num_bytes_downloaded for _ in response.iter_bytes()]
    assert seen == sorted(seen)
    assert seen[-1] == response.num_bytes_downloaded == 100_000


def test_whole_reads_count_too(httpbin: str) -> None:
    r = httpure.get(f"{httpbin}/gzip/{SIZE}")
    assert r.num_bytes_downloaded == int(r.headers["Content-Length"]) < len(r.content) == SIZE
