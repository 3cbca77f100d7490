"""Tests of code that fetches: a scripted server, faults, a clock that costs nothing, and seeds.

python examples/scripted_test.py          or          pytest examples/scripted_test.py
"""

from __future__ import annotations

import asyncio

import pytest

import httpure
from httpure import testing

URL = "https://shop.example"


# The code under test. It knows nothing of the test kit.


async def prices(pens: list[str]) -> dict[str, int]:
    """Ask for all prices at a time; a pen whose price does not come in three goes has none."""
    async with httpure.AsyncClient(base_url=URL, timeout=2, http2=True) as client:

        async def price(pen: str) -> int | None:
            for attempt in range(3):
                try:
                    response = await client.get(f"/price/{pen}")
                    return int(response.json()["price"])
                except (httpure.TransportError, KeyError):
                    await asyncio.sleep(2.0**attempt)
            return None

        found = await asyncio.gather(*[price(pen) for pen in pens])
    return {pen: known for pen, known in zip(pens, found, strict=True) if known is not None}


# The tests.


def test_a_reset_is_survived() -> None:
    """The connection breaks in the middle of an answer; the next go succeeds, a second later."""
    with testing.world() as world:
        server = world.serve(URL)
        server.answer(testing.reset(after=100))
        server.answer(200, json={"price": 3})
        assert world.run(prices, ["blue"]) == {"blue": 3}
        assert [request.url.path for request in server.requests] == ["/price/blue"] * 2
        assert world.now == 1.0


def test_whoever_is_silent_is_given_up() -> None:
    """Three read timeouts of 2 s, and pauses of 1, 2 and 4 s."""
    with testing.world() as world:
        server = world.serve(URL)
        server.answer(testing.stall(), times=3)
        assert world.run(prices, ["blue"]) == {}
        assert world.now == 13.0


@pytest.mark.parametrize("seed", testing.seeds(25))
def test_nothing_is_mixed_up(seed: int) -> None:
    """A rough network, servers in a mood, both versions of HTTP: each pen has its own price, or none."""

    def moody(request: testing.Received) -> testing.Answer:
        fault = world.random.choice([None, None, testing.reset(50), testing.close(80), testing.stall(20)])
        number = int(request.url.path.rpartition("/")[2])
        return testing.Answer(200, json={"price": number}, fault=fault, split="random")

    with testing.world(seed, network=testing.Conditions(delay=(0.0, 0.3), split=0.5)) as world:
        world.serve(URL, http2=world.random.random() < 0.5).otherwise(moody)
        found = world.run(prices, [str(number) for number in range(8)])
        assert all(pen == str(price) for pen, price in found.items())


if __name__ == "__main__":
    test_a_reset_is_survived()
    test_whoever_is_silent_is_given_up()
    for seed in testing.seeds(25):
        test_nothing_is_mixed_up(seed)
    print("a reset survived, silence given up, 25 seeds without a mistake")
