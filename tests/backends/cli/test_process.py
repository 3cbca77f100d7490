"""The command as a process of its own: how it is started, interrupted, and piped."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest

import httpure
from httpure import _cli
from tests.backends.fresh import ROOT, fresh
from tests.peers import RealNetwork, scripted

posix = pytest.mark.skipif(sys.platform == "win32", reason="no signals and terminals as here")


def test_it_is_a_click_command() -> None:
    assert isinstance(httpure.main, click.Command)
    assert "main" in httpure.__all__


def test_the_script() -> None:
    """What pip makes of pyproject.toml is a script that calls this."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        scripts = tomllib.load(file)["project"]["scripts"]
    assert scripts == {"httpure": "httpure:main"}
    assert EntryPoint("httpure", scripts["httpure"], "console_scripts").load() is httpure.main


@pytest.mark.parametrize("absent", ["click", "rich"])
def test_without_its_packages(
    absent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(_cli, "find_spec", lambda name: None if name == absent else real(name))
    with pytest.raises(SystemExit) as end:
        httpure.main()
    assert end.value.code == 1
    assert 'pip install "httpure[cli]"' in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_imported(server: str) -> None:
    """By programs that do not use it, nothing; by one in a pipe, nothing that would colour its output."""
    code = f"""
        import sys, httpure
        assert not {{"click", "rich", "httpure._cli"}} & set(sys.modules)
        try:
            httpure.main(["{server}/get", "--body"])
        except SystemExit as end:
            assert end.code == 0
        loaded = {{"rich", "pygments", "asyncio", "trio", "ssl"}} & set(sys.modules)
        print(sorted(loaded), file=sys.stderr)
        assert not loaded, loaded
    """
    import textwrap

    assert '"method": "GET"' in fresh(textwrap.dedent(code))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "httpure", *arguments]


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "core"), str(ROOT / "backends")])
    return os.environ | {"PYTHONPATH": path, "TERM": "xterm-256color", "COLUMNS": "80"}


@pytest.mark.slow
def test_as_a_module(server: str) -> None:
    done = subprocess.run(
        command(f"{server}/post", "-i", "-", "--backend", "trio"),
        input="grüße\0".encode(),
        capture_output=True,
        env=environment(),
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"HTTP/1.1 200 OK" + os.linesep.encode())
    assert '"data": "grüße\\u0000"' in done.stdout.decode()


@pytest.mark.slow
@posix
@pytest.mark.parametrize("options", [("--body",), ("--download", "-", "--backend", "asyncio")])
def test_nobody_reads(server: str, options: tuple[str, ...]) -> None:
    """`httpure ... | head`: no traceback, and the exit code that says why."""
    process = subprocess.Popen(
        command(f"{server}/large/100000000", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None and process.stderr is not None
    assert len(process.stdout.read(1000)) == 1000
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(10) == 141
    assert "Error" not in said and "Traceback" not in said


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Sends half of a body, and then nothing."""
    head = b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: 10\r\n\r\nhalf'
    with RealNetwork() as network:
        yield f"http://127.0.0.1:{network.listen(scripted([head]))}"


@pytest.mark.slow
@posix
@pytest.mark.parametrize("backend", ["sockets", "asyncio", "trio"])
def test_ctrl_c(silent_server: str, tmp_path: Path, backend: str) -> None:
    process = subprocess.Popen(
        command(silent_server, "--download", "file", "--backend", backend),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=tmp_path,
    )
    until = time.monotonic() + 20
    while not (tmp_path / "file.part.json").exists() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)  # it waits for the rest now
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    part = os.path.realpath(tmp_path / "file.part")
    assert said.decode() == (
        f"4 of 10 bytes are in {part}. Run the same command with --resume to go on from there.\n"
    )
    assert (tmp_path / "file.part").read_bytes() == b"half"


def on_a_terminal(*arguments: str, folder: Path) -> tuple[int, str]:
    """Run it where all three streams are a terminal; return the exit code and what is on the screen."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(), cwd=folder
    )
    os.close(theirs)
    screen = b""
    try:
        while piece := os.read(ours, 65536):
            screen += piece
    except OSError:
        pass  # that is how Linux tells that the other side is closed
    finally:
        os.close(ours)
    return process.wait(10), screen.decode()


@pytest.mark.slow
@posix
def test_on_a_terminal(server: str, tmp_path: Path) -> None:
    code, screen = on_a_terminal(f"{server}/get", folder=tmp_path)
    assert code == 0
    assert "\x1b[" in screen and '"method"' in screen
    code, screen = on_a_terminal(f"{server}/bytes/10", "--body", folder=tmp_path)
    assert (code, screen) == (0, "<10 bytes of binary data> (--download FILE saves them)\r\n")


@pytest.mark.slow
@posix
def test_the_progress_bar_on_a_terminal(server: str, tmp_path: Path) -> None:
    code, screen = on_a_terminal(f"{server}/large/3000000", "--download", "file.bin", folder=tmp_path)
    assert code == 0
    assert "file.bin" in screen and "100%" in screen and "3.0/3.0 MB" in screen
    assert (tmp_path / "file.bin").stat().st_size == 3_000_000


#: Prints the most memory that the process ever had, in KiB.
MEASURED = """
import resource, sys
import httpure
try:
    httpure.main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr if "--body" in sys.argv else sys.stdout)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit elsewhere")
@pytest.mark.parametrize("backend", ["sockets", "asyncio", "trio"])
def test_memory(server: str, tmp_path: Path, backend: str) -> None:
    """It does not grow with the download."""
    path = str(tmp_path / "file")

    def most(size: int) -> int:
        options = ("--download", path, "--backend", backend)
        said = fresh(MEASURED, f"{server}/large/{size}", *options, development=False)
        assert os.path.getsize(path) == size
        return int(said.splitlines()[-1])

    assert most(200_000_000) - most(2_000_000) < 8 * 1024
