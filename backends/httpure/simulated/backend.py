"""The effects, performed in virtual time on a simulated network. See `AsyncBackend`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from httpure_core.effects import Address, Dial, Flush, Offload, Park, Receive, Resolve, Sleep

from .link import Link
from .network import Network
from .scheduler import Mutex, Scheduler, Wait

__all__ = ["Backend"]


class Backend:
    """What a client needs of a simulation; each simulation has one."""

    name = "simulated"

    def __init__(self, scheduler: Scheduler, network: Network) -> None:
        self._scheduler = scheduler
        self._network = network

    def clock(self) -> float:
        """Return the seconds since the simulation began."""
        return self._scheduler.now

    def mutex(self) -> Mutex:
        """Return a new lock."""
        return Mutex()

    async def resolve(self, effect: Resolve) -> None:
        """Look a host name up in the network's table."""
        await self._travel(f"Resolve {effect.host}", effect.timeout)
        addresses = self._network.addresses(effect.host)
        effect.addresses = [
            Address(digits, effect.port, family="ipv6" if ":" in digits else "ipv4") for digits in addresses
        ]

    async def dial(self, effect: Dial) -> None:
        """Connect to a listener, or not."""
        why = f"Dial {effect.address}"
        if self._network.swallows(effect.address):
            await self._scheduler.limited(Wait(why), effect.timeout)
        await self._travel(why, effect.timeout)
        effect.link = self._network.connect(effect.address, effect.machine)

    def flush(self, effect: Flush) -> Awaitable[None] | None:
        """Send, and wait where the network takes no more."""
        return cast("Link", effect.link).flush(effect)

    def receive(self, effect: Receive) -> Awaitable[None] | None:
        """Wait for news of the connection."""
        return cast("Link", effect.link).receive(effect)

    def park(self, effect: Park) -> Awaitable[None] | None:
        """Wait for somebody else to set the signal."""
        if effect.signal.ready:
            return None
        return self._scheduler.until(effect.signal, effect.timeout, "Park, for a connection of the pool")

    def sleep(self, effect: Sleep) -> Awaitable[None]:
        """Wait for some seconds."""
        return self._scheduler.pause(effect.seconds, f"Sleep {effect.seconds:g} s")

    def offload(self, effect: Offload) -> None:
        """Call the function at once: in a simulation nothing blocks."""
        effect.function()

    async def _travel(self, why: str, timeout: float | None) -> None:
        """Wait as long as the network takes. Raises TimeoutError where that is too long."""
        seconds = self._network.conditions.seconds(self._scheduler.random)
        if timeout is not None and seconds > timeout:
            await self._scheduler.pause(timeout, why)
            raise TimeoutError
        await self._scheduler.pause(seconds, why)
