"""What every test has: a core that knows time and chance, a clean environment, repeatable data, a server."""

from __future__ import annotations

import gc
import mimetypes
import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

from httpure_core import ambient

from .servers import LocalServer, TLSServer

#: What the machine says here would change what a client does.
AMBIENT_VARIABLES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "NETRC"),
)

for name in AMBIENT_VARIABLES:
    os.environ.pop(name, None)
    os.environ.pop(name.lower(), None)

ambient.install(
    random_bytes=os.urandom,
    wall_time=time.time,
    guess_type=lambda name: mimetypes.guess_type(name)[0],
)

settings.register_profile("httpure", derandomize=True, deadline=None)
settings.load_profile("httpure")


@pytest.fixture(scope="session")
def local_server() -> Iterator[LocalServer]:
    """The server process with all its addresses."""
    with LocalServer() as running:
        yield running


@pytest.fixture(scope="session")
def server(local_server: LocalServer) -> str:
    """The URL of the HTTP server, without a trailing slash."""
    return local_server.url


@pytest.fixture(scope="session")
def tls_server(local_server: LocalServer) -> TLSServer:
    """The HTTPS server: its `url`, a `context` that trusts it, and the `ca_file` of its authority."""
    return TLSServer(local_server.tls_url, local_server.client_context(), local_server.ca_file)


def pytest_collection_finish() -> None:
    """Take what is there when the tests begin out of the garbage collector's sight: it would look at it for each."""
    gc.collect()
    gc.freeze()
