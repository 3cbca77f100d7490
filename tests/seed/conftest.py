"""The hosts of the documentation's Clients page, on the local server.

`example` stands for https://example.com, `api` for https://api.example.com, `httpbin` for http://httpbin.org
and `secure_httpbin` for https://httpbin.org. HTTPS is verified: SSL_CERT_FILE names the authority, as it
would a company's own.
"""

from __future__ import annotations

import pytest

from ..servers import TLSServer


@pytest.fixture(autouse=True)
def trust(tls_server: TLSServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", tls_server.ca_file)


@pytest.fixture
def example(tls_server: TLSServer) -> str:
    return tls_server.url


@pytest.fixture
def api(tls_server: TLSServer) -> str:
    return tls_server.url


@pytest.fixture
def httpbin(server: str) -> str:
    return server


@pytest.fixture
def secure_httpbin(tls_server: TLSServer) -> str:
    return tls_server.url
