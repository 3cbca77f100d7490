"""Between the core's addresses and the `socket` module: for backends that use its sockets."""

from __future__ import annotations

import os
import socket
from typing import Any, Protocol

from httpure_core.effects import Address, Resolve

__all__ = ["addresses_of", "host_bytes", "in_plain_words", "open_socket", "socket_address"]


class Guard(Protocol):
    """Stands before the network; see `httpure.testing.no_network`."""

    def check(self, what: str, /) -> object:
        """Raise, or let be looked up or dialled: a host name, an address in digits, or the path of a socket."""
        ...

    def learn(self, host: str, address: str, /) -> object:
        """A name that was let through has this address."""
        ...


#: Who is asked by all backends that use sockets; nobody, as a rule.
guard: Guard | None = None


def open_socket(
    address: Address, local_address: str | None, options: tuple[tuple[Any, ...], ...]
) -> socket.socket:
    """Return a non-blocking socket for the address, with the user's options set; not connected yet.

    TCP sockets get `TCP_NODELAY`, as a request must not wait for acknowledgements of the one before, and
    `SO_KEEPALIVE`, so that a peer that has vanished is found out one day; the user's options come later, and win.
    """
    if guard is not None:
        guard.check(address.path or address.host)
    if address.path is not None:
        if not hasattr(socket, "AF_UNIX"):
            raise OSError("this platform has no Unix sockets")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        sock = socket.socket(
            socket.AF_INET6 if address.family == "ipv6" else socket.AF_INET, socket.SOCK_STREAM
        )
    try:
        sock.setblocking(False)
        if address.path is None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in options:
            sock.setsockopt(*option)
        if local_address is not None:
            sock.bind((local_address, 0))
    except BaseException:
        sock.close()
        raise
    return sock


def socket_address(address: Address) -> Any:
    """Return the address in the form that `socket.connect` takes. Raises OSError for an unknown zone."""
    if address.path is not None:
        return address.path
    if address.family == "ipv6":
        host, _, zone = address.host.partition("%")
        return (host, address.port, 0, _scope(zone) if zone else address.scope)
    return (address.host, address.port)


def _scope(zone: str) -> int:
    """Return the number of an IPv6 zone: "eth0", or "2" (RFC 4007 section 11.2)."""
    if zone.isdigit():
        return int(zone)
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        raise OSError(f"there is no network interface {zone!r:.50} here") from None


def in_plain_words(error: OSError) -> OSError:
    """Return the error with the operating system's words, where a library has put its own."""
    return OSError(error.errno, os.strerror(error.errno)) if error.errno else error


def host_bytes(effect: Resolve) -> bytes:
    """Return the host name for `getaddrinfo`, which would try its own IDNA on a str, and raise UnicodeError."""
    if guard is not None:
        guard.check(effect.host)
    return effect.host.encode("ascii")


def addresses_of(found: list[tuple[Any, ...]], effect: Resolve) -> list[Address]:
    """Return what `getaddrinfo` found, in its order. Raises OSError where no address is of use."""
    addresses = []
    for family, _, _, _, sockaddr in found:
        if family == socket.AF_INET:
            addresses.append(Address(sockaddr[0], effect.port))
        elif family == socket.AF_INET6:
            addresses.append(Address(sockaddr[0], effect.port, family="ipv6", scope=sockaddr[3]))
    if not addresses:
        raise OSError(f"no usable address for {effect.host}")
    if guard is not None:
        for address in addresses:
            guard.learn(effect.host, address.host)
    return addresses
