from __future__ import annotations

import email
import email.policy
import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core import ambient
from httpure_core.content.files import READ_SIZE
from httpure_core.content.media_type import parameter
from httpure_core.content.multipart import (
    AsyncMultipartStream,
    MultipartStream,
    boundary_from_content_type,
    encode_multipart,
)
from httpure_core.content.parts import Part
from httpure_core.content.pulling import pull_here
from httpure_core.content.streams import PIECE_SIZE, SyncByteStream
from httpure_core.effects import Pull
from httpure_core.errors import LocalProtocolError, StreamConsumed

from .bodies import AsyncFile, AsyncSeekableFile, Pipe, finish, pieces_of


def body_of(data: Any, files: Any) -> bytes:
    """Return the body, having checked its length and that both colours and a replay agree."""
    stream = encode_multipart(data, files, b"B")
    body = b"".join(stream)
    assert b"".join(stream) == b"".join(finish(pieces_of(stream))) == body
    assert stream.content_length == len(body)
    return body


def part(head: bytes, content: bytes) -> bytes:
    return b"--B\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


def test_as_httpx_makes_it() -> None:
    stream = MultipartStream(data={"a": "b"}, files={"f": b"x"}, boundary=b"B")
    assert b"".join(stream) == b"".join(encode_multipart({"a": "b"}, {"f": b"x"}, b"B"))  # type: ignore[arg-type]


def test_random_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ambient, "_random_bytes", lambda size: b"\xab" * size)
    stream = encode_multipart({}, {"a": b""})
    assert stream.boundary == b"ab" * 16
    assert stream.content_type == "multipart/form-data; boundary=" + "ab" * 16


@pytest.mark.parametrize("boundary", [b"a", b"x" * 70, b"'()+_,-./:=?", b"a b"])
def test_boundaries(boundary: bytes) -> None:
    stream = encode_multipart({"a": "b"}, {}, boundary)
    assert boundary_from_content_type(stream.content_type) == boundary
    assert b"".join(stream).startswith(b"--" + boundary + b"\r\n")


@pytest.mark.parametrize("boundary", [b"", b"x" * 71, b"a ", b"a\r\nb", b"a\n", b'a"b', b"\xff", b"a;b"])
def test_what_is_no_boundary(boundary: bytes) -> None:
    with pytest.raises(ValueError, match="RFC 2046"):
        encode_multipart({}, {}, boundary)


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        (None, None),
        ("multipart/form-data", None),
        ("multipart/form-data; charset=utf-8; ", None),
        ("application/json; boundary=a", None),
        (b"multipart/form-data; boundary=+++; charset=utf-8", b"+++"),
        ("multipart/form-data; charset=utf-8; boundary=+++ ;", b"+++"),
        ('Multipart/Form-Data; charset=utf-8; Boundary="a b\\"c;d"', b'a b"c;d'),
        ('multipart/mixed; x="; boundary=wrong"; boundary=right', b"right"),
        ("multipart/form-data; boundary=", b""),
    ],
)
def test_boundary_from_content_type(header: str | bytes | None, boundary: bytes | None) -> None:
    assert boundary_from_content_type(header) == boundary


def test_parameters_of_a_type_with_junk() -> None:
    assert parameter('text/html; =x; ;; a; b="open; c = d', "c") == "d"
    assert parameter("text/charset", "charset") is None


def test_data_fields() -> None:
    assert body_of({"a": "é", "b": [1, 1.5, None], "c": (True, b"\xff")}, []) == (
        part(b'name="a"', b"\xc3\xa9")
        + part(b'name="b"', b"1")
        + part(b'name="b"', b"1.5")
        + part(b'name="b"', b"")
        + part(b'name="c"', b"true")
        + part(b'name="c"', b"\xff")
        + b"--B--\r\n"
    )
    assert (
        body_of([("b", "1"), ("a", "2")], {})
        == part(b'name="b"', b"1") + part(b'name="a"', b"2") + b"--B--\r\n"
    )


