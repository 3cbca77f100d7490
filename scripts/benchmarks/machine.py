"""What depends on the machine: processors, descriptors, memory, and the environment of child processes.

Everything here has a fallback: where the system cannot pin, count or limit, the bench runs without.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent
MB = 1_000_000


def processors() -> tuple[set[int], set[int]] | None:
    """Return the processors (of the server, of the clients), or None where they cannot be kept apart."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return ({allowed[0]}, {allowed[-1]}) if len(allowed) > 1 else None


@contextlib.contextmanager
def pinned(processor: set[int] | None) -> Iterator[None]:
    """Let processes started inside inherit `processor`; None changes nothing."""
    if processor is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processor)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_descriptor_limit(wanted: int = 65_536) -> int:
    """Raise the soft limit of open descriptors, which children inherit, and return it."""
    try:
        import resource
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def child_environment() -> dict[str, str]:
    """Return the environment for children: our modules importable, no proxy, compiled modules cached."""
    dropped = ("_proxy", "pythondontwritebytecode", "pythonprofileimporttime")
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith(dropped)}
    inherited = [os.path.abspath(path) for path in kept.get("PYTHONPATH", "").split(os.pathsep) if path]
    kept["PYTHONPATH"] = os.pathsep.join([str(SCRIPTS), *inherited])
    return kept


class PeakMemory:
    """The most resident memory, in MB, that this process has held above what it held at first."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak becomes what is resident now
        self.before = _resident("VmRSS:")

    def added(self) -> float | None:
        """Return MB, or None where the system does not tell."""
        peak = _resident("VmHWM:")
        return None if peak is None or self.before is None else (peak - self.before) / MB


def own_memory() -> float | None:
    """Return the bytes that belong to this process alone, when garbage and free blocks are given back; None if unknown.

    That is the "unique set size": unlike what is resident, libraries that others have mapped, too, are not in it.
    """
    import ctypes

    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # only the C library of GNU has it
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError), open("/proc/self/smaps_rollup") as rollup:
        return sum(float(line.split()[1]) * 1024 for line in rollup if line.startswith("Private_"))
    return None


def _resident(field: str) -> float | None:
    """Return bytes: a field of Linux's status file, elsewhere the peak since the process began."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        return next(float(line.split()[1]) * 1024 for line in status if line.startswith(field))
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
