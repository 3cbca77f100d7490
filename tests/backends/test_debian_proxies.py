"""squid and tinyproxy: Basic and Digest, forwarding and tunnels, HTTP/2 inside, and what a proxy's end does."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import httpure
from tests.behaviour.world import AnyClient, World
from tests.peers import Answer, Call, Peer, Site, with_tls
from tests.peers.http2 import Http2Site
from tests.servers import others

from .certificates import certificates

pytestmark = [
    pytest.mark.peers,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="neither runs there"),
]

NAME, PASSWORD = "ada", "p4ssw0rd"
#: As "openssl passwd -apr1" has it.
HASHED = "$apr1$httpure1$RlMvmPcBCsbAGY8CS5cMU1"
DIGEST = httpure.DigestAuth(NAME, PASSWORD)
WRONG = httpure.DigestAuth(NAME, "wrong")

REQUIRED = """
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""
BASIC = (
    """
auth_param basic program {root}/usr/lib/squid/basic_ncsa_auth %s
auth_param basic realm proxies
auth_param basic children 1 startup=1
"""
    + REQUIRED
)
DIGESTS = (
    """
auth_param digest program {root}/usr/lib/squid/digest_file_auth -c %s
auth_param digest realm proxies
auth_param digest children 1 startup=1
auth_param digest nonce_max_count %d
"""
    + REQUIRED
)


