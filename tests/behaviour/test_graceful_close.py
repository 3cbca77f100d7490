"""A client that is closed with grace: nobody new, and time for those who are under way."""

from __future__ import annotations

from typing import Any

import pytest

import httpure
from tests.peers import Answer, Call, Site
from tests.peers.http2 import Http2Site

from .world import AnyClient, World, needs


def app(call: Call) -> Answer:
    if call.path == "/redirect":
        return Answer(302, fields=[("Location", "/slow")], delay=0.1)
    if call.path == "/stream":
        return Answer(200, [b"be", b"gun"], pause=0.15)
    return Answer(200, b"done", delay=0.15)


async def under_way(http: World, c: AnyClient) -> None:
    """Wait until a request has its connection, and a moment more."""
    while c.statistics.connections == c.statistics.idle:
        await http.sleep(0.005)
    await http.sleep(0.02)


@pytest.mark.parametrize("path", ["/slow", "/redirect"])
async def test_what_is_under_way_ends(http: World, path: str) -> None:
    url = http.serve(Site(app))
    c = http.client(follow_redirects=True)

    async def close() -> float:
        await under_way(http, c)
        began = http.clock()
        await c.close(grace=2)
        return http.clock() - began

    response, seconds = await http.gather(c.get(url + path), close())
    assert response.text == "done"
    assert seconds < (1 if http.virtual else 10)
    assert seconds > 0.05 or not http.virtual
    assert c.itself.is_closed
    assert c.statistics == (0, 0, 0)


async def test_those_who_wait_in_line_are_served(http: World) -> None:
    url = http.serve(site := Site(app))
    c = http.client(limits=httpure.Limits(max_connections=1))

    async def close() -> Any:
        await under_way(http, c)
        await c.close(grace=2)

    results = await http.gather(c.get(url), c.get(url), close())
    assert [result.text for result in results[:2]] == ["done", "done"]
    assert site.connections == 1


async def test_a_streamed_response_is_read_to_its_end(http: World) -> None:
    url = http.serve(Http2Site(lambda ask: Answer(200, [b"be", b"gun"], pause=0.15)))
    c = http.client(http1=False, http2=True)

    async def read() -> bytes:
        async with c.stream("GET", url) as response:
            return await http.read(response)

    async def close() -> None:
        await under_way(http, c)
        await c.close(grace=2)

    content, _ = await http.gather(read(), close())
    assert content == b"begun"


async def test_nobody_new_is_let_in(http: World) -> None:
    url = http.serve(Site(app))
    transport = http.transport()
    c = http.client(transport=transport)

    async def close() -> None:
        await under_way(http, c)
        await c.close(grace=2)

    async def late() -> None:
        await http.sleep(0.06)
        await c.get(url)

    results = await http.gather(c.get(url), close(), late())
    assert results[0].text == "done"
    assert isinstance(results[2], RuntimeError)
    assert "closed" in str(results[2])


async def test_a_transport_by_itself_refuses_too(http: World) -> None:
    url = http.serve(Site(app))
    transport = http.transport()
    c = http.client(transport=transport)

    async def close() -> None:
        await under_way(http, c)
        closing = transport.close(grace=2) if http.blocking else transport.aclose(grace=2)
        if closing is not None:
            await closing

    async def late() -> None:
        await http.sleep(0.06)
        await c.get(url)

    results = await http.gather(c.get(url), close(), late())
    assert results[0].text == "done"
    assert isinstance(results[2], RuntimeError)


async def test_after_that_time_all_is_closed(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, delay=60)))
    c = http.client(timeout=30)

    async def close() -> float:
        await under_way(http, c)
        began = http.clock()
        await c.close(grace=0.1)
        return http.clock() - began

    error, seconds = await http.gather(c.get(url), close())
    assert isinstance(error, httpure.ReadError)
    assert 0.08 < seconds < (1 if http.virtual else 10)
    assert c.statistics == (0, 0, 0)


async def test_with_nothing_to_wait_for_it_is_closed_at_once(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200)))
    for seconds in (None, 0, 30, float("inf")):
        c = http.client()
        await c.get(url)
        began = http.clock()
        await c.close(grace=seconds)
        await c.close(grace=seconds)
        assert http.clock() - began < (1 if http.virtual else 10)
        assert c.statistics == (0, 0, 0)
    assert site.connections == 4


@pytest.mark.parametrize(("grace", "kind"), [(-1, ValueError), (float("nan"), ValueError), ("1", TypeError)])
async def test_a_wrong_number(http: World, grace: Any, kind: type[Exception]) -> None:
    c = http.client()
    with pytest.raises(kind, match="grace= is"):
        await c.close(grace=grace)
    assert not c.itself.is_closed
    await c.close()


@needs("cancels")
async def test_cancelled_while_it_waits_it_closes_at_once(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, delay=60)))
    c = http.client(timeout=30)

    async def close() -> None:
        await under_way(http, c)
        await c.close(grace=60)

    error, given_up = await http.gather(c.get(url), http.give_up(close(), 0.1))
    assert given_up is True
    assert isinstance(error, httpure.ReadError)
    assert c.statistics == (0, 0, 0)


async def test_several_transports_have_the_time_together(http: World) -> None:
    url, other = http.serve(Site(lambda call: Answer(200, delay=60))), http.serve(Site(app))
    second = http.transport()
    c = http.client(timeout=30, mounts={other + "/": second, "all://unused.test": _NoTransport(http)})

    async def close() -> float:
        await under_way(http, c)
        began = http.clock()
        await c.close(grace=0.3)
        return http.clock() - began

    hung, done, seconds = await http.gather(c.get(url), c.get(other), close())
    assert isinstance(hung, httpure.ReadError)
    assert done.text == "done"
    assert seconds < (0.6 if http.virtual else 10)


def _NoTransport(http: World) -> Any:
    return httpure.MockTransport(lambda request: httpure.Response(200))


async def test_closed_again_without_grace(http: World) -> None:
    """Who has lost patience need not wait for who has some."""
    url = http.serve(Site(lambda call: Answer(200, delay=3600)))
    c = http.client()

    async def close(seconds: float, grace: float | None) -> float:
        await http.sleep(seconds)
        await c.close(grace=grace)
        return http.clock()

    began = http.clock()
    lost, patient, other, impatient = await http.gather(
        c.get(url, timeout=3600), close(0.05, 3600), close(0.1, 3600), close(0.15, None)
    )
    assert isinstance(lost, httpure.ReadError)
    assert other < impatient and max(patient, impatient) - began < (2 if http.virtual else 30)
    assert c.statistics == (0, 0, 0)
