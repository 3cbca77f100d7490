"""Extensions: trace, target and timeout of requests; version, reason and the network stream of responses."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import wsproto
from wsproto.events import BytesMessage, CloseConnection, Pong, TextMessage

import httpure
from tests.peers import CLOSE, RESET, Answer, Deaf, Peer, Site, scripted, with_tls
from tests.peers.raw import CONNECTED, SWITCHED, Echo, WebSocketEcho, leaving
from tests.peers.tls import authority

from .world import World, needs

UPGRADE = {"Connection": "Upgrade", "Upgrade": "echo"}
EXCHANGE = [
    "http11.send_request_headers.started",
    "http11.send_request_headers.complete",
    "http11.send_request_body.started",
    "http11.send_request_body.complete",
    "http11.receive_response_headers.started",
    "http11.receive_response_headers.complete",
]
RECEIVED = ["http11.receive_response_body.started", "http11.receive_response_body.complete"]
CLOSED = ["http11.response_closed.started", "http11.response_closed.complete"]
DIALLED = ["connection.connect_tcp.started", "connection.connect_tcp.complete"]
SECURED = ["connection.start_tls.started", "connection.start_tls.complete"]


def hello(call: object) -> Answer:
    return Answer(200, b"hello")


async def done(result: Any) -> Any:
    """Wait, where that is to be done: streams have the colour of their client."""
    return await result if inspect.isawaitable(result) else result


async def exactly(stream: Any, size: int) -> bytes:
    """Read so many bytes, in however many pieces they come."""
    got = b""
    while len(got) < size:
        piece = await done(stream.read(size - len(got), timeout=5))
        assert piece, f"the end after {got!r}"
        got += piece
    return got


class Told:
    """A trace function: a plain one, or a coroutine function where the client may have one."""

    def __init__(self, http: World, waits: bool = False, raises: str = "") -> None:
        self.http, self.raises = http, raises
        self.events: list[str] = []
        self.infos: list[dict[str, Any]] = []
        self.function: Callable[..., Any] = self.wait if waits and not http.blocking else self.tell

    def tell(self, event: str, info: dict[str, Any]) -> None:
        self.events.append(event)
        self.infos.append(info)
        if event == self.raises:
            raise KeyError("of the trace function")

    async def wait(self, event: str, info: dict[str, Any]) -> None:
        await self.http.sleep(0.001)
        self.tell(event, info)

    @property
    def extensions(self) -> dict[str, Any]:
        return {"trace": self.function}


class TestTrace:
    @pytest.mark.parametrize("waits", [False, True], ids=["plain", "waiting"])
    async def test_tells_all_in_order(self, http: World, waits: bool) -> None:
        url = http.serve(Site(hello))
        told = Told(http, waits)
        async with http.client() as client:
            response = await client.get(url + "/a", extensions=told.extensions)
            assert told.events == DIALLED + EXCHANGE + RECEIVED + CLOSED
            dialled, connected, head = told.infos[0], told.infos[1], told.infos[7]
            assert dialled["host"] == "127.0.0.1"
            assert dialled["port"] == response.url.port
            assert connected["return_value"].get_extra_info("server_addr")[:2] == (
                "127.0.0.1",
                response.url.port,
            )
            assert head["return_value"] == (b"HTTP/1.1", 200, b"", response.headers.raw)
            assert told.infos[2]["request"] is response.request
            told.events.clear()
            await client.get(url, extensions=told.extensions)
            assert told.events == EXCHANGE + RECEIVED + CLOSED
            assert client.statistics == (1, 1, 0)

    async def test_tells_of_tls(self, http: World) -> None:
        url = http.serve(Site(hello), tls=True)
        told = Told(http)
        async with http.client(verify="test") as client:
            await client.get(url, extensions=told.extensions)
        assert told.events == DIALLED + SECURED + EXCHANGE + RECEIVED + CLOSED
        assert told.infos[2]["server_hostname"] == "127.0.0.1"
        assert told.infos[3]["return_value"].get_extra_info("ssl_object").version() == "TLSv1.3"

    async def test_tells_of_failing(self, http: World) -> None:
        told = Told(http)
        url = f"http://127.0.0.1:{http.free_port()}"
        async with http.client() as client:
            with pytest.raises(httpure.ConnectError) as caught:
                await client.get(url, extensions=told.extensions)
        assert told.events == [DIALLED[0], "connection.connect_tcp.failed"]
        assert told.infos[1] == {"exception": caught.value}

    async def test_goes_along_redirects(self, http: World) -> None:
        url = http.serve(
            Site(lambda call: Answer(302, fields=[("Location", "/b")]) if call.path == "/a" else Answer())
        )
        told = Told(http)
        async with http.client(follow_redirects=True) as client:
            await client.get(url + "/a", extensions=told.extensions)
        assert told.events == DIALLED + (EXCHANGE + RECEIVED + CLOSED) * 2

    @pytest.mark.parametrize("waits", [False, True], ids=["plain", "waiting"])
    async def test_tells_of_closing_half_way(self, http: World, waits: bool) -> None:
        url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]))
        told = Told(http, waits)
        async with http.client() as client:
            async with client.stream("GET", url, extensions=told.extensions):
                assert told.events[-1] == EXCHANGE[-1]
            assert told.events == DIALLED + EXCHANGE + CLOSED
            assert client.statistics == (0, 0, 0)

    @pytest.mark.parametrize("waits", [False, True], ids=["plain", "waiting"])
    @pytest.mark.parametrize("event", DIALLED + EXCHANGE + RECEIVED + CLOSED)
    async def test_what_it_raises_is_the_users_and_nothing_leaks(
        self, http: World, event: str, waits: bool
    ) -> None:
        url = http.serve(Site(hello))
        async with http.client(limits=httpure.Limits(max_connections=1)) as client:
            with pytest.raises(KeyError, match="of the trace function"):
                await client.post(url, content=b"data", extensions=Told(http, waits, event).extensions)
            statistics = client.statistics
            assert statistics.connections == statistics.idle
            assert (await client.get(url)).content == b"hello"

    @needs("cancels")
    @pytest.mark.parametrize("waits", [False, True], ids=["plain", "waiting"])
    async def test_a_cancellation_is_told_to_plain_functions(self, http: World, waits: bool) -> None:
        url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]))
        told = Told(http, waits)
        async with http.client() as client:
            assert await http.give_up(client.get(url, extensions=told.extensions), 0.1)
            assert client.statistics == (0, 0, 0)
        failed = [] if waits else ["http11.receive_response_body.failed", *CLOSED]
        assert told.events == DIALLED + EXCHANGE + RECEIVED[:1] + failed

    @needs("blocking")
    async def test_a_blocking_client_cannot_await(self, http: World) -> None:
        url = http.serve(Site(hello))

        async def trace(event: str, info: dict[str, Any]) -> None: ...

        async with http.client() as client:
            with pytest.raises(TypeError, match="trace functions of a blocking client are plain functions"):
                await client.get(url, extensions={"trace": trace})
            assert client.statistics == (0, 0, 0)


class TestTarget:
    async def test_asterisk_form(self, http: World) -> None:
        url = http.serve(site := Site(hello))
        async with http.client() as client:
            await client.options(url, extensions={"target": b"*"})
        assert (site.calls[0].method, site.calls[0].target) == ("OPTIONS", "*")

    async def test_is_sent_byte_for_byte(self, http: World) -> None:
        url = http.serve(site := Site(hello))
        async with http.client() as client:
            await client.get(url, extensions={"target": b"/a/../b//%7e?x=%"})
        assert site.calls[0].target == "/a/../b//%7e?x=%"

    @pytest.mark.parametrize("target", [b"/\r\nX-Injected: 1", b"/ HTTP/1.1", b"", b"/\x00"])
    async def test_is_one_word(self, http: World, target: bytes) -> None:
        url = http.serve(site := Site(hello))
        async with http.client() as client:
            with pytest.raises(
                httpure.LocalProtocolError, match="The extension 'target' is empty, or has other bytes"
            ):
                await client.get(url, extensions={"target": target})
            assert (await client.get(url)).content == b"hello"
        assert len(site.calls) == 1


class TestTimeout:
    async def test_can_be_given_as_an_extension(self, http: World) -> None:
        url = http.serve(scripted())
        request = httpure.Request("GET", url, extensions={"timeout": {"read": 0.05}})
        async with http.client() as client:
            with pytest.raises(httpure.ReadTimeout, match=r"Nothing was received for 0\.05 s"):
                await client.send(request)
            with pytest.raises(httpure.ReadTimeout):
                await client.get(url, extensions={"timeout": {"read": 0.05}})

    async def test_is_a_dict(self, http: World) -> None:
        async with http.client() as client:
            with pytest.raises(TypeError, match="The extension 'timeout' is a dict"):
                await client.get("http://127.0.0.1:1/", extensions={"timeout": 5.0})


async def test_version_and_reason(http: World) -> None:
    url = http.serve(scripted([b"HTTP/1.0 299 Quite OK\r\nContent-Length: 0\r\n\r\n"]))
    async with http.client() as client:
        response = await client.get(url)
    assert response.extensions["http_version"] == b"HTTP/1.0"
    assert response.extensions["reason_phrase"] == b"Quite OK"
    assert "stream_id" not in response.extensions


class TestInformation:
    async def test_while_the_response_is_open(self, http: World) -> None:
        url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]))
        async with http.client() as client, client.stream("GET", url) as response:
            tell = response.extensions["network_stream"].get_extra_info
            assert tell("server_addr")[:2] == ("127.0.0.1", response.url.port)
            assert isinstance(tell("client_addr")[1], int)
            assert tell("ssl_object") is None
            assert tell("is_readable") is False
            assert tell("anything else") is None
            if not http.virtual:
                assert tell("socket").getpeername() == tell("server_addr")

    async def test_after_it_as_long_as_the_connection_is(self, http: World) -> None:
        url = http.serve(Site(hello))
        async with http.client() as client:
            tell = (await client.get(url)).extensions["network_stream"].get_extra_info
            assert tell("server_addr")[0] == "127.0.0.1"
        assert (tell("server_addr"), tell("client_addr"), tell("socket")) == (None, None, None)
        assert tell("is_readable") is True

    async def test_of_tls(self, http: World) -> None:
        url = http.serve(Site(hello), tls=True)
        async with http.client(verify="test") as client:
            tls = (await client.get(url)).extensions["network_stream"].get_extra_info("ssl_object")
            assert tls.version() == "TLSv1.3"
            assert ("IP Address", "127.0.0.1") in tls.getpeercert()["subjectAltName"]

    async def test_something_has_come(self, http: World) -> None:
        url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0.02, CLOSE]))
        async with http.client() as client, client.stream("GET", url) as response:
            await http.sleep(0.1)
            assert response.extensions["network_stream"].get_extra_info("is_readable") is True


class TestUpgrade:
    async def test_bytes_go_both_ways(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Echo))
        async with http.client() as client:
            async with client.stream("GET", url, headers=UPGRADE) as response:
                assert response.status_code == 101
                stream = response.extensions["network_stream"]
                for word in (b"hello", b"there", b"x" * 100):
                    await done(stream.write(word))
                    assert await exactly(stream, len(word)) == word.upper()
                assert client.statistics == (1, 0, 0)
            assert client.statistics == (0, 0, 0)

    async def test_what_came_with_the_head_is_not_lost(self, http: World) -> None:
        url = http.serve(scripted([SWITCHED + b"early", 0.02, b" late"]))
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            assert await exactly(response.extensions["network_stream"], 10) == b"early late"

    async def test_the_body_is_empty(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Echo))
        async with http.client() as client:
            response = await client.get(url, headers=UPGRADE)
            assert (response.status_code, response.content) == (101, b"")
            assert client.statistics == (0, 0, 0), "nobody asked for a stream"

    @pytest.mark.parametrize("how", ["stream", "response"])
    async def test_closing_ends_the_connection(self, http: World, how: str) -> None:
        url = http.serve(leaving(SWITCHED, Echo))
        async with http.client(limits=httpure.Limits(max_connections=1)) as client:
            async with client.stream("GET", url, headers=UPGRADE) as response:
                stream = response.extensions["network_stream"]
                if how == "stream":
                    await done(stream.close() if http.blocking else stream.aclose())
                else:
                    await http.close_response(response)
                assert client.statistics == (0, 0, 0)
                with pytest.raises(httpure.ReadError, match=f"The connection was closed, GET {url}/"):
                    await done(stream.read(1))
                with pytest.raises(httpure.WriteError, match=f"The connection was closed, GET {url}/"):
                    await done(stream.write(b"x"))
            async with client.stream("GET", url, headers=UPGRADE) as response:
                assert response.status_code == 101

    async def test_the_end_and_the_loss_are_told_apart(self, http: World) -> None:
        for last, error in ((CLOSE, None), (RESET, httpure.ReadError)):
            url = http.serve(scripted([SWITCHED, b"bye", 0.05, last]))
            async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
                stream = response.extensions["network_stream"]
                assert await exactly(stream, 3) == b"bye"
                if error is None:
                    assert await done(stream.read(100, timeout=1)) == b""
                    assert await done(stream.read(100, timeout=1)) == b""
                else:
                    with pytest.raises(error, match="The connection was lost"):
                        await done(stream.read(100, timeout=1))

    async def test_reading_has_its_limit(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Echo))
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]
            with pytest.raises(httpure.ReadTimeout) as caught:
                await done(stream.read(100, timeout=0.05))
            assert str(caught.value) == (
                f"Nothing was received for 0.05 s, GET {url}/; allow more with read(timeout=...)"
            )
            await done(stream.write(b"on"))
            assert await done(stream.read(1, timeout=1)) == b"O"

    async def test_writing_has_its_limit(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Deaf))
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]
            with pytest.raises(httpure.WriteTimeout, match=r"Nothing could be sent for 0\.05 s, GET "):
                await done(stream.write(bytes(32 << 20), timeout=0.05))

    async def test_a_peer_that_talks_without_listening(self, http: World) -> None:
        """What it says while we write is not all taken: nobody has asked for it yet."""

        class Talks(Deaf):
            def connected(self, channel: Any) -> None:
                super().connected(channel)
                for _ in range(50):
                    channel.send(bytes(100_000))

        async with (
            http.client() as client,
            client.stream("GET", http.serve(leaving(SWITCHED, Talks)), headers=UPGRADE) as response,
        ):
            stream = response.extensions["network_stream"]
            with pytest.raises(httpure.WriteTimeout):
                await done(stream.write(bytes(32 << 20), timeout=0.05))
            assert 0 < stream._raw._machine.buffered < 1_000_000
            assert await exactly(stream, 5_000_000) == bytes(5_000_000), "nor is any of it lost"

    async def test_both_ways_at_the_same_time(self, http: World) -> None:
        """More than any buffer holds: who writes must not wait for who reads, nor the other way round."""
        url = http.serve(leaving(SWITCHED, Echo))
        size = 8 << 20
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]

            async def write() -> None:
                await done(stream.write(b"x" * size, timeout=5))

            async def read() -> bytes:
                return await exactly(stream, size)

            assert await http.gather(write(), read()) == [None, b"X" * size]

    async def test_two_who_write(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Echo))
        size = 4 << 20
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]

            async def write(byte: bytes) -> None:
                await done(stream.write(byte * size, timeout=5))

            async def read() -> bytes:
                return await exactly(stream, 2 * size)

            results = await http.gather(write(b"a"), write(b"b"), read())
            assert results[:2] == [None, None]
            assert results[2] in (b"A" * size + b"B" * size, b"B" * size + b"A" * size)

    async def test_two_who_cannot_write(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Deaf))
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]

            async def write() -> None:
                await done(stream.write(bytes(16 << 20), timeout=0.05))

            kinds = [type(result) for result in await http.gather(write(), write())]
            assert kinds == [httpure.WriteTimeout] * 2

    async def test_one_who_reads(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Echo))
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]

            async def read() -> bytes:
                return await done(stream.read(100, timeout=0.1))  # type: ignore[no-any-return]

            kinds = {type(result) for result in await http.gather(read(), read())}
            assert kinds == {httpure.ReadTimeout, httpure.StreamError}

    async def test_closing_the_client_ends_it(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Echo))
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]

            async def close() -> None:
                await http.sleep(0.05)
                await client.close()

            async def read() -> bytes:
                return await done(stream.read(100, timeout=3))  # type: ignore[no-any-return]

            result, _ = await http.gather(read(), close())
            assert isinstance(result, httpure.ReadError)
            assert "closed" in str(result)

    @needs("cancels")
    async def test_a_cancelled_read_loses_nothing(self, http: World) -> None:
        url = http.serve(scripted([SWITCHED, 0.1, b"late"]))
        async with http.client() as client, client.stream("GET", url, headers=UPGRADE) as response:
            stream = response.extensions["network_stream"]
            assert await http.give_up(stream.read(100), 0.05)
            assert await exactly(stream, 4) == b"late"

    async def test_a_refused_upgrade(self, http: World) -> None:
        url = http.serve(Site(hello))
        async with http.client() as client:
            async with client.stream("GET", url, headers=UPGRADE) as response:
                assert await http.read(response) == b"hello"
                with pytest.raises(httpure.StreamError, match="The connection speaks HTTP"):
                    await done(response.extensions["network_stream"].read(100))
            assert client.statistics == (1, 1, 0)

    async def test_a_switch_that_nobody_asked_for(self, http: World) -> None:
        url = http.serve(scripted([SWITCHED + b"bytes"]))
        async with http.client() as client:
            with pytest.raises(httpure.RemoteProtocolError, match="The head of the response is not valid"):
                await client.get(url)
            assert client.statistics == (0, 0, 0)

    async def test_over_tls(self, http: World) -> None:
        url = http.serve(leaving(SWITCHED, Echo), tls=True)
        async with (
            http.client(verify="test") as client,
            client.stream("GET", url, headers=UPGRADE) as response,
        ):
            stream = response.extensions["network_stream"]
            await done(stream.write(b"hello"))
            assert await exactly(stream, 5) == b"HELLO"
            assert stream.get_extra_info("ssl_object") is not None


class TestConnect:
    """A tunnel by hand."""

    async def test_to_a_server_that_speaks_first(self, http: World) -> None:
        url = http.serve(leaving(CONNECTED + b"220 ready\r\n", Echo))
        async with http.client() as client:
            async with client.stream("CONNECT", url, extensions={"target": b"mail.example:25"}) as response:
                assert response.status_code == 200
                stream = response.extensions["network_stream"]
                assert await exactly(stream, 11) == b"220 ready\r\n"
                await done(stream.write(b"helo"))
                assert await exactly(stream, 4) == b"HELO"
            assert client.statistics == (0, 0, 0)

    async def test_with_tls_inside(self, http: World) -> None:
        url = http.serve(leaving(CONNECTED, with_tls(Site(hello))))
        async with http.client() as client:
            async with client.stream("CONNECT", url, extensions={"target": b"localhost:443"}) as response:
                stream = response.extensions["network_stream"]
                stream = await done(stream.start_tls(authority().trusting, "localhost", timeout=5))
                await done(stream.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
                got = b""
                while piece := await done(stream.read(100)):
                    got += piece
                assert got.endswith(b"hello")
                assert stream.get_extra_info("ssl_object").version() == "TLSv1.3"
            assert client.statistics == (0, 0, 0)

    async def test_with_tls_in_tls(self, http: World) -> None:
        url = http.serve(leaving(CONNECTED, with_tls(Site(hello))), tls=True)
        async with http.client(verify="test") as client:
            async with client.stream("CONNECT", url, extensions={"target": b"localhost:443"}) as response:
                stream = response.extensions["network_stream"]
                outer = stream.get_extra_info("ssl_object")
                await done(stream.start_tls(authority().trusting, "localhost", timeout=5))
                await done(stream.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
                assert await exactly(stream, 12) == b"HTTP/1.1 200"
                assert stream.get_extra_info("ssl_object") is not outer

    @pytest.mark.parametrize(
        ("inner", "words"),
        [
            (with_tls(Site(hello)), r"its certificate is for .*, not for other\.example"),
            (Echo, "wrong version number|record|unexpected"),
        ],
        ids=["another name", "no TLS"],
    )
    async def test_with_tls_that_fails(self, http: World, inner: Callable[[], Peer], words: str) -> None:
        url = http.serve(leaving(CONNECTED, inner))
        async with http.client() as client:
            async with client.stream("CONNECT", url, extensions={"target": b"x:443"}) as response:
                stream = response.extensions["network_stream"]
                with pytest.raises(httpure.TLSError, match=words) as caught:
                    await done(stream.start_tls(authority().trusting, "other.example", timeout=5))
                assert str(caught.value).startswith("Could not start TLS with other.example (")
            assert client.statistics == (0, 0, 0)

    async def test_with_tls_that_takes_too_long(self, http: World) -> None:
        url = http.serve(leaving(CONNECTED, Peer))
        async with http.client() as client:
            async with client.stream("CONNECT", url, extensions={"target": b"x:443"}) as response:
                stream = response.extensions["network_stream"]
                with pytest.raises(
                    httpure.ConnectTimeout, match=r"No TLS connection was made within 0\.05 s because"
                ):
                    await done(stream.start_tls(authority().trusting, "x", timeout=0.05))

    async def test_needs_a_target(self, http: World) -> None:
        url = http.serve(site := Site(hello))
        async with http.client() as client:
            with pytest.raises(
                httpure.LocalProtocolError, match="A CONNECT request says where to connect to"
            ):
                await client.request("CONNECT", url)
        assert not site.calls

    async def test_can_be_refused(self, http: World) -> None:
        url = http.serve(scripted([b"HTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nauth"]))
        async with http.client() as client:
            response = await client.request("CONNECT", url, extensions={"target": b"x:443"})
            assert (response.status_code, response.content) == (407, b"auth")
            assert client.statistics == (1, 1, 0)


@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
async def test_websocket(http: World, tls: bool) -> None:
    """The protocol's machine is wsproto's; httpure makes the handshake, and carries the frames."""
    url = http.serve(WebSocketEcho, tls=tls)
    socket = wsproto.connection.Connection(wsproto.ConnectionType.CLIENT)
    fields = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "echo",
    }
    async with http.client(verify="test") as client:
        async with client.stream("GET", url, headers=fields) as response:
            assert response.status_code == 101
            assert response.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
            assert response.headers["Sec-WebSocket-Protocol"] == "echo"
            stream = response.extensions["network_stream"]

            async def ask(message: Any) -> Any:
                await done(stream.write(socket.send(message)))
                events: list[Any] = []
                while not events or not getattr(events[-1], "message_finished", True):
                    socket.receive_data(await done(stream.read(65536, timeout=3)) or None)
                    events += socket.events()
                if hasattr(events[0], "message_finished"):
                    return type(events[0].data)().join(event.data for event in events)
                return events[0]

            assert await ask(TextMessage("hello")) == "hello"
            assert await ask(BytesMessage(bytes(200_000))) == bytes(200_000)
            assert isinstance(await ask(wsproto.events.Ping(b"there?")), Pong)
            assert isinstance(await ask(CloseConnection(1000)), CloseConnection)
            assert await done(stream.read(100, timeout=3)) == b""
        assert client.statistics == (0, 0, 0)
