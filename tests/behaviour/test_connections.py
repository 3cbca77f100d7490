"""Connections are used again where that is right, never where it is wrong, and no slot of the pool is lost."""

from __future__ import annotations

from contextlib import aclosing

import pytest

import httpure
from tests.peers import CLOSE, RESET, Answer, Site, dripping, scripted

from .world import World, needs

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def hello(call: object) -> Answer:
    return Answer(200, b"hello")


async def test_keep_alive(http: World) -> None:
    url = http.serve(site := Site(hello))
    async with http.client() as client:
        for _ in range(5):
            assert (await client.get(url)).content == b"hello"
        assert client.statistics == (1, 1, 0)
    assert site.connections == 1
    assert client.statistics == (0, 0, 0)


async def test_connection_close_of_the_server(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, b"hello", close=True)))
    async with http.client() as client:
        for _ in range(3):
            await client.get(url)
            assert client.statistics.connections == 0
    assert site.connections == 3


async def test_connection_close_of_the_client(http: World) -> None:
    url = http.serve(site := Site(hello))
    async with http.client() as client:
        for _ in range(2):
            await client.get(url, headers={"Connection": "close"})
            assert client.statistics.connections == 0
    assert site.connections == 2


async def test_http_1_0_is_not_kept(http: World) -> None:
    url = http.serve(scripted([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"]))
    async with http.client() as client:
        assert (await client.get(url)).content == b"ok"
        assert client.statistics.connections == 0


@needs("blocking")
async def test_module_functions_do_not_keep(http: World) -> None:
    url = http.serve(site := Site(hello))
    assert [httpure.get(url).text for _ in range(2)] == ["hello"] * 2
    assert site.connections == 2


async def test_connection_that_went_stale(http: World) -> None:
    url = http.serve(scripted([WHOLE, 0.01, CLOSE]))
    async with http.client() as client:
        for _ in range(3):
            assert (await client.get(url)).content == b"ok"
            await http.sleep(0.05)


async def test_connection_that_was_reset_while_idle(http: World) -> None:
    url = http.serve(scripted([WHOLE, 0.01, RESET]))
    async with http.client() as client:
        for _ in range(3):
            assert (await client.post(url)).content == b"ok"
            await http.sleep(0.05)


async def test_bytes_after_a_response_are_no_response(http: World) -> None:
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    url = http.serve(scripted([WHOLE + forged]))
    late = http.serve(scripted([WHOLE, 0.01, forged]))
    async with http.client() as client:
        for where in (url, late):
            for _ in range(2):
                assert (await client.get(where)).content == b"ok"
                await http.sleep(0.04)


async def test_expiry_of_idle_connections(http: World) -> None:
    url = http.serve(site := Site(hello))
    async with http.client(limits=httpure.Limits(keepalive_expiry=0.02)) as client:
        await client.get(url)
        await http.sleep(0.05)
        await client.get(url)
    assert site.connections == 2


async def test_no_idle_connections(http: World) -> None:
    url = http.serve(site := Site(hello))
    async with http.client(limits=httpure.Limits(max_keepalive_connections=0)) as client:
        await client.get(url)
        assert client.statistics.connections == 0
        await client.get(url)
    assert site.connections == 2


async def test_one_connection_serves_many_in_turn(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, call.target.encode())))
    async with http.client(limits=httpure.Limits(max_connections=1)) as client:
        answers = await http.gather(*[client.get(f"{url}/{number}") for number in range(20)])
    assert [answer.text for answer in answers] == [f"/{number}" for number in range(20)]
    assert site.connections == 1


async def test_fifty_requests_on_five_connections(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, call.body, delay=0.002, chunked=True)))
    async with http.client(limits=httpure.Limits(max_connections=5)) as client:
        posts = [client.post(url, content=b"%d" % number * 500) for number in range(50)]
        answers = await http.gather(*posts)
        assert [answer.content for answer in answers] == [b"%d" % number * 500 for number in range(50)]
        assert client.statistics.connections == client.statistics.idle <= 5
    assert site.connections <= 5


async def test_two_servers_share_the_pool(http: World) -> None:
    first, second = http.serve(one := Site(hello)), http.serve(two := Site(hello))
    async with http.client(limits=httpure.Limits(max_connections=1)) as client:
        for _ in range(3):
            await client.get(first)
            await client.get(second)
    assert (one.connections, two.connections) == (3, 3)


