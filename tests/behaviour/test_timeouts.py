"""Each phase has its limit, its exception, and words that say what happened and what can be done."""

from __future__ import annotations

import pytest

import httpure
from tests.peers import Answer, Channel, Deaf, Peer, Site, dripping, scripted

from .world import World, needs


@needs("virtual")
async def test_connect_timeout(http: World) -> None:
    http.simulation.network.add_black_hole("hole.test")  # type: ignore[attr-defined]
    async with http.client(timeout=3) as client:
        began = http.clock()
        with pytest.raises(httpure.ConnectTimeout) as caught:
            await client.get("http://hole.test/path?secret")
        assert http.clock() - began == pytest.approx(3, abs=0.01)
        assert client.statistics.connections == 0
    message = str(caught.value)
    assert message.startswith("No connection was made within 3 s (the connect timeout)")
    assert "timed out), GET http://hole.test/path;" in message
    assert message.endswith("allow more with Timeout(connect=...)")


async def test_read_timeout_before_the_head(http: World) -> None:
    url = http.serve(scripted())
    async with http.client(timeout=httpure.Timeout(5, read=0.05)) as client:
        with pytest.raises(httpure.ReadTimeout) as caught:
            await client.get(url + "/path")
        assert client.statistics.connections == 0
    assert str(caught.value) == (
        f"Nothing was received for 0.05 s (the read timeout), GET {url}/path; allow more with Timeout(read=...)"
    )
    assert caught.value.request.method == "GET"


async def test_read_timeout_in_the_body(http: World) -> None:
    url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"]))
    async with http.client(timeout=httpure.Timeout(5, read=0.05)) as client:
        with pytest.raises(httpure.ReadTimeout):
            await client.get(url)
        async with client.stream("GET", url) as response:
            with pytest.raises(httpure.ReadTimeout, match="Nothing was received for"):
                await http.read(response)
        assert client.statistics.connections == 0


async def test_read_timeout_is_for_each_piece(http: World) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + b"x" * 40
    # All together they take longer, in virtual time; in real time that would take too long.
    url = http.serve(scripted(dripping(whole, 10, 0.5 if http.virtual else 0.02)))
    async with http.client(timeout=httpure.Timeout(5, read=1)) as client:
        assert (await client.get(url)).content == b"x" * 40


@pytest.mark.parametrize("how", ["memory", "generator"])
async def test_write_timeout(http: World, how: str) -> None:
    url = http.serve(Deaf)
    pieces = [b"x" * 262144] * 64
    async with http.client(timeout=httpure.Timeout(5, write=0.05)) as client:
        content = b"".join(pieces) if how == "memory" else _Pieces(http, pieces)
        with pytest.raises(httpure.WriteTimeout) as caught:
            await client.post(url, content=content)
        assert client.statistics.connections == 0
    assert str(caught.value) == (
        f"Nothing could be sent for 0.05 s (the write timeout), POST {url}/; allow more with Timeout(write=...)"
    )


async def test_a_write_timeout_of_next_to_nothing(http: World) -> None:
    """Whatever the system's buffers take is no wait; the first wait is one too many."""
    url = http.serve(Deaf)
    async with http.client(timeout=httpure.Timeout(5, write=1e-6)) as client:
        with pytest.raises(httpure.WriteTimeout, match=r"Nothing could be sent for 1e-06 s"):
            await client.post(url, content=b"x" * 16_000_000)


class _Pieces:
    """Iterable in both colours, with no generator that somebody would have to end."""

    def __init__(self, http: World, pieces: list[bytes]) -> None:
        self._pieces = pieces
        if not http.blocking:
            self.__class__ = _AsyncPieces
            self._iterator = iter(pieces)

    def __iter__(self):
        return iter(self._pieces)


class _AsyncPieces(_Pieces):
    __iter__ = None  # type: ignore[assignment]

    def __aiter__(self):
        return self

    async def __anext__(self) -> bytes:
        for piece in self._iterator:
            return piece
        raise StopAsyncIteration


class SlowReader(Peer):
    """Reads a little, rests, reads a little, and answers when it has got `size` bytes."""

    size = 16_000_000
    rest = 0.002

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        self.left = self.size

    def receive_data(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left <= 0:
            self.channel.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        else:
            self.channel.pause()
            self.channel.call_later(self.rest, self.channel.resume)


async def test_write_timeout_is_for_each_step_forward(http: World) -> None:
    class Reader(SlowReader):
        rest = 0.05 if http.virtual else SlowReader.rest

    url = http.serve(Reader)
    piece = b"x" * SlowReader.size
    async with http.client(timeout=httpure.Timeout(5, write=0.06 if http.virtual else 3)) as client:
        assert (await client.post(url, content=_Pieces(http, [piece]))).text == "done"


async def test_pool_timeout(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"x", b"y"], pause=0.3)))
    limits = httpure.Limits(max_connections=1)
    async with http.client(limits=limits, timeout=httpure.Timeout(5, pool=0.05)) as client:
        async with client.stream("GET", url):
            with pytest.raises(httpure.PoolTimeout) as caught:
                await client.get(url)
            assert client.statistics == (1, 0, 0)
        assert client.statistics.connections == 0
    message = str(caught.value)
    assert message.startswith("No connection of the pool became free within 0.05 s (the pool timeout), GET ")
    assert "Limits(max_connections=...)" in message


