"""A receiver that shows the body: laid out and coloured if it can be, as it comes if it must be."""

from __future__ import annotations

import json
from typing import BinaryIO, Protocol

from httpure_core.content.text import TextDecoder
from httpure_core.models.response import Response

from .jsontext import laid_out
from .media import Kind, kind_of, looks_like_text, media_type
from .printing import Printer

__all__ = ["Display", "Raw", "Receiver"]

#: Bytes of JSON that are kept to be laid out; what is longer is shown as it came.
MAX_LAID_OUT = 16 * 1024 * 1024
#: Bytes that are coloured: it takes about a second for each MiB.
MAX_COLOURED = 512 * 1024


class Receiver(Protocol):
    """Takes the body of a response. `begin` is called once, then `feed` for each piece, then `finish`.

    If the exchange fails, `finish` is not called.
    """

    def begin(self, response: Response) -> None:
        """Take the response: its head is there."""
        ...

    def feed(self, data: bytes) -> None:
        """Take a piece of the decoded body, never an empty one."""
        ...

    def finish(self) -> None:
        """The body is whole."""
        ...


class Raw:
    """Writes the body's bytes as they are."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def begin(self, response: Response) -> None:
        """Nothing is to be done."""

    def feed(self, data: bytes) -> None:
        """Write the piece, now."""
        self._stream.write(data)
        self._stream.flush()

    def finish(self) -> None:
        """Nothing is to be done."""


class Display:
    """Shows a body in the way that its type asks for."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._showing: Receiver

    def begin(self, response: Response) -> None:
        """Choose the way."""
        self._showing = self._way(response)
        self._showing.begin(response)

    def feed(self, data: bytes) -> None:
        """Show the piece, or keep it."""
        self._showing.feed(data)

    def finish(self) -> None:
        """Show what was kept."""
        self._showing.finish()

    def _way(self, response: Response) -> Receiver:
        media = media_type(response.headers)
        kind = kind_of(media)
        if kind is Kind.UNKNOWN and response.charset_encoding:
            kind = Kind.LIVE
        if kind is Kind.BINARY:
            return _Counted(self._printer)
        if kind is Kind.UNKNOWN:
            return _Undecided(self._printer)
        if kind is Kind.JSON:
            return _Json(self._printer)
        if kind is Kind.TEXT and self._printer.interactive and (lexer := _lexer(media)):
            return _Coloured(self._printer, lexer)
        return _Flowing(self._printer)


class _Flowing:
    """Text, shown as it comes."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._last = "\n"

    def begin(self, response: Response) -> None:
        self._decoder = TextDecoder(response.encoding or "utf-8")

    def feed(self, data: bytes) -> None:
        self._show(self._decoder.decode(data))

    def finish(self) -> None:
        self._show(self._decoder.flush())
        if not self._last.endswith("\n"):
            self._printer.flow("\n")

    def _show(self, text: str) -> None:
        if text:
            self._last = text[-1]
            self._printer.flow(text)


class _Counted:
    """Bytes that are not for reading."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._count = 0

    def begin(self, response: Response) -> None:
        pass

    def feed(self, data: bytes) -> None:
        self._count += len(data)

    def finish(self) -> None:
        if self._count:
            hint = " (--download FILE saves them)" if self._printer.interactive else ""
            self._printer.line(f"<{self._count} bytes of binary data>{hint}")


class _Undecided:
    """A type that says nothing: the first piece tells."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._way: Receiver | None = None

    def begin(self, response: Response) -> None:
        self._response = response

    def feed(self, data: bytes) -> None:
        if self._way is None:
            self._way = _Flowing(self._printer) if looks_like_text(data) else _Counted(self._printer)
            self._way.begin(self._response)
        self._way.feed(data)

    def finish(self) -> None:
        if self._way is not None:
            self._way.finish()


class _Kept:
    """A text that is shown as a whole, unless it is longer than `limit` bytes: that one flows."""

    limit: int

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._pieces: list[bytes] = []
        self._size = 0
        self._flowing: _Flowing | None = None

    def begin(self, response: Response) -> None:
        self._response = response

    def feed(self, data: bytes) -> None:
        if self._flowing is not None:
            self._flowing.feed(data)
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self.limit:
            self._flowing = self._flow(b"".join(self._pieces))
            self._pieces.clear()

    def finish(self) -> None:
        if self._flowing is not None:
            self._flowing.finish()
        elif self._pieces:
            self._show(b"".join(self._pieces))

    def _flow(self, data: bytes) -> _Flowing:
        flowing = _Flowing(self._printer)
        flowing.begin(self._response)
        flowing.feed(data)
        return flowing

    def _show(self, data: bytes) -> None:
        raise NotImplementedError


class _Coloured(_Kept):
    """Text of a language that pygments knows."""

    limit = MAX_COLOURED

    def __init__(self, printer: Printer, lexer: str) -> None:
        super().__init__(printer)
        self._lexer = lexer

    def _show(self, data: bytes) -> None:
        decoder = TextDecoder(self._response.encoding or "utf-8")
        self._printer.code(decoder.decode(data) + decoder.flush(), self._lexer)


class _Json(_Kept):
    """JSON, laid out; what calls itself so and is none, as it is."""

    limit = MAX_LAID_OUT

    def _show(self, data: bytes) -> None:
        try:
            text = laid_out(data.decode(json.detect_encoding(data)))
        except ValueError:
            self._flow(data).finish()
            return
        if len(text) > MAX_COLOURED:
            self._printer.line(text)
        else:
            self._printer.code(text, "json")


def _lexer(media: str) -> str | None:
    """Return the name of the pygments lexer for a media type; None if there is none."""
    from pygments.lexers import get_lexer_for_mimetype
    from pygments.util import ClassNotFound

    try:
        name: str = get_lexer_for_mimetype(media).aliases[0]
    except ClassNotFound:
        return "xml" if media.endswith("+xml") else None
    return name
