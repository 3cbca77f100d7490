"""Where servers that others have written are: on PATH, or in `.peers`, where `scripts/peers` puts them.

find("nginx")    # its path, or None
missing()        # the names of those that are nowhere
required()       # whether a test may be skipped for want of one
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["FOLDER", "PACKAGES", "find", "missing", "required", "root_of"]

#: What `scripts/peers` fetches to.
FOLDER = Path(__file__).resolve().parent.parent / ".peers"
#: Program -> Debian's package.
PACKAGES = {"nghttpd": "nghttp2-server", "nginx": "nginx", "squid": "squid", "tinyproxy": "tinyproxy-bin"}

#: Servers are often here, and here is often not on the PATH of those who are not root.
FURTHER = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


def find(name: str) -> str | None:
    """Return the path of a program, None where it is not installed."""
    places = [str(FOLDER / "bin"), *os.environ.get("PATH", "").split(os.pathsep), *FURTHER]
    return shutil.which(name, path=os.pathsep.join(places))


def root_of(path: str) -> str:
    """Return what stands before "/usr/share" and so on for a program that was found: "" if it is installed."""
    return str(FOLDER / "root") if Path(path).parent == FOLDER / "bin" else ""


def missing() -> list[str]:
    """Return the names of the programs that are not there."""
    return [name for name in PACKAGES if find(name) is None]


def required() -> bool:
    """Return whether each program must be there, as in CI: its tests fail else, instead of being skipped."""
    return os.environ.get("HTTPURE_PEERS") == "required"
