"""urllib3: blocking only. It holds whole files in memory to encode multipart, so it is not in the uploads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3

from ..bodies import PAYLOAD, PatternCheck, check_accepted, upload_path
from ..workloads import Load
from . import TIMEOUT, version_of


class Urllib3:
    """A pool manager; retries and redirects as they are by default."""

    def __init__(self, name: str) -> None:
        self.version = version_of(name)

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        authority = {"ca_certs": load.ca} if load.ca else {}
        with urllib3.PoolManager(maxsize=load.pool, timeout=TIMEOUT, **authority) as pool:
            if load.posts:
                yield lambda: pool.request("POST", load.url, json=PAYLOAD).data
            else:
                yield lambda: pool.request("GET", load.url).data

    @contextmanager
    def blocking_document(self, load: Load) -> Iterator[Any]:
        fields = {"Accept-Encoding": "gzip"}  # it asks for nothing by itself
        with urllib3.PoolManager(maxsize=load.pool, timeout=TIMEOUT) as pool:
            yield lambda: pool.request("GET", load.url, headers=fields).json()

    @contextmanager
    def blocking_one_shot(self, load: Load) -> Iterator[Any]:
        def once() -> bytes:
            with urllib3.PoolManager() as pool:
                return pool.request("GET", load.url).data

        yield once

    @contextmanager
    def blocking_construct(self, load: Load) -> Iterator[Any]:
        yield lambda: urllib3.PoolManager().clear()

    @contextmanager
    def blocking_download(self, load: Load) -> Iterator[Any]:
        with urllib3.PoolManager(timeout=TIMEOUT) as pool:

            def download(size: int) -> None:
                body = PatternCheck(size)
                response = pool.request("GET", f"{load.url}/{size}", preload_content=False)
                for piece in response.stream(65_536):
                    body.take(piece)
                response.release_conn()
                body.finish()

            yield download

    @contextmanager
    def blocking_send(self, load: Load) -> Iterator[Any]:
        with urllib3.PoolManager(timeout=TIMEOUT) as pool:

            def send(size: int) -> None:
                # Without the length it would use chunks.
                fields = {"Content-Length": str(size)}
                with upload_path(load.folder, size).open("rb") as file:
                    response = pool.request("POST", f"{load.url}/{size}", body=file, headers=fields)
                check_accepted(response.data)

            yield send


make = Urllib3
