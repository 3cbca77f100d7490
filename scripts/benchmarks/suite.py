"""All that is measured, in the order in which it is shown. A new workload is a row in one of the modules below."""

from __future__ import annotations

from . import bulk, small
from .workloads import Workload

WORKLOADS: tuple[Workload, ...] = (*small.WORKLOADS, *bulk.WORKLOADS)
NAMED = {workload.name: workload for workload in WORKLOADS}

#: A few workloads that say most, and short names for them.
SUMMARY = {
    "blocking-get": "GET 1 KiB, blocking",
    "asyncio-get-16": "asyncio, 16 at a time",
    "asyncio-get-128": "asyncio, 128 at a time",
    "uvloop-get-16": "uvloop, 16 at a time",
    "trio-get-16": "trio, 16 at a time",
    "blocking-post": "POST 1 KiB of JSON, blocking",
    "asyncio-post-16": "asyncio, 16 at a time",
    "blocking-tls": "GET 1 KiB over TLS, blocking",
    "asyncio-tls-16": "asyncio, 16 at a time",
    "http2-asyncio-get-16": "GET 1 KiB over HTTP/2, asyncio, 16 at a time",
    "asyncio-100k-64": "GET 100 KiB, asyncio, 64 at a time",
    "download-blocking": "download of 100 MB, blocking",
    "download-asyncio": "asyncio",
    "import": "import",
}
