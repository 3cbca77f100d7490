"""One client, several requests, one connection.

python examples/get.py [URL]
"""

from __future__ import annotations

import sys

import httpure

url = sys.argv[1] if len(sys.argv) > 1 else "https://example.org/"

with httpure.Client() as client:
    for _ in range(3):
        response = client.get(url)
        print(response.status_code, response.reason_phrase, response.headers.get("content-type"))
        print(f"    {len(response.content)} bytes in {response.elapsed.total_seconds():.3f} s")
