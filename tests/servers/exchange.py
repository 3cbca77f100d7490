"""One request and its answer, as the handlers of the app see them: ASGI with the boilerplate taken off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["Exchange", "Pairs", "grouped", "titled"]

Pairs = list[tuple[str, str]]
Fields = Iterable[tuple[str, str]]

BODILESS = (204, 304)


class Exchange:
    """A request, and the `send_*` methods that answer it; exactly one of these must be called."""

    def __init__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: Pairs = [
            (n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in scope["headers"]
        ]
        self.query: Pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self.body_seen = False
        self._receive = receive
        self._send = send

    @property
    def url(self) -> str:
        """The absolute URL, as the client wrote it."""
        target = self.scope["raw_path"].decode("latin-1")
        query = self.scope["query_string"].decode("latin-1")
        return f"{self.scope['scheme']}://{self.header('host')}{target}{'?' + query if query else ''}"

    @property
    def peer(self) -> str:
        """The client's port: it names the connection."""
        return str(self.scope["client"][1])

    def header(self, name: str) -> str:
        """Return the field's value, several joined by a comma, "" where there is none."""
        return ",".join(value for known, value in self.headers if known == name)

    def argument(self, name: str, default: str = "") -> str:
        """Return the query argument's value."""
        return dict(self.query).get(name, default)

    async def body(self) -> AsyncIterable[bytes]:
        """Yield the request's body as it arrives."""
        more = not self.body_seen
        self.body_seen = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ConnectionError("the client left before its request was whole")
            yield message["body"]
            more = message["more_body"]

    async def send_json(self, value: Any, status: int = 200, headers: Fields = ()) -> None:
        text = json.dumps(value, indent=2).encode() + b"\n"
        await self.send(text, status, [("content-type", "application/json"), *headers])

    async def send(self, body: bytes = b"", status: int = 200, headers: Fields = ()) -> None:
        """Answer with the whole body, and its length."""
        await self.send_pieces([body], status, [*headers, ("content-length", str(len(body)))])

    async def send_pieces(self, pieces: Iterable[bytes], status: int = 200, headers: Fields = ()) -> None:
        """Answer with a body in pieces; without a Content-Length among `headers` it is chunked."""
        await self._start(status, headers)
        for piece in pieces if self.method != "HEAD" and status not in BODILESS else ():
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send_slowly(
        self, pieces: AsyncIterable[bytes], status: int = 200, headers: Fields = ()
    ) -> None:
        """Answer with a body in pieces that take their time."""
        await self._start(status, headers)
        async for piece in pieces:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def hint(self, link: str) -> None:
        """Send an informational response, 103, where the server can."""
        if "http.response.early_hint" in self.scope.get("extensions", {}):
            await self._send({"type": "http.response.early_hint", "links": [link.encode("latin-1")]})

    async def send_with_trailers(self, pieces: Iterable[bytes], trailers: Fields) -> None:
        """Answer with a body, and fields behind it where the server can and the client wants them."""
        able = "http.response.trailers" in self.scope.get("extensions", {})
        await self._start(200, [("content-type", "text/plain")], trailers=able)
        for piece in pieces:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        if able:
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in trailers]
            await self._send({"type": "http.response.trailers", "headers": raw, "more_trailers": False})

    async def _start(self, status: int, headers: Fields, trailers: bool = False) -> None:
        fields = [*headers, ("x-connection", self.peer)]
        if status in BODILESS:
            fields = [(name, value) for name, value in fields if name != "content-length"]
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        start = {"type": "http.response.start", "status": status, "headers": raw}
        await self._send(start | {"trailers": True} if trailers else start)


def grouped(pairs: Pairs) -> dict[str, str | list[str]]:
    """Return the pairs as httpbin shows them: a name that comes once has a string, others a list."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: known[0] if len(known) == 1 else known for name, known in values.items()}


def titled(headers: Pairs) -> dict[str, str]:
    """Return the fields as httpbin shows them: `User-Agent`, several values joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in headers:
        name = "-".join(part.capitalize() for part in name.split("-"))
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
