"""Answers that show the request as the server received it, in httpbin's words."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from .exchange import Exchange, Pairs, grouped, titled
from .forms import MultipartReader, Tally

__all__ = ["echo", "show_headers"]


async def show_headers(exchange: Exchange) -> None:
    await exchange.send_json({"headers": titled(exchange.headers)})


async def echo(exchange: Exchange) -> None:
    """Everything about the request; `X-Body-Sha256` and `X-Body-Size` tell of bodies too long to repeat."""
    form = _multipart_reader(exchange.header("content-type"))
    tally = Tally()
    try:
        async for piece in exchange.body():
            tally.feed(piece)
            if form is not None:
                form.feed(piece)
        if form is not None:
            form.finish()
    except ValueError as error:
        await exchange.send_json({"error": str(error)}, status=400)
        return
    answer = _about_request(exchange) | _about_body(exchange, tally, form)
    fields = [("x-body-sha256", tally.sha256), ("x-body-size", str(tally.size))]
    await exchange.send_json(answer, headers=fields)


def _about_request(exchange: Exchange) -> dict[str, Any]:
    return {
        "args": grouped(exchange.query),
        "headers": titled(exchange.headers),
        "raw_headers": exchange.headers,
        "method": exchange.method,
        "origin": exchange.scope["client"][0],
        "http_version": exchange.scope["http_version"],
        "url": exchange.url,
    }


def _about_body(exchange: Exchange, tally: Tally, form: MultipartReader | None) -> dict[str, Any]:
    shown = {"size": tally.size, "sha256": tally.sha256}
    if form is not None:
        return shown | _about_parts(form)
    if exchange.header("content-type").startswith("application/x-www-form-urlencoded"):
        fields: Pairs = parse_qsl(tally.text, keep_blank_values=True)
        return shown | {"data": "", "files": {}, "form": grouped(fields), "json": None}
    return shown | {"data": tally.text, "files": {}, "form": {}, "json": _json(tally.text)}


def _about_parts(form: MultipartReader) -> dict[str, Any]:
    files = [(part.name, part.content.text) for part in form.parts if part.filename is not None]
    fields = [(part.name, part.content.text) for part in form.parts if part.filename is None]
    return {
        "data": "",
        "files": grouped(files),
        "form": grouped(fields),
        "json": None,
        "parts": [part.described() for part in form.parts],
    }


def _multipart_reader(content_type: str) -> MultipartReader | None:
    if not content_type.startswith("multipart/"):
        return None
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    return MultipartReader(found[1] if found else "")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
