"""TLS (RFC 8446) that is none, stalls, breaks off, or proves nothing: nothing goes out, nothing is taken for HTTP."""

from __future__ import annotations

import functools
import ssl
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

import httpure
from tests.backends.certificates import certificates
from tests.behaviour.world import World
from tests.peers import CLOSE, RESET, Answer, Peer, Script, Site, TLSPeer, dripping, scripted
from tests.peers.script import Step

from .cases import (
    PATIENCE,
    SECRET,
    SOUND,
    Fails,
    Gives,
    Outcome,
    Turning,
    check_message,
    check_outcome,
    each,
    settle,
)
from .http2 import sound as sound2

NO_TLS = Fails(httpure.TLSError)
UNTRUSTED = Fails(httpure.CertificateError, "certificate")
SLOW = Fails(httpure.ConnectTimeout)


@dataclass(frozen=True)
class TLSCase:
    """A server on the port of HTTPS, and what must come of it."""

    name: str
    peer: Callable[[], Peer]
    outcome: Outcome
    client: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    method: str = "GET"

    def __str__(self) -> str:
        return self.name


class Hello(Peer):
    """Does what it has to do when the first bytes have come."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps: Sequence[Step] | None = steps

    def receive_data(self, data: bytes) -> None:
        steps, self.steps = self.steps, None
        if steps is not None:
            Script([steps], at_once=True).connected(self.channel)


def raw(name: str, *steps: Step, outcome: Outcome = NO_TLS, **more: Any) -> TLSCase:
    """A server that says these bytes to whoever has said hello."""
    return TLSCase(name, lambda: Hello(steps), outcome, **more)


def alert(code: int, level: int = 2) -> bytes:
    return bytes((0x15, 3, 3, 0, 2, level, code))


@functools.cache
def context(kind: str = "good") -> ssl.SSLContext:
    """Return the context of a server; made when it is needed, as keys take their time."""
    if kind != "old":
        return certificates().server(kind)
    made = certificates().server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
    made.set_ciphers("ALL:@SECLEVEL=0")
    return made


def secured(inner: Callable[[], Peer] | None = None, kind: str = "good") -> Callable[[], Peer]:
    """Put TLS, with such a certificate, before a peer, or a sound one."""
    return lambda: TLSPeer((inner or scripted([SOUND]))(), context(kind))


class Below(Peer):
    """Answers within TLS, and then says something below it."""

    def __init__(self, above: bytes, below: bytes, ends: bool = False) -> None:
        self.above, self.below, self.ends = above, below, ends

    def receive_data(self, data: bytes) -> None:
        if self.above:
            self.channel.send(self.above)
        wire = self.channel.channel  # type: ignore[attr-defined]
        if self.below:
            wire.send(self.below)
        if self.ends:
            wire.close()


def below(above: bytes, what: bytes = b"", ends: bool = False) -> Callable[[], Peer]:
    return secured(lambda: Below(above, what, ends))


#: What a handshake begins with: a record of 1,000 bytes, a ServerHello, and nothing of sense behind that.
HELLO = b"\x16\x03\x03\x03\xe8\x02\x00\x03\xe4\x03\x03" + bytes(994)
HASTE: dict[str, Any] = {"timeout": httpure.Timeout(PATIENCE, connect=0.1)}
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
UNTIL_END = b"HTTP/1.1 200 OK\r\n\r\nhalf"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"

HANDSHAKES = (
    raw("HTTP", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    raw("SSH", b"SSH-2.0-OpenSSH_9.6\r\n"),
    raw("HTTP/2", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    raw("zeros", bytes(1000)),
    raw("noise", bytes(range(255, 0, -1)) * 4),
    raw("SSL 2", b"\x80\x2e\x04\x00\x01\x00\x02" + bytes(50)),
    raw("SSL 3", b"\x16\x03\x00" + HELLO[3:]),
    raw("a ServerHello of zeros", HELLO),
    raw("a record of 65,535 bytes", b"\x16\x03\x03\xff\xff" + bytes(65_535)),
    raw("empty records", b"\x16\x03\x03\x00\x00" * 1000),
    raw("data before the handshake", b"\x17\x03\x03\x00\x05hello"),
    raw("a change of ciphers first", b"\x14\x03\x03\x00\x01\x01" * 100),
    raw("a ClientHello", b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + bytes(42)),
    raw("an end", CLOSE),
    raw("a reset", RESET),
    raw("half a record and an end", HELLO[:100], CLOSE),
    raw("the head of a record and an end", HELLO[:3], CLOSE),
    raw("half a record and a reset", HELLO[:100], 0.02, RESET),
    raw("alert: no common ground", alert(40)),
    raw("alert: another version", alert(70)),
    raw("alert: unknown name", alert(112)),
    raw("alert: internal error", alert(80)),
    raw("alert: good-bye", alert(0, 1)),
    raw("alert: nobody knows", alert(255)),
    raw("alerts without end", alert(90, 1) * 1000),
    raw("an alert of one byte", b"\x15\x03\x03\x00\x01\x02", CLOSE),
    raw("nothing", outcome=SLOW, request=HASTE),
    raw("half a record", HELLO[:100], outcome=SLOW, request=HASTE),
    raw("a drop now and then", *dripping(HELLO, 1, 0.02), outcome=SLOW, request=HASTE),
    TLSCase("TLS 1.1", secured(kind="old"), NO_TLS),
    TLSCase("TLS 1.1, and nothing is verified", secured(kind="old"), NO_TLS, {"verify": False}),
    TLSCase("a certificate that signs itself", secured(kind="self-signed"), UNTRUSTED),
    TLSCase("a certificate of nobody", secured(kind="unknown"), UNTRUSTED),
    TLSCase("a certificate that is over", secured(kind="expired"), UNTRUSTED),
    TLSCase("a certificate of another", secured(kind="other.test"), UNTRUSTED),
)

AFTERWARDS = (
    TLSCase(
        "an end in TCP before the answer",
        below(b"", ends=True),
        Fails(httpure.RemoteProtocolError, "before its response"),
    ),
    TLSCase(
        "an end in TCP within a length",
        below(LENGTH, ends=True),
        Fails(httpure.RemoteProtocolError, "4 of 9 bytes"),
    ),
    TLSCase(
        "an end in TCP within chunks", below(CHUNKS, ends=True), Fails(httpure.RemoteProtocolError, "4 bytes")
    ),
    TLSCase(
        "an end in TCP that ends the body",
        below(UNTIL_END, ends=True),
        Fails(httpure.ReadError, "close_notify"),
    ),
    TLSCase(
        "half a record that ends the body",
        below(UNTIL_END, b"\x17\x03\x03\x01\x00half", ends=True),
        Fails(httpure.ReadError),
    ),
    TLSCase("plain bytes instead of an answer", below(b"", SOUND), Fails(httpure.ReadError)),
    TLSCase("plain bytes that end the body", below(UNTIL_END, b"of it"), Fails(httpure.ReadError)),
    TLSCase(
        "a record that nobody sealed",
        below(LENGTH, b"\x17\x03\x03\x00\x20" + bytes(32)),
        Fails(httpure.ReadError),
    ),
    TLSCase(
        "a record beyond all size",
        below(LENGTH, b"\x17\x03\x03\xff\xff" + bytes(70_000)),
        Fails(httpure.ReadError),
    ),
    TLSCase("a whole answer, and plain bytes behind", below(SOUND, b"junk"), Gives(b"sound")),
    TLSCase("a whole answer, and an end in TCP", below(SOUND, ends=True), Gives(b"sound")),
    TLSCase(
        "HTTP/2 where HTTP/1.1 was agreed on",
        secured(scripted([b"\0\0\0\4\0\0\0\0\0" + sound2(1)])),
        Fails(httpure.RemoteProtocolError, "not valid HTTP/1.1"),
        {"http2": True},
    ),
)


async def play(http: World, case: TLSCase) -> None:
    server = Turning(case.peer, secured())
    url = f"https://127.0.0.1:{http.listen(server)}"
    async with http.client(
        **{"timeout": PATIENCE, "verify": certificates().trusting, **case.client}
    ) as client:
        await check_outcome(client, url, case)
        await settle(http)
        if isinstance(case.outcome, Fails):
            assert client.statistics == (0, 0, 0)
        response = await client.get(url + "/next")
        assert (response.status_code, response.content) == (200, b"sound")
        assert server.connections == 2
        assert client.statistics == (1, 1, 0)


@each(*HANDSHAKES)
async def test_handshake(http: World, case: TLSCase) -> None:
    await play(http, case)


@each(*AFTERWARDS)
async def test_afterwards(http: World, case: TLSCase) -> None:
    await play(http, case)


async def test_http_to_a_server_with_tls(http: World) -> None:
    """It answers with an alert, or hangs up: neither is HTTP."""
    url = http.serve(Site(lambda call: Answer(200)), tls=True).replace("https:", "http:")
    async with http.client(timeout=PATIENCE) as client:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            await client.get(f"{url}/place?key={SECRET}")
        check_message(caught.value, f"GET {url}/place")
        assert client.statistics == (0, 0, 0)


async def test_not_trusted_after_it_was_not_verified(http: World) -> None:
    """A connection that nobody has verified is none for those who do."""
    url = f"https://127.0.0.1:{http.listen(secured(kind='unknown'))}"
    async with http.client(timeout=PATIENCE, verify=False) as careless:
        async with http.client(timeout=PATIENCE, verify=certificates().trusting) as careful:
            for _ in range(2):
                assert (await careless.get(url)).content == b"sound"
                with pytest.raises(httpure.CertificateError):
                    await careful.get(url)
            assert careful.statistics == (0, 0, 0)
