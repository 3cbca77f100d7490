"""Whether the arguments of a client are such, told where they are given and not where they are first used."""

from __future__ import annotations

from collections.abc import Callable

from httpure_core.limits import DEFAULT_LIMITS, Limits

__all__ = ["check_encoding", "checked_count", "checked_limits"]


def checked_count(name: str, count: int, least: int) -> int:
    """Return the number of something. Raises TypeError where it is none, and ValueError below `least`."""
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f"{name} is a whole number, not {type(count).__name__}.")
    if count < least:
        raise ValueError(f"{name} is {count}, but must be at least {least}.")
    return count


def checked_limits(limits: Limits) -> Limits:
    """Return the limits, or the default ones for what another package made for the same purpose. Raises TypeError."""
    if isinstance(limits, Limits):
        return limits
    if hasattr(limits, "max_keepalive_connections"):
        return DEFAULT_LIMITS  # it is of connections only, which is the transports' business
    raise TypeError(
        f"limits= is made by Limits(max_connections=...) and such, not of type {type(limits).__name__}."
    )


def check_encoding(encoding: str | Callable[[bytes], str]) -> None:
    """See whether text can be in this charset. Raises TypeError; ValueError, also a LookupError here, if it cannot."""
    if encoding == "utf-8" or callable(encoding):
        return
    if not isinstance(encoding, str):
        raise TypeError(
            f"default_encoding is the name of a charset, or a function of bytes, not {type(encoding).__name__}."
        )
    # Imported here, as nearly all clients have the default.
    from httpure_core.content.text import is_known_encoding

    if not is_known_encoding(encoding):
        from httpure_core.content.utf8 import UnknownEncoding

        raise UnknownEncoding(
            f"default_encoding is {encoding[:40]!r}, which is no charset that is read here."
        )
