"""Responses: what becomes of the HEADERS, CONTINUATION and DATA frames that come (RFC 9113 section 8).

h2 is not asked about those of open streams, nor about the windows that they use up. It is told of the end only, by a
head of no fields that ends the stream; of frames for streams that are not open it is told as they come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..contracts import Fields
from ..errors import HeadTooLarge, head_too_large
from ..limits import Limits
from .failures import malformed
from .faults import Code, ConnectionFault, StreamFault
from .fields import read_head, read_trailers
from .frames import Block, BlockReader, Flag, Frame, body_of, head_frame, hollow_frame
from .library import library
from .limits import MAX_HEADER_LIST_SIZE, Patience
from .stream import Http2Stream
from .table import STREAM_OVERRUN, StreamTable, fail

if TYPE_CHECKING:
    from .compression import Decoded
    from .engine import Engine

__all__ = ["Responses"]

#: The shortest head, `:status: 200`, as an index into the static table (RFC 7541 appendix A).
_ANY_HEAD = b"\x88"
#: Methods whose responses mean something else by the same head.
_WITH_ANOTHER_MEANING = (b"HEAD", b"CONNECT")


class Responses:
    """Writes what comes onto the streams of a table. A malformed response ends its own stream only."""

    __slots__ = ("_decoder", "_h2", "_library", "_limits", "_patience", "_table", "blocks")

    def __init__(self, h2: Engine, table: StreamTable, patience: Patience, limits: Limits) -> None:
        self._h2 = h2
        self._table = table
        self._patience = patience
        self._limits = limits
        self._library = library()
        self._decoder = self._library.decoder()
        #: Where a header block has begun, nothing but the rest of it may come, on any stream: see `go_on`.
        self.blocks = BlockReader()

    def receive_headers(self, frame: Frame) -> None:
        """Take a HEADERS frame. Raises ConnectionFault."""
        self._receive_block(self.blocks.begin(frame))

    def go_on(self, frame: Frame) -> None:
        """Take the frame behind an unfinished header block. Raises ConnectionFault."""
        self._receive_block(self.blocks.go_on(frame))

    def receive_body(self, frame: Frame) -> None:
        """Take a DATA frame. Raises ConnectionFault."""
        table = self._table
        _, flags, number, payload = frame
        size = len(payload)
        table.consume(size)
        stream = table.streams.get(number)
        if stream is None:
            self._drop_body(frame)
            return
        data = body_of(frame) if flags & Flag.PADDED else payload
        ended = flags & Flag.END_STREAM != 0
        try:
            _check_body(stream, len(data), ended)
        except StreamFault as fault:
            self._refuse(stream, fault, ended=False)
            table.refund(frame)
            return
        stream.window -= size
        if stream.window < 0:
            raise ConnectionFault(Code.FLOW_CONTROL_ERROR, STREAM_OVERRUN)
        if size != len(data):
            table.pad(stream, size - len(data))
        if data:
            stream.put(data)
        elif not ended:
            self._patience.spend()
            return
        if stream.received >= stream.widen_at and not ended:
            table.widen(stream)
        self._advance(stream, ended)

    def _receive_block(self, block: Block | None) -> None:
        """Take the head of a response, an informational one perhaps, or its trailers."""
        if block is None:
            return
        decoded = self._decode(block.data)  # always, as the blocks to come depend on it
        stream = self._table.streams.get(block.stream_id)
        if stream is None:
            self._drop_block(block)
            return
        try:
            if stream.status:
                self._receive_trailers(stream, block, decoded.pairs)
            else:
                self._receive_head(stream, block, decoded)
        except (StreamFault, HeadTooLarge) as fault:
            self._refuse(stream, fault, block.ended)

    def _receive_head(self, stream: Http2Stream, block: Block, decoded: Decoded) -> None:
        head = decoded.head
        if head is None or stream.method in _WITH_ANOTHER_MEANING:
            head = read_head(decoded.pairs, stream.method, self._limits)
            if stream.method not in _WITH_ANOTHER_MEANING:
                decoded.head = head
        if head.status < 200:
            stream.informational = (*stream.informational, (head.status, head.fields))
            count, most = len(stream.informational), self._limits.max_informational
            if count > most:
                what = "The response comes behind"
                raise head_too_large(what, count, "informational ones", most, "max_informational")
            if block.ended or head.status == 101:
                raise StreamFault(f"its informational response ({head.status}) is not allowed")
            stream.signal.set()
            return
        if block.ended and head.length:
            raise _wrong_length(head.length, 0)
        stream.fields, stream.length = list(head.fields), head.length
        stream.status = head.status
        if head.length is not None and head.length > stream.granted:
            self._table.widen(stream)
        self._advance(stream, block.ended)

    def _receive_trailers(self, stream: Http2Stream, block: Block, pairs: Fields) -> None:
        if not block.ended:
            raise StreamFault("it has two heads, or trailers before its end")
        if stream.received < (stream.length or 0):
            raise _wrong_length(stream.length, stream.received)
        stream.trailers = read_trailers(pairs, self._limits)
        self._advance(stream, True)

    def _drop_block(self, block: Block) -> None:
        self._patience.spend()
        if not self._table.is_forsaken(block.stream_id):
            # h2 knows what to make of it.
            self._h2.receive_data(head_frame(block.stream_id, _ANY_HEAD, block.ended))
            self._table.hearing.answer()
        elif block.ended:
            self._table.forget(block.stream_id)

    def _drop_body(self, frame: Frame) -> None:
        table = self._table
        if table.is_forsaken(frame.stream_id):
            table.refund(frame)
        else:
            self._h2.receive_data(hollow_frame(frame))  # h2 knows what to make of it
            self._patience.spend()
            table.hearing.answer()
            table.owe(len(frame.payload))

    def _advance(self, stream: Http2Stream, ended: bool) -> None:
        """The response has come further, perhaps to its end."""
        self._patience.progress()
        if ended:
            stream.ended = True
            self._h2.receive_data(head_frame(stream.stream_id, _ANY_HEAD, True))
            if not stream.all_sent:
                # Nobody wants the rest of the request any more (RFC 9113 section 8.1).
                self._table.reset(stream, Code.NO_ERROR)
            self._table.leave(stream)
        stream.signal.set()

    def _refuse(self, stream: Http2Stream, fault: StreamFault | HeadTooLarge, ended: bool) -> None:
        """A response is malformed, or too large: give its stream up."""
        self._table.forsake(stream, Code.PROTOCOL_ERROR)
        if ended:
            self._table.forget(stream.stream_id)
        if isinstance(fault, StreamFault):
            fail(stream, malformed(f"The response is not valid HTTP/2: {fault}"))
        else:
            fail(stream, fault)

    def _decode(self, data: bytes) -> Decoded:
        try:
            return self._decoder.decode(data)
        except self._library.too_large:
            text = f"it sent a header list of more than {MAX_HEADER_LIST_SIZE} bytes, whatever max_head_size says"
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, text, limit="max_head_size") from None
        except self._library.undecodable:
            text = "it sent a header block that cannot be decoded"
            raise ConnectionFault(Code.COMPRESSION_ERROR, text) from None


def _check_body(stream: Http2Stream, size: int, ended: bool) -> None:
    """See whether a piece of a body has its place. Raises StreamFault."""
    if not stream.status:
        raise StreamFault("its body comes before its head")
    if stream.length is not None:
        received = stream.received + size
        if received > stream.length or (ended and received < stream.length):
            raise _wrong_length(stream.length, received)


def _wrong_length(length: int | None, received: int) -> StreamFault:
    return StreamFault(f"its body should have {length} bytes, and {received} came")
