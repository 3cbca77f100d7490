"""Requests that are sent again, unseen by the user: what the server did not look at, and what met a dead connection."""

from __future__ import annotations

from typing import Any

import pytest
from hyperframe.frame import GoAwayFrame

import httpure
from tests.peers import Answer, Call, Peer, Site
from tests.peers.http import HTTPPeer
from tests.peers.http2 import Ask, Http2Site, Reset

from .world import AnyClient, World

REFUSED_STREAM = 7


def client(http: World, **kwargs: Any) -> AnyClient:
    """A client that speaks HTTP/2 without asking."""
    return http.client(http1=False, http2=True, **kwargs)


class TestUnprocessed:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_refused_streams(self, http: World, method: str) -> None:
        def app(ask: Ask) -> Answer | Reset:
            return Reset(REFUSED_STREAM) if len(site.asked) < 4 else Answer(200, ask.body)

        url = http.serve(site := Http2Site(app))
        async with client(http) as c:
            content = b"hello" if method == "POST" else b""
            assert (await c.request(method, url, content=content)).content == content
            assert c.statistics == (1, 1, 0)
        assert [ask.stream for ask in site.asked] == [1, 3, 5, 7]

    async def test_not_for_ever(self, http: World) -> None:
        url = http.serve(site := Http2Site(lambda ask: Reset(REFUSED_STREAM)))
        async with client(http) as c:
            with pytest.raises(httpure.RemoteProtocolError, match="REFUSED_STREAM") as caught:
                await c.get(url)
            assert caught.value.unprocessed
        assert len(site.asked) == 5

    async def test_goaway_below_it(self, http: World) -> None:
        def app(ask: Ask) -> Answer | None:
            if ask.connection == 1 and ask.path == "/late":
                site.peers[0].tell(GoAwayFrame(0, last_stream_id=1))
                return None
            return Answer(200, ask.path.encode() + ask.body)

        url = http.serve(site := Http2Site(app))
        hooked: list[Any] = []
        async with client(http) as c:
            await c.get(url)
            if http.blocking:
                c.itself.event_hooks = {"request": [hooked.append]}
            assert (await c.post(url + "/late", content=b"!")).text == "/late!"
        assert site.connections == 2
        assert len(hooked) == http.blocking, "hooks see the user's request, once"

    async def test_a_body_that_can_be_read_once_is_sent_once(self, http: World) -> None:
        def app(ask: Ask) -> Reset:
            return Reset(REFUSED_STREAM)

        url = http.serve(site := Http2Site(app))
        async with client(http) as c:
            with pytest.raises(httpure.RemoteProtocolError, match="REFUSED_STREAM"):
                await c.post(url, content=http.body([b"a", b"b"]))
        assert len(site.asked) == 1


class Mortal(HTTPPeer):
    """Hangs up at the second request, without a word."""

    def __init__(self, site: Site, number: int) -> None:
        super().__init__(site, number)
        self._heads = 0

    def receive_data(self, data: bytes) -> None:
        self._heads += data.count(b" HTTP/1.1\r\n")
        if self._heads > 1:
            self.channel.close()
        else:
            super().receive_data(data)


class MortalSite(Site):
    def __call__(self) -> HTTPPeer:
        self.connections += 1
        return Mortal(self, self.connections)


def echo(call: Call) -> Answer:
    return Answer(200, call.method.encode() + b" " + call.body)


