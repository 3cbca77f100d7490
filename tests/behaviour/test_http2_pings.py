"""`http2_ping_interval=` of transports: a server that says nothing for long is asked whether it is there."""

from __future__ import annotations

import pytest

import httpure
from tests.peers import Answer
from tests.peers.http2 import Ask, Http2Site

from .world import World


async def test_a_server_that_is_gone(http: World) -> None:
    def app(ask: Ask) -> Answer | None:
        if ask.path == "/gone":
            site.peers[-1].channel.pause()
            return None
        return Answer(200, b"hello")

    url = http.serve(site := Http2Site(app))
    transport = http.transport(http1=False, http2=True, http2_ping_interval=0.1)
    async with http.client(transport=transport, timeout=None) as c:
        await c.get(url)
        began = http.clock()
        with pytest.raises(httpure.ReadError) as caught:
            await c.post(url + "/gone", content=b"x")
        assert str(caught.value) == (
            f"The connection was lost: the peer did not answer a PING within 0.1 s, POST {url}/gone"
        )
        assert 0.19 <= http.clock() - began < 1
        assert c.statistics == (0, 0, 0)
        assert (await c.get(url)).content == b"hello"
    assert site.connections == 2


async def test_all_requests_on_it_fail(http: World) -> None:
    def app(ask: Ask) -> Answer | None:
        if ask.path == "/gone":
            site.peers[-1].channel.pause()
            return None
        return None if ask.path == "/waits" else Answer(200, b"hello")

    url = http.serve(site := Http2Site(app))
    transport = http.transport(http1=False, http2=True, http2_ping_interval=0.1)
    async with http.client(transport=transport, timeout=None) as c:
        await c.get(url)
        results = await http.gather(c.post(url + "/waits"), c.post(url + "/waits"), c.post(url + "/gone"))
    assert [type(result) for result in results] == [httpure.ReadError] * 3
    assert site.connections == 1


async def test_a_server_that_is_slow(http: World) -> None:
    url = http.serve(site := Http2Site(lambda ask: Answer(200, [b"hel", b"lo"], delay=0.3, pause=0.3)))
    transport = http.transport(http1=False, http2=True, http2_ping_interval=0.1)
    async with http.client(transport=transport, timeout=None) as c:
        assert (await c.get(url)).content == b"hello"
    assert site.connections == 1 and site.resets == []


async def test_the_read_timeout_is_what_it_was(http: World) -> None:
    url = http.serve(Http2Site(lambda ask: None))
    transport = http.transport(http1=False, http2=True, http2_ping_interval=0.05)
    async with http.client(transport=transport, timeout=0.2) as c:
        began = http.clock()
        with pytest.raises(httpure.ReadTimeout, match=r"Nothing was received for 0\.2 s"):
            await c.get(url)
        assert 0.19 <= http.clock() - began < 1


@pytest.mark.parametrize("interval", [0, -1.0])
def test_an_interval_is_positive(http: World, interval: float) -> None:
    with pytest.raises(
        ValueError, match=r"http2_ping_interval is .*, but must be positive, or None for no PING"
    ):
        http.transport(http2_ping_interval=interval)


async def test_what_may_be_sent_again_is(http: World) -> None:
    def app(ask: Ask) -> Answer | None:
        if ask.path == "/gone" and ask.connection == 1:
            site.peers[-1].channel.pause()
            return None
        return Answer(200, b"hello")

    url = http.serve(site := Http2Site(app))
    transport = http.transport(http1=False, http2=True, http2_ping_interval=0.1)
    async with http.client(transport=transport, timeout=None) as c:
        await c.get(url)
        assert (await c.get(url + "/gone")).content == b"hello"
    assert site.connections == 2
