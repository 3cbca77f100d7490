"""Bodies that come in many arrivals, and are wanted whole: received in place where that can be done."""

from __future__ import annotations

import pytest

import httpure
from tests.peers import CLOSE, Answer, Call, Site, scripted

from .world import World, needs

BODY = bytes(range(256)) * 2400
PIECES = [BODY[:100], BODY[100:70_000], BODY[70_000:70_001], BODY[70_001:500_000], BODY[500_000:]]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
async def test_whole(http: World, chunked: bool, tls: bool) -> None:
    url = http.serve(Site(lambda call: Answer(200, PIECES, chunked=chunked)), tls=tls)
    async with http.client(verify="test") as client:
        for _ in range(2):
            assert (await client.get(url)).content == BODY
            async with client.stream("GET", url) as response:
                assert b"".join([piece async for piece in http.pieces(response)]) == BODY
        assert client.statistics == (1, 1, 0)


async def test_many_at_a_time(http: World) -> None:
    """What is received for one never gets into another, wherever it is received."""

    def answer(call: Call) -> Answer:
        letter = call.target.encode()[-1:]
        return Answer(200, [letter * 90_000] * 3)

    url = http.serve(Site(answer))
    async with http.client() as client:
        letters = "abcdefgh"

        async def fetch(letter: str) -> bytes:
            return (await client.get(f"{url}/{letter}")).content  # type: ignore[no-any-return]

        contents = await http.gather(*map(fetch, letters))
        assert contents == [letter.encode() * 270_000 for letter in letters]


async def test_what_stands_behind_the_body_is_not_swallowed(http: World) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    last = BODY[-10:] + b"HTTP/1.1 200 Unsolicited\r\n\r\n"
    url = http.serve(scripted([head + BODY[:50_000], BODY[50_000:-10], 0.02, last]))
    async with http.client() as client:
        for _ in range(2):
            response = await client.get(url)
            assert (response.content, response.reason_phrase) == (BODY, "OK")


async def test_cut_short(http: World) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    url = http.serve(scripted([head + BODY[:50_000], BODY[50_000:-1], CLOSE]))
    async with http.client() as client:
        with pytest.raises(httpure.RemoteProtocolError, match=f"{len(BODY) - 1} of {len(BODY)} bytes"):
            await client.get(url)
        assert client.statistics.connections == 0


@needs("cancels")
async def test_given_up_in_the_middle(http: World) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    stuck = http.serve(scripted([head + BODY[:300_000]]))
    url = http.serve(Site(lambda call: Answer(200, PIECES)))
    async with http.client() as client:

        async def fetch() -> None:
            await client.get(stuck)

        assert await http.give_up(fetch(), 0.05)
        assert client.statistics.connections == 0
        assert (await client.get(url)).content == BODY
