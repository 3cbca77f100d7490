"""Starts the servers on their own processor: nginx or granian for requests, `bulk_server` for transfers."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from .bodies import body_of
from .machine import child_environment, pinned, processors, raise_descriptor_limit

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    default_type application/octet-stream;
    # Without sendfile head and body leave in one write; a client then sees them in one read.
    sendfile off;
    output_buffers 2 256k;
    gzip off;
    open_file_cache max=100;
    keepalive_requests 1000000000;
    keepalive_timeout 3600;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream answers {{ server unix:{folder}/answers.sock; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen unix:{folder}/answers.sock;
        root {folder};
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder};
        location = /post {{
            # Only a proxied request is read to the end of its body before it is answered.
            proxy_pass http://answers/1k;
            proxy_method GET;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Connection "";
            proxy_http_version 1.1;
        }}
    }}
}}
"""


class Site(NamedTuple):
    """Where the servers answer."""

    #: What serves requests: nginx or granian, with its version where it is known.
    server: str
    #: Base URLs, without a slash at the end.
    requests: str
    transfers: str


class NoServer(Exception):
    """There is nothing to measure against."""


@contextlib.contextmanager
def running(folder: Path, choice: str = "auto") -> Iterator[Site]:
    """Start both servers (`choice`: nginx, granian or auto) and stop them in the end."""
    server = _chosen(choice)
    port = _free_port()
    command = nginx_command(folder, port) if server == "nginx" else granian_command(port)
    with _process(command) as process, _process(bulk_command(), piped=True) as bulk:
        _wait_until_open(port, process, folder)
        assert bulk.stdout is not None
        bulk_port = int(bulk.stdout.readline())
        yield Site(server, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{bulk_port}")


def _chosen(choice: str) -> str:
    found = [
        name
        for name, there in (("nginx", shutil.which("nginx")), ("granian", find_spec("granian")))
        if there and choice in ("auto", name)
    ]
    if not found:
        raise NoServer(f"no server: '{choice}' needs nginx on PATH or granian (pip install granian)")
    return found[0]


def nginx_command(folder: Path, port: int) -> list[str]:
    for name, size in (("1k", 1024), ("100k", 100 * 1024)):
        (folder / name).write_bytes(body_of(size))
    config = folder / "nginx.conf"
    connections = min(20_000, raise_descriptor_limit())
    config.write_text(NGINX.format(folder=folder, port=port, connections=connections))
    return ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]


def granian_command(port: int) -> list[str]:
    options = ["--interface", "rsgi", "--http", "1", "--no-ws", "--workers", "1", "--backlog", "4096"]
    place = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    return [sys.executable, "-P", "-m", "granian", *options, *place, "benchmarks.granian_app:app"]


def bulk_command() -> list[str]:
    return [sys.executable, "-P", "-m", "benchmarks.bulk_server"]


@contextlib.contextmanager
def _process(command: list[str], piped: bool = False) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE if piped else None
    places = processors()
    with pinned(places and places[0]):
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=child_environment())
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_open(port: int, process: subprocess.Popen[str], folder: Path, patience: float = 15.0) -> None:
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    log = folder / "error.log"
    raise NoServer(f"the server did not open port {port}: {log.read_text() if log.exists() else 'no log'}")
