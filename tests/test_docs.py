"""The documentation is true: its Python runs, and its links lead somewhere.

The blocks of a page that are fenced as `python` run in the order of the page, in one namespace, in an empty folder,
against the local server, which takes the place of example.org and httpbin.org. Where a line ends in `# -> text`,
what it prints is that text. Blocks with other fences, such as `text`, are not run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import httpure

from .pages import ROOT, furnish, led_home
from .servers import TLSServer

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PROMISE = re.compile(r"#\s->\s(.*)$")


def blocks(text: str) -> Iterator[str]:
    """Yield each block, moved down to the line of the page that it stands on."""
    for block in BLOCK.finditer(text):
        yield "\n" * text.count("\n", 0, block.start(1)) + block[1]


class Shown:
    """Takes the place of `print`, and holds it to what the page says it prints."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        code = "\n".join(blocks(text)).splitlines()
        #: What no print has kept yet.
        self.promises = [line for line in code if PROMISE.search(line)]

    def __call__(self, *values: Any, **options: Any) -> None:
        line = self.lines[sys._getframe(1).f_lineno - 1]
        if promised := PROMISE.search(line):
            assert " ".join(map(str, values)) == promised[1], line
            if line in self.promises:  # in a loop it is kept more than once
                self.promises.remove(line)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_python_of_page(
    name: str, server: str, tls_server: TLSServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / name).read_text("utf-8")
    furnish(tmp_path, tls_server, monkeypatch)
    local = led_home(text, server, tls_server)
    shown = Shown(local)
    namespace: dict[str, Any] = {"__name__": name, "print": shown}
    for block in blocks(local):
        exec(compile(block, name, "exec", dont_inherit=True), namespace)
    assert shown.promises == []  # such as one that stands on the last line of a call of several


def anchors(page: Path) -> set[str]:
    """Return the fragments that lead to the headings of a page, as GitHub makes them."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_links_of_page(name: str) -> None:
    page = ROOT / name
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in LINK.findall(text):
        if not target.startswith(("http://", "https://")):
            path, _, fragment = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.exists(), target
            assert not fragment or fragment in anchors(there), target


@pytest.mark.parametrize("name", NAMES)
def test_names_on_page(name: str) -> None:
    """What tables and sentences call `httpure.something` is there."""
    for spelling in re.findall(r"`[^`\n]*`", (ROOT / name).read_text("utf-8")):
        for attribute in re.findall(r"\bhttpure\.([A-Za-z_]\w*)", spelling):
            assert hasattr(httpure, attribute) or find_spec(f"httpure.{attribute}"), spelling


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {
        (index.parent / target.partition("#")[0]).resolve()
        for target in LINK.findall(index.read_text("utf-8"))
    }
    assert {page.resolve() for page in PAGES[1:]} - {index.resolve()} <= linked
