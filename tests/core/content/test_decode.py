from __future__ import annotations

import gzip
import random
import struct
import sys
import types
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.content import decode as decode_module
from httpure_core.content.decode import LARGE_PIECE, accept_encoding, decoder_for
from httpure_core.content.libraries import MAX_ZSTD_WINDOW_LOG, brotli_library, zstd_library
from httpure_core.content.streams import PIECE_SIZE
from httpure_core.errors import BodyTooLarge, DecodingError
from httpure_core.limits import Limits


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "bare deflate": bare_deflate,
    "br": lambda data: brotli.compress(data, quality=4),
    "zstd": zstd.compress,
}
CODINGS = sorted(ENCODERS)


def coding_of(name: str) -> list[str]:
    return [name.removeprefix("bare ")]


def decoded(codings: list[str], pieces: list[bytes]) -> bytes:
    decoder = decoder_for(codings)
    assert decoder is not None
    found = [piece for data in pieces for piece in decoder.decode(data)]
    found += decoder.flush()
    assert all(0 < len(piece) <= PIECE_SIZE for piece in found)
    return b"".join(found)


def cuts(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


MIXED = random.Random(1).randbytes(50_000) + bytes(200_000) + b"words and words " * 5_000


@pytest.fixture
def forget_libraries() -> Iterator[None]:
    functions: list[Any] = [brotli_library, zstd_library, accept_encoding]
    for function in functions:
        function.cache_clear()
    yield
    for function in functions:
        function.cache_clear()


def test_what_is_nothing_to_undo() -> None:
    for codings in ([], ["identity"], ["", " Identity "], ["compress"], ["gzip", "unknown"]):
        assert decoder_for(codings) is None


def test_unknown_codings_below_are_left_as_they_are() -> None:
    assert decoded(["unknown", " GZIP "], [gzip.compress(b"left as it is", mtime=0)]) == b"left as it is"


def test_accept_encoding() -> None:
    assert accept_encoding() == "gzip, deflate, br, zstd"


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("size", [1, 7, 1000, 10_000_000])
def test_round_trip(name: str, size: int) -> None:
    data = MIXED if size > 7 else MIXED[49_000:60_000]
    assert decoded(coding_of(name), cuts(ENCODERS[name](data), size)) == data


@settings(max_examples=40)
@given(st.sampled_from(CODINGS), st.binary(max_size=300), st.lists(st.integers(0, 40)))
def test_round_trip_with_any_cut(name: str, data: bytes, sizes: list[int]) -> None:
    encoded = ENCODERS[name](data)
    pieces = []
    for size in sizes:
        pieces.append(encoded[:size])
        encoded = encoded[size:]
    assert decoded(coding_of(name), [*pieces, encoded]) == data


@settings(max_examples=40)
@given(st.sampled_from(CODINGS), st.binary(max_size=300), st.integers(1, 40))
def test_garbage_is_a_decoding_error_or_nothing(name: str, data: bytes, size: int) -> None:
    try:
        decoded(coding_of(name), cuts(data, size))
    except DecodingError as error:
        assert str(error)


@pytest.mark.parametrize("name", CODINGS)
def test_no_bytes_are_no_error(name: str) -> None:
    assert decoded(coding_of(name), []) == b""
    assert decoded(coding_of(name), [b"", b""]) == b""


@pytest.mark.parametrize("name", CODINGS)
def test_a_body_that_is_cut_off_is_an_error(name: str) -> None:
    encoded = ENCODERS[name](b"some words, some words")
    for length in range(1, len(encoded)):
        with pytest.raises(DecodingError, match=f"ended before its end marker: {length} bytes of it"):
            decoded(coding_of(name), [encoded[:length]])


def test_sizes_in_messages_are_readable() -> None:
    encoded = gzip.compress(random.Random(2).randbytes(2000))[:1234]
    with pytest.raises(DecodingError) as caught:
        decoded(["gzip"], [encoded])
    expected = "The gzip body ended before its end marker: 1,234 bytes of it were received"
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_broken_body_is_an_error(name: str) -> None:
    with pytest.raises(DecodingError, match=rf"The {name} body is broken, within its first 31 bytes: \w"):
        decoded([name], [b"\xff" * 31])


def test_a_wrong_checksum_is_an_error() -> None:
    encoded = bytearray(gzip.compress(b"abc", mtime=0))
    encoded[-6] ^= 1
    with pytest.raises(DecodingError, match=r"incorrect data check$"):
        decoded(["gzip"], [bytes(encoded)])


def test_an_empty_content_is_whole() -> None:
    for name in CODINGS:
        assert decoded(coding_of(name), [ENCODERS[name](b"")]) == b""


# gzip: members and what follows them


MEMBERS = gzip.compress(b"one ", mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(b"two", mtime=0)


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_members_one_after_the_other(size: int) -> None:
    assert decoded(["gzip"], cuts(MEMBERS, size)) == b"one two"


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("tail", [b"\0", b"\0" * 600, b"junk", b"\x1fjunk", b"\0\0junk \x1f\x8b", b"\x1f\0"])
def test_zeros_and_junk_after_the_last_member(tail: bytes, size: int) -> None:
    assert decoded(["gzip"], cuts(MEMBERS + tail, size)) == b"one two"


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_zeros_between_members(size: int) -> None:
    assert decoded(["gzip"], cuts(MEMBERS + bytes(100) + MEMBERS, size)) == b"one twoone two"


@pytest.mark.parametrize("tail", [b"\x1f", b"\x1f\x8b", MEMBERS[:12]])
def test_a_second_member_that_is_cut_off(tail: bytes) -> None:
    with pytest.raises(DecodingError, match="ended before its end marker"):
        decoded(["gzip"], [MEMBERS, tail])


def test_a_second_member_that_is_broken() -> None:
    with pytest.raises(DecodingError, match="broken"):
        decoded(["gzip"], [MEMBERS + b"\x1f\x8b\xff\xff\xff\xff"])


# The others


def test_bytes_after_deflate_are_ignored() -> None:
    assert decoded(["deflate"], [zlib.compress(b"abc") + b"junk", b"more"]) == b"abc"
    assert decoded(["deflate"], [zlib.compress(b"abc"), b"more"]) == b"abc"


def test_bytes_after_brotli_are_an_error() -> None:
    with pytest.raises(DecodingError, match="The br body is broken"):
        decoded(["br"], [brotli.compress(b"abc") + b"junk"])


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_zstd_frames(size: int) -> None:
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    body = skippable + zstd.compress(b"one ") + zstd.compress(b"") + skippable + zstd.compress(b"two")
    assert decoded(["zstd"], cuts(body, size)) == b"one two"


def test_junk_after_zstd_is_an_error() -> None:
    with pytest.raises(DecodingError, match="The zstd body is broken"):
        decoded(["zstd"], [zstd.compress(b"abc") + b"junk"])


def zstd_with_window(log: int) -> bytes:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
    return compressor.compress(b"x", compressor.FLUSH_BLOCK) + compressor.flush()


def test_zstd_window_is_limited() -> None:
    assert decoded(["zstd"], [zstd_with_window(MAX_ZSTD_WINDOW_LOG)]) == b"x"
    with pytest.raises(DecodingError, match="memory"):
        decoded(["zstd"], [zstd_with_window(MAX_ZSTD_WINDOW_LOG + 1)])


# Chains


@pytest.mark.parametrize("size", [1, 100_000])
def test_chains_are_undone_from_the_last_coding(size: int) -> None:
    data = MIXED[45_000:60_000]
    encoded = data
    codings = ["br", "gzip", "identity", "zstd", "deflate", "gzip"]
    for coding in codings:
        encoded = ENCODERS.get(coding, bytes)(encoded)
    assert decoded(codings, cuts(encoded, size)) == data


def test_a_chain_notices_which_coding_is_cut_off() -> None:
    with pytest.raises(DecodingError, match="The br body ended"):
        decoded(["br", "gzip"], [gzip.compress(brotli.compress(b"abc")[:-1])])


def test_what_a_decoder_keeps_to_the_end_goes_through_the_chain() -> None:
    class Keeping:
        def __init__(self) -> None:
            self.kept = b""

        def decode(self, data: bytes) -> Iterator[bytes]:
            self.kept += data + b"."
            return iter(())

        def flush(self) -> Iterator[bytes]:
            return iter([self.kept])

    chain = decode_module._Chain(Keeping(), Keeping(), None)
    assert list(chain.decode(b"a")) == []
    assert list(chain.flush()) == [b"a.."]


def test_too_many_codings() -> None:
    assert decoder_for(["gzip"] * 5) is not None
    with pytest.raises(
        BodyTooLarge, match=r"has 6 content codings, and at most 5 are undone \(max_codings\); "
    ) as caught:
        decoder_for(["gzip"] * 6)
    assert caught.value.limit == "max_codings"


def test_how_many_codings_are_too_many_can_be_said() -> None:
    assert decoder_for(["gzip"] * 6, limits=Limits(max_codings=6)) is not None
    assert decoder_for(["identity", ""], limits=Limits(max_codings=0)) is None
    with pytest.raises(BodyTooLarge):
        decoder_for(["gzip"], limits=Limits(max_codings=0))


# Bombs: what comes out is bounded, and comes out only when asked for


@pytest.mark.parametrize("name", CODINGS)
def test_bombs_are_pulled_in_bounded_pieces(name: str) -> None:
    size = 4 << 20
    pieces = []
    decoder = decoder_for(coding_of(name))
    assert decoder is not None
    for piece in decoder.decode(ENCODERS[name](bytes(size))):
        assert 0 < len(piece) <= PIECE_SIZE
        pieces.append(len(piece))
    pieces += map(len, decoder.flush())
    assert sum(pieces) == size


@pytest.mark.parametrize("name", ["gzip", "deflate", "bare deflate"])
def test_whoever_keeps_all_gets_larger_pieces(name: str) -> None:
    decoder = decoder_for(coding_of(name), LARGE_PIECE)
    assert decoder is not None
    pieces = list(decoder.decode(ENCODERS[name](MIXED * 2)))
    assert PIECE_SIZE < max(map(len, pieces)) <= LARGE_PIECE
    assert b"".join([*pieces, *decoder.flush()]) == MIXED * 2


@pytest.mark.parametrize("name", CODINGS)
def test_exact_multiples_of_a_piece(name: str) -> None:
    assert decoded(coding_of(name), [ENCODERS[name](bytes(PIECE_SIZE))]) == bytes(PIECE_SIZE)


#: Blocks of deflate that hold nothing.
NOTHING = b"\0\0\0\xff\xff"


def of_nothing(codings: list[str]) -> bytes:
    """A million empty blocks in the first coding, a few kilobytes after the others."""
    encoded = b"\x78\x9c" + NOTHING * 1_000_000 + zlib.compress(b"")[2:]
    for coding in codings[1:]:
        encoded = ENCODERS[coding](encoded)
    return encoded


@pytest.mark.parametrize("codings", [["deflate", "gzip", "gzip"], ["deflate", "gzip", "gzip", "zstd", "br"]])
def test_a_bomb_of_which_nothing_comes_out(codings: list[str]) -> None:
    """A thousand bytes that would keep us busy for minutes, and no piece at which the reader could stop."""
    encoded = of_nothing(codings)
    assert len(encoded) < 6000
    decoder = decoder_for(codings)
    assert decoder is not None
    with pytest.raises(BodyTooLarge, match="between two of them, more than 100 to one") as caught:
        list(decoder.decode(encoded))
    assert caught.value.limit == "max_expansion"


def test_what_comes_between_two_codings_has_the_limit_of_the_whole() -> None:
    codings = ["deflate", "gzip"]
    encoded = of_nothing(codings)
    for ratio in (None, 2000):
        decoder = decoder_for(codings, limits=Limits(max_expansion=ratio))
        assert decoder is not None
        assert list(decoder.decode(encoded)) == list(decoder.flush()) == []


EMPTY = {"gzip": gzip.compress(b"", mtime=0), "zstd": zstd.compress(b"")}


@pytest.mark.parametrize("name", sorted(EMPTY))
def test_members_that_hold_nothing_come_to_an_end(name: str) -> None:
    """Each costs us as much as kilobytes of others."""
    some = EMPTY[name] * decode_module.MAX_EMPTY
    assert decoded([name], cuts(some, 1000)) == b""
    full = ENCODERS[name](b"x")
    assert decoded([name], [some[: len(some) // 2] + full + some]) == b"x", (
        "these are in a row, and those were before"
    )
    with pytest.raises(
        DecodingError, match=f"The {name} body has more than 1,000 .* in a row that hold nothing"
    ):
        decoded([name], [full + some + EMPTY[name]])


@pytest.mark.parametrize(
    ("name", "start", "empty", "end"),
    [
        ("deflate", b"\x78\x9c", NOTHING, zlib.compress(b"")[2:]),
        ("br", b"\x0c", b"\x06", b"\x03"),  # metadata blocks of no bytes (RFC 7932 section 9.2)
        (
            "zstd",
            b"\x28\xb5\x2f\xfd\x00\x58",
            b"\0\0\0",
            b"\x01\0\0",
        ),  # raw blocks (RFC 8878 section 3.1.1.2)
    ],
)
def test_a_megabyte_of_blocks_that_hold_nothing(name: str, start: bytes, empty: bytes, end: bytes) -> None:
    body = start + empty * ((1 << 20) // len(empty)) + end
    assert decoded([name], cuts(body, 65536)) == b""


def test_a_large_body_with_several_codings() -> None:
    data = random.Random(1).randbytes(1_200_000)
    assert decoded(["gzip", "gzip"], cuts(gzip.compress(gzip.compress(data, 1), 1), 100_000)) == data


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_the_reader_of_a_bomb_may_stop(name: str) -> None:
    import tracemalloc

    bomb = ENCODERS[name](bytes(100 << 20))
    twice = ENCODERS[name](bomb)
    tracemalloc.start()
    for encoded, codings in ((bomb, [name]), (twice, [name, name])):
        decoder = decoder_for(codings)
        assert decoder is not None
        pieces = decoder.decode(encoded)
        assert sum(len(next(pieces)) for _ in range(30)) <= 30 * PIECE_SIZE
        pieces.close()  # type: ignore[attr-defined]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


# Libraries


@pytest.mark.usefixtures("forget_libraries")
def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "brotli",
        "brotlicffi",
        "backports",
        "backports.zstd",
        "compression",
        "compression.zstd",
        "zstandard",
    ):
        monkeypatch.setitem(sys.modules, name, None)
    assert accept_encoding() == "gzip, deflate"
    assert decoder_for(["br"]) is None
    assert decoder_for(["zstd"]) is None


@pytest.mark.usefixtures("forget_libraries")
def test_brotli_that_cannot_limit_its_output_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    old = types.SimpleNamespace(Decompressor=object)
    monkeypatch.setitem(sys.modules, "brotli", old)
    monkeypatch.setitem(sys.modules, "brotlicffi", old)
    assert brotli_library() is None


@pytest.mark.usefixtures("forget_libraries")
def test_brotlicffi(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("brotlicffi")
    monkeypatch.setitem(sys.modules, "brotli", None)
    for size in (1, 10_000_000):
        assert decoded(["br"], cuts(ENCODERS["br"](bytes(200_000)), size)) == bytes(200_000)
    with pytest.raises(DecodingError, match="The br body is broken, within its first 9 bytes"):
        decoded(["br"], [b"\xff" * 9])


@pytest.mark.usefixtures("forget_libraries")
def test_zstd_of_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "backports", None)
    monkeypatch.setitem(sys.modules, "compression", types.SimpleNamespace(zstd=zstd))
    assert decoded(["zstd"], [zstd.compress(b"abc")]) == b"abc"


@pytest.mark.slow
@pytest.mark.usefixtures("forget_libraries")
def test_zstandard(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("zstandard")
    for name in ("backports", "compression"):
        monkeypatch.setitem(sys.modules, name, None)
    frames = zstd.compress(MIXED) + zstd.compress(b"") + zstd.compress(bytes(3 << 20))
    for size in (1, 1000, 10_000_000):
        assert decoded(["zstd"], cuts(frames, size)) == MIXED + bytes(3 << 20)
    for broken in (zstd.compress(b"abc") + b"junk", zstd_with_window(MAX_ZSTD_WINDOW_LOG + 1)):
        with pytest.raises(DecodingError, match="The zstd body is broken"):
            decoded(["zstd"], [broken])
    with pytest.raises(DecodingError, match="ended before"):
        decoded(["zstd"], [frames[:-1]])


def test_input_is_sliced() -> None:
    data = random.Random(3).randbytes(3 * decode_module._SLICE_SIZE)
    assert decoded(["gzip"], [gzip.compress(data)]) == data
