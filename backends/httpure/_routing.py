"""Which transport serves which URL: the mounts of a client, its proxy, and what the environment says of proxies.

And what a single request says of them.
"""

from __future__ import annotations

import os
from _thread import allocate_lock  # `threading.Lock`; the import of that module takes a millisecond
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, NoReturn, TypeVar

from httpure_core.config.environment import names_a_proxy, proxies_from_environment, variable_of
from httpure_core.config.options import Proxy, ProxyTypes, UseClientDefault
from httpure_core.config.patterns import URLPattern
from httpure_core.contracts import Mutex
from httpure_core.errors import InvalidURL, ProxyError
from httpure_core.models.request import Request
from httpure_core.operations.budget import place

from ._transports.base import AsyncBaseTransport, BaseTransport

__all__ = [
    "Detours",
    "FailingTransport",
    "check_addressing",
    "check_transports",
    "goes_by_proxy",
    "going_by",
    "mounts_of",
]

TransportT = TypeVar("TransportT")

#: Transports by the proxies of single requests that a client keeps, besides those that are in use.
MAX_DETOURS = 100


def check_transports(transport: Any, mounts: Any, method: str) -> None:
    """Raise TypeError where one of them has no such method: it is of the other colour, or no transport at all."""
    if mounts is not None and not isinstance(mounts, Mapping):
        raise TypeError(
            f'mounts= is a dict of transports, such as {{"https://": transport}}, not of type {type(mounts).__name__}.'
        )
    needs = (
        "A Client needs a blocking" if method == "handle_request" else "An AsyncClient needs an asynchronous"
    )
    for each in (transport, *(mounts or {}).values()):
        if isinstance(each, type):
            raise TypeError(f"{needs} transport, and {each.__name__} is a class: give {each.__name__}(...).")
        if each is not None and not hasattr(each, method):
            raise TypeError(f"{needs} transport, and {type(each).__name__} is none.")


def check_addressing(transport: Any, addresses: Mapping[str, Any]) -> None:
    """Raise ValueError for what would be said to nobody, where a transport is given: a policy that nobody asks."""
    if transport is not None:
        for name, value in addresses.items():
            if value is not None:
                raise ValueError(
                    f"{name}= is for the transports that a client makes, and this one was given a transport: "
                    f"give {name}= to that."
                )


def mounts_of(
    mounts: Mapping[str, TransportT | None] | None,
    proxy: ProxyTypes | None,
    trust_env: bool,
    through: Callable[[Proxy], TransportT],
    failing: Callable[[str], TransportT],
) -> dict[URLPattern, TransportT | None]:
    """Return the mounts of a client in the order in which they are asked.

    `through` makes a transport by way of a proxy; `failing` one whose requests fail with that message. What the caller
    gave comes before what the environment says, whichever is the more specific. Raises ValueError and InvalidURL
    for what the caller gave; a proxy of the environment that cannot be used fails when it would be used.
    """
    ordered: dict[URLPattern, TransportT | None] = {}
    if proxy is not None:
        through_it = through(proxy if isinstance(proxy, Proxy) else Proxy(proxy))
        return _in_order({"all://": through_it, **(mounts or {})})
    if mounts:
        ordered = _in_order(mounts)
    if trust_env and names_a_proxy(_variables()):
        for pattern, transport in _in_order(_from_environment(through, failing)).items():
            ordered.setdefault(pattern, transport)
    return ordered


def _variables() -> Mapping[Any, str]:
    """Return the environment, for look-ups of names in text or bytes that are, mostly, not there.

    On what lies below `os.environ`, where that is a dict: six look-ups in itself take 9 µs, for each raises and catches
    KeyError twice. That is a seventh of what a client costs.
    """
    below = getattr(os.environ, "_data", None)
    return below if type(below) is dict else os.environ


def _in_order(mounts: Mapping[str, TransportT | None]) -> dict[URLPattern, TransportT | None]:
    patterns = {URLPattern(key): transport for key, transport in mounts.items()}
    return {pattern: patterns[pattern] for pattern in sorted(patterns)}


