"""http.client: blocking only, one connection."""

from __future__ import annotations

import http.client
import json
import platform
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from ..bodies import PAYLOAD, PatternCheck
from ..workloads import Load
from . import TIMEOUT


def _connection(load: Load) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection(urlsplit(load.url).netloc, timeout=TIMEOUT))


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


make = HttpClient
