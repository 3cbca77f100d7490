"""What the servers of a world have seen, and the rules that clients must keep with them."""

from __future__ import annotations

import re
import zlib
from typing import Any

__all__ = ["IDEMPOTENT", "Asked", "Ledger", "link_of", "payload"]

IDEMPOTENT = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS"))
_TARGET = re.compile(r"(?:(https?)://([^/]+))?(/([a-z0-9-]+)\?size=(\d+)&hops=(\d+))")


def payload(name: str, size: int) -> bytes:
    """Return the body of the answer to a request."""
    unit = f"{name}|".encode()
    return (unit * (size // len(unit) + 1))[:size]


class Asked:
    """A request, as a server has it. `ordinal`: which one it is on its connection, from 1.

    `site` is the (scheme, host) of the server; None for a proxy, which learns it from the target.
    """

    def __init__(
        self, world: Any, method: str, target: str, fields: dict[str, str], peer: Any, ordinal: int, site: Any
    ) -> None:
        found = _TARGET.fullmatch(target)
        assert found is not None, target
        scheme, host, self.path, self.name, size, hops = found.groups()
        self.by_proxy = site is None
        assert self.by_proxy == (host is not None), f"the target is {target}"
        self.origin: tuple[str, str] = site or (scheme, host)
        self.method, self.size, self.hops = method, int(size), int(hops)
        self.fields = fields
        self.peer, self.ordinal = peer, ordinal
        self.order = world.ledger.orders[self.name]
        self.body_sum = 0
        self.body_size = 0
        self.whole = False
        #: Whether the server has said that it has not looked at it, or will not in this form.
        self.disowned = False
        self.misdirected = False
        self._world = world
        self._reply: Any = None
        #: How many bytes had reached the client on this connection when the request came.
        self.delivered = link_of(peer)._incoming._delivered
        world.customs.look(self)
        world.ledger.meet(self, world.simulation.clock())

    @property
    def key(self) -> str:
        return f"{self.name}/{self.hops}"

    @property
    def may_repeat(self) -> bool:
        """Whether its method, or its user, says that it may arrive twice."""
        policy = self.order.policy
        if self.method in IDEMPOTENT or policy is None:
            return self.method in IDEMPOTENT
        return policy.methods is None or self.order.idempotency_key

    @property
    def where(self) -> str:
        return f"{link_of(self.peer).name}, request {self.ordinal}"

    def take(self, data: bytes) -> None:
        self.body_sum = zlib.crc32(data, self.body_sum)
        self.body_size += len(data)

    @property
    def reply(self) -> Any:
        """What is to be answered: decided once."""
        if self._reply is None:
            self._reply = self._world.customs.reply(self)
        return self._reply

    def head(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, fields and body of the right answer."""
        reply = self.reply
        fields = list(reply.fields)
        if self.whole:
            fields.append(("x-got", f"{self.body_size} {self.body_sum}"))
        return reply.status, fields, reply.body


def link_of(peer: Any) -> Any:
    """Return the client's end of a peer's connection."""
    return peer.channel._outgoing.receiver


class Ledger:
    """Who executed what, and how often; and what clients did wrong."""

    def __init__(self) -> None:
        #: What was ordered, by the names of requests.
        self.orders: dict[str, Any] = {}
        #: By keys: whose head has come, and who was executed.
        self.met: dict[str, list[Asked]] = {}
        self.executed: dict[str, list[Asked]] = {}
        #: Keys of which a client has said that no byte was sent, and will be.
        self.never: set[str] = set()
        #: How often a server was too busy; and when, by what it said, it may be asked again.
        self.busy: dict[str, int] = {}
        self.not_before: dict[str, float] = {}
        self.wrong: list[str] = []
        #: The servers of all connections that stand or stood.
        self.peers: list[Any] = []
        self.goaways = 0
        self.refused: dict[str, int] = {}
        #: True once something was allowed to few streams, or none.
        self.was_mean = False
        #: True where answers may be lost on their way, or late.
        self.rough = True

    def meet(self, asked: Asked, now: float) -> None:
        """A server has the head of a request."""
        before = self.met.setdefault(asked.key, [])
        where = f"{asked.method} {asked.key} ({asked.where})"
        if asked.key in self.never:
            self.wrong.append(f"{where} has come, and its error says that no byte was sent")
        if now < self.not_before.get(asked.key, 0.0) and not self.rough:
            self.wrong.append(f"{where} was sent again at {now:g}, before {self.not_before[asked.key]:g}")
        lasting = [each for each in before if not each.disowned]
        if lasting and not asked.may_repeat:
            earlier = ", ".join(each.where for each in lasting)
            self.wrong.append(f"{where} was sent again, and had been seen on {earlier}")
        before.append(asked)

    def claim(self, name: str, hops: int) -> None:
        """A client says that no server has seen anything of a request."""
        key = f"{name}/{hops}"
        seen = [each for each in self.met.get(key, ()) if not each.disowned]
        if seen:
            self.wrong.append(f"request_sent is False for {key}, and it was seen on {seen[-1].where}")
        self.never.add(key)

    def execute(self, asked: Asked) -> None:
        """A server has the whole request, and does what it asks for."""
        before = self.executed.setdefault(asked.key, [])
        before.append(asked)
        if len(before) == 1:
            return
        order = asked.order
        where = f"{asked.method} {asked.key} ({', '.join(each.where for each in before)})"
        if not asked.may_repeat:
            self.wrong.append(f"{where} was executed twice")
        if order.policy is not None:
            if len(before) > 3 * (1 + order.policy.total):
                self.wrong.append(f"{where} was executed {len(before)} times")
            return
        if not order.party.resends:
            self.wrong.append(f"{where} was executed twice, and nothing is to be sent again")
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
