"""`URLPattern`: which URLs a mounted transport or a proxy is for.

    all://   https://   all://example.org   http://example.org:8080   all://*.example.org   all://*example.org
    all://192.168.0.0/16   all://[fe80::]/10

`*.example.org` means the subdomains, `*example.org` the subdomains and the domain itself. Of several
patterns that match, the least one counts, `sorted(patterns)` being in order of precedence: with a port
before without, then the longer host, then the longer scheme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..models.url import URL

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

__all__ = ["URLPattern"]


class URLPattern:
    """A pattern of scheme, host and port. Hashable, sortable by precedence, equal to one of the same text.

    >>> from httpure_core.config.patterns import URLPattern
    >>> URLPattern("https://*.shop.example").matches(httpure.URL("https://api.shop.example/items"))
    True

    Raises ValueError for a text without a colon (`http` for `http://`), a bad port or network; InvalidURL
    for a host that no URL could have. A port that is written down is compared with the URL's effective one:
    `http://h:80` matches `http://h/`.
    """

    __slots__ = ("_any_host", "_network", "_suffix", "host", "pattern", "port", "scheme")

    def __init__(self, pattern: str) -> None:
        if not isinstance(pattern, str):
            raise TypeError(f"A proxy or mount pattern is a text, not {type(pattern).__name__}.")
        if pattern and ":" not in pattern:
            raise ValueError(
                f'A proxy or mount pattern is a URL: write "{pattern}://" in place of "{pattern}".'
            )
        scheme, _, rest = pattern.partition("://")
        if pattern and not scheme:
            raise ValueError(f'The pattern "{pattern}" has no scheme: "all" stands for every one.')
        host, port, prefix = _split_authority(rest, pattern)
        self.pattern = pattern
        #: "" stands for every scheme and every host; None for every port.
        self.scheme = "" if scheme == "all" else scheme.lower()
        self.port = port
        self._network = _network(host, prefix, pattern)
        wildcard = host[: 2 if host[:2] == "*." else host[:1] == "*"]
        name = host[len(wildcard) :]
        if "*" in name or (wildcard == "*." and not name):
            raise ValueError(
                f'The pattern "{pattern}": a host is "*", or begins with "*." or "*" and a name.'
            )
        ascii_name = _ascii_host(name).removesuffix(".") if name and self._network is None else name
        self.host = wildcard + ascii_name if ascii_name else ""
        self._any_host = not self.host
        self._suffix = "." + ascii_name if wildcard else ""

    def matches(self, other: URL) -> bool:
        """Whether the pattern is for that URL. Runs once per request and mount."""
        origin = other.origin
        if self.scheme and self.scheme != origin.scheme:
            return False
        if self.port is not None and self.port != origin.port:
            return False
        return self._any_host or self._matches_host(origin.host)

    @property
    def priority(self) -> tuple[int, int, int]:
        """What patterns are sorted by: the most specific one is the least."""
        return (self.port is None, -len(self.host), -len(self.scheme))

    def __lt__(self, other: URLPattern) -> bool:
        return self.priority < other.priority

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URLPattern) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def __repr__(self) -> str:
        return f"URLPattern({self.pattern!r})"

    def _matches_host(self, host: str) -> bool:
        host = host.removesuffix(".")  # the root, which may be written or not
        if self._network is not None:
            address = _address(host)
            return address is not None and address in self._network
        if not self._suffix:
            return host == self.host
        # The zone of an IPv6 address may read like a domain; no suffix is ever for an address
        # (CVE-2025-22870).
        if ":" in host:
            return False
        return host.endswith(self._suffix) or (self.host[1] != "." and host == self._suffix[1:])


def _split_authority(rest: str, pattern: str) -> tuple[str, int | None, str]:
    """Cut `host:port/prefix` into its parts; the prefix may also stand inside the brackets of IPv6."""
    if rest.startswith("["):
        host, bracket, rest = rest[1:].partition("]")
        if not bracket:
            raise ValueError(f"The pattern {pattern!r} has a bracket that is never closed.")
        if ":" not in host:
            raise ValueError(f"The pattern {pattern!r} has no IPv6 address in its brackets.")
        host, _, prefix = host.partition("/")
        port, _, path = rest.partition("/")
        prefix = prefix or path
        if port and not port.startswith(":"):
            raise ValueError(
                f"The pattern {pattern!r} has {port!r} behind the address, where a port may stand."
            )
    else:
        authority, _, prefix = rest.partition("/")
        host, colon, port = authority.partition(":")
        port = colon + port
    return host, _port(port[1:], pattern), prefix


def _port(digits: str, pattern: str) -> int | None:
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
        raise ValueError(f"The pattern {pattern!r} has the port {digits!r}: a port is a number up to 65535.")
    return int(digits)


def _ascii_host(host: str) -> str:
    return URL(f"http://[{host}]" if ":" in host else f"http://{host}").origin.host


def _network(host: str, prefix: str, pattern: str) -> IPv4Network | IPv6Network | None:
    if not prefix or _address(host) is None:
        return None
    import ipaddress

    try:
        return ipaddress.ip_network(f"{host}/{prefix}", strict=False)
    except ValueError:
        raise ValueError(f"The pattern {pattern!r} has no valid network size behind the address.") from None


def _address(host: str) -> Any:
    if not host or (":" not in host and not host[-1].isdigit()):
        return None  # a name, as nearly all are: not worth an import and an exception
    import ipaddress

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
