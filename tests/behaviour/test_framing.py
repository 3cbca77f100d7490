"""However a response is cut into pieces, it means the same; and where it ends too early, it is an error."""

from __future__ import annotations

import gzip

import pytest

import httpure
from tests.peers import CLOSE, RESET, Answer, Peer, Site, dripping, scripted

from .world import World

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n7;name=value\r\n, world\r\n0\r\nX-Trailer: yes\r\n\r\n"
)
PACKED = gzip.compress(b"hello, world", mtime=0)
GZIPPED = (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED)) + PACKED
AFTER_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" + PLAIN
SHAPES = {"plain": PLAIN, "chunked": CHUNKED, "gzipped": GZIPPED, "after-hints": AFTER_HINTS}


@pytest.mark.parametrize("shape", SHAPES)
async def test_any_fragmentation_is_the_same(http: World, shape: str) -> None:
    whole = SHAPES[shape]
    cuts = range(1, len(whole)) if http.virtual else range(1, len(whole), 7)
    scripts = [[whole[:cut], 0.0005, whole[cut:]] for cut in cuts]
    url = http.serve(scripted(*scripts, dripping(whole, 1, 0.0002)))
    async with http.client() as client:
        for _ in [*cuts, "dripping"]:
            response = await client.get(url)
            assert (response.status_code, response.content) == (200, b"hello, world")
        assert client.statistics == (1, 1, 0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("end", [CLOSE, RESET])
async def test_any_truncation_is_an_error(http: World, shape: str, end) -> None:
    whole = SHAPES[shape]
    cuts = range(len(whole)) if http.virtual else [0, 5, 17, *range(20, len(whole), 16), len(whole) - 1]
    expected = httpure.RemoteProtocolError if end is CLOSE else httpure.ReadError
    scripts = iter([[whole[:cut], end] for cut in cuts])
    url = http.serve(lambda: scripted(next(scripts))())
    async with http.client() as client:
        for cut in cuts:
            with pytest.raises(expected) as caught:
                await client.get(url)
            assert caught.value.request.url == url, cut
            assert client.statistics.connections == 0


@pytest.mark.parametrize("shape", SHAPES)
async def test_truncation_seen_while_streaming(http: World, shape: str) -> None:
    whole = SHAPES[shape]
    url = http.serve(scripted([whole[:-3], CLOSE]))
    async with http.client() as client:
        with pytest.raises(httpure.RemoteProtocolError):
            async with client.stream("GET", url) as response:
                await http.read(response)
        assert client.statistics.connections == 0


class CutBelowTLS(Peer):
    """Sends a body that only the end of the connection ends, and then ends it without a word in TLS."""

    def receive_data(self, data: bytes) -> None:
        self.channel.send(b"HTTP/1.0 200 OK\r\n\r\nuntil the e")
        self.channel.truncate()  # type: ignore[attr-defined]


async def test_tls_needs_a_proper_end(http: World) -> None:
    proper = http.serve(scripted([b"HTTP/1.0 200 OK\r\n\r\nuntil the end", CLOSE]), tls=True)
    cut = http.serve(CutBelowTLS, tls=True)
    async with http.client(verify="test") as client:
        assert (await client.get(proper)).content == b"until the end"
        with pytest.raises(httpure.TransportError) as caught:
            await client.get(cut)
        assert f"GET {cut}/" in str(caught.value)
        assert client.statistics.connections == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"garbage\r\n\r\n", "not valid HTTP/1.1"),
        (b"\x00\x01\x02\x03" * 10 + b"\r\n\r\n", "not valid HTTP/1.1"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not valid HTTP/1.1"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "not valid HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not valid HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: twelve\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nfour", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "not valid HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n", "not valid HTTP/1.1"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 40, "informational"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2_000_000, "Limits\\(max_field_size="),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else "",
)
async def test_broken_responses(http: World, answer: bytes, words: str) -> None:
    broken = http.serve(scripted([answer]))
    sound = http.serve(Site(lambda call: Answer(200, b"sound")))
    async with http.client() as client:
        with pytest.raises(httpure.RemoteProtocolError, match=words) as caught:
            await client.get(broken + "/path?secret")
        assert f"GET {broken}/path" in str(caught.value)
        assert "secret" not in str(caught.value)
        assert client.statistics.connections == 0
        assert (await client.get(sound)).text == "sound"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_broken_codings(http: World, coding: str) -> None:
    fields = [("Content-Encoding", coding)]
    url = http.serve(Site(lambda call: Answer(200, b"this was never packed", fields)))
    async with http.client() as client:
        with pytest.raises(httpure.DecodingError) as caught:
            await client.get(url)
        assert caught.value.request.url == url
        with pytest.raises(httpure.DecodingError):
            async with client.stream("GET", url) as response:
                await http.read(response)
        assert client.statistics.connections == client.statistics.idle


async def test_truncated_gzip(http: World) -> None:
    fields = [("Content-Encoding", "gzip")]
    url = http.serve(Site(lambda call: Answer(200, PACKED[: int(call.path[1:])], fields)))
    async with http.client() as client:
        for size in range(1, len(PACKED)):
            with pytest.raises(httpure.DecodingError):
                await client.get(f"{url}/{size}")
        assert (await client.get(f"{url}/{len(PACKED)}")).content == b"hello, world"


async def test_body_longer_than_its_length(http: World) -> None:
    url = http.serve(scripted([PLAIN + b" and more"]))
    async with http.client() as client:
        for _ in range(2):
            assert (await client.get(url)).content == b"hello, world"


async def test_what_is_plain_means_the_same_to_h11(http: World) -> None:
    """`fast_lane=False` is a way to have h11 do all of HTTP/1.1."""
    url = http.serve(site := Site(lambda call: Answer(200, call.body, [("X-Target", call.target)])))
    transport = http.transport(fast_lane=False)
    async with http.client(transport=transport) as client:
        for body in (b"", b"hello"):
            response = await client.post(f"{url}/x", content=body)
            assert (response.content, response.headers["x-target"]) == (body, "/x")
    assert site.connections == 1
