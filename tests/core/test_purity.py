"""The core does no I/O, tells no time and reads no environment: by what it imports, and by what is loaded then.

A core that is pure today stays so only if a test says so: `http.cookiejar`, `urllib.request`, `logging` and (in
3.11) `email` import socket, ssl or threading behind one's back.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import h11
import idna
import pytest

from .source import BACKENDS, CORE, CORE_MODULES, Module, imports

#: Of the standard library, what computes and nothing else. Adding a name here is a decision, not a formality.
PURE = {
    *(
        "__future__",
        "base64",
        "codecs",
        "collections",
        "collections.abc",
        "contextlib",
        "copy",
        "enum",
        "errno",  # the names of numbers
        "functools",
    ),
    *(
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "string",
        "struct",
    ),
    *("types", "typing", "unicodedata", "warnings", "zlib"),
}

#: What others wrote, as pure as we are.
OTHERS = {"h11", "h2", "hpack", "hyperframe", "idna"}
#: Decoders, of which each may be missing.
DECODERS = {"brotli", "brotlicffi", "backports", "compression", "zstandard"}

#: Who may build values of `datetime`; the clock in it is for nobody.
DATETIME = {"httpure_core.models.response", "httpure_core.models.cookie_store"}

#: Names for annotations only.
FOR_TYPES = {"datetime", "http.cookiejar", "ssl"}

FORBIDDEN_CALLS = {"__import__", "breakpoint", "compile", "eval", "exec", "exit", "input", "open", "print"}
CLOCK_READINGS = {"now", "today", "utcnow"}

each_module = pytest.mark.parametrize("module", CORE_MODULES, ids=lambda module: module.name)


@each_module
def test_imports_only_what_is_pure(module: Module) -> None:
    for each in imports(module):
        root = each.module.partition(".")[0]
        where = f"{module.path}:{each.line} imports {each.module}"
        if root == "httpure_core" or root in OTHERS:
            continue
        if each.for_types:
            assert each.module in PURE | FOR_TYPES, where
        elif each.module == "datetime":
            assert module.name in DATETIME, where
        elif root in DECODERS:
            assert module.name == "httpure_core.content.libraries", where
        else:
            assert each.module in PURE, where


@each_module
def test_calls_nothing_that_reaches_out(module: Module) -> None:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        where = f"{module.path}:{node.lineno}: {ast.unparse(node)}"
        if isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, where
        elif isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCK_READINGS, where


@each_module
def test_nothing_is_found_by_name_at_run_time(module: Module) -> None:
    """`globals()["open"]`, `__builtins__` and `sys.modules` would get around the rules above."""
    names = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
    assert not names & {"__builtins__", "globals", "locals", "vars", "__loader__", "__spec__"}


def test_every_file_is_looked_at() -> None:
    names = {module.name for module in CORE_MODULES}
    assert {"httpure_core", "httpure_core.pool", "httpure_core.operations.follow"} <= names
    assert len(CORE_MODULES) == sum(1 for _ in CORE.rglob("*.py"))


#: What must not be loaded when all of the core is. Threads are in the list though they do no I/O: whoever needs them
#: waits, and the core never waits. Not in it, as h11 loads them for its dataclasses: `inspect`, `os`, `dataclasses`;
#: and `time`, which the interpreter itself has loaded. h2 loads `logging`, which loads `threading` and `time`: it may
#: be imported only within a function.
IMPURE = [
    *("_asyncio", "_hashlib_socket", "_socket", "_ssl", "anyio", "asyncio", "asyncore", "concurrent.futures"),
    *(
        "email",
        "fcntl",
        "getpass",
        "http",
        "http.client",
        "http.cookiejar",
        "httpure",
        "logging",
        "mimetypes",
    ),
    *(
        "multiprocessing",
        "netrc",
        "pathlib",
        "queue",
        "random",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shutil",
    ),
    *("signal", "sniffio", "socket", "socketserver", "ssl", "subprocess", "tempfile", "threading", "trio"),
    *("urllib.request", "uuid"),
]


def loaded(*names: str, roots: list[Path]) -> set[str]:
    """Import modules in a fresh interpreter that has nothing else on its path, and return all that is loaded then."""
    paths = [str(root.parent) for root in roots]
    code = (
        f"import sys; sys.path[:0] = {paths!r}\n"
        f"for name in {list(names)!r}: __import__(name)\n"
        "print(*sorted(sys.modules))"
    )
    # Without `site`, whose .pth files may load anything.
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


LIBRARIES = [Path(h11.__file__).parent, Path(idna.__file__).parent]


@pytest.mark.slow
def test_all_of_the_core_loads_nothing_that_does_io() -> None:
    found = loaded(*(module.name for module in CORE_MODULES), "idna", roots=[CORE, *LIBRARIES])
    assert found >= {module.name for module in CORE_MODULES}
    assert not found & set(IMPURE)


@pytest.mark.slow
def test_the_face_loads_neither_an_event_loop_nor_tls() -> None:
    """Before they are needed: an import costs time, and a blocking client needs no event loop."""
    found = loaded("httpure", roots=[CORE, BACKENDS, *LIBRARIES])
    assert "httpure" in found
    assert not found & {"anyio", "asyncio", "ssl", "trio", "h11", "idna", "http.client", "urllib.request"}
