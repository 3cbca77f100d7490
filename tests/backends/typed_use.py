"""Not run, but read by mypy: a typed wrapper as users write them. Lines that end in `# error` must be errors."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Unpack

import httpure
from httpure import asyncio as http
from httpure.types import BodyOptions, RequestOptions, TimeoutTypes


class API:
    """A blocking client of some service."""

    def __init__(self, client: httpure.Client) -> None:
        self.client = client

    def user(self, name: str) -> dict[str, str]:
        timeout = httpure.Timeout(5, read=None, total=30)
        response = self.client.get(f"/users/{name}", params={"a": [1, 2], "b": None}, timeout=timeout)
        found: dict[str, str] = response.raise_for_status().json()
        return found

    def upload(self, path: str) -> httpure.Response:
        with open(path, "rb") as file:
            return self.client.post("/files", files={"file": (path, file, "text/plain")}, data={"a": "b"})

    def lines(self) -> Iterator[str]:
        with self.client.stream("GET", "/lines", headers=[("Accept", "text/plain")]) as response:
            yield from response.iter_lines()


def fetch(client: httpure.Client, name: str, **options: Unpack[RequestOptions]) -> httpure.Response:
    """Hand on what `get` takes."""
    return client.get(f"/things/{name}", **options)


async def store(client: httpure.AsyncClient, limits: TimeoutTypes, **options: Unpack[BodyOptions]) -> int:
    """Hand on what `post` takes, and look at what came back."""
    options["timeout"] = limits
    options["headers"] = {"User-Agent": None, "X-Own": "1"}
    response = await client.post("/things", **options)
    history: list[httpure.Response] = response.raise_for_status(errors_only=True).history
    return response.status_code + len(history) + len(response.request.headers)


class Token(httpure.Auth):
    """A scheme of the user's."""

    def auth_flow(self, request: httpure.Request) -> Generator[httpure.Request, httpure.Response, None]:
        request.headers["Authorization"] = "Bearer x"
        yield request


class Logging(httpure.HTTPTransport):
    """A transport of the user's."""

    def handle_request(self, request: httpure.Request) -> httpure.Response:
        response = super().handle_request(request)
        print(request.method, request.url.host, response.status_code, response.headers.get("server", ""))
        return response


async def count() -> int:
    """Count bytes, asynchronously."""
    limits = httpure.Limits(max_connections=3)
    total = 0
    async with http.Client(auth=Token(), limits=limits, follow_redirects=True) as client:
        async with client.stream("GET", "/x", cookies={"a": "1"}) as response:
            async for piece in response.aiter_bytes():
                total += len(piece)
    return total + (await http.get("https://example.org", auth=("a", "b"))).status_code


async def wrong(client: httpure.Client) -> None:
    """What a type checker must find."""
    client.get(5)  # error
    client.get("/", tiemout=3)  # error
    fetch(client, "/", tiemout=3)  # error
    fetch(client, "/", json=3)  # error
    httpure.Headers({"A": None})  # error
    client.get("/").status  # error # noqa: B018
    await httpure.get("/")  # error
    http.get("/").status_code  # error # noqa: B018
    httpure.Client(timeout="soon")  # error
    httpure.AsyncClient(transport=httpure.HTTPTransport())  # error
    with http.Client():  # error
        pass
    text: str = client.get("/").content  # error
    print(text)


def looked_at(client: httpure.Client, response: httpure.Response) -> str:
    """What is looked up has a type."""
    kind: str | None = response.headers.get("content-type")
    length = response.headers.get("content-length", 0)
    page: str = response.url.params.get("page", "1")
    for cookie in client.cookies.jar:
        cookie.value = None
    httpure.Client(cookies=client.cookies.jar)
    httpure.Client(cookies=[1])  # error
    bad: str = response.headers.get("etag")  # error
    return f"{kind}{length}{page}{bad}"
