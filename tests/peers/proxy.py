"""Proxies. What they connect to is another peer, which then has the client's bytes to itself.

proxy = ConnectProxy(with_tls(site))
url = http.serve(proxy)
...
assert proxy.requests[0].target == "localhost:443"

A forward proxy needs nothing new: it is a `Site` that looks at `call.target`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .digest import DigestGuard
from .peer import Channel, Peer
from .script import CLOSE, RESET, Step

__all__ = ["ConnectProxy", "ConnectRequest", "SocksProxy", "SocksRequest"]

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ConnectRequest:
    """What a proxy was asked: `target` as in the request line, `fields` by names in lower case."""

    def __init__(self, head: bytes) -> None:
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = line.split(" ")
        self.fields = {
            name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)
        }


class ConnectProxy:
    """Makes proxies that answer CONNECT with `answer`, bytes or a script, and then leave the client to an `origin`.

    With `credentials`, the value that Proxy-Authorization must have, others get a 407; a `DigestGuard` wants to have
    them proved. `leaves`: how the connection ends after a 407, "says" so, "silent", or not at all. Without an
    origin, or where the answer is no 2xx, whatever the client says is ignored.
    """

    def __init__(
        self,
        origin: Callable[[], Peer] | None = None,
        answer: bytes | Sequence[Step] = ESTABLISHED,
        credentials: str | DigestGuard | None = None,
        leaves: str = "",
    ) -> None:
        self.origin = origin
        self.answer: Sequence[Step] = [answer] if isinstance(answer, bytes) else answer
        self.credentials = credentials
        self.leaves = leaves
        #: Connections that were made.
        self.connections = 0
        self.requests: list[ConnectRequest] = []
        #: Of the connections, those that the client has closed.
        self.closed = 0

    def __call__(self) -> Peer:
        self.connections += 1
        return _Connecting(self)

    def challenge(self, request: ConnectRequest) -> str | None:
        """Return what the client is asked for, None where it has said enough."""
        given = request.fields.get("proxy-authorization")
        if isinstance(self.credentials, DigestGuard):
            return self.credentials.challenge("CONNECT", request.target, given)
        return None if self.credentials in (None, given) else "Basic realm=x"


class _Relay(Peer):
    """A proxy's connection: first `hear` gets the bytes, and after `pass_on` the origin."""

    def __init__(self) -> None:
        self.received = b""
        self._origin: Peer | None = None

    def receive_data(self, data: bytes) -> None:
        if self._origin is not None:
            self._origin.receive_data(data)
        else:
            self.received += data
            self.hear()

    def hear(self) -> None:
        raise NotImplementedError

    def pass_on(self, origin: Callable[[], Peer] | None) -> None:
        self._origin = Peer() if origin is None else origin()
        self._origin.connected(self.channel)
        received, self.received = self.received, b""
        if received:
            self._origin.receive_data(received)

    def receive_eof(self) -> None:
        if self._origin is not None:
            self._origin.receive_eof()
        else:
            self.channel.close()


class _Connecting(_Relay):
    def __init__(self, proxy: ConnectProxy) -> None:
        super().__init__()
        self._proxy = proxy

    def hear(self) -> None:
        head, end, self.received = self.received.partition(b"\r\n\r\n")
        if not end:
            self.received = head
            return
        request = ConnectRequest(head)
        self._proxy.requests.append(request)
        challenge = self._proxy.challenge(request)
        if challenge is not None:
            body = b"Who are you?"
            says = b"Connection: close\r\n" if self._proxy.leaves == "says" else b""
            self.channel.send(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: %b\r\n"
                b"Content-Type: text/plain\r\nContent-Length: %d\r\n%b\r\n%b"
                % (challenge.encode(), len(body), says, body)
            )
            if self._proxy.leaves:
                self.channel.close()
            return
        _follow(self.channel, list(self._proxy.answer), lambda: self.pass_on(self._proxy.origin))

    def receive_eof(self) -> None:
        self._proxy.closed += 1
        super().receive_eof()


def _follow(channel: Channel, steps: list[Step], then: Callable[[], object]) -> None:
    while steps:
        step = steps.pop(0)
        if isinstance(step, bytes):
            channel.send(step)
        elif step is CLOSE:
            channel.close()
            return
        elif step is RESET:
            channel.reset()
            return
        else:
            assert isinstance(step, float)
            channel.call_later(step, lambda: _follow(channel, steps, then))
            return
    then()


class SocksRequest:
    """What a SOCKS proxy was asked. `host` is bytes: a name, or an address as it was packed."""

    def __init__(self, kind: int, host: bytes, port: int) -> None:
        self.kind = kind  #: 1 for IPv4, 3 for a name, 4 for IPv6
        self.host = host
        self.port = port


class SocksProxy:
    """Makes SOCKS5 proxies. With `credentials`, they want to hear these; `reply` is the code of their last word.

    `bound` is the address that they say to connect from: type and address as in RFC 1928.
    """

    def __init__(
        self,
        origin: Callable[[], Peer] | None = None,
        credentials: tuple[bytes, bytes] | None = None,
        reply: int = 0,
        bound: bytes = b"\x01\x7f\x00\x00\x01",
    ) -> None:
        self.origin = origin
        self.credentials = credentials
        self.reply = reply
        self.bound = bound
        self.requests: list[SocksRequest] = []

    def __call__(self) -> Peer:
        return _Socks(self)


class _Socks(_Relay):
    def __init__(self, proxy: SocksProxy) -> None:
        super().__init__()
        self._proxy = proxy
        self._step: Callable[[bytes], int] = self._choose

    def hear(self) -> None:
        while self.received and (used := self._step(self.received)):
            self.received = self.received[used:]
            if self._step == self._done:
                self.pass_on(self._proxy.origin)
                return

    def _choose(self, data: bytes) -> int:
        assert data[0] == 5, "no SOCKS5"
        if len(data) < 2 or len(data) < 2 + data[1]:
            return 0
        wanted = 0 if self._proxy.credentials is None else 2
        if wanted in data[2 : 2 + data[1]]:
            self.channel.send(bytes([5, wanted]))
            self._step = self._check if wanted else self._connect
        else:
            self.channel.send(b"\x05\xff")
            self.channel.close()
        return 2 + data[1]

    def _check(self, data: bytes) -> int:
        assert data[0] == 1
        if len(data) < 2 or len(data) <= (name_end := 2 + data[1]):
            return 0
        size = name_end + 1 + data[name_end]
        if len(data) < size:
            return 0
        given = (data[2:name_end], data[name_end + 1 : size])
        if given == self._proxy.credentials:
            self.channel.send(b"\x01\x00")
            self._step = self._connect
        else:
            self.channel.send(b"\x01\x01")
            self.channel.close()
        return size

    def _connect(self, data: bytes) -> int:
        if len(data) < 5:
            return 0
        assert data[:3] == b"\x05\x01\x00"
        kind = data[3]
        start = 5 if kind == 3 else 4
        end = start + {1: 4, 3: data[4], 4: 16}[kind]
        if len(data) < end + 2:
            return 0
        host, port = data[start:end], int.from_bytes(data[end : end + 2], "big")
        self._proxy.requests.append(SocksRequest(kind, host, port))
        self.channel.send(bytes([5, self._proxy.reply, 0]) + self._proxy.bound + b"\x00\x50")
        if self._proxy.reply:
            self.channel.close()
        else:
            self._step = self._done
        return end + 2

    def _done(self, data: bytes) -> int:
        return 0
