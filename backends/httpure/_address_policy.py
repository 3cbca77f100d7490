"""A ready policy for addresses: those of the public Internet, and no others.

Programs that open URLs of strangers can be made to ask what only they can reach: the cloud's metadata service, or a
database on the same host (server-side request forgery). Names and redirects lead there as well as addresses do, so it
is the address that must be looked at, when it is about to be connected to.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from httpure_core.effects import Address

__all__ = ["public_addresses_only"]

#: What is handed out to the public (RFC 4291 section 2.4, IANA's registry).
_PUBLIC_IPV6 = IPv6Network("2000::/3")
#: Of that, what is not, and what not all versions of `ipaddress` know: documentation (RFC 9637).
_DOCUMENTATION = IPv6Network("3fff::/20")
#: An IPv4 address in the last 32 bits: mapped (RFC 4291), translated (RFC 2765), by NAT64 (RFC 6052).
_EMBEDDING = (IPv6Network("::ffff:0:0/96"), IPv6Network("::ffff:0:0:0/96"), IPv6Network("64:ff9b::/96"))
#: What versions of `ipaddress` disagree on: protocols of the IETF (RFC 6890), and the relays of 6to4, which is no more
#: (RFC 7526).
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))


def public_addresses_only(address: Address) -> bool:
    """Return whether an address is one of the public Internet. For `address_policy`.

    >>> from httpure_core.effects import Address
    >>> httpure.public_addresses_only(Address("93.184.215.14", 443))
    True
    >>> httpure.public_addresses_only(Address("169.254.169.254", 80))
    False

    False for what is private, shared by a provider (100.64.0.0/10), loopback, link-local, multicast, unspecified,
    reserved, or for documentation; for IPv6 addresses in which such an IPv4 address is embedded (IPv4-mapped, NAT64,
    6to4, Teredo); for Unix sockets, and for all that is no address in digits.
    """
    if address.path is not None:
        return False
    try:
        parsed = ip_address(address.host)
    except ValueError:
        return False
    return _is_public(parsed) if isinstance(parsed, IPv4Address) else _is_public_ipv6(parsed)


def _is_public(address: IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _SPECIAL)
    )


def _is_public_ipv6(address: IPv6Address) -> bool:
    if any(address in network for network in _EMBEDDING):
        return _is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    if address.sixtofour is not None:
        return _is_public(address.sixtofour)
    if address.teredo:
        return all(map(_is_public, address.teredo))
    return address in _PUBLIC_IPV6 and address not in _DOCUMENTATION and address.is_global
