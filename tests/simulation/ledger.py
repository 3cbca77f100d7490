"""What the servers of a world have seen, and the rules that clients must keep with them."""

from __future__ import annotations

import re
import zlib
from typing import Any

__all__ = ["IDEMPOTENT", "Asked", "Ledger", "payload"]

IDEMPOTENT = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS"))
_TARGET = re.compile(r"(?:https?://[^/]+)?/([a-z0-9-]+)\?size=(\d+)&hops=(\d+)(?:&to=(.*))?")


def payload(name: str, size: int) -> bytes:
    """Return the body of the answer to a request."""
    unit = f"{name}|".encode()
    return (unit * (size // len(unit) + 1))[:size]


class Asked:
    """A request, as a server has it. `ordinal`: which one it is on its connection, from 1."""

    def __init__(self, method: str, target: str, peer: Any, ordinal: int) -> None:
        found = _TARGET.fullmatch(target)
        assert found is not None, target
        self.name, size, hops, self.to = found.groups()
        self.method, self.size, self.hops = method, int(size), int(hops)
        self.peer, self.ordinal = peer, ordinal
        self.body_sum = 0
        self.body_size = 0
        self.whole = False
        #: How many bytes had reached the client on this connection when the request came.
        self.delivered = link_of(peer)._incoming._delivered

    @property
    def key(self) -> str:
        return f"{self.name}/{self.hops}"

    @property
    def where(self) -> str:
        return f"{link_of(self.peer).name}, request {self.ordinal}"

    def take(self, data: bytes) -> None:
        self.body_sum = zlib.crc32(data, self.body_sum)
        self.body_size += len(data)

    def head(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, fields and body of the right answer."""
        fields = [("x-name", self.name), ("x-hops", str(self.hops))]
        if self.whole:
            fields.append(("x-got", f"{self.body_size} {self.body_sum}"))
        body = payload(self.name, self.size)
        if self.hops:
            where, _, status = (self.to or "").partition("*")
            fields.append(
                ("location", f"{where}/{self.name}?size={self.size}&hops={self.hops - 1}&to={self.to}")
            )
            return int(status), fields, body
        return 200, fields, body


def link_of(peer: Any) -> Any:
    """Return the client's end of a peer's connection."""
    return peer.channel._outgoing.receiver


class Ledger:
    """Who executed what, and how often; and what clients did wrong."""

    def __init__(self) -> None:
        self.executed: dict[str, list[Asked]] = {}
        self.wrong: list[str] = []
        #: The servers of all connections that stand or stood.
        self.peers: list[Any] = []
        self.goaways = 0
        self.refused: dict[str, int] = {}
        #: Whether the client may send again what was lost.
        self.resends = True
        #: True once something was allowed to few streams, or none.
        self.was_mean = False

    def execute(self, asked: Asked) -> None:
        """A server has the whole request, and does what it asks for."""
        before = self.executed.setdefault(asked.key, [])
        before.append(asked)
        if len(before) == 1:
            return
        where = f"{asked.method} {asked.key} ({', '.join(each.where for each in before)})"
        if asked.method not in IDEMPOTENT or not self.resends:
            self.wrong.append(f"{where} was executed twice")
        if len(before) > 3 or (len(before) == 3 and asked.ordinal != 1):
            self.wrong.append(f"{where} was executed {len(before)} times")
        for earlier in before[:-1]:
            self._compare(where, earlier)

    def _compare(self, where: str, earlier: Asked) -> None:
        """It was sent again: was there a reason?"""
        link = link_of(earlier.peer)
        if not (link._closed or link._ended or _is_over(link)):
            self.wrong.append(f"{where} was sent again while its connection, {link.name}, stood")
        if earlier.ordinal == 1:
            self.wrong.append(f"{where} was sent again, though it was the first on {link.name}")
        if earlier.peer.version == 1 and link._incoming._delivered != earlier.delivered:
            self.wrong.append(f"{where} was sent again, though something had come back")


def _is_over(link: Any) -> bool:
    """Whether the client has given the connection up, as nothing came back after a PING."""
    machine = link.machine
    while hasattr(machine, "inner"):
        machine = machine.inner
    return getattr(machine, "_is_over", False)