async def test_leaving_a_stream_early_gives_the_slot_back(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, [b"x" * 1000] * 100, chunked=True, pause=0.01)))
    limits = httpure.Limits(max_connections=1)
    async with http.client(limits=limits, timeout=httpure.Timeout(5, pool=0.5)) as client:
        for _ in range(3):
            async with client.stream("GET", url) as response, aclosing(http.pieces(response)) as pieces:
                async for _ in pieces:
                    break
            assert client.statistics.connections == 0
    assert site.connections == 3


async def test_dropping_a_stream_gives_the_slot_back(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, [b"x" * 1000] * 100, chunked=True, pause=0.01)))
    limits = httpure.Limits(max_connections=1)
    async with http.client(limits=limits, timeout=httpure.Timeout(5, pool=0.5)) as client:
        for _ in range(3):
            request = client.itself.build_request("GET", url)
            response = await client.send(request, stream=True)
            assert response.status_code == 200
            del response
    assert site.connections == 3


async def test_reading_a_stream_to_its_end_keeps_the_connection(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, [b"x" * 1000] * 10, chunked=True)))
    async with http.client() as client:
        for _ in range(3):
            async with client.stream("GET", url) as response:
                await http.read(response)
    assert site.connections == 1


async def test_a_failing_reader_gives_the_slot_back(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"x"] * 100, chunked=True, pause=0.01)))
    async with http.client() as client:
        with pytest.raises(ZeroDivisionError):
            async with client.stream("GET", url):
                raise ZeroDivisionError
        assert client.statistics.connections == 0


@needs("cancels")
@pytest.mark.parametrize("seconds", [0.0, 0.005, 0.02])
async def test_cancelled_requests_give_their_slots_back(http: World, seconds: float) -> None:
    slow = http.serve(Site(lambda call: Answer(200, [b"x"] * 1000, chunked=True, delay=0.01, pause=0.01)))
    fast = http.serve(Site(hello))
    limits = httpure.Limits(max_connections=2)
    async with http.client(limits=limits, timeout=httpure.Timeout(5, pool=0.5)) as client:
        for _ in range(4):
            given_up = await http.gather(*[http.give_up(client.get(slow), seconds) for _ in range(4)])
            assert given_up == [True] * 4
            assert client.statistics.connections == 0
        answers = await http.gather(*[client.get(fast) for _ in range(4)])
        assert [answer.text for answer in answers] == ["hello"] * 4


async def test_closing_the_client_ends_what_is_under_way(http: World) -> None:
    url = http.serve(scripted())
    client = http.client(timeout=2)

    async def close_soon() -> None:
        await http.sleep(0.05)
        await client.close()

    began = http.clock()
    async with client:
        results = await http.gather(client.get(url), client.get(url), close_soon())
    assert [type(result) for result in results[:2]] == [httpure.ReadError] * 2
    assert http.clock() - began < 1


async def test_closing_the_client_refuses_those_who_wait(http: World) -> None:
    url = http.serve(scripted())
    client = http.client(timeout=2, limits=httpure.Limits(max_connections=1))

    async def wait() -> None:
        await http.sleep(0.02)
        await client.get(url)

    async def close_soon() -> None:
        await http.sleep(0.05)
        await client.close()

    async with client:
        results = await http.gather(client.get(url), wait(), close_soon())
    assert isinstance(results[0], httpure.ReadError)
    assert isinstance(results[1], RuntimeError)
    assert "closed" in str(results[1])


async def test_a_closed_client_sends_nothing(http: World) -> None:
    url = http.serve(site := Site(hello))
    client = http.client()
    await client.close()
    with pytest.raises(RuntimeError, match="closed"):
        await client.get(url)
    assert site.connections == 0


async def test_tls(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, [call.body, b"x" * 100_000])), tls=True)
    async with http.client(verify="test") as client:
        for _ in range(3):
            response = await client.post(url, content=b"y" * 300_000)
            assert response.content == b"y" * 300_000 + b"x" * 100_000
    assert site.connections == 1


async def test_tls_response_in_drips(http: World) -> None:
    url = http.serve(scripted(dripping(WHOLE, 7, 0.001)), tls=True)
    async with http.client(verify="test") as client:
        for _ in range(2):
            assert (await client.get(url)).content == b"ok"
