"""The docstrings are true: the Python in them runs, and shows what they say it shows.

Python in a docstring is written as doctest (`>>>`). Each docstring has a namespace of its own with `httpure` and
`asyncio`, and runs in a folder with a few files, against the local server, which takes the place of example.org and
httpbin.org. Tables and drawings are not run; but nothing that is Python stands indented without being doctest.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import httpure

from .backends.fresh import fresh
from .core.source import BACKEND_MODULES, CORE_MODULES, Module
from .pages import furnish, led_home, run_examples
from .servers import TLSServer

#: What changes the whole process, and so runs in one of its own.
APART = ("httpure.standin",)
#: What takes its time: an interpreter of its own, or the first import of httpx or h2.
SLOW = (*APART, "httpure.adapters", "httpure_core.http2.connection")

#: What needs no example, and why.
WITHOUT_EXAMPLE = dict.fromkeys(
    ("delete", "head", "options", "patch", "post", "put"), "as `get`, with the arguments of `request`"
)


class Docstring(NamedTuple):
    """What stands in a docstring, without its indentation."""

    name: str  #: dotted: "httpure_core.models.url.URL.join"
    line: int
    text: str


def docstrings(node: ast.AST, name: str) -> Iterator[Docstring]:
    """Every docstring in a syntax tree, also those of what is private or within a function."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        name += f".{node.name}"
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        text = ast.get_docstring(node)
        if text is not None:
            yield Docstring(name, node.body[0].lineno, text)
    for child in ast.iter_child_nodes(node):
        yield from docstrings(child, name)


def docstrings_of(modules: list[Module]) -> list[Docstring]:
    """Every docstring of some modules."""
    return [each for module in modules for each in docstrings(module.tree, module.name)]


DOCSTRINGS = docstrings_of([*CORE_MODULES, *BACKEND_MODULES])
WITH_EXAMPLES = [each for each in DOCSTRINGS if ">>>" in each.text]
CASES = [
    pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.name in SLOW else [])
    for each in WITH_EXAMPLES
]


@pytest.mark.parametrize("docstring", CASES)
def test_examples(
    docstring: Docstring, server: str, tls_server: TLSServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(tmp_path, tls_server, monkeypatch)
    text = led_home(docstring.text, server, tls_server)
    if docstring.name in APART:
        run = "import sys, tests.pages as pages; pages.run_examples(*sys.argv[1:], 0, {})"
        fresh(run, text, docstring.name, development=False)
    else:
        namespace: dict[str, Any] = {"__name__": "__main__", "httpure": httpure, "asyncio": asyncio}
        assert run_examples(text, docstring.name, docstring.line, namespace)


def blocks(text: str) -> Iterator[str]:
    """Yield what stands indented in a text and is no doctest: whole, and paragraph by paragraph, and line by line."""
    parts = doctest.DocTestParser().parse(text)
    prose = "".join(part if isinstance(part, str) else "\n<example>\n" for part in parts)
    for indented, lines in groupby(prose.split("\n"), lambda line: not line or line.startswith("    ")):
        block = textwrap.dedent("\n".join(lines)).strip()
        if indented and block:
            yield from dict.fromkeys((block, *block.split("\n\n"), *block.split("\n")))


#: What prose and tables have not, even where they happen to be Python: "connect", "read, write", "a / b".
DEEDS = (
    *(ast.Assign, ast.AnnAssign, ast.Await, ast.Call, ast.Import, ast.ImportFrom, ast.With, ast.AsyncWith),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)


def is_python(text: str) -> bool:
    """Tell whether a text is Python that does something: a call, an import, an assignment, a definition."""
    try:
        tree = compile(textwrap.dedent(text), "", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return False
    return any(isinstance(node, DEEDS) for node in ast.walk(tree))


def test_no_python_stays_unrun() -> None:
    found = [(each.name, block) for each in DOCSTRINGS for block in blocks(each.text) if is_python(block)]
    assert not found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Words.\n\n    import httpure\n", True),
        ("Words.\n\n    response = httpure.get(url)\n\nMore words.", True),
        ("Words.\n\n    with httpure.Client() as client:\n        client.get(url)\n", True),
        ("Words.\n\n    async with client.stream(url) as response:\n        pass\n", True),
        ("Words.\n\n    GET     by get(url)\n    print(response)\n", True),
        ("Words.\n\n    call(\n        1,\n    )\n\n    and a table, of which no line is any\n", True),
        ("Words.\n\n    >>> response = httpure.get(url)\n    >>> response\n    Response(1)\n", False),
        ("Words.\n\n    Timeout(5.0)      five seconds\n    flush ──▶ receive\n\n    connect\n", False),
        ("Words about `client.get(url)`\nresponse = httpure.get(url)", False),
    ],
)
def test_what_is_taken_for_python(text: str, expected: bool) -> None:
    assert any(is_python(block) for block in blocks(text)) is expected


def test_an_example_that_is_wrong_fails() -> None:
    with pytest.raises(AssertionError, match="Failed example"):
        run_examples("Words.\n\n    >>> 1\n    2\n", "name", 0, {})


PUBLIC = [
    name
    for name in httpure.__all__
    if inspect.isclass(getattr(httpure, name)) or inspect.isfunction(getattr(httpure, name))
]


def is_exception(name: str) -> bool:
    value = getattr(httpure, name)
    return isinstance(value, type) and issubclass(value, BaseException) and name != "HTTPError"


@pytest.mark.parametrize("name", [name for name in PUBLIC if not is_exception(name)])
def test_what_is_public_has_an_example_that_runs(name: str) -> None:
    text = inspect.cleandoc(getattr(httpure, name).__doc__)
    if name in WITHOUT_EXAMPLE:
        assert ">>>" not in text, "It has one: take it off the list."
    else:
        assert text in {each.text for each in WITH_EXAMPLES}


@pytest.mark.parametrize(
    "name",
    [
        "httpure_core.http1.connection",
        "httpure_core.http2.connection",
        "httpure_core.effects",
        "httpure_core.operations",
        "httpure.backends",
    ],
)
def test_doors_for_embedders_have_an_example_that_runs(name: str) -> None:
    assert name in {each.name for each in WITH_EXAMPLES}
