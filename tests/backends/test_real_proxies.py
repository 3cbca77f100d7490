"""Proxies that others have written, as processes of their own: proxy.py (HTTP, also in TLS), and pproxy (SOCKS5)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import httpure
from tests.behaviour.world import World
from tests.peers import Answer, Call, Site, with_tls

from .certificates import certificates

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the proxies fork"),
]

#: Seconds that a proxy has to start.
PATIENCE = 20.0
#: With credentials, the one as the other.
CREDENTIALS = "user:p4ss"


#: It looks for an event loop, which is there no more by itself.
PPROXY = """if True:
    import asyncio, sys
    sys.modules["uvloop"] = None
    asyncio.set_event_loop(asyncio.new_event_loop())
    from pproxy.server import main
    main(sys.argv[1:])
"""


@contextlib.contextmanager
def running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, with all that it starts, until the block is left."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *command], stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(ready: Any, process: subprocess.Popen[bytes], log: Path) -> Any:
    """Wait until `ready()` gives something, and return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        found = ready()
        if found:
            return found
        time.sleep(0.02)
    raise RuntimeError(f"The proxy did not start: {log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def proxy_py(folder: Path, *options: str) -> Iterator[int]:
    """Run proxy.py and yield its port."""
    file, log = folder / "port", folder / "log"
    command = ["-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--port-file", str(file)]
    few = ["--num-workers", "1", "--num-acceptors", "1", "--log-level", "WARNING"]
    with running(*command, *few, *options, log=log) as process:
        yield int(until(lambda: file.exists() and file.read_text().strip(), process, log))


@contextlib.contextmanager
def pproxy(folder: Path, userinfo: str = "") -> Iterator[int]:
    """Run pproxy for SOCKS5 and yield its port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    log = folder / "log"

    def listens() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    with running(
        "-c", PPROXY, "-l", f"socks5://127.0.0.1:{port}{userinfo}", "--auth", "0", log=log
    ) as process:
        until(listens, process, log)
        yield port


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with proxy_py(tmp_path_factory.mktemp("plain")) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with proxy_py(tmp_path_factory.mktemp("guarded"), "--basic-auth", CREDENTIALS) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("secure")
    leaf = certificates().leaf("good")
    chain, key = folder / "chain.pem", folder / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(chain)
    leaf.private_key_pem.write_to_path(key)
    with proxy_py(folder, "--cert-file", str(chain), "--key-file", str(key)) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def socks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pproxy(tmp_path_factory.mktemp("socks")) as port:
        yield f"socks5://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def guarded_socks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pproxy(tmp_path_factory.mktemp("guarded-socks"), f"#{CREDENTIALS}") as port:
        yield f"socks5h://127.0.0.1:{port}"


def echo(call: Call) -> Answer:
    return Answer(200, f"{call.method} {call.path} ".encode() + call.body, chunked=call.method == "POST")


def origin(http: World, scheme: str) -> tuple[Site, str]:
    site = Site(echo)
    if scheme == "http":
        return site, http.serve(site)
    context = certificates().server()
    return site, f"https://localhost:{http.listen(with_tls(site, context))}"


async def check(http: World, proxy: str | httpure.Proxy, scheme: str) -> Site:
    site, url = origin(http, scheme)
    body = bytes(range(256)) * 2000
    async with http.client(proxy=proxy, verify=certificates().trusting) as client:
        for _ in range(2):
            assert (await client.get(url + "/a")).text == "GET /a "
            response = await client.post(url + "/b", content=body)
            assert response.content == b"POST /b " + body
    # From the second request of a connection on, proxy.py forgets to keep to itself what http:// brings.
    seen = site.calls if scheme == "https" else site.calls[:1]
    assert {call.field("proxy-authorization") for call in seen} == {None}
    return site


both = pytest.mark.parametrize("scheme", ["http", "https"])


@both
async def test_http(http: World, plain: str, scheme: str) -> None:
    site = await check(http, plain, scheme)
    if scheme == "https":
        assert site.connections == 1


@both
async def test_http_with_credentials(http: World, guarded: str, scheme: str) -> None:
    await check(http, guarded.replace("://", f"://{CREDENTIALS}@"), scheme)


async def test_http_without_credentials(http: World, guarded: str) -> None:
    _, url = origin(http, "http")
    async with http.client(proxy=guarded) as client:
        assert (await client.get(url)).status_code == 407
        with pytest.raises(
            httpure.ProxyError, match="it answered 407 Proxy Authentication Required"
        ) as caught:
            await client.get("https://localhost/")
    assert caught.value.proxy_response is not None
    assert "proxy-authenticate" in caught.value.proxy_response.headers


@both
async def test_https(http: World, secure: str, scheme: str) -> None:
    await check(http, httpure.Proxy(secure, ssl_context=certificates().trusting), scheme)


async def test_https_of_a_stranger(http: World, secure: str) -> None:
    async with http.client(proxy=secure, verify=certificates().trusting) as client:
        with pytest.raises(
            httpure.ConnectError, match=r"TLS connection to the proxy .*its certificate is not trusted"
        ):
            await client.get("https://localhost/")


async def test_a_server_that_is_not_there(http: World, plain: str) -> None:
    async with http.client(proxy=plain) as client:
        with pytest.raises(
            httpure.ProxyError, match=f"did not connect to 127.0.0.1:{(port := http.free_port())} "
        ):
            await client.get(f"https://127.0.0.1:{port}/")


@both
async def test_socks(http: World, socks: str, scheme: str) -> None:
    assert (await check(http, socks, scheme)).connections == 1


@both
async def test_socks_with_credentials(http: World, guarded_socks: str, scheme: str) -> None:
    await check(http, guarded_socks.replace("://", f"://{CREDENTIALS}@"), scheme)


async def test_socks_with_the_wrong_credentials(http: World, guarded_socks: str) -> None:
    for userinfo in ("", "user:other@"):
        async with http.client(proxy=guarded_socks.replace("://", f"://{userinfo}")) as client:
            with pytest.raises(httpure.ProxyError, match=r"did not connect to localhost:443 \(") as caught:
                await client.get("https://localhost/")
        assert "other" not in str(caught.value)
