"""Which transport serves which URL: the mounts of a client, its proxy, and what the environment says of proxies."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from httpure_core.config.environment import names_a_proxy, proxies_from_environment, variable_of
from httpure_core.config.options import Proxy, ProxyTypes
from httpure_core.config.patterns import URLPattern
from httpure_core.errors import InvalidURL, ProxyError
from httpure_core.models.request import Request
from httpure_core.operations.budget import place

from ._transports.base import AsyncBaseTransport, BaseTransport

__all__ = ["FailingTransport", "check_transports", "mounts_of"]

TransportT = TypeVar("TransportT")


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
    given = dict(mounts or {})
    if proxy is not None:
        through_it = through(proxy if isinstance(proxy, Proxy) else Proxy(proxy))
        return _in_order({"all://": through_it, **given})
    ordered = _in_order(given)
    if trust_env and names_a_proxy(os.environ):
        for pattern, transport in _in_order(_from_environment(through, failing)).items():
            ordered.setdefault(pattern, transport)
    return ordered


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
