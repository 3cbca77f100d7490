"""Below which domains everybody may register names: the public-suffix list, which browsers use for cookies, too.

The list is a file of the package `publicsuffixlist`, which brings a fresh one every few days, as certifi does with
certificates. Its own class takes 60 ms to parse that. Here it is read as it is, when the first cookie for a whole
domain comes, and lines are looked for in it: 2 ms once, and less than 0.1 ms for each new domain.
"""

from __future__ import annotations

from functools import cache, lru_cache

from httpure_core.models.host import decode_host

__all__ = ["is_public_suffix"]


@lru_cache(maxsize=1024)
def is_public_suffix(domain: str) -> bool:
    """Return whether a domain, in lower case, as ASCII and without outer dots, is a public suffix.

    That is one of a rule (`co.uk`), one just below a rule with an asterisk (`*.ck`) that is no exception (`!www.ck`),
    what stands behind such an asterisk, or one of a single label. Rules are of registries and of companies that give
    names to their users, such as `github.io`.
    """
    parent = domain.partition(".")[2]
    if not parent:
        return True
    # Rules are written in Unicode, and hosts as they are dialled.
    name, above = (decode_host(each).encode("utf-8", "replace") for each in (domain, parent))
    rules = _rules()
    if b"\n!%b\n" % name in rules:
        return False
    return any(b"\n%b\n" % rule in rules for rule in (name, b"*." + name, b"*." + above))


@cache
def _rules() -> bytes:
    """Return the list, each rule on a line of its own, with a line end before and behind it.

    Where it is not there, as in a program that was frozen without the package's data, it has no rules.
    """
    try:
        from publicsuffixlist import PSLFILE

        with open(PSLFILE, "rb") as file:
            return b"\n" + file.read() + b"\n"
    except (ImportError, OSError):
        return b""
