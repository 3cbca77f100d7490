"""The functions of `time`, in the time of a world, for code that sleeps and looks at the clock by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["patched_time"]


@contextmanager
def patched_time(now: Callable[[], float], sleep: Callable[[float], None], epoch: float) -> Iterator[None]:
    """Replace `time.sleep`, `monotonic`, `perf_counter` and `time`; other threads still get the real ones."""
    thread, real = threading.get_ident(), (time.sleep, time.monotonic, time.perf_counter, time.time)

    def here() -> bool:
        return threading.get_ident() == thread

    def virtual_sleep(seconds: Any, /) -> None:
        if here():
            sleep(seconds)
        else:
            real[0](seconds)

    time.sleep = virtual_sleep
    time.monotonic = lambda: now() if here() else real[1]()
    time.perf_counter = lambda: now() if here() else real[2]()
    time.time = lambda: epoch + now() if here() else real[3]()
    try:
        yield
    finally:
        time.sleep, time.monotonic, time.perf_counter, time.time = real
