"""What is played in the place of TLS: one line says who is meant and what we speak, another one answers.

No cryptography and no certificates, so that a run costs nothing and repeats itself; but a round trip, ALPN, and a
handshake that can fail, or be cut in the middle.
"""

from __future__ import annotations

from typing import Protocol

from httpure_core.layers import Passage

from ..simulated.channel import Channel, Peer
from .server import Server

__all__ = ["PlayedTLS", "front"]

_GREETING = b"PRI * HTTP/2.0"


class PlayedTLS:
    """Takes the place of a TLS configuration. See `contracts.TLS`."""

    prepared = True

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def machine(self, server_hostname: str, alpn: list[str], /) -> Handshake:
        """Return what greets the server."""
        return Handshake(server_hostname, alpn)


class Handshake(Passage):
    """The client's side. See `contracts.TLSMachine`."""

    def __init__(self, host: str, alpn: list[str]) -> None:
        super().__init__()
        self.protocol: str | None = None
        self.outgoing = f"hello {host} {','.join(alpn)}\n".encode()
        self._heard = b""

    def hear(self, data: bytes) -> None:
        """Take the server's answer."""
        line, found, rest = (self._heard + data).partition(b"\n")
        if not found:
            self._heard = line
            return
        word, _, said = line.decode("utf-8", "replace").partition(" ")
        if word == "welcome":
            self.protocol = said or None
            self.succeed()
            if rest:
                self.inner.receive_data(rest)
        elif word == "untrusted":
            self.fail(f"its certificate is not trusted: {said}", reason="certificate")
        else:
            self.fail(said or "the server does not speak TLS", reason="tls")


class Inner(Protocol):
    """Makes the peer behind a handshake."""

    def __call__(self, protocol: str, /) -> Peer:
        """Return what speaks this protocol: "h2", "http/1.1"."""
        ...


class Front:
    """What a client of a scripted server meets first: the handshake, if there is one, or a look at its first bytes.

    Then all is left to the peer of the version that is spoken. See `simulated.Peer`.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._heard = b""
        self._inner: Peer | None = None
        self._closed = False

    def connected(self, channel: Channel) -> None:
        """A client is here."""
        self._channel = channel

    def receive_data(self, data: bytes) -> None:
        """Bytes came."""
        if self._inner is not None:
            self._inner.receive_data(data)
        elif not self._closed:
            self._heard += data
            if self._server.scheme == "https":
                self._shake_hands()
            else:
                self._look()

    def receive_eof(self) -> None:
        """The client is gone."""
        self._closed = True
        if self._inner is not None:
            self._inner.receive_eof()
        else:
            self._channel.close()

    def _shake_hands(self) -> None:
        line, found, rest = self._heard.partition(b"\n")
        if not found:
            return
        _, _, offered = line.decode("latin-1").rpartition(" ")
        refusal = self._server.tls_refusal()
        if not line.startswith(b"hello "):
            refusal = "alert it does not speak TLS, and this is an https server"
        protocol = next((each for each in self._server.protocols if each in offered.split(",")), None)
        if refusal is None and protocol is None:
            refusal = f"alert no application protocol: it speaks {' and '.join(self._server.protocols)}"
        if refusal is not None or protocol is None:
            self._closed = True
            self._channel.send(f"{refusal}\n".encode())
            self._channel.close()
            return
        self._channel.send(f"welcome {protocol}\n".encode())
        self._leave_to(self._server.peer(protocol), rest)

    def _look(self) -> None:
        if self._heard.startswith(_GREETING):
            self._leave_to(self._server.peer("h2"), self._heard)
        elif not _GREETING.startswith(self._heard):
            self._leave_to(self._server.peer("http/1.1"), self._heard)

    def _leave_to(self, inner: Peer, rest: bytes) -> None:
        self._inner = inner
        inner.connected(self._channel)
        if rest:
            inner.receive_data(rest)


def front(server: Server) -> Front:
    """Return what meets a client of the server."""
    return Front(server)
