"""SOCKS5 proxies (RFC 1928, 1929) with wrong versions, lengths and methods, cut off at each byte, or babbling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpure
from tests.behaviour.world import World
from tests.peers import CLOSE, RESET, Peer, Script, SocksProxy, dripping, scripted
from tests.peers.script import Step

from .cases import PATIENCE, SECRET, SOUND, Fails, Outcome, Turning, check_outcome, each, settle

ORIGIN = "http://server.test"
CHOSEN = b"\x05\x02"
WELCOME = b"\x01\x00"
BOUND = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
NO_SOCKS = Fails(httpure.ProxyError, "SOCKS5")
REFUSED = Fails(httpure.ProxyError, "did not connect to server.test:80")
SLOW = Fails(httpure.ConnectTimeout)
HASTE: dict[str, Any] = {"timeout": httpure.Timeout(PATIENCE, connect=0.1)}
IMPATIENT: dict[str, Any] = {"timeout": httpure.Timeout(PATIENCE, read=0.05)}


@dataclass(frozen=True)
class SocksCase:
    """What a proxy says to the greeting, to our name and password, and to the request; and what must come of it."""

    name: str
    scripts: tuple[Sequence[Step], ...]
    outcome: Outcome
    method: str = "GET"
    request: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def says(name: str, *scripts: bytes | list[Step], outcome: Outcome = REFUSED, **more: Any) -> SocksCase:
    return SocksCase(name, tuple([s] if isinstance(s, bytes) else s for s in scripts), outcome, **more)


class Talking(Peer):
    """Follows the n-th script when it has heard something for the n-th time."""

    def __init__(self, scripts: Sequence[Sequence[Step]]) -> None:
        self.scripts = list(scripts)

    def receive_data(self, data: bytes) -> None:
        if self.scripts:
            Script([self.scripts.pop(0)], at_once=True).connected(self.channel)


def replies(kind: bytes, name: str, outcome: Outcome = NO_SOCKS) -> SocksCase:
    return says(name, CHOSEN, WELCOME, kind, outcome=outcome)


CASES = (
    says("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", outcome=NO_SOCKS),
    says("TLS", b"\x15\x03\x01\x00\x02\x02\x28", outcome=NO_SOCKS),
    says("SSH", b"SSH-2.0-OpenSSH_9.6\r\n", outcome=NO_SOCKS),
    says("SOCKS4", b"\x00\x5a" + bytes(6), outcome=NO_SOCKS),
    says("version 4", b"\x04\x02", outcome=NO_SOCKS),
    says("version 6", b"\x06\x02", outcome=NO_SOCKS),
    says("zeros", bytes(100), outcome=NO_SOCKS),
    says("noise", bytes(range(255, 0, -1)), outcome=NO_SOCKS),
    says("GSSAPI, which was not offered", b"\x05\x01"),
    says("a method that nobody knows", b"\x05\x80"),
    says("no method at all", b"\x05\xff"),
    says(
        "a wrong name or password", CHOSEN, b"\x01\x01", outcome=Fails(httpure.ProxyError, "did not accept")
    ),
    says(
        "a wrong name or password, in another way",
        CHOSEN,
        b"\x01\xff",
        outcome=Fails(httpure.ProxyError, "did not accept"),
    ),
    says("a welcome of HTTP", CHOSEN, b"HTTP/1.1 200 OK\r\n\r\n", outcome=Fails(httpure.ProxyError)),
    replies(b"\x04" + BOUND[1:], "a reply of another version"),
    replies(b"\x05\x00\x00\x02" + bytes(10), "a type of address that nobody knows"),
    replies(b"\x05\x00\x00\x00" + bytes(10), "a type of address 0"),
    replies(b"\x05\x00\x00\xff" + bytes(10), "a type of address 255"),
    *[
        replies(bytes((5, code, 0, 1)) + bytes(6), f"refusal {code}", REFUSED)
        for code in (1, 2, 3, 4, 5, 6, 7, 8, 9, 255)
    ],
    says("a name as its address, and an end", CHOSEN, WELCOME, [b"\x05\x00\x00\x03\xffabc", CLOSE]),
    says("a reset at the greeting", [RESET]),
    says("a reset at the password", CHOSEN, [RESET]),
    says("a reset at the request", CHOSEN, WELCOME, [RESET]),
    says(
        "a response behind its reply",
        CHOSEN,
        WELCOME,
        BOUND + SOUND.replace(b"sound", b"worse"),
        outcome=Fails(httpure.ReadTimeout),
        request=IMPATIENT,
    ),
    says("nothing", outcome=SLOW, request=HASTE),
    says("nothing to the password", CHOSEN, outcome=SLOW, request=HASTE),
    says("nothing to the request", CHOSEN, WELCOME, outcome=SLOW, request=HASTE),
    says(
        "a drop now and then",
        CHOSEN,
        WELCOME,
        dripping(b"\x05\x00\x00\x03\xff" + bytes(40), 1, 0.02),
        outcome=SLOW,
        request=HASTE,
    ),
    says(
        "an end behind its reply",
        CHOSEN,
        WELCOME,
        [BOUND, CLOSE],
        outcome=Fails(httpure.RemoteProtocolError, "before its response"),
    ),
    *[says(f"an end after {cut} bytes of the greeting", [CHOSEN[:cut], CLOSE]) for cut in range(2)],
    *[says(f"an end after {cut} bytes of the welcome", CHOSEN, [WELCOME[:cut], CLOSE]) for cut in range(2)],
    *[
        says(f"an end after {cut} bytes of the reply", CHOSEN, WELCOME, [BOUND[:cut], CLOSE])
        for cut in range(len(BOUND))
    ],
)


async def play(http: World, case: SocksCase) -> None:
    server = Turning(
        lambda: Talking(case.scripts), SocksProxy(scripted([SOUND]), credentials=(b"user", SECRET.encode()))
    )
    proxy = http.serve(server).replace("http://", f"socks5://user:{SECRET}@")
    async with http.client(proxy=proxy, timeout=PATIENCE) as client:
        await check_outcome(client, ORIGIN, case)
        await settle(http)
        transport = client.itself._transport_for_url(httpure.URL(ORIGIN))
        assert transport.statistics == (0, 0, 0)
        response = await client.get(ORIGIN + "/next")
        assert (response.status_code, response.content) == (200, b"sound")
        assert server.connections == 2
        assert transport.statistics == (1, 1, 0)


@each(*CASES)
async def test_socks(http: World, case: SocksCase) -> None:
    await play(http, case)
