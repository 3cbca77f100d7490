"""The server's process: `python -m tests.servers IDENTITY.pem`. Says its ports, ends when stdin does."""

from __future__ import annotations

import asyncio
import dataclasses
import http
import json
import logging
import os
import signal
import socket
import sys
import threading
from typing import Any

import h11
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol

from .app import app

BACKLOG = 2048
REASONS = {status.value: status.phrase.encode() for status in http.HTTPStatus}


def main() -> None:
    plain, secure = _listening(), _listening()
    print(json.dumps({"http": plain.getsockname()[1], "https": secure.getsockname()[1]}), flush=True)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then lets us end
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # clients that leave early are no news
    _add_reasons()
    asyncio.run(serve(app, _config(sys.argv[1], plain, secure), shutdown_trigger=_never))


def _listening() -> socket.socket:
    """Listen before the ports are told: who connects early waits in the backlog."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    return listener


def _config(identity: str, plain: socket.socket, secure: socket.socket) -> Config:
    config = Config()
    config.bind = [f"fd://{secure.detach()}"]
    config.insecure_bind = [f"fd://{plain.detach()}"]
    config.certfile = config.keyfile = identity
    config.backlog = BACKLOG
    config.keep_alive_timeout = 600
    config.keep_alive_max_requests = 1_000_000_000
    config.h11_max_incomplete_size = 256 * 1024
    config.loglevel = "ERROR"
    return config


def _add_reasons() -> None:
    """Make hypercorn write "200 OK", as most servers do: by itself it leaves the reason phrase empty."""
    send = H11Protocol._send_h11_event

    async def send_with_reason(protocol: H11Protocol, event: Any) -> None:
        if isinstance(event, h11.Response) and event.status_code in REASONS:
            event = dataclasses.replace(event, reason=REASONS[event.status_code])
        await send(protocol, event)

    H11Protocol._send_h11_event = send_with_reason  # type: ignore[method-assign]


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


async def _never() -> None:
    await asyncio.Event().wait()


main()
