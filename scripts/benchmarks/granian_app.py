"""The app that granian serves where nginx is missing (RSGI: less Python per request than ASGI)."""

from __future__ import annotations

import os
from typing import Any

from . import fields
from .bodies import body_of, upload_path

BODIES = {
    "/1k": body_of(1024),
    "/100k": body_of(100 * 1024),
    "/post": body_of(1024),
    "/fields": body_of(1024),
}
#: Where the files to download lie.
FOLDER = os.environ.get("HTTPURE_BENCH_FOLDER", "")
FIELDS = [("content-type", "application/octet-stream")]
MANY_FIELDS = [*FIELDS, *((name.lower(), value) for name, value in fields.FIELDS)]


class App:
    """Sends the body of the path, after the request's own body."""

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if scope.method == "POST":
            await protocol()
        if scope.path.startswith("/download/"):
            protocol.response_file(200, FIELDS, str(upload_path(FOLDER, int(scope.path.rpartition("/")[2]))))
            return
        body = BODIES.get(scope.path)
        if body is None:
            protocol.response_empty(404, [])
        else:
            protocol.response_bytes(200, MANY_FIELDS if scope.path == "/fields" else FIELDS, body)


app = App()
