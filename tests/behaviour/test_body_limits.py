"""How much of a body is taken: `Limits(max_body=...)` and its kin, and `Timeout(min_rate=...)`, on every backend."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

import httpure
from tests.peers import Answer, Site, dripping, scripted
from tests.peers.http2 import Http2Site

from .world import World, needs

FIVE = httpure.Limits(max_body=5)
GZIP = [("Content-Encoding", "gzip")]


@pytest.mark.parametrize("chunked", [False, True])
async def test_max_body(http: World, chunked: bool) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"hel", b"lo!"], chunked=chunked)))
    async with http.client(limits=FIVE) as client:
        with pytest.raises(
            httpure.BodyTooLarge, match=r"more than 5 bytes \(max_body\).*, GET http://"
        ) as caught:
            await client.get(url)
        assert caught.value.limit == "max_body"
        for how in ("iter_raw", "iter_bytes", "iter_text", "iter_lines"):
            async with client.stream("GET", url) as response:
                with pytest.raises(httpure.BodyTooLarge):
                    async for _ in http.pieces(response, how):
                        pass
                assert response.is_closed
        assert client.statistics.connections == client.statistics.idle
        assert len((await client.get(url, extensions={"limits": httpure.Limits(max_body=6)})).content) == 6


async def test_max_body_of_what_is_decoded(http: World) -> None:
    body = gzip.compress(bytes(100_000))
    url = http.serve(Site(lambda call: Answer(200, body, GZIP)))
    for most in (100_000, 99_999):
        async with http.client(limits=httpure.Limits(max_body=most)) as client:
            if most == 100_000:
                assert len((await client.get(url)).content) == most
            else:
                with pytest.raises(httpure.BodyTooLarge):
                    await client.get(url)


async def test_max_body_of_a_transport_that_answers_by_itself(http: World) -> None:
    transport = httpure.MockTransport(lambda request: httpure.Response(200, content=b"hello!"))
    async with http.client(transport=transport, limits=FIVE) as client:
        with pytest.raises(httpure.BodyTooLarge):
            await client.get("http://example.org/")


@needs("cancels")
async def test_max_body_of_an_app(http: World) -> None:
    """Over ASGI; it is told that nobody listens any more."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"hel", b"lo!"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.append(True)

    if http.virtual:
        pytest.skip("the ASGI transport needs an event loop of asyncio or trio")
    gone: list[bool] = []
    async with http.client(transport=httpure.ASGITransport(app), limits=FIVE) as client:
        with pytest.raises(httpure.BodyTooLarge, match="more than 5 bytes"):
            await client.get("http://example.org/")
        async with client.stream("GET", "http://example.org/") as response:
            with pytest.raises(httpure.BodyTooLarge):
                await http.read(response)
    assert gone


def test_max_body_over_wsgi() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"hel", b"lo!"]

    with httpure.Client(transport=httpure.WSGITransport(app), limits=FIVE) as client:
        with pytest.raises(httpure.BodyTooLarge, match="more than 5 bytes"):
            client.get("http://example.org/")


async def test_max_body_of_a_redirect_does_not_matter(http: World) -> None:
    def site(call: Any) -> Answer:
        return (
            Answer(200, b"ok")
            if call.target == "/there"
            else Answer(302, b"hello!", [("Location", "/there")])
        )

    async with http.client(limits=FIVE, follow_redirects=True) as client:
        response = await client.get(http.serve(Site(site)))
        assert (response.content, response.history[0].content) == (b"ok", b"")


async def test_max_expansion(http: World) -> None:
    body = gzip.compress(bytes(100_000))
    url = http.serve(Site(lambda call: Answer(200, body, GZIP)))
    async with http.client(limits=httpure.Limits(free_expansion=50_000)) as client:
        with pytest.raises(httpure.BodyTooLarge) as caught:
            await client.get(url)
        assert caught.value.limit == "max_expansion"
        async with client.stream("GET", url) as response:
            assert sum([len(piece) async for piece in http.pieces(response)]) == 100_000


class Endless(httpure.Auth):
    def auth_flow(self, request: httpure.Request) -> Any:
        while True:
            yield request


async def test_max_auth_rounds(http: World) -> None:
    calls = []
    url = http.serve(Site(lambda call: calls.append(call) or Answer(200)))  # type: ignore[func-returns-value]
    async with http.client(max_auth_rounds=3) as client:
        with pytest.raises(
            httpure.LimitExceeded, match=r"Endless has made 3 requests.* \(max_auth_rounds\)"
        ) as caught:
            await client.get(url, auth=Endless())
        assert (caught.value.limit, len(calls)) == ("max_auth_rounds", 3)
        assert client.statistics.idle == 1


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
RATE = httpure.Timeout(5.0, min_rate=10, rate_window=4.0)


@needs("virtual")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("pause", "slow"), [(0.9, True), (0.4, False)])
async def test_min_rate(http: World, stream: bool, pause: float, slow: bool) -> None:
    """A body of 1,000 bytes, of which 5 come at a time."""
    url = http.serve(scripted([HEAD, *dripping(b"x" * 1000, 5, pause)]))
    async with http.client(timeout=RATE) as client:
        began = http.clock()
        sending = client.itself.build_request("GET", url)
        try:
            response = await client.send(sending, stream=stream)
            await http.read(response)
        except httpure.ReadTimeout as exc:
            assert slow, exc
            assert "came too slowly" in str(exc)
            assert "at least 10 per second must come (min_rate), GET http://" in str(exc)
            assert http.clock() - began < 9
        else:
            assert not slow
            assert len(response.content) == 1000


async def test_max_body_of_http2(http: World) -> None:
    url = http.serve(Http2Site(lambda ask: Answer(200, [b"hel", b"lo!"], chunked=ask.path == "/untold")))
    async with http.client(http1=False, http2=True, limits=FIVE) as client:
        for path in ("/", "/untold"):
            with pytest.raises(httpure.BodyTooLarge, match="more than 5 bytes"):
                await client.get(url + path)
        assert client.statistics.connections == 1, "it is the stream that is given up"


@needs("virtual")
@pytest.mark.parametrize(("pause", "slow"), [(0.9, True), (0.4, False)])
async def test_min_rate_of_http2(http: World, pause: float, slow: bool) -> None:
    url = http.serve(Http2Site(lambda ask: Answer(200, [b"x" * 5] * 20, pause=pause)))
    async with http.client(http1=False, http2=True, timeout=RATE) as client:
        if slow:
            with pytest.raises(httpure.ReadTimeout, match=r"at least 10 per second must come \(min_rate\)"):
                await client.get(url)
        else:
            assert len((await client.get(url)).content) == 100


async def test_min_rate_is_no_matter_to_who_is_fast(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"x" * 1000] * 5, chunked=True)))
    async with http.client(timeout=RATE) as client:
        assert len((await client.get(url)).content) == 5000
        async with client.stream("GET", url) as response:
            assert len(await http.read(response)) == 5000
