"""`httpure.standin`: nothing is httpure's before the call, everything after it, and nothing any more after the undoing.

Each test has an interpreter of its own: what is imported in this one is the business of other tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.fresh import ROOT, fresh

pytestmark = pytest.mark.slow  # an interpreter each


def test_nothing_is_aliased_by_importing_it() -> None:
    told = fresh(
        "import sys, httpure.standin\n"
        "print('httpx' in sys.modules, httpure.standin.is_installed())\n"
        "import httpx\n"
        "print(httpx.Client is httpure.Client, hasattr(httpx, '__httpure__'))",
        development=False,
    )
    assert told.splitlines() == ["False False", "False False"]


def test_after_the_call_httpx_and_httpx2_are_httpure() -> None:
    told = fresh(
        "import httpure, httpure.standin\n"
        "httpure.standin.install()\n"
        "httpure.standin.install()\n"  # a second call changes nothing
        "import httpx, httpx2, httpx._client, httpx._transports.default as default\n"
        "assert httpx.Client is httpx2.Client is httpx._client.Client is httpure.Client\n"
        "assert default.HTTPTransport is httpure.HTTPTransport\n"
        "assert httpx._transports.default is default\n"
        "assert httpure.standin.is_installed()\n"
        "print(httpx.__name__, httpx.__version__, httpx.__version__ == httpx2.__version__)\n"
        "print(httpx.__httpure__ == httpure.__version__)\n"
        "import sys\n"
        "print(sum(type(finder).__name__ == 'Finder' for finder in sys.meta_path))",
        development=False,
    )
    assert told.splitlines() == ["httpx 0.28.1 False", "True", "1"]


def test_it_can_be_undone() -> None:
    told = fresh(
        "import httpure, httpure.standin as standin\n"
        "before = {kind: dict(vars(kind)) for kind in (httpure.HTTPTransport, httpure.Request, httpure.URL)}\n"
        "standin.install()\n"
        "import httpx\n"
        "ours = httpx.Client\n"
        "assert hasattr(httpure.Client, '_merge_url')\n"
        "standin.uninstall()\n"
        "standin.uninstall()\n"
        "import httpx\n"
        "assert httpx.Client is not ours and not hasattr(httpx, '__httpure__')\n"
        "assert not hasattr(httpure.Client, '_merge_url') and not standin.is_installed()\n"
        "print(all(dict(vars(kind)) == names for kind, names in before.items()))",
        development=False,
    )
    assert told == "True"


def test_it_refuses_where_the_real_one_was_imported() -> None:
    told = fresh(
        "import httpx, httpure.standin, sys\n"
        "try:\n    httpure.standin.install()\n"
        "except RuntimeError as exc:\n    print(exc)\n"
        "print(httpure.standin.is_installed(), any('Finder' == type(f).__name__ for f in sys.meta_path))",
        development=False,
    )
    refusal, rest = told.splitlines()
    assert refusal.startswith("httpx was imported before httpure.standin.install() was called")
    assert "python -m httpure.standin" in refusal
    assert rest == "False False"


def test_what_is_installed_can_be_asked_for() -> None:
    told = fresh(
        "import httpure.standin; httpure.standin.install()\n"
        "from importlib import metadata, util, reload\n"
        "import httpx\n"
        "print(metadata.version('httpx'), metadata.version('HTTPX2'), metadata.metadata('httpx')['Summary'])\n"
        "print(len([found for found in metadata.distributions() if found.name == 'httpx2']) >= 1)\n"
        "print(util.find_spec('httpx._client').origin, util.find_spec('httpx._nothing'))\n"
        "print(reload(httpx) is httpx, list(metadata.distribution('httpx').files or []))\n"
        "print(metadata.distribution('httpx').locate_file('x').name)",
        development=False,
    )
    assert told.splitlines() == [
        "0.28.1 2.0.0 httpure, in its place.",
        "True",
        "httpure.standin.views._client None",
        "True []",
        "x",
    ]


def test_names_that_are_not_there() -> None:
    told = fresh(
        "import httpure.standin; httpure.standin.install()\n"
        "import httpx, httpx2\n"
        "for module, name in ((httpx, 'EventSource'), (httpx2, 'nothing')):\n"
        "    try:\n        getattr(module, name)\n"
        "    except AttributeError as exc:\n        print(exc)\n"
        "try:\n    import httpx._nothing\n"
        "except ModuleNotFoundError as exc:\n    print(exc)\n"
        "httpx2.alias_httpx()",
        development=False,
    )
    first, second, third = told.splitlines()
    assert first.startswith("module 'httpx' has no attribute 'EventSource': it is httpure")
    assert second.endswith("(httpure.standin), which stands for httpx2 2.0.0.")
    assert third == "No module named 'httpx._nothing'"


def test_a_fault_within_a_view_is_not_taken_for_its_absence() -> None:
    told = fresh(
        "import sys, httpure.standin; httpure.standin.install()\n"
        "sys.modules['httpure._netrc'] = None\n"
        "try:\n    import httpx\n"
        "except ModuleNotFoundError as exc:\n    print(exc.name)",
        development=False,
    )
    assert told == "httpure._netrc"


def test_star_import_and_the_command() -> None:
    told = fresh(
        "import httpure.standin; httpure.standin.install()\n"
        "import sys\n"
        "from httpx import *\n"
        "print(Client, 'click' in sys.modules)\n"
        "import httpx, httpure\n"
        "print(httpx.main is httpure.main)",
        development=False,
    )
    assert told.splitlines() == ["<class 'httpure.Client'> False", "True"]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m httpure.standin`."""
    path = os.pathsep.join([str(ROOT / "core"), str(ROOT / "backends")])
    return subprocess.run(
        [sys.executable, "-m", "httpure.standin", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        cwd=cwd,
        timeout=30,
    )


PROGRAM = """\
import json, sys
import httpx
import beside
print(json.dumps({
    "httpure": hasattr(httpx, "__httpure__"),
    "name": __name__,
    "argv": sys.argv[1:],
    "program": sys.argv[0].rpartition("/")[2],
    "main": sys.modules["__main__"].__dict__ is globals(),
}))
sys.exit(7)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "beside.py").write_text("")
    (folder / "program.py").write_text(PROGRAM)
    return folder


@pytest.mark.parametrize("as_module", [False, True], ids=["file", "module"])
def test_a_program_is_wrapped(program: Path, as_module: bool) -> None:
    if as_module:
        done = run("-m", "program", "-x", "--help", cwd=program)
    else:
        done = run("programs/program.py", "-x", "--help", cwd=program.parent)
    assert (done.returncode, done.stderr) == (7, "")
    assert json.loads(done.stdout) == {
        "httpure": True,
        "name": "__main__",
        "argv": ["-x", "--help"],
        "program": "program.py",
        "main": True,
    }


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 0, "usage: python -m httpure.standin PROGRAM"),
        (["--help"], 0, "usage: python -m httpure.standin PROGRAM"),
        (["-m"], 2, "the program to run is missing"),
        (["-c", "print()"], 2, "unknown option -c"),
        (["nothing.py"], 2, "there is no file 'nothing.py'"),
    ],
)
def test_what_it_says(tmp_path: Path, arguments: list[str], status: int, words: str) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == status
    assert words in (done.stderr if status else done.stdout)
