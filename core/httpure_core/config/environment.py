"""What the environment says about proxies: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY.

The environment is given as data, and the answer is data: patterns, as `mounts=` takes them, to proxy URLs or
None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidURL
from .patterns import URLPattern

__all__ = ["names_a_proxy", "proxies_from_environment", "variable_of"]

_VARIABLES = frozenset(("http_proxy", "https_proxy", "all_proxy", "no_proxy"))
_NAMES_OF_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_IN_BYTES = tuple(name.encode() for name in _NAMES_OF_PROXIES)


def names_a_proxy(environ: Mapping[Any, Any]) -> bool:
    """Whether it is worth to read the environment: mostly there is none of the variables (runs once per client).

    The names may be in text, or, as Unix has them, in bytes.
    """
    there = environ.__contains__
    return any(map(there, _IN_BYTES)) or any(map(there, _NAMES_OF_PROXIES))


def variable_of(environ: Mapping[str, str], pattern: str) -> str:
    """Return the name of the variable that a proxy for such a pattern as "http://" was read from."""
    name = pattern.partition(":")[0] + "_proxy"
    return name if name in environ else name.upper()


def proxies_from_environment(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return the proxy URL for each pattern, None where no proxy is to be used.

    A name in lower case wins over one in upper case, and an empty one switches it off. Under CGI, where a
    client's `Proxy:` header arrives as HTTP_PROXY, only `http_proxy` counts (CVE-2016-1000110). `*` in
    NO_PROXY switches all off; entries there that mean nothing are ignored. Proxy URLs are not checked here.
    """
    variables = _proxy_variables(environ)
    bypassed = variables.get("no_proxy", "").replace(",", " ").split()
    if "*" in bypassed:
        return {}
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        proxy = variables.get(f"{scheme}_proxy", "").strip()
        if proxy:
            proxies[f"{scheme}://"] = proxy if "://" in proxy else f"http://{proxy}"
    for entry in bypassed:
        if entry[0] in "/:" and entry[:2] != "::":
            continue  # without a host, it would be for all of them
        pattern = entry if "://" in entry else f"all://{_bypassed_host(entry)}"
        if _is_pattern(pattern):
            proxies[pattern] = None
    return proxies


def _proxy_variables(environ: Mapping[str, str]) -> dict[str, str]:
    # By iterating: on Windows a look-up would not tell the two cases apart.
    under_cgi = "REQUEST_METHOD" in environ
    lower: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, value in environ.items():
        known = name.lower()
        if known not in _VARIABLES:
            continue
        if name == known:
            lower[known] = value
        elif not (under_cgi and known == "http_proxy"):
            others[known] = value
    return others | lower


def _bypassed_host(entry: str) -> str:
    """The host part of a pattern: `example.org` and what is below, but exactly an address or localhost."""
    if entry.startswith("["):
        return entry
    address, slash, size = entry.partition("/")
    if address.count(":") > 1:
        return f"[{address}]{slash}{size}"
    name = address.partition(":")[0]
    if entry.startswith("*") or name.lower() == "localhost" or _is_ipv4(name):
        return entry
    return f"*{entry}"


def _is_ipv4(name: str) -> bool:
    labels = name.split(".")
    return len(labels) == 4 and all(label.isascii() and label.isdigit() for label in labels)


def _is_pattern(pattern: str) -> bool:
    try:
        URLPattern(pattern)
    except (ValueError, InvalidURL):
        return False
    return True
