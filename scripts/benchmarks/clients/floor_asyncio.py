"""A bare asyncio connection: a `BufferedProtocol` with one future."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import cast

READ = 256 * 1024
#: One buffer for all connections stays in the processor's cache.
SHARED = memoryview(bytearray(READ))


class Connection(asyncio.BufferedProtocol):
    """Sends a request and waits for as many bytes as the response has."""

    def __init__(self, head: int, total: int) -> None:
        self.head, self.total, self.early = head, total, b""
        # On Windows a read holds its buffer while it waits: there each connection needs its own.
        self.view = memoryview(bytearray(READ)) if os.name == "nt" else SHARED
        self.loop = asyncio.get_running_loop()
        self.waiter: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(exc or ConnectionError("the server closed in mid-response"))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view

    def buffer_updated(self, nbytes: int) -> None:
        if nbytes == self.total and self.waiter is not None:
            self.waiter.set_result(bytes(self.view[self.head : nbytes]))
        else:
            self.collect(bytes(self.view[:nbytes]))

    def collect(self, piece: bytes) -> None:
        """Take a part of a response that did not come in one read."""
        self.early += piece
        if len(self.early) == self.total and self.waiter is not None:
            self.waiter.set_result(self.early[self.head :])
            self.early = b""

    def exchange(self, request: bytes) -> asyncio.Future[bytes]:
        self.waiter = self.loop.create_future()
        self.transport.write(request)
        return self.waiter

    def close(self) -> None:
        self.transport.abort()


async def connected(
    address: tuple[str, int], head: int, total: int, context: ssl.SSLContext | None = None
) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(head, total), *address, ssl=context)
    return connection
