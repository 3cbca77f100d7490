"""The effects, performed in virtual time on a simulated network. See `AsyncBackend`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from httpure_core.effects import Address, Begin, Dial, Flush, Offload, Park, Race, Receive, Resolve, Sleep

from .attempt import Attempt
from .link import Link
from .network import Network
from .scheduler import Mutex, Scheduler, Wait

__all__ = ["Backend"]

T = TypeVar("T")


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
        await self._travel(
            f"Resolve {effect.host}", self._network.seconds_to_resolve(effect.host), effect.timeout
        )
        addresses = self._network.addresses(effect.host)
        effect.addresses = [
            Address(digits, effect.port, family="ipv6" if ":" in digits else "ipv4") for digits in addresses
        ]

    async def dial(self, effect: Dial) -> None:
        """Connect to a listener, or not."""
        attempt = cast("Attempt | None", effect.attempt)
        if attempt is not None:
            await self._scheduler.pause(0, f"Dial {effect.address}, of an attempt")
            effect.link = self._network.connect(effect.address, effect.machine, attempt.take())
            return
        why = f"Dial {effect.address}"
        if self._network.swallows(effect.address):
            await self._scheduler.limited(Wait(why), effect.timeout)
        await self._travel(why, self._network.seconds_to_connect(effect.address), effect.timeout)
        factory = self._network.listener(effect.address)
        effect.link = self._network.connect(effect.address, effect.machine, factory)

    def begin(self, effect: Begin) -> None:
        """Begin to connect to one address of several."""
        effect.attempt = Attempt(self._scheduler, self._network, effect.address)

    async def race(self, effect: Race) -> None:
        """Wait until one of several attempts has connected or failed."""
        attempts = cast("list[Attempt]", effect.attempts)
        wait = Wait(f"Race to {', '.join(str(attempt.address) for attempt in attempts)}")
        for attempt in attempts:
            attempt.tell(wait)
        await self._scheduler.limited(wait, effect.timeout)

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

    async def limit(self, function: Callable[[], Awaitable[T]], seconds: float | None) -> T:
        """Call a coroutine function, for at most so long."""
        task = self._scheduler.current
        if seconds is None or task is None:
            return await function()

        def end() -> None:
            if task.wait is not None:
                task.wait.fail(TimeoutError())

        event = self._scheduler.call_later(seconds, end, f"limit of {seconds:g} s")
        try:
            return await function()
        finally:
            event.cancel()

    async def _travel(self, why: str, seconds: float, timeout: float | None) -> None:
        """Wait as long as the network takes. Raises TimeoutError where that is too long."""
        if timeout is not None and seconds > timeout:
            await self._scheduler.pause(timeout, why)
            raise TimeoutError
        await self._scheduler.pause(seconds, why)
