"""Full duplex, on every backend: a response that is read while its request is being sent."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import httpure
from tests.peers import CLOSE, Answer, Call, Site, scripted
from tests.peers.echo import ChunkedEcho, Http2Echo
from tests.peers.http2 import Ask, Http2Site

from .world import AnyClient, World, needs

MIB = 1024 * 1024
PIECE = b"0123456789abcdef" * 4096

VERSIONS = {"http1": ChunkedEcho, "http2": Http2Echo}
each_version = pytest.mark.parametrize("version", VERSIONS)


def client(http: World, version: str, **kwargs: Any) -> AnyClient:
    return http.client(http1=version == "http1", http2=version == "http2", **kwargs)


def echo(http: World, version: str) -> str:
    return http.serve(VERSIONS[version])


class Body:
    """Content of a client, of either colour, that knows how far it got and whether it was closed."""

    def __init__(self, http: World, pieces: int, piece: bytes = PIECE, pause: float = 0.0) -> None:
        self.left = pieces
        self.closed = False
        self._piece = piece
        self._pause = pause
        self.content = self._blocking() if http.blocking else self._async(http)

    def _blocking(self) -> Iterator[bytes]:
        try:
            while self.left:
                self.left -= 1
                time.sleep(self._pause)
                yield self._piece
        finally:
            self.closed = True

    async def _async(self, http: World) -> AsyncIterator[bytes]:
        try:
            while self.left:
                self.left -= 1
                if self._pause:
                    await http.sleep(self._pause)
                yield self._piece
        finally:
            self.closed = True
            await http.sleep(0)


class AnyDuplex:
    """A `Duplex` of the world's colour; its methods are to be awaited."""

    def __init__(self, http: World) -> None:
        self.content: Any = httpure.Duplex() if http.blocking else httpure.AsyncDuplex()
        self._blocking = http.blocking

    async def send(self, data: bytes) -> None:
        if self._blocking:
            self.content.send(data)
        else:
            await self.content.send(data)

    async def end(self) -> None:
        if self._blocking:
            self.content.end()
        else:
            await self.content.end()


@asynccontextmanager
async def reading(http: World, response: Any) -> AsyncIterator[Any]:
    """The pieces of a response, one by one: `await read()` returns b"" at its end."""
    iterator = response.iter_raw() if http.blocking else response.aiter_raw()

    async def read() -> bytes:
        if http.blocking:
            return next(iterator, b"")
        return await anext(iterator, b"")  # type: ignore[no-any-return]

    yield read


