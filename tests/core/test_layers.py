"""Rooms import only from the floors below them, and nothing goes in a circle; backends know no HTTP.

And the rules of "Core and driver" that can be seen in how the source is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest

from .source import BACKEND_MODULES, CORE, CORE_MODULES, Module, functions, imports, parents

#: From the ground up. Those in one line know nothing of each other.
FLOORS = (
    ("errors", "ambient", "limits", "signals", "warned"),
    ("contracts",),
    ("effects", "layers", "lanes"),
    ("content", "places"),
    ("models",),
    ("config", "auth", "redirects", "retries", "http1", "http2"),
    ("pool", "proxy"),
    ("operations",),
)

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

OPERATIONS = [module for module in CORE_MODULES if module.package == "httpure_core.operations"]

each_module = pytest.mark.parametrize("module", CORE_MODULES, ids=lambda module: module.name)
each_operation = pytest.mark.parametrize("module", OPERATIONS, ids=lambda module: module.name)


def room(name: str) -> str:
    """`models` of `httpure_core.models.url`; "" of the package itself."""
    return [*name.split("."), ""][1]


def imported_modules(module: Module, known: set[str], late: bool = True) -> set[str]:
    """Our own modules that a module imports at run time; with `late`, in functions too."""
    found = set()
    for each in imports(module):
        if not each.for_types and (late or not each.late):
            whole = f"{each.module}.{each.name}"
            found.add(whole if whole in known else each.module)
    return found & known


@each_module
def test_a_room_imports_only_from_below(module: Module) -> None:
    here = room(module.name)
    if not here:
        assert not imported_modules(module, {each.name for each in CORE_MODULES})
        return
    for each in imports(module):
        if each.for_types or not each.module.startswith("httpure_core"):
            continue
        there = room(each.module) or str(each.name)
        where = f"{module.path}:{each.line}: {here} imports {there}"
        assert there == here or FLOOR_OF[there] < FLOOR_OF[here], where


def test_every_room_has_a_floor() -> None:
    assert {room(module.name) for module in CORE_MODULES} - {""} <= set(FLOOR_OF)


def test_the_core_has_no_circles() -> None:
    """Not even within a room, nor by imports in functions. `prepare` raises CycleError, which shows the circle."""
    known = {module.name for module in CORE_MODULES}
    TopologicalSorter({module.name: imported_modules(module, known) for module in CORE_MODULES}).prepare()


def test_the_backends_have_no_circles() -> None:
    """Of those that matter when they are loaded: what a function imports when it is called does not."""
    known = {module.name for module in BACKEND_MODULES}
    graph = {}
    for module in BACKEND_MODULES:
        graph[module.name] = imported_modules(module, known, late=False)
    TopologicalSorter(graph).prepare()


@each_module
def test_the_core_does_not_know_the_backends(module: Module) -> None:
    assert not [each for each in imports(module) if each.module.partition(".")[0] == "httpure"]


# Backends know no HTTP.

BACKENDS = ("sockets", "asyncio", "trio", "simulated")
#: What a backend may know of the core. `ambient` is for the simulation, which seeds it.
VOCABULARY = {"effects", "signals", "contracts"}
PURE_BACKENDS = [
    module
    for module in BACKEND_MODULES
    if room(module.name) in BACKENDS and not module.path.name.startswith("__init__")
]
each_backend_module = pytest.mark.parametrize("module", PURE_BACKENDS, ids=lambda module: module.name)


@each_backend_module
def test_a_backend_knows_the_vocabulary_and_no_more(module: Module) -> None:
    for each in imports(module):
        if each.module.startswith("httpure_core"):
            there = room(each.module) or str(each.name)
            allowed = VOCABULARY | ({"ambient"} if module.name == "httpure.simulated.simulation" else set())
            assert there in allowed, f"{module.path}:{each.line}: {there}"


@each_backend_module
def test_backends_do_not_know_each_other(module: Module) -> None:
    others = {f"httpure.{name}" for name in BACKENDS} - {f"httpure.{room(module.name)}"}
    for each in imports(module):
        assert not {each.module, ".".join(each.module.split(".")[:2]), f"{each.module}.{each.name}"} & others


@each_backend_module
def test_a_backend_speaks_no_http(module: Module) -> None:
    words = re.compile(
        r"\b(https?|headers?|cookies?|redirects?|url|status|request line|methods? GET|content.length|chunked|h11|h2)\b",
        re.IGNORECASE,
    )
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.arg | ast.FunctionDef | ast.ClassDef):
            name = next(
                getattr(node, field) for field in ("id", "attr", "arg", "name") if hasattr(node, field)
            )
            for word in name.split("_"):
                assert not words.fullmatch(word), f"{module.path}:{node.lineno}: {name}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            assert not words.search(node.value.decode("latin-1")), f"{module.path}:{node.lineno}"


def test_the_backends_are_all_there() -> None:
    assert {room(module.name) for module in PURE_BACKENDS} == set(BACKENDS)


# Rules of "Core and driver".


def own_nodes(statement: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a statement, without those of the functions defined in it."""
    yield statement
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from own_nodes(child)


def yields(statements: list[ast.stmt]) -> list[int]:
    """The lines where one of the statements yields or awaits."""
    kinds = (ast.Yield, ast.YieldFrom, ast.Await)
    return [node.lineno for each in statements for node in own_nodes(each) if isinstance(node, kinds)]


