"""Many requests at the same time on asyncio, on few connections.

python examples/asyncio_many.py [URL [COUNT]]
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import httpure
from httpure import asyncio as http


async def main(url: str, count: int) -> None:
    """Get the URL `count` times."""
    limits = httpure.Limits(max_connections=10)  # the others wait in line
    timeout = httpure.Timeout(5, pool=None)  # as long as it takes
    async with http.Client(limits=limits, timeout=timeout) as client:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client.get(url)) for _ in range(count)]
    print(Counter(task.result().status_code for task in tasks))


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else "https://example.org/"
    asyncio.run(main(where, int(sys.argv[2]) if len(sys.argv) > 2 else 50))
