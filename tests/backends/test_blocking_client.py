"""What only the blocking client has to do with: async bodies and handlers, files, threads, running event loops."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import httpure
from httpure import sockets
from tests.peers import Answer, Call, RealNetwork, Site


def body_back(call: Call) -> Answer:
    return Answer(200, call.body)


@pytest.fixture
def site() -> Site:
    return Site(body_back)


@pytest.fixture
def url(network: RealNetwork, site: Site) -> str:
    """A server that sends back what it gets."""
    return f"http://127.0.0.1:{network.listen(site)}"


async def pieces() -> AsyncIterator[bytes]:
    yield b"piece"


class AsyncOnly(httpure.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"piece"


def test_async_body_is_refused_before_anything_is_sent(url: str, site: Site) -> None:
    with httpure.Client() as client:
        with pytest.raises(RuntimeError, match="AsyncClient"):
            client.post(url, content=pieces())
        with pytest.raises(RuntimeError, match="AsyncClient"):
            client.send(httpure.Request("POST", url, stream=AsyncOnly()))
        with pytest.raises(RuntimeError, match="AsyncClient"), client.stream("POST", url, content=pieces()):
            pass
        assert site.connections == 0
        assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]
        assert client.post(url, content=b"fine").text == "fine"
    with pytest.raises(RuntimeError):
        httpure.post(url, content=pieces())


def test_async_handler() -> None:
    async def handler(request: httpure.Request) -> httpure.Response:
        return httpure.Response(200)

    with httpure.Client(transport=httpure.MockTransport(handler)) as client:
        with pytest.raises(TypeError, match="not a coroutine function"):
            client.get("http://example.org")


@pytest.mark.parametrize("answer", [None, "text", 200])
def test_handler_that_returns_no_response(answer: Any) -> None:
    async def awaited(request: httpure.Request) -> Any:
        return answer

    transport = httpure.MockTransport(lambda request: answer)
    told = (
        f"The handler of a MockTransport returns a Response, and this one returned {type(answer).__name__}."
    )
    with httpure.Client(transport=transport) as client, pytest.raises(TypeError) as caught:
        client.get("http://example.org")
    assert str(caught.value) == told

    for handler in (transport.handler, awaited):
        request = httpure.Request("GET", "http://example.org")
        with pytest.raises(TypeError) as caught:
            asyncio.run(httpure.MockTransport(handler).handle_async_request(request))
        assert str(caught.value) == told


def test_transport_without_a_method() -> None:
    with httpure.Client(transport=httpure.BaseTransport()) as client:
        with pytest.raises(NotImplementedError, match="handle_request"):
            client.get("http://example.org")


def test_transport_by_itself(url: str) -> None:
    with httpure.HTTPTransport() as transport:
        headers = {"Host": "example.org"}
        response = transport.handle_request(httpure.Request("GET", url, headers=headers))
        assert response.status_code == 200 and not response.is_closed
        assert response.read() == b""
        assert transport.statistics == (1, 1, 0)
    assert transport.statistics == (0, 0, 0)


def test_files(url: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content" * 20_000)
    with httpure.Client() as client:
        with path.open("rb") as file:
            file.seek(7)
            assert client.post(url, content=file).content == path.read_bytes()[7:]
        assert client.post(url, content=io.BytesIO(b"abc")).text == "abc"
        with path.open() as text, pytest.raises(TypeError, match="binary mode"):
            client.post(url, content=text)  # type: ignore[arg-type]
        read, write = os.pipe()
        os.write(write, b"from a pipe")
        os.close(write)
        with open(read, "rb") as pipe:
            assert client.post(url, content=pipe).text == "from a pipe"


def test_async_methods_of_a_response(url: str) -> None:
    async def main(response: httpure.Response) -> None:
        with pytest.raises(RuntimeError, match=r"use response\.read\(\)"):
            await response.aread()
        with pytest.raises(RuntimeError, match=r"use response\.close\(\)"):
            await response.aclose()
        for name in ("iter_raw", "iter_bytes", "iter_text", "iter_lines"):
            with pytest.raises(RuntimeError, match=rf"use response\.{name}\(\)"):
                await anext(getattr(response, f"a{name}")())

    with httpure.Client() as client, client.stream("POST", url, content=b"hello") as response:
        asyncio.run(main(response))
        assert response.read() == b"hello"


def test_within_a_running_loop(url: str) -> None:
    """It blocks the loop, but it works, as in a notebook."""

    async def main() -> str:
        return sockets.post(url, content=b"hello").text

    assert asyncio.run(main()) == "hello"


def test_one_shot_functions(url: str) -> None:
    assert sockets.post is httpure.post
    assert httpure.post(url, content=b"hello").text == "hello"
    assert httpure.request("PUT", url, json=[1]).json() == [1]
    with httpure.stream("POST", url, content=b"a\nb") as response:
        assert list(response.iter_lines()) == ["a", "b"]


def test_waiting_for_a_slot_of_another_thread(network: RealNetwork) -> None:
    """First come, first served: requests that wait are woken one by one by those that end."""
    site = Site(lambda call: Answer(200, call.path.encode(), delay=0.01))
    url = f"http://127.0.0.1:{network.listen(site)}"
    with httpure.Client(limits=httpure.Limits(max_connections=1), timeout=3) as client:
        results: list[str] = []
        threads = [
            threading.Thread(target=lambda n=n: results.append(client.get(f"{url}/{n}").text))  # type: ignore[misc]
            for n in range(8)
        ]
        for number, thread in enumerate(threads):
            thread.start()
            while client._transport.statistics.waiting < min(number, 1) and not results:  # type: ignore[attr-defined]
                pass
        for thread in threads:
            thread.join()
    assert sorted(results) == [f"/{n}" for n in range(8)]
    assert site.connections == 1


def test_dropping_a_response_in_another_thread(network: RealNetwork) -> None:
    """Whoever drops the last reference, the one who waits for the slot is woken."""
    site = Site(lambda call: Answer(200, [b"x" * 1000] * 50, chunked=True, pause=0.01))
    url = f"http://127.0.0.1:{network.listen(site)}"
    limits = httpure.Limits(max_connections=1)
    with httpure.Client(limits=limits, timeout=httpure.Timeout(3, pool=2)) as client:
        held = [client.send(client.build_request("GET", url), stream=True)]
        threading.Timer(0.03, held.clear).start()
        with client.stream("GET", url) as response:
            assert response.status_code == 200


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    heads: list[bytes] = []

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            heads.append(sock.recv(65536))
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve)
    thread.start()
    with httpure.Client(transport=httpure.HTTPTransport(uds=path)) as client:
        assert client.get("http://docker/info").text == "ok"
    thread.join()
    listener.close()
    assert heads[0].startswith(b"GET /info HTTP/1.1\r\nHost: docker\r\n")
    with httpure.Client(transport=httpure.HTTPTransport(uds=path + "x")) as client:
        with pytest.raises(httpure.ConnectError, match="docker") as caught:
            client.get("http://docker/info")
    assert f"{path}x" in str(caught.value)


def test_local_address_and_options(network: RealNetwork, url: str) -> None:
    seen: list[Any] = []
    transport = httpure.HTTPTransport(
        local_address="127.0.0.1", socket_options=[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    )
    with httpure.Client(transport=transport) as client:
        with client.stream("POST", url, content=b"x" * 100) as response:
            link = response.stream.incoming._link  # type: ignore[union-attr]
            seen.append(link.sock.getsockname()[0])
            seen.append(bool(link.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)))
    assert seen == ["127.0.0.1", True]
    bad = httpure.HTTPTransport(local_address="203.0.113.1")
    with httpure.Client(transport=bad) as client:
        with pytest.raises(httpure.ConnectError) as caught:
            client.get(url)
        assert bad.statistics == (0, 0, 0)
    assert "127.0.0.1" in str(caught.value)


def test_coroutine_function_as_a_hook(url: str) -> None:
    async def hook(request: httpure.Request) -> None:
        raise AssertionError

    with httpure.Client(event_hooks={"request": [hook]}) as client:
        with pytest.raises(TypeError, match="plain function"):
            client.get(url)


def test_transport_of_the_other_colour() -> None:
    with pytest.raises(TypeError, match="AsyncHTTPTransport"):
        httpure.Client(transport=httpure.AsyncHTTPTransport())  # type: ignore[arg-type]
