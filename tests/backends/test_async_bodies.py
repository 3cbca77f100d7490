"""Bodies of an async client are read without blocking the event loop; and files of async libraries."""

from __future__ import annotations

import io
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

import httpure
from httpure import Part
from httpure import trio as httpure_trio
from tests.peers import Answer, Call, RealNetwork, Site
from tests.running import on_each_loop

DATA = bytes(range(256)) * 1000


def body_back(call: Call) -> Answer:
    if call.path == "/redirect":
        return Answer(307, b"", [("Location", "/")])
    return Answer(200, call.body, [("X-Length", call.field("content-length") or "chunked")])


@pytest.fixture
def url(network: RealNetwork) -> str:
    """A server that sends back what it gets."""
    return f"http://127.0.0.1:{network.listen(Site(body_back))}"


class NotingFile(io.BytesIO):
    """Notes the threads that it is read in."""

    def __init__(self) -> None:
        super().__init__(DATA)
        self.threads: set[threading.Thread] = set()

    def read(self, size: int | None = -1) -> bytes:
        self.threads.add(threading.current_thread())
        return super().read(size)

    @property
    def blocked(self) -> bool:
        """Whether it was read in the thread of the event loop; an assertion that it was read at all."""
        assert self.threads
        return threading.current_thread() in self.threads


def generator(threads: set[threading.Thread]) -> Iterator[bytes]:
    threads.add(threading.current_thread())
    yield b"generated"


# Who reads it: the client, or code of the user's


@on_each_loop
async def test_each_part_of_a_form_is_read_in_its_own_way(http: Any, url: str) -> None:
    async def waiting() -> AsyncIterator[bytes]:
        yield b"awaited"

    threads: set[threading.Thread] = set()
    file, second = NotingFile(), NotingFile()
    fields = {"file": Part(file), "generator": Part(generator(threads)), "async": Part(waiting())}
    async with http.Client() as client:
        response = await client.post(url, data=fields, files={"second": second})
    assert response.content.count(DATA) == 2
    assert b"\r\n\r\ngenerated\r\n" in response.content and b"\r\n\r\nawaited\r\n" in response.content
    assert not file.blocked and not second.blocked
    assert threads == {threading.current_thread()}, "a generator may use what is not safe for threads"


class Mirror(httpure.AsyncBaseTransport):
    """Reads the body piece by piece, as a transport over another library does."""

    async def handle_async_request(self, request: httpure.Request) -> httpure.Response:
        if request.url.path == "/redirect":
            return httpure.Response(307, headers={"Location": "/"})
        assert isinstance(request.stream, httpure.AsyncByteStream)
        return httpure.Response(200, content=b"".join([piece async for piece in request.stream]))


@on_each_loop
@pytest.mark.parametrize(
    "transport", [Mirror(), httpure.MockTransport(lambda r: httpure.Response(200, content=r.content))]
)
async def test_transports_of_the_user(http: Any, transport: Any) -> None:
    async with http.Client(transport=transport) as client:
        for body in ("content", "files"):
            file = NotingFile()
            given: Any = {"content": file} if body == "content" else {"files": {"f": file}}
            assert DATA in (await client.post("http://example.org/", **given)).content
            assert not file.blocked
        for content in ([b"one ", b"two"], iter([b"one ", b"two"])):
            assert (await client.post("http://example.org/", content=content)).content == b"one two"


@on_each_loop
async def test_redirects_with_a_transport_of_the_user(http: Any) -> None:
    async with http.Client(transport=Mirror(), follow_redirects=True) as client:
        assert (await client.post("http://example.org/redirect", content=NotingFile())).content == DATA
        with pytest.raises(httpure.StreamConsumed):
            await client.post("http://example.org/redirect", content=iter([b"once"]))


@on_each_loop
async def test_hooks_and_auth_flows(http: Any, url: str) -> None:
    async def hook(request: httpure.Request) -> None:
        await request.aread()

    class Signing(httpure.Auth):
        requires_request_body = True

        def auth_flow(self, request: httpure.Request) -> Any:
            assert request.content == DATA
            yield request

    class SigningItself(Signing):
        async def async_auth_flow(self, request: httpure.Request) -> Any:
            await request.aread()
            assert request.content == DATA
            yield request

    async with http.Client(event_hooks={"request": [hook]}) as client:
        file = NotingFile()
        assert (await client.post(url, content=file)).content == DATA
        assert not file.blocked
    async with http.Client() as client:
        for auth in (Signing(), SigningItself()):
            file = NotingFile()
            assert (await client.post(url, content=file, auth=auth)).content == DATA
            assert not file.blocked


@on_each_loop
async def test_a_request_goes_from_one_client_to_the_next(http: Any, url: str) -> None:
    request = httpure.Request("POST", url, content=NotingFile())
    for _ in range(2):
        async with http.Client() as client:
            assert (await client.send(request)).content == DATA


# Files of async libraries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.bin"
    path.write_bytes(DATA)
    return path


async def check_file(client: Any, file: Any, url: str) -> None:
    response = await client.post(url, content=file)
    assert (response.content, response.headers["x-length"]) == (DATA, str(len(DATA)))
    await file.seek(1000)
    response = await client.post(url + "/redirect", content=file)
    assert (response.content, response.headers["x-length"]) == (DATA[1000:], str(len(DATA) - 1000))
    response = await client.post(url, files={"f": file, "g": ("name", file), "h": Part(file)})
    assert response.content.count(DATA) == 3
    assert response.headers["x-length"] == str(len(response.content))
    assert response.content.count(b'filename="file.bin"') == 2


def test_files_of_trio(url: str, path: Path) -> None:
    async def main() -> None:
        async with (
            httpure_trio.Client(follow_redirects=True) as client,
            await trio.open_file(path, "rb") as file,
        ):
            await check_file(client, file, url)
        with pytest.raises(TypeError, match="binary mode"):
            async with await trio.open_file(path) as text:
                client.build_request("POST", url, content=text)

    trio.run(main)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_files_of_anyio(url: str, path: Path, loop: str) -> None:
    async def main() -> None:
        async with (
            httpure.AsyncClient(follow_redirects=True) as client,
            await anyio.open_file(path, "rb") as file,
        ):
            await check_file(client, file, url)

    anyio.run(main, backend=loop)
