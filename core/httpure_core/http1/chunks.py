"""Chunks on their way to h11: how long their lines are, and how much more there is of them than of the body.

    5;name=value CRLF  hello CRLF  0 CRLF  trailers CRLF        (RFC 9112 section 7.1)
    ────────────────┘        └──┘
         overhead: beyond 8 bytes a chunk, it may exceed the body by `max_chunk_overhead` bytes

h11 drops extensions, however long they are, and takes 20 digits.
"""

from __future__ import annotations

import re

from ..errors import HeadTooLarge, head_too_large
from .lines import Malformed, TrailerLines
from .measures import AROUND_A_CHUNK, LONGEST_CHUNK_LINE, Measures

__all__ = ["Chunks"]

_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*|[ \t]*)\r\n")
#: As much of it as can be told before it is whole.
_LINE_BEGUN = re.compile(rb"[0-9A-Fa-f]{1,16}(?:[; \t\r]|\Z)")
_CRLF = b"\r\n"


class Chunks:
    """A body in chunks, up to the end of its trailers, however it is cut. See `Lines` for `fault`.

    `excess` is that of chunks that were read elsewhere: bytes around them, less those within and the usual ones.
    """

    __slots__ = ("_ending", "_left", "_line", "_measures", "excess", "fault", "trailers", "whole")

    def __init__(self, measures: Measures, excess: int = 0) -> None:
        self._measures = measures
        self.excess = excess
        self.whole = False
        self.fault: Malformed | HeadTooLarge | None = None
        #: What comes behind the last chunk, once that was there.
        self.trailers: TrailerLines | None = None
        self._left = 0  # bytes of the current chunk that are still to come
        self._ending = 0  # bytes of its line end that are
        self._line = b""  # one that has begun, which is short

    def take(self, data: bytes, at: int) -> int:
        """Take chunks; return where those end that are right, as far as they have come."""
        while at < len(data) and self.trailers is None:
            if self._left:
                size = min(self._left, len(data) - at)
                self._left -= size
                at += size
            elif self._ending:
                if data[at] != _CRLF[-self._ending]:
                    self.fault = Malformed("a chunk does not end with a line end")
                    return at
                self._ending -= 1
                at += 1
            else:
                end = data.find(b"\n", at) + 1
                self._line += data[at : end or at + LONGEST_CHUNK_LINE + 1]
                self.fault = self._begin(bool(end))
                if self.fault is not None:
                    return at
                at = end or len(data)
        trailers = self.trailers
        if trailers is not None:
            at = trailers.take(data, at)
            self.whole, self.fault = trailers.whole, trailers.fault
        return at

    def _begin(self, ended: bool) -> Malformed | HeadTooLarge | None:
        """Take the line that begins a chunk, or the beginning of one."""
        line = self._line
        if not _LINE_BEGUN.match(line):
            return Malformed("a chunk does not begin with its size in at most 16 hexadecimal digits")
        if len(line) > LONGEST_CHUNK_LINE:
            what = "A chunk of the response's body begins with a line of"
            most = LONGEST_CHUNK_LINE
            return head_too_large(what, len(line), "bytes", most, "max_chunk_overhead", fixed=True)
        if not ended:
            return None
        match = _LINE.fullmatch(line)
        if match is None:
            return Malformed("a chunk begins with a line that is not valid")
        self._line = b""
        self._left = int(match[1], 16)
        if not self._left:
            self.trailers = TrailerLines(self._measures)
            return None
        self._ending = len(_CRLF)
        self.excess += len(line) + len(_CRLF) - self._left - AROUND_A_CHUNK
        if self.excess > self._measures.limits.max_chunk_overhead:
            return self._measures.too_much_overhead(self.excess)
        return None
