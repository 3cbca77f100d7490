"""What a server says is cut off behind each of its bytes: the whole right answer comes of it, or an error of ours.

There is one exception, which the protocol leaves no way around: the body of a response without a length, without
chunks, without a coding and without TLS, ends where the connection ends.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, ConnectProxy, Peer, SocksProxy, scripted, with_tls
from tests.peers.http2 import over_tls

from .cases import PATIENCE, SECRET
from .cutting import Meter, cut
from .http2 import END, Frames, continuation, data, frame, headers

HELLO = b"hello, world"
OK = b"HTTP/1.1 200 OK\r\n"
PACKED = gzip.compress(HELLO, mtime=0)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def chunks(body: bytes, trailers: bytes = b"") -> bytes:
    return b"%x\r\n%b\r\n%x;a=b\r\n%b\r\n0\r\n%b\r\n" % (5, body[:5], len(body) - 5, body[5:], trailers)


def plain(*steps: bytes) -> Callable[[], Peer]:
    return scripted([*steps, CLOSE])


#: Responses that tell where they end, and with which each byte is needed.
FRAMED: dict[str, Callable[[], Peer]] = {
    "length": plain(OK + b"Content-Length: 12\r\n\r\n" + HELLO),
    "chunks and trailers": plain(OK + CHUNKED + chunks(HELLO, b"X-A: b\r\nX-C: d\r\n")),
    "gzip": plain(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED),
    "gzip in chunks": plain(OK + b"Content-Encoding: gzip\r\n" + CHUNKED + chunks(PACKED)),
    "behind others": plain(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        + OK
        + b"Content-Length: 12\r\n\r\n"
        + HELLO
    ),
    "gzip until the end": plain(OK + b"Content-Encoding: gzip\r\n\r\n" + PACKED),
}
HTTP2_ANSWER = [
    frame(1, 0, 1, b"\x88"),
    continuation(1, b"\x00\x01a\x01b", 0x4),
    data(1, b"hello"),
    frame(0, 0x8, 1, b"\x03, wo\0\0\0"),
    data(1, b"rld"),
    headers(1, [(b"x-a", b"b")], 0x4 | END),
    CLOSE,
]


async def get(http: World, peer: Callable[[], Peer], **options: object) -> bytes | httpure.RequestError:
    """Ask a server, and return what comes of it: the body, or an error of ours."""
    tls = options.pop("tls", False)
    proxy = options.pop("proxy", None)
    port = http.listen(peer)
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    if proxy is not None:
        options["proxy"] = f"{proxy}://user:{SECRET}@127.0.0.1:{port}"
        url = "https://localhost" if proxy == "http" else "http://localhost"
    async with http.client(timeout=PATIENCE, verify="test" if tls or proxy else True, **options) as client:
        try:
            response = await client.get(f"{url}/place?key={SECRET}")
        except httpure.RequestError as exc:
            assert f"GET {url}/place" in str(exc)
            assert SECRET not in str(exc)
            return exc
        finally:
            transport = client.itself._transport_for_url(httpure.URL(url))
            assert transport.statistics.connections == transport.statistics.idle
        assert response.status_code == 200
        return response.content  # type: ignore[no-any-return]


def places(http: World, size: int, step: int = 1) -> list[int]:
    """Return where to cut: everywhere where that is cheap, and here and there where it is not."""
    if http.name == "simulated":
        return sorted({*range(0, size, step), size - 1})
    return sorted({0, 1, size // 3, size // 2, size - 2, size - 1})


@pytest.mark.parametrize("resets", [False, True], ids=["end", "reset"])
@pytest.mark.parametrize("shape", FRAMED)
async def test_framed(http: World, shape: str, resets: bool) -> None:
    peer = FRAMED[shape]
    meter = Meter()
    assert await get(http, cut(peer, None, meter=meter)) == HELLO
    for size in places(http, meter.sent):
        outcome = await get(http, cut(peer, size, resets))
        kind = type(outcome)
        if shape == "gzip until the end" and not resets and size >= meter.sent - len(PACKED):
            # Without a byte of it, it is empty: no coding has been begun.
            assert outcome == b"" if size == meter.sent - len(PACKED) else kind is httpure.DecodingError
        elif resets:
            assert kind is httpure.ReadError
        else:
            assert kind is httpure.RemoteProtocolError


async def test_until_the_end(http: World) -> None:
    """The exception: a body that only the end of the connection ends. With a reset, it is an error there, too."""
    head = OK + b"X-A: b\r\n\r\n"
    peer = plain(head + HELLO)
    for size in places(http, len(head) + len(HELLO)):
        outcome = await get(http, cut(peer, size))
        if size < len(head):
            assert type(outcome) is httpure.RemoteProtocolError
        else:
            assert outcome == HELLO[: size - len(head)]
        if 0 < size < len(head) + len(HELLO) - 1:
            assert type(await get(http, cut(peer, size, resets=True))) is httpure.ReadError


@pytest.mark.parametrize("resets", [False, True], ids=["end", "reset"])
async def test_http2(http: World, resets: bool) -> None:
    meter = Meter()

    def peer() -> Peer:
        return Frames(HTTP2_ANSWER)

    own = {"http1": False, "http2": True}
    assert await get(http, cut(peer, None, meter=meter), **own) == HELLO
    for size in places(http, meter.sent):
        outcome = await get(http, cut(peer, size, resets), **own)
        # Who answers to settings may learn of a reset while sending, and of an end, then, while reading.
        kinds = (httpure.ReadError, httpure.RemoteProtocolError) if resets else (httpure.RemoteProtocolError,)
        assert type(outcome) in kinds


#: Ways on which what is cut off is no HTTP: each of the bytes has been sealed, or is a proxy's.
WAYS: dict[str, tuple[Callable[[], Peer], dict[str, object], int]] = {
    "TLS": (with_tls(FRAMED["length"]), {"tls": True}, 61),
    "TLS, until the end": (with_tls(plain(OK + b"\r\n" + HELLO)), {"tls": True}, 61),
    "TLS and HTTP/2": (over_tls(lambda: Frames(HTTP2_ANSWER)), {"tls": True, "http2": True}, 61),
    "a tunnel": (ConnectProxy(with_tls(FRAMED["length"])), {"proxy": "http"}, 61),
    "SOCKS": (SocksProxy(FRAMED["length"], credentials=(b"user", SECRET.encode())), {"proxy": "socks5"}, 1),
}


@pytest.mark.parametrize("way", WAYS)
async def test_way(http: World, way: str) -> None:
    peer, options, step = WAYS[way]
    meter = Meter()
    assert await get(http, cut(peer, None, meter=meter), **options) == HELLO
    for size in places(http, meter.sent, step):
        this = Meter()  # where the bytes of TLS fall differs by a few from one time to the next
        outcome = await get(http, cut(peer, size, meter=this), **options)
        if not isinstance(outcome, httpure.TransportError):
            # Behind a response that tells where it ends, there may still be a good-bye, of TLS or HTTP/2.
            assert outcome == HELLO
            assert not this.cut or way != "TLS, until the end"
