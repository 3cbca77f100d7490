"""What h2 itself costs for the cycle of a stream: a request encoded, its response taken in, and no I/O at all.

The response is made by hand, with the fields that a server sends, so that only the client's side is measured.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived
from h2.settings import SettingCodes
from hpack import Encoder
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from ..workloads import Load
from . import version_of

#: As nginx answers.
FIELDS = [
    (":status", "200"),
    ("server", "nginx/1.22.1"),
    ("date", "Sun, 22 Nov 2026 12:00:00 GMT"),
    ("content-type", "application/octet-stream"),
    ("content-length", "1024"),
    ("last-modified", "Sun, 22 Nov 2026 12:00:00 GMT"),
    ("etag", '"5c0f2c10-400"'),
    ("accept-ranges", "bytes"),
]


class Alone:
    """h2 without a connection."""

    def __init__(self, name: str) -> None:
        self.version = version_of("h2")

    @asynccontextmanager
    async def asyncio_fetch(self, load: Load) -> AsyncIterator[Any]:
        parts = urlsplit(load.url)
        fields = [
            (":method", "GET"),
            (":authority", parts.netloc),
            (":scheme", parts.scheme),
            (":path", parts.path),
        ]
        encoder = Encoder()
        client = H2Connection(H2Configuration())
        client.initiate_connection()
        settings = SettingsFrame(0, {SettingCodes.MAX_CONCURRENT_STREAMS: 128})
        client.receive_data(settings.serialize() + SettingsFrame(0, flags=["ACK"]).serialize())
        first = HeadersFrame(1, encoder.encode(FIELDS), flags=["END_HEADERS"]).serialize()
        later = HeadersFrame(1, encoder.encode(FIELDS), flags=["END_HEADERS"]).serialize()
        data = DataFrame(1, load.expected, flags=["END_STREAM"]).serialize()
        heads = [first]

        async def fetch() -> bytes:
            number = client.get_next_available_stream_id()
            client.send_headers(number, fields, end_stream=True)
            client.data_to_send()
            head = heads.pop() if heads else later
            numbered = number.to_bytes(4, "big")
            body = b""
            for event in client.receive_data(head[:5] + numbered + head[9:] + data[:5] + numbered + data[9:]):
                if isinstance(event, DataReceived):
                    body = event.data
                    client.increment_flow_control_window(len(body))
            client.data_to_send()
            return body

        yield fetch


make = Alone
