"""Many requests at the same time on trio, on few connections; what takes too long is cancelled.

python examples/trio_many.py [URL [COUNT]]
"""

from __future__ import annotations

import sys
from collections import Counter

import trio

import httpure
from httpure import trio as http


async def main(url: str, count: int) -> None:
    """Get the URL `count` times, within 30 seconds in all."""
    seen: Counter[int] = Counter()

    async def get() -> None:
        seen[(await client.get(url)).status_code] += 1

    limits = httpure.Limits(max_connections=10)  # the others wait in line
    async with http.Client(limits=limits, timeout=httpure.Timeout(5, pool=None)) as client:
        with trio.move_on_after(30):
            async with trio.open_nursery() as nursery:
                for _ in range(count):
                    nursery.start_soon(get)
    print(seen)


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else "https://example.org/"
    trio.run(main, where, int(sys.argv[2]) if len(sys.argv) > 2 else 50)