def _from_environment(
    through: Callable[[Proxy], TransportT], failing: Callable[[str], TransportT]
) -> dict[str, TransportT | None]:
    """Return the mounts that the environment asks for; one transport, and so one pool, for each proxy."""
    transports: dict[str, TransportT] = {}
    mounts: dict[str, TransportT | None] = {}
    for pattern, url in proxies_from_environment(os.environ).items():
        if url is None:
            mounts[pattern] = None
            continue
        if url not in transports:
            try:
                transports[url] = through(Proxy(url))
            except (ValueError, InvalidURL) as exc:
                variable = variable_of(os.environ, pattern)
                why = str(exc).removesuffix(".")
                transports[url] = failing(f"The environment variable {variable} names no proxy to use: {why}")
        mounts[pattern] = transports[url]
    return mounts


class FailingTransport(BaseTransport, AsyncBaseTransport):
    """What stands in the place of a proxy that cannot be used: each request fails, and its error says why."""

    def __init__(self, why: str) -> None:
        self._why = why

    def handle_request(self, request: Request) -> NoReturn:
        """Raise ProxyError."""
        raise ProxyError(f"{self._why}, {place(request)}", request=request)

    async def handle_async_request(self, request: Request) -> NoReturn:
        """Raise ProxyError."""
        self.handle_request(request)


def going_by(
    proxy: ProxyTypes | UseClientDefault | None, extensions: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """Return a request's extensions with its choice of a proxy among them; None is the choice to use none.

    Raises ValueError, TypeError and InvalidURL for what is no proxy.
    """
    if isinstance(proxy, UseClientDefault):
        return extensions
    return {**(extensions or {}), "proxy": _proxy(proxy)}


def goes_by_proxy(transport: Any) -> bool:
    """Whether a transport is one of ours with a proxy."""
    transmitter = getattr(transport, "transmitter", None)
    return transmitter is not None and transmitter.dialler.proxy is not None


def _proxy(proxy: ProxyTypes | None) -> Proxy | None:
    return proxy if proxy is None or isinstance(proxy, Proxy) else Proxy(proxy)


class Detours(Generic[TransportT]):
    """A client's transports by way of the proxies that single requests asked for: one for each proxy.

    `through` makes one. Threads may share it.
    """

    def __init__(self, through: Callable[[Proxy], TransportT]) -> None:
        self._through = through
        self._mutex = allocate_lock()
        self._process = os.getpid()
        self._transports: dict[Hashable, TransportT] = {}  # the one asked for last is the last one

    def by(self, proxy: ProxyTypes, check: Callable[[], None]) -> TransportT:
        """Return the transport by that proxy. `check` raises if the client is closed by now."""
        proxy = proxy if isinstance(proxy, Proxy) else Proxy(proxy)
        key = _key(proxy)
        with self._lock():
            check()
            transport = self._transports.pop(key, None)
            if transport is None:
                transport = self._through(proxy)
                self._make_room()
            self._transports[key] = transport
        return transport

    def transports(self) -> list[TransportT]:
        """Return all there are."""
        with self._lock():
            return list(self._transports.values())

    def _lock(self) -> Mutex:
        process = os.getpid()
        if process != self._process:
            # Forked off: whoever held the other one is not here any more.
            self._mutex, self._process = allocate_lock(), process
        return self._mutex

    def _make_room(self) -> None:
        """Part with those that were not asked for for the longest time, and carry nothing."""
        transports: Any = self._transports
        excess = len(transports) + 1 - MAX_DETOURS
        if excess > 0:
            unused = [key for key, transport in transports.items() if _is_unused(transport)]
            for key in unused[:excess]:
                # Who has just asked for it, and not begun yet, can still use it.
                transports.pop(key)._transmitter.pool.retire()


def _is_unused(transport: Any) -> bool:
    connections, idle, waiting = transport.statistics[:3]
    return connections == idle and not waiting


def _key(proxy: Proxy) -> Hashable:
    """Return what two proxies have in common that may share connections."""
    auth = tuple(proxy.auth) if isinstance(proxy.auth, list) else proxy.auth
    return (proxy.url, auth, tuple(proxy.headers.raw), proxy.ssl_context)