class TestWhileItIsRead:
    async def through(self, http: World, version: str, size: int) -> None:
        url = echo(http, version)
        received = 0
        body = Body(http, size // len(PIECE))
        async with client(http, version) as c:
            async with c.stream("POST", url, content=body.content) as response:
                assert response.status_code == 200
                # A little fits into the buffers of the system.
                assert body.left > 0 or size < 10 * MIB, "the response is there before the request has gone"
                async for piece in http.pieces(response, "iter_raw"):
                    received += len(piece)
            assert c.statistics == (1, 1, 0), "the connection is as good as ever"
        assert received == size
        assert body.closed

    @each_version
    async def test_an_echo(self, http: World, version: str) -> None:
        await self.through(http, version, 2 * MIB)

    @pytest.mark.slow
    @each_version
    async def test_a_large_echo_in_little_memory(self, http: World, version: str) -> None:
        tracemalloc.start()
        try:
            size = 6 * MIB if http.virtual else 50 * MIB if version == "http1" else 20 * MIB
            await self.through(http, version, size)
            assert tracemalloc.get_traced_memory()[1] < 5 * MIB
        finally:
            tracemalloc.stop()

    @each_version
    async def test_from_memory(self, http: World, version: str) -> None:
        content = PIECE * 40
        fields = {"Transfer-Encoding": "chunked"} if version == "http1" else {}
        async with client(http, version) as c:
            response = await c.post(echo(http, version), content=content, headers=fields)
            assert response.content == content
            assert c.statistics == (1, 1, 0)

    @each_version
    async def test_closing_half_way(self, http: World, version: str) -> None:
        body = Body(http, 10_000)
        url = echo(http, version)
        async with client(http, version) as c:
            async with c.stream("POST", url, content=body.content) as response:
                async with reading(http, response) as read:
                    assert await read()
            assert body.closed and body.left > 0
            assert c.statistics == ((0, 0, 0) if version == "http1" else (1, 1, 0))
            assert (await c.post(url, content=http.body([b"next"]))).content == b"next"

    async def test_an_answer_that_is_over_ends_the_upload(self, http: World) -> None:
        """A server that wants no more of it says so, with a good answer too."""
        site = Site(lambda call: Answer(200), lambda call: Answer(200, [b"enough", b"!"], pause=0.02))
        body = Body(http, 10_000, b"x", pause=0.005)
        url = http.serve(site)
        async with http.client() as c:
            response = await c.post(url, content=body.content, headers={"Transfer-Encoding": "chunked"})
            assert response.content == b"enough!"
            assert body.closed and body.left > 0
            assert c.statistics == (0, 0, 0)

    async def test_a_connection_that_will_close(self, http: World) -> None:
        """Over HTTP/1.1 this says that nobody will read the rest."""
        body = Body(http, 10_000, b"x", pause=0.005)
        url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbye", 0.01, CLOSE]))
        async with http.client() as c:
            async with c.stream("POST", url, content=body.content) as response:
                assert body.left > 0
                assert (response.status_code, await http.read(response)) == (200, b"bye")

    @needs("cancels")
    @each_version
    async def test_cancelled_half_way(self, http: World, version: str) -> None:
        body = Body(http, 1_000_000, b"x" * 1000)
        url = echo(http, version)
        async with client(http, version) as c:

            async def read_on() -> None:
                async with c.stream("POST", url, content=body.content) as response:
                    async with reading(http, response) as read:
                        while await read():
                            await http.sleep(0.001)

            assert await http.give_up(read_on(), 0.05)
            assert body.closed
            assert c.statistics[1:] == (c.statistics.connections, 0)
            assert (await c.post(url, content=http.body([b"next"]))).content == b"next"

    async def test_a_server_that_hangs_up_after_its_head(self, http: World) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
        url = http.serve(scripted([head, 0.02, CLOSE]))
        body = Body(http, 10_000, b"x", pause=0.005)
        async with http.client() as c:
            with pytest.raises((httpure.RemoteProtocolError, httpure.ReadError)):
                await c.post(url, content=body.content)
            assert body.closed
            assert c.statistics == (0, 0, 0)


class TestByHand:
    @each_version
    async def test_ping_pong(self, http: World, version: str) -> None:
        duplex = AnyDuplex(http)
        async with client(http, version) as c:
            await duplex.send(b"hello")  # kept until there is a connection
            async with c.stream("POST", echo(http, version), content=duplex.content) as response:
                async with reading(http, response) as read:
                    received = b""
                    for number in range(100):
                        while not received.endswith(b"hello" if number == 0 else b"ping %d" % (number - 1)):
                            received += await read()
                        await duplex.send(b"ping %d" % number)
                    while not received.endswith(b"ping 99"):
                        received += await read()
                    await duplex.end()
                    await duplex.end()
                    assert await read() == b""
            assert c.statistics == (1, 1, 0)

    @each_version
    async def test_all_of_it_before(self, http: World, version: str) -> None:
        duplex = AnyDuplex(http)
        for _ in range(40):
            await duplex.send(PIECE)
        await duplex.end()
        with pytest.raises(ValueError, match=r"end\(\) was called"):
            await duplex.send(b"more")
        async with client(http, version) as c:
            response = await c.post(echo(http, version), content=duplex.content)
            assert response.content == PIECE * 40
            assert c.statistics == (1, 1, 0)

    @each_version
    async def test_one_sends_and_one_reads(self, http: World, version: str) -> None:
        """In two tasks, or two threads."""
        duplex = AnyDuplex(http)
        url = echo(http, version)
        count = 60

        async with client(http, version) as c:

            async def send() -> None:
                for _ in range(count):
                    await duplex.send(PIECE)
                await duplex.end()

            async def read() -> int:
                async with c.stream("POST", url, content=duplex.content) as response:
                    return sum([len(piece) async for piece in http.pieces(response)])

            assert await http.gather(send(), read()) == [None, count * len(PIECE)]
            assert c.statistics == (1, 1, 0)

    @each_version
    async def test_after_the_response_is_closed(self, http: World, version: str) -> None:
        duplex = AnyDuplex(http)
        async with client(http, version) as c:
            await duplex.send(b"hello")
            async with c.stream("POST", echo(http, version), content=duplex.content):
                pass
            with pytest.raises(httpure.WriteError, match=r"The response was closed.*, POST http://"):
                await duplex.send(b"more")
            await duplex.end()

    @each_version
    async def test_once_only(self, http: World, version: str) -> None:
        duplex = AnyDuplex(http)
        await duplex.end()
        async with client(http, version) as c:
            url = echo(http, version)
            assert (await c.post(url, content=duplex.content)).content == b""
            with pytest.raises(httpure.StreamConsumed, match="make a new one for each request"):
                await c.post(url, content=duplex.content)

    async def test_an_answer_that_wants_none(self, http: World) -> None:
        def refuse(call: Call | Ask) -> Answer:
            return Answer(403, b"no")

        for site, version in ((Site(refuse, refuse), "http1"), (Http2Site(refuse, refuse), "http2")):
            duplex = AnyDuplex(http)
            async with client(http, version) as c:
                async with c.stream("POST", http.serve(site), content=duplex.content) as response:
                    assert response.status_code == 403
                    with pytest.raises(httpure.WriteError, match=r"The server has answered \(403\)"):
                        await duplex.send(b"more")
                    await duplex.end()
                    assert await http.read(response) == b"no"

    async def test_a_length_is_held_to(self, http: World) -> None:
        for version in VERSIONS:
            duplex = AnyDuplex(http)
            length = {"Content-Length": "3"}
            async with client(http, version) as c:
                async with c.stream("POST", echo(http, version), content=duplex.content, headers=length) as r:
                    for use in (duplex.send(b"four"), http.read(r)):
                        with pytest.raises(
                            httpure.LocalProtocolError, match="longer than its Content-Length"
                        ):
                            await use

    @needs("virtual")
    async def test_a_server_that_takes_nothing(self, http: World) -> None:
        class Deaf(ChunkedEcho):
            def body(self, data: bytes) -> None:
                self.channel.pause()

        duplex = AnyDuplex(http)
        await duplex.send(b"hello")
        async with http.client(timeout=httpure.Timeout(3600, write=3)) as c:
            async with c.stream("POST", http.serve(Deaf), content=duplex.content):
                with pytest.raises(httpure.WriteTimeout, match="Nothing could be sent for 3 s"):
                    for _ in range(1000):
                        await duplex.send(PIECE)

    async def test_a_connection_that_is_lost(self, http: World) -> None:
        class Leaving(ChunkedEcho):
            def body(self, data: bytes) -> None:
                if data:
                    self.channel.reset()

        duplex = AnyDuplex(http)
        async with http.client() as c:
            async with c.stream("POST", http.serve(Leaving), content=duplex.content) as response:
                with pytest.raises(httpure.WriteError):
                    for _ in range(1000):
                        await duplex.send(PIECE)
                        await http.sleep(0.001)
                with pytest.raises((httpure.ReadError, httpure.RemoteProtocolError)):
                    await http.read(response)

    async def test_other_colours_and_other_transports(self, http: World) -> None:
        wrong = httpure.AsyncDuplex() if http.blocking else httpure.Duplex()
        async with http.client() as c:
            with pytest.raises(RuntimeError):
                await c.post(echo(http, "http1"), content=wrong)
        own = AnyDuplex(http)
        with pytest.raises(RuntimeError, match=r"is nothing to be read"):
            request = httpure.Request("POST", "http://example.org/", content=own.content)
            if http.blocking:
                request.read()
            else:
                await request.aread()
        with pytest.raises(TypeError, match="bytes"):
            await own.send("text")  # type: ignore[arg-type]
