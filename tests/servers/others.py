"""Servers that others have written, in processes of their own: granian, nginx, nghttpd; as proxies squid, tinyproxy.

    with granian(folder, identity) as site:
        site.http, site.https

`identity` is a file with the server's key and chain, see `tests/servers`. Where a program is not installed, the test
is skipped, or fails if HTTPURE_PEERS says that it must be there; `scripts/peers` gets those that PyPI has not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts import programs

__all__ = [
    "Running",
    "Site",
    "granian",
    "needed",
    "nghttpd",
    "nginx",
    "reload",
    "running",
    "squid",
    "tinyproxy",
]

ROOT = Path(__file__).resolve().parent.parent.parent
#: Seconds that a server has to start, and to end.
PATIENCE = 15.0


class Running(NamedTuple):
    """A server's process and its port."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path


class Site(NamedTuple):
    """Where a server is, by scheme: the beginnings of URLs, without a slash at the end."""

    http: str
    https: str
    #: What `signal` tells to.
    process: subprocess.Popen[bytes]


def needed(name: str) -> str:
    """Return the path of a program. Skips the test, or fails it, where it is not installed."""
    path = programs.find(name)
    if path is None:
        (pytest.fail if programs.required() else pytest.skip)(
            f"{name} is not installed: scripts/peers gets it"
        )
    return path


@contextlib.contextmanager
def running(
    name: str, folder: Path, command: Callable[[list[int]], list[str]], ports: int = 1
) -> Iterator[list[Running]]:
    """Run a server until the block is left. `command` makes its command of the ports that it shall open.

    The ports are free when they are chosen. Who is unlucky, and finds one taken by then, is given others.
    """
    log = folder / f"{name}.log"
    for _ in range(3):
        chosen = _free_ports(ports)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(chosen), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            if all(_opens(port, process) for port in chosen):
                yield [Running(process, port, log) for port in chosen]
                return
        finally:
            _end(process)
    raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]


def _opens(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.01)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def granian(folder: Path, identity: str, *options: str) -> Iterator[Site]:
    """Run granian with our application: hyper, a library in Rust, speaks HTTP for it. Two processes."""
    key, chain = _split(folder, identity)
    common = [sys.executable, "-m", "granian", "--interface", "asginl", "--no-ws", "--host", "127.0.0.1"]
    common += ["--log-level", "warning", "--workers-kill-timeout", "2", *options]

    def command(tls: bool) -> Callable[[list[int]], list[str]]:
        secure = ["--ssl-certificate", chain, "--ssl-keyfile", key] if tls else []
        return lambda ports: [*common, "--port", str(ports[0]), *secure, "tests.servers.app:app"]

    with (
        running("granian", folder, command(False)) as plain,
        running("granian-tls", folder, command(True)) as secure,
    ):
        yield Site(
            f"http://127.0.0.1:{plain[0].port}", f"https://127.0.0.1:{secure[0].port}", plain[0].process
        )


NGINX = """
daemon off;
{user}
worker_processes 1;
worker_shutdown_timeout 10s;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {settings}
    server {{
        listen 127.0.0.1:{plain} http2;
        listen 127.0.0.1:{secure} ssl http2;
        ssl_certificate {identity};
        ssl_certificate_key {identity};
        root {folder}/files;
        add_header X-Connection $connection always;
        location / {{
            proxy_pass {upstream};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_hide_header X-Connection;
            proxy_buffering off;
            proxy_request_buffering off;
        }}
        location /files/ {{ alias {folder}/files/; }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, identity: str, upstream: str, settings: str = "") -> Iterator[Site]:
    """Run nginx before another server of HTTP/1.1, with `/files/` out of the folder's "files". One process."""
    program = needed("nginx")
    (folder / "files").mkdir(exist_ok=True)
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""

    def command(ports: list[int]) -> list[str]:
        config = folder / "nginx.conf"
        config.write_text(
            NGINX.format(
                folder=folder,
                identity=identity,
                upstream=upstream,
                settings=settings,
                user=user,
                plain=ports[0],
                secure=ports[1],
            )
        )
        return [program, "-p", str(folder), "-e", "stderr", "-c", str(config)]

    with running("nginx", folder, command, ports=2) as (plain, secure):
        yield Site(f"http://127.0.0.1:{plain.port}", f"https://127.0.0.1:{secure.port}", plain.process)


def reload(site: Site) -> None:
    """Have nginx begin anew: new workers take new connections, the old ones say goodbye and end theirs."""
    site.process.send_signal(signal.SIGHUP)


@contextlib.contextmanager
def nghttpd(folder: Path, identity: str, *options: str) -> Iterator[Site]:
    """Run nghttpd, of nghttp2: it serves the folder's "files", and sends back what it is sent. Two processes."""
    program = needed("nghttpd")
    files = folder / "files"
    files.mkdir(exist_ok=True)
    key, chain = _split(folder, identity)
    common = [program, "-a", "127.0.0.1", "-d", str(files), "--echo-upload", *options]
    with (
        running("nghttpd", folder, lambda ports: [*common, "--no-tls", str(ports[0])]) as plain,
        running("nghttpd-tls", folder, lambda ports: [*common, str(ports[0]), key, chain]) as secure,
    ):
        yield Site(
            f"http://127.0.0.1:{plain[0].port}", f"https://127.0.0.1:{secure[0].port}", plain[0].process
        )


def _split(folder: Path, identity: str) -> tuple[str, str]:
    """Write key and chain into files of their own, for servers that want them so."""
    text = Path(identity).read_text()
    begin = text.index("-----BEGIN CERTIFICATE")
    key, chain = folder / "key.pem", folder / "chain.pem"
    key.write_text(text[:begin])
    chain.write_text(text[begin:])
    return str(key), str(chain)


SQUID = """
http_port 127.0.0.1:{port}
pid_filename none
access_log none
cache_log /dev/null
cache_store_log none
cache deny all
coredump_dir {folder}
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
{user}
unlinkd_program {root}/usr/lib/squid/unlinkd
logfile_daemon {root}/usr/lib/squid/log_file_daemon
mime_table {root}/usr/share/squid/mime.conf
icon_directory {root}/usr/share/squid/icons
error_directory {root}/usr/share/squid-langpack/templates
{settings}
"""


@contextlib.contextmanager
def squid(folder: Path, settings: str = "http_access allow all") -> Iterator[int]:
    """Run squid, a proxy for HTTP, and yield its port. `{root}` in the settings is where its package's files are."""
    program = needed("squid")
    root = programs.root_of(program)
    user = "cache_effective_user nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    config = folder / "squid.conf"

    def command(ports: list[int]) -> list[str]:
        own = settings.replace("{root}", root)
        config.write_text(SQUID.format(port=ports[0], folder=folder, user=user, root=root, settings=own))
        # Its name is that of its shared memory, too: two of the same name get into each other's way.
        return [program, "-N", "-d", "1", "-n", f"httpure{ports[0]}", "-f", str(config)]

    with running("squid", folder, command) as (process,):
        yield process.port


@contextlib.contextmanager
def tinyproxy(folder: Path, settings: str = "") -> Iterator[int]:
    """Run tinyproxy, a proxy for HTTP, and yield its port."""
    program = needed("tinyproxy")
    config = folder / "tinyproxy.conf"

    def command(ports: list[int]) -> list[str]:
        config.write_text(
            f"Port {ports[0]}\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\nLogLevel Error\n{settings}\n"
        )
        return [program, "-d", "-c", str(config)]

    with running("tinyproxy", folder, command) as (process,):
        yield process.port
