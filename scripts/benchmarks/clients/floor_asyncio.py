"""A bare asyncio connection: a `BufferedProtocol` with one buffer and one future."""

from __future__ import annotations

import asyncio
from typing import cast


class Connection(asyncio.BufferedProtocol):
    """Sends a request and waits for as many bytes as the response has."""

    def __init__(self, head: int, total: int) -> None:
        self.head, self.total, self.got = head, total, 0
        self.view = memoryview(bytearray(total))
        self.loop = asyncio.get_running_loop()
        self.waiter: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(exc or ConnectionError("the server closed in mid-response"))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view[self.got :] if self.got else self.view

    def buffer_updated(self, nbytes: int) -> None:
        self.got += nbytes
        if self.got == self.total and self.waiter is not None:
            self.got = 0
            self.waiter.set_result(bytes(self.view[self.head :]))

    def exchange(self, request: bytes) -> asyncio.Future[bytes]:
        self.waiter = self.loop.create_future()
        self.transport.write(request)
        return self.waiter

    def close(self) -> None:
        self.transport.abort()


async def connected(address: tuple[str, int], head: int, total: int) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(head, total), *address)
    return connection
