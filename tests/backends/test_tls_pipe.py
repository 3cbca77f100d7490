"""The TLS pipe without any I/O: against a server of the `ssl` module, both in memory."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest

from httpure._lazy_tls import LazyTLS
from httpure._tls import TLSConfig, TLSPipe
from httpure_core.layers import UnannouncedEnd

from .certificates import certificates

Cut = Callable[[bytes], list[bytes]]


class Inside:
    """The machine inside: keeps what it is fed, sends what it is told to."""

    def __init__(self) -> None:
        self.received = b""
        self.ends: list[OSError | None] = []
        self.out = b""
        self.wants_data = True

    def receive_data(self, data: bytes) -> None:
        assert data and not self.ends
        self.received += data

    def receive_eof(self, error: OSError | None = None) -> None:
        self.ends.append(error)

    def data_to_send(self) -> bytes:
        data, self.out = self.out, b""
        return data


class Server:
    """The other end."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.arrived, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.arrived, self.outgoing, server_side=True)
        self.received = b""
        self.shaken = False

    def feed(self, data: bytes) -> None:
        self.arrived.write(data)
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            while piece := self.tls.read(65536):
                self.received += piece
        except ssl.SSLWantReadError:
            pass


def whole(data: bytes) -> list[bytes]:
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def shuttle(pipe: TLSPipe, server: Server, cut: Cut = whole) -> None:
    """Carry bytes to and fro until neither has any."""
    while True:
        going = pipe.data_to_send()
        for piece in cut(going):
            server.feed(piece)
        coming = server.outgoing.read()
        for piece in cut(coming):
            pipe.receive_data(piece)
        if not going and not coming:
            return


def pair(
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, kind: str = "good"
) -> tuple[TLSPipe, Inside, Server]:
    context = certificates().server(kind)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["http/1.1"])
    pipe = TLSConfig(certificates().trusting).machine("localhost", ["h2", "http/1.1"])
    pipe.inner = inside = Inside()
    return pipe, inside, Server(context)


both = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@both
@pytest.mark.parametrize("cut", [whole, bytewise])
def test_there_and_back(version: ssl.TLSVersion, cut: Cut) -> None:
    pipe, inside, server = pair(version)
    inside.out = b"early"  # said before there is anybody to say it to
    assert not pipe.established and not pipe.signal.ready
    shuttle(pipe, server, cut)
    assert pipe.established and pipe.signal.ready and pipe.failure is None
    assert pipe.protocol == "http/1.1"
    assert pipe.ssl_object.version() == version.name.replace("_", ".")
    assert server.received == b"early"
    body = bytes(range(256)) * 100
    inside.out = body
    server.tls.write(body)
    shuttle(pipe, server, cut)
    assert inside.received == body
    assert server.received == b"early" + body
    assert inside.ends == []


def test_response_in_the_same_bytes_as_the_end_of_the_handshake() -> None:
    pipe, inside, server = pair()
    server.feed(pipe.data_to_send())
    pipe.receive_data(server.outgoing.read())
    server.feed(pipe.data_to_send())
    server.tls.write(b"data")
    pipe.receive_data(server.outgoing.read())  # two session tickets, and the data
    assert inside.received == b"data"


def test_data_right_behind_the_last_handshake_record() -> None:
    """In TLS 1.2 the server speaks last in the handshake, and may go on at once."""
    pipe, inside, server = pair(ssl.TLSVersion.TLSv1_2)
    server.feed(pipe.data_to_send())
    pipe.receive_data(server.outgoing.read())
    server.feed(pipe.data_to_send())
    assert server.shaken
    server.tls.write(b"data")
    pipe.receive_data(server.outgoing.read())
    assert pipe.established
    assert inside.received == b"data"


