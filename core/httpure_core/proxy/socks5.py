"""SOCKS5 (RFC 1928), with user name and password (RFC 1929): a handshake, and then the bytes of others.

    05 02 00 02        ──▶   these ways to say who we are: none, user name and password
                       ◀──   05 02                      the one that the proxy wants
    01 len user len pw ──▶
                       ◀──   01 00                      welcome
    05 01 00 at host p ──▶   connect
                       ◀──   05 00 00 at host port      done; what follows is the origin's

The proxy looks the origin's name up, for `socks5` as for `socks5h`. This file knows no HTTP and no URLs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..layers import Passage

__all__ = ["Socks5"]

_NO_AUTH = 0
_PASSWORD = 2
_NONE_ACCEPTABLE = 0xFF

_IPV4 = 1
_NAME = 3
_IPV6 = 4

_DIGITS = re.compile(r"[0-9.]+")

#: RFC 1928 section 6. Of some there is a word for programs.
_REASONS = {2: "policy", 3: "unreachable", 4: "unreachable", 5: "refused"}
_REFUSALS = {
    1: "it failed",
    2: "its rules do not allow the connection",
    3: "the network cannot be reached from there",
    4: "the host cannot be reached, or its name not looked up, from there",
    5: "the connection was refused",
    6: "the connection took too many hops",
    7: "it does not know the command CONNECT",
    8: "it does not know this type of address",
}


class Socks5(Passage):
    """Asks a SOCKS5 proxy for a connection to host and port; `auth` is (user name, password).

    `host` is a name in ASCII or an address in digits. Raises ValueError for what the protocol has no room for.
    """

    __slots__ = ("_arrived", "_auth", "_expected", "_request")

    def __init__(self, host: str, port: int, auth: tuple[bytes, bytes] | None = None) -> None:
        super().__init__()
        self._request = b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big")
        self._auth = None if auth is None else _credentials(*auth)
        self._arrived = b""
        #: Reads the next reply, when it has come in full, and says how many bytes it took.
        self._expected: Callable[[bytes], int] = self._choose
        self.outgoing = b"\x05\x01\x00" if auth is None else b"\x05\x02\x00\x02"

    def hear(self, data: bytes) -> None:
        """Take bytes of the proxy's replies."""
        arrived = self._arrived + data
        while not self.established and self.failure is None and (size := self._expected(arrived)):
            arrived = arrived[size:]
        self._arrived = arrived
        if self.established and arrived:
            self._arrived = b""
            self.inner.receive_data(arrived)

    def _choose(self, reply: bytes) -> int:
        if len(reply) < 2:
            return 0
        if reply[0] != 5:
            self.fail("it does not speak SOCKS5")
        elif reply[1] == _NO_AUTH:
            self._ask()
        elif reply[1] == _PASSWORD and self._auth is not None:
            self.outgoing += self._auth
            self._expected = self._welcome
        elif reply[1] != _NONE_ACCEPTABLE:
            self.fail(f"it wants to know who we are in a way that was not offered (method {reply[1]})")
        elif self._auth is None:
            self.fail("it wants to know who we are: give user name and password with Proxy(url, auth=...)")
        else:
            self.fail("it does not take a user name and password")
        return 2

    def _welcome(self, reply: bytes) -> int:
        if len(reply) < 2:
            return 0
        if reply[1]:
            self.fail("it did not accept the user name and password")
        else:
            self._ask()
        return 2

    def _ask(self) -> None:
        self.outgoing += self._request
        self._expected = self._connected

    def _connected(self, reply: bytes) -> int:
        if len(reply) < 2:
            return 0
        if reply[0] != 5:
            self.fail("its reply is not one of SOCKS5")
        elif reply[1]:
            why = _REFUSALS.get(reply[1], f"it refused for an unknown reason, {reply[1]}")
            self.fail(why, reason=_REASONS.get(reply[1]))
        else:
            return self._bound(reply)
        return 2

    def _bound(self, reply: bytes) -> int:
        """Read over the address that the proxy connects from, which tells us nothing."""
        if len(reply) < 5:
            return 0
        size = {_IPV4: 4, _IPV6: 16, _NAME: 1 + reply[4]}.get(reply[3])
        if size is None:
            self.fail("its reply is not one of SOCKS5")
            return 2
        if len(reply) < 6 + size:
            return 0
        self.succeed()
        return 6 + size


def _address(host: str) -> bytes:
    if ":" in host or _DIGITS.fullmatch(host):
        import ipaddress

        try:
            packed = ipaddress.ip_address(host.partition("%")[0]).packed
        except ValueError:
            pass
        else:
            return bytes([_IPV4 if len(packed) == 4 else _IPV6]) + packed
    name = host.encode("ascii")
    if not 0 < len(name) <= 255:
        raise ValueError(f"A SOCKS5 proxy takes host names of 1 to 255 bytes, not {len(name)} (RFC 1928).")
    return bytes([_NAME, len(name)]) + name


def _credentials(name: bytes, password: bytes) -> bytes:
    if not 0 < len(name) <= 255 or len(password) > 255:
        raise ValueError(
            "A SOCKS5 proxy takes a user name of 1 to 255 bytes and a password of at most 255 (RFC 1929), "
            f"not {len(name)} and {len(password)}."
        )
    return bytes([1, len(name)]) + name + bytes([len(password)]) + password
