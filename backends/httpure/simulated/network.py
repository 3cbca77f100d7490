"""Host names, who listens where, and how connections come about."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from itertools import count
from typing import Any, TypeAlias

from httpure_core.contracts import Machine
from httpure_core.effects import Address

from .channel import Channel, Peer
from .conditions import Conditions
from .link import Link
from .pipe import Pipe
from .scheduler import Scheduler

__all__ = ["Network"]

#: Makes the server's side of one connection.
PeerFactory: TypeAlias = Callable[[], Any]

_DIGITS = re.compile(r"[0-9.]+|.*:.*")


class Network:
    """All there is to connect to. Host names and addresses are known only if they were mentioned here."""

    def __init__(self, scheduler: Scheduler, conditions: Conditions) -> None:
        #: May be changed at any time; connections keep what they were made with.
        self.conditions = conditions
        #: The addresses of each host name.
        self.hosts: dict[str, list[str]] = {}
        #: Addresses that answer nothing: to dial one takes until the timeout.
        self.black_holes: dict[str, None] = {}
        #: The connections that were made, in order: each one's link, and the server's peer.
        self.connections: list[tuple[Link, Peer]] = []
        #: How many attempts to connect to one of several addresses have neither become a link nor been given up.
        self.attempts = 0
        self._scheduler = scheduler
        self._listeners: dict[str, PeerFactory] = {}
        self._numbers = count(1)

    def add_host(self, name: str, *addresses: str) -> list[str]:
        """Make a host name known, with addresses in digits or one that is made up; return its addresses."""
        if _DIGITS.fullmatch(name):
            return [name]
        known = self.hosts.setdefault(name.lower(), [])
        known += addresses or ([] if known else [f"10.0.0.{next(self._numbers)}"])
        return known

    def add_black_hole(self, name: str) -> None:
        """Make a host known that never answers."""
        for address in self.add_host(name):
            self.black_holes[address] = None

    def listen(self, host: str, port: int, peer_factory: PeerFactory) -> None:
        """Serve a host's port: `peer_factory()` makes a `Peer` for each connection."""
        for address in self.add_host(host):
            self._listeners[_key(address, port)] = peer_factory

    def listen_at_path(self, path: str, peer_factory: PeerFactory) -> None:
        """Serve a Unix socket."""
        self._listeners[path] = peer_factory

    def close_listener(self, host: str, port: int) -> None:
        """Refuse new connections from now on."""
        for address in self.add_host(host):
            self._listeners.pop(_key(address, port), None)

    def addresses(self, host: str) -> list[str]:
        """Return a host's addresses. Raises OSError if it is not known."""
        known = self.hosts.get(host.lower())
        if not known:
            raise OSError(-2, "Name or service not known")
        return known

    def seconds_to_resolve(self, host: str) -> float:
        """Draw how long it takes to look a name up."""
        return self.conditions.seconds(self._scheduler.random)

    def seconds_to_connect(self, address: Address) -> float:
        """Draw how long it takes to connect to an address, or to learn that it refuses."""
        return self.conditions.seconds(self._scheduler.random)

    def swallows(self, address: Address) -> bool:
        """True if nothing at the address will ever answer."""
        return address.host in self.black_holes

    def listener(self, address: Address) -> PeerFactory:
        """Return who listens there. Raises OSError where nobody does."""
        factory = self._listeners.get(address.path or _key(address.host, address.port))
        if factory is None and address.path is not None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if factory is None or self.conditions.refuses(self._scheduler.random):
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return factory

    def connect(self, address: Address, machine: Machine, factory: PeerFactory) -> Link:
        """Connect a machine to the listener of an address."""
        scheduler, conditions = self._scheduler, self.conditions
        peer: Peer = factory()
        channel = Channel(scheduler, peer)
        number = len(self.connections) + 1
        ends = (
            ("", address.path)
            if address.path
            else (("192.0.2.1", 40000 + number), (address.host, address.port))
        )
        link = Link(scheduler, f"link {number} to {address}", machine, ends)
        to_server_fate, to_client_fate = conditions.fates(scheduler.random)
        to_server = Pipe(scheduler, conditions, f"{link.name}, sent", channel, to_server_fate)
        to_client = Pipe(scheduler, conditions, f"{link.name}, received", link, to_client_fate)

        def break_off(kind: str) -> None:
            to_server.stop()
            to_client.stop()
            lost = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            link.receive_eof(lost if kind == "reset" else None)
            channel.receive_eof()

        to_server.break_off = to_client.break_off = break_off
        self.connections.append((link, peer))
        scheduler.record(f"{link.name}: connected")
        link.connect(to_client, to_server)
        channel.connect(to_server, to_client)
        return link


def _key(host: str, port: int) -> str:
    return f"{host}|{port}"
