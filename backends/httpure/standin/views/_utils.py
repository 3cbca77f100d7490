"""What stands for `httpx._utils`: small functions that packages have come to use."""

from __future__ import annotations

import ipaddress
import os
from typing import IO, Any, AnyStr

from httpure_core.config.environment import proxies_from_environment
from httpure_core.config.patterns import URLPattern
from httpure_core.content.forms import primitive_text
from httpure_core.models.query import PrimitiveData

__all__ = [
    "PrimitiveData",
    "URLPattern",
    "get_environment_proxies",
    "is_ipv4_hostname",
    "is_ipv6_hostname",
    "peek_filelike_length",
    "primitive_value_to_str",
    "to_bytes",
    "to_bytes_or_str",
    "to_str",
    "unquote",
]


def get_environment_proxies() -> dict[str, str | None]:
    """Return the proxies of the environment by URL pattern; None where none is to be used."""
    return proxies_from_environment(os.environ)


def primitive_value_to_str(value: PrimitiveData) -> str:
    """Write a value as forms and queries have it: true, false, nothing for None, else `str(value)`."""
    return primitive_text(value)


def to_bytes(value: str | bytes, encoding: str = "utf-8") -> bytes:
    """Return text in that encoding, and bytes as they are."""
    return value.encode(encoding) if isinstance(value, str) else value


def to_str(value: str | bytes, encoding: str = "utf-8") -> str:
    """Return bytes of that encoding as text, and text as it is."""
    return value if isinstance(value, str) else value.decode(encoding)


def to_bytes_or_str(value: str, match_type_of: AnyStr) -> AnyStr:
    """Return the text as bytes if `match_type_of` is of bytes, else as it is."""
    same_kind: Any = value if isinstance(match_type_of, str) else value.encode()
    return same_kind  # type: ignore[no-any-return]  # what it is depends on the argument


def unquote(value: str) -> str:
    """Return the text without the double quotes around it, if it has them."""
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value


def peek_filelike_length(stream: IO[bytes]) -> int | None:
    """Return how many bytes the whole file has, wherever it stands; None if it does not tell."""
    try:
        return os.fstat(stream.fileno()).st_size
    except (AttributeError, OSError):
        pass
    try:
        here = stream.tell()
        length = stream.seek(0, os.SEEK_END)
        stream.seek(here)
    except (AttributeError, OSError):
        return None
    return length


def is_ipv4_hostname(hostname: str) -> bool:
    """Whether it is an IPv4 address or network."""
    return _is_address(ipaddress.IPv4Address, hostname)


def is_ipv6_hostname(hostname: str) -> bool:
    """Whether it is an IPv6 address or network, without brackets."""
    return _is_address(ipaddress.IPv6Address, hostname)


def _is_address(kind: Any, hostname: str) -> bool:
    try:
        kind(hostname.partition("/")[0])
    except ValueError:
        return False
    return True
