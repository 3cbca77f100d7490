"""The streams of a connection: which are open, which wait for room, and what is owed to the peer for what was read.

The windows of flow control (RFC 9113 section 5.2) work both ways. The peer's say how much of a request's body may be
sent; what they hold up is kept with its stream, and goes out in turns as they open. Ours say how much the peer may
send while nobody reads; what the reader has taken, or nobody will take, is given back.

    open ──both sides have said all, or one resets it──▶ closed
      └────given up, while the peer may still send─────▶ forsaken, until its end is seen

Everything here is called with the link's mutex held, save `settle_later` and `available`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING

from ..errors import TransportError
from .faults import Code, ConnectionFault
from .frames import Flag, Frame, window_update
from .library import library
from .limits import CONNECTION_WINDOW, MAX_FRAME_SIZE, STREAM_WINDOW, Patience
from .stream import CREDIT, NOTHING, Http2Stream

if TYPE_CHECKING:
    from h2.connection import H2Connection

__all__ = ["StreamTable", "fail"]

#: Bytes that are read, of all streams, before the peer gets leave to send as many again.
_CREDIT = CONNECTION_WINDOW // 4
#: The same for bytes of forsaken streams.
_REFUND = CONNECTION_WINDOW // 16
#: How many forsaken streams are remembered.
_MOST_FORSAKEN = 1000


class StreamTable:
    """The streams of one connection. See `stream.StreamOwner` for what they ask of it."""

    __slots__ = (
        "_errors",
        "_forsaken",
        "_h2",
        "_owed",
        "_patience",
        "_refund",
        "_to_settle",
        "_waiting",
        "arrivals",
        "out",
        "silent",
        "streams",
    )

    def __init__(self, h2: H2Connection, patience: Patience) -> None:
        self._h2 = h2
        self._errors = library().errors
        self._patience = patience
        #: Those that are open, by their numbers.
        self.streams: dict[int, Http2Stream] = {}
        self._waiting: dict[Http2Stream, None] = {}  # of them, those whose request's body waits for room
        self._forsaken: dict[int, int] = {}  # how many bytes of body the peer may still send on each
        self._to_settle: deque[Http2Stream] = deque()  # its `append` is atomic, and needs no mutex
        self._owed = 0  # bytes read that the connection's window has not been opened for yet
        self._refund = 0  # the same for forsaken streams, of whose bytes h2 knows nothing
        #: Frames that h2 knows nothing of.
        self.out: list[bytes] = []
        #: How often bytes have come on the connection.
        self.arrivals = 0
        #: True if a stream was given up before anything at all had come since it was opened, and nothing has since.
        self.silent = False

    def available(self, allowed: int) -> int:
        """Return how many streams can be opened where the peer allows so many at a time."""
        room = allowed - len(self.streams)
        if self._to_settle:
            room += sum(stream.discarded and stream.open for stream in self._to_settle.copy())
        return max(0, room)

    def begin(self, stream: Http2Stream, body: bytes | None) -> None:
        """Take in a stream whose head is queued, and send of its request's body, if it is there, what is allowed."""
        self.streams[stream.stream_id] = stream
        if body:
            stream.queue = memoryview(body)
            stream.body_ended = True
            self.send_queued(stream)
        elif body is not None:
            stream.body_ended = stream.all_sent = True

    # The request's way out.

    def send_queued(self, stream: Http2Stream) -> None:
        """Send what the peer's windows allow of the request's body, and its end behind it."""
        while self._send_piece(stream):
            pass

    def resume(self) -> None:
        """Send what has waited for room, one frame of each stream in turn."""
        turns = deque(self._waiting)
        while turns:
            stream = turns.popleft()
            if self._send_piece(stream):
                stream.signal.set()
                turns.append(stream)

    def _send_piece(self, stream: Http2Stream) -> bool:
        """Send one frame; False if there is none to send, or no room for it."""
        h2, number, queue = self._h2, stream.stream_id, stream.queue
        if not queue:
            if stream.body_ended and not stream.all_sent:
                stream.all_sent = True
                h2.end_stream(number)
            self._waiting.pop(stream, None)
            return False
        room = min(h2.local_flow_control_window(number), h2.max_outbound_frame_size, MAX_FRAME_SIZE)
        if room <= 0:
            self._waiting[stream] = None
            return False
        stream.queue = queue[room:] or NOTHING
        stream.all_sent = stream.body_ended and not stream.queue
        h2.send_data(number, queue[:room], end_stream=stream.all_sent)
        self._patience.sent_data()
        return True

    # What was read, or given up.

    def arrived(self) -> None:
        """Bytes came, so that the peer is there."""
        self.arrivals += 1
        self.silent = False

    def settle_later(self, stream: Http2Stream) -> None:
        """Look at the stream at the next `settle`. Never waits, and may be called from anywhere."""
        if stream.discarded and stream.arrivals == self.arrivals:
            self.silent = True
        self._to_settle.append(stream)

    def settle(self) -> None:
        """Tell the peer of what was read and what was given up."""
        while self._to_settle:
            stream = self._to_settle.popleft()
            if not stream.open:
                continue
            if stream.discarded:
                self.forsake(stream, Code.CANCEL)
            else:
                self._give_credit(stream)

    def pad(self, stream: Http2Stream, size: int) -> None:
        """Count padding, which nobody will read."""
        stream.padding += size
        if stream.padding >= CREDIT:
            self._give_credit(stream)

    def _give_credit(self, stream: Http2Stream) -> None:
        taken, padding = stream.taken, stream.padding
        size = taken - stream.credited + padding
        stream.credited, stream.padding, stream.flush_due = taken, 0, False
        if size:
            self._h2.increment_flow_control_window(size, stream.stream_id)
            self._owe(size)

    def _owe(self, size: int) -> None:
        self._owed += size
        if self._owed >= _CREDIT:
            self._h2.increment_flow_control_window(self._owed)
            self._owed = 0

    # The ends.

    def leave(self, stream: Http2Stream) -> None:
        """The stream is closed, for h2 too."""
        self._drop(stream)
        self._owe(stream.received - stream.credited + stream.padding)

    def leave_all(self) -> list[Http2Stream]:
        """The connection is over: close all streams and return them."""
        streams = list(self.streams.values())
        for stream in streams:
            self._drop(stream)
        self._to_settle.clear()
        return streams

    def reset(self, stream: Http2Stream, code: int) -> None:
        """Tell the peer that the stream is given up, unless that is over already."""
        with contextlib.suppress(*self._errors):
            self._h2.reset_stream(stream.stream_id, code)

    def forsake(self, stream: Http2Stream, code: int) -> None:
        """Give a stream up, though the peer may have sent more for it, or will before it hears of that."""
        unread = stream.received - stream.credited + stream.padding
        self.reset(stream, code)
        self.leave(stream)
        self._forsaken[stream.stream_id] = STREAM_WINDOW - unread
        if len(self._forsaken) > _MOST_FORSAKEN:
            del self._forsaken[next(iter(self._forsaken))]

    def is_forsaken(self, number: int) -> bool:
        """Whether frames of this stream are to be dropped."""
        return number in self._forsaken

    def forget(self, number: int) -> None:
        """The peer will send nothing more for this stream."""
        self._forsaken.pop(number, None)

    def refund(self, frame: Frame) -> None:
        """Drop a DATA frame of a forsaken stream. Raises ConnectionFault if that is more than it may send."""
        number = frame.stream_id
        size = len(frame.payload)
        self._forsaken[number] -= size
        if self._forsaken[number] < 0:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, "it sent more than the window of a stream allows")
        if not size:
            self._patience.spend()
        if frame.flags & Flag.END_STREAM:
            self.forget(number)
        self._refund += size
        if self._refund >= _REFUND:
            self.out.append(window_update(self._refund))
            self._refund = 0

    def _drop(self, stream: Http2Stream) -> None:
        stream.open = False
        stream.flush_due = False
        stream.queue = NOTHING
        self._waiting.pop(stream, None)
        del self.streams[stream.stream_id]


def fail(stream: Http2Stream, failure: TransportError) -> None:
    """Tell whoever waits for the stream why its response will never be whole."""
    stream.failure = failure
    stream.signal.set()
