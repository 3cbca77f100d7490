"""Frames without end that bring nobody forward, windows that never open, goodbyes that come too early or each time."""

from __future__ import annotations

import pytest

import httpure
from tests.behaviour.world import World
from tests.peers import scripted

from .cases import PATIENCE, SECRET, SOUND, Fails, Gives, check_message, each
from .http2 import (
    END,
    END_HEADERS,
    Frames,
    continuation,
    data,
    frame,
    goaway,
    headers,
    ping,
    reset,
    settings,
    sound,
    window_update,
)
from .test_http2 import Case2, play, says

MANY = 3_000
OK = (b":status", b"200")
#: Where few frames are many bytes, there is no flood; but no progress either, whatever comes.
SILENT = Fails(httpure.ReadTimeout, "read timeout")
HASTE = {"timeout": httpure.Timeout(PATIENCE, read=0.05)}
CALM = Fails(httpure.RemoteProtocolError, "broke the rules of HTTP/2")

FLOODS = (
    says("SETTINGS", settings() * MANY, outcome=CALM),
    says(
        "SETTINGS that change everything",
        settings([(1, 0), (4, 0), (4, 70_000), (1, 4096)]) * MANY,
        outcome=CALM,
    ),
    says("acknowledgements of SETTINGS", settings(flags=1) * MANY, outcome=CALM),
    says("PING", ping() * MANY, outcome=CALM),
    says("answers to PING", ping(1) * MANY, outcome=CALM),
    says("empty DATA", headers(1, [OK]), data(1, b"") * MANY, outcome=CALM),
    says("DATA of nothing but padding", headers(1, [OK]), frame(0, 8, 1, b"\x01\x00") * MANY, outcome=CALM),
    says("DATA for a stream that is not open", data(3, b"x" * 100) * MANY, outcome=CALM),
    says("RST_STREAM", reset(3) * MANY, outcome=CALM),
    says(
        "RST_STREAM of a stream that is over",
        reset(1) + reset(1) * MANY,
        outcome=Fails(httpure.RemoteProtocolError),
    ),
    says("WINDOW_UPDATE", window_update(0, 1) * MANY, outcome=CALM),
    says("WINDOW_UPDATE of the stream", window_update(1, 1) * MANY, outcome=CALM),
    says("PRIORITY", frame(2, 0, 1, bytes(5)) * MANY, outcome=CALM),
    says(
        "PRIORITY of streams that nobody opened",
        b"".join(frame(2, 0, n, bytes(5)) for n in range(3, 9999, 2)),
        outcome=CALM,
    ),
    says("GOAWAY", goaway(2**31 - 1) * MANY, outcome=CALM),
    says("unknown frames", frame(0x99, 0, 1, b"?") * MANY, outcome=CALM),
    says(
        "large unknown frames",
        frame(0x99, 0, 1, bytes(16_384)) * 100,
        outcome=SILENT,
        kept=None,
        request=HASTE,
    ),
    says("ALTSVC", frame(0xA, 0, 0, b'\0\0h2="evil.test:443"') * MANY, outcome=CALM),
    says(
        "informational heads",
        headers(1, [(b":status", b"103")]) * MANY,
        outcome=Fails(httpure.HeadTooLarge, "max_informational", "max_informational"),
        kept=False,
    ),
    says(
        "heads for a stream that is over",
        reset(1) + headers(1, [OK]) * MANY,
        outcome=Fails(httpure.RemoteProtocolError),
    ),
    says(
        "a head that never ends",
        frame(1, 0, 1),
        continuation(1, b"") * MANY,
        outcome=Fails(httpure.HeadTooLarge),
    ),
    says("a mixture", (ping() + settings() + window_update(0, 1) + frame(0x99)) * MANY, outcome=CALM),
)


@each(*FLOODS)
async def test_flood(http: World, case: Case2) -> None:
    await play(http, case)


