"""The fast lane: the common case of HTTP/1.1, written and read by regular expressions.

It takes a *strict subset* of the grammar (RFC 9112) and says "odd" to everything else, which then goes to h11, whose
word counts. So nothing is accepted here that h11 would refuse, and what is taken means the same to both; a
property test feeds both with the same bytes, cut anywhere. What it buys: some 45 of 55 microseconds a request.

    request    as `field_block()` has it: one Host, no Expect or Upgrade; a body that is there and as long as it says,
               or one that follows, of one plain Content-Length, or plain `chunked`
    head       HTTP/1.1, a final status, all of it in one arrival, no folded lines, no controls
    framing    one plain Content-Length, or one plain `chunked`, or a bodiless status, or the answer to HEAD
    chunks     no extensions, no trailers
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from ..contracts import FieldBlock, Fields
from .measures import AROUND_A_CHUNK, DEFAULT_MEASURES, LONGEST_START, Measures

__all__ = ["ChunkedBody", "Head", "closes", "read_head", "read_keep_alive", "write_request"]

_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP/1\.1\r\n")
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
_FIELD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_KEPT = re.compile(rb"(timeout|max)[ \t]*=[ \t]*([0-9]{1,9})", re.IGNORECASE)
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_NEXT_CHUNK_LINE = re.compile(rb"\r\n([0-9A-Fa-f]{1,15})\r\n")
_CHUNK_LINE_BEGUN = re.compile(rb"[0-9A-Fa-f]{0,15}\r?")


def write_request(method: bytes, target: bytes, block: FieldBlock, body: bytes | None) -> bytes | None:
    """Return the request as it goes to the wire, or None if it is odd (runs once per request).

    Without a body, this is the head of a request whose body follows.
    """
    # Of a body that follows, 0 may also be that nothing is framed, and h11 treats these differently.
    is_plain = block[1] != 0 if body is None else block[1] == len(body)
    if not is_plain or method == b"CONNECT":
        return None
    start = b"%b %b HTTP/1.1\r\n" % (method, target)
    if not _REQUEST_LINE.fullmatch(start):
        return None
    return b"%b%b\r\n%b" % (start, block[0], body or b"")


#: What `read_head` returns, in this order:
#: - status and reason
#: - fields
#: - bytes that the head took
#: - bytes of the body; None if it is chunked
#: - True if the server will close the connection
#: - what the field Keep-Alive says, if it is there
Head: TypeAlias = tuple[int, bytes, Fields, int, int | None, bool, bytes | None]

#: Where the end of a head is looked for first.
_USUAL_HEAD = 4096


def read_head(data: bytes | memoryview, method: bytes, measures: Measures = DEFAULT_MEASURES) -> Head | None:
    """Read the head of a response to a request of this method; None if it is odd (runs once per response).

    One that is beyond a limit is odd, too: who reads it then says which one.

    A server says most of its lines again and again, so those are remembered: that saves a third, and 60 fields take
    14 µs. What is new in a head, such as its Date, is read as ever.
    """
    head = bytes(data[:_USUAL_HEAD])
    end = head.find(b"\r\n\r\n")
    if not 0 <= end <= measures.plain:
        head = bytes(data[: measures.max_head_size])
        end = head.find(b"\r\n\r\n")
        if end < 0 or not _is_measured(head[:end], measures):
            return None
    lines = iter(head[:end].split(b"\r\n"))
    start = next(lines)
    begun = _known_starts.get(start) or _read_start(start)
    if begun is None:
        return None
    status, reason = begun
    fields: Fields = []
    length: bytes | None = None
    keep_alive: bytes | None = None
    chunked = closing = False
    known = _known_lines.get
    for line in lines:
        field = known(line)
        if field is not None:
            fields.append(field)
            continue
        if not _FIELD.fullmatch(line):
            return None
        name, _, value = line.partition(b":")
        field = name, value = name, value.strip(b" \t")
        fields.append(field)
        lower = name.lower()
        if lower == b"content-length":
            if length is not None or not _LENGTH.fullmatch(value):
                return None
            length = value
        elif lower == b"transfer-encoding":
            if chunked or value != b"chunked":
                return None
            chunked = True
        elif lower == b"connection" and value != b"keep-alive":  # as most that say anything
            closing = closing or closes(value)
        elif lower == b"keep-alive":
            keep_alive = value
        else:
            _remember(line, field)
    if len(fields) > measures.max_fields or (chunked and length is not None):
        return None
    size = end + 4
    if method == b"HEAD" or status == 304 or status == 204:
        if status == 204 and (chunked or (length is not None and length.strip(b"0"))):
            return None  # a body where there can be none
        return status, reason, fields, size, 0, closing, keep_alive
    if chunked:
        return status, reason, fields, size, None, closing, keep_alive
    if length is None:
        return None  # the body ends with the connection
    return status, reason, fields, size, int(length), closing, keep_alive


def _is_measured(head: bytes, measures: Measures) -> bool:
    """Whether the lines of a head that is not small are within the limits."""
    start, _, fields = head.partition(b"\r\n")
    longest = max(map(len, fields.split(b"\r\n")))
    return len(start) <= LONGEST_START and longest <= measures.limits.max_field_size


#: Lines of responses that say nothing about framing, with the fields that they are; and status lines. Bounded.
_known_lines: dict[bytes, tuple[bytes, bytes]] = {}
_known_starts: dict[bytes, tuple[int, bytes]] = {}
_MOST_LINES = 512
_LONGEST_LINE = 1024
#: Of fields whose names have such a word in them, the values may be secrets, and are not kept.
_SECRET = re.compile(rb"auth|cookie|credential|key|password|secret|session|token", re.IGNORECASE)


def _remember(line: bytes, field: tuple[bytes, bytes]) -> None:
    if len(line) <= _LONGEST_LINE and not _SECRET.search(field[0]):
        if len(_known_lines) >= _MOST_LINES:
            _known_lines.clear()  # those that come again will soon be here again, and the others not
        _known_lines[line] = field


def _read_start(line: bytes) -> tuple[int, bytes] | None:
    match = _STATUS.fullmatch(line)
    if match is None:
        return None
    begun = int(match[1]), match[2]
    if len(_known_starts) < _MOST_LINES and len(line) <= _LONGEST_LINE:
        _known_starts[line] = begun
    return begun


def closes(value: bytes) -> bool:
    """Whether a field Connection says that the connection ends with the message (RFC 9112 section 9.6)."""
    return b"close" in [token.strip() for token in value.lower().split(b",")]


def read_keep_alive(value: bytes) -> tuple[float | None, int | None]:
    """Return what `Keep-Alive: timeout=5, max=100` says: seconds, and how many more requests; None for neither.

    The field has no standard of its own but RFC 2068 section 19.7.1. What is no plain number is passed over.
    """
    found: dict[bytes, int] = {}
    for part in value.split(b",", 9)[:9]:
        match = _KEPT.fullmatch(part.strip(b" \t"))
        if match is not None:
            found.setdefault(match[1].lower(), int(match[2]))
    return found.get(b"timeout"), found.get(b"max")


class ChunkedBody:
    """A body in chunks (RFC 9112 section 7.1), as far as it is plain."""

    __slots__ = ("_data_left", "_footer_due", "broken", "ended", "excess", "most", "odd", "rest")

    def __init__(self, max_overhead: int) -> None:
        #: Bytes that were not used: an unfinished line, or what stands behind the end or the oddity.
        self.rest = b""
        #: True when the last chunk has come.
        self.ended = False
        #: True if `rest`, which begins with a chunk, is for h11 to read.
        self.odd = False
        #: True if a chunk was not followed by a line end.
        self.broken = False
        #: Bytes around the chunks, less those within and the usual ones. Beyond `most` of them, nothing more is read.
        self.excess = 0
        self.most = max_overhead
        self._data_left = 0  # bytes of the current chunk that are still to come
        self._footer_due = False  # whether its line end is

    def receive(self, data: bytes, as_views: bool = False) -> Sequence[bytes | memoryview]:
        """Return the pieces of body in the bytes; as views of them, if that will do, they cost no copy."""
        if self.rest:
            data = self.rest + data
        pieces: list[bytes | memoryview] = []
        source = memoryview(data) if as_views else data
        at = 0
        while at < len(data) and not self.ended and self.excess <= self.most:
            if self._data_left:
                at = self._pass_data(data, at, source, pieces)
            elif self._footer_due:
                if len(data) - at < 2 and data[at] == 13:  # half of a line end
                    break
                self._footer_due = False
                self.broken = not data.startswith(b"\r\n", at)
                if self.broken:
                    break
                at += 2
            else:
                begun = self._begin(data, at)
                if begun == at:
                    break
                at = begun
        self.rest = data[at:]
        return pieces

    def _pass_data(
        self, data: bytes, at: int, source: bytes | memoryview, pieces: list[bytes | memoryview]
    ) -> int:
        """Take the data of the current chunk, and of those that follow all in one piece; return where that ends.

        This loop is where the time of small chunks goes: 1.2 µs for each, and 2.8 step by step.
        """
        left = self._data_left
        excess = self.excess
        there = len(data)
        while left <= there - at:
            pieces.append(source[at : at + left])
            at += left
            line = _NEXT_CHUNK_LINE.match(data, at)
            left = 0 if line is None else int(line[1], 16)
            if line is None or not left:
                self._data_left = 0
                self.excess = excess
                return at
            excess += line.end() - at - left - AROUND_A_CHUNK
            at = line.end()
            if excess > self.most:
                self.excess = excess
                return at
        if at < there:
            pieces.append(source[at:])
            left -= there - at
        self._data_left = left
        self.excess = excess
        return there

    def _begin(self, data: bytes, at: int) -> int:
        """Read the line that begins a chunk; return where it ends, or `at` if it cannot be read here or yet."""
        line = _CHUNK_LINE.match(data, at)
        if line is None:
            self.odd = not _CHUNK_LINE_BEGUN.fullmatch(data, at)
            return at
        size = int(line[1], 16)
        if size:
            self._data_left = size
            self._footer_due = True
            self.excess += line.end() - at + 2 - size - AROUND_A_CHUNK
            return line.end()
        behind = data[line.end() : line.end() + 2]
        if behind == b"\r\n":
            self.ended = True
            return line.end() + 2
        self.odd = behind not in (b"", b"\r")  # trailers, unless they have still to show
        return at