@each_operation
def test_rule_3_cleanup_never_yields(module: Module) -> None:
    """Neither in a `finally` nor in an `except`: cancellation, Ctrl-C and garbage collection come through there."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Try | ast.TryStar):
            assert not yields(node.finalbody), f"{module.path}: finally"
            for handler in node.handlers:
                assert not yields(handler.body), f"{module.path}:{handler.lineno}"


@each_operation
def test_rule_3_whoever_keeps_an_exception_lets_generator_exit_pass(module: Module) -> None:
    """An operation may yield once more after an error or a cancellation, but not where nobody steps it any more."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Try | ast.TryStar):
            passed = False
            for handler in node.handlers:
                caught = "BaseException" if handler.type is None else ast.unparse(handler.type)
                raises = isinstance(handler.body[-1], ast.Raise)
                passed = passed or ("GeneratorExit" in caught and raises)
                assert passed or raises or "BaseException" not in caught, f"{module.path}:{handler.lineno}"


@each_operation
def test_rule_6_nothing_is_waited_for_while_a_lock_is_held(module: Module) -> None:
    held = 0
    for node in ast.walk(module.tree):
        if isinstance(node, ast.With) and any("mutex" in ast.unparse(item) for item in node.items):
            held += 1
            assert not yields(node.body), f"{module.path}:{node.lineno}"
    if module.name.endswith("exchange"):
        assert held


@pytest.mark.parametrize(
    "module",
    [
        module
        for module in CORE_MODULES
        if room(module.name)
        in ("pool", "lanes", "places", "signals", "effects", "operations", "http1", "http2")
    ],
    ids=lambda module: module.name,
)
def test_the_sequence_is_generators_and_never_coroutines(module: Module) -> None:
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(module.tree) if isinstance(node, kinds)]


@pytest.mark.parametrize(
    "module",
    [
        module
        for module in CORE_MODULES
        if room(module.name) in ("pool", "lanes", "places", "signals", "http1", "http2")
    ],
    ids=lambda module: module.name,
)
def test_rule_5_between_arrival_and_machine_there_is_no_checkpoint(module: Module) -> None:
    """What takes bytes, grants connections and sets signals does so at once: it cannot yield."""
    assert not yields(module.tree.body)


def is_operation(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return function.returns is not None and ast.unparse(function.returns).startswith("Operation[")


ALL_OPERATIONS = [
    function for module in OPERATIONS for function in functions(module.tree) if is_operation(function)
]
OPERATION_NAMES = {function.name for function in ALL_OPERATIONS}


def test_rule_8_no_operation_returns_none() -> None:
    """A forgotten `yield from` would be silent. That they return nothing else by accident is mypy's business."""
    assert len(ALL_OPERATIONS) > 20
    for function in ALL_OPERATIONS:
        assert function.returns is not None
        result = ast.unparse(function.returns).removeprefix("Operation[").removesuffix("]")
        assert "None" not in result, function.name
        for node in own_nodes_of(function):
            if isinstance(node, ast.Return):
                assert node.value is not None, f"{function.name}: a bare return"
                assert not (isinstance(node.value, ast.Constant) and node.value.value is None), function.name


def own_nodes_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    for statement in function.body:
        yield from own_nodes(statement)


def test_every_generator_of_effects_is_called_an_operation() -> None:
    for module in OPERATIONS:
        for function in functions(module.tree):
            if yields(function.body):
                assert is_operation(function), f"{module.path}:{function.lineno}: {function.name}"


def called_name(node: ast.Call) -> str:
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


@each_operation
def test_rule_8_no_operation_is_called_and_forgotten(module: Module) -> None:
    """A call of one is run (`yield from`), kept, or handed on; it never stands alone or in a condition."""
    above = parents(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called_name(node) in OPERATION_NAMES:
            kinds = (ast.YieldFrom, ast.Return, ast.Assign, ast.AnnAssign)
            assert isinstance(above[node], kinds), f"{module.path}:{node.lineno}: {ast.unparse(node)}"


#: Of the operations, those whose names mean nothing else elsewhere.
UNMISTAKABLE = {"follow", "read_whole", "transmit", "exchange", "news", "next_piece", "read_all", "drain"}


@pytest.mark.parametrize("module", BACKEND_MODULES, ids=lambda module: module.name)
def test_rule_8_holds_for_those_who_start_operations(module: Module) -> None:
    assert UNMISTAKABLE < OPERATION_NAMES
    above = parents(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called_name(node) in UNMISTAKABLE:
            assert not isinstance(above[node], ast.Expr | ast.Await), f"{module.path}:{node.lineno}"


def test_the_tests_see_what_they_should() -> None:
    """The helpers themselves: imports in functions, relative ones, and those for types."""
    source = Module(
        "httpure_core.models.url",
        "httpure_core.models",
        CORE,
        ast.parse(
            "from __future__ import annotations\n"
            "from typing import TYPE_CHECKING\n"
            "from .. import ambient\n"
            "from ..errors import A, B\n"
            "from . import host\n"
            "if TYPE_CHECKING:\n    from ..pool import Pool\n"
            "def f():\n    import socket as s\n"
        ),
    )
    found = [(each.module, each.name, each.for_types) for each in imports(source)][2:]
    assert sorted(found, key=str) == sorted(
        [
            ("httpure_core", "ambient", False),
            ("httpure_core.errors", "A", False),
            ("httpure_core.errors", "B", False),
            ("httpure_core.models", "host", False),
            ("httpure_core.pool", "Pool", True),
            ("socket", None, False),
        ],
        key=str,
    )
    function = ast.parse(
        "try:\n    pass\nfinally:\n    x = yield from f()\n    def g():\n        yield 1\n"
    ).body
    assert yields(function) == [4]
