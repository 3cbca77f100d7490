"""The folder outside of the repository in which suites are unpacked and run, and what is downloaded into it.

    <cache>/httpure-compatibility/
        archives/          what was downloaded: the sources, as their authors released them
        sources/httpx/     one of them, unpacked
        environments/httpx-3.11/   a virtual environment with the package, what its tests need, and httpure (editable)

What is there is not downloaded again, so that a second run needs no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
from pathlib import Path

import environment

from .suites import Suite

__all__ = ["NotToBeHad", "prepare_environment", "prepare_source", "workshop"]


class NotToBeHad(Exception):
    """The source or the environment of a suite could not be made; the message says why."""


def workshop() -> Path:
    """Return the folder, which $HTTPURE_COMPATIBILITY may name."""
    given = os.environ.get("HTTPURE_COMPATIBILITY")
    if given:
        return Path(given)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "httpure-compatibility"


def prepare_source(suite: Suite, given: Path | None = None) -> Path:
    """Return the folder with the unpacked tests; `given` is an archive, or a folder, that is at hand."""
    if given is not None and given.is_dir():
        return given
    archive = given or _download(suite)
    folder = workshop() / "sources" / suite.name
    stamp = folder / ".archive"
    wanted = f"{archive.name} {archive.stat().st_size} {suite.without}"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
        stamp.write_text(wanted)
    (unpacked,) = [entry for entry in folder.iterdir() if entry.is_dir()]
    for name in suite.without:
        shutil.rmtree(unpacked / name, ignore_errors=True)
    return unpacked


def prepare_environment(suite: Suite) -> str:
    """Make the environment of a suite, or find it made, and return the path of its Python."""
    folder = workshop() / "environments" / f"{suite.name}-{environment.running_version()}"
    python = environment.environment_python(folder)
    stamp = folder / ".installed"
    project = tomllib.loads((environment.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [suite.package, *suite.requirements, str(environment.ROOT), *project["dependencies"]]
    wanted = hashlib.sha256("\n".join(needed).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return str(python)
    print(f"-- making the environment of {suite.name} (a minute or so)", flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    ours = f"{environment.ROOT}[cli,brotli,zstd,socks]"
    _run([*_pip(str(python)), "install", *suite.requirements, suite.package, "-e", ours])
    stamp.write_text(wanted)
    return str(python)


def _download(suite: Suite) -> Path:
    folder = workshop() / "archives" / suite.name
    known = sorted(folder.glob("*.tar.gz")) if folder.is_dir() else []
    if known:
        return known[-1]
    folder.mkdir(parents=True, exist_ok=True)
    if suite.archives:
        return _fetch(suite.archives, folder / f"{suite.name}.tar.gz")
    name, _, version = suite.package.partition("==")
    name = name.partition("[")[0]
    _run(
        [
            *_pip(sys.executable),
            "download",
            "--no-deps",
            "--no-binary",
            name,
            "--dest",
            str(folder),
            f"{name}=={version}",
        ]
    )
    return next(folder.glob("*.tar.gz"))


def _fetch(addresses: tuple[str, ...], target: Path) -> Path:
    partial = target.with_suffix(".part")
    faults = []
    for address in addresses:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer, partial.open("wb") as file:
                shutil.copyfileobj(answer, file)
        except OSError as exc:
            faults.append(f"{address} could not be downloaded: {exc}")
        else:
            partial.replace(target)
            return target
    raise NotToBeHad("\n".join(faults))


def _pip(python: str) -> list[str]:
    return [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise NotToBeHad(f"{' '.join(command)}\n{done.stdout.strip()}")
