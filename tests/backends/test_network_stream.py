"""The network stream of a response on real backends: what it costs, whom it knows, and what travels over it."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import httpure
from httpure._network_stream import AsyncNetworkStream, NetworkStream
from httpure._socket_info import socket_info
from tests.peers import Answer, Peer, RealNetwork, Site
from tests.peers.raw import SWITCHED, Echo, leaving
from tests.running import on_each_loop

UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}
ATTACHED = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)


@pytest.fixture
def attached(tmp_path: Path) -> Iterator[str]:
    """A Unix socket where a container is attached to: it says its prompt, and answers each line."""
    path = str(tmp_path / "docker.sock")
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("no Unix sockets here")

    def serve() -> None:
        try:
            sock, _ = server.accept()
        except OSError:
            return
        with sock:
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(4096)
            sock.sendall(ATTACHED + b"$ ")
            while line := sock.recv(4096):
                if line == b"exit\n":
                    return
                sock.sendall(line.upper() + b"$ ")

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def until(stream: Any, end: bytes) -> bytes:
    got = b""
    while not got.endswith(end):
        got += stream.read(100, timeout=5)
    return got


def test_attaching_to_a_container(attached: str) -> None:
    transport = httpure.HTTPTransport(uds=attached)
    with httpure.Client(transport=transport) as client:
        url = "http://docker/containers/c/attach?stream=1&stdin=1&stdout=1"
        with client.stream("POST", url, headers=UPGRADE) as response:
            assert response.reason_phrase == "UPGRADED"
            stream = response.extensions["network_stream"]
            assert stream.get_extra_info("server_addr") == attached
            assert until(stream, b"$ ") == b"$ "
            stream.write(b"ls\n")
            assert until(stream, b"$ ") == b"LS\n$ "
            stream.write(b"exit\n")
            assert stream.read(100, timeout=5) == b""


@on_each_loop
async def test_attaching_to_a_container_async(http: Any, attached: str) -> None:
    transport = httpure.AsyncHTTPTransport(uds=attached)
    async with http.Client(transport=transport) as client:
        async with client.stream("POST", "http://docker/containers/c/attach", headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]
            assert isinstance(stream, AsyncNetworkStream)
            got = b""
            while not got.endswith(b"$ "):
                got += await stream.read(100, timeout=5)
            await stream.write(b"exit\n")
            assert await stream.read(100, timeout=5) == b""
            await stream.aclose()
            with pytest.raises(httpure.WriteError, match="The connection was closed"):
                await stream.write(b"too late")


@pytest.fixture
def echo(network: RealNetwork) -> str:
    return f"http://127.0.0.1:{network.listen(leaving(SWITCHED, Echo))}"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_can_be_written(echo: str, kind: Any) -> None:
    with httpure.Client() as client, client.stream("GET", echo, headers=UPGRADE) as response:
        stream = response.extensions["network_stream"]
        data = bytearray(b"hello")
        stream.write(kind(data))
        data[:] = b"other"
        assert stream.read(5, timeout=5) == b"HELLO"


def test_start_tls_wants_a_name_where_names_are_checked(echo: str) -> None:
    context = httpure.create_ssl_context()
    with httpure.Client() as client, client.stream("GET", echo, headers=UPGRADE) as response:
        stream = response.extensions["network_stream"]
        with pytest.raises(ValueError, match="server_hostname"):
            stream.start_tls(context)
        stream.write(b"on")
        assert stream.read(2, timeout=5) == b"ON", "nothing was begun"


def test_start_tls_without_a_name(echo: str) -> None:
    context = httpure.create_ssl_context(verify=False)
    with httpure.Client() as client, client.stream("GET", echo, headers=UPGRADE) as response:
        with pytest.raises(httpure.ConnectError, match="Could not start TLS with the server"):
            response.extensions["network_stream"].start_tls(context, timeout=5)


def test_a_dropped_response_closes_its_connection(echo: str) -> None:
    transport = httpure.HTTPTransport()
    with httpure.Client(transport=transport) as client:
        response = client.send(client.build_request("GET", echo, headers=UPGRADE), stream=True)
        stream = response.extensions["network_stream"]
        del response
        gc.collect()
        stream.write(b"on")
        assert stream.read(2, timeout=5) == b"ON", "the stream holds it"
        del stream
        gc.collect()
        assert transport.statistics == (0, 0, 0)


class Busy(Peer):
    """Leaves HTTP, takes nothing, and has something to say a moment later."""

    def receive_data(self, data: bytes) -> None:
        self.channel.send(SWITCHED)
        self.channel.pause()
        self.channel.call_later(0.03, lambda: self.channel.send(b"news"))


def test_who_reads_does_not_wait_for_who_writes(network: RealNetwork) -> None:
    """In two threads, to a peer that takes nothing: what it says, it may want to have heard before it goes on."""
    url = f"http://127.0.0.1:{network.listen(Busy, receive_buffer=4096)}"
    failed: list[Exception] = []
    with httpure.Client() as client, client.stream("GET", url, headers=UPGRADE) as response:
        stream = response.extensions["network_stream"]

        def write() -> None:
            try:
                stream.write(b"x" * 5_000_000, timeout=0.15)
            except httpure.WriteTimeout as exc:
                failed.append(exc)

        thread = threading.Thread(target=write)
        thread.start()
        assert stream.read(10, timeout=5) == b"news"
        assert not failed and thread.is_alive()
        thread.join()
        assert failed


def test_what_is_pickled_has_none(network: RealNetwork) -> None:
    import pickle

    url = f"http://127.0.0.1:{network.listen(Site(lambda call: Answer(200)))}"
    response = httpure.get(url)
    assert isinstance(response.extensions["network_stream"], NetworkStream)
    assert "network_stream" not in pickle.loads(pickle.dumps(response)).extensions


def test_is_small() -> None:
    """One is made for each response."""
    assert not hasattr(NetworkStream(object()), "__dict__")  # type: ignore[arg-type]
    assert sys.getsizeof(NetworkStream(object())) <= 56  # type: ignore[arg-type]


class TestSocketInfo:
    def test_of_a_connection(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            assert socket_info(ours, "socket") is ours
            assert socket_info(ours, "is_readable") is False
            theirs.send(b"x")
            assert socket_info(ours, "is_readable") is True
            assert socket_info(ours, "anything") is None

    def test_of_one_that_is_not_connected(self) -> None:
        with socket.socket() as sock:
            assert socket_info(sock, "server_addr") is None

    @pytest.mark.parametrize(
        ("name", "known"),
        [("socket", None), ("client_addr", None), ("server_addr", None), ("is_readable", True)],
    )
    def test_of_one_that_is_closed(self, name: str, known: object) -> None:
        sock = socket.socket()
        sock.close()
        assert socket_info(sock, name) is known


class HalfClosing:
    """Says a word behind 101, closes its own side, and hears the client out."""

    def __init__(self) -> None:
        self.heard = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    def _serve(self) -> None:
        sock, _ = self._server.accept()
        with sock:
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(4096)
            sock.sendall(ATTACHED + b"that was all")
            sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(4096):
                self.heard += data

    def __enter__(self) -> HalfClosing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._server.close()


@pytest.fixture
def half_closing() -> Iterator[HalfClosing]:
    with HalfClosing() as server:
        yield server
    assert server.heard == b"I see"


def test_a_peer_that_has_said_all_may_still_listen(half_closing: HalfClosing) -> None:
    with httpure.Client() as client:
        with client.stream("GET", half_closing.url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]
            received = b""
            while data := stream.read(100):
                received += data
            stream.write(b"I see")
    assert received == b"that was all"


@on_each_loop
async def test_a_peer_that_has_said_all_may_still_listen_async(http: Any, half_closing: HalfClosing) -> None:
    async with http.Client() as client:
        async with client.stream("GET", half_closing.url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]
            received = b""
            while data := await stream.read(100):
                received += data
            await stream.write(b"I see")
    assert received == b"that was all"
