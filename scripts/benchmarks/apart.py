"""Libraries that cannot share an environment with their rivals: each in a folder that only its own process sees.

niquests depends on urllib3-future, which installs itself as `urllib3` over the real one and stays it by a line that
every start of the interpreter runs. In a folder on the path of one process it does neither.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

LIBRARIES = ("niquests",)
#: Seconds: a network that does not answer must not hold up a run.
PATIENCE = 120.0


def folder_of(library: str) -> Path:
    """Return where the library lies: in the virtual environment, so that it goes with it."""
    return Path(sys.prefix) / "apart" / library


def environment_of(client: str, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of the client's process: its folder comes first where it has one of its own."""
    if client not in LIBRARIES:
        return environment
    path = os.pathsep.join([str(folder_of(client)), environment["PYTHONPATH"]])
    return environment | {"PYTHONPATH": path}


def install(clients: Iterable[str]) -> None:
    """Install those of the clients that live apart; where that fails, say why: the run goes on without them."""
    for library in set(LIBRARIES) & set(clients):
        if folder_of(library).is_dir():
            continue
        if sys.prefix == sys.base_prefix:
            print(f"-- {library} is installed in virtual environments only", flush=True)
            continue
        print(f"-- installing {library} into a folder of its own", flush=True)
        if reason := _fetched(library):
            print(f"-- {library} could not be installed: {reason}", flush=True)


def _fetched(library: str) -> str:
    """Install the library; return why it failed, or nothing. What is there, is there as a whole."""
    folder = folder_of(library)
    unfinished = folder.with_name(f"{library}-{os.getpid()}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--only-binary=:all:", f"--target={unfinished}", library]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"pip was not done within {PATIENCE:.0f} s"
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2]
    unfinished.rename(folder)
    return ""