WINDOWS = (
    says(
        "a stream's window beyond all",
        window_update(1, 2**31 - 1),
        headers(1),
        outcome=Fails(httpure.RemoteProtocolError, "window"),
        kept=True,
    ),
    says(
        "settings that make a window too large",
        window_update(1, 2**30),
        settings([(4, 2**31 - 1)]),
        headers(1),
        outcome=Fails(httpure.RemoteProtocolError),
    ),
    says(
        "a stream's window by 0", window_update(1, 0), headers(1), outcome=Fails(httpure.RemoteProtocolError)
    ),
    says(
        "a body of 1,000 bytes, byte by byte",
        headers(1, [OK]),
        data(1, b"x") * 999,
        data(1, b"x", END),
        outcome=Gives(b"x" * 1000),
        kept=True,
    ),
    says(
        "a body larger than is wanted",
        headers(1, [OK]),
        *[data(1, bytes(16_384))] * 3,
        outcome=Fails(httpure.BodyTooLarge, "max_body", "max_body"),
        kept=True,
        client={"limits": httpure.Limits(max_body=20_000)},
    ),
)


@each(*WINDOWS)
async def test_window(http: World, case: Case2) -> None:
    await play(http, case)


@pytest.mark.parametrize("window", [0, 1, 100])
async def test_a_window_that_never_opens(http: World, window: int) -> None:
    url = http.serve(lambda: Frames(hello=settings([(4, window)])))
    timeout = httpure.Timeout(PATIENCE, write=0.05)
    async with http.client(http1=False, http2=True, timeout=timeout) as client:
        assert (await client.get(url)).content == b"sound"  # its settings are known from here on
        with pytest.raises(httpure.WriteTimeout) as caught:
            await client.post(f"{url}/place?key={SECRET}", content=b"x" * 1000)
        check_message(caught.value, f"POST {url}/place")
        assert client.statistics.connections == client.statistics.idle
        assert (await client.get(url)).content == b"sound"


