"""http.client: blocking only, one connection."""

from __future__ import annotations

import http.client
import json
import platform
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from ..bodies import PAYLOAD, PatternCheck, check_accepted, upload_path
from ..workloads import Load
from . import TIMEOUT, context_of


def _connection(load: Load) -> closing[http.client.HTTPConnection]:
    place = urlsplit(load.url).netloc
    if (context := context_of(load)) is not None:
        return closing(http.client.HTTPSConnection(place, timeout=TIMEOUT, context=context))
    return closing(http.client.HTTPConnection(place, timeout=TIMEOUT))


class HttpClient:
    """The standard library's connection, which a request is sent on by hand."""

    def __init__(self, name: str) -> None:
        self.version = platform.python_version()

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        path = urlsplit(load.url).path
        with _connection(load) as connection:

            def get() -> bytes:
                connection.request("GET", path)
                return connection.getresponse().read()

            def post() -> bytes:
                connection.request("POST", path, json.dumps(PAYLOAD), {"Content-Type": "application/json"})
                return connection.getresponse().read()

            yield post if load.posts else get

    @contextmanager
    def blocking_document(self, load: Load) -> Iterator[Any]:
        path = urlsplit(load.url).path
        with _connection(load) as connection:

            def get() -> Any:
                connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
                response = connection.getresponse()
                body = response.read()
                # By hand, as those must who use it alone.
                return json.loads(zlib.decompress(body, 31) if response.headers["Content-Encoding"] else body)

            yield get

    @contextmanager
    def blocking_one_shot(self, load: Load) -> Iterator[Any]:
        path = urlsplit(load.url).path

        def once() -> bytes:
            with _connection(load) as connection:
                connection.request("GET", path)
                return connection.getresponse().read()

        yield once

    @contextmanager
    def blocking_download(self, load: Load) -> Iterator[Any]:
        path = urlsplit(load.url).path
        with _connection(load) as connection:

            def download(size: int) -> None:
                body = PatternCheck(size)
                connection.request("GET", f"{path}/{size}")
                response = connection.getresponse()
                while piece := response.read(65_536):
                    body.take(piece)
                body.finish()

            yield download

    @contextmanager
    def blocking_send(self, load: Load) -> Iterator[Any]:
        path = urlsplit(load.url).path
        with _connection(load) as connection:

            def send(size: int) -> None:
                with upload_path(load.folder, size).open("rb") as file:
                    connection.request("POST", f"{path}/{size}", file, {"Content-Length": str(size)})
                check_accepted(connection.getresponse().read())

            yield send


make = HttpClient
