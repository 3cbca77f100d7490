"""One of several addresses that a client is connecting to. See `contracts.Attempt`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from httpure_core.effects import Address

from .network import Network
from .scheduler import Event, Scheduler, Wait

__all__ = ["Attempt"]


class Attempt:
    """On its way to an address. A server hears of it when it becomes a link, and of those that lose a race, never."""

    __slots__ = ("_event", "_factory", "_network", "_open", "_wait", "address", "connected", "error")

    def __init__(self, scheduler: Scheduler, network: Network, address: Address) -> None:
        self.address = address
        self.connected = False
        self.error: OSError | None = None
        self._network = network
        self._factory: Callable[[], Any] | None = None
        self._wait: Wait | None = None
        self._event: Event | None = None
        self._open = True
        network.attempts += 1
        if not network.swallows(address):
            seconds = network.seconds_to_connect(address)
            self._event = scheduler.call_later(seconds, self._arrive, f"attempt at {address}")

    def tell(self, wait: Wait) -> None:
        """Wake who waits for it when it has connected or failed."""
        self._wait = wait
        if self.connected or self.error is not None:
            wait.wake()

    def take(self) -> Callable[[], Any]:
        """Return the listener that it has reached, and end."""
        assert self._factory is not None
        self.close()
        return self._factory

    def close(self) -> None:
        """Give it up."""
        if self._event is not None:
            self._event.cancel()
        if self._open:
            self._open = False
            self._network.attempts -= 1

    def _arrive(self) -> None:
        try:
            self._factory = self._network.listener(self.address)
        except OSError as exc:
            self.error = exc.with_traceback(None)
        else:
            self.connected = True
        if self._wait is not None:
            self._wait.wake()
