"""`retries=` of transports: again, where no connection could be made; and nothing else is done again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import httpure
from tests.peers import RESET, Answer, Call, ConnectProxy, Peer, Site, scripted, with_tls
from tests.peers.tls import authority

from .world import World, needs


def sound(call: Call) -> Answer:
    return Answer(200, b"sound")


class After:
    """Makes `bad` peers, so many of them, and then good ones."""

    def __init__(self, bad: Callable[[], Peer], number: int, good: Callable[[], Peer]) -> None:
        self.made = 0
        self._bad, self._number, self._good = bad, number, good

    def __call__(self) -> Peer:
        self.made += 1
        return self._bad() if self.made <= self._number else self._good()


rude = scripted([b"no TLS here, at any rate"], at_once=True)


async def test_a_second_go_comes_at_once(http: World) -> None:
    server = After(rude, 1, with_tls(Site(sound)))
    url = f"https://127.0.0.1:{http.listen(server)}"
    transport = http.transport(verify=authority().trusting, retries=1)
    async with http.client(transport=transport) as client:
        before = http.clock()
        assert (await client.get(url)).text == "sound"
        assert http.clock() - before < 0.4 or not http.virtual
    assert server.made == 2


async def test_when_no_go_is_left_the_last_error_is_told(http: World) -> None:
    server = After(rude, 9, Peer)
    url = f"https://127.0.0.1:{http.listen(server)}"
    for retries in (0, 1):
        server.made = 0
        transport = http.transport(verify=authority().trusting, retries=retries)
        async with http.client(transport=transport) as client:
            with pytest.raises(httpure.ConnectError, match="Could not make a TLS connection"):
                await client.get(url)
            assert client.statistics == (0, 0, 0)
        assert server.made == 1 + retries


@needs("virtual")
async def test_a_server_that_starts_late(http: World) -> None:
    network = http.simulation.network  # type: ignore[attr-defined]
    port = http.free_port()

    async def start() -> None:
        await http.sleep(3.4)
        network.listen("127.0.0.1", port, Site(sound))

    async def get() -> str:
        async with http.client(transport=http.transport(retries=4)) as client:
            return str((await client.get(f"http://127.0.0.1:{port}")).text)

    before = http.clock()
    assert await http.gather(start(), get()) == [None, "sound"]
    assert http.clock() - before == pytest.approx(0.5 + 1 + 2, abs=0.1)


@needs("virtual")
async def test_timeouts_are_tried_again(http: World) -> None:
    """Each go has the whole limit."""
    server = After(Peer, 2, with_tls(Site(sound)))
    url = f"https://127.0.0.1:{http.listen(server)}"
    transport = http.transport(verify=authority().trusting, retries=2)
    async with http.client(transport=transport, timeout=httpure.Timeout(5, connect=3)) as client:
        before = http.clock()
        assert (await client.get(url)).text == "sound"
        assert http.clock() - before == pytest.approx(3 + 3 + 0.5, abs=0.1)


@needs("virtual")
async def test_the_total_timeout_ends_them(http: World) -> None:
    transport = http.transport(retries=1000)
    async with http.client(transport=transport, timeout=httpure.Timeout(5, total=10)) as client:
        before = http.clock()
        with pytest.raises(httpure.ConnectError, match="Connection refused"):
            await client.get(f"http://127.0.0.1:{http.free_port()}")
        assert http.clock() - before < 10


@pytest.mark.parametrize("steps", [[RESET], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", RESET]])
async def test_what_was_sent_is_not_sent_again(http: World, steps: list[object]) -> None:
    server = After(scripted(steps), 1, Site(sound))  # type: ignore[arg-type]
    url = http.serve(server)
    async with http.client(transport=http.transport(retries=3)) as client:
        with pytest.raises(httpure.TransportError) as caught:
            await client.post(url, content=b"once")
        assert not isinstance(caught.value, httpure.ConnectError)
    assert server.made == 1


async def test_a_proxy_that_refuses_is_not_asked_again(http: World) -> None:
    proxy = ConnectProxy(answer=b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    transport = http.transport(proxy=http.serve(proxy), retries=3)
    async with http.client(transport=transport) as client:
        with pytest.raises(httpure.ProxyError):
            await client.get("https://localhost")
    assert len(proxy.requests) == 1


@needs("cancels")
async def test_cancelled_in_a_pause(http: World) -> None:
    port = http.free_port()
    async with http.client(transport=http.transport(retries=9)) as client:

        async def get() -> None:
            await client.get(f"http://127.0.0.1:{port}")

        assert await http.give_up(get(), 0.05)
        assert client.statistics == (0, 0, 0)
        assert (await client.get(http.serve(Site(sound)))).text == "sound"
