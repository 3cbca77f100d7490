"""What a server sends though nobody asked is never the answer to the next request.

It lies in the kernel when that request is about to be written; on event loops, nobody has read it by then. Between the
answer and the next request, the tests here give the loop no chance to run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hyperframe.frame import GoAwayFrame

from examples.new_backend import Backend
from tests.behaviour.world import AnyClient, World
from tests.behaviour.worlds import UVLOOP, AsyncioWorld, BlockingWorld, TrioWorld
from tests.peers import CLOSE, RESET, Answer, Peer, scripted
from tests.peers.http2 import Ask, Http2Site

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
SURPLUS: dict[str, Any] = {
    "a response": FORGED,
    "many of them": FORGED * 20_000,
    "half of one": FORGED[:20],
    "a byte": b"\n",
    "an end": CLOSE,
    "a reset": RESET,
}
REAL: list[partial[Any]] = [
    partial(BlockingWorld, "blocking"),
    partial(AsyncioWorld, "asyncio"),
    *UVLOOP,
    partial(TrioWorld, "trio"),
    partial(BlockingWorld, "selectors", backend=Backend()),
]


@pytest.fixture(params=REAL, ids=[make.args[0] for make in REAL])
def http(request: pytest.FixtureRequest) -> Iterator[World]:
    world = request.param()
    yield world
    world.close()


def counted(factory: Callable[[], Peer]) -> tuple[Callable[[], Peer], list[Peer]]:
    """Return the factory, and what it will have made."""
    made: list[Peer] = []

    def make() -> Peer:
        made.append(factory())
        return made[-1]

    return make, made


def wait_for_surplus(client: AnyClient) -> None:
    """Block, loop and all, until something lies in the kernel of each connection; a lost one counts."""
    pool = client.itself._transport._transmitter.pool
    links = [slot.connection.link for slot in pool._places.slots]
    while not all(link.extra_info("is_readable") for link in links):
        time.sleep(0.001)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", SURPLUS)
async def test_it_is_no_answer(http: World, what: str, tls: bool) -> None:
    factory, made = counted(scripted([WHOLE, 0.002, SURPLUS[what]]))
    url = http.serve(factory, tls=tls)
    async with http.client(verify="test") as client:
        for number in range(1, 4):
            response = await client.post(url, content=b"")  # which is not sent twice
            assert (response.status_code, response.content) == (200, b"ok")
            assert len(made) == number
            wait_for_surplus(client)


@pytest.mark.parametrize(
    "make", [make for make in REAL if make.func is AsyncioWorld], ids=lambda make: make.args[0]
)
def test_a_request_goes_out_before_the_loop_reads_again(make: Callable[[], World]) -> None:
    """Even where the loop would do other things first: else what comes meanwhile would be an answer to it."""
    said: list[bytes] = []

    class Listener(Peer):
        """Tells the test of each request, which is answered only then."""

        def receive_data(self, data: bytes) -> None:
            said.append(data)
            self.channel.call_later(0.002, lambda: self.channel.send(WHOLE))

    def wait_for(number: int) -> None:
        deadline = time.monotonic() + 10
        while len(said) < number:
            assert time.monotonic() < deadline, "the request waits for the loop"
            time.sleep(0.001)

    async def main() -> None:
        async with world.client() as client:
            url = world.serve(Listener)
            await client.get(url)
            loop = asyncio.get_running_loop()
            turn = loop.create_future()

            def begin() -> None:
                turn.set_result(None)
                loop.call_soon(wait_for, 2)  # right behind the step that writes the request

            loop.call_soon(begin)
            await turn
            assert (await client.post(url, content=b"x" * 1000)).content == b"ok"

    world = make()
    try:
        world.run(main)
    finally:
        world.close()


async def test_what_http2_says_meanwhile_is_heard(http: World) -> None:
    """A goodbye, in time: the next request goes elsewhere at once."""
    goodbyes: list[int] = []

    def app(ask: Ask) -> Answer:
        peer = site.peers[-1]

        def leave() -> None:
            peer.tell(GoAwayFrame(0, last_stream_id=ask.stream))
            goodbyes.append(ask.connection)

        peer.channel.call_later(0.002, leave)
        return Answer(200, str(ask.connection).encode())

    site = Http2Site(app)
    url = http.serve(site)
    async with http.client(http1=False, http2=True) as client:
        for number in range(1, 4):
            assert (await client.post(url, content=b"")).text == str(number)
            while len(goodbyes) < number:
                time.sleep(0.001)
            wait_for_surplus(client)
    assert len(site.asked) == 3
