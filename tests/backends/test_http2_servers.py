"""What single HTTP/2 servers are peculiar in: the trailers and padding of nghttpd, the limits and goodbyes of nginx."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import LocalServer, others
from tests.servers.bodies import random_body

from ..behaviour.world import AnyClient, World

pytestmark = pytest.mark.peers

MB = 1_000_000
LARGE = random_body(3 * MB)

both = pytest.mark.parametrize("scheme", ["https", "http"])


def client(http: World, trusting: ssl.SSLContext, scheme: str, **kwargs: Any) -> AnyClient:
    return http.client(http1=scheme == "https", http2=True, verify=trusting, **kwargs)


def url_of(site: others.Site, scheme: str) -> str:
    return site.https if scheme == "https" else site.http


def failures(results: list[Any]) -> list[Any]:
    """What a `gather` brought besides responses."""
    return [result for result in results if isinstance(result, BaseException)]


def with_files(folder: Path) -> Path:
    files = folder / "files"
    files.mkdir()
    (files / "small").write_bytes(b"hello")
    (files / "large").write_bytes(LARGE)
    return folder


Served = Callable[[str], others.Site]


@pytest.fixture(scope="module", params=["plainly", "oddly"])
def nghttpd(
    request: pytest.FixtureRequest,
    local_server: LocalServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[others.Site]:
    """As it is; and with what is allowed and rare: padding, small windows, answers of unknown length."""
    odd = ["--padding", "200", "-w", "12", "-W", "14", "--header-table-size", "0", "--no-content-length"]
    options = ["--trailer", "x-last: 1", *(odd if request.param == "oddly" else [])]
    folder = with_files(tmp_path_factory.mktemp("nghttpd"))
    with others.nghttpd(folder, local_server.identity, *options) as site:
        yield site


@pytest.fixture(scope="module")
def nginx_with(local_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Runs an nginx with certain settings."""
    with contextlib.ExitStack() as stack:
        known: dict[str, others.Site] = {}

        def serve(settings: str) -> others.Site:
            if settings not in known:
                folder = with_files(tmp_path_factory.mktemp("nginx"))
                manager = others.nginx(folder, local_server.identity, local_server.url, settings)
                known[settings] = stack.enter_context(manager)
            return known[settings]

        yield serve


class TestNghttpd:
    """Of the library nghttp2, which curl and many servers have inside."""

    @both
    async def test_files(
        self, http: World, trusting: ssl.SSLContext, nghttpd: others.Site, scheme: str
    ) -> None:
        url = url_of(nghttpd, scheme)
        async with client(http, trusting, scheme) as c:
            for _ in range(3):
                response = await c.get(url + "/small")
                assert (response.http_version, response.content) == ("HTTP/2", b"hello")
                assert response.trailers == {"x-last": "1"}
            assert (await c.get(url + "/large")).content == LARGE
            assert (await c.get(url + "/nothing")).status_code == 404
            head = await c.head(url + "/small")
            assert (head.status_code, head.content) == (200, b"")
            assert c.statistics == (1, 1, 0)

    @both
    async def test_uploads(
        self, http: World, trusting: ssl.SSLContext, nghttpd: others.Site, scheme: str
    ) -> None:
        """What is sent comes back, while it is sent."""
        url = url_of(nghttpd, scheme)
        async with client(http, trusting, scheme) as c:
            assert (await c.post(url + "/small", content=b"x")).content == b"x"
            assert (await c.put(url + "/small", content=LARGE)).content == LARGE
            pieces = [LARGE[start : start + 50_000] for start in range(0, MB, 50_000)]
            assert (await c.post(url + "/small", content=http.body(pieces))).content == LARGE[:MB]
            assert c.statistics == (1, 1, 0)

    @both
    async def test_many_at_a_time(
        self, http: World, trusting: ssl.SSLContext, nghttpd: others.Site, scheme: str
    ) -> None:
        url = url_of(nghttpd, scheme)
        async with client(http, trusting, scheme) as c:
            # nghttpd resets (FLOW_CONTROL_ERROR) what was sent, rightly, before its small windows were known.
            await c.get(url + "/small")
            asked = [c.post(url + "/small", content=LARGE[:size]) for size in range(0, 200_000, 8_000)]
            asked += [c.get(url + "/small") for _ in range(25)]
            answers = await http.gather(*asked)
            assert failures(answers) == []
            assert c.statistics == (1, 1, 0)
        assert [answer.content for answer in answers[25:]] == [b"hello"] * 25
        for size, answer in zip(range(0, 200_000, 8_000), answers, strict=False):
            assert answer.content == LARGE[:size]


class TestNginx:
    @both
    async def test_a_limit_of_streams(
        self, http: World, trusting: ssl.SSLContext, nginx_with: Served, scheme: str
    ) -> None:
        url = url_of(nginx_with("http2_max_concurrent_streams 4;"), scheme)
        async with client(http, trusting, scheme) as c:
            answers = await http.gather(*[c.get(f"{url}/bytes/{number}") for number in range(50)])
        assert failures(answers) == []
        assert [len(answer.content) for answer in answers] == [*range(50)]

    @both
    async def test_goodbye_after_some_requests(
        self, http: World, trusting: ssl.SSLContext, nginx_with: Served, scheme: str
    ) -> None:
        """Every tenth request of a connection is its last one: GOAWAY, whatever else is under way."""
        url = url_of(nginx_with("keepalive_requests 10;"), scheme)

        async def ask(times: int) -> int:
            for _ in range(times):
                assert (await c.get(url + "/files/small")).content == b"hello"
            return times

        async with client(http, trusting, scheme) as c:
            assert await ask(35) == 35
            assert await http.gather(*[ask(15) for _ in range(8)]) == [15] * 8

    @both
    async def test_restarted_in_the_middle(
        self, http: World, trusting: ssl.SSLContext, nginx_with: Served, scheme: str
    ) -> None:
        """New processes take over, and the old ones say goodbye to who is there: no request is lost."""
        site = nginx_with("")
        url = url_of(site, scheme)
        asked = 0

        async def ask(times: int) -> int:
            nonlocal asked
            for number in range(times):
                path, content = (
                    ("/files/large", LARGE) if number == times // 2 else ("/files/small", b"hello")
                )
                assert (await c.get(url + path)).content == content
                asked += 1
                if asked % 50 == 0:
                    others.reload(site)
            return times

        async with client(http, trusting, scheme) as c:
            assert await http.gather(*[ask(25) for _ in range(8)]) == [25] * 8
