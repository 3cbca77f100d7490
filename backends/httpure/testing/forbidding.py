"""No real network: what code does by accident in a test, and what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .. import _socket_addresses

__all__ = ["NetworkForbidden", "no_network"]


class NetworkForbidden(RuntimeError):
    """Code under test has asked for the real network. No `HTTPError`, so that no code takes it for bad weather."""


class Gatekeeper:
    """Stands before the network, and remembers whom it sent away. Made by `no_network`."""

    def __init__(self, allow: tuple[str, ...]) -> None:
        self._allowed = {each.lower() for each in allow}
        #: Those that were asked for in vain: names, addresses, paths.
        self.refused: list[str] = []

    def check(self, what: str) -> None:
        """Raise NetworkForbidden, or let it be looked up or dialled."""
        if what.lower() not in self._allowed:
            self.refused.append(what)
            raise NetworkForbidden(
                f"testing.no_network() refuses {what}: serve it in a testing.world(), give the client a "
                f"MockTransport, or allow it by no_network(allow=[{what!r}])."
            )

    def learn(self, host: str, address: str) -> None:
        """A name that was let through has this address."""
        self._allowed.add(address.lower())


@contextmanager
def no_network(allow: tuple[str, ...] | list[str] = ()) -> Iterator[Gatekeeper]:
    """Have the real backends, those of sockets, asyncio and trio, connect to nothing but what is allowed.

    >>> from httpure import testing
    >>> with testing.no_network():
    ...     httpure.get("http://api.test/")
    Traceback (most recent call last):
    ...
    httpure.testing.forbidding.NetworkForbidden: testing.no_network() refuses api.test: ...

    `allow` has host names, addresses in digits, and paths of Unix sockets. Connections that are open already stay so.
    Only httpure is watched, not other libraries. In pytest, for all tests, as a fixture:

        @pytest.fixture(autouse=True) ... with testing.no_network(allow=["127.0.0.1"]): yield

    What was refused, and caught by the code under test, ends the block with an AssertionError all the same.
    """
    before, keeper = _socket_addresses.guard, Gatekeeper(tuple(allow))
    _socket_addresses.guard = keeper
    try:
        yield keeper
    finally:
        _socket_addresses.guard = before
    if keeper.refused:
        raise AssertionError(
            f"The real network was asked for within testing.no_network(): {', '.join(keeper.refused)}. "
            "What was raised for it was caught by the code under test."
        )
