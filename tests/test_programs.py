"""How servers of others are found, and what is said where there are none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import programs

from .servers import others

SCRIPTS = Path(programs.__file__).parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine: `path` is its PATH, and `peers` is where the script puts things."""
    for name in ("path", "peers/bin"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(programs, "FOLDER", tmp_path / "peers")
    monkeypatch.setattr(programs, "FURTHER", ())
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def install(folder: Path, name: str) -> str:
    program = folder / (name + ".exe" if os.name == "nt" else name)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


def test_find(folder: Path) -> None:
    assert programs.find("nginx") is None
    assert programs.missing() == [*programs.PACKAGES]
    installed = install(folder / "path", "nginx")
    assert programs.find("nginx") == installed
    assert programs.root_of(installed) == ""
    assert "nginx" not in programs.missing()
    fetched = install(folder / "peers" / "bin", "nginx")
    assert programs.find("nginx") == fetched
    assert programs.root_of(fetched) == str(folder / "peers" / "root")


def test_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPURE_PEERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="nginx is not installed: scripts/peers gets it"):
        others.needed("nginx")
    monkeypatch.setenv("HTTPURE_PEERS", "required")
    with pytest.raises(pytest.fail.Exception, match="nginx is not installed: scripts/peers gets it"):
        others.needed("nginx")
    installed = install(folder / "path", "nginx")
    assert others.needed("nginx") == installed


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="copies of scripts find their programs another way")
def test_without_apt(tmp_path: Path) -> None:
    for name in ("peers", "programs.py"):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        text = (SCRIPTS / name).read_text()
        for place in programs.FURTHER:
            text = text.replace(place, "/nowhere")
        (tmp_path / "scripts" / name).write_text(text)
    environment = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-B", str(tmp_path / "scripts" / "peers")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "There is no apt here" in done.stderr) == (1, True)
    assert "their tests are skipped" in done.stderr
    assert "nghttpd: MISSING" in done.stdout
