"""The jobs' names, and what their answers must say. Both colours use these, so neither may be lenient."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

import httpure
from tests.servers import bodies

GET = "GET over verified TLS"
JSON = "JSON"
COOKIES = "cookies"
REDIRECTS = "five redirects"
AUTH = "Basic, Digest auth"
CODINGS = "gzip, deflate, br, zstd"
DOWNLOAD = "100 MB download"
UPLOAD = "100 MB upload"
CONCURRENT = "1,000 concurrent requests"

SIZE = 100_000_000
CONCURRENCY = 1000
CODED_SIZE = 1_000_000
DOCUMENT = {"name": "httpure", "numbers": [1, 2.5, -3], "nested": {"text": "grüße, 世界", "nothing": None}}

SMALL_AUTH = (
    ("/basic-auth/tom/mot123", httpure.BasicAuth("tom", "mot123")),
    ("/digest-auth/auth/tom/mot123/SHA-256", httpure.DigestAuth("tom", "mot123")),
)


class Site(NamedTuple):
    """Where the jobs run, whom they trust, and the file that they upload."""

    url: str
    context: ssl.SSLContext
    upload: Path


class Wrong(Exception):
    """An answer is not what it must be."""


def that(condition: bool, what: str) -> None:
    """Raises Wrong, with `what` is not so, where the condition does not hold."""
    if not condition:
        raise Wrong(what)


def page(r: httpure.Response) -> None:
    that(r.status_code == 200 and "<h1>Example</h1>" in r.text, f"the page is not the expected one: {r!r}")


def document(r: httpure.Response) -> None:
    that(r.json()["json"] == DOCUMENT, "the server did not understand the JSON document as it was")


def cookies(r: httpure.Response) -> None:
    that(r.json() == {"cookies": {"flavour": "ginger", "size": "2"}}, f"other cookies came back: {r.text}")


def redirects(r: httpure.Response) -> None:
    that([h.status_code for h in r.history] == [302] * 5, f"not five redirects: {r.history}")
    that(r.url.path == "/get" and r.status_code == 200, f"the redirects led to {r.url}")


def authenticated(r: httpure.Response) -> None:
    that(r.status_code == 200 and r.json()["user"] == "tom", f"not authenticated: {r!r}")


def coded(r: httpure.Response) -> None:
    that(r.content == bodies.text_body(CODED_SIZE), f"{r.headers['content-encoding']} was decoded wrongly")
    that(r.num_bytes_downloaded < CODED_SIZE, "the body was not compressed on its way")


def downloaded(sha256: str) -> None:
    that(sha256 == bodies.large_sha256(SIZE), "the downloaded bytes have another hash than those sent")


def uploaded(r: httpure.Response) -> None:
    (part,) = r.json()["parts"]
    that(part["size"] == SIZE, f"the server received {part['size']} bytes of the file")
    that(part["sha256"] == bodies.large_sha256(SIZE), "the server received other bytes than the file's")


def numbered(r: httpure.Response, number: int) -> None:
    that(r.json()["args"] == {"number": str(number)}, f"request {number} got the answer of another: {r.url}")
