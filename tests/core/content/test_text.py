from __future__ import annotations

import codecs
import encodings.aliases
import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.content.text import (
    ByteChunker,
    LineDecoder,
    TextChunker,
    TextDecoder,
    charset_from_content_type,
    guess_json_utf,
    is_known_encoding,
)

KNOWN = sorted(filter(is_known_encoding, set(encodings.aliases.aliases.values()) | {"utf-8-sig"}))


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/html", None),
        ("text/html; charset=UTF-8", "utf-8"),
        ('text/html;charset="ISO-8859-1"', "iso-8859-1"),
        ("text/html; charset='utf-8'", "utf-8"),
        ("text/html; charset=", None),
        ("text/html; charset=''", None),
        ("text/html; charset=nonsense ; x=y", "nonsense"),
        ("text/html; Charset = utf-8", "utf-8"),
    ],
)
def test_charset_from_content_type(content_type: str, charset: str | None) -> None:
    assert charset_from_content_type(content_type) == charset


@pytest.mark.parametrize(
    "name", ["utf-8", "UTF8", "latin-1", "iso-8859-15", "shift_jis", "gbk", "cp1252", "utf-16"]
)
def test_known_encodings(name: str) -> None:
    assert is_known_encoding(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "nonsense", "a\0b", "utf-8\n", "../x", "é", "x" * 1000),
        *("base64", "hex", "zlib", "rot13"),
        *("undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape"),
    ],
)
def test_names_that_are_no_charset(name: str) -> None:
    assert not is_known_encoding(name)


@settings(max_examples=80)
@given(st.sampled_from(KNOWN), st.lists(st.binary()))
def test_text_never_fails_for_a_known_encoding(encoding: str, pieces: list[bytes]) -> None:
    decoder = TextDecoder(encoding)
    for piece in pieces:
        decoder.decode(piece)
    decoder.flush()


@settings(max_examples=50)
@given(st.text(), st.integers(1, 5), st.sampled_from(["utf-8", "utf-16", "utf-32", "gb18030"]))
def test_characters_are_not_cut(text: str, size: int, encoding: str) -> None:
    data = text.encode(encoding, "replace")
    decoder = TextDecoder(encoding)
    pieces = [decoder.decode(data[start : start + size]) for start in range(0, len(data), size)]
    assert "".join(pieces) + decoder.flush() == data.decode(encoding)


@pytest.mark.parametrize("width", [16, 32])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_text_without_a_byte_order_mark_is_little_endian(width: int, size: int) -> None:
    data = "abc".encode(f"utf-{width}-le") + b"x"
    decoder = TextDecoder(f"utf{width}")
    text = "".join(decoder.decode(data[start : start + size]) for start in range(0, len(data), size))
    assert text + decoder.flush() == "abc\ufffd"


def test_an_escape_sequence_that_does_not_end() -> None:
    decoder = TextDecoder("iso2022_kr")
    pieces = [b"\x1b$", b"\xfe$\xfe+?", b"\xff\xfe\xfe\xd8"]
    assert "\ufffd" in "".join(map(decoder.decode, pieces)) + decoder.flush()
    assert decoder.decode(b"abc") == "abc"


def test_half_a_character_without_a_byte_order_mark() -> None:
    decoder = TextDecoder("utf-16")
    assert decoder.decode(b"\x00\xd8") == ""
    assert decoder.flush() == "\ufffd"


def test_broken_text_is_replaced() -> None:
    decoder = TextDecoder()
    assert decoder.decode(b"a\xffb\xc3") == "a\ufffdb"
    assert decoder.flush() == "\ufffd"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"],
)
@pytest.mark.parametrize("text", ['{"a":1}', "1", '"é"', '"\u0100"', '"\u1234\u5678"', "12"])
def test_json_encodings(encoding: str, text: str) -> None:
    data = text.encode(encoding)
    guess = guess_json_utf(data)
    if (encoding, text) == ("utf-16-le", "1"):
        assert guess == "utf-16-le"
    assert guess is not None
    assert json.loads(data.decode(guess)) == json.loads(text)


def test_utf_16_with_big_endian_mark() -> None:
    assert guess_json_utf(codecs.BOM_UTF16_BE + "1".encode("utf-16-be")) == "utf-16"
    assert guess_json_utf(codecs.BOM_UTF32_BE + "1".encode("utf-32-be")) == "utf-32"


def test_json_guess_gives_up() -> None:
    assert guess_json_utf(b"\0\0\0\0") is None
    assert guess_json_utf(b"") == "utf-8"


def lines_of(pieces: list[str]) -> list[str]:
    decoder = LineDecoder()
    lines = [line for piece in pieces for line in decoder.decode(piece)]
    return lines + decoder.flush()


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([], []),
        ([""], []),
        (["a\n\nb\rc\r\nd"], ["a", "", "b", "c", "d"]),
        (["a\r", "\nb"], ["a", "b"]),
        (["a\r", "", "\n", "\n"], ["a", ""]),
        (["a\r", "\r", "b\r"], ["a", "", "b"]),
        (["a", "b", "c\nd", "e"], ["abc", "de"]),
        (["a\u2028b\x0bc\x85d\x1e\n"], ["a\u2028b\x0bc\x85d\x1e"]),
    ],
)
def test_lines(pieces: list[str], lines: list[str]) -> None:
    assert lines_of(pieces) == lines


def test_a_line_is_given_at_its_cr() -> None:
    assert LineDecoder().decode("event\r") == ["event"]


def test_line_decoder_starts_anew_after_flush() -> None:
    decoder = LineDecoder()
    assert decoder.decode("a\r") == ["a"]
    assert decoder.flush() == []
    assert decoder.decode("\nb") == [""]
    assert decoder.flush() == ["b"]
    assert decoder.flush() == []


@settings(max_examples=50)
@given(st.lists(st.text(st.sampled_from("ab\r\n\u2028"), max_size=6)))
def test_lines_do_not_depend_on_the_cuts(pieces: list[str]) -> None:
    expected = re.split(r"\r\n|\r|\n", "".join(pieces))
    if not expected[-1]:
        expected.pop()
    assert lines_of(pieces) == expected


def test_lines_take_linear_time() -> None:
    started = time.perf_counter()
    assert len(lines_of(["x" * 100] * 20_000)) == 1
    assert len(lines_of(["x\r\n" * 100_000])) == 100_000
    assert time.perf_counter() - started < 2  # the quadratic way took minutes


@pytest.mark.parametrize("size", [None, 1, 3, 100])
def test_chunkers(size: int | None) -> None:
    pieces = [b"abcd", b"", b"e", b"fghijk"]
    chunker = ByteChunker(size)
    chunks = [chunk for piece in pieces for chunk in chunker.decode(piece)] + chunker.flush()
    assert b"".join(chunks) == b"abcdefghijk"
    if size is None:
        assert chunks == [b"abcd", b"e", b"fghijk"]
    else:
        assert {len(chunk) for chunk in chunks[:-1]} <= {size}
        assert len(chunks[-1]) <= size
    assert chunker.flush() == []


@settings(max_examples=50)
@given(st.integers(1, 7), st.lists(st.text(max_size=10)))
def test_text_chunks(size: int, pieces: list[str]) -> None:
    chunker = TextChunker(size)
    chunks = [chunk for piece in pieces for chunk in chunker.decode(piece)] + chunker.flush()
    text = "".join(pieces)
    assert chunks == [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize("size", [0, -1])
def test_chunk_size_must_be_positive(size: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1, not {size}"):
        ByteChunker(size)
