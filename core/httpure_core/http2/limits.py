"""How much a peer may ask of us: sizes, windows, and how long it may keep us busy without getting anywhere."""

from __future__ import annotations

from .faults import Code, ConnectionFault

__all__ = [
    "CONNECTION_WINDOW",
    "FIRST_WINDOW",
    "MAX_CONTINUATIONS",
    "MAX_FRAME_SIZE",
    "MAX_HEADER_LIST_SIZE",
    "MAX_STREAMS",
    "MAX_TABLE_SIZE",
    "STREAMS_BEFORE_SETTINGS",
    "STREAM_WINDOW",
    "Patience",
]

#: Bytes of a response's body that a stream takes at first while nobody reads them, and at most, once it is known to be
#: that long; and those of all streams of a connection, however many they are. See `StreamTable`.
FIRST_WINDOW = 64 * 1024
STREAM_WINDOW = 1024 * 1024
CONNECTION_WINDOW = 16 * 1024 * 1024
#: Streams at a time, whatever the peer allows: half of the connection's window is theirs to begin with.
MAX_STREAMS = CONNECTION_WINDOW // 2 // FIRST_WINDOW
#: Bytes of one frame. Above the 16 KiB of the RFC, since each frame costs time, however long it is.
MAX_FRAME_SIZE = 64 * 1024
#: Bytes of names and values, and 32 for each field (RFC 9113 section 6.5.2); also those of their encoded form. That is
#: the most, whatever `Limits.max_head_size` says.
MAX_HEADER_LIST_SIZE = 64 * 1024
#: CONTINUATION frames of one header block.
MAX_CONTINUATIONS = 32
#: Bytes of the table in which our HPACK encoder remembers fields, however large the peer allows it to be. It
#: is searched from end to end for each field: one of the 64 KiB that some servers allow costs more than it saves.
MAX_TABLE_SIZE = 4096
#: Streams that we open before the peer has said how many it allows (RFC 9113 section 6.5.2 recommends 100 at least).
STREAMS_BEFORE_SETTINGS = 100

#: Frames that bring no stream forward, such as PING, SETTINGS, or DATA without any.
_MOST_IDLE_FRAMES = 1000
#: What a reset counts: 100 of them in a row are too many.
_RESET = 10
#: What a DATA frame of ours allows the peer: to open two windows for it, and as much again.
_PER_DATA_SENT = 4
#: What each arrival of bytes allows: a server that pings now and then for days is no flood.
_PER_ARRIVAL = 4


class Patience:
    """Counts frames that bring no stream forward, and refuses a flood of them (PING, SETTINGS, RST_STREAM, ...).

    There is no clock here. What tells a flood from a quiet connection that lives long is that its frames come
    many at a time.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _MOST_IDLE_FRAMES

    def arrival(self) -> None:
        """Bytes came, of whatever kind (runs once per arrival of bytes)."""
        if self._left < _MOST_IDLE_FRAMES:
            self._left += _PER_ARRIVAL

    def progress(self) -> None:
        """The peer brought a stream forward: a head, a piece of a body, an end."""
        if self._left < _MOST_IDLE_FRAMES:
            self._left = _MOST_IDLE_FRAMES

    def sent_data(self) -> None:
        """We brought a stream forward."""
        self._left += _PER_DATA_SENT

    def spend(self, cost: int = 1) -> None:
        """The peer sent a frame that brings no stream forward. Raises ConnectionFault."""
        self._left -= cost
        if self._left < 0:
            raise ConnectionFault(
                Code.ENHANCE_YOUR_CALM,
                f"it sent more than {_MOST_IDLE_FRAMES} frames, or {_MOST_IDLE_FRAMES // _RESET} resets, "
                "which bring no stream forward",
            )

    def spend_reset(self) -> None:
        """The peer reset a stream. Raises ConnectionFault."""
        self.spend(_RESET)
