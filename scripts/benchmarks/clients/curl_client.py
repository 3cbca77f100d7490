"""pycurl: blocking only, one handle that keeps its connection."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pycurl

from ..bodies import PAYLOAD, PatternCheck, check_accepted, upload_path
from ..workloads import Load
from . import TIMEOUT, version_of


def _handle(load: Load) -> Any:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, load.url)
    if load.ca:
        handle.setopt(pycurl.CAINFO, load.ca)
    handle.setopt(pycurl.TIMEOUT_MS, int(TIMEOUT * 1000))
    handle.setopt(pycurl.NOSIGNAL, 1)
    return handle


def _body(handle: Any) -> bytes:
    body = io.BytesIO()
    handle.setopt(pycurl.WRITEDATA, body)
    handle.perform()
    return body.getvalue()


class Curl:
    """libcurl's easy interface."""

    def __init__(self, name: str) -> None:
        self.version = version_of(name)

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        with closing(_handle(load)) as handle:

            def post() -> bytes:
                handle.setopt(pycurl.POSTFIELDS, json.dumps(PAYLOAD))
                return _body(handle)

            if load.posts:
                handle.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json"])
                yield post
            else:
                yield lambda: _body(handle)

    @contextmanager
    def blocking_document(self, load: Load) -> Iterator[Any]:
        with closing(_handle(load)) as handle:
            handle.setopt(pycurl.ACCEPT_ENCODING, "")  # all that it can
            yield lambda: json.loads(_body(handle))

    @contextmanager
    def blocking_one_shot(self, load: Load) -> Iterator[Any]:
        def once() -> bytes:
            with closing(_handle(load)) as handle:
                return _body(handle)

        yield once

    @contextmanager
    def blocking_download(self, load: Load) -> Iterator[Any]:
        with closing(_handle(load)) as handle:

            def download(size: int) -> None:
                body = PatternCheck(size)
                handle.setopt(pycurl.URL, f"{load.url}/{size}")
                handle.setopt(pycurl.WRITEFUNCTION, body.take)
                handle.perform()
                body.finish()

            yield download

    @contextmanager
    def blocking_send(self, load: Load) -> Iterator[Any]:
        with closing(_handle(load)) as handle:
            handle.setopt(pycurl.HTTPHEADER, ["Expect:"])
            handle.setopt(pycurl.POST, 1)

            def send(size: int) -> None:
                handle.setopt(pycurl.URL, f"{load.url}/{size}")
                handle.setopt(pycurl.POSTFIELDSIZE_LARGE, size)
                with upload_path(load.folder, size).open("rb") as file:
                    handle.setopt(pycurl.READDATA, file)
                    check_accepted(_body(handle))

            yield send

    @contextmanager
    def blocking_upload(self, load: Load) -> Iterator[Any]:
        with closing(_handle(load)) as handle:
            handle.setopt(pycurl.HTTPHEADER, ["Expect:"])

            def upload(size: int) -> None:
                path = str(upload_path(load.folder, size))
                handle.setopt(pycurl.URL, f"{load.url}/{size}")
                handle.setopt(pycurl.HTTPPOST, [("file", (pycurl.FORM_FILE, path))])
                check_accepted(_body(handle))

            yield upload


make = Curl
