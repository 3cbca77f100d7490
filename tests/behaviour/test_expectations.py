"""Expect: 100-continue, informational responses and trailers, on every backend."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import httpure
from tests.peers import CLOSE, Answer, Call, Peer, Site, scripted
from tests.peers.http2 import Ask, Http2Site

from .test_duplex import AnyDuplex, Body
from .world import AnyClient, World, needs

EXPECT = {"Expect": "100-continue"}
LARGE = b"x" * 300_000
VERSIONS = ("http1", "http2")
each_version = pytest.mark.parametrize("version", VERSIONS)


def client(http: World, version: str, **kwargs: Any) -> AnyClient:
    return http.client(http1=version == "http1", http2=version == "http2", **kwargs)


def site(version: str, *arguments: Any, **keywords: Any) -> Any:
    return (Site if version == "http1" else Http2Site)(*arguments, **keywords)


class Asking(Peer):
    """Speaks HTTP/1.1 by hand: for each request head, what `answers` say; tells what came when."""

    def __init__(self, log: list[str], answers: Sequence[bytes], pause: float) -> None:
        self._log, self._answers, self._pause = log, list(answers), pause
        self._received = b""

    def receive_data(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and head:
            self._log.append("head")
            self._received = end
            for number, answer in enumerate(self._answers):
                self.channel.call_later(self._pause * (number + 1), functools.partial(self._say, answer))
        if end and body:
            self._log.append("body")

    def _say(self, answer: bytes) -> None:
        self._log.append(answer[9:12].decode())
        self.channel.send(answer)


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class TestExpecting:
    async def log_of(
        self, http: World, answers: Sequence[bytes], content: Any, **extensions: Any
    ) -> list[str]:
        log: list[str] = []
        url = http.serve(lambda: Asking(log, answers, 0.05))
        async with http.client() as c:
            await c.post(url, content=content, headers=EXPECT, extensions=extensions)
        return log

    @pytest.mark.parametrize("content", [b"small", LARGE, "pulled"])
    async def test_the_body_waits(self, http: World, content: Any) -> None:
        log = await self.log_of(
            http, [CONTINUE, OK], http.body([b"one", b"two"]) if content == "pulled" else content
        )
        assert log[:3] == ["head", "100", "body"]

    async def test_but_not_without_end(self, http: World) -> None:
        log = await self.log_of(http, [OK], b"x", expect_timeout=0.0)
        assert log[:2] == ["head", "body"]

    @needs("virtual")
    async def test_a_second_by_default(self, http: World) -> None:
        times: list[float] = []
        url = http.serve(Site(lambda call: times.append(http.clock()) or Answer()))  # type: ignore[func-returns-value]
        for extensions, seconds in (({}, 1.0), ({"expect_timeout": 7}, 7.0)):
            async with http.client(timeout=None) as c:
                before = http.clock()
                await c.post(url, content=LARGE, headers=EXPECT, extensions=extensions)
                assert seconds <= times[-1] - before < seconds + 0.5

    async def test_the_time_is_a_number(self, http: World) -> None:
        async with http.client() as c:
            for wrong in ("1", None, -1):
                with pytest.raises(TypeError, match="The extension 'expect_timeout' is a number of seconds"):
                    extensions = {"expect_timeout": wrong}
                    await c.post(
                        http.serve(Site(lambda call: Answer())),
                        content=b"x",
                        headers=EXPECT,
                        extensions=extensions,
                    )

    @each_version
    @pytest.mark.parametrize("status", [200, 204, 302, 403, 500])
    async def test_a_final_answer_instead(self, http: World, version: str, status: int) -> None:
        """CVE-2024-24791: the connection must not go on as if the body had been sent."""

        def refuse(call: Call | Ask) -> Answer | None:
            return Answer(status) if call.method == "POST" else None

        server = site(version, lambda call: Answer(200, b"next"), refuse)
        url = http.serve(server)
        body = Body(http, 3)
        async with client(http, version) as c:
            for content in (body.content, b"small", LARGE):
                response = await c.post(url, content=content, headers=EXPECT)
                assert response.status_code == status
                assert (await c.get(url)).content == b"next"
        assert body.left == 3
        assert server.connections == (4 if version == "http1" else 1)

    @each_version
    @pytest.mark.parametrize("how", ["bytes", "pulled", "by hand"])
    async def test_expectation_failed(self, http: World, version: str, how: str) -> None:
        def refuse(call: Call | Ask) -> Answer | None:
            return Answer(417) if call.field("expect") else None

        server = site(version, lambda call: Answer(200, call.body), refuse)
        async with client(http, version) as c:
            if how == "by hand":
                duplex = AnyDuplex(http)
                await duplex.send(b"onetwo")
                await duplex.end()
                content = duplex.content
            else:
                content = http.body([b"one", b"two"]) if how == "pulled" else b"onetwo"
            response = await c.post(http.serve(server), content=content, headers=EXPECT)
            assert (response.status_code, response.content) == (200, b"onetwo")
            assert response.request.headers["expect"] == "100-continue", "the user's own"

    @needs("virtual")
    async def test_elapsed_is_that_of_both_goes(self, http: World) -> None:
        def refuse(call: Call) -> Answer | None:
            return Answer(417, delay=1.0) if call.field("expect") else None

        url = http.serve(Site(lambda call: Answer(200, delay=2.0), refuse))
        async with http.client() as c:
            patient = {"expect_timeout": 5.0}
            response = await c.post(url, content=LARGE, headers=EXPECT, extensions=patient)
            assert 3.0 <= response.elapsed.total_seconds() < 3.5

    async def test_expectation_failed_when_it_was_too_late(self, http: World) -> None:
        def refuse(call: Call) -> Answer | None:
            return Answer(417, delay=0.05) if call.field("expect") else None

        url = http.serve(Site(lambda call: Answer(200, call.body), refuse))
        at_once = {"expect_timeout": 0.001}
        async with http.client() as c:
            response = await c.post(url, content=LARGE, headers=EXPECT, extensions=at_once)
            assert (response.status_code, response.content) == (200, LARGE)
            body = http.body([b"x"] * 3)
            response = await c.post(url, content=body, headers=EXPECT, extensions=at_once)
            assert response.status_code == 417
            response = await c.post(url, content=b"x", headers={"X": "1"})
            assert response.status_code == 200

    async def test_another_expectation(self, http: World) -> None:
        url = http.serve(Site(lambda call: Answer(417)))
        async with http.client() as c:
            assert (await c.post(url, content=b"x", headers={"Expect": "tea"})).status_code == 417
            assert (await c.post(url, content=b"x")).status_code == 417

    @needs("virtual")
    async def test_the_read_timeout_is_no_error_while_waiting(self, http: World) -> None:
        url = http.serve(Site(lambda call: Answer()))
        async with http.client(timeout=0.5) as c:
            assert (await c.post(url, content=b"x", headers=EXPECT)).status_code == 200

    @needs("virtual")
    async def test_but_the_total_is(self, http: World) -> None:
        url = http.serve(Site(lambda call: Answer()))
        async with http.client(timeout=httpure.Timeout(None, total=0.5)) as c:
            with pytest.raises(httpure.ReadTimeout, match="total"):
                await c.post(url, content=b"x", headers=EXPECT)

    async def test_a_server_that_hangs_up(self, http: World) -> None:
        url = http.serve(scripted([0.01, CLOSE]))
        async with http.client() as c:
            with pytest.raises(httpure.TransportError):
                await c.post(url, content=b"x", headers=EXPECT)


class TestInforming:
    def told(self, http: World, log: list[Any]) -> Callable[..., Any]:
        if http.blocking:
            return lambda status, headers: log.append((status, headers))

        async def tell(status: int, headers: httpure.Headers) -> None:
            await http.sleep(0)
            log.append((status, headers))

        return tell

    @each_version
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_in_order(self, http: World, version: str, method: str) -> None:
        url = http.serve(site(version, lambda call: Answer(200, b"hi", informational=[102, 103, 103])))
        log: list[Any] = []
        async with client(http, version) as c:
            for content in (None,) if method == "GET" else (b"x", LARGE):
                tell = {"informational": self.told(http, log)}
                response = await c.request(method, url, content=content, extensions=tell)
                assert response.content == b"hi"
                assert [status for status, _ in log] == [102, 103, 103]
                assert all(isinstance(headers, httpure.Headers) for _, headers in log)
                log.clear()
            assert (await c.get(url)).content == b"hi", "and nobody has to listen"

    async def test_as_they_come(self, http: World) -> None:
        hint = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        url = http.serve(scripted([hint, 0.05, OK]))
        log: list[Any] = []
        async with http.client() as c:
            before = http.clock()
            tell = self.told(http, log)
            await c.get(url, extensions={"informational": tell})
            ((status, headers),) = log
            assert (status, headers["link"]) == (103, "</style.css>; rel=preload")
            assert http.clock() - before >= 0.05

    async def test_a_continue_is_one_too(self, http: World) -> None:
        log: list[Any] = []
        url = http.serve(lambda: Asking([], [CONTINUE, OK], 0.01))
        async with http.client() as c:
            tell = {"informational": self.told(http, log)}
            await c.post(url, content=b"x", headers=EXPECT, extensions=tell)
        assert [status for status, _ in log] == [100]

    async def test_an_upgrade_is_none(self, http: World) -> None:
        switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
        log: list[Any] = []
        async with http.client() as c:
            fields = {"Connection": "Upgrade", "Upgrade": "echo"}
            tell = {"informational": self.told(http, log)}
            response = await c.get(http.serve(scripted([switched])), headers=fields, extensions=tell)
            assert (response.status_code, log) == (101, [])

    @each_version
    async def test_what_it_raises_ends_the_request(self, http: World, version: str) -> None:
        def fail(status: int, headers: httpure.Headers) -> None:
            raise KeyError(status)

        url = http.serve(site(version, lambda call: Answer(200, informational=[103])))
        async with client(http, version) as c:
            for content in (b"x", http.body([b"x"] * 3)):
                with pytest.raises(KeyError, match="103"):
                    await c.post(url, content=content, extensions={"informational": fail})
            assert c.statistics[1:] == (c.statistics.connections, 0)


class TestTrailers:
    @each_version
    async def test_are_there_behind_the_body(self, http: World, version: str) -> None:
        answer = Answer(
            200, [b"hel", b"lo"], chunked=True, pause=0.01, trailers=[("X-Sum", "1"), ("X-Sum", "2")]
        )
        url = http.serve(site(version, lambda call: answer))
        async with client(http, version) as c:
            response = await c.get(url)
            assert (response.content, response.trailers.get_list("x-sum")) == (b"hello", ["1", "2"])
            assert "x-sum" not in response.headers
            assert pickle.loads(pickle.dumps(response)).trailers == response.trailers
            async with c.stream("GET", url) as response:
                assert response.trailers == httpure.Headers()
                await http.read(response)
                assert response.trailers["X-Sum"] == "1, 2"
            async with c.stream("GET", url) as response:
                pass
            assert not response.trailers

    async def test_change_nothing(self, http: World) -> None:
        """RFC 9110 section 6.5.1: what says how a message is to be understood cannot come behind it."""
        bad = ["Set-Cookie: a=1", "Location: /x", "Content-Type: text/html", "Host: b", "X-Own: 1"]
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
        url = http.serve(scripted([head + "\r\n".join([*bad, "", ""]).encode()]))
        async with http.client() as c:
            response = await c.get(url)
            assert response.trailers["x-own"] == "1"
            assert response.headers.raw == [(b"Transfer-Encoding", b"chunked")]
            assert not c.itself.cookies and not response.cookies
