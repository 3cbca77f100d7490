"""The public surface of a package as data: names, members, parameters.

Public is what `__all__` lists, and of its classes every attribute without a leading underscore, wherever in the
family of the class it is written.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import EnumType
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["Parameter", "examples", "instance_attributes", "members", "parameters", "public_names", "resolve"]


class Parameter(NamedTuple):
    """One parameter, as a caller sees it."""

    name: str
    kind: str  #: "positional" (by name, too), "keyword", "*" or "**"
    default: str  #: as text; "" where the caller must give one


_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def public_names(package: ModuleType) -> list[str]:
    """Return what the package lists in `__all__`, and `main`, which httpx has but lists only with its extra."""
    return sorted({*package.__all__, "main"} - {"__description__", "__title__", "__version__"})


def resolve(package: ModuleType, path: str) -> Any:
    """Return what `path`, such as "Client.get", names. Raises AttributeError."""
    value: Any = package
    for name in path.split("."):
        value = inspect.getattr_static(value, name) if isinstance(value, type) else getattr(value, name)
    return value.__func__ if isinstance(value, classmethod | staticmethod) else value


def members(package: ModuleType, name: str) -> Iterator[str]:
    """Yield "Class.member" for each public member of a class; nothing for what is no class of the package."""
    value = getattr(package, name)
    if not isinstance(value, type) or not value.__module__.startswith(package.__name__.partition(".")[0]):
        return
    for member in sorted({member for family in value.__mro__[:-1] for member in own(family, package)}):
        yield f"{name}.{member}"


def own(family: type, package: ModuleType) -> list[str]:
    """Return the public attributes that a class of the package defines; builtins that it derives from add none."""
    if not family.__module__.startswith(package.__name__):
        return []
    return [name for name in vars(family) if not name.startswith("_")]


def parameters(value: Any) -> list[Parameter] | None:
    """Return the parameters of what can be called, without `self`; None for everything else."""
    if isinstance(value, property) or not callable(value) or isinstance(value, EnumType):
        return None  # what an enumeration is called with differs from one Python to the next
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    return [
        Parameter(found.name, _KINDS[found.kind], _default(found, value))
        for found in signature.parameters.values()
        if found.name not in ("self", "cls")
    ]


def examples(package: ModuleType) -> dict[str, Any]:
    """Return an instance of each class whose attributes are set when it is made."""
    request = package.Request("GET", "http://example.org")
    response = package.Response(200, request=request)
    made = [
        package.Client(),
        package.AsyncClient(),
        request,
        response,
        package.Timeout(5),
        package.Limits(),
        package.Proxy("http://example.org"),
        package.HTTPStatusError("", request=request, response=response),
        package.Cookies(),
        package.MockTransport(lambda request: package.Response(200)),
    ]
    return {type(example).__name__: example for example in made}


def instance_attributes(package: ModuleType) -> Iterator[str]:
    """Yield "Class.attribute" for the public attributes that only instances have."""
    for kind, example in examples(package).items():
        for name in sorted(vars(example)):
            if not name.startswith("_") and not hasattr(type(example), name):
                yield f"{kind}.{name}"


def _default(parameter: inspect.Parameter, value: Any) -> str:
    if parameter.default is inspect.Parameter.empty:
        return ""
    kind = type(parameter.default).__name__
    if kind == "UnsetType" and value.__name__ == "Limits":
        return repr(getattr(value(), parameter.name))  # what comes of it
    return kind if kind in _SENTINELS else repr(parameter.default)


#: Classes with one value, which is equal to that of the other package.
_SENTINELS = ("UseClientDefault", "UnsetType")
