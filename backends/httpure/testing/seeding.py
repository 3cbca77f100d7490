"""Seeds for tests that are run many times over."""

from __future__ import annotations

import os

__all__ = ["seeds"]

VARIABLE = "HTTPURE_SEEDS"


def seeds(count: int, first: int = 0) -> list[int]:
    """Return seeds for `pytest.mark.parametrize("seed", testing.seeds(100))`.

    >>> from httpure import testing
    >>> testing.seeds(3), testing.seeds(2, first=100)
    ([0, 1, 2], [100, 101])

    The environment variable HTTPURE_SEEDS says otherwise, for all tests: one seed ("17"), to look at a failure; or a
    range ("0-9999"), for a long run at night. Raises ValueError where it says neither.
    """
    said = os.environ.get(VARIABLE, "").strip()
    if not said:
        return list(range(first, first + count))
    low, dash, high = said.partition("-")
    if not low.isdigit() or not (high.isdigit() if dash else True):
        raise ValueError(f'{VARIABLE} is {said!r}: give a seed, such as "17", or a range, such as "0-9999".')
    return list(range(int(low), int(high or low) + 1))
