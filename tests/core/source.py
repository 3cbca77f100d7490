"""The source of the packages as syntax trees, for the tests that look at how it is written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpure
import httpure_core

CORE = Path(httpure_core.__file__).parent
BACKENDS = Path(httpure.__file__).parent


class Module(NamedTuple):
    """One file."""

    name: str  #: dotted, from its package's root on: "httpure_core.models.url"
    package: str  #: what its relative imports are relative to
    path: Path
    tree: ast.Module


class Import(NamedTuple):
    """One imported name."""

    module: str  #: dotted and absolute
    name: str | None  #: what is taken from it, if it is a `from` import
    line: int
    for_types: bool  #: under `if TYPE_CHECKING:`
    late: bool  #: in a function


def modules(root: Path) -> list[Module]:
    """Every module of a package."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        package = name if is_package else name.rpartition(".")[0]
        found.append(Module(name, package, path, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def imports(module: Module) -> Iterator[Import]:
    """Every import of a module, in functions too."""
    for_types = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    late = {id(node) for function in functions(module.tree) for node in ast.walk(function)}
    for node in ast.walk(module.tree):
        typed = id(node) in for_types
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno, typed, id(node) in late)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                parts = module.package.split(".")
                parts = parts[: len(parts) - node.level + 1]
                source = ".".join([*parts, source] if source else parts)
            for alias in node.names:
                yield Import(source, alias.name, node.lineno, typed, id(node) in late)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function, method and nested function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """What each node stands in."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


CORE_MODULES = modules(CORE)
BACKEND_MODULES = modules(BACKENDS)
