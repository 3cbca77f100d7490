"""Heads and trailers on their way to h11: where they end, how long they are, and what no line may hold.

h11 knows the grammar, but takes a bare LF for the end of a line, most control characters for text, and any version of
HTTP. Two readers that do not agree where a line ends are how responses are smuggled (RFC 9112 section 2.2). So lines
end with CRLF here and with nothing else, and hold what those of HTTP/2 may hold. What passes is for h11 to read.
"""

from __future__ import annotations

import re

from ..errors import HeadTooLarge, head_too_large
from .measures import LONGEST_START, Measures

__all__ = ["HeadLines", "Lines", "Malformed", "NoHttp", "TrailerLines"]

_TEXT = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_VERSION = b"HTTP/1."
_FOLD = b" \t"
_FRAMING = (b"content-length", b"transfer-encoding")
#: Bytes of a line end, which those of a field do not count.
_END = 2
#: Characters of a line that are shown.
_MAX_SHOWN = 40
_START_HAS = "The status line of the response has"


class Malformed(Exception):
    """What came breaks a rule; the text says which one."""


class NoHttp(Malformed):
    """What came is no HTTP/1.x at all."""


class Lines:
    """Fields up to an empty line, however they are cut.

    What is wrong becomes a `fault` and is not raised, so that what came before it can be told first.
    """

    __slots__ = (
        "_count",
        "_fields",
        "_framing",
        "_line",
        "_max_field_size",
        "_most",
        "_size",
        "_span",
        "fault",
        "whole",
    )

    #: What they are, for errors; and bytes beside those that are limited.
    name = ""
    beside = 0

    def __init__(self, max_field_size: int, most: tuple[int, str], fields: tuple[int, str]) -> None:
        self._max_field_size = max_field_size
        # Bytes in all, and how many fields, with the names of the parameters that say so.
        self._most, self._fields = most, fields
        #: True when the empty line has come.
        self.whole = False
        self.fault: Malformed | HeadTooLarge | None = None
        self._line = bytearray()  # one that has begun
        self._size = 0  # bytes of all lines, with their ends
        self._span = 0  # bytes of the field that the line belongs to, which may be folded, with its ends
        self._count = 0  # fields
        self._framing = False  # whether the last one frames the body

    def take(self, data: bytes, at: int) -> int:
        """Take lines; return where those end that are right, as far as they have come."""
        while at < len(data):
            end = data.find(b"\n", at) + 1
            piece = data[at:end] if end else data[at:]
            if not self._line and piece[0] not in _FOLD:
                self._span = 0
            self._line += piece
            self._size += len(piece)
            self._span += len(piece)
            self.fault = self._measure() or (self._end_line() if end else self._look())
            if self.fault is not None:
                break
            at += len(piece)
            if self.whole:
                break
        return at

    def _measure(self) -> HeadTooLarge | None:
        """Return the error where what has come is beyond a limit of size: the one that was met first."""
        span, size = self._span - _END, self._size - self.beside
        most_of_field = self._max_field_size
        most, limit = self._most
        if span > most_of_field and span - most_of_field >= size - most:
            return head_too_large(
                f"A field of the {self.name} has", span, "bytes", most_of_field, "max_field_size"
            )
        return head_too_large(f"The {self.name} has", size, "bytes", most, limit) if size > most else None

    def _look(self) -> Malformed | HeadTooLarge | None:
        """Look at a line that has begun, and may never end."""
        return None

    def _end_line(self) -> Malformed | HeadTooLarge | None:
        line = bytes(self._line)
        self._line.clear()
        text = line[:-_END]
        if not line.endswith(b"\r\n"):
            return Malformed("a line ends with a bare LF, and not with CRLF")
        if not _TEXT.fullmatch(text):
            return Malformed("a line holds a control character, such as NUL or a bare CR")
        return self._receive(text)

    def _receive(self, text: bytes) -> Malformed | HeadTooLarge | None:
        """Take a whole line, without its end."""
        if not text:
            self.whole = True
            return None
        if text[0] in _FOLD:
            return Malformed("a field that frames the body is folded") if self._framing else None
        self._count += 1
        most, limit = self._fields
        if self._count > most:
            return head_too_large(f"The {self.name} has", self._count, "fields", most, limit)
        self._framing = text.partition(b":")[0].lower() in _FRAMING
        return None


class HeadLines(Lines):
    """The head of a response. One empty line may come before the first: some servers end a body with it."""

    __slots__ = ("_begun", "_may_be_empty", "skipped")

    name = "head of the response"

    def __init__(self, measures: Measures, first: bool = True) -> None:
        limits, most = measures.limits, measures.max_head_size
        fields = limits.max_fields, "max_fields"
        super().__init__(limits.max_field_size, (most, "max_head_size"), fields)
        self._begun = False  # whether the status line is there
        self._may_be_empty = first
        #: Bytes that came before it, and are no part of it.
        self.skipped = 0

    def _measure(self) -> HeadTooLarge | None:
        size = len(self._line) - _END
        if not self._begun and size > LONGEST_START:
            return head_too_large(_START_HAS, size, "bytes", LONGEST_START, "max_head_size", fixed=True)
        return super()._measure()

    def _look(self) -> Malformed | HeadTooLarge | None:
        begun = bytes(self._line[: len(_VERSION)])
        if self._begun or _VERSION.startswith(begun) or (begun == b"\r" and self._may_be_empty):
            return None
        return _no_status_line(bytes(self._line))

    def _receive(self, text: bytes) -> Malformed | HeadTooLarge | None:
        if self._begun:
            return super()._receive(text)
        if not text and self._may_be_empty:
            self._may_be_empty = False
            self.skipped, self._size = self._size, 0
            return None
        if not text.startswith(_VERSION):
            return _no_status_line(text)
        self._begun = True
        return None


class TrailerLines(Lines):
    """The fields behind a body in chunks. None of them may frame it: that would be known too late."""

    __slots__ = ()

    name = "trailer section of the response"
    beside = _END  # the empty line, which is there also where there are no trailers

    def __init__(self, measures: Measures) -> None:
        limits = measures.limits
        most = limits.max_trailers_size, "max_trailers_size"
        super().__init__(limits.max_field_size, most, (limits.max_trailers, "max_trailers"))

    def _receive(self, text: bytes) -> Malformed | HeadTooLarge | None:
        fault = super()._receive(text)
        return (
            Malformed("a trailer says how the body is framed") if self._framing and fault is None else fault
        )


def _no_status_line(line: bytes) -> NoHttp:
    # Who says back what was asked, says the query, too.
    shown = line[:_MAX_SHOWN].partition(b"?")[0].rstrip(b"\r").decode("latin-1")
    return NoHttp(f"illegal status line that begins with {shown!r}")