@pytest.mark.parametrize(
    ("value", "head"),
    [
        (b"x", b'name="f"; filename="upload"\r\nContent-Type: application/octet-stream'),
        ("x", b'name="f"; filename="upload"\r\nContent-Type: application/octet-stream'),
        ((None, b"x"), b'name="f"'),
        (("", b"x"), b'name="f"'),
        ((None, "x", "text/plain"), b'name="f"\r\nContent-Type: text/plain'),
        (("a.txt", b"x"), b'name="f"; filename="a.txt"\r\nContent-Type: text/plain'),
        (("a.txt", bytearray(b"x")), b'name="f"; filename="a.txt"\r\nContent-Type: text/plain'),
        (("a.txt", b"x", None), b'name="f"; filename="a.txt"\r\nContent-Type: text/plain'),
        (("a.txt", b"x", "a/b"), b'name="f"; filename="a.txt"\r\nContent-Type: a/b'),
        (
            ("a.txt", b"x", None, {"X-Y": "é"}),
            b'name="f"; filename="a.txt"\r\nX-Y: \xc3\xa9\r\nContent-Type: text/plain',
        ),
        (
            ("a.txt", b"x", "a/b", {b"content-type": b"c/d"}),
            b'name="f"; filename="a.txt"\r\ncontent-type: c/d',
        ),
        (("a.txt", b"x", "a/b", None), b'name="f"; filename="a.txt"\r\nContent-Type: a/b'),
    ],
)
def test_file_fields(value: Any, head: bytes) -> None:
    assert body_of({}, {"f": value}) == part(head, b"x") + b"--B--\r\n"


def test_files_as_pairs_follow_data() -> None:
    body = body_of({"z": "1"}, [("f", (None, b"x")), ("f", (None, b"y"))])
    assert body == part(b'name="z"', b"1") + part(b'name="f"', b"x") + part(b'name="f"', b"y") + b"--B--\r\n"


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ('a"b', b"a%22b"),
        ("a\r\nb\0", b"a%0D%0Ab%00"),
        ("näme", b"n\xc3\xa4me"),
        ("hello\x1a\x1b\x1c", b"hello%1A\x1b%1C"),
        ("back\\slash", b"back\\\\slash"),
    ],
)
def test_names_are_escaped(name: str, escaped: bytes) -> None:
    assert b'; name="' + escaped + b'"; filename="' + escaped + b'"\r\n' in body_of({}, {name: (name, b"")})


def named(name: object) -> io.BytesIO:
    file = io.BytesIO(b"x")
    file.name = name
    return file


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("/home/me/a.txt", b"a.txt"),
        ("C:\\Users\\me\\a.txt", b"a.txt"),
        ("dir/", b"dir"),
        (b"dir/a.txt", b"a.txt"),
        (3, b"3"),
        (None, b"upload"),
        ("/", b"upload"),
    ],
)
def test_only_the_last_part_of_a_local_path_is_sent(name: object, sent: bytes) -> None:
    assert b'filename="' + sent + b'"\r\n' in body_of({}, {"f": named(name)})


def test_a_file_is_sent_whole_wherever_it_stands() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"Hello")
        for _ in range(2):
            assert b"\r\n\r\nHello\r\n" in body_of({}, {"f": file})


def test_file_that_grows_keeps_to_its_length(tmp_path: Path) -> None:
    file = io.BytesIO(b"abc")
    stream = encode_multipart({}, {"f": (None, file)}, b"B")
    file.seek(0, 2)
    file.write(b"def")
    assert b"".join(stream) == part(b'name="f"', b"abc") + b"--B--\r\n"


def test_small_forms_are_one_piece() -> None:
    stream = encode_multipart({"a": "b"}, {"f": b"x", "g": io.BytesIO(b"y")})
    assert len(list(stream)) == 1


def test_large_files_come_in_pieces() -> None:
    stream = encode_multipart({"a": "b"}, {"f": io.BytesIO(b"x" * (3 * READ_SIZE + 10))})
    sizes = [len(piece) for piece in stream]
    assert len(sizes) == 5
    assert max(sizes) == READ_SIZE
    assert sum(sizes) == stream.content_length


def test_large_bytes_are_not_copied() -> None:
    large = b"x" * (2 * PIECE_SIZE)
    assert any(piece is large for piece in encode_multipart({}, {"f": large}))


def test_whether_reading_may_block_or_be_repeated() -> None:
    stream = encode_multipart({"a": "b"}, {"f": b"x"})
    assert (stream.may_block, stream.replayable) == (False, True)
    stream = encode_multipart({"a": "b"}, {"f": io.BytesIO(b"x")})
    assert (stream.may_block, stream.replayable) == (True, True)
    stream = encode_multipart({"a": "b"}, {"f": Pipe(b"x"), "g": io.BytesIO(b"x")})  # type: ignore[dict-item]
    assert (stream.may_block, stream.replayable) == (True, False)


def test_pipe_is_sent_once_with_unknown_length() -> None:
    stream = encode_multipart({}, {"f": (None, Pipe(b"abc"))}, b"B")  # type: ignore[dict-item]
    assert stream.content_length is None
    assert b"".join(stream) == part(b'name="f"', b"abc") + b"--B--\r\n"
    with pytest.raises(StreamConsumed):
        list(stream)
    with pytest.raises(StreamConsumed):
        finish(pieces_of(stream))


