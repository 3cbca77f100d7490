"""HTTP/2 with servers that others wrote (hypercorn, granian, nginx), on each of the real backends.

All of them serve the application of `tests/servers`; nginx passes it on over HTTP/1.1.
"""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
from contextlib import aclosing
from typing import Any

import pytest

import httpure
from tests.behaviour.world import AnyClient, World
from tests.servers import LocalServer, TLSServer, others
from tests.servers.bodies import large_body

MB = 1_000_000


ROOTS = [f"{server}-{scheme}" for server in ("hypercorn", "granian", "nginx") for scheme in ("https", "http")]


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name.startswith("hypercorn") else pytest.mark.peers) for name in ROOTS
    ]
)
def root(request: pytest.FixtureRequest) -> str:
    """Where a server is: with TLS and ALPN, and without both."""
    server, scheme = request.param.split("-")
    if server == "hypercorn":
        own: LocalServer = request.getfixturevalue("local_server")
        return own.tls_url if scheme == "https" else own.url
    site: others.Site = request.getfixturevalue(server)
    return site.https if scheme == "https" else site.http


def client(http: World, trusting: ssl.SSLContext, root: str, **kwargs: Any) -> AnyClient:
    """A client that speaks HTTP/2: by agreement where there is TLS, and without asking where there is none."""
    return http.client(http1=root.startswith("https"), http2=True, verify=trusting, **kwargs)


async def test_get(http: World, trusting: ssl.SSLContext, root: str) -> None:
    async with client(http, trusting, root) as c:
        response = await c.get(root + "/get?a=1", headers={"X-Twice": "1"}, cookies={"b": "2"})
    assert (response.status_code, response.reason_phrase, response.http_version) == (200, "OK", "HTTP/2")
    assert response.extensions["stream_id"] == 1
    said = response.json()
    assert said["http_version"] == ("1.1" if response.headers.get("server", "").startswith("nginx") else "2")
    # nginx asks in its own words.
    assert said["url"].partition("://")[2] == root.partition("://")[2] + "/get?a=1"
    assert (said["headers"]["X-Twice"], said["headers"]["Cookie"]) == ("1", "b=2")
    assert "Connection" not in said["headers"]


async def test_methods(http: World, trusting: ssl.SSLContext, root: str) -> None:
    async with client(http, trusting, root) as c:
        assert (await c.head(root + "/bytes/10")).content == b""
        assert (await c.post(root + "/post", json={"a": [1]})).json()["json"] == {"a": [1]}
        assert (await c.put(root + "/put", data={"a": "1"})).json()["form"] == {"a": "1"}
        assert (await c.delete(root + "/delete")).json()["method"] == "DELETE"
        assert (await c.options(root + "/options")).status_code == 200
        posted = await c.post(root + "/post", files={"file": ("a.txt", b"hello")})
        assert posted.json()["files"] == {"file": "hello"}
        for status in (204, 304, 404, 500):
            assert (await c.get(f"{root}/status/{status}")).status_code == status


@pytest.mark.slow
async def test_the_connection_is_used_again(http: World, trusting: ssl.SSLContext, root: str) -> None:
    async with client(http, trusting, root) as c:
        responses = [await c.get(root + "/bytes/10") for _ in range(200)]
        assert c.statistics == (1, 1, 0)
    assert len({response.headers["x-connection"] for response in responses}) == 1
    assert [each.extensions["stream_id"] for each in responses] == [*range(1, 401, 2)]


@pytest.mark.slow
async def test_a_large_upload(http: World, trusting: ssl.SSLContext, root: str) -> None:
    body = b"".join(large_body(5 * MB))
    async with client(http, trusting, root) as c:
        response = await c.post(root + "/post", content=body)
        assert response.headers["x-body-sha256"] == hashlib.sha256(body).hexdigest()
        pieces = [body[start : start + 70_000] for start in range(0, len(body), 70_000)]
        response = await c.post(root + "/post", content=http.body(pieces))
        assert response.headers["x-body-sha256"] == hashlib.sha256(body).hexdigest()
        assert c.statistics == (1, 1, 0)


@pytest.mark.slow
async def test_a_large_download(http: World, trusting: ssl.SSLContext, root: str) -> None:
    body = b"".join(large_body(5 * MB))
    async with client(http, trusting, root) as c:
        for query in ("", "?chunked=1"):
            assert (await c.get(f"{root}/large/{5 * MB}{query}")).content == body


async def test_streams(http: World, trusting: ssl.SSLContext, root: str) -> None:
    body = b"".join(large_body(3 * MB))
    async with client(http, trusting, root) as c:
        async with c.stream("GET", f"{root}/large/{3 * MB}") as response:
            received = [piece async for piece in http.pieces(response, "iter_bytes", 10_000)]
        assert b"".join(received) == body
        async with c.stream("GET", f"{root}/lines/5?delay=0.01") as response:
            lines = [line async for line in http.pieces(response, "iter_lines")]
        assert len(lines) == 5
        assert c.statistics == (1, 1, 0)


async def test_codings(http: World, trusting: ssl.SSLContext, root: str) -> None:
    async with client(http, trusting, root) as c:
        for coding in ("gzip", "deflate", "brotli", "zstd"):
            assert "coding" in (await c.get(f"{root}/{coding}")).json()


