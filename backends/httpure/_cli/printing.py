"""Text for whoever reads it: colours on a terminal, and the plain text for anybody else.

In a pipe or a file lines are neither coloured nor cut nor padded. On a terminal, control characters are made visible: a
server could otherwise move the cursor, or rewrite what stands above. NO_COLOR and FORCE_COLOR are
honoured (rich does that).
"""

from __future__ import annotations

import functools
import io
import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Printer", "visible"]

#: Colours that follow the terminal's own.
THEME = "ansi_dark"

#: Control characters, but for the tab and the line feed, to how Python writes them.
_CONTROLS = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)
}


def visible(text: str) -> str:
    """Return text whose control characters are written out, and whose lines end with LF."""
    return text.replace("\r\n", "\n").translate(_CONTROLS)


class Printer:
    """Writes to one stream. Every method ends its text with a line end, if it has none."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        #: True where a person reads it.
        self.interactive = stream.isatty() or bool(os.environ.get("FORCE_COLOR"))
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what the terminal cannot show is no error

    def line(self, text: str) -> None:
        """Write a line of our own."""
        self.flow(text.rstrip("\n") + "\n")

    def failure(self, kind: str, message: str) -> None:
        """Write what went wrong, the kind of it in red."""
        if not self.interactive:
            self.flow(f"{kind}: {message}\n")
            return
        from rich.text import Text

        self._console.print(Text.assemble((kind, "red"), f": {visible(message)}"), soft_wrap=True)

    def code(self, text: str, lexer: str) -> None:
        """Write text of a language that pygments knows under this name."""
        if not self.interactive:
            self.line(text)
            return
        from rich.syntax import Syntax

        coloured = Syntax("", lexer, theme=THEME).highlight(visible(text))
        coloured.rstrip()
        self._console.print(coloured, soft_wrap=True)

    def head(self, text: str) -> None:
        """Write the head of a message, and an empty line."""
        self.code(text, "http")
        self.flow("\n")

    def flow(self, text: str) -> None:
        """Write a part of a text as it is, and let it be seen at once."""
        self.stream.write(visible(text) if self.interactive else text)
        self.stream.flush()

    @functools.cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=self.stream)
