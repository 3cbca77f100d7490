"""Pools in a process that was forked off: each begins anew, whoever held its mutex at that moment.

The connections are the parent's, who goes on with them. The child closes its copies of their sockets, and tells the
servers nothing.
"""

from __future__ import annotations

import os
from _weakrefset import WeakSet  # as threading does: `weakref` would be half of what a first client costs
from collections.abc import Callable

from httpure_core.contracts import Mutex
from httpure_core.pool import Pool

__all__ = ["survives_forks"]

#: The pools that there are.
_pools: WeakSet[Pool] = WeakSet()


def survives_forks(pool: Pool, mutex: Callable[[], Mutex]) -> Pool:
    """Have the pool begin anew after each fork, with another mutex, and return it."""
    pool.new_mutex = mutex
    _pools.add(pool)
    return pool


def _begin_anew() -> None:
    for pool in list(_pools):
        if pool.new_mutex is not None:
            pool.abandon(pool.new_mutex())


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows, which has no fork
    os.register_at_fork(after_in_child=_begin_anew)