async def test_redirects_and_cookies(http: World, trusting: ssl.SSLContext, root: str) -> None:
    async with client(http, trusting, root, follow_redirects=True) as c:
        response = await c.get(root + "/redirect/3")
        assert len(response.history) == 3 and response.http_version == "HTTP/2"
        assert (await c.get(root + "/cookies/set?a=1")).json()["cookies"] == {"a": "1"}


async def test_left_in_the_middle(http: World, trusting: ssl.SSLContext, root: str) -> None:
    async with client(http, trusting, root) as c:
        first = await c.get(root + "/get")
        for _ in range(3):
            async with c.stream("GET", f"{root}/large/{5 * MB}") as response:
                async with aclosing(http.pieces(response, "iter_bytes", 1000)) as pieces:
                    assert len(await anext(pieces)) == 1000
            again = await c.get(root + "/get")
            assert again.headers["x-connection"] == first.headers["x-connection"]


@pytest.mark.slow
async def test_cancelled_in_the_middle(http: World, trusting: ssl.SSLContext, root: str) -> None:
    if not http.cancels:
        pytest.skip("there is nothing to cancel with")
    async with client(http, trusting, root) as c:
        first = await c.get(root + "/get")
        begun = 0

        async def read() -> None:
            nonlocal begun
            async with c.stream("GET", root + "/drip?numbytes=100&duration=20") as response:
                begun += 1
                await http.read(response)

        for number in range(1, 4):
            assert await http.give_up(read(), 0.1)
            again = await c.get(root + "/get")
            # Where nothing had come by then, for the machine was busy, the connection is under suspicion.
            assert begun < number or again.headers["x-connection"] == first.headers["x-connection"]


@pytest.mark.slow
async def test_cancelled_among_others(http: World, trusting: ssl.SSLContext, root: str) -> None:
    """Who goes away takes nobody along."""
    if not http.cancels:
        pytest.skip("there is nothing to cancel with")
    body = b"".join(large_body(MB))

    async def stay(number: int) -> Any:
        return await c.get(f"{root}/large/{MB}") if number % 4 else await c.post(root + "/post", content=body)

    async def go(number: int) -> bool:
        return await http.give_up(c.get(f"{root}/drip?numbytes=100&duration=20"), 0.02 * number)

    async with client(http, trusting, root) as c:
        first = await c.get(root + "/get")
        results = await http.gather(
            *[stay(number) for number in range(12)], *[go(number) for number in range(6)]
        )
        assert [each.status_code for each in results[:12]] == [200] * 12
        assert all(answer.content == body for number, answer in enumerate(results[:12]) if number % 4)
        assert all(each is True for each in results[12:])
        last = await c.get(root + "/get")
        assert last.headers["x-connection"] == first.headers["x-connection"]


async def test_a_server_without_it(http: World, tls_server: TLSServer) -> None:
    """Where ALPN does not say h2, it is HTTP/1.1."""
    context = ssl.create_default_context(cafile=tls_server.ca_file)
    async with http.client(http2=False, verify=context) as c:
        assert (await c.get(tls_server.url + "/get")).http_version == "HTTP/1.1"
    async with http.client(http2=True, verify=context) as c:
        assert (await c.get(tls_server.url + "/get")).http_version == "HTTP/2"
    async with http.client(http1=False, http2=True, verify=context) as c:
        assert (await c.get(tls_server.url + "/get")).http_version == "HTTP/2"


async def test_many_at_a_time_from_the_start(http: World, trusting: ssl.SSLContext, root: str) -> None:
    """No connection is there yet, and only one is made."""
    async with client(http, trusting, root) as c:
        answers = await http.gather(
            *[c.post(root + "/post", content=b"x" * n) for n in range(0, 20_000, 1000)]
        )
        assert [answer.headers["x-body-size"] for answer in answers] == [
            str(n) for n in range(0, 20_000, 1000)
        ]
        assert c.statistics == (1, 1, 0)


async def test_many_at_a_time(http: World, trusting: ssl.SSLContext, root: str) -> None:
    async with client(http, trusting, root) as c:
        await c.get(root + "/get")
        answers = await http.gather(*[c.get(f"{root}/bytes/{number}") for number in range(20)])
        assert [len(answer.content) for answer in answers] == [*range(20)]
        assert len({answer.headers["x-connection"] for answer in answers}) == 1
        assert c.statistics == (1, 1, 0)


async def test_informational_and_trailers(http: World, trusting: ssl.SSLContext, root: str) -> None:
    """Where the server can, which is hypercorn; nothing is wrong where it cannot."""
    told: list[Any] = []

    def tell(status: int, headers: httpure.Headers) -> None:
        told.append((status, headers["link"]))

    async with client(http, trusting, root) as c:
        response = await c.get(root + "/hints", extensions={"informational": tell})
        assert response.content == b"hinted"
        able = response.headers.get("server", "").startswith("hypercorn-h2")
        assert told == ([(103, "</style.css>; rel=preload; as=style")] if able else [])
        response = await c.get(root + "/trailers", headers={"TE": "trailers"})
        assert response.content == b"firstsecond"
        assert response.trailers == (httpure.Headers({"x-first": "1", "x-second": "2"}) if able else {})
        assert c.statistics == (1, 1, 0)


@pytest.mark.slow
def test_h2_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys, httpure\n"
        "client = httpure.Client(http2=True)\n"
        "print([name for name in ('h2', 'hpack', 'hyperframe', 'logging') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
