"""The page docs/httpx-api.md, made of the two surfaces: `python -m tests.parity` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx

import httpure

from .surface import (
    Parameter,
    examples,
    instance_attributes,
    members,
    parameters,
    public_names,
    resolve,
)

__all__ = ["PAGE", "deviations", "missing", "page"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "httpx-api.md"

#: What is deliberately another way, by the path of the name. A path ends where the difference is.
NOTES: dict[str, str] = {}

_HEAD = """\
# The API of httpx, name by name

Every public name, member and parameter of httpx {version}, and its state in httpure {ours}. This page is generated from
the two packages, and a test holds it to them: nothing is missing. What behaves differently under the same name is on
[Coming from httpx](coming-from-httpx.md).

"Same" means: the same parameters, in the same order, of the same kinds, with the same defaults. Parameters in *italics*
must be given by name. Those behind "and" are ours, and optional.

{count} names and {parameters} parameters.
"""


def paths() -> list[str]:
    """Return every public path of httpx: names, and members of classes."""
    found = {path for name in public_names(httpx) for path in (name, *members(httpx, name))}
    return sorted(found | set(instance_attributes(httpx)), key=lambda path: path.split("."))


def missing() -> list[str]:
    """Return the paths that are not there."""
    return [path for path in paths() if not _is_there(path)]


def deviations() -> dict[str, str]:
    """Return what is amiss with the parameters of each path, where it is no deliberate difference."""
    found = {path: amiss(path) for path in paths() if path not in NOTES and _is_there(path)}
    return {path: what for path, what in found.items() if what}


def amiss(path: str) -> str:
    """Say what a caller of httpx would miss, or return an empty text."""
    if path in _attributes():
        return ""
    theirs, ours = parameters(resolve(httpx, path)), parameters(resolve(httpure, path))
    if theirs is None or ours is None:
        return "" if theirs is ours else "callable in one, not in the other"
    lost = [parameter.name for parameter in theirs if parameter not in ours]
    if lost:
        return f"differs in {', '.join(lost)}"
    positional = [parameter for parameter in ours if parameter.kind == "positional"]
    order = [parameter for parameter in theirs if parameter.kind == "positional"]
    return "" if positional[: len(order)] == order else "another order"


def page() -> str:
    """Return the text of the page."""
    every = paths()
    count = sum(len(_theirs(path)) for path in every)
    head = _HEAD.format(
        version=httpx.__version__, ours=httpure.__version__, count=len(every), parameters=count
    )
    return "\n".join([head, *_sections(every)]) + "\n"


def _sections(every: list[str]) -> Iterator[str]:
    groups: dict[str, list[str]] = {"Functions and other names": []}
    for path in every:
        name = path.partition(".")[0]
        is_class = isinstance(getattr(httpx, name), type) and not _is_error(name)
        title = f"`{name}`" if is_class else "Exceptions" if _is_error(name) else "Functions and other names"
        groups.setdefault(title, []).append(path)
    for title, group in groups.items():
        yield f"## {title}\n"
        yield "| httpx | parameters | here |\n|---|---|---|"
        yield from map(_row, group)
        yield ""


def _row(path: str) -> str:
    shown = ", ".join(f"*{p.name}*" if p.kind == "keyword" else _plain(p) for p in _theirs(path))
    return f"| `{path}` | {shown} | {_state(path)} |"


def _plain(parameter: Parameter) -> str:
    stars = {"*": "\\*", "**": "\\*\\*"}.get(parameter.kind, "")
    return stars + parameter.name


def _state(path: str) -> str:
    if path in NOTES:
        return NOTES[path]
    if path in _attributes():
        return "same"
    theirs = {parameter.name for parameter in _theirs(path)}
    ours = parameters(resolve(httpure, path)) or []
    more = [f"`{parameter.name}`" for parameter in ours if parameter.name not in theirs]
    return f"same, and {', '.join(more)}" if more else "same"


def _theirs(path: str) -> list[Parameter]:
    return [] if path in _attributes() else parameters(resolve(httpx, path)) or []


@cache
def _attributes() -> frozenset[str]:
    return frozenset(instance_attributes(httpx))


@cache
def _our_examples() -> dict[str, Any]:
    return examples(httpure)


def _is_there(path: str) -> bool:
    if path in _attributes():
        kind, _, name = path.partition(".")
        return hasattr(_our_examples()[kind], name)
    try:
        resolve(httpure, path)
    except AttributeError:
        return False
    return True


def _is_error(name: str) -> bool:
    value = getattr(httpx, name)
    return isinstance(value, type) and issubclass(value, BaseException)
