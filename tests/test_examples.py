"""Each example is run, as a program of its own, against the local server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


class Run(NamedTuple):
    """Arguments, in which SERVER stands for the server's URL, and words that the output must have."""

    arguments: tuple[str, ...]
    words: tuple[str, ...]


RUNS = {
    "get.py": Run(("SERVER/",), ("200 OK text/html", "94 bytes in 0.")),
    "stream_download.py": Run(("SERVER/gzip/300000",), ("300000 bytes written",)),
    "upload.py": Run(("SERVER/post", "README.md"), ("from examples/upload.py", "'uploads': ")),
    "asyncio_many.py": Run(("SERVER/get", "30"), ("Counter({200: 30})",)),
    "trio_many.py": Run(("SERVER/get", "30"), ("Counter({200: 30})",)),
    "single_step.py": Run((), ("body b'llo', ended True", "<Response [204 No Content]>", "idle=1")),
    "embed_driver.py": Run(("SERVER/redirect/1",), ("Dial 127.0.0.1", "[302] <Response [200 OK]>")),
    "custom_transport.py": Run(("SERVER/get",), ("| violets are blue.", "404", "<Response [200 OK]>")),
    "scripted_test.py": Run((), ("a reset survived", "seeds without a mistake")),
    "simulated.py": Run(("3",), ("200 morning", "Nothing was received for 60 s")),
    "new_backend.py": Run(("SERVER/",), ("200",)),
}


def run_example(name: str, *arguments: str) -> str:
    """Run an example and return what it printed; it must end well, and without a warning."""
    environment = dict(
        os.environ, PYTHONPATH=os.pathsep.join(str(ROOT / part) for part in ("core", "backends"))
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example(name: str, server: str) -> None:
    arguments, words = RUNS[name]
    shown = run_example(name, *[argument.replace("SERVER", server) for argument in arguments])
    for word in words:
        assert word in shown


@pytest.mark.slow
def test_a_simulation_repeats_itself() -> None:
    assert run_example("simulated.py", "11") == run_example("simulated.py", "11")
