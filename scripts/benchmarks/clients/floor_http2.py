"""The floor of HTTP/2: h2 on a bare asyncio protocol, one connection, with no more around it than must be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded

from ..workloads import Load
from . import context_of

#: Bytes: never to be waited for.
WINDOW = 1 << 30


class Connection(asyncio.Protocol):
    """Sends requests, each on a stream of its own, and waits for their bodies."""

    def __init__(self, load: Load) -> None:
        parts = urlsplit(load.url)
        self.fields = [
            (":method", "GET"),
            (":authority", parts.netloc),
            (":scheme", parts.scheme),
            (":path", parts.path),
        ]
        self.loop = asyncio.get_running_loop()
        self.h2 = H2Connection(H2Configuration())
        self.bodies: dict[int, list[bytes]] = {}
        self.waiters: dict[int, asyncio.Future[bytes]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(WINDOW)
        self.transport.write(self.h2.data_to_send())

    def connection_lost(self, exc: Exception | None) -> None:
        for waiter in self.waiters.values():
            waiter.cancel()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, DataReceived):
                self.bodies[event.stream_id].append(event.data)
            elif isinstance(event, StreamEnded):
                body = b"".join(self.bodies.pop(event.stream_id))
                # Paid back once for a stream, and not each piece.
                if body:
                    self.h2.increment_flow_control_window(len(body))
                self.waiters.pop(event.stream_id).set_result(body)
        if out := self.h2.data_to_send():
            self.transport.write(out)

    def fetch(self) -> asyncio.Future[bytes]:
        number = self.h2.get_next_available_stream_id()
        self.h2.send_headers(number, self.fields, end_stream=True)
        self.transport.write(self.h2.data_to_send())
        self.bodies[number] = []
        waiter = self.waiters[number] = self.loop.create_future()
        return waiter


@asynccontextmanager
async def connected(load: Load) -> AsyncIterator[Any]:
    """Connect, and give the function that fetches."""
    parts = urlsplit(load.url)
    if (context := context_of(load)) is not None:
        context.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection(load), parts.hostname, parts.port, ssl=context
    )
    yield connection.fetch
    connection.transport.abort()
