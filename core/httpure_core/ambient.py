"""What a pure core cannot know by itself: random bytes, the date, file types, and which domains are public suffixes.

The host gives them once, at import (`import httpure` does); everything that needs one of them asks here. A
simulation installs seeded ones, and a whole run repeats itself. Monotonic time is not here: it belongs to
the driver, which passes it as an argument.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["guess_type", "install", "is_public_suffix", "random_bytes", "wall_time"]


def _no_random_bytes(size: int) -> bytes:
    raise RuntimeError(
        "httpure_core has no source of random bytes. Import httpure, "
        "or call httpure_core.ambient.install(random_bytes=os.urandom)."
    )


def _no_wall_time() -> float:
    raise RuntimeError(
        "httpure_core does not know the date. Import httpure, "
        "or call httpure_core.ambient.install(wall_time=time.time)."
    )


def _unknown_type(name: str) -> str | None:
    return None


def _has_no_dot(domain: str) -> bool:
    # The rule of last resort: a domain of a single label belongs to no one.
    return "." not in domain


_random_bytes: Callable[[int], bytes] = _no_random_bytes
_wall_time: Callable[[], float] = _no_wall_time
_guess_type: Callable[[str], str | None] = _unknown_type
_public_suffix: Callable[[str], bool] = _has_no_dot


def install(
    *,
    random_bytes: Callable[[int], bytes] | None = None,
    wall_time: Callable[[], float] | None = None,
    guess_type: Callable[[str], str | None] | None = None,
    public_suffix: Callable[[str], bool] | None = None,
) -> None:
    """Give the core what it cannot know; what is left out stays as it was.

    `random_bytes(n)` returns n unpredictable bytes, `wall_time()` the seconds since 1970 (UTC),
    `guess_type(file_name)` a media type or None, `public_suffix(domain)` whether everybody may register names below
    that domain, as below `co.uk`.
    """
    global _random_bytes, _wall_time, _guess_type, _public_suffix
    _random_bytes = random_bytes or _random_bytes
    _wall_time = wall_time or _wall_time
    _guess_type = guess_type or _guess_type
    _public_suffix = public_suffix or _public_suffix


def random_bytes(size: int) -> bytes:
    """Return `size` unpredictable bytes. Raises RuntimeError where no source was installed."""
    return _random_bytes(size)


def wall_time() -> float:
    """Return the seconds since 1970 (UTC). Raises RuntimeError where no clock was installed."""
    return _wall_time()


def guess_type(name: str) -> str | None:
    """Return the media type that the file name suggests, or None."""
    return _guess_type(name)


def is_public_suffix(domain: str) -> bool:
    """Return whether nobody may set a cookie for this whole domain, given in lower case, as ASCII, without outer dots.

    Where nothing was installed that knows the list, only domains of a single label are taken for public suffixes.
    """
    return _public_suffix(domain)
