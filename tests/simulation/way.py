"""What stands between a client and a server: a handshake in the place of TLS, with ALPN, and proxies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from httpure_core.layers import Passage
from tests.peers import Peer

__all__ = ["FakeTLS", "Secured", "Socks", "Tunnel"]


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
    """A proxy that answers CONNECT; `serve(host, port)` makes what stands behind it. All else goes to `forward`.

    Where the world has a `proxy_secret`, it wants to hear that.
    """

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
        fields = head.decode().lower().split("\r\n")[1:]
        told = {name: value for name, _, value in (field.partition(": ") for field in fields)}
        secret = self._world.proxy_secret
        if not told.keys() <= {"host", "proxy-authorization", "user-agent", "accept", "proxy-connection"}:
            self._world.ledger.wrong.append(f"the proxy was told {told}")
        if told.get("proxy-authorization") != (secret and secret.lower()):
            self._world.ledger.wrong.append(f"the proxy was not told who we are: {told}")
        mood = self._world.bad_way()
        if mood == "refuse":
            self.channel.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        elif mood == "close":
            self.channel.close()
        elif mood == "":
            self.channel.send(b"HTTP/1.1 200 OK\r\n\r\n")
            self.leave_to(self._serve(host, int(port)), rest)


class Socks(_Inner):
    """A SOCKS5 proxy, which wants to hear user name and password where these are given."""

    def __init__(self, world: Any, serve: Callable[[str, int], Peer], pair: tuple[str, str] | None) -> None:
        super().__init__()
        self._world, self._serve, self._pair = world, serve, pair
        self._steps = [self._choose, *([self._check] if pair else []), self._connect]

    def hear(self) -> None:
        while self._steps and (used := self._steps[0](self._heard)):
            self._heard = self._heard[used:]
            if self._over:
                return
            del self._steps[0]
        if not self._steps:
            self._over = True
            mood = self._world.bad_way()
            if mood == "refuse":
                self.channel.send(b"\x05\x05\x00\x01\0\0\0\0\0\0")
            elif mood == "close":
                self.channel.close()
            elif mood == "":
                self.channel.send(b"\x05\x00\x00\x01\0\0\0\0\0\0")
                self.leave_to(self._serve(*self._place), self._heard)

    def _choose(self, data: bytes) -> int:
        if len(data) < 2 or len(data) < 2 + data[1]:
            return 0
        method = 2 if self._pair else 0
        assert method in data[2 : 2 + data[1]], data
        self.channel.send(bytes([5, method]))
        return 2 + data[1]

    def _check(self, data: bytes) -> int:
        assert self._pair is not None
        name, password = (text.encode() for text in self._pair)
        right = b"\x01%c%b%c%b" % (len(name), name, len(password), password)
        if len(data) < len(right):
            return 0
        if data[: len(right)] != right:
            self._world.ledger.wrong.append(f"the SOCKS proxy was told {data!r}")
        self.channel.send(b"\x01\x00")
        return len(right)

    def _connect(self, data: bytes) -> int:
        if len(data) < 5 or len(data) < 7 + data[4]:
            return 0
        end = 5 + data[4]
        self._place = (data[5:end].decode(), int.from_bytes(data[end : end + 2]))
        return end + 2