@pytest.mark.parametrize(
    ("data", "files", "message"),
    [
        ({1: "a"}, {}, "must be str, but 1 is of type int"),
        ({b"a": "a"}, {}, "is of type bytes"),
        ({"a": {"b": "c"}}, {}, "form field 'a' is of type dict"),
        ({"a": object()}, {}, "form field 'a' is of type object"),
        ([("a",)], {}, "a tuple of 1 items"),
        ({}, {1: b""}, "must be str, but 1 is of type int"),
        ({}, {"f": 1}, "file 'f' is of type int"),
        ({}, {"f": [b"x"]}, "file 'f' is of type list"),
        ({}, {"f": ("name", None)}, "file 'f' is of type NoneType"),
        ({}, {"f": io.StringIO("x")}, "binary mode.*StringIO"),
        ({}, [b"x"], "item of the list is of type bytes"),
        ({}, [("a", b"", b"")], "item of the list is of type tuple"),
    ],
)
def test_wrong_types(data: Any, files: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        encode_multipart(data, files)


class TestParts:
    def test_of_known_length(self) -> None:
        pieces: Any = [("key", "a.bin"), ("file", Part(iter([b"ab", b"c"]), filename="a.bin", length=3))]
        stream = encode_multipart(pieces, {}, b"B")
        body = b"".join(stream)  # type: ignore[arg-type]
        assert body == (
            part(b'name="key"', b"a.bin")
            + part(b'name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream', b"abc")
            + b"--B--\r\n"
        )
        assert stream.content_length == len(body)
        assert not stream.replayable
        with pytest.raises(StreamConsumed):
            list(stream)  # type: ignore[arg-type]

    def test_of_unknown_length(self) -> None:
        stream = encode_multipart({"f": Part([b"abc"])}, {}, b"B")
        assert stream.content_length is None
        assert stream.replayable and not stream.may_block
        for _ in range(2):
            assert b"".join(stream) == part(b'name="f"', b"abc") + b"--B--\r\n"  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("length", "message"),
        [(2, "The part 'f' is longer than its 2 bytes"), (4, "The part 'f' ended after 3 of its 4 bytes")],
    )
    def test_that_are_not_as_long_as_they_said(self, length: int, message: str) -> None:
        sync: Any = encode_multipart({"f": Part([b"ab", b"c"], length=length)}, {}, b"B")
        with pytest.raises(LocalProtocolError, match=message):
            list(sync)
        waiting: Any = encode_multipart({"f": Part(AsyncFile(b"abc"), length=length)}, {}, b"B")
        with pytest.raises(LocalProtocolError, match=message):
            finish(pieces_of(waiting))

    def test_a_file_that_shrank(self) -> None:
        file = io.BytesIO(b"abcdef")
        stream: Any = encode_multipart({}, {"f": file})
        file.truncate(2)
        with pytest.raises(LocalProtocolError, match="ended after 2 of its 6 bytes"):
            list(stream)

    def test_that_must_be_awaited_make_the_form_asynchronous(self) -> None:
        file = AsyncSeekableFile(b"abc")
        stream = encode_multipart(
            {"a": "1", "b": Part(one_by_one(), length=2)},
            {"c": ("", file), "d": ("", io.BytesIO(b"def"))},
            b"B",
        )
        assert isinstance(stream, AsyncMultipartStream) and not isinstance(stream, SyncByteStream)
        body = b"".join(finish(pieces_of(stream)))
        assert body == (
            part(b'name="a"', b"1")
            + part(b'name="b"', b"xy")
            + part(b'name="c"', b"abc")
            + part(b'name="d"', b"def")
            + b"--B--\r\n"
        )
        assert stream.content_length == len(body)
        assert not stream.replayable
        with pytest.raises(StreamConsumed):
            finish(pieces_of(stream))

    def test_that_can_be_awaited_again(self) -> None:
        stream: Any = encode_multipart({}, {"f": AsyncSeekableFile(b"abc")}, b"B")
        assert stream.replayable
        assert finish(pieces_of(stream)) == finish(pieces_of(stream))

    def test_are_pulled_as_whoever_reads_the_form_likes(self) -> None:
        sources: list[str] = []

        def perform(pull: Pull) -> Any:
            sources.append(type(pull.source).__name__)
            return pull_here(pull)

        files: Any = {"f": ("", io.BytesIO(b"abc")), "g": ("", AsyncFile(b"def"))}
        stream: Any = encode_multipart({}, files, b"B")
        assert stream.may_block
        pieces = finish(pieces_of(stream.stepped(perform)))
        assert b"abc" in pieces[0] and b"def" in pieces[0], "small contents are gathered, whatever they are"
        assert sources == ["FileStream"] + ["AsyncFileStream"] * 2, "the end of a known length is known"

    def test_are_closed_with_the_form(self) -> None:
        closed: list[bool] = []

        def pieces() -> Iterator[bytes]:
            try:
                yield b"x" * PIECE_SIZE
                yield b"y"
            finally:
                closed.append(True)

        form: Any = encode_multipart({"f": Part(pieces())}, {})
        reading = iter(form)
        next(reading)
        next(reading)
        assert not closed
        reading.close()
        assert closed


