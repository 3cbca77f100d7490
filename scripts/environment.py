"""Make and enter the virtual environments that the scripts of this folder run in.

Needs nothing but Python: `venv` and `pip` do the work, on Linux, macOS and Windows. An environment lives
beside `pyproject.toml`: `.venv` for the first Python that made one, `.venv-3.12` and so on for others. Each
set of extras is installed once, and again when `pyproject.toml` changes or the repository moves (a stamp in
the environment tells).

    import environment
    environment.enter("test")            # at the top of a script: what follows runs inside the environment
    python = environment.prepare("test") # or: only make it, and get the path of its Python
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "enter", "find_interpreters", "prepare", "running_version"]

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
VERSIONS = ("3.11", "3.12", "3.13")

# Asked of an interpreter: its version and real path. A launcher that only looks like a Python fails here.
WHO = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"


def enter(extra: str) -> None:
    """Go on inside the environment with `extra`: returns there; elsewhere, starts the script anew in it."""
    if sys.version_info < OLDEST:
        _restart(_any_supported_interpreter())
    python = environment_python(_folder(running_version()))
    inside = Path(sys.prefix).resolve() == python.parent.parent.resolve()
    if not inside or not _is_installed(python, extra):
        _restart(prepare(extra))


def prepare(extra: str, interpreter: str = sys.executable, version: str | None = None) -> str:
    """Make the environment of `interpreter`, install `.[extra]` into it, and return its Python's path."""
    folder = _folder(version or running_version())
    python = environment_python(folder)
    if _identify(str(python)) is None:
        _say(f"making {folder.name} with {interpreter}")
        _run([interpreter, "-m", "venv", "--clear", str(folder)], _venv_advice())
    if not _is_installed(python, extra):
        _install(python, extra)
    return str(python)


def find_interpreters() -> dict[str, str]:
    """Return version -> path of the Pythons to test on: the running one first, then those found on PATH."""
    found = {running_version(): sys.executable} if sys.version_info >= OLDEST else {}
    for version in VERSIONS:
        path = found.get(version) or _search(version)
        if path:
            found[version] = path
    return found


def running_version() -> str:
    """Return the running Python's version as the folder names use it, such as "3.12"."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def environment_python(folder: Path) -> Path:
    """Return the path of the Python inside the environment `folder`."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def _folder(version: str) -> Path:
    """`.venv` belongs to the version that made it; every other version has a folder with its name."""
    first = ROOT / ".venv"
    known = _identify(str(environment_python(first)))
    return first if known is None or known[0] == version else ROOT / f".venv-{version}"


def _identify(*command: str) -> tuple[str, str] | None:
    """Return (version, real path) of the interpreter, or None where it does not run."""
    try:
        answer = subprocess.run([*command, "-c", WHO], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.splitlines()
    return (lines[0], lines[1]) if answer.returncode == 0 and len(lines) == 2 else None


def _search(version: str) -> str | None:
    """Look through the whole PATH: an earlier folder may hold a launcher (pyenv's) that leads nowhere."""
    suffix = ".exe" if os.name == "nt" else ""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    commands = [[os.path.join(folder, f"python{version}{suffix}")] for folder in folders]
    commands += [[str(python)] for python in sorted(_pyenv_versions().glob(f"{version}.*/bin/python"))]
    if os.name == "nt":
        commands.append(["py", f"-{version}"])
    for command in commands:
        known = _identify(*command)
        if known is not None and known[0] == version:
            return known[1]
    return None


def _pyenv_versions() -> Path:
    """Where pyenv keeps its Pythons: its launchers on PATH lead to them only where a project asks for them."""
    return Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"


def _any_supported_interpreter() -> str:
    for path in find_interpreters().values():
        return path
    raise SystemExit(f"httpure needs Python {VERSIONS[0]} or later; this is {sys.version.split()[0]}.")


def _stamp(python: Path, extra: str) -> Path:
    return python.parent.parent / f".installed-{extra}"


def _wanted() -> str:
    """What must be unchanged since the installation: the requirements, and the place that `-e` points to."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()).hexdigest()


def _is_installed(python: Path, extra: str) -> bool:
    stamp = _stamp(python, extra)
    return stamp.is_file() and stamp.read_text() == _wanted()


def _install(python: Path, extra: str) -> None:
    wanted = _wanted()
    _say(f"installing httpure[{extra}] into {python.parent.parent.name} (a minute or so)")
    if subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode:
        _run([str(python), "-m", "ensurepip"], _venv_advice())
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "-e", f".[{extra}]"], "The installation failed: pip says above why. Is there a network?")
    _stamp(python, extra).write_text(wanted)


def _venv_advice() -> str:
    return "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv."


def _run(command: list[str], advice: str) -> None:
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit(f"{' '.join(command)}\n{advice}")


def _restart(python: str) -> None:
    """Run the calling script again with another Python; never returns."""
    command = [python, *sys.argv]
    sys.stdout.flush()
    if os.name == "nt":  # exec there detaches from the console: stay, and hand on the exit status
        raise SystemExit(subprocess.run(command).returncode)
    os.execv(python, command)


def _say(message: str) -> None:
    print(f"-- {message}", flush=True)
