"""HTTP/2, on every backend: what one sees of it, flow control, endings, and the connection that is used again."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame, PingFrame, SettingsFrame

import httpure
from tests.peers import CLOSE, Answer, Site, scripted
from tests.peers.http2 import Ask, Http2Site, Reset, over_tls

from .world import AnyClient, World, needs

MIB = 1024 * 1024


def hello(ask: object) -> Answer:
    return Answer(200, b"hello")


def client(http: World, **kwargs: Any) -> AnyClient:
    """A client that speaks HTTP/2 without asking."""
    return http.client(http1=False, http2=True, **kwargs)


async def test_get(http: World) -> None:
    url = http.serve(site := Http2Site(hello))
    async with client(http) as c:
        response = await c.get(url + "/path?query=1", headers={"X-Own": "1", "Connection": "keep-alive"})
    assert (response.status_code, response.content) == (200, b"hello")
    assert (response.http_version, response.reason_phrase) == ("HTTP/2", "OK")
    assert response.extensions["http_version"] == b"HTTP/2"
    assert response.extensions["stream_id"] == 1
    (ask,) = site.asked
    assert (ask.method, ask.path, ask.field("x-own"), ask.field("connection")) == ("GET", "/path", "1", None)
    assert (ask.field(":scheme"), ask.field(":authority")) == ("http", url.removeprefix("http://"))
    assert site.closed <= 1


async def test_over_tls(http: World) -> None:
    site = Http2Site(hello)
    url = f"https://127.0.0.1:{http.listen(over_tls(site))}"
    async with http.client(http2=True, verify="test") as c:
        for _ in range(3):
            response = await c.get(url)
            assert (response.http_version, response.content) == ("HTTP/2", b"hello")
    assert site.connections == 1
    assert site.asked[0].field(":scheme") == "https"


async def test_a_server_without_it(http: World) -> None:
    url = http.serve(Site(hello), tls=True)
    async with http.client(http2=True, verify="test") as c:
        response = await c.get(url)
    assert (response.http_version, response.content) == ("HTTP/1.1", b"hello")
    assert "stream_id" not in response.extensions


async def test_without_tls_it_is_not_guessed(http: World) -> None:
    url = http.serve(Site(hello))
    async with http.client(http2=True) as c:
        assert (await c.get(url)).http_version == "HTTP/1.1"


async def test_the_connection_is_used_again(http: World) -> None:
    url = http.serve(site := Http2Site(hello))
    async with client(http) as c:
        numbers = [(await c.get(url)).extensions["stream_id"] for _ in range(20)]
        assert c.statistics == (1, 1, 0)
    assert numbers == [*range(1, 41, 2)]
    assert site.connections == 1


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 300_000, 2 * MIB])
async def test_post(http: World, size: int) -> None:
    url = http.serve(site := Http2Site(lambda ask: Answer(200, b"%d" % len(ask.body))))
    async with client(http) as c:
        assert (await c.post(url, content=b"x" * size)).content == b"%d" % size
    assert site.asked[0].field("content-length") == str(size)
    assert site.asked[0].body == b"x" * size


async def test_post_piece_by_piece(http: World) -> None:
    url = http.serve(site := Http2Site(hello))
    pieces = [b"a" * 10, b"b" * 100_000, b"c" * 100_000]
    async with client(http) as c:
        await c.post(url, content=http.body(pieces))
    (ask,) = site.asked
    assert ask.body == b"".join(pieces)
    assert (ask.field("transfer-encoding"), ask.field("content-length")) == (None, None)


async def test_download(http: World) -> None:
    body = b"0123456789abcdef" * (3 * MIB // 16)
    url = http.serve(Http2Site(lambda ask: Answer(200, body)))
    async with client(http) as c:
        assert (await c.get(url)).content == body
        assert (await c.get(url)).content == body


@pytest.mark.slow
async def test_downloads_that_are_begun_together_and_read_one_by_one(http: World) -> None:
    """20 of 2 MiB, and meanwhile a small request: what nobody reads yet stops none of the others."""
    body = b"0123456789abcdef" * (2 * MIB // 16)
    url = http.serve(site := Http2Site(lambda ask: Answer(200, b"hello" if ask.path == "/small" else body)))
    async with client(http) as c:
        responses = [await c.send(c.itself.build_request("GET", url), stream=True) for _ in range(20)]
        assert (await c.get(url + "/small")).content == b"hello"
        for response in responses:
            assert await http.read(response) == body
    assert site.connections == 1


async def test_download_piece_by_piece(http: World) -> None:
    body = b"0123456789abcdef" * (3 * MIB // 16)
    url = http.serve(site := Http2Site(lambda ask: Answer(200, body)))
    async with client(http) as c:
        async with c.stream("GET", url) as response:
            received = [piece async for piece in http.pieces(response, "iter_bytes", 1000)]
        assert b"".join(received) == body
        assert c.statistics == (1, 1, 0)
    assert site.resets == []


async def test_head_and_bodiless_answers(http: World) -> None:
    def app(ask: Ask) -> Answer:
        answer = Answer(304 if ask.method == "GET" else 200)
        answer.fields = [("Content-Length", "12345")]
        return answer

    url = http.serve(site := Http2Site(app))
    async with client(http) as c:
        assert (await c.head(url)).headers["content-length"] == "12345"
        assert (await c.get(url)).status_code == 304
    assert site.connections == 1


async def test_informational_and_trailers(http: World) -> None:
    answer = Answer(200, b"hello", informational=[100, 103], trailers=[("X-Last", "1")])
    url = http.serve(Http2Site(lambda ask: answer))
    async with client(http) as c:
        assert (await c.get(url)).content == b"hello"
        assert (await c.get(url)).content == b"hello"


class TestUploads:
    async def test_waits_for_the_servers_windows(self, http: World) -> None:
        site = Http2Site(hello, settings={SettingCodes.INITIAL_WINDOW_SIZE: 1000})
        url = http.serve(site)
        async with client(http) as c:
            await c.get(
                url
            )  # before the server's settings have come, its windows are as large as they always are
            await c.post(url, content=b"x" * 20_000)
        assert site.asked[1].body == b"x" * 20_000

    async def test_a_server_that_takes_nothing(self, http: World) -> None:
        def at_head(ask: Ask) -> None:
            site.peers[-1].ping()

        settings = {SettingCodes.INITIAL_WINDOW_SIZE: 1000}
        url = http.serve(site := Http2Site(hello, at_head, settings, reads=False))
        async with client(http, timeout=httpure.Timeout(5, write=0.1)) as c:
            await c.get(url)
            with pytest.raises(httpure.WriteTimeout, match=r"Nothing could be sent for 0\.1 s"):
                await c.post(url, content=b"x" * 20_000)
            assert (await c.get(url)).content == b"hello", "it has said something since, so it is not gone"
        assert site.connections == 1
        assert site.resets == [(1, 3, 8)]

    @pytest.mark.slow
    async def test_the_write_timeout_is_one_of_progress(self, http: World) -> None:
        """The window opens now and then, so that the whole takes longer than the timeout."""

        def at_head(ask: Ask) -> None:
            peer = site.peers[-1]
            if ask.method == "GET":
                return
            for number in range(1, 11):
                peer.channel.call_later(0.04 * number, lambda: peer.open_window(1000, ask.stream))

        settings = {SettingCodes.INITIAL_WINDOW_SIZE: 0}
        url = http.serve(site := Http2Site(hello, at_head, settings, reads=False))
        async with client(http, timeout=httpure.Timeout(5, write=0.25)) as c:
            await c.get(url)
            assert (await c.post(url, content=b"x" * 10_000)).content == b"hello"

    async def test_an_early_refusal_ends_the_upload(self, http: World) -> None:
        site = Http2Site(hello, lambda ask: Answer(413, b"too large") if ask.method == "POST" else None)
        url = http.serve(site)
        pulled = 0

        def pieces() -> Any:
            nonlocal pulled
            for _ in range(1000):
                pulled += 1
                yield b"x" * 10_000

        async with client(http) as c:
            response = await c.post(url, content=http.body(pieces(), pause=0.001))
            assert (response.status_code, response.content) == (413, b"too large")
            assert (await c.get(url)).content == b"hello"
        assert pulled < 1000
        assert site.connections == 1

    async def test_an_early_head_does_not(self, http: World) -> None:
        """It is the way of a server that answers while it listens."""
        early = Answer(200, [b"first", b"last"], pause=0.1)
        del early.fields[:]
        url = http.serve(site := Http2Site(hello, lambda ask: early))
        async with client(http) as c:
            response = await c.post(url, content=http.body([b"x" * 100] * 5, pause=0.005))
        assert response.content == b"firstlast"
        assert site.asked[0].body == b"x" * 500


class TestEndings:
    @pytest.mark.parametrize(
        ("reset", "unprocessed", "text"),
        [
            (Reset(7), True, r"\(REFUSED_STREAM\); it has not looked at the request"),
            (Reset(2), False, r"\(INTERNAL_ERROR\) before its response was there"),
            (Reset(2, after=5), False, r"\(INTERNAL_ERROR\) before the response's body was whole: 5 bytes"),
        ],
    )
    async def test_reset(self, http: World, reset: Reset, unprocessed: bool, text: str) -> None:
        url = http.serve(site := Http2Site(lambda ask: reset if ask.path == "/reset" else hello(ask)))
        async with client(http) as c:
            with pytest.raises(httpure.RemoteProtocolError, match=text) as caught:
                await c.get(url + "/reset")
            assert caught.value.unprocessed is unprocessed
            assert str(caught.value.request.url) == url + "/reset"
            assert (await c.get(url)).content == b"hello"
        assert site.connections == 1

    async def test_goaway_before_the_answer(self, http: World) -> None:
        def app(ask: Ask) -> Answer | None:
            site.peers[-1].tell(GoAwayFrame(0, last_stream_id=0))
            return None

        url = http.serve(site := Http2Site(app))
        async with client(http) as c:
            with pytest.raises(httpure.RemoteProtocolError, match="GOAWAY NO_ERROR") as caught:
                await c.get(url)
            assert caught.value.unprocessed
            assert c.statistics == (0, 0, 0)
        assert site.connections == 5, "it was sent again, as the server has looked at none"

    async def test_goaway_and_the_answer(self, http: World) -> None:
        def app(ask: Ask) -> Answer:
            site.peers[-1].tell(GoAwayFrame(0, last_stream_id=ask.stream))
            return Answer(200, [b"hel", b"lo"], pause=0.01)

        url = http.serve(site := Http2Site(app))
        async with client(http) as c:
            for _ in range(2):
                assert (await c.get(url)).content == b"hello"
            assert c.statistics == (0, 0, 0)
        assert site.connections == 2

    async def test_goaway_while_idle(self, http: World) -> None:
        def app(ask: Ask) -> Answer:
            goodbye = GoAwayFrame(0, last_stream_id=1)
            site.peers[-1].channel.call_later(0.01, lambda: site.peers[0].tell(goodbye))
            return Answer(200, b"hello")

        url = http.serve(site := Http2Site(app))
        async with client(http) as c:
            await c.get(url)
            await http.sleep(0.05)
            assert (await c.get(url)).content == b"hello"
        assert site.connections == 2

    async def test_a_server_that_hangs_up(self, http: World) -> None:
        url = http.serve(scripted([SettingsFrame(0).serialize(), CLOSE]))
        async with client(http) as c:
            with pytest.raises(httpure.RemoteProtocolError, match="before its response was there"):
                await c.get(url)
            assert c.statistics == (0, 0, 0)

    async def test_a_server_that_speaks_http_1_only(self, http: World) -> None:
        url = http.serve(scripted([b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"]))
        async with client(http) as c:
            with pytest.raises(httpure.RemoteProtocolError, match=r"answered in HTTP/1\.1, so it speaks no"):
                await c.get(url)

    async def test_a_flood(self, http: World) -> None:
        flood = SettingsFrame(0).serialize() + PingFrame(0, opaque_data=b"12345678").serialize() * 2000
        url = http.serve(scripted([flood]))
        async with client(http) as c:
            with pytest.raises(httpure.RemoteProtocolError, match="which bring no stream forward"):
                await c.get(url)
            assert c.statistics == (0, 0, 0)

    async def test_a_request_that_breaks_the_rules(self, http: World) -> None:
        url = http.serve(site := Http2Site(hello))
        async with client(http) as c:
            await c.get(url)
            with pytest.raises(httpure.LocalProtocolError, match="shorter than its Content-Length"):
                await c.post(url, content=http.body([b"ab"]), headers={"Content-Length": "3"})
            assert (await c.get(url)).content == b"hello"
        assert [ask.body for ask in site.asked if ask.method == "POST"] in ([b""], [b"ab"])


class TestGivenUp:
    async def test_a_response_that_is_not_read(self, http: World) -> None:
        body = b"x" * (4 * MIB)
        url = http.serve(
            site := Http2Site(lambda ask: Answer(200, body if ask.path == "/large" else b"hello"))
        )
        async with client(http) as c:
            for _ in range(3):
                async with c.stream("GET", url + "/large"):
                    pass
                assert (await c.get(url)).content == b"hello"
        assert site.resets == [(1, number, 8) for number in (1, 5, 9)]

    @pytest.mark.parametrize("tls", [False, True])
    @pytest.mark.parametrize("way", ["closed", "dropped", "timed out"])
    async def test_the_server_hears_of_it_at_once(self, http: World, way: str, tls: bool) -> None:
        """Also where the connection is idle from then on, so that no other request takes the news along."""
        site = Http2Site(lambda ask: Answer(200, [b"begun", b"late"], pause=60))
        url = f"https://127.0.0.1:{http.listen(over_tls(site))}" if tls else http.serve(site)
        limit = 0.2 if way == "timed out" else 5
        async with http.client(
            http1=False, http2=True, verify="test", timeout=httpure.Timeout(5, read=limit)
        ) as c:
            response = await c.send(c.itself.build_request("GET", url), stream=True)
            if way == "closed":
                await http.close_response(response)
            elif way == "timed out":
                with pytest.raises(httpure.ReadTimeout):
                    await http.read(response)
            del response
            gc.collect()
            for _ in range(200):
                if site.resets:
                    break
                await http.sleep(0.005)
            assert site.resets == [(1, 1, 8)]
            assert c.statistics == (1, 1, 0)

    async def test_no_answer_in_time(self, http: World) -> None:
        """The server is asked whether it is still there (PING), and its connection used again when it has said so."""
        url = http.serve(site := Http2Site(lambda ask: None if ask.path == "/silent" else hello(ask)))
        async with client(http, timeout=0.1) as c:
            await c.get(url)
            with pytest.raises(httpure.ReadTimeout):
                await c.get(url + "/silent")
            assert c.statistics == (1, 1, 0)
            await http.sleep(0.05)
            assert (await c.get(url)).content == b"hello"
        assert site.connections == 1

    async def test_no_answer_from_a_server_that_is_gone(self, http: World) -> None:
        def app(ask: Ask) -> Answer | None:
            if ask.path == "/silent":
                site.peers[-1].channel.pause()
                return None
            return Answer(200, b"hello")

        url = http.serve(site := Http2Site(app))
        async with client(http, timeout=0.1) as c:
            await c.get(url)
            with pytest.raises(httpure.ReadTimeout):
                await c.get(url + "/silent")
            await http.sleep(0.05)
            assert (await c.get(url)).content == b"hello"
            assert c.statistics == (1, 1, 0)
        assert site.connections == 2

    async def test_a_pause_that_is_too_long(self, http: World) -> None:
        slow = Answer(200, [b"begun", b"late"], pause=10)
        url = http.serve(site := Http2Site(lambda ask: slow if ask.path == "/slow" else hello(ask)))
        async with client(http, timeout=0.1) as c:
            with pytest.raises(httpure.ReadTimeout):
                await c.get(url + "/slow")
            assert (await c.get(url)).content == b"hello"
        assert site.connections == 1
        assert site.resets == [(1, 1, 8)]

    @needs("cancels")
    async def test_cancelled_in_the_middle(self, http: World) -> None:
        slow = Answer(200, [b"begun", b"late"], pause=10)
        url = http.serve(site := Http2Site(lambda ask: slow if ask.path == "/slow" else hello(ask)))
        async with client(http) as c:
            for _ in range(3):
                assert await http.give_up(c.get(url + "/slow"), 0.05)
                assert (await c.get(url)).content == b"hello"
            assert c.statistics == (1, 1, 0)
        assert site.connections == 1
        assert [code for *_, code in site.resets] == [8, 8, 8]

    @needs("cancels")
    async def test_cancelled_in_the_middle_of_an_upload(self, http: World) -> None:
        settings = {SettingCodes.INITIAL_WINDOW_SIZE: 1000}
        url = http.serve(site := Http2Site(hello, settings=settings, reads=False))
        async with client(http) as c:
            await c.get(url)
            assert await http.give_up(c.post(url, content=b"x" * 10_000), 0.05)
            assert c.statistics.waiting == 0
            assert (await c.get(url)).content == b"hello"
        assert site.resets in ([], [(1, 3, 8)])


async def test_pings_are_answered(http: World) -> None:
    def app(ask: Ask) -> Answer:
        site.peers[-1].ping()
        return Answer(200, [b"hel", b"lo"], pause=0.02)

    url = http.serve(site := Http2Site(app))
    async with client(http) as c:
        for _ in range(3):
            assert (await c.get(url)).content == b"hello"
    assert site.pongs >= 2


async def test_cookies_redirects_and_codings_are_as_ever(http: World) -> None:
    def app(ask: Ask) -> Answer:
        if ask.path == "/":
            return Answer(302, b"", [("Location", "/next"), ("Set-Cookie", "a=1; Path=/")])
        return Answer(200, (ask.field("cookie") or "").encode())

    url = http.serve(Http2Site(app))
    async with client(http, follow_redirects=True) as c:
        response = await c.get(url)
    assert response.text == "a=1" and len(response.history) == 1


async def test_many_at_once(http: World) -> None:
    url = http.serve(site := Http2Site(lambda ask: Answer(200, ask.path.encode(), delay=0.01)))
    async with client(http) as c:
        paths = [f"/{number}" for number in range(5)]
        if http.blocking:
            answers = [await c.get(url + path) for path in paths]
        else:
            answers = await http.gather(*[c.get(url + path) for path in paths])
        assert [answer.text for answer in answers] == paths
    assert site.connections == 1
