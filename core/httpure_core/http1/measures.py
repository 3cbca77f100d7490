"""How large the parts of a message may be: the `Limits` of a connection, and some that nobody has to choose."""

from __future__ import annotations

from ..errors import HeadTooLarge, head_too_large
from ..limits import DEFAULT_LIMITS, Limits

__all__ = ["AROUND_A_CHUNK", "DEFAULT_MEASURES", "LONGEST_CHUNK_LINE", "LONGEST_START", "Measures"]

#: Bytes around a chunk that count for nothing: a plain size and two line ends. Servers that send what they have, a byte
#: at a time, mean no harm, and may do so for hours.
AROUND_A_CHUNK = 8

#: Bytes of a status line: some 30 are usual.
LONGEST_START = 8 * 1024
#: Bytes of a line that begins a chunk, with its extensions.
LONGEST_CHUNK_LINE = 4 * 1024
#: What of a head does not belong to any field: the empty line behind it.
_EMPTY_LINE = 4


class Measures:
    """What a connection takes of responses: its `limits`, and what follows of them.

    `max_fields` is that of the limits, and so is `max_head_size`, but for a bound of those who ask. Heads of up to
    `plain` bytes, without their empty line, are within all limits of size, whatever they say.
    """

    __slots__ = ("limits", "max_fields", "max_head_size", "plain")

    def __init__(self, limits: Limits, bound: int | None = None) -> None:
        self.limits = limits
        self.max_fields = limits.max_fields
        most = limits.max_head_size
        self.max_head_size = most if bound is None else min(most, bound)
        self.plain = min(LONGEST_START, limits.max_field_size, self.max_head_size - _EMPTY_LINE)

    def too_many_informational(self, count: int) -> HeadTooLarge:
        """Return the error for so many informational responses."""
        what, most = "The response comes behind", self.limits.max_informational
        return head_too_large(what, count, "informational ones", most, "max_informational")

    def too_much_overhead(self, size: int) -> HeadTooLarge:
        """Return the error for chunks with so many bytes around them more than within them."""
        what = "The body of the response comes in chunks with"
        things = "bytes around them beyond those of the body"
        return head_too_large(what, size, things, self.limits.max_chunk_overhead, "max_chunk_overhead")


#: Those of `Limits()`.
DEFAULT_MEASURES = Measures(DEFAULT_LIMITS)