async def one_by_one() -> AsyncIterator[bytes]:
    yield b"x"
    yield b"y"


def test_text_mode_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    with path.open() as file, pytest.raises(TypeError, match="binary mode"):
        encode_multipart({}, {"f": file})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((b"x",), "tuple of 1"),
        (("a", b"x", "t", {}, 5), "tuple of 5"),
        (("a", b"x", "a/b\r\nX: y"), "header Content-Type of the file 'f' holds a control character"),
        (("a", b"x", None, {"X": "a\nb"}), "header X of"),
        (("a", b"x", None, {"X": "a\0b"}), "header X of"),
        (("a", b"x", None, {"X": "a\x1bb"}), "header X of"),
        (("a", b"x", None, {"X": b"a\x7f"}), "header X of"),
        (("a", b"x", None, {"X\r\nY": "a"}), "no header name"),
        (("a", b"x", None, {"": "a"}), "no header name"),
    ],
)
def test_part_headers_cannot_be_injected(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_multipart({}, {"f": value})


names = st.text(st.characters(codec="utf-8"), min_size=1)
contents = st.binary(max_size=200) | st.sampled_from([b"x" * PIECE_SIZE, b"--B--\n", b"\r\n--"])


def parsed(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A parser of a few lines: the heads and contents between the boundaries."""
    first, *parts, last = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    for each in parts:
        assert each.startswith(b"\r\n")
        head, _, content = each[2:].partition(b"\r\n\r\n")
        yield head, content


@settings(max_examples=50)
@given(
    st.lists(st.tuples(names, contents), max_size=4),
    st.lists(st.tuples(names, names, contents, st.booleans()), max_size=4),
)
def test_what_is_sent_is_what_arrives(
    data: list[tuple[str, bytes]], files: list[tuple[str, str, bytes, bool]]
) -> None:
    boundary = b"0123456789abcdef"
    stream = encode_multipart(
        data,
        [
            (name, (file, io.BytesIO(content) if on_disk else content))
            for name, file, content, on_disk in files
        ],
        boundary,
    )
    body = b"".join(stream)
    assert len(body) == stream.content_length
    parts = list(parsed(body, boundary))
    assert [content for _, content in parts] == [item[1] for item in data] + [item[2] for item in files]
    for (head, _), name in zip(parts, [item[0] for item in data] + [item[0] for item in files], strict=True):
        assert b"\r" not in head.partition(b"\r\n")[0]
        if name.isalnum():
            assert f'name="{name}"'.encode() in head


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.lists(contents, max_size=4), st.sampled_from(["list", "file", "async"]), st.booleans())
    )
)
def test_parts_arrive_whatever_they_are_made_of(parts: list[tuple[list[bytes], str, bool]]) -> None:
    boundary = b"0123456789abcdef"
    whole = [b"".join(pieces) for pieces, _, _ in parts]
    fields = []
    for (pieces, kind, known), content in zip(parts, whole, strict=True):
        source: Any = {"list": pieces, "file": Pipe(content), "async": AsyncFile(content)}[kind]
        fields.append(("f", Part(source, length=len(content) if known else None)))
    stream: Any = encode_multipart(fields, {}, boundary)
    body = b"".join(finish(pieces_of(stream)))
    assert [content for _, content in parsed(body, boundary)] == whole
    assert stream.content_length == (len(body) if all(known for *_, known in parts) else None)
    assert isinstance(stream, SyncByteStream) is all(kind != "async" for _, kind, _ in parts)


def test_the_standard_library_reads_it() -> None:
    stream = encode_multipart({"a": "1"}, {"f": ("x y.txt", b"\0\xff", None, {"X-Part": "yes"})})
    head = f"Content-Type: {stream.content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + b"".join(stream), policy=email.policy.HTTP)
    field, file = message.iter_parts()
    assert field.get_param("name", header="content-disposition") == "a"
    assert field.get_payload(decode=True) == b"1"
    assert file.get_filename() == "x y.txt"
    assert file.get_content_type() == "text/plain"
    assert file["X-Part"] == "yes"
    assert file.get_payload(decode=True) == b"\0\xff"
