"""A scripted HTTP proxy: it forwards, and makes tunnels, to the servers of its world."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from random import Random

from httpure_core.models.url import URL

from ..simulated.channel import Channel, Peer
from .answers import Answer
from .handshake import front
from .http1 import Http1Peer
from .received import Received
from .server import Server, Stage
from .site import SitePeer

__all__ = ["ScriptedProxy"]

#: Finds the server of a host and a port.
Find = Callable[[str, int], Server | None]


class ScriptedProxy:
    """An HTTP proxy. Made by `World.proxy`.

    >>> from httpure import testing
    >>> with testing.world() as world:
    ...     proxy = world.proxy("http://proxy.test:3128")
    ...     world.serve("https://api.test").otherwise(200)
    ...     with httpure.Client(proxy="http://proxy.test:3128") as client:
    ...         client.get("https://api.test/")
    ...     proxy.asked
    <Response [200 OK]>
    ['CONNECT api.test:443']
    """

    def __init__(self, stage: Stage, url: str, auth: tuple[str, str] | None, find: Find) -> None:
        self._stage = stage
        self._find = find
        self.url = URL(url)
        #: Its connections, in order.
        self.peers: list[SitePeer] = []
        #: What it was asked, such as "CONNECT api.test:443" and "GET http://api.test/".
        self.asked: list[str] = []
        self.max_streams: int | None = None
        self._refusals: deque[int] = deque()
        self._expected: str | None = None
        if auth is not None:
            self._expected = "Basic " + base64.b64encode(":".join(auth).encode()).decode()

    @property
    def scheme(self) -> str:
        """ "http"."""
        return self.url.scheme

    @property
    def random(self) -> Random:
        """The world's source of chance."""
        return self._stage.random

    def refuse(self, status: int = 502, times: int = 1) -> None:
        """Answer the next requests, CONNECT or other, with this status code."""
        self._refusals.extend([status] * times)

    def peer(self) -> Peer:
        """Return what meets a client of the proxy."""
        return _Tunnel(self)

    def refusal(self, authorization: str | None) -> int | None:
        """Return the status code by which the proxy refuses the next request; None if it does not."""
        if self._refusals:
            return self._refusals.popleft()
        return 407 if self._expected is not None and authorization != self._expected else None

    def server(self, host: str, port: int) -> Server | None:
        """Return who is behind it at that place; None for nobody."""
        return self._find(host, port)

    # See `site.Site`, for what it forwards.

    def received(
        self, method: str, url: str, fields: list[tuple[str, str]], /, *, connection: int, http_version: str
    ) -> Received:
        """Remember a request, here and where it goes."""
        self.asked.append(f"{method} {url}")
        request = Received(
            method, url, fields, connection=connection, http_version=http_version, at=self._stage.now
        )
        server = self._server_of(request)
        if server is not None:
            server.requests.append(request)
        return request

    def answers_early(self) -> bool:
        """Never."""
        return False

    def answer_for(self, request: Received, /) -> Answer:
        """Return what the server behind it answers, or that there is none."""
        status = self.refusal(request.headers.get("proxy-authorization"))
        server = self._server_of(request)
        if status is not None or server is None:
            return Answer(status or 502, headers={"Proxy-Authenticate": 'Basic realm="proxy"'})
        return server.answer_for(request)

    def problem(self, text: str, /) -> AssertionError:
        """Return the error that ends the test."""
        return self._stage.problem(f"The proxy {self.url}: {text}.")

    def _server_of(self, request: Received) -> Server | None:
        return self._find(request.url.host, request.url.port or 80)


class _Tunnel:
    """Hears the first request of a connection: CONNECT, and makes a tunnel, or another one, which is forwarded."""

    def __init__(self, proxy: ScriptedProxy) -> None:
        self._proxy = proxy
        self._heard = b""
        self._inner: Peer | None = None

    def connected(self, channel: Channel) -> None:
        """A client is here."""
        self._channel = channel

    def receive_data(self, data: bytes) -> None:
        """Bytes came."""
        if self._inner is not None:
            self._inner.receive_data(data)
            return
        self._heard += data
        if not self._heard.startswith(b"CONNECT "[: len(self._heard)]):
            proxy = self._proxy
            self._leave_to(Http1Peer(proxy, len(proxy.peers) + 1), self._heard)
        elif b"\r\n\r\n" in self._heard:
            self._connect()

    def receive_eof(self) -> None:
        """The client is gone."""
        if self._inner is not None:
            self._inner.receive_eof()
        else:
            self._channel.close()

    def _connect(self) -> None:
        head, _, self._heard = self._heard.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        place = first.split(" ")[1]
        host, _, port = place.rpartition(":")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self._proxy.asked.append(f"CONNECT {place}")
        status = self._proxy.refusal(fields.get("proxy-authorization"))
        server = self._proxy.server(host.strip("[]"), int(port))
        if status is None and server is not None:
            self._channel.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._leave_to(front(server), self._heard)
            return
        challenge = 'Proxy-Authenticate: Basic realm="proxy"\r\n' if status == 407 else ""
        self._channel.send(
            f"HTTP/1.1 {status or 502} No tunnel\r\n{challenge}Content-Length: 0\r\n\r\n".encode()
        )

    def _leave_to(self, inner: Peer, rest: bytes) -> None:
        self._inner = inner
        inner.connected(self._channel)
        if rest:
            inner.receive_data(rest)
