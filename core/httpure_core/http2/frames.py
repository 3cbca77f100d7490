"""Bytes into frames, and header blocks out of the frames that they come in (RFC 9113 sections 4 and 6.2)."""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from .faults import Code, ConnectionFault
from .limits import MAX_CONTINUATIONS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE

__all__ = [
    "Block",
    "BlockReader",
    "Flag",
    "Frame",
    "FrameReader",
    "Kind",
    "body_of",
    "head_frame",
    "hollow_frame",
    "window_update",
]

_HEADER = struct.Struct(">HBBBL")  # length (16 + 8 bits), kind, flags, stream
_HEADER_SIZE = 9
_WINDOW_UPDATE = struct.Struct(">HBBBLL")


class Kind(enum.IntEnum):
    """What a frame is. Others exist, and are ignored."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Flag:
    """Bits in the flags of a frame; what they mean depends on its kind."""

    ACK = 0x1
    END_STREAM = 0x1
    END_HEADERS = 0x4
    PADDED = 0x8
    PRIORITY = 0x20


class Frame(NamedTuple):
    """One frame. `payload` is what comes behind its header."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes

    @property
    def raw(self) -> bytes:
        """All of it, with the 9 bytes of its header."""
        size = len(self.payload)
        return _HEADER.pack(size >> 8, size & 0xFF, self.kind, self.flags, self.stream_id) + self.payload


class FrameReader:
    """Cuts what arrives into frames, however it was cut before: feed it, and take frames until there is none."""

    __slots__ = ("_data", "_held", "_start", "_wanted")

    def __init__(self) -> None:
        self._data = b""  # what arrived last; before `_start` it has been taken
        self._start = 0
        self._held = bytearray()  # the beginning of a frame
        self._wanted = _HEADER_SIZE  # bytes that must be there before it is worth to look at them

    def feed(self, data: bytes) -> None:
        """Take bytes. All frames that were whole before must have been taken."""
        held = self._held
        if held:
            if len(held) + len(data) < self._wanted:
                held += data
                return
            data = b"".join((held, data))
            held.clear()
        self._data = data

    def next_frame(self) -> Frame | None:
        """Return the next frame, or None until more bytes have come. Raises ConnectionFault if it is too long."""
        data, start = self._data, self._start
        if not data:
            return None
        wanted = _HEADER_SIZE
        if len(data) - start >= _HEADER_SIZE:
            high, low, kind, flags, stream_id = _HEADER.unpack_from(data, start)
            length = high << 8 | low
            if length > MAX_FRAME_SIZE:
                raise ConnectionFault(*_too_long(data[start : start + _HEADER_SIZE], length))
            wanted += length
            end = start + wanted
            if end <= len(data):
                self._start = end
                return Frame(kind, flags, stream_id & 0x7FFFFFFF, data[start + _HEADER_SIZE : end])
        self._held += data[start:]
        self._data, self._start, self._wanted = b"", 0, wanted
        return None


def _too_long(header: bytes, length: int) -> tuple[int, str]:
    if header.startswith(b"HTTP/"):
        return Code.PROTOCOL_ERROR, "it answered in HTTP/1.1, so it speaks no HTTP/2"
    return (
        Code.FRAME_SIZE_ERROR,
        f"it sent a frame of {length} bytes, which is more than the {MAX_FRAME_SIZE} allowed",
    )


class Block(NamedTuple):
    """A header block: the head of a response, or its trailers, still encoded."""

    stream_id: int
    ended: bool  #: True if nothing comes behind it on this stream
    data: bytes


class BlockReader:
    """Puts header blocks together from HEADERS and CONTINUATION frames, between which no other may come."""

    __slots__ = ("_count", "_ended", "_pieces", "_size", "stream_id")

    def __init__(self) -> None:
        #: The stream of the block that has begun; 0 for none.
        self.stream_id = 0
        self._ended = False
        self._pieces: list[bytes] = []
        self._size = 0
        self._count = 0

    def begin(self, frame: Frame) -> Block | None:
        """Take a HEADERS frame; return the block if it is whole. Raises ConnectionFault."""
        if frame.stream_id % 2 == 0:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it opened a stream, which only we may do")
        ended = bool(frame.flags & Flag.END_STREAM)
        fragment = _fragment(frame)
        if frame.flags & Flag.END_HEADERS:
            return Block(frame.stream_id, ended, fragment)
        self.stream_id, self._ended = frame.stream_id, ended
        self._pieces, self._size, self._count = [fragment], len(fragment), 0
        return None

    def go_on(self, frame: Frame) -> Block | None:
        """Take the frame behind an unfinished block; return the block if it is whole. Raises ConnectionFault."""
        if frame.kind != Kind.CONTINUATION or frame.stream_id != self.stream_id:
            raise ConnectionFault(Code.PROTOCOL_ERROR, "it interrupted a header block by another frame")
        self._count += 1
        self._size += len(frame.payload)
        if self._count > MAX_CONTINUATIONS or self._size > MAX_HEADER_LIST_SIZE:
            text = (
                f"it sent a header block of {self._size:,} bytes in {self._count + 1} frames, and "
                f"{MAX_HEADER_LIST_SIZE:,} in {MAX_CONTINUATIONS + 1} are allowed, whatever max_head_size says"
            )
            raise ConnectionFault(Code.ENHANCE_YOUR_CALM, text, limit="max_head_size")
        self._pieces.append(frame.payload)
        if not frame.flags & Flag.END_HEADERS:
            return None
        block = Block(self.stream_id, self._ended, b"".join(self._pieces))
        self.stream_id, self._pieces = 0, []
        return block


def _fragment(frame: Frame) -> bytes:
    """Return a HEADERS frame's payload without padding and priority."""
    payload = frame.payload
    start, end = 0, len(payload)
    if frame.flags & Flag.PADDED:
        end -= payload[0] if payload else 1
        start = 1
    if frame.flags & Flag.PRIORITY:
        start += 5
    if start > end:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "it sent a HEADERS frame that is shorter than its padding")
    return payload[start:end]


def body_of(frame: Frame) -> bytes:
    """Return what a DATA frame has of a body, without padding. Raises ConnectionFault."""
    payload = frame.payload
    if not frame.flags & Flag.PADDED:
        return payload
    end = len(payload) - (payload[0] if payload else 0)
    if end < 1:
        raise ConnectionFault(Code.PROTOCOL_ERROR, "it sent a DATA frame that is shorter than its padding")
    return payload[1:end]


def hollow_frame(frame: Frame) -> bytes:
    """Return a DATA frame without its data: what it says of its stream, and nothing to pay for."""
    return _HEADER.pack(0, 0, Kind.DATA, frame.flags & Flag.END_STREAM, frame.stream_id)


def head_frame(stream_id: int, block: bytes, ended: bool) -> bytes:
    """Return a whole header block as a frame."""
    flags = Flag.END_HEADERS | (Flag.END_STREAM if ended else 0)
    return _HEADER.pack(0, len(block), Kind.HEADERS, flags, stream_id) + block


def window_update(increment: int, stream_id: int = 0) -> bytes:
    """Return the frame that opens a window by so many bytes: the connection's, or that of a stream."""
    return _WINDOW_UPDATE.pack(0, 4, Kind.WINDOW_UPDATE, 0, stream_id, increment)
