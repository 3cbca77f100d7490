"""Before h11: what comes is measured, and h11 gets only what is within the limits and has plain line ends.

    bytes ──▶ HeadLines ──▶ a body of a length, or up to the end ──▶ h11 ──▶ events
                  └───────▶ Chunks, TrailerLines ────────────────────┘

h11 has one limit, of what it holds unfinished; how much that is depends on how the bytes were cut. Here every limit
means the same wherever they were cut. And what h11 takes of the grammar, but no client should, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .chunks import Chunks
from .lines import HeadLines, Malformed
from .measures import LONGEST_START, Measures

if TYPE_CHECKING:
    import h11
else:
    from .late import h11

__all__ = ["Gate", "new_peer"]

_NO_BODY = (204, 304)


def new_peer(measures: Measures) -> h11.Connection:
    """Return the h11 of a client, which holds as much as the gate lets pass."""
    most = max(measures.max_head_size, measures.limits.max_trailers_size) + LONGEST_START
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=most)


class Gate:
    """What h11 makes of the responses on one connection.

    Iterating raises `h11.RemoteProtocolError`, `Malformed` or `HeadTooLarge`, all that came before having been told.
    """

    __slots__ = ("_chunks", "_head", "_held", "_measures", "_method", "_peer", "unread")

    def __init__(self, peer: h11.Connection, measures: Measures) -> None:
        self._peer = peer
        self._measures = measures
        self.begin(b"")

    def begin(self, method: bytes) -> None:
        """A request of this method goes out: its response comes next."""
        self._method = method
        self._head: HeadLines | None = HeadLines(self._measures, first=method != b"CONNECT")
        self._held = bytearray()  # what has come of it
        self._chunks: Chunks | None = None
        #: What came behind the head, or the end, that was told last.
        self.unread = b""

    def receive(self, data: bytes, excess: int = 0) -> Iterator[Any]:
        """Take bytes, and yield h11's events. `excess` is that of chunks which others have read."""
        at = 0
        while self._head is not None and at < len(data):
            head, begun = self._head, at
            at = head.take(data, at)
            self._held += data[begun:at]
            if head.fault is not None:
                raise head.fault
            if not head.whole:
                return
            self._peer.receive_data(bytes(self._held[head.skipped :]))
            self._held.clear()
            self.unread = data[at:]
            event = self._peer.next_event()
            self._look_at(event, excess)
            yield event
        if at < len(data) or self._head is None:
            yield from self._receive_body(data[at:])

    def end(self) -> Iterator[Any]:
        """Nothing more comes; yield what that means."""
        self._peer.receive_data(b"")
        yield from self._events()

    def _receive_body(self, data: bytes) -> Iterator[Any]:
        chunks = self._chunks
        if chunks is None:
            if data:
                self._peer.receive_data(data)
            for event in self._events():
                self.unread = self._peer.trailing_data[0] if isinstance(event, h11.EndOfMessage) else b""
                yield event
            return
        at = chunks.take(data, 0)
        if at:
            self._peer.receive_data(data[:at])
        self.unread = data[at:]
        yield from self._events()
        if chunks.fault is not None:
            raise chunks.fault

    def _events(self) -> Iterator[Any]:
        event = self._peer.next_event()
        while isinstance(event, h11.Data | h11.EndOfMessage):
            yield event
            event = self._peer.next_event()

    def _look_at(self, head: Any, excess: int) -> None:
        """See how the response goes on behind a head."""
        if isinstance(head, h11.InformationalResponse):
            self._head = HeadLines(self._measures, first=False)
            return
        self._head = None
        if self._method == b"CONNECT" and head.status_code < 300:
            return
        if any(name == b"transfer-encoding" for name, _ in head.headers):
            if head.http_version < b"1.1":
                raise Malformed("Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)")
            if self._method != b"HEAD" and head.status_code not in _NO_BODY:
                self._chunks = Chunks(self._measures, excess)
