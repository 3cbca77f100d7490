"""How each library is asked to do the same thing.

A client is an object with a `version` and methods `<face>_<task>(load)`, each a context manager (async for
asyncio and trio) that gives `act`: a function or coroutine function that sends one request and returns its
body, or moves so many bytes. Settings are the same for all: connections are kept, `load.pool` of them at
most, a timeout is set but never reached. All else is as each library does it by default; where that is worth a
word, its module says it.
"""

from __future__ import annotations

import ssl
from importlib import import_module, metadata
from typing import Any

from ..workloads import Load

#: Seconds: long enough never to be reached, set because a client in earnest use has one.
TIMEOUT = 120.0

MODULES = {
    "httpure": "httpx_like",
    "httpx": "httpx_like",
    "httpx2": "httpx_like",
    "aiohttp": "aiohttp_client",
    "urllib3": "urllib3_client",
    "http.client": "stdlib_client",
    "niquests": "niquests_client",
    "pycurl": "curl_client",
    "pyreqwest": "pyreqwest_client",
    "wreq": "wreq_client",
    "pyqwest": "pyqwest_client",
    "floor": "floor",
    "h2": "h2_alone",
}


def client_named(name: str) -> Any:
    """Import the client; raise ImportError if it is not installed. No other library is imported."""
    return import_module(f".{MODULES[name]}", __name__).make(name)


def context_of(load: Load) -> ssl.SSLContext | None:
    """Return a context that trusts the run's own authority, None for plain HTTP."""
    return ssl.create_default_context(cafile=load.ca) if load.ca else None


def version_of(distribution: str) -> str:
    """Return the installed version; a source tree that is not installed has none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "source tree"
