"""Frames, however they are cut, and header blocks in several of them."""

from __future__ import annotations

import itertools

import pytest
from hyperframe.frame import DataFrame, HeadersFrame, WindowUpdateFrame
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.http2.faults import Code, ConnectionFault
from httpure_core.http2.frames import (
    Block,
    BlockReader,
    Frame,
    FrameReader,
    body_of,
    head_frame,
    hollow_frame,
    window_update,
)
from httpure_core.http2.limits import MAX_FRAME_SIZE

from .pair import Evil


def one(data: bytes) -> Frame:
    (frame,) = fed(FrameReader(), data)
    return frame


def fed(reader: FrameReader, data: bytes) -> list[Frame]:
    """The frames that are whole when these bytes have come, too."""
    reader.feed(data)
    frames = []
    while (frame := reader.next_frame()) is not None:
        frames.append(frame)
    return frames


class TestCutting:
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 20), st.integers(0, 255), st.integers(0, 2**31 - 1), st.binary(max_size=40)
            ),
            max_size=6,
        ),
        st.lists(st.integers(0, 300), max_size=8),
    )
    def test_the_same_however_it_is_cut(
        self, wanted: list[tuple[int, int, int, bytes]], cuts: list[int]
    ) -> None:
        data = b"".join(
            len(payload).to_bytes(3) + bytes([kind, flags]) + number.to_bytes(4) + payload
            for kind, flags, number, payload in wanted
        )
        edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        reader = FrameReader()
        found = []
        for start, end in itertools.pairwise(edges):
            found += fed(reader, data[start:end])
        assert [(frame.kind, frame.flags, frame.stream_id, frame.payload) for frame in found] == wanted

    def test_byte_by_byte(self) -> None:
        reader = FrameReader()
        found = [
            frame for byte in Evil.data(1, b"hello").serialize() * 3 for frame in fed(reader, bytes([byte]))
        ]
        assert [frame.payload for frame in found] == [b"hello"] * 3

    def test_the_highest_bit_of_the_stream_is_reserved(self) -> None:
        assert one(b"\0\0\0\x06\0\x80\0\0\x05").stream_id == 5

    def test_too_long(self) -> None:
        reader = FrameReader()
        assert fed(reader, MAX_FRAME_SIZE.to_bytes(3) + bytes(6)) == []
        with pytest.raises(
            ConnectionFault, match="a frame of 65537 bytes, which is more than the 65536"
        ) as caught:
            fed(FrameReader(), (MAX_FRAME_SIZE + 1).to_bytes(3) + bytes(6))
        assert caught.value.code == Code.FRAME_SIZE_ERROR

    def test_an_answer_in_http_1(self) -> None:
        with pytest.raises(ConnectionFault, match=r"answered in HTTP/1\.1, so it speaks no HTTP/2"):
            fed(FrameReader(), b"HTTP/1.1 400 Bad Request\r\n")


class TestHeaderBlocks:
    def test_in_one_frame(self) -> None:
        frame = HeadersFrame(1, b"abc", flags=["END_HEADERS", "END_STREAM"])
        assert BlockReader().begin(one(frame.serialize())) == Block(1, True, b"abc")

    def test_with_padding_and_priority(self) -> None:
        frame = HeadersFrame(3, b"abc", flags=["END_HEADERS", "PADDED", "PRIORITY"], pad_length=4)
        assert BlockReader().begin(one(frame.serialize())) == Block(3, False, b"abc")
        frame = HeadersFrame(3, b"", flags=["END_HEADERS", "PADDED"], pad_length=255)
        assert BlockReader().begin(one(frame.serialize())) == Block(3, False, b"")

    def test_in_several(self) -> None:
        reader = BlockReader()
        assert reader.begin(one(HeadersFrame(1, b"a", flags=["END_STREAM"]).serialize())) is None
        assert reader.stream_id == 1
        assert reader.go_on(one(Evil.continuation(1, b"b").serialize())) is None
        block = reader.go_on(one(Evil.continuation(1, b"c", whole=True).serialize()))
        assert block == Block(1, True, b"abc")
        assert reader.stream_id == 0

    @pytest.mark.parametrize(
        ("flags", "payload"),
        [(0x08, b""), (0x08, b"\x01"), (0x08, b"\x05abcd"), (0x20, b"abcd"), (0x28, b"\x01abcde")],
    )
    def test_shorter_than_its_padding(self, flags: int, payload: bytes) -> None:
        frame = Frame(1, 0x04 | flags, 1, payload)
        with pytest.raises(ConnectionFault, match="shorter than its padding"):
            BlockReader().begin(frame)

    @pytest.mark.parametrize("number", [0, 2, 4])
    def test_only_we_open_streams(self, number: int) -> None:
        with pytest.raises(ConnectionFault, match="which only we may do"):
            BlockReader().begin(Frame(1, 0x04, number, b""))

    @pytest.mark.parametrize(
        "frame", [Evil.continuation(3), Evil.data(1, b"x"), Evil.ping(), Evil().headers(1)]
    )
    def test_nothing_comes_between(self, frame: DataFrame) -> None:
        reader = BlockReader()
        reader.begin(Frame(1, 0, 1, b""))
        with pytest.raises(ConnectionFault, match="interrupted a header block"):
            reader.go_on(one(frame.serialize()))

    def test_32_continuations_at_most(self) -> None:
        reader = BlockReader()
        reader.begin(Frame(1, 0, 1, b""))
        for _ in range(32):
            assert reader.go_on(Frame(9, 0, 1, b"")) is None
        with pytest.raises(ConnectionFault, match="a header block of 0 bytes in 34 frames") as caught:
            reader.go_on(Frame(9, 4, 1, b""))
        assert caught.value.code == Code.ENHANCE_YOUR_CALM

    def test_64_kib_at_most(self) -> None:
        reader = BlockReader()
        reader.begin(Frame(1, 0, 1, bytes(40_000)))
        with pytest.raises(ConnectionFault, match="a header block of 80,000 bytes in 2 frames"):
            reader.go_on(Frame(9, 4, 1, bytes(40_000)))


class TestWriting:
    def test_head_frame(self) -> None:
        for ended in (False, True):
            frame = one(head_frame(7, b"abc", ended))
            assert (frame.kind, frame.flags, frame.stream_id, frame.payload) == (1, 4 | ended, 7, b"abc")

    def test_window_update(self) -> None:
        assert window_update(70_000) == WindowUpdateFrame(0, window_increment=70_000).serialize()
        assert window_update(1, 5) == WindowUpdateFrame(5, window_increment=1).serialize()

    def test_raw(self) -> None:
        data = Evil.data(7, b"x" * 60_000, ended=True).serialize()
        assert one(data).raw == data

    def test_hollow_frame(self) -> None:
        for ended in (False, True):
            frame = one(Evil.data(7, b"hello", ended=ended, padding=3).serialize())
            assert hollow_frame(frame) == Evil.data(7, ended=ended).serialize()


class TestBodies:
    @pytest.mark.parametrize("padding", [None, 0, 1, 255])
    def test_without_padding(self, padding: int | None) -> None:
        for data in (b"", b"hello"):
            assert body_of(one(Evil.data(1, data, padding=padding).serialize())) == data

    @pytest.mark.parametrize("payload", [b"", b"\x01", b"\x05abcd"])
    def test_shorter_than_its_padding(self, payload: bytes) -> None:
        with pytest.raises(ConnectionFault, match="a DATA frame that is shorter than its padding"):
            body_of(Frame(0, 0x08, 1, payload))
