"""The floor: what the bare sockets of each face cost, with nothing parsed. No client can be cheaper.

The length of a response is learned once, from the first; from then on that many bytes are read and the body
is cut out of them.
"""

from __future__ import annotations

import json
import platform
import re
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from ..bodies import PAYLOAD, PatternCheck
from ..workloads import Load
from . import context_of

Address = tuple[str, int]
Secure = ssl.SSLContext | None


def address_of(load: Load) -> Address:
    parts = urlsplit(load.url)
    return parts.hostname or "", parts.port or 80


def request_of(load: Load) -> bytes:
    """Return the bytes of the request, encoded once."""
    parts = urlsplit(load.url)
    start = f"{'POST' if load.posts else 'GET'} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    if not load.posts:
        return f"{start}\r\n".encode()
    body = json.dumps(PAYLOAD)
    return f"{start}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def connected_to(address: Address, context: Secure) -> socket.socket:
    sock = socket.create_connection(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock if context is None else context.wrap_socket(sock, server_hostname=address[0])


class Shape(tuple[int, int]):
    """(bytes of the head, bytes of the whole response)."""

    @classmethod
    def learned(cls, address: Address, request: bytes, context: Secure = None) -> Shape:
        """Send the request once, on a connection of its own."""
        with connected_to(address, context) as sock:
            sock.sendall(request)
            data = b""
            while (head := data.find(b"\r\n\r\n") + 4) < 4:
                data += sock.recv(65_536)
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)\r\n", data)
        assert length, f"no Content-Length in {data[:head]!r}"
        return cls((head, head + int(length[1])))


class Floor:
    """Bare sockets."""

    def __init__(self, name: str) -> None:
        self.version = platform.python_version()

    @contextmanager
    def blocking_fetch(self, load: Load) -> Iterator[Any]:
        request, context = request_of(load), context_of(load)
        head, total = Shape.learned(address_of(load), request, context)
        view = memoryview(bytearray(total))
        with connected_to(address_of(load), context) as sock:

            def fetch() -> bytes:
                sock.sendall(request)
                return _received(sock, view, head)

            yield fetch

    @contextmanager
    def blocking_download(self, load: Load) -> Iterator[Any]:
        view = memoryview(bytearray(256 * 1024))
        with socket.create_connection(address_of(load)) as sock:

            def download(size: int) -> None:
                sock.sendall(request_of(load._replace(url=f"{load.url}/{size}")))
                body = PatternCheck(size)
                count = sock.recv_into(view)
                body.take(view[bytes(view[:count]).find(b"\r\n\r\n") + 4 : count])
                while body.received < size and (count := sock.recv_into(view)):
                    body.take(view[:count])
                body.finish()

            yield download

    @contextmanager
    def blocking_one_shot(self, load: Load) -> Iterator[Any]:
        request, address = request_of(load), address_of(load)
        head, total = Shape.learned(address, request)
        view = memoryview(bytearray(total))

        def once() -> bytes:
            with socket.create_connection(address) as sock:
                sock.sendall(request)
                return _received(sock, view, head)

        yield once

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        if load.http2:
            from .floor_http2 import connected as together

            async with together(load) as fetch:
                yield fetch
            return
        from .floor_asyncio import connected

        async with _pooled(load, connected) as fetch:
            yield fetch

    @asynccontextmanager
    async def trio_fetch(self, load: Load) -> AsyncIterator[Any]:
        from .floor_trio import connected

        async with _pooled(load, connected) as fetch:
            yield fetch


def _received(sock: socket.socket, view: memoryview, head: int) -> bytes:
    """Fill the view and return what follows the head."""
    got = sock.recv_into(view)
    while got < len(view):
        if not (more := sock.recv_into(view[got:])):
            raise ConnectionError("the server closed in mid-response")
        got += more
    return bytes(view[head:])


@asynccontextmanager
async def _pooled(load: Load, connected: Any) -> AsyncIterator[Any]:
    """Open the connections before anything is measured; a queued load waits for a free one."""
    request, address, context = request_of(load), address_of(load), context_of(load)
    shape = Shape.learned(address, request, context)
    count = load.pool if load.queued else load.concurrency
    async with AsyncExitStack() as stack:
        free = deque(
            [stack.enter_context(closing(await connected(address, *shape, context))) for _ in range(count)]
        )

        async def fetch() -> bytes:
            connection = free.pop()
            body: bytes = await connection.exchange(request)
            free.append(connection)
            return body

        yield _queueing(free, fetch) if load.queued else fetch


def _queueing(free: deque[Any], fetch: Any) -> Any:
    """Let no more run at once than there are connections."""
    import asyncio

    turns = asyncio.Semaphore(len(free))

    async def queued() -> bytes:
        async with turns:
            body: bytes = await fetch()
            return body

    return queued


make = Floor
