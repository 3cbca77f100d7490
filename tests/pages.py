"""The world in which the Python of the documentation runs, be it on pages or in docstrings.

That is a folder with a few files to send, and the local server in the place of example.org and httpbin.org.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from .servers import TLSServer

__all__ = ["ROOT", "furnish", "led_home", "run_examples"]

ROOT = Path(__file__).resolve().parent.parent
HOSTS = re.compile(r"(https?)://(?:(?:www|api|files)\.)?(?:example\.org|example\.com|httpbin\.org)")


def led_home(text: str, server: str, tls_server: TLSServer) -> str:
    """Return the text with the local server's addresses in the place of those that everybody knows."""
    return HOSTS.sub(lambda found: tls_server.url if found[1] == "https" else server, text)


def furnish(folder: Path, tls_server: TLSServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the folder the current one, put files there, and trust the local server."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SSL_CERT_FILE", tls_server.ca_file)
    for file in ("report.xls", "photo.png", "drawing.png"):
        Path(file).write_bytes(b"the content of " + file.encode())


def run_examples(text: str, name: str, line: int, namespace: dict[str, Any]) -> int:
    """Run the `>>>` examples of a text, and return how many there are.

    `...` in what an example shows stands for anything. Raises AssertionError, which tells what failed.
    """
    test = doctest.DocTestParser().get_doctest(text, namespace, name, name, line)
    told: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert not told, "".join(told)
    return len(test.examples)
