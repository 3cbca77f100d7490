"""What cannot work fails with a typed error that names the host, and the client can be used after it."""

from __future__ import annotations

import pytest

import httpure
from tests.peers import CLOSE, RESET, Answer, Peer, Site, scripted
from tests.peers.tls import authority, with_tls

from .world import World, needs


def sound(call: object) -> Answer:
    return Answer(200, b"sound")


async def test_connection_refused(http: World) -> None:
    url = f"http://127.0.0.1:{http.free_port()}"
    async with http.client() as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get(url + "/path")
        assert (await client.get(http.serve(Site(sound)))).text == "sound"
    address = url.removeprefix("http://")
    assert str(caught.value) == (
        f"Could not connect to 127.0.0.1 ({address}: Connection refused), GET {url}/path"
    )


async def test_unresolvable_host(http: World) -> None:
    async with http.client() as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get("http://nonexistent.invalid/path")
        assert client.statistics.connections == 0
    message = str(caught.value)
    assert message.startswith("Could not look up the host name 'nonexistent.invalid' (")
    assert message.endswith("), GET http://nonexistent.invalid/path")
    assert "()" not in message


@needs("virtual")
async def test_two_addresses_the_first_of_which_refuses(http: World) -> None:
    network = http.simulation.network  # type: ignore[attr-defined]
    network.add_host("both.test", "10.9.9.9", "127.0.0.1")
    url = http.serve(Site(sound)).replace("127.0.0.1", "both.test")
    async with http.client() as client:
        assert (await client.get(url)).text == "sound"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ftp://127.0.0.1/", httpure.UnsupportedProtocol),
        ("/relative", httpure.UnsupportedProtocol),
        ("http://", httpure.UnsupportedProtocol),
        ("http://127.0.0.1:99999/", httpure.InvalidURL),
        ("http://exa mple.org/", httpure.InvalidURL),
        ("http://127.0.0.1/\r\nX: y", httpure.InvalidURL),
    ],
)
async def test_wrong_urls(http: World, url: str, kind: type[Exception]) -> None:
    async with http.client() as client:
        with pytest.raises(kind) as caught:
            await client.get(url)
        assert str(caught.value)
        assert (await client.get(http.serve(Site(sound)))).text == "sound"


@pytest.mark.parametrize(
    "fields", [{"X-Bad": "a\r\nY: b"}, {"X Bad": "a"}, {"X-Bad": "a\x00"}], ids=["crlf", "space", "nul"]
)
async def test_wrong_headers(http: World, fields: dict[str, str]) -> None:
    url = http.serve(site := Site(sound))
    async with http.client() as client:
        with pytest.raises((ValueError, httpure.LocalProtocolError)):
            await client.get(url, headers=fields)
    assert site.connections == 0


async def test_hang_up_before_the_answer(http: World) -> None:
    url = http.serve(scripted([CLOSE]))
    async with http.client() as client:
        with pytest.raises(
            httpure.RemoteProtocolError, match="closed the connection before its response"
        ) as caught:
            await client.get(url + "/path")
        assert f"GET {url}/path" in str(caught.value)
        with pytest.raises(httpure.RemoteProtocolError):
            await client.post(url, content=b"x" * 100)


async def test_reset_before_the_answer(http: World) -> None:
    url = http.serve(scripted([RESET]))
    async with http.client() as client:
        with pytest.raises(httpure.ReadError) as caught:
            await client.get(url)
        assert client.statistics.connections == 0
    assert str(caught.value) == f"The connection was lost: Connection reset by peer, GET {url}/"


async def test_hang_up_at_once(http: World) -> None:
    url = http.serve(scripted([CLOSE], at_once=True))
    async with http.client() as client:
        for _ in range(2):
            with pytest.raises((httpure.RemoteProtocolError, httpure.ReadError, httpure.WriteError)):
                await client.get(url)
        assert client.statistics.connections == 0


class ResetsWhenSentMuch(Peer):
    """Breaks the connection off when the first part of an upload has come."""

    def connected(self, channel) -> None:
        self.channel = channel
        self.size = 0

    def receive_data(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > 500_000:
            self.channel.reset()


async def test_reset_during_an_upload(http: World) -> None:
    url = http.serve(ResetsWhenSentMuch)
    pieces = [b"x" * 65536] * 200
    async with http.client() as client:
        for content in (http.body(pieces), b"".join(pieces)):
            with pytest.raises((httpure.WriteError, httpure.ReadError)) as caught:
                await client.post(url, content=content)
            assert f"POST {url}/" in str(caught.value)
            assert client.statistics.connections == 0


async def test_untrusted_certificate(http: World) -> None:
    url = http.serve(Site(sound), tls=True)
    async with http.client() as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get(url + "/path")
        assert client.statistics.connections == 0
    message = str(caught.value)
    assert type(caught.value) is httpure.CertificateError
    assert message.startswith("Could not make a TLS connection to 127.0.0.1 (its certificate is not trusted")
    assert f", GET {url}/path; " in message


async def test_certificate_of_another_host(http: World) -> None:
    context = authority().server_context("other.test")
    port = http.listen(with_tls(Site(sound), context))
    async with http.client(verify="test") as client:
        with pytest.raises(httpure.ConnectError, match=r"127\.0\.0\.1.*certificate"):
            await client.get(f"https://127.0.0.1:{port}")


async def test_https_to_a_server_without_tls(http: World) -> None:
    url = http.serve(Site(sound)).replace("http:", "https:")
    async with http.client(verify="test") as client:
        with pytest.raises(httpure.ConnectError, match="Could not make a TLS connection"):
            await client.get(url)


async def test_http_to_a_server_with_tls(http: World) -> None:
    url = http.serve(Site(sound), tls=True).replace("https:", "http:")
    async with http.client() as client:
        with pytest.raises(httpure.TransportError) as caught:
            await client.get(url)
        assert str(caught.value)


async def test_handshake_that_never_ends(http: World) -> None:
    url = http.serve(scripted()).replace("http:", "https:")
    async with http.client(verify="test", timeout=0.2) as client:
        with pytest.raises(httpure.ConnectTimeout, match="TLS handshake"):
            await client.get(url)
        assert client.statistics.connections == 0


async def test_hang_up_during_the_handshake(http: World) -> None:
    url = http.serve(scripted([CLOSE], at_once=True)).replace("http:", "https:")
    async with http.client(verify="test") as client:
        with pytest.raises(httpure.ConnectError, match="during the handshake"):
            await client.get(url)
