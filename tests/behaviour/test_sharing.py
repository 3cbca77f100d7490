"""One HTTP/2 connection carries many requests at a time; who dials it, who waits for that, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

import httpure
from tests.peers import Answer, Site, scripted
from tests.peers.http2 import Ask, Http2Site, over_tls

from .world import AnyClient, World, needs

STREAMS = SettingCodes.MAX_CONCURRENT_STREAMS


def client(http: World, **kwargs: Any) -> AnyClient:
    """A client that speaks HTTP/2 without asking."""
    return http.client(http1=False, http2=True, **kwargs)


class Crowd:
    """Answers with the path, after a while, and remembers how many were being answered at a time on a connection."""

    def __init__(self, http: World, delay: float = 0.05) -> None:
        self._clock: Callable[[], float] = http.clock
        self._delay = delay
        self._ends: dict[int, list[float]] = {}
        self.most = 0

    def __call__(self, ask: Ask) -> Answer:
        now = self._clock()
        if ask.path.startswith("/slow"):
            ends = [end for end in self._ends.get(ask.connection, []) if end > now]
            self._ends[ask.connection] = [*ends, now + self._delay]
            self.most = max(self.most, len(ends) + 1)
            return Answer(200, ask.path.encode(), delay=self._delay)
        return Answer(200, ask.path.encode())


@pytest.mark.parametrize("way", ["prior knowledge", "ALPN"])
async def test_twenty_requests_one_connection(http: World, way: str) -> None:
    site = Http2Site(Crowd(http))
    if way == "ALPN":
        url = f"https://127.0.0.1:{http.listen(over_tls(site))}"
        c = http.client(http2=True, verify="test")
    else:
        url, c = http.serve(site), client(http)
    async with c:
        answers = await http.gather(*[c.get(f"{url}/slow/{number}") for number in range(20)])
        assert [answer.text for answer in answers] == [f"/slow/{number}" for number in range(20)]
        assert c.statistics == (1, 1, 0)
        assert c.statistics.requests == 0
    assert site.connections == 1


async def test_statistics_tell_of_all_that_share(http: World) -> None:
    url = http.serve(Http2Site(lambda ask: Answer(200, [b"be", b"gun"], pause=0.05)))
    async with client(http) as c, c.stream("GET", url), c.stream("GET", url):
        assert c.statistics == (1, 0, 0)
        assert c.statistics.requests == 2
        assert c.itself._transport.statistics_by_origin() == {url: (1, 0, 0)}
        assert c.itself._transport.statistics_by_origin()[url].requests == 2


async def test_a_server_without_http2_gets_a_connection_for_each(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, call.target.encode(), delay=0.1)), tls=True)
    async with http.client(http2=True, verify="test") as c:
        for _ in range(2):
            answers = await http.gather(*[c.get(f"{url}/{number}") for number in range(4)])
            assert [answer.text for answer in answers] == [f"/{number}" for number in range(4)]
    assert site.connections == 4


class TestLimitOfStreams:
    async def test_a_further_connection_when_it_is_used_up(self, http: World) -> None:
        url = http.serve(site := Http2Site(crowd := Crowd(http), settings={STREAMS: 3}))
        async with client(http) as c:
            await c.get(url)  # the settings have come with it
            answers = await http.gather(*[c.get(f"{url}/slow/{number}") for number in range(6)])
            assert all(answer.status_code == 200 for answer in answers)
        assert crowd.most == 3
        assert site.connections == 2

    async def test_who_cannot_have_a_connection_waits_for_a_stream(self, http: World) -> None:
        url = http.serve(site := Http2Site(crowd := Crowd(http, 0.02), settings={STREAMS: 3}))
        async with client(http, limits=httpure.Limits(max_connections=1)) as c:
            await c.get(url)
            answers = await http.gather(*[c.get(f"{url}/slow/{number}") for number in range(10)])
            assert all(answer.status_code == 200 for answer in answers)
            assert c.statistics == (1, 1, 0)
        assert crowd.most == 3
        assert site.connections == 1

    async def test_lowered(self, http: World) -> None:
        url = http.serve(site := Http2Site(crowd := Crowd(http, 0.02)))
        async with client(http, limits=httpure.Limits(max_connections=1)) as c:
            await c.get(url)
            site.peers[0].channel.call_later(0, lambda: site.peers[0].update_settings({STREAMS: 2}))
            await http.sleep(0.05)
            await c.get(url)
            answers = await http.gather(*[c.get(f"{url}/slow/{number}") for number in range(6)])
            assert all(answer.status_code == 200 for answer in answers)
        assert crowd.most == 2
        assert site.connections == 1

    async def test_raised_while_somebody_waits(self, http: World) -> None:
        """The one who reads for all brings the news, and who waits in the pool goes on before anybody is done."""

        def app(ask: Ask) -> Answer:
            if ask.path == "/long":
                raising = {STREAMS: 5}
                site.peers[0].channel.call_later(0.1, lambda: site.peers[0].update_settings(raising))
                return Answer(200, [b"be", b"gun"], pause=1.0)
            return Answer(200, b"short")

        url = http.serve(site := Http2Site(app, settings={STREAMS: 1}))
        ends: dict[str, float] = {}

        async def get(path: str, pause: float) -> None:
            await http.sleep(pause)
            await c.get(url + path)
            ends[path] = http.clock()

        async with client(http, limits=httpure.Limits(max_connections=1)) as c:
            await c.get(url)
            assert await http.gather(get("/long", 0), get("/short", 0.05)) == [None, None]
        assert ends["/short"] < ends["/long"]
        assert site.connections == 1


class TestDialling:
    async def test_that_fails_is_tried_by_each(self, http: World) -> None:
        url = f"http://127.0.0.1:{http.free_port()}"
        async with client(http) as c:
            results = await http.gather(*[c.get(f"{url}/{number}") for number in range(4)])
            assert [type(result) for result in results] == [httpure.ConnectError] * 4
            assert sorted(result.request.url.path for result in results) == [f"/{n}" for n in range(4)]
            assert c.statistics == (0, 0, 0)

    async def test_that_others_wait_for_takes_no_longer_than_they_allow(self, http: World) -> None:
        url = f"https://127.0.0.1:{http.listen(scripted())}"

        async def later() -> Any:
            await http.sleep(0.05)
            return await c.get(url, timeout=httpure.Timeout(None, connect=0.1))

        async with http.client(http2=True, verify="test") as c:
            first = c.get(url, timeout=httpure.Timeout(None, connect=0.5))
            results = await http.gather(first, later())
        assert [type(result) for result in results] == [httpure.ConnectTimeout] * 2
        assert "because another request, whose connection this one was to share" in str(results[1])
        assert "within 0.1 s (the connect timeout)" in str(results[1])

    @needs("cancels")
    async def test_that_is_given_up_is_done_by_the_next(self, http: World) -> None:
        site = Http2Site(lambda ask: Answer(200, ask.path.encode()))
        peers = iter([scripted(), over_tls(site)])  # the first one never shakes hands
        url = f"https://127.0.0.1:{http.listen(lambda: next(peers)())}"

        async def later(number: int) -> Any:
            await http.sleep(0.02)
            return await c.get(f"{url}/{number}")

        async with http.client(http2=True, verify="test") as c:
            results = await http.gather(
                http.give_up(c.get(url), 0.1), *[later(number) for number in range(3)]
            )
            assert [result.text for result in results[1:]] == ["/0", "/1", "/2"]
        assert site.connections == 1


@needs("cancels")
async def test_one_that_is_cancelled_leaves_the_others_alone(http: World) -> None:
    url = http.serve(site := Http2Site(Crowd(http, 0.1)))
    async with client(http) as c:
        await c.get(url)
        given_up = http.give_up(c.get(url + "/slow"), 0.05)
        others = [c.get(f"{url}/slow/{number}") for number in range(3)]
        results = await http.gather(given_up, *others)
        assert results[0] is True
        assert [result.status_code for result in results[1:]] == [200] * 3
        assert c.statistics == (1, 1, 0)
    assert site.connections == 1


async def test_goodbye_lets_the_others_end_and_sends_the_next_elsewhere(http: World) -> None:
    crowd = Crowd(http, 0.1)

    def app(ask: Ask) -> Answer:
        if ask.path == "/slow/0":
            goodbye = GoAwayFrame(0, last_stream_id=2**31 - 1)
            site.peers[0].channel.call_later(0.02, lambda: site.peers[0].tell(goodbye))
        return crowd(ask)

    async def next_one() -> Any:
        await http.sleep(0.06)
        return await c.get(url + "/next")

    url = http.serve(site := Http2Site(app))
    async with client(http) as c:
        await c.get(url)
        slow = [c.get(f"{url}/slow/{number}") for number in range(3)]
        results = await http.gather(*slow, next_one())
        assert [result.text for result in results] == ["/slow/0", "/slow/1", "/slow/2", "/next"]
        assert c.statistics == (1, 1, 0)
    assert [ask.connection for ask in site.asked] == [1, 1, 1, 1, 2]