@contextlib.contextmanager
def readable() -> Iterator[Path]:
    """A folder that squid may look into, as it is nobody; those of pytest are ours alone."""
    with tempfile.TemporaryDirectory(prefix="httpure-proxies-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def secret(folder: Path, text: str) -> Path:
    file = folder / "users"
    file.write_text(text)
    file.chmod(0o644)
    return file


def digest_users(folder: Path) -> Path:
    hashed = hashlib.md5(f"{NAME}:proxies:{PASSWORD}".encode()).hexdigest()
    return secret(folder, f"{NAME}:proxies:{hashed}\n")


@pytest.fixture(scope="module")
def open_squid() -> Iterator[str]:
    with readable() as folder, others.squid(folder) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def basic_squid() -> Iterator[str]:
    with readable() as folder:
        users = secret(folder, f"{NAME}:{HASHED}\n")
        with others.squid(folder, BASIC % users) as port:
            yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def digest_squid() -> Iterator[str]:
    with readable() as folder, others.squid(folder, DIGESTS % (digest_users(folder), 50)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def forgetful_squid() -> Iterator[str]:
    """After three uses, a nonce is stale."""
    with readable() as folder, others.squid(folder, DIGESTS % (digest_users(folder), 3)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def secure_squid() -> Iterator[str]:
    """It speaks TLS, with GnuTLS."""
    leaf = certificates().leaf("good")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with readable() as folder:
        identity = folder / "identity.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(identity)
        identity.chmod(0o644)
        settings = f"https_port 127.0.0.1:{port} tls-cert={identity}\n" + DIGESTS % (digest_users(folder), 50)
        with others.squid(folder, settings):
            yield f"https://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def tinyproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with others.tinyproxy(tmp_path_factory.mktemp("tinyproxy"), f"BasicAuth {NAME} {PASSWORD}") as port:
        yield f"http://127.0.0.1:{port}"


def echo(call: Call) -> Answer:
    return Answer(200, f"{call.method} {call.path} ".encode() + call.body)


def origin(http: World, scheme: str) -> tuple[Site, str]:
    site = Site(echo)
    if scheme == "http":
        return site, http.serve(site)
    return site, f"https://localhost:{http.listen(with_tls(site, certificates().server()))}"


def through(http: World, proxy: Any, **kwargs: Any) -> AnyClient:
    return http.client(proxy=proxy, verify=certificates().trusting, **kwargs)


async def check(http: World, proxy: Any, scheme: str, **kwargs: Any) -> Site:
    site, url = origin(http, scheme)
    body = bytes(range(256)) * 1000
    async with through(http, proxy, **kwargs) as client:
        for _ in range(3):
            assert (await client.get(url + "/a")).text == "GET /a "
            assert (await client.post(url + "/b", content=body)).content == b"POST /b " + body
    assert {call.field("proxy-authorization") for call in site.calls} == {None}
    assert len(site.calls) == 6, "none was sent to the server twice"
    return site


both = pytest.mark.parametrize("scheme", ["http", "https"])


class TestBasic:
    @both
    async def test_squid(self, http: World, basic_squid: str, scheme: str) -> None:
        await check(http, httpure.Proxy(basic_squid, auth=(NAME, PASSWORD)), scheme)

    @both
    async def test_tinyproxy(self, http: World, tinyproxy: str, scheme: str) -> None:
        # It ends a connection after each answer that it forwards, and does not say so: a POST that is sent just then
        # is lost, and must not be sent again.
        none = httpure.Limits(max_keepalive_connections=0)
        await check(http, httpure.Proxy(tinyproxy, auth=(NAME, PASSWORD)), scheme, limits=none)

    @pytest.mark.parametrize("which", ["basic_squid", "tinyproxy"])
    @pytest.mark.parametrize("auth", [None, (NAME, "wrong")], ids=["none", "wrong"])
    async def test_refused(self, http: World, request: pytest.FixtureRequest, which: str, auth: Any) -> None:
        url = request.getfixturevalue(which)
        site, plain = origin(http, "http")
        async with through(http, httpure.Proxy(url, auth=auth)) as client:
            response = await client.get(plain)
            with pytest.raises(httpure.ProxyError) as caught:
                await client.get("https://localhost/")
        answer: Any = caught.value.proxy_response
        # tinyproxy says 401 where it does not like what it was told, as if it were the server.
        status = 401 if which == "tinyproxy" and auth else 407
        assert response.status_code == answer.status_code == status
        assert f"it answered {status} " in str(caught.value)
        assert answer.content
        if status == 407:
            advice = "did not accept the user name" if auth else "give user name and password"
            assert "basic" in answer.headers["proxy-authenticate"].lower()
            assert advice in str(caught.value)
        assert "wrong" not in str(caught.value)
        assert not site.calls


class TestDigest:
    @pytest.mark.parametrize("auth", [DIGEST, (NAME, PASSWORD)], ids=["digest", "pair"])
    @pytest.mark.parametrize("which", ["digest_squid", "forgetful_squid"])
    @both
    async def test_squid(
        self, http: World, request: pytest.FixtureRequest, which: str, auth: Any, scheme: str
    ) -> None:
        """A pair is shown to it first, which is no use; then it is asked for Digest."""
        await check(http, httpure.Proxy(request.getfixturevalue(which), auth=auth), scheme)

    @both
    async def test_squid_in_tls(self, http: World, secure_squid: str, scheme: str) -> None:
        proxy = httpure.Proxy(secure_squid, auth=DIGEST, ssl_context=certificates().trusting)
        await check(http, proxy, scheme)

    async def test_many_at_once(self, http: World, forgetful_squid: str) -> None:
        site, url = origin(http, "https")
        async with through(http, httpure.Proxy(forgetful_squid, auth=DIGEST)) as client:
            responses = await http.gather(*(client.get(f"{url}/{number}") for number in range(8)))
        assert [response.text for response in responses] == [f"GET /{number} " for number in range(8)]
        assert len(site.calls) == 8

    async def test_the_wrong_password(self, http: World, digest_squid: str) -> None:
        site, plain = origin(http, "http")
        async with through(http, httpure.Proxy(digest_squid, auth=WRONG)) as client:
            assert (await client.get(plain)).status_code == 407
            with pytest.raises(
                httpure.ProxyError, match="it did not accept the user name and password"
            ) as caught:
                await client.get("https://localhost/")
        answer: Any = caught.value.proxy_response
        assert answer.headers["proxy-authenticate"].startswith("Digest ")
        assert "wrong" not in str(caught.value)
        assert not site.calls

    async def test_without_credentials(self, http: World, digest_squid: str) -> None:
        async with through(http, digest_squid) as client:
            with pytest.raises(
                httpure.ProxyError, match=r"give user name and password with Proxy\(url, auth=...\)"
            ):
                await client.get("https://localhost/")


class TestTunnels:
    @pytest.mark.parametrize("which", ["digest_squid", "secure_squid", "tinyproxy"])
    async def test_http2(self, http: World, request: pytest.FixtureRequest, which: str) -> None:
        auth: Any = (NAME, PASSWORD) if which == "tinyproxy" else DIGEST
        site = Http2Site(lambda ask: Answer(200, ask.path.encode()))
        context = certificates().server()
        context.set_alpn_protocols(["h2", "http/1.1"])
        port = http.listen(with_tls(site, context))
        url = request.getfixturevalue(which)
        proxy = httpure.Proxy(url, auth=auth, ssl_context=certificates().trusting)
        async with through(http, proxy, http2=True) as client:
            responses = await http.gather(*(client.get(f"https://localhost:{port}/{i}") for i in range(5)))
        assert [response.text for response in responses] == [f"/{i}" for i in range(5)]
        assert {response.http_version for response in responses} == {"HTTP/2"}

    async def test_a_server_that_is_not_there(self, http: World, open_squid: str) -> None:
        async with through(http, open_squid) as client:
            with pytest.raises(httpure.ProxyError, match="it answered 503 Service Unavailable") as caught:
                await client.get(f"https://127.0.0.1:{http.free_port()}/")
        assert caught.value.proxy_response is not None
        assert b"ERR_CONNECT_FAIL" in caught.value.proxy_response.headers["x-squid-error"].encode()
        assert b"<html" in caught.value.proxy_response.content.lower()

    async def test_a_server_that_is_silent(self, http: World, open_squid: str) -> None:
        port = http.listen(Peer)
        async with through(http, open_squid, timeout=0.3) as client:
            with pytest.raises(
                httpure.ConnectTimeout, match="TLS handshake with localhost through the proxy"
            ):
                await client.get(f"https://localhost:{port}/")

    @both
    async def test_a_proxy_that_dies(self, http: World, tmp_path: Path, scheme: str) -> None:
        """In the middle of a response: that is an error like any other of the server's connection."""
        site = Site(lambda call: Answer(200, [b"x" * 1000, b"y"], pause=30.0))
        url = http.serve(site)
        if scheme == "https":
            url = f"https://localhost:{http.listen(with_tls(site, certificates().server()))}"
        with contextlib.ExitStack() as stack:
            proxy = stack.enter_context(others.tinyproxy(tmp_path))
            async with through(http, f"http://127.0.0.1:{proxy}", timeout=10) as client:
                async with client.stream("GET", url) as response:
                    stack.close()
                    with pytest.raises((httpure.RemoteProtocolError, httpure.ReadError)):
                        await http.read(response)
                with pytest.raises(httpure.ConnectError, match="Could not connect to the proxy"):
                    await client.get(url)


class TestRouting:
    async def test_no_proxy(self, http: World, open_squid: str, monkeypatch: pytest.MonkeyPatch) -> None:
        site, url = origin(http, "http")
        monkeypatch.setenv("HTTP_PROXY", open_squid)
        async with http.client() as client:
            await client.get(url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with http.client() as client:
            await client.get(url)
            await client.get(url, proxy=open_squid)
            await client.get(url, proxy=None)
        # squid tells of itself, also that it was there.
        assert [call.field("via") is not None for call in site.calls] == [True, False, True, False]

    async def test_origins_share_the_connections_to_a_forwarding_proxy(
        self, http: World, open_squid: str
    ) -> None:
        urls = [origin(http, "http")[1] for _ in range(3)]
        async with through(http, open_squid) as client:
            for url in urls:
                assert (await client.get(url + "/a")).text == "GET /a "
            transport = client.itself._transport_for_url(httpure.URL(urls[0]))
            assert transport.statistics == (1, 1, 0)
