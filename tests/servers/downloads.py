"""Answers with something to download: plain, coded, in pieces, slowly."""

from __future__ import annotations

import asyncio
import functools
import gzip as gzip_module
import json
import sys
import zlib
from collections.abc import AsyncIterator, Callable

import brotli

from . import bodies
from .exchange import Exchange, titled

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = [
    "coded",
    "delayed",
    "dripping",
    "fixed",
    "large",
    "lines",
    "pieces",
    "robots",
    "utf8",
]

BINARY = [("content-type", "application/octet-stream")]
UTF8 = [("content-type", "text/html; charset=utf-8")]
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip_module.compress(data, 6),
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstd.compress,
}


async def fixed(exchange: Exchange, size: str) -> None:
    await exchange.send(bodies.random_body(int(size)), 200, BINARY)


async def pieces(exchange: Exchange, size: str) -> None:
    """The same bytes as `fixed`, chunked; `?chunk_size=` says how large the chunks are."""
    body = bodies.random_body(int(size))
    step = int(exchange.argument("chunk_size", "10240"))
    await exchange.send_pieces((body[at : at + step] for at in range(0, len(body), step)), 200, BINARY)


async def large(exchange: Exchange, size: str) -> None:
    """Up to 1 GB, as fast as the server can; `?chunked=1` leaves the length out."""
    fields = [] if exchange.argument("chunked") else [("content-length", size)]
    if int(size) > 10**9:
        await exchange.send(b"at most 1000000000 bytes\n", 400)
        return
    await exchange.send_pieces(bodies.large_body(int(size)), 200, [*BINARY, *fields])


async def coded(exchange: Exchange, size: str = "", *, coding: str) -> None:
    """With a size: that much text, coded; without: httpbin's JSON, coded. Content-Length counts the coded."""
    if size:
        body = _coded_text(coding, int(size))
        await exchange.send(body, 200, [("content-type", "text/plain"), ("content-encoding", coding)])
        return
    said = {"coding": coding, "headers": titled(exchange.headers), "method": exchange.method}
    body = CODINGS[coding](json.dumps(said).encode())
    await exchange.send(body, 200, [("content-type", "application/json"), ("content-encoding", coding)])


@functools.lru_cache
def _coded_text(coding: str, size: int) -> bytes:
    return CODINGS[coding](bodies.text_body(size))


async def lines(exchange: Exchange, count: str) -> None:
    """Numbered lines of UTF-8; `?end=crlf` or `cr` chooses the line end, `?delay=` seconds lie between."""
    end = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}[exchange.argument("end", "lf")]
    delay = float(exchange.argument("delay", "0"))

    async def written() -> AsyncIterator[bytes]:
        for number in range(int(count)):
            yield (bodies.line(number) + end).encode()
            await asyncio.sleep(delay)

    await exchange.send_slowly(written(), 200, [("content-type", "text/plain; charset=utf-8")])


async def delayed(exchange: Exchange, seconds: str) -> None:
    """Nothing for so many seconds, then an answer."""
    await asyncio.sleep(float(seconds))
    await exchange.send_json({"args": dict(exchange.query), "delay": float(seconds)})


async def dripping(exchange: Exchange) -> None:
    """`?numbytes=` bytes over `?duration=` seconds, after `?delay=`, with status `?code=`."""
    count = int(exchange.argument("numbytes", "10"))
    pause = float(exchange.argument("duration", "2")) / max(1, count)
    await asyncio.sleep(float(exchange.argument("delay", "0")))

    async def drops() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"*"
            await asyncio.sleep(pause)

    status = int(exchange.argument("code", "200"))
    await exchange.send_slowly(drops(), status, [*BINARY, ("content-length", str(count))])


async def utf8(exchange: Exchange) -> None:
    text = "<h1>UTF-8</h1>\n<p>Zwölf Boxkämpfer · ∮ E⋅da = Q · ⠓⠑⠇⠇⠕ · Ελλάδα · 世界 · 🜁</p>\n"
    await exchange.send(text.encode(), 200, UTF8)


async def robots(exchange: Exchange) -> None:
    await exchange.send(b"User-agent: *\nDisallow: /deny\n", 200, [("content-type", "text/plain")])