@both
@pytest.mark.parametrize("together", [True, False])
def test_good_bye(version: ssl.TLSVersion, together: bool) -> None:
    pipe, inside, server = pair(version)
    shuttle(pipe, server)
    server.tls.write(b"last words")
    if not together:
        pipe.receive_data(server.outgoing.read())
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.unwrap()
    pipe.receive_data(server.outgoing.read())
    assert (inside.received, inside.ends) == (b"last words", [None])
    pipe.receive_eof()
    pipe.receive_eof(OSError())
    assert inside.ends == [None]


@both
def test_end_without_good_bye(version: ssl.TLSVersion) -> None:
    pipe, inside, server = pair(version)
    shuttle(pipe, server)
    server.tls.write(b"last words")
    pipe.receive_data(server.outgoing.read())
    pipe.receive_eof()
    assert inside.received == b"last words"
    (end,) = inside.ends
    assert isinstance(end, UnannouncedEnd)


def test_connection_that_is_lost() -> None:
    pipe, inside, server = pair()
    shuttle(pipe, server)
    lost = ConnectionResetError(104, "Connection reset by peer")
    pipe.receive_eof(lost)
    assert inside.ends == [lost]


def test_record_that_was_tampered_with() -> None:
    pipe, inside, server = pair()
    shuttle(pipe, server)
    server.tls.write(b"data")
    record = bytearray(server.outgoing.read())
    record[-1] ^= 1
    pipe.receive_data(bytes(record))
    assert inside.received == b""
    (end,) = inside.ends
    assert isinstance(end, ConnectionAbortedError)
    assert "bad record mac" in str(end.strerror)
    inside.out = b"more"
    assert isinstance(pipe.data_to_send(), bytes)  # an alert at most; no exception
    assert len(inside.ends) == 1


def test_certificate_is_refused() -> None:
    pipe, inside, server = pair(kind="unknown")
    server.feed(pipe.data_to_send())
    pipe.receive_data(server.outgoing.read())
    assert pipe.signal.ready and not pipe.established
    assert pipe.failure is not None
    assert pipe.failure.startswith("its certificate is not trusted: it was issued by an authority")
    assert pipe.reason == "certificate" and "verify=ssl.create_default_context(cafile=" in pipe.advice
    alert = pipe.data_to_send()
    assert alert  # the server is told why
    with pytest.raises(ssl.SSLError, match="ALERT_UNKNOWN_CA"):
        server.feed(alert)
    pipe.receive_eof()
    assert pipe.failure.startswith("its certificate")
    assert (inside.received, inside.ends) == (b"", [])


CLOSED = "the server closed the connection during the handshake"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, CLOSED),
        (OSError(), CLOSED),
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer"),
    ],
)
def test_end_during_the_handshake(error: OSError | None, words: str) -> None:
    pipe, inside, _ = pair()
    pipe.data_to_send()
    pipe.receive_eof(error)
    assert pipe.signal.ready and not pipe.established
    assert pipe.failure == words
    assert inside.ends == []


def test_server_that_does_not_speak_tls() -> None:
    pipe, _, _ = pair()
    pipe.receive_data(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert pipe.failure in ("wrong version number", "record layer failure")


def test_the_machine_inside_says_when_to_stop_reading() -> None:
    pipe, inside, _ = pair()
    assert pipe.wants_data
    inside.wants_data = False
    assert not pipe.wants_data


def test_host_name_without_its_last_dot() -> None:
    configuration = TLSConfig(certificates().trusting)
    assert configuration.machine("localhost.", []).ssl_object.server_hostname == "localhost"


def test_lazy() -> None:
    context = certificates().trusting
    tls = LazyTLS(context, None, True)
    assert not tls.prepared
    tls.prepare()
    assert tls.prepared
    assert tls.machine("localhost", ["http/1.1"]).ssl_object.context is context
    unprepared: Any = LazyTLS(context, None, True)
    assert unprepared.machine("localhost", ["http/1.1"]).ssl_object.context is context
    assert TLSConfig(context).machine("localhost", []).ssl_object.context is context
