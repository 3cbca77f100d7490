"""A request's body in the fast lane, piece by piece: of a plain Content-Length, or in chunks (RFC 9112 section 7.1).

What goes to the wire is what h11 would write. If h11 is called later, as something odd comes back, it need not see the
pieces: that so many bytes have gone is all that it must know.
"""

from __future__ import annotations

__all__ = ["OutgoingBody"]


class OutgoingBody:
    """How much of a body was queued. `length` is None where it goes out in chunks."""

    __slots__ = ("missing", "queued", "whole")

    def __init__(self, length: int | None) -> None:
        #: Bytes that Content-Length promises and that were not queued yet; None where it is chunked.
        self.missing = length
        self.queued = 0
        #: True when its end is queued. A body of known length ends with its last byte.
        self.whole = False

    def queue(self, piece: bytes | memoryview | None, out: list[bytes | memoryview]) -> bool:
        """Queue a piece, or the end where it is None; False if the head has promised another length."""
        missing = self.missing
        if self.whole:
            return piece is None
        if piece is None:
            if missing is None:
                out.append(b"0\r\n\r\n")
            self.whole = True
            return not missing
        size = len(piece)
        self.queued += size
        if missing is not None:
            self.missing = missing - size
            self.whole = size == missing
            out.append(piece)
            return size <= missing
        if size:  # one without data would be the last
            out += (b"%x\r\n" % size, piece, b"\r\n")
        return True
