"""The test server's application: plain ASGI, with httpbin's paths and some of our own.

    /  /get /post /put /patch /delete /anything /headers /status/N /early/N /connection
    /echo (the body, while it comes)
    /redirect/N /absolute-redirect/N /redirect-to?url= /cookies /cookies/set?k=v /cookies/delete?k
    /basic-auth/USER/PASSWORD /bearer /digest-auth/QOP/USER/PASSWORD/ALGORITHM
    /gzip /deflate /brotli /zstd (each also /N) /bytes/N /stream-bytes/N /large/N
    /delay/S /drip /lines/N /encoding/utf8 /robots.txt
    /hints (103 first) /trailers (to who says `TE: trailers`): where the server can, which is hypercorn over HTTP/2

Every answer carries `X-Connection`, which is the same for all answers of one connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from . import credentials, downloads
from .echo import echo, show_headers
from .exchange import Exchange

__all__ = ["app"]

PAGE = b"<!doctype html>\n<html><head><title>Example</title></head><body><h1>Example</h1></body></html>\n"


async def app(
    scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])  # hypercorn: no lifespan events then
    exchange = Exchange(scope, receive, send)
    name, *arguments = exchange.path.strip("/").split("/")
    handler = ROUTES.get(name, missing)
    if handler not in READS_BODY:
        async for _ in exchange.body():
            pass
    await handler(exchange, *arguments)


async def page(exchange: Exchange) -> None:
    await exchange.send(PAGE, 200, [("content-type", "text/html; charset=utf-8")])


async def anything(exchange: Exchange, *_: str) -> None:
    await echo(exchange)


async def missing(exchange: Exchange, *_: str) -> None:
    await exchange.send(b"there is nothing at this path\n", 404, [("content-type", "text/plain")])


async def status(exchange: Exchange, code: str) -> None:
    await exchange.send(b"", int(code))


async def early(exchange: Exchange, code: str) -> None:
    """Answer at once, without reading the body, and close the connection."""
    await exchange.send(b"not read\n", int(code), [("content-type", "text/plain"), ("connection", "close")])


async def connection(exchange: Exchange) -> None:
    await exchange.send_json({"connection": exchange.peer})


async def redirect(exchange: Exchange, count: str, origin: str = "") -> None:
    left = int(count) - 1
    await _go_to(exchange, origin + (f"{exchange.path.rsplit('/', 1)[0]}/{left}" if left > 0 else "/get"))


async def absolute_redirect(exchange: Exchange, count: str) -> None:
    await redirect(exchange, count, f"{exchange.scope['scheme']}://{exchange.header('host')}")


async def redirect_to(exchange: Exchange) -> None:
    await _go_to(exchange, exchange.argument("url"), int(exchange.argument("status_code", "302")))


async def cookies(exchange: Exchange, action: str = "") -> None:
    if action == "set":
        kept = [("set-cookie", f"{name}={value}; Path=/") for name, value in exchange.query]
        await _go_to(exchange, "/cookies", 302, kept)
    elif action == "delete":
        gone = [("set-cookie", f"{name}=; Path=/; Max-Age=0") for name, _ in exchange.query]
        await _go_to(exchange, "/cookies", 302, gone)
    else:
        pairs = [pair.partition("=") for pair in exchange.header("cookie").split("; ") if pair]
        await exchange.send_json({"cookies": {name: value for name, _, value in pairs}})


async def hints(exchange: Exchange) -> None:
    """Say what the page will need, before the page."""
    await exchange.hint("</style.css>; rel=preload; as=style")
    await exchange.send(b"hinted", 200, [("content-type", "text/plain")])


async def trailers(exchange: Exchange) -> None:
    await exchange.send_with_trailers([b"first", b"second"], [("x-first", "1"), ("x-second", "2")])


async def encoding(exchange: Exchange, name: str) -> None:
    await (downloads.utf8 if name == "utf8" else missing)(exchange)


async def _go_to(
    exchange: Exchange, url: str, code: int = 302, headers: list[tuple[str, str]] | None = None
) -> None:
    await exchange.send(b"", code, [("location", url), *(headers or [])])


async def repeat(exchange: Exchange) -> None:
    """Send the body back while it comes."""
    await exchange.send_slowly(exchange.body(), 200, [("content-type", "application/octet-stream")])


READS_BODY = (anything, early, repeat)

ROUTES: dict[str, Callable[..., Awaitable[None]]] = {
    "": page,
    **dict.fromkeys(("get", "post", "put", "patch", "delete", "options", "anything"), anything),
    "headers": show_headers,
    "status": status,
    "early": early,
    "echo": repeat,
    "connection": connection,
    "redirect": redirect,
    "relative-redirect": redirect,
    "absolute-redirect": absolute_redirect,
    "redirect-to": redirect_to,
    "cookies": cookies,
    "basic-auth": credentials.basic,
    "bearer": credentials.bearer,
    "digest-auth": credentials.digest,
    "gzip": partial(downloads.coded, coding="gzip"),
    "deflate": partial(downloads.coded, coding="deflate"),
    "brotli": partial(downloads.coded, coding="br"),
    "zstd": partial(downloads.coded, coding="zstd"),
    "bytes": downloads.fixed,
    "stream-bytes": downloads.pieces,
    "large": downloads.large,
    "lines": downloads.lines,
    "delay": downloads.delayed,
    "drip": downloads.dripping,
    "encoding": encoding,
    "robots.txt": downloads.robots,
    "hints": hints,
    "trailers": trailers,
}
