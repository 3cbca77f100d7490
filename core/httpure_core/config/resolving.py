"""Where names lead: resolvers, overrides and address policies, as users give them.

>>> from httpure_core.config.resolving import overrides_of
>>> overrides = overrides_of({"Example.org": "127.0.0.1", "example.org:443": ["10.0.0.1", "::1"]})
>>> [str(address) for address in overrides.addresses("example.org", 443)]
['10.0.0.1:443', '[::1]:443']
>>> [str(address) for address in overrides.addresses("example.org", 80)]
['127.0.0.1:80']
>>> overrides.addresses("example.com", 80)
[]
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ..effects import Address
from ..errors import InvalidURL
from ..models.host import encode_host, parse_port, shown

__all__ = [
    "AddressPolicy",
    "Overrides",
    "ResolverAnswer",
    "ResolverFunction",
    "ResolverTypes",
    "addresses_from",
    "allows",
    "check_policy",
    "overrides_of",
    "resolver_of",
]

#: What a name leads to: an IP address in digits, an `Address`, or several of them, the best first.
ResolverAnswer: TypeAlias = str | Address | Iterable[str | Address]
#: Called with host and port; in async clients it may be a coroutine function.
ResolverFunction: TypeAlias = Callable[[str, int], ResolverAnswer | Awaitable[ResolverAnswer]]
#: A function, or what "host" and "host:port" lead to, with the system's look-up for all other names.
ResolverTypes: TypeAlias = ResolverFunction | Mapping[str, ResolverAnswer]
#: Tells whether an address may be connected to.
AddressPolicy: TypeAlias = Callable[[Address], bool]


def resolver_of(resolver: ResolverTypes | None) -> tuple[Overrides | None, ResolverFunction | None]:
    """Return the overrides, or the function, that a resolver is. Raises TypeError and ValueError."""
    if resolver is None or callable(resolver):
        return None, resolver
    if isinstance(resolver, Mapping):
        return overrides_of(resolver), None
    raise TypeError(
        "resolver= is a function of host and port, or a dict of names and their addresses, "
        f"not of type {type(resolver).__name__}."
    )


class Overrides:
    """The addresses of some names. Made by `overrides_of`."""

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[tuple[str, int | None], list[Address]]) -> None:
        self._known = known

    def addresses(self, host: str, port: int) -> list[Address]:
        """Return the addresses of a host, for a port; none where nothing is said of it."""
        known = self._known
        found = known.get((host, port)) or known.get((host, None)) or []
        return [_at_port(address, port) for address in found]


def overrides_of(mapping: Mapping[str, ResolverAnswer]) -> Overrides:
    """Return the overrides that a mapping tells of. Raises TypeError and ValueError for what cannot be meant."""
    known = {}
    for key, answer in mapping.items():
        if not isinstance(key, str):
            raise TypeError(f'The keys of resolver= are "host" and "host:port", not {key!r:.100}.')
        addresses = addresses_from(answer, 0, f"resolver[{key!r}]")
        if not addresses:
            raise ValueError(f"resolver[{key!r}] has no address: leave the name out to look it up.")
        known[_host_and_port(key)] = addresses
    return Overrides(known)


def addresses_from(answer: Any, port: int, who: str) -> list[Address]:
    """Return the addresses in a resolver's answer, for the port that was asked for where they name none.

    `who` gave them, in the words of errors. Raises TypeError and ValueError for what is no address.
    """
    if isinstance(answer, str | Address):
        return [_address(answer, port, who)]
    if isinstance(answer, bytes | Mapping) or not isinstance(answer, Iterable):
        raise TypeError(
            f"{who} is {answer!r:.100}: addresses are str or Address, or a list of them, not {type(answer).__name__}."
        )
    return [_address(each, port, who) for each in answer]


def check_policy(policy: Any) -> None:
    """Raise TypeError for what is no address policy."""
    if policy is not None and not callable(policy):
        raise TypeError(
            "address_policy= is a function of an Address that returns True or False, "
            f"not of type {type(policy).__name__}."
        )


def allows(policy: AddressPolicy, address: Address) -> bool:
    """Return what the policy says of an address. Raises TypeError if that is neither True nor False.

    A coroutine or a forgotten `return` must not count as an answer: what a policy is for is security.
    """
    verdict: object = policy(address)
    if verdict is True or verdict is False:
        return verdict
    close = getattr(verdict, "close", None)
    if hasattr(verdict, "__await__") and close is not None:
        close()
    raise TypeError(
        f"An address policy returns True or False, not {type(verdict).__name__}: it is a plain function."
    )


def _address(given: Any, port: int, who: str) -> Address:
    """Return the address in its one spelling, so that nobody who compares it is deceived."""
    if isinstance(given, str):
        given = Address(given)
    elif not isinstance(given, Address):
        raise TypeError(
            f"{who} holds {given!r:.100}: an address is a str or an Address, not {type(given).__name__}."
        )
    if given.path is not None:
        return Address(family="unix", path=given.path)
    from ipaddress import ip_address

    try:
        parsed = ip_address(given.host)
    except ValueError:
        raise ValueError(
            f"{who} holds {given.host!r:.100}, which is no IP address in digits: a port belongs into "
            "Address(host, port), and names are not looked up again."
        ) from None
    family = "ipv6" if parsed.version == 6 else "ipv4"
    return Address(str(parsed), given.port or port, family=family, scope=given.scope)


def _at_port(address: Address, port: int) -> Address:
    return Address(
        address.host, address.port or port, family=address.family, scope=address.scope, path=address.path
    )


def _host_and_port(key: str) -> tuple[str, int | None]:
    """Split "host" or "host:port", and spell the host as it is when it is looked up."""
    host, _, digits = key.partition(":")
    try:
        name = encode_host(host, "http") if host else ""
        port = parse_port(digits)
    except InvalidURL as exc:
        raise ValueError(
            f'The keys of resolver= are "host" and "host:port", not {shown(key)}: {exc}'
        ) from None
    if not name or name.replace(".", "").isdigit():
        raise ValueError(
            f"resolver[{key!r}] would never be asked for: only names are looked up, not addresses, and not nothing."
        )
    return name, port
