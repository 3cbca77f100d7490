"""What Python asks for the module `httpx`: modules with httpx's names, filled from the views."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from ._surface import SURFACES, Elsewhere, fill

__all__ = ["FAMILIES", "Finder"]

#: The packages that httpure stands for.
FAMILIES: Final = tuple(SURFACES)
_VIEWS: Final = f"{__package__}.views"


class Finder(MetaPathFinder):
    """Finds `httpx`, `httpx2` and their submodules; and their versions, for those who ask what is installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        family, _, rest = fullname.partition(".")
        if family not in FAMILIES:
            return None
        if not rest:
            return ModuleSpec(fullname, _Package(), origin="httpure.standin", is_package=True)
        view = _view(rest)
        if view is None:
            return None
        return ModuleSpec(fullname, _View(view), origin=view.__name__, is_package=hasattr(view, "__path__"))

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterator[Distribution]:
        """See `importlib.abc.MetaPathFinder`."""
        wanted = None if context is None else context.name
        for family, surface in SURFACES.items():
            if wanted is None or wanted.lower() == family:
                yield _StandIn(family, surface.version)


class _Package(Loader):
    """Makes `httpx` itself."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        fill(module)


class _View(Loader):
    """Makes a submodule, which has what its view lists."""

    def __init__(self, view: ModuleType) -> None:
        self._view = view

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__doc__ = self._view.__doc__
        names: list[str] = getattr(self._view, "__all__", [])
        module.__dict__.update({name: getattr(self._view, name) for name in names}, __all__=list(names))
        module.__dict__["__getattr__"] = Elsewhere(module.__name__)
        if module.__name__.endswith("__version__"):
            surface = SURFACES[module.__name__.partition(".")[0]]
            module.__dict__.update(__version__=surface.version, __title__=surface.name)


class _StandIn(Distribution):
    """What `importlib.metadata` tells of the package that httpure stands for."""

    def __init__(self, name: str, version: str) -> None:
        self._text = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: httpure, in its place.\n"
        )

    def read_text(self, filename: str) -> str | None:
        return self._text if filename in ("METADATA", "PKG-INFO") else None

    def locate_file(self, path: Any) -> Path:
        return Path(__file__).parent.joinpath(path)


def _view(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"{_VIEWS}.{name}")
    except ModuleNotFoundError as exc:
        if exc.name is not None and exc.name.startswith(_VIEWS):
            return None
        raise
