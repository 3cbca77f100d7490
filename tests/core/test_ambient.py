from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from httpure_core import ambient


@pytest.fixture
def fresh() -> ModuleType:
    """The module once more, as it is before anybody has installed anything."""
    assert ambient.__spec__ is not None and ambient.__spec__.origin is not None
    spec = importlib.util.spec_from_file_location("fresh_ambient", ambient.__spec__.origin)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_bare_core_says_what_it_lacks(fresh: ModuleType) -> None:
    with pytest.raises(RuntimeError, match=r"install\(random_bytes=os\.urandom\)"):
        fresh.random_bytes(8)
    with pytest.raises(RuntimeError, match=r"install\(wall_time=time\.time\)"):
        fresh.wall_time()
    assert fresh.guess_type("page.html") is None


def test_what_is_installed_is_asked(fresh: ModuleType) -> None:
    fresh.install(
        random_bytes=lambda size: b"r" * size,
        wall_time=lambda: 12.5,
        guess_type={"page.html": "text/html"}.get,
    )
    assert fresh.random_bytes(3) == b"rrr"
    assert fresh.wall_time() == 12.5
    assert (fresh.guess_type("page.html"), fresh.guess_type("unknown")) == ("text/html", None)


def test_what_is_left_out_stays_as_it_was(fresh: ModuleType) -> None:
    fresh.install(wall_time=lambda: 1.0)
    fresh.install(guess_type=lambda name: "text/plain")
    fresh.install()
    assert fresh.wall_time() == 1.0
    assert fresh.guess_type("anything") == "text/plain"
    with pytest.raises(RuntimeError):
        fresh.random_bytes(1)


def test_without_a_list_a_single_label_is_a_public_suffix(fresh: ModuleType) -> None:
    assert fresh.is_public_suffix("com") and not fresh.is_public_suffix("co.uk")
    fresh.install(public_suffix={"co.uk": True}.get)
    assert fresh.is_public_suffix("co.uk")