async def test_waiting_for_the_pool_is_no_timeout(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"x", delay=0.02)))
    limits = httpure.Limits(max_connections=1)
    async with http.client(limits=limits, timeout=httpure.Timeout(5, pool=2)) as client:
        answers = await http.gather(*[client.get(url) for _ in range(4)])
    assert [answer.text for answer in answers] == ["x"] * 4


async def test_total_before_the_head(http: World) -> None:
    url = http.serve(scripted())
    async with http.client(timeout=httpure.Timeout(5, total=0.05)) as client:
        with pytest.raises(httpure.ReadTimeout) as caught:
            await client.get(url)
        assert client.statistics.connections == 0
    assert "within 0.05 s (the total timeout)" in str(caught.value)
    assert str(caught.value).endswith("allow more with Timeout(total=...)")


async def test_total_ends_a_dripping_body(http: World) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"x" * 4000
    url = http.serve(scripted(dripping(whole, 10, 0.01 if http.virtual else 0.1)))
    async with http.client(timeout=httpure.Timeout(5, total=0.1)) as client:
        began = http.clock()
        with pytest.raises(httpure.ReadTimeout, match="total timeout"):
            await client.get(url)
        assert http.clock() - began < (2 if http.virtual else 20)
        began = http.clock()
        with pytest.raises(httpure.ReadTimeout, match="total timeout"):
            async with client.stream("GET", url) as response:
                await http.read(response)
        assert http.clock() - began < (2 if http.virtual else 20)
        assert client.statistics.connections == 0


async def test_total_covers_redirects(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(302, b"", [("Location", "/again")], delay=0.03)))
    async with http.client(timeout=httpure.Timeout(5, total=0.1), follow_redirects=True) as client:
        began = http.clock()
        with pytest.raises(httpure.TimeoutException, match="total timeout"):
            await client.get(url)
        assert http.clock() - began < (2 if http.virtual else 20)


async def test_total_ends_a_dripping_upload(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200)))
    async with http.client(timeout=httpure.Timeout(5, total=0.1)) as client:
        began = http.clock()
        with pytest.raises(httpure.TimeoutException, match="total timeout"):
            await client.post(url, content=http.body([b"x"] * 100, pause=0.02))
        assert http.clock() - began < (1.5 if http.virtual else 20)


async def test_timeout_of_one_request(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"x", delay=60 if call.path == "/slow" else 0.01)))
    async with http.client(timeout=5) as client:
        with pytest.raises(httpure.ReadTimeout):
            await client.get(url + "/slow", timeout=httpure.Timeout(5, read=0.02))
        assert (await client.get(url)).text == "x"
        assert (await client.get(url, timeout=None)).text == "x"


async def test_no_time_at_all(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"x", delay=0.05)))
    async with http.client() as client:
        with pytest.raises(httpure.TimeoutException):
            await client.get(url, timeout=0)
        with pytest.raises(httpure.TimeoutException, match="total"):
            await client.get(url, timeout=httpure.Timeout(5, total=0))
        assert client.statistics.connections == 0
        assert (await client.get(url)).text == "x"


class Gushing(Peer):
    """Sends an endless body as fast as the client takes it."""

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        self.gone = False

    def receive_data(self, data: bytes) -> None:
        self.channel.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        self.gush()

    def receive_eof(self) -> None:
        self.gone = True
        self.channel.close()

    def gush(self) -> None:
        self.channel.send(b"x" * 16384)
        if not self.gone:
            self.channel.call_later(0.0001, self.gush)


async def test_total_ends_a_gushing_body(http: World) -> None:
    url = http.serve(Gushing)
    async with http.client(timeout=httpure.Timeout(5, total=0.1)) as client:
        began = http.clock()
        with pytest.raises(httpure.ReadTimeout, match="total timeout"):
            async with client.stream("GET", url) as response:
                async for _ in http.pieces(response, "iter_raw"):
                    assert http.clock() - began < (2 if http.virtual else 20)
                    await http.sleep(0.0005)
        assert http.clock() - began < (2 if http.virtual else 20)
        assert client.statistics.connections == 0


@needs("virtual")
async def test_no_limit(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"x", delay=100_000.0)))
    async with http.client(timeout=None) as client:
        assert (await client.get(url)).text == "x"
    assert http.clock() >= 100_000
