"""TLS before any peer, without I/O either. The certificate comes from an authority made for the occasion."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Callable

import trustme

from .peer import Channel, Peer

__all__ = ["Authority", "TLSPeer", "authority", "with_tls"]


class Authority:
    """Signs server certificates. `trusting` is a client's context that trusts it and nobody else."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self.trusting = ssl.create_default_context()
        self._authority.configure_trust(self.trusting)

    def server_context(self, *names: str) -> ssl.SSLContext:
        """Return the context of a server that is called by any of the names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        self._authority.issue_cert(*names).configure_cert(context)
        return context


@functools.cache
def authority() -> Authority:
    """Return the one authority of this process."""
    return Authority()


@functools.cache
def _local_context() -> ssl.SSLContext:
    return authority().server_context("127.0.0.1", "localhost")


def with_tls(factory: Callable[[], Peer], context: ssl.SSLContext | None = None) -> Callable[[], Peer]:
    """Return a factory that puts TLS before the peers of another one."""
    return lambda: TLSPeer(factory(), context or _local_context())


class TLSPeer(Peer):
    """Speaks TLS with the client, and lets the peer inside believe that there is none."""

    def __init__(self, inner: Peer, context: ssl.SSLContext) -> None:
        self.inner = inner
        self._arrived = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._arrived, self._outgoing, server_side=True)
        self._established = False
        self._closing = False

    # What the network calls.

    def receive_data(self, data: bytes) -> None:
        self._arrived.write(data)
        try:
            if not self._established:
                self._object.do_handshake()
                self._established = True
                self._push()
                self.inner.connected(self)
            while piece := self._object.read(256 * 1024):
                self.inner.receive_data(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._push()
            self.channel.close()  # an alert of the client, or no TLS at all
            return
        self._push()

    def receive_eof(self) -> None:
        if self._established:
            self.inner.receive_eof()
        self.channel.close()

    # What the peer inside calls.

    def send(self, data: bytes) -> None:
        if not self._closing:
            self._object.write(data)
            self._push()

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(ssl.SSLError):  # the client has not said good-bye yet; we have
            self._object.unwrap()
        self._push()
        self.channel.close()

    def truncate(self) -> None:
        """Hang up without saying so in TLS, as an attacker who cuts the connection would."""
        self.channel.close()

    def reset(self) -> None:
        self.channel.reset()

    @property
    def unsent(self) -> int:
        return self.channel.unsent

    def pause(self) -> None:
        self.channel.pause()

    def resume(self) -> None:
        self.channel.resume()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        self.channel.call_later(seconds, callback)

    def _push(self) -> None:
        if data := self._outgoing.read():
            self.channel.send(data)


_: type[Channel] = TLSPeer
