"""The test suites that can be run: where each comes from, what it needs, how it is called."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SUITES", "Suite"]


class Suite(NamedTuple):
    """The tests of one package, as they are released."""

    name: str
    #: What is installed, and whose source is downloaded: a requirement with an exact version.
    package: str
    #: What else is installed: the versions that were current for the package, so that its tests pass on httpx itself.
    requirements: tuple[str, ...] = ()
    #: What pytest is given.
    arguments: tuple[str, ...] = ("tests",)
    #: Where the tests are if the package's own archive on PyPI is without them: addresses of the same archive.
    archives: tuple[str, ...] = ()
    #: Files that would be imported in the place of what is installed.
    without: tuple[str, ...] = ()
    #: Seconds for the whole suite.
    patience: float = 1200.0


_OF_OPENAI = (
    *("lib/chat", "test_auth.py", "test_client.py", "test_client_runtime_bindings.py", "test_files.py"),
    *("test_httpx2.py", "test_httpx2_base.py", "test_httpx2_decompression.py", "test_httpx2_respx.py"),
    *("test_httpx_compat.py", "test_legacy_response.py", "test_module_client.py", "test_mtls_http_client.py"),
    *("test_multipart_encoding.py", "test_response.py", "test_sse_framing.py", "test_stream_mode.py"),
    *("test_streaming.py", "test_tls_hostname.py", "test_x509_security_boundaries.py"),
    *("test_x509_workload_identity.py", "test_x509_workload_identity_transport.py"),
)
_DEBIAN = "https://deb.debian.org/debian/pool/main"
_PYTEST_9 = ("pytest==9.2.0", "pytest-timeout==2.4.0")
_PYTEST = ("pytest==8.3.4", "pytest-timeout==2.4.0")

SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "httpx",
            "httpx[http2,brotli,cli,socks,zstd]==0.28.1",
            (
                *_PYTEST,
                "chardet==5.2.0",
                "cryptography",
                "trio==0.30.0",
                "trustme==1.2.0",
                "uvicorn==0.32.1",
                "click==8.1.7",
            ),
        ),
        Suite(
            "httpx-sse",
            "httpx-sse==0.4.3",
            (
                *_PYTEST,
                "httpx==0.28.1",
                "pytest-asyncio==0.25.0",
                "sse-starlette==2.1.3",
                "starlette==0.41.3",
            ),
            without=("src",),
        ),
        Suite(
            "httpx-auth",
            "httpx-auth==0.23.1",
            (
                *_PYTEST,
                "httpx==0.28.1",
                "pytest-httpx==0.35.0",
                "pytest-asyncio==0.25.0",
                "pyjwt==2.10.1",
                "time-machine==2.16.0",
            ),
        ),
        Suite(
            "pytest-httpx",
            "pytest-httpx==0.35.0",
            (*_PYTEST, "httpx==0.28.1", "pytest-asyncio==0.24.0", "pytest-cov==6.0.0"),
        ),
        Suite(
            "respx",
            "respx==0.22.0",
            (*_PYTEST, "httpx==0.28.1", "pytest-asyncio==0.24.0", "pytest-cov==6.0.0", "trio==0.30.0"),
            archives=(
                "https://github.com/lundberg/respx/archive/refs/tags/0.22.0.tar.gz",
                f"{_DEBIAN}/p/python-respx/python-respx_0.22.0.orig.tar.gz",
            ),
        ),
        Suite(
            "starlette",
            "starlette[full]==0.41.3",
            (*_PYTEST, "httpx==0.28.1", "anyio==4.7.0", "trio==0.30.0"),
        ),
        Suite(
            "authlib",
            "authlib==1.6.0",
            (*_PYTEST, "httpx==0.28.1", "pytest-asyncio==0.24.0", "starlette==0.41.3", "werkzeug", "flask"),
            ("tests/clients/test_httpx",),
            archives=(
                "https://github.com/authlib/authlib/archive/refs/tags/v1.6.0.tar.gz",
                f"{_DEBIAN}/p/python-authlib/python-authlib_1.6.0.orig.tar.gz",
            ),
        ),
        Suite(
            "openai",
            "openai==1.60.0",
            (
                *_PYTEST,
                "httpx==0.28.1",
                "respx==0.22.0",
                "pytest-asyncio==0.24.0",
                "inline-snapshot==0.19.3",
                "dirty-equals",
                "nest_asyncio",
                "rich",
            ),
            ("tests", "--ignore=tests/api_resources", "--ignore=tests/lib/azure"),
        ),
        Suite(
            "anthropic",
            "anthropic==0.45.2",
            (
                *_PYTEST,
                "httpx==0.28.1",
                "respx==0.22.0",
                "pytest-asyncio==0.24.0",
                "dirty-equals",
                "nest_asyncio",
                "boto3",
                "google-auth",
                "rich",
            ),
            ("tests", "--ignore=tests/api_resources"),
        ),
        # The same, where they have gone over to httpx2.
        Suite(
            "starlette-1",
            "starlette[full]==1.10.0",
            (*_PYTEST_9, "httpx2[zstd]==2.16.2", "blockbuster", "opentelemetry-sdk", "trio==0.34.0"),
        ),
        Suite(
            "openai-3",
            "openai[realtime]==3.54.0",
            (
                *(*_PYTEST_9, "httpx2==2.16.2", "pytest-asyncio==1.4.0", "pytest-xdist==3.8.0"),
                *("inline-snapshot>=0.28", "dirty-equals", "nest-asyncio", "rich", "httpx==0.28.1"),
            ),
            # What sends requests; the rest takes minutes, and most of it needs a mock server of theirs.
            tuple(f"tests/{name}" for name in _OF_OPENAI),
        ),
    )
}
