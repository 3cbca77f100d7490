"""The network of a world: a simulated one, whose servers say what becomes of who connects, and whose names can fail."""

from __future__ import annotations

from collections.abc import Callable

from httpure_core.effects import Address

from ..simulated.channel import Peer
from ..simulated.conditions import Conditions
from ..simulated.network import Network
from ..simulated.scheduler import Scheduler
from .server import Server

__all__ = ["ScriptedNetwork"]


class ScriptedNetwork(Network):
    """See `simulated.Network`."""

    def __init__(self, scheduler: Scheduler, conditions: Conditions) -> None:
        super().__init__(scheduler, conditions)
        self._servers: dict[tuple[str, int], Server] = {}
        #: Names whose look-up fails, or takes its time, for so many times more.
        self.failing: dict[str, int] = {}
        self.slow: dict[str, list[float]] = {}

    def place(
        self, server: Server, host: str, port: int, addresses: tuple[str, ...], peer: Callable[[], Peer]
    ) -> None:
        """Put a server there."""
        for address in self.add_host(host, *addresses):
            self._servers[address, port] = server
        self.listen(host, port, peer)

    def seconds_to_resolve(self, host: str) -> float:
        """As the network takes, and longer where that was scripted."""
        seconds = super().seconds_to_resolve(host)
        slow = self.slow.get(host.lower())
        return seconds + (slow.pop(0) if slow else 0.0)

    def addresses(self, host: str) -> list[str]:
        """Return a host's addresses. Raises OSError if it is not known, or was scripted to fail."""
        left = self.failing.get(host.lower(), 0)
        if left:
            self.failing[host.lower()] = left - 1
            raise OSError(-3, "Temporary failure in name resolution")
        return super().addresses(host)

    def swallows(self, address: Address) -> bool:
        """True if nothing there will ever answer."""
        server = self._servers.get((address.host, address.port))
        return super().swallows(address) or (server is not None and server.gate("ignore") is not None)

    def seconds_to_connect(self, address: Address) -> float:
        """As the network takes, and longer where that was scripted."""
        server = self._servers.get((address.host, address.port))
        return super().seconds_to_connect(address) + ((server and server.gate("slow")) or 0.0)

    def listener(self, address: Address) -> Callable[[], Peer]:
        """Return who listens there. Raises OSError where nobody does, or who does refuses."""
        server = self._servers.get((address.host, address.port))
        if server is not None and server.gate("refuse") is not None:
            raise ConnectionRefusedError(111, "Connection refused")
        return super().listener(address)
