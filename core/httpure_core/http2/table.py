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
from .frames import Flag, window_update
from .hearing import Hearing
from .library import library
from .limits import CONNECTION_WINDOW, FIRST_WINDOW, MAX_FRAME_SIZE, MAX_STREAMS, STREAM_WINDOW, Patience
from .stream import NOTHING, Http2Stream
from .vigil import Vigil

if TYPE_CHECKING:
    from .engine import Engine
    from .frames import Frame

__all__ = ["STREAM_OVERRUN", "StreamTable", "fail"]

STREAM_OVERRUN = "it sent more than the window of a stream allows"

#: Bytes that are read, of all streams, before the peer gets leave to send as many again.
_CREDIT = CONNECTION_WINDOW // 16
#: Bytes by which the windows of all streams together may be wider than their first ones. So those of `MAX_STREAMS`, and
#: what was read but not given back yet, never are more than that of the connection.
_SPARE = CONNECTION_WINDOW - MAX_STREAMS * FIRST_WINDOW - _CREDIT
#: By how much a window is widened at a time, and the least that is worth a frame.
_WIDER = 4
_LEAST = 16 * 1024
_NEVER = 1 << 62
#: What we send in a PING, and what the peer sends back.
_PING = b"there?.."
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
        "_pinged",
        "_spare",
        "_to_settle",
        "_waiting",
        "arrivals",
        "hearing",
        "out",
        "signs",
        "streams",
        "suspect",
        "vigil",
        "window",
    )

    def __init__(self, h2: Engine, patience: Patience) -> None:
        self._h2 = h2
        self._errors = library().errors
        self._patience = patience
        #: Whether the peer takes what it has asked for.
        self.hearing = Hearing(h2)
        #: Those that are open, by their numbers.
        self.streams: dict[int, Http2Stream] = {}
        self._waiting: dict[Http2Stream, None] = {}  # of them, those whose request's body waits for room
        self._forsaken: dict[int, int] = {}  # how many bytes of body the peer may still send on each
        self._to_settle: deque[Http2Stream] = deque()  # its `append` is atomic, and needs no mutex
        self._owed = 0  # bytes read that the connection's window has not been opened for yet
        #: Bytes of bodies that the peer may still send, of all streams.
        self.window = CONNECTION_WINDOW
        self._spare = _SPARE
        #: Frames that h2 knows nothing of.
        self.out: list[bytes] = []
        #: How often bytes have come on the connection.
        self.arrivals = 0
        #: How often whole frames have. Of a peer that has lost step, bytes may come for ever, and no frame.
        self.signs = 0
        #: True if a stream was given up before any frame had come since it was opened, and none has since.
        self.suspect = False
        self._pinged = -1  # how many signs of life there had been when the peer was asked for one
        #: Who looks whether the peer is there, while streams wait for it.
        self.vigil: Vigil | None = None

    def available(self, allowed: int) -> int:
        """Return how many streams can be opened where the peer allows so many at a time."""
        room = allowed - len(self.streams)
        if self._to_settle:
            room += sum(stream.discarded and stream.open for stream in self._to_settle.copy())
        return max(0, room)

    def begin(self, stream: Http2Stream, body: bytes | None) -> None:
        """Take in a stream whose head is queued, and send of its request's body, if it is there, what is allowed."""
        if self.vigil is not None and not self.streams:
            self.vigil.begin()
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
        waiting = self._waiting
        turns = deque(waiting)
        while turns and self._h2.outbound_flow_control_window > 0:
            stream = turns.popleft()
            if self._send_piece(stream):
                stream.signal.set()
                turns.append(stream)
                # To the end of the line, also for the next time: a window that opens by one frame is not one stream's.
                waiting.pop(stream, None)
                waiting[stream] = None

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

    def heard(self) -> None:
        """Whole frames came, so that the peer is there (runs once per arrival of bytes)."""
        self.signs += 1
        self.suspect = False

    def settle_later(self, stream: Http2Stream) -> None:
        """Look at the stream at the next `settle`. Never waits, and may be called from anywhere."""
        if stream.discarded and stream.signs == self.signs:
            self.suspect = True
        self._to_settle.append(stream)

    def ping(self) -> None:
        """Ask the peer for a sign of life, once until something comes."""
        if self._pinged != self.signs:
            self._pinged = self.signs
            self._h2.ping(_PING)

    def settle(self) -> None:
        """Tell the peer of what was read and what was given up."""
        while self._to_settle:
            stream = self._to_settle.popleft()
            if not stream.open:
                continue
            if stream.discarded:
                self.forsake(stream, Code.CANCEL)
                if self.suspect:
                    self.ping()
            else:
                self._give_credit(stream)

    def pad(self, stream: Http2Stream, size: int) -> None:
        """Count padding, which nobody will read."""
        stream.padding += size
        if stream.padding >= stream.credit:
            self._give_credit(stream)

    def _give_credit(self, stream: Http2Stream) -> None:
        taken, padding = stream.taken, stream.padding
        size = taken - stream.credited + padding
        stream.credited, stream.padding, stream.flush_due = taken, 0, False
        if size:
            self.out.append(window_update(size, stream.stream_id))
            stream.window += size
            self.owe(size)

    def consume(self, size: int) -> None:
        """A DATA frame came (runs once per frame). Raises ConnectionFault if that is more than the peer may send."""
        self.window -= size
        if self.window < 0:
            raise ConnectionFault(
                Code.FLOW_CONTROL_ERROR, "it sent more than the window of the connection allows"
            )

    def owe(self, size: int) -> None:
        """So many bytes that came need no room any more: the peer gets leave to send as many again, on any stream."""
        self._owed += size
        if self._owed >= _CREDIT:
            owed, self._owed = self._owed, 0
            self.out.append(window_update(owed))
            self.window += owed

    def widen(self, stream: Http2Stream) -> None:
        """A response turns out to be long: let more of it come before it is read, as far as there is room for that.

        The window of the connection never is the narrower one: else those that nobody reads, or of which little was
        read, would stop all the others for ever.
        """
        length = stream.length
        wanted = stream.granted * _WIDER if length is None else max(length, stream.granted + _LEAST)
        more = min(min(wanted, STREAM_WINDOW) - stream.granted, self._spare)
        if more < _LEAST:
            # All that is needed is granted; or others have the room, and perhaps not for long.
            enough = stream.granted >= STREAM_WINDOW or (length is not None and length <= stream.granted)
            stream.widen_at = _NEVER if enough else stream.received + stream.granted
            return
        self._spare -= more
        stream.granted += more
        stream.window += more
        stream.credit = stream.granted // 4
        stream.widen_at = stream.granted // 2
        self.out.append(window_update(more, stream.stream_id))

    # The ends.

    def leave(self, stream: Http2Stream) -> None:
        """The stream is closed, for h2 too."""
        self._drop(stream)
        self.owe(stream.granted - stream.window)

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
        self.reset(stream, code)
        self.leave(stream)
        self._forsaken[stream.stream_id] = stream.window
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
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, STREAM_OVERRUN)
        if not size:
            self._patience.spend()
        if frame.flags & Flag.END_STREAM:
            self.forget(number)
        self.owe(size)

    def _drop(self, stream: Http2Stream) -> None:
        stream.open = False
        stream.flush_due = False
        stream.queue = NOTHING
        self._spare += stream.granted - FIRST_WINDOW
        self._waiting.pop(stream, None)
        del self.streams[stream.stream_id]


def fail(stream: Http2Stream, failure: TransportError) -> None:
    """Tell whoever waits for the stream why its response will never be whole."""
    stream.failure = failure
    stream.signal.set()
