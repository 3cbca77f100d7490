"""Header blocks (RFC 7541): written and read by hpack, and remembered as long as its tables allow.

A block means something together with a table that both sides keep, and that blocks change. A request whose fields are
all in the table does not change it: the same fields are then the same bytes, until some other block changes the table.
So such blocks are remembered, and nothing is searched, encoded or checked anew for a client that sends the same fields
with each request. Responses are remembered in the same way: many servers send the same head again and again.

Whether the table has changed is asked of the table itself: a new entry stands in front of all others.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..contracts import Fields
from .fields import Head, RequestHead, is_secret

if TYPE_CHECKING:
    from hpack import Decoder, Encoder
    from hpack.table import HeaderTable

__all__ = ["Decoded", "Known", "RequestEncoder", "ResponseDecoder"]

#: Fields whose values differ from request to request. In the table they would push out what is the same in all.
_PATH = b":path"
_PASSING = {_PATH: b"\x04", b"content-length": b"\x0f\x0d"}
#: How many blocks are remembered, and how many bytes one may have.
_MOST_BLOCKS = 64
_LONGEST_BLOCK = 2048

#: The newest entry of a table, how many there are, and how large it may be.
_Mark: TypeAlias = tuple[Any, int, int]


class Known(NamedTuple):
    """The fields of a request, checked and encoded, but for the path that belongs between the two parts."""

    before: bytes
    behind: bytes
    length: int | None  #: what Content-Length says

    def block(self, target: bytes) -> bytes:
        """Return the whole header block of a request for this target."""
        return self.before + _passing(_PATH, target) + self.behind


class RequestEncoder:
    """What encodes the fields of requests. h2 has it in the place of its own, and gets the block that is ready."""

    __slots__ = ("_encoder", "_known", "_mark", "block")

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        #: The block that h2 asks for next.
        self.block = b""
        self._known: dict[Hashable, Known] = {}
        self._mark = _mark_of(encoder.header_table)  # what all that is known was made with

    @property
    def header_table_size(self) -> int:
        """Bytes that the table may have. The peer says how many it allows."""
        return self._encoder.header_table_size

    @header_table_size.setter
    def header_table_size(self, size: int) -> None:
        self._encoder.header_table_size = size

    def encode(self, headers: Any) -> bytes:
        """Return the block that is ready, whatever h2 believes to send."""
        return self.block

    def known(self, key: Hashable) -> Known | None:
        """Return what is known of the fields of a request (runs once per request)."""
        encoder = self._encoder
        if encoder.table_size_changes or _has_changed(encoder.header_table, self._mark):
            self._forget()
        return self._known.get(key)

    def prepare(self, head: RequestHead, key: Hashable) -> bytes:
        """Return the header block of a request, whose fields will be known by this key if possible."""
        encoder = self._encoder
        table = encoder.header_table
        if encoder.table_size_changes:
            table.resized = True  # hpack forgets that where the same size was set twice
        resized = encoder.encode((), False)
        mark = _mark_of(table)
        pieces: list[bytes] = []
        path, cut = b"", 0
        for name, value in head.fields:
            if name == _PATH:
                path, cut = value, len(pieces)
            elif name in _PASSING:
                pieces.append(_passing(name, value))
            else:
                pieces.append(encoder.add((name, value), is_secret(name, value), True))
        if not cut:
            return resized + b"".join(pieces)  # CONNECT has no path
        known = Known(b"".join(pieces[:cut]), b"".join(pieces[cut:]), head.length)
        if _has_changed(table, mark):
            self._forget()
        elif len(known.before) + len(known.behind) <= _LONGEST_BLOCK:
            _remember(self._known, key, known)
        return resized + known.block(path)

    def _forget(self) -> None:
        self._known.clear()
        self._mark = _mark_of(self._encoder.header_table)


class Decoded:
    """The fields of a response, as they stood in a block, and once they were found to be right, the head they make."""

    __slots__ = ("head", "pairs")

    def __init__(self, pairs: Fields) -> None:
        self.pairs = pairs
        #: For methods that do not change what the head means: not HEAD or CONNECT.
        self.head: Head | None = None


class ResponseDecoder:
    """What decodes the header blocks of responses. Raises what hpack does."""

    __slots__ = ("_decoder", "_known")

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._known: dict[bytes, Decoded] = {}

    def decode(self, block: bytes) -> Decoded:
        """Return the fields of the next block (runs once per response)."""
        known = self._known.get(block)
        if known is not None:
            return known
        table = self._decoder.header_table
        mark = _mark_of(table)
        decoded = Decoded(list(self._decoder.decode(block, raw=True)))
        if _has_changed(table, mark):
            self._known.clear()
        elif len(block) <= _LONGEST_BLOCK:
            _remember(self._known, block, decoded)
        return decoded


def _mark_of(table: HeaderTable) -> _Mark:
    """Return what will be another one if the table has changed."""
    entries = table.dynamic_entries
    return (entries[0] if entries else None, len(entries), table.maxsize)


def _has_changed(table: HeaderTable, mark: _Mark) -> bool:
    """Whether the table is not as it was: an entry has come, which is another object even if it says the same."""
    front, length, size = _mark_of(table)
    return front is not mark[0] or length != mark[1] or size != mark[2]


def _remember(known: dict[Any, Any], key: Hashable, value: object) -> None:
    if len(known) >= _MOST_BLOCKS:
        known.clear()
    known[key] = value


def _passing(name: bytes, value: bytes) -> bytes:
    """Return a field as a literal that stays out of the table (RFC 7541 section 6.2.2)."""
    return b"".join((_PASSING[name], _length_of(value), value))


def _length_of(value: bytes) -> bytes:
    """Return the length as an integer with a prefix of seven bits (RFC 7541 section 5.1)."""
    rest = len(value) - 127
    if rest < 0:
        return len(value).to_bytes(1, "big")
    encoded = bytearray(b"\x7f")
    while rest > 127:
        encoded.append(rest & 127 | 128)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
