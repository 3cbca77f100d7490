"""Starts the servers on their own processor: nginx or granian for requests, `bulk_server` for transfers."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import programs

from .bodies import body_of
from .certificates import write_certificates
from .fields import as_nginx
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
    # Large frames, as servers have them who send large files.
    http2_chunk_size 16k;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{http2} http2 backlog=4096;
        listen 127.0.0.1:{http2_tls} ssl http2 backlog=4096;
        listen 127.0.0.1:{tls} ssl backlog=4096;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        root {folder};
        rewrite ^/download/([0-9]+)$ /upload-$1.bin;
        location = /fields {{
{fields}
            try_files /1k =404;
        }}
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
    http2: str
    http2_tls: str
    tls: str


class NoServer(Exception):
    """There is nothing to measure against."""


@contextlib.contextmanager
def running(folder: Path, choice: str = "auto") -> Iterator[Site]:
    """Start both servers (`choice`: nginx, granian or auto) and stop them in the end."""
    server = _chosen(choice)
    ports = [_free_port() for _ in range(4)]
    write_certificates(folder)
    command = nginx_commands if server == "nginx" else granian_commands
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(_process(each, folder)) for each in command(folder, *ports)]
        bulk = stack.enter_context(_process(bulk_command(), folder, piped=True))
        for index, port in enumerate(ports):
            _wait_until_open(port, processes[min(index, len(processes) - 1)], folder)
        assert bulk.stdout is not None
        bulk_port = int(bulk.stdout.readline())
        places = (ports[0], bulk_port, ports[1])
        secure = [f"https://127.0.0.1:{port}" for port in ports[2:]]
        yield Site(server, *[f"http://127.0.0.1:{port}" for port in places], *secure)


def _chosen(choice: str) -> str:
    found = [
        name
        for name, there in (("nginx", programs.find("nginx")), ("granian", find_spec("granian")))
        if there and choice in ("auto", name)
    ]
    if not found:
        raise NoServer(
            f"no server: '{choice}' needs nginx (scripts/peers gets it) or granian (pip install granian)"
        )
    return found[0]


def nginx_commands(folder: Path, port: int, http2: int, http2_tls: int, tls: int) -> list[list[str]]:
    for name, size in (("1k", 1024), ("100k", 100 * 1024)):
        (folder / name).write_bytes(body_of(size))
    config = folder / "nginx.conf"
    connections = min(20_000, raise_descriptor_limit())
    places = {"port": port, "http2": http2, "http2_tls": http2_tls, "tls": tls, "fields": as_nginx()}
    config.write_text(NGINX.format(folder=folder, connections=connections, **places))
    nginx = programs.find("nginx") or "nginx"
    return [[nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]]


def granian_commands(folder: Path, port: int, http2: int, http2_tls: int, tls: int) -> list[list[str]]:
    options = ["--interface", "rsgi", "--no-ws", "--workers", "1", "--backlog", "4096"]
    common = [
        sys.executable,
        "-P",
        "-m",
        "granian",
        *options,
        "--host",
        "127.0.0.1",
        "--log-level",
        "warning",
    ]
    secure = ["--ssl-certificate", str(folder / "chain.pem"), "--ssl-keyfile", str(folder / "key.pem")]
    return [
        [*common, *own, "benchmarks.granian_app:app"]
        for own in (
            ["--port", str(port), "--http", "1"],
            ["--port", str(http2), "--http", "2"],
            ["--port", str(http2_tls), "--http", "2", *secure],
            ["--port", str(tls), "--http", "1", *secure],
        )
    ]


def bulk_command() -> list[str]:
    return [sys.executable, "-P", "-m", "benchmarks.bulk_server"]


@contextlib.contextmanager
def _process(command: list[str], folder: Path, piped: bool = False) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE if piped else None
    places = processors()
    with pinned(places and places[0]):
        environment = child_environment() | {"HTTPURE_BENCH_FOLDER": str(folder)}
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
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
