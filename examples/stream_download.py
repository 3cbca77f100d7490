"""Download to a file without holding it in memory, and show how far it is.

python examples/stream_download.py [URL [FILE]]

`num_bytes_downloaded` counts what came over the network: compare that with Content-Length, and not the length of the
pieces, which are larger where the server compresses.
"""

from __future__ import annotations

import sys
import tempfile
from typing import IO

import httpure


def download(url: str, file: IO[bytes]) -> int:
    """Write the body to the file and return its size, after decoding."""
    size = 0
    with httpure.stream("GET", url, follow_redirects=True) as response:
        response.raise_for_status()
        total = int(response.headers.get("Content-Length", 0))
        for piece in response.iter_bytes():
            size += file.write(piece)
            show(response.num_bytes_downloaded, total)
    return size


def show(done: int, total: int) -> None:
    """Draw the progress over the line before."""
    share = f"{done / total:6.1%} of {total}" if total else f"{done}"
    print(f"\r{share} bytes", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else "https://httpbin.org/bytes/100000"
    with open(sys.argv[2], "wb") if len(sys.argv) > 2 else tempfile.TemporaryFile() as target:
        written = download(url, target)
    print(f"\n{written} bytes written")
