"""Upload files and fields as one form, multipart/form-data. Files are read as they are sent, never all at once.

python examples/upload.py [URL [FILE ...]]
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import httpure

url = sys.argv[1] if len(sys.argv) > 1 else "https://httpbin.org/post"
paths = [Path(name) for name in sys.argv[2:]] or [Path(__file__)]

with contextlib.ExitStack() as opened:
    # (field, (file name, file)): a list, so that one field can have several files.
    files = [("uploads", (path.name, opened.enter_context(path.open("rb")))) for path in paths]
    response = httpure.post(url, data={"comment": "from examples/upload.py"}, files=files)

response.raise_for_status()
answer = response.json()
print("fields:", answer["form"])
print("files:", {field: len(content) for field, content in answer["files"].items()})
