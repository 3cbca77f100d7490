"""Which connections a client has, and for how long: limits per origin, of age and of requests, and what servers say."""

from __future__ import annotations

import pytest

import httpure
from tests.peers import Answer, Call, Site, scripted
from tests.peers.http2 import Http2Site

from .world import World


def echo(call: Call) -> Answer:
    return Answer(200, call.target.encode(), delay=0.03 if call.path.startswith("/slow") else 0.0)


async def test_per_origin(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client(limits=httpure.Limits(max_connections_per_origin=2)) as c:
        answers = await http.gather(*[c.get(f"{url}/slow/{number}") for number in range(6)])
        assert [answer.text for answer in answers] == [f"/slow/{number}" for number in range(6)]
        assert c.statistics == (2, 2, 0)
    assert site.connections == 2


async def test_who_waits_for_one_origin_holds_up_no_other(http: World) -> None:
    busy, free = http.serve(scripted()), http.serve(Site(echo))
    limits = httpure.Limits(max_connections=2, max_connections_per_origin=1)

    async def later() -> str:
        await http.sleep(0.05)
        return (await c.get(free + "/x")).text  # type: ignore[no-any-return]

    async with http.client(limits=limits, timeout=httpure.Timeout(0.3, pool=0.2)) as c:
        results = await http.gather(c.get(busy), c.get(busy), later())
    assert {type(result) for result in results[:2]} == {httpure.ReadTimeout, httpure.PoolTimeout}
    assert results[2] == "/x"


async def test_age(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client(limits=httpure.Limits(max_connection_age=0.1, keepalive_expiry=None)) as c:
        await c.get(url)
        await c.get(url)
        assert site.connections == 1
        await http.sleep(0.15)
        await c.get(url)
    assert site.connections == 2


async def test_number_of_requests(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client(limits=httpure.Limits(max_requests_per_connection=3)) as c:
        for _ in range(7):
            await c.get(url)
        assert c.statistics == (1, 1, 0)
    assert [call.connection for call in site.calls] == [1, 1, 1, 2, 2, 2, 3]


async def test_number_of_requests_that_share(http: World) -> None:
    url = http.serve(site := Http2Site(lambda ask: Answer(200, ask.path.encode(), delay=0.02)))
    limits = httpure.Limits(max_requests_per_connection=3)
    async with http.client(http1=False, http2=True, limits=limits) as c:
        answers = await http.gather(*[c.get(f"{url}/{number}") for number in range(6)])
        assert sorted(answer.text for answer in answers) == [f"/{number}" for number in range(6)]
        assert c.statistics == (0, 0, 0)
    assert sorted(ask.connection for ask in site.asked) == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(("field", "connections"), [("timeout=1", 2), ("timeout=60", 1), ("max=1", 1)])
async def test_keep_alive_of_the_server(http: World, field: str, connections: int) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, b"", [("Keep-Alive", field)])))
    async with http.client() as c:
        await c.get(url)
        await http.sleep(0.6 if http.virtual else 0.01)
        await c.get(url)
    if http.virtual:
        assert site.connections == connections
    assert site.connections <= 2


async def test_dead_idle_connections_make_room(http: World) -> None:
    """Noticed where that costs nothing: when another connection is about to be made."""
    dying = http.serve(
        lambda: scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0.01, _close()])()
    )
    other = http.serve(Site(echo))
    async with http.client() as c:
        await c.get(dying)
        await http.sleep(0.05)
        await c.get(other)
        assert c.statistics == (1, 1, 0)


def _close() -> object:
    from tests.peers import CLOSE

    return CLOSE
