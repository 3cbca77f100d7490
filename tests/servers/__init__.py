"""A real server for tests and for the demo: hypercorn in a process of its own, over HTTP and HTTPS.

    with LocalServer() as server:
        server.url, server.tls_url, server.ca_file

Its application is `app.py`, its certificate comes from an authority made for the occasion, and its process
ends with ours: it lives as long as its standard input is open.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import trustme

__all__ = ["LocalServer", "TLSServer"]

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("127.0.0.1", "localhost", "::1")


class TLSServer(NamedTuple):
    """Where the HTTPS server is, and how to trust it."""

    url: str
    context: ssl.SSLContext
    ca_file: str


class LocalServer:
    """Starts when made. `url` and `tls_url` have no trailing slash; `ca_file` is the authority's PEM file."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="httpure-server-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        #: The server's key and chain, as one PEM file. Other servers on the loopback address may use it, too.
        self.identity = self._make_certificates()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", self.identity],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        ports = json.loads(self._process.stdout.readline() or "{}")
        if not ports:
            self.close()
            raise RuntimeError("The test server did not start; its own words are above.")
        self.url = f"http://127.0.0.1:{ports['http']}"
        self.tls_url = f"https://127.0.0.1:{ports['https']}"

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts this server's authority and no other."""
        return ssl.create_default_context(cafile=self.ca_file)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _make_certificates(self) -> str:
        """Write the authority's certificate, and the server's key and chain; return the latter's path."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        identity = Path(self._folder.name) / "server.pem"
        authority.issue_cert(*NAMES).private_key_and_cert_chain_pem.write_to_path(str(identity))
        return str(identity)
