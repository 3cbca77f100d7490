"""How the memory of bodies is got from the system, and kept."""

from __future__ import annotations

from functools import cache
from io import BytesIO

__all__ = ["Basket", "keep_freed_memory"]

#: Bytes. Twice as many stay with the process when they are freed, if they lie at the end of its heap.
_BLOCK = 4 * 1024 * 1024


@cache
def keep_freed_memory() -> None:
    """Have the memory of one body used for the next, once per process, as soon as there is a connection.

    As it starts, glibc gives what is freed back to the system as soon as 128 KiB of it lie together, and takes new
    memory for the next body, of which each 4 KiB then cost a page fault: 60 to 80 of 180 µs for 100 KiB, where many are
    received at a time. From the first large block that is freed it learns what is usual (see `M_MMAP_THRESHOLD` in
    mallopt(3)). So it is shown one here, which is never touched, and takes no memory. Another malloc takes no notice.
    """
    bytes(_BLOCK)


class Basket(BytesIO):
    """What a large body is received in: see `contracts.Basket`."""

    __slots__ = ()

    def close(self) -> None:
        """Do nothing. There is nothing to close but memory, and views of that may still be there.

        Garbage collection closes each file, in any order; that of an exchange which was dropped in the middle would
        say that it cannot, on standard error.
        """