class TestLostConnections:
    """The server closes an idle connection while the next request is on its way."""

    @pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT", "DELETE"])
    async def test_what_may_be_repeated_is(self, http: World, method: str) -> None:
        url = http.serve(site := MortalSite(echo))
        async with http.client() as c:
            for _ in range(4):
                response = await c.request(method, url, content=b"body" if method == "PUT" else None)
                assert response.text == f"{method} {'body' if method == 'PUT' else ''}"
            assert c.statistics == (1, 1, 0)
        assert site.connections == 4

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    async def test_what_may_not_be_is_not(self, http: World, method: str) -> None:
        url = http.serve(site := MortalSite(echo))
        async with http.client() as c:
            await c.request(method, url, content=b"1")
            with pytest.raises(httpure.TransportError) as caught:
                await c.request(method, url, content=b"2")
            assert caught.value.unanswered
            assert c.statistics == (0, 0, 0)
        assert [call.body for call in site.calls] == [b"1"]

    async def test_with_other_idle_ones_that_are_dead_too(self, http: World) -> None:
        """Once more means on a new connection, not on the next one that has died with the first."""
        url = http.serve(site := MortalSite(lambda call: Answer(200, delay=0.1 * (len(site.calls) < 4))))
        async with http.client(limits=httpure.Limits(max_connections=3)) as c:
            results = await http.gather(*[c.get(url) for _ in range(3)])
            assert [result.status_code for result in results] == [200] * 3
            assert c.statistics == (3, 3, 0)
            for _ in range(5):
                assert (await c.get(url)).status_code == 200
            assert c.statistics.connections <= 3

    async def test_a_new_connection_that_dies_is_an_error(self, http: World) -> None:
        class Dead(Peer):
            def receive_data(self, data: bytes) -> None:
                self.channel.close()

        url = http.serve(Dead)
        async with http.client() as c:
            with pytest.raises(httpure.RemoteProtocolError, match="before its response was there"):
                await c.get(url)

    async def test_once_only(self, http: World) -> None:
        peers: list[Peer] = []

        class Dead(Peer):
            def receive_data(self, data: bytes) -> None:
                self.channel.close()

        def factory() -> Peer:
            peers.append(Dead() if peers else site())
            return peers[-1]

        site = MortalSite(echo)
        url = http.serve(factory)
        async with http.client() as c:
            await c.get(url)
            with pytest.raises(httpure.RemoteProtocolError, match="before its response was there"):
                await c.get(url)
            assert c.statistics == (0, 0, 0)
        assert len(peers) == 2

    async def test_can_be_switched_off(self, http: World) -> None:
        url = http.serve(site := MortalSite(echo))
        async with http.client(transport=http.transport(resend=False)) as c:
            await c.get(url)
            with pytest.raises(httpure.TransportError):
                await c.get(url)
            assert (await c.get(url)).status_code == 200
        assert site.connections == 2

    async def test_not_after_a_timeout(self, http: World) -> None:
        url = http.serve(site := Site(lambda call: Answer(200, delay=0.0 if len(site.calls) == 1 else 60)))
        async with http.client(timeout=0.1) as c:
            await c.get(url)
            with pytest.raises(httpure.ReadTimeout):
                await c.get(url)
        assert len(site.calls) == 2

    async def test_not_when_an_answer_has_begun(self, http: World) -> None:
        class Halting(Mortal):
            def receive_data(self, data: bytes) -> None:
                self._heads += data.count(b" HTTP/1.1\r\n")
                if self._heads > 1:
                    self.channel.send(b"HTTP/1.1 2")
                    self.channel.close()
                else:
                    HTTPPeer.receive_data(self, data)

        site = Site(echo)
        numbers = iter(range(1, 9))
        url = http.serve(lambda: Halting(site, next(numbers)))
        async with http.client() as c:
            await c.get(url)
            with pytest.raises(httpure.RemoteProtocolError):
                await c.get(url)
        assert len(site.calls) == 1

    async def test_is_told_to_who_listens(self, http: World) -> None:
        url = http.serve(MortalSite(echo))
        events: list[tuple[str, Any]] = []

        def trace(name: str, info: dict[str, Any]) -> None:
            events.append((name, info))

        async with http.client() as c:
            await c.get(url)
            await c.get(url, extensions={"trace": trace})
        told = [info for name, info in events if name == "connection.resend"]
        assert len(told) == 1
        assert isinstance(told[0]["exception"], httpure.TransportError)
        assert told[0]["request"].method == "GET"

    async def test_http2(self, http: World) -> None:
        """All requests on a connection that turns out to be dead move to one new connection."""

        class Vanishing(Http2Site):
            def __call__(self) -> Any:
                peer = super().__call__()
                if self.connections == 1:
                    receive = peer.receive_data

                    def vanish(data: bytes) -> None:
                        if self.asked:
                            peer.channel.close()
                        else:
                            receive(data)

                    peer.receive_data = vanish  # type: ignore[method-assign]
                return peer

        url = http.serve(site := Vanishing(lambda ask: Answer(200, ask.path.encode())))
        async with client(http) as c:
            await c.get(url + "/first")
            results = await http.gather(*[c.get(f"{url}/{number}") for number in range(5)])
            assert [str(getattr(result, "text", result)) for result in results] == [f"/{n}" for n in range(5)]
        assert site.connections == 2


class TestMisdirected:
    """421: this connection is not the one for it (RFC 9110 section 15.5.20)."""

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_once_more_on_a_new_connection(self, http: World, method: str) -> None:
        def app(call: Call) -> Answer:
            return Answer(421 if call.connection == 1 and len(site.calls) > 1 else 200, call.body)

        url = http.serve(site := Site(app))
        async with http.client() as c:
            await c.get(url)
            response = await c.request(method, url, content=b"body" if method == "POST" else None)
            assert (response.status_code, response.retries) == (200, 0)
            assert c.statistics.connections == c.statistics.idle
        assert [(call.connection, call.body) for call in site.calls[1:]] == [
            (number, b"body" if method == "POST" else b"") for number in (1, 2)
        ]

    async def test_over_http2_the_others_stay(self, http: World) -> None:
        def app(ask: Ask) -> Answer:
            return Answer(421 if ask.connection == 1 and ask.path == "/late" else 200, ask.path.encode())

        url = http.serve(site := Http2Site(app))
        async with client(http) as c:
            await c.get(url)
            assert (await c.post(url + "/late", content=b"!")).status_code == 200
            assert c.statistics == (2, 2, 0)
        assert site.connections == 2

    async def test_an_answer_on_a_new_connection_is_the_answer(self, http: World) -> None:
        url = http.serve(site := Site(lambda call: Answer(421)))
        async with http.client() as c:
            assert (await c.get(url)).status_code == 421
            assert (await c.get(url)).status_code == 421
        assert site.connections == 2
