"""The wheel: both packages, typed, four requirements, the extras, the backends, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import BytesParser
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import httpure

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
LOAD = "import httpure, httpure_core; print(httpure.__file__, httpure_core.__file__)"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's file, built as `pip` would build it, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as wheel:
        return wheel.namelist()


@pytest.fixture(scope="module")
def metadata(path: Path, names: list[str]) -> Message:
    (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(path) as wheel:
        return BytesParser().parsebytes(wheel.read(name))


def test_name(path: Path) -> None:
    assert path.name == f"httpure-{httpure.__version__}-py3-none-any.whl"


def test_files(names: list[str]) -> None:
    """Every module of both packages, and `py.typed` for type checkers; no test, no script."""
    assert {"httpure/py.typed", "httpure_core/py.typed"} <= set(names)
    for root in ("core/httpure_core", "backends/httpure"):
        folder = ROOT / root
        modules = {f"{folder.name}/{file.relative_to(folder).as_posix()}" for file in folder.rglob("*.py")}
        assert modules <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"httpure", "httpure_core"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert any(name.endswith(("licenses/LICENSE", ".dist-info/LICENSE")) for name in names)


def required(metadata: Message) -> dict[str, set[str]]:
    """Names of the required packages by extra; "" for what is always required."""
    found: dict[str, set[str]] = {}
    for line in metadata.get_all("Requires-Dist") or []:
        requirement, _, marker = line.partition(";")
        name = requirement
        for end in "<>=!~[ (":
            name = name.partition(end)[0]
        _, _, extra = marker.replace('"', "'").partition("extra == '")
        found.setdefault(extra.partition("'")[0], set()).add(name.strip())
    return found


def test_requirements(metadata: Message) -> None:
    by_extra = required(metadata)
    assert by_extra[""] == {"h11", "h2", "certifi", "idna", "publicsuffixlist"}
    assert by_extra["trio"] == {"trio"}
    assert by_extra["cli"] == {"click", "rich"}
    assert by_extra["brotli"] == {"brotli"}
    assert by_extra["zstd"] == {"backports-zstd"} or by_extra["zstd"] == {"backports.zstd"}
    assert "socks" in metadata.get_all("Provides-Extra", [])
    assert "socks" not in by_extra, "it asks for nothing"
    assert {"trio", "cli", "brotli", "zstd", "socks", "test"} <= set(metadata.get_all("Provides-Extra") or [])


def test_other_metadata(metadata: Message) -> None:
    assert metadata["Name"] == "httpure"
    assert metadata["Version"] == httpure.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "BSD-3-Clause"


def test_entry_points(path: Path, names: list[str]) -> None:
    """Every backend that is named can be loaded."""
    (name,) = (name for name in names if name.endswith("entry_points.txt"))
    with zipfile.ZipFile(path) as wheel:
        text = wheel.read(name).decode()
    section = text.partition("[httpure.backends]")[2].partition("\n[")[0]
    backends = dict(line.split(" = ") for line in section.strip().splitlines())
    assert set(backends) >= {"sockets", "asyncio", "trio"}
    for backend, value in backends.items():
        assert EntryPoint(backend, value, "httpure.backends").load()().name == backend


@pytest.mark.slow
def test_the_wheel_works_by_itself(path: Path, tmp_path: Path) -> None:
    """Unpacked, with none of the repository's folders in reach."""
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {LOAD}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=30, env={}
    )
    assert done.returncode == 0, done.stderr
    assert [Path(file).parent.parent for file in done.stdout.split()] == [tmp_path, tmp_path]