@pytest.mark.parametrize("name", ["GOAWAY", "REFUSED_STREAM"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_refused_each_time(http: World, name: str, method: str) -> None:
    """A server that says each time that it has not looked at the request is not asked for ever."""
    peers: list[Frames] = []

    class Refusing(Frames):
        def _answer(self, stream: int) -> None:
            self.channel.send(goaway(0) if name == "GOAWAY" else reset(stream, 7))

    def make() -> Frames:
        peers.append(Refusing())
        return peers[-1]

    url = http.serve(make)
    async with http.client(http1=False, http2=True, timeout=PATIENCE) as client:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            await client.request(method, f"{url}/place?key={SECRET}")
        check_message(caught.value, f"{method} {url}/place")
        assert caught.value.unprocessed
        assert sum(len(peer.opened) for peer in peers) <= 10
        assert client.statistics.connections == client.statistics.idle


async def test_no_stream_allowed(http: World) -> None:
    """A server that allows no stream keeps nobody for longer than the limits of time."""
    url = http.serve(lambda: Frames(hello=settings([(3, 0)])))
    timeout = httpure.Timeout(0.2, total=0.5)
    async with http.client(http1=False, http2=True, timeout=timeout) as client:
        for _ in range(2):
            try:
                assert (await client.get(f"{url}/place?key={SECRET}")).content == b"sound"
            except httpure.TransportError as exc:
                check_message(exc, f"GET {url}/place")


#: What comes of the first of two requests on one connection, and of the second, when both have come.
PAIRS: dict[str, tuple[bytes, bool, bool]] = {
    "both, the later one first": (sound(3) + sound(1), True, True),
    "both, in turns": (
        headers(3)
        + headers(1)
        + data(3, b"sou")
        + data(1, b"so")
        + data(3, b"nd", END)
        + data(1, b"und", END),
        True,
        True,
    ),
    "a reset of the first": (reset(1) + sound(3), False, True),
    "a bad head of the first": (headers(1, [(b"a", b"b")]) + sound(3), False, True),
    "a bad length of the first": (headers(1) + data(1, b"so", END) + sound(3), False, True),
    "a body without head of the first": (data(1, b"x") + sound(3), False, True),
    "a body without head of the first, and more of it": (data(1, b"x" * 1000) * 50 + sound(3), False, True),
    "a window beyond all of the first": (window_update(1, 2**31 - 1) + sound(3), False, True),
    "heads within heads": (
        frame(1, 0, 1, b"\x88") + headers(3) + continuation(1, b"", END_HEADERS),
        False,
        False,
    ),
    "one, and a bad frame": (sound(3) + data(0, b"x"), False, True),
    "one, and a goodbye to the other": (sound(1) + goaway(1), True, True),
    "one, and an end": (sound(3) + goaway(3), False, True),
}


class Pairing(Frames):
    """Says what it has to say when two requests have come; nothing to those that come again."""

    def __init__(self, answer: bytes, ends: bool) -> None:
        super().__init__()
        self.reply = answer
        self.ends = ends

    def _answer(self, stream: int) -> None:
        if stream == 1:
            return
        if stream == 3:
            self.channel.send(self.reply)
            if self.ends:
                self.channel.close()
        else:
            self.channel.send(sound(stream))


@pytest.mark.parametrize("name", PAIRS)
async def test_neighbours(http: World, name: str) -> None:
    """What a server does to one request must not become another's response, nor its error where it need not be."""
    reply, first_given, second_given = PAIRS[name]
    peers: list[Frames] = []

    def make() -> Frames:
        peers.append(Pairing(reply, name == "one, and an end") if not peers else Frames())
        return peers[-1]

    url = http.serve(make)
    async with http.client(http1=False, http2=True, timeout=PATIENCE) as client:
        both = await http.gather(client.post(url + "/first"), client.post(url + "/second"))
        given = sorted(isinstance(each, httpure.Response) for each in both)
        assert given == sorted((first_given, second_given))
        for response in both:
            if isinstance(response, httpure.Response):
                assert response.content == b"sound"
            else:
                assert type(response) is httpure.RemoteProtocolError
                check_message(response, f"POST {url}/")
        assert client.statistics.connections == client.statistics.idle
        assert (await client.get(url)).content == b"sound"


#: What an idle connection hears; whether it may go on.
IDLE: dict[str, tuple[bytes, bool]] = {
    "a response to the next request": (sound(3), False),
    "a head for the next request": (headers(3), False),
    "a goodbye": (goaway(1), False),
    "a push": (frame(5, END_HEADERS, 1, b"\0\0\0\2\x82"), False),
    "junk": (b"HTTP/1.1 408 Request Timeout\r\n\r\n", False),
    "a PING": (ping(), True),
    "other settings": (settings([(3, 1)]), True),
}


@pytest.mark.parametrize("name", IDLE)
async def test_while_idle(http: World, name: str) -> None:
    """HTTP/2 has numbers: what comes for a stream that is not open yet is no response to it."""
    told, kept = IDLE[name]
    peers: list[Frames] = []
    said = False

    class Later(Frames):
        def _answer(self, stream: int) -> None:
            self.channel.send(sound(stream))
            if len(peers) == 1 and stream == 1:
                self.channel.call_later(0.01, self.speak)

        def speak(self) -> None:
            nonlocal said
            self.channel.send(told)
            said = True

    def make() -> Frames:
        peers.append(Later())
        return peers[-1]

    url = http.serve(make)
    async with http.client(http1=False, http2=True, timeout=PATIENCE) as client:
        assert (await client.get(url)).content == b"sound"
        for _ in range(1000):
            if said:
                break
            await http.sleep(0.005)
        assert said
        await http.sleep(0.01)  # on an event loop, what came is seen once it runs
        assert (await client.post(url)).content == b"sound"
        assert len(peers) == (1 if kept else 2)
        assert client.statistics.connections == client.statistics.idle


async def test_http1_over_http2_by_prior_knowledge(http: World) -> None:
    """Who was told that it is HTTP/2 does not fall back to something else."""
    url = http.serve(scripted([SOUND], at_once=True))
    async with http.client(http1=False, http2=True, timeout=PATIENCE) as client:
        with pytest.raises(httpure.RemoteProtocolError, match=r"HTTP/1\.1") as caught:
            await client.get(f"{url}/place?key={SECRET}")
        check_message(caught.value, f"GET {url}/place")
        assert client.statistics == (0, 0, 0)
