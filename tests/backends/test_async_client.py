"""What only the async client has to do with: two event loops, blocking bodies, worker threads, wrong colours."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import httpure
from httpure import asyncio as httpure_asyncio
from httpure import trio as httpure_trio
from tests.peers import Answer, Call, RealNetwork, Site, with_tls
from tests.running import on_each_loop

from .certificates import certificates
from .transports.loops import cancelled_after, sleep


def body_back(call: Call) -> Answer:
    return Answer(200, call.body)


@pytest.fixture
def url(network: RealNetwork) -> str:
    """A server that sends back what it gets."""
    return f"http://127.0.0.1:{network.listen(Site(body_back))}"


# Blocking bodies


@on_each_loop
async def test_generator(http: Any, url: str) -> None:
    """It is stepped in the loop's own thread: it may use what is not safe for threads."""
    threads: list[threading.Thread] = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            threads.append(threading.current_thread())
            yield b"%d" % number

    async with http.Client() as client:
        assert (await client.post(url, content=pieces())).text == "012"
    assert set(threads) == {threading.current_thread()}


class NotingFile(io.BytesIO):
    """Notes the threads that it is read in."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.threads: set[threading.Thread] = set()

    def read(self, size: int | None = -1) -> bytes:
        self.threads.add(threading.current_thread())
        return super().read(size)


@on_each_loop
async def test_file_is_read_in_a_worker_thread(http: Any, url: str) -> None:
    data = bytes(range(256)) * 1000
    async with http.Client() as client:
        file = NotingFile(data)
        assert (await client.post(url, content=file)).content == data
        assert file.threads and threading.current_thread() not in file.threads
        file = NotingFile(data)
        response = await client.post(url, files={"file": file}, data={"a": "b"})
        assert data in response.content
        assert threading.current_thread() not in file.threads


@on_each_loop
async def test_file_that_fails(http: Any, url: str, tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    async with http.Client(limits=httpure.Limits(max_connections=1)) as client:
        for _ in range(2):
            with pytest.raises(OSError, match="Input/output error"):
                await client.post(url, content=Failing(b"x" * 100))
            assert client._transport.statistics == (0, 0, 0)
        path = tmp_path / "text"
        path.write_text("text")
        with path.open() as text, pytest.raises(TypeError, match="binary mode"):
            await client.post(url, content=text)


@on_each_loop
async def test_stream_of_the_user(http: Any, url: str) -> None:
    class Blocking(httpure.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield from (b"a", b"b")

    class Async(httpure.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"c"
            yield b"d"

    headers = {"Host": "example.org", "Transfer-Encoding": "chunked"}
    async with http.Client() as client:
        for stream, expected in ((Blocking(), "ab"), (Async(), "cd")):
            request = httpure.Request("POST", url, headers=headers, stream=stream)
            assert (await client.send(request)).text == expected


def test_async_file(url: str, tmp_path: Path) -> None:
    """Files that trio, anyio or aiofiles have opened."""
    path = tmp_path / "file"
    path.write_bytes(b"content" * 20_000)

    async def main() -> None:
        async with httpure_trio.Client() as client:
            async with await trio.open_file(path, "rb") as file:
                assert (await client.post(url, content=file)).content == path.read_bytes()

    trio.run(main)


# Wrong colours


@on_each_loop
async def test_blocking_methods_of_a_response(http: Any, url: str) -> None:
    async with http.Client() as client:
        async with client.stream("POST", url, content=b"hello") as response:
            with pytest.raises(RuntimeError, match=r"use response\.aread\(\)"):
                response.read()
            with pytest.raises(RuntimeError, match=r"use response\.aclose\(\)"):
                response.close()
            for name in ("iter_raw", "iter_bytes", "iter_text", "iter_lines"):
                with pytest.raises(RuntimeError, match=rf"use response\.a{name}\(\)"):
                    next(getattr(response, name)())
            assert await response.aread() == b"hello"
        assert response.text == "hello"


@on_each_loop
async def test_plain_hook(http: Any, url: str) -> None:
    seen: list[int] = []
    hooks = {"response": [lambda response: seen.append(response.status_code)]}
    async with http.Client(event_hooks=hooks) as client:
        await client.get(url)
    assert seen == [200]


@on_each_loop
async def test_transport_of_the_other_colour(http: Any) -> None:
    with pytest.raises(TypeError, match="HTTPTransport"):
        http.Client(transport=httpure.HTTPTransport())


@on_each_loop
async def test_mock_transport(http: Any) -> None:
    async def handler(request: httpure.Request) -> httpure.Response:
        return httpure.Response(200, text="async")

    for transport, expected in (
        (httpure.MockTransport(handler), "async"),
        (httpure.MockTransport(lambda request: httpure.Response(200, text="blocking")), "blocking"),
    ):
        async with http.Client(transport=transport) as client:
            assert (await client.get("http://example.org")).text == expected


@on_each_loop
async def test_transport_without_a_method(http: Any) -> None:
    async with http.Client(transport=httpure.AsyncBaseTransport()) as client:
        with pytest.raises(NotImplementedError, match="handle_async_request"):
            await client.get("http://example.org")


@on_each_loop
async def test_entering_that_is_cancelled(http: Any) -> None:
    """The transports that were entered are left in the task that is being cancelled."""
    log: list[str] = []

    class Slow(httpure.AsyncBaseTransport):
        def __init__(self, name: str) -> None:
            self.name = name

        async def __aenter__(self) -> Any:
            log.append(f"enter {self.name}")
            await sleep(0 if self.name == "first" else 60)

        async def aclose(self) -> None:
            log.append(f"close {self.name}")
            await sleep(0)
            log.append(f"closed {self.name}")

    client = http.Client(transport=Slow("first"), mounts={"all://2.test": Slow("second")})
    assert await cancelled_after(0.005, client.__aenter__)
    closing = [line for line in log[2:] if not line.startswith("closed")]
    assert closing == ["close first", "close second"]
    assert len(log) == (4 if http.__name__.endswith("trio") else 6)
    assert client.is_closed


def test_entering_that_nobody_steps_any_more() -> None:
    client = httpure.AsyncClient(transport=Unentered())
    entering = client.__aenter__()
    entering.send(None)
    entering.close()
    assert client.is_closed


class Unentered(httpure.AsyncBaseTransport):
    async def __aenter__(self) -> Any:
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        raise AssertionError("nobody can await it")


# Event loops


def test_each_package_has_its_backend(url: str) -> None:
    """`httpure.asyncio` looks for no other loop, and so does `httpure.trio`."""

    async def get(http: Any) -> int:
        async with http.Client() as client:
            assert client._driver is not None
            return (await client.get(url)).status_code  # type: ignore[no-any-return]

    assert asyncio.run(get(httpure_asyncio)) == 200
    assert trio.run(get, httpure_trio) == 200


def test_one_shot_functions(url: str) -> None:
    async def main(http: Any) -> None:
        assert (await http.post(url, content=b"hello")).text == "hello"
        assert (await http.request("PUT", url, json=[1])).json() == [1]
        async with http.stream("POST", url, content=b"a\nb") as response:
            assert [line async for line in response.aiter_lines()] == ["a", "b"]

    asyncio.run(main(httpure_asyncio))
    trio.run(main, httpure_trio)


def test_client_made_outside_of_the_loop(url: str) -> None:
    for run in (asyncio.run, lambda coroutine: trio.run(lambda: coroutine)):
        client = httpure.AsyncClient()

        async def main(client: httpure.AsyncClient = client) -> int:
            async with client:
                return (await client.get(url)).status_code

        assert run(main()) == 200


def test_uvloop(network: RealNetwork) -> None:
    """Another event loop of asyncio: plain and TLS, both ways, large and small, and a connection used again."""
    uvloop = pytest.importorskip("uvloop")
    site = Site(body_back)
    plain = f"http://127.0.0.1:{network.listen(site)}"
    secure = f"https://127.0.0.1:{network.listen(with_tls(site, certificates().server()))}"
    body = bytes(range(256)) * 8000

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]
            await asyncio.sleep(0)

    async def main() -> None:
        async with httpure.AsyncClient(verify=certificates().trusting, timeout=5) as client:
            for url in (plain, secure):
                assert (await client.post(url, content=b"small")).text == "small"
                assert (await client.post(url, content=body)).content == body
                assert (await client.post(url, content=pieces())).content == body
                async with client.stream("POST", url, content=body) as response:
                    read = b""
                    async for piece in response.aiter_bytes():
                        read += piece
                        await asyncio.sleep(0)
                assert read == body
            many = await asyncio.gather(*[client.post(plain, content=b"%d" % n) for n in range(50)])
            assert [response.text for response in many] == [str(n) for n in range(50)]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await client.get(f"http://127.0.0.1:{silent}")
            assert client._transport.statistics.waiting == 0  # type: ignore[attr-defined]

    silent = network.listen(Site(lambda call: Answer(200, delay=3)))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
