"""What stands between a client and a server: a handshake in the place of TLS, with ALPN, and proxies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from httpure_core.layers import Passage
from tests.peers import Peer

__all__ = ["FakeTLS", "Secured", "Tunnel"]


class FakeTLS:
    """Takes the place of a TLS configuration: one line says who is meant and what we speak, another one answers."""

    prepared = True

    def machine(self, host: str, alpn: list[str]) -> Any:
        return _Handshake(host, alpn)


class _Handshake(Passage):
    protocol: str | None = None

    def __init__(self, host: str, alpn: list[str]) -> None:
        super().__init__()
        self.outgoing = f"TLS {host} {','.join(alpn)}\n".encode()
        self._heard = b""

    def hear(self, data: bytes) -> None:
        line, found, rest = (self._heard + data).partition(b"\n")
        if not found:
            self._heard = line
        elif line == b"NO":
            self.fail("it does not want to")
        else:
            self.protocol = line.decode()
            self.succeed()
            if rest:
                self.inner.receive_data(rest)


class _Inner(Peer):
    """Hears something first, and then leaves the client to another peer."""

    def __init__(self) -> None:
        self._heard = b""
        self._inner: Peer | None = None
        self._over = False

    def receive_data(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.receive_data(data)
        elif not self._over:
            self._heard += data
            self.hear()

    def hear(self) -> None:
        raise NotImplementedError

    def leave_to(self, inner: Peer, rest: bytes) -> None:
        self._inner = inner
        inner.connected(self.channel)
        if rest:
            inner.receive_data(rest)

    def receive_eof(self) -> None:
        self._over = True
        if self._inner is not None:
            self._inner.receive_eof()
        else:
            self.channel.close()


class Secured(_Inner):
    """A server behind `FakeTLS`. `speaks(offered)` chooses the protocol, and `serve(protocol)` makes the peer."""

    def __init__(self, world: Any, speaks: Callable[[list[str]], str], serve: Callable[[str], Peer]) -> None:
        super().__init__()
        self._world, self._speaks, self._serve = world, speaks, serve

    def hear(self) -> None:
        line, found, rest = self._heard.partition(b"\n")
        if not found:
            return
        self._over = True
        _, _, offered = line.decode().split(" ")
        mood = self._world.bad_way()
        if mood == "refuse":
            self.channel.send(b"NO\n")
        elif mood == "close":
            self.channel.close()
        elif mood == "":
            protocol = self._speaks(offered.split(","))
            self.channel.send(protocol.encode() + b"\n")
            self.leave_to(self._serve(protocol), rest)


class Tunnel(_Inner):
    """A proxy that answers CONNECT; `serve(host, port)` makes what stands behind it. All else goes to `forward`."""

    def __init__(self, world: Any, serve: Callable[[str, int], Peer], forward: Callable[[], Peer]) -> None:
        super().__init__()
        self._world, self._serve, self._forward = world, serve, forward

    def hear(self) -> None:
        if not self._heard.startswith(b"CONNECT "[: len(self._heard)]):
            self._over = True
            self.leave_to(self._forward(), self._heard)
            return
        head, found, rest = self._heard.partition(b"\r\n\r\n")
        if not found:
            return
        self._over = True
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        mood = self._world.bad_way()
        if mood == "refuse":
            self.channel.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        elif mood == "close":
            self.channel.close()
        elif mood == "":
            self.channel.send(b"HTTP/1.1 200 OK\r\n\r\n")
            self.leave_to(self._serve(host, int(port)), rest)
