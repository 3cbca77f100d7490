"""Small ASGI apps, the messages they are made of, and a client for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpure

from .loops import sleep

__all__ = [
    "URL",
    "App",
    "AppsError",
    "CallersError",
    "Receive",
    "Scope",
    "Send",
    "Witness",
    "answer",
    "body",
    "client",
    "echo",
    "forever",
    "hanging",
    "hello",
    "raising_after_the_start",
    "raising_at_the_end",
    "raising_first",
    "raising_in_the_middle",
    "reading",
    "start",
]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def start(status: int = 200, *headers: tuple[bytes, bytes], **others: Any) -> dict[str, Any]:
    """The message that begins a response."""
    return {"type": "http.response.start", "status": status, "headers": list(headers), **others}


def body(piece: bytes = b"", more: bool = False) -> dict[str, Any]:
    """A message with a piece of a response's body."""
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def answer(send: Send, content: bytes = b"", status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    """Send a whole response."""
    await send(start(status, *headers))
    await send(body(content))


async def reading(receive: Receive) -> bytes:
    """Return the whole body of the request."""
    pieces = []
    while True:
        message = await receive()
        assert message["type"] == "http.request", message
        pieces.append(message["body"])
        if not message["more_body"]:
            return b"".join(pieces)


URL = "http://app.test/"


def client(app: App, timeout: Any = 5.0, **kwargs: Any) -> httpure.AsyncClient:
    return httpure.AsyncClient(
        transport=httpure.ASGITransport(app, **kwargs), base_url="http://app.test", timeout=timeout
    )


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, b"Hello", 200, (b"content-type", b"text/plain"))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, await reading(receive))


async def forever(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start())
    number = 0
    while True:
        await send(body(b"data: %d\n\n" % number, more=True))
        number += 1


class CallersError(Exception):
    pass


class AppsError(Exception):
    pass


async def raising_first(scope: Scope, receive: Receive, send: Send) -> None:
    raise AppsError("first")


async def raising_after_the_start(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start(201))
    raise AppsError("after the start")


async def raising_in_the_middle(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start(201))
    await send(body(b"part", more=True))
    raise AppsError("in the middle")


async def raising_at_the_end(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, b"whole", 201)
    raise AppsError("at the end")


async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] != "/first":
        await send(start())
        await send(body(b"12345", more=scope["path"] == "/middle"))
    await sleep(60)


class Witness:
    """An app that responds for ever, and tells how it ended."""

    def __init__(self, listening: bool = False, cleaning: float = 0.0) -> None:
        self.listening = listening
        self.cleaning = cleaning
        self.ended = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.ended = ""
        try:
            if scope["path"] != "/first":
                await send(start())
                await send(body(b"piece", more=True))
            if self.listening:
                while (await receive())["type"] != "http.disconnect":
                    pass
                await sleep(self.cleaning)
                self.ended = "told"
            else:
                await sleep(60)
        finally:
            self.ended = self.ended or "cancelled"
