"""What the parts of a form are, and what each one's head says."""

from __future__ import annotations

import array
import collections
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from httpure_core.content.files import AsyncFileStream, FileStream
from httpure_core.content.parts import Part, Section, has_parts, sections
from httpure_core.content.streams import AsyncIterableStream, ByteStream, IterableStream

from .bodies import AsyncFile, AsyncSeekableFile, Pipe

FIELD = b'Content-Disposition: form-data; name="f"'


def only(content: Any, **options: Any) -> Section:
    (section,) = sections({}, {"f": Part(content, **options)})
    (same,) = sections({"f": Part(content, **options)}, {})
    assert (section.head, section.length) == (same.head, same.length)
    return section


async def generate() -> AsyncIterator[bytes]:
    yield b"abc"


def named(name: object) -> io.BytesIO:
    file = io.BytesIO(b"abc")
    file.name = name
    return file


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("é", "é".encode()),
        (b"abc", b"abc"),
        (bytearray(b"abc"), b"abc"),
        (memoryview(b"abc"), b"abc"),
        (array.array("H", [1]), array.array("H", [1]).tobytes()),
        (ByteStream(b"abc"), b"abc"),
        ("", b""),
    ],
)
def test_content_in_memory(content: Any, body: bytes) -> None:
    section = only(content)
    assert (section.head, section.body, section.length) == (FIELD + b"\r\n\r\n", body, len(body))


@pytest.mark.parametrize(
    ("content", "kind", "length"),
    [
        (io.BytesIO(b"abc"), FileStream, 3),
        (Pipe(b"abc"), FileStream, None),
        (AsyncSeekableFile(b"abc"), AsyncFileStream, 3),
        (AsyncFile(b"abc"), AsyncFileStream, None),
        ([b"abc"], IterableStream, None),
        (iter([b"abc"]), IterableStream, None),
        (collections.deque([b"abc"]), IterableStream, None),
        (generate(), AsyncIterableStream, None),
    ],
)
def test_content_that_is_read_when_it_is_sent(content: Any, kind: type, length: int | None) -> None:
    section = only(content)
    assert type(section.body) is kind
    assert section.length == length


def test_a_stream_is_taken_as_it_is() -> None:
    mine = IterableStream([b"a"])
    assert only(mine).body is mine


def test_a_file_is_sent_whole() -> None:
    file = io.BytesIO(b"abc")
    file.seek(2)
    section = only(file)
    assert isinstance(section.body, FileStream)
    assert list(section.body) == [b"abc"]


@pytest.mark.parametrize(
    ("content", "options", "head"),
    [
        ("x", {}, b""),
        ("x", {"filename": ""}, b""),
        ("x", {"content_type": "text/html"}, b"\r\nContent-Type: text/html"),
        ("x", {"headers": {"X-Y": "z"}}, b"\r\nX-Y: z"),
        ("x", {"filename": "a.txt"}, b'; filename="a.txt"\r\nContent-Type: text/plain'),
        ("x", {"filename": "a.txt", "content_type": "a/b"}, b'; filename="a.txt"\r\nContent-Type: a/b'),
        (
            "x",
            {"filename": "a", "headers": {"X-Y": "z"}},
            b'; filename="a"\r\nX-Y: z\r\nContent-Type: application/octet-stream',
        ),
        (named("dir/a.txt"), {}, b'; filename="a.txt"\r\nContent-Type: text/plain'),
        (named("dir/a.txt"), {"filename": "b.txt"}, b'; filename="b.txt"\r\nContent-Type: text/plain'),
        (named("dir/a.txt"), {"filename": ""}, b""),
        (io.BytesIO(), {}, b""),
    ],
)
def test_heads(content: Any, options: dict[str, Any], head: bytes) -> None:
    assert only(content, **options).head == FIELD + head + b"\r\n\r\n"


class Upload(AsyncSeekableFile):
    """As Starlette has it: the name that the client gave is in `filename`."""

    filename = "a.txt"


@pytest.mark.parametrize("value", [Upload(b"abc"), Part(Upload(b"abc"))])
def test_the_name_of_an_upload_that_is_passed_on(value: Any) -> None:
    (section,) = sections({}, {"f": value})
    assert section.head == FIELD + b'; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'


def test_a_declared_length_is_taken_where_nobody_knows_better() -> None:
    assert only(iter([b"abc"]), length=3).length == 3
    assert only(generate(), length=0).length == 0
    assert only(b"abc", length=3).length == 3
    assert only(io.BytesIO(b"abc"), length=3).length == 3


@pytest.mark.parametrize("content", [b"abc", io.BytesIO(b"abc"), AsyncSeekableFile(b"abc")])
@pytest.mark.parametrize("length", [0, 2, 4])
def test_a_declared_length_that_is_known_to_be_wrong(content: Any, length: int) -> None:
    with pytest.raises(ValueError, match=rf"The part 'f' has 3 bytes, and not length={length}\."):
        only(content, length=length)


def test_a_length_is_not_negative() -> None:
    with pytest.raises(ValueError, match="not -1"):
        Part(b"", length=-1)


@pytest.mark.parametrize("content", [None, 5, {b"a": b"b"}, object()])
def test_other_contents_are_refused(content: Any) -> None:
    with pytest.raises(TypeError, match=f"part 'f' is of type {type(content).__name__}"):
        only(content)


def test_text_mode_is_refused() -> None:
    with pytest.raises(TypeError, match=r"A Part takes files that are opened in binary mode .* StringIO"):
        only(io.StringIO("x"))


@pytest.mark.parametrize(
    "options", [{"content_type": "a\r\nb"}, {"headers": {"X": "a\0"}}, {"headers": {"X\nY": "a"}}]
)
def test_nothing_can_be_injected(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="RFC 9110"):
        only(b"", **options)


def test_the_order_is_the_callers() -> None:
    data = [("a", "1"), ("b", Part("2")), ("a", Part("3", filename="x")), ("c", ["4", Part("5")])]
    files = [("d", Part("6")), ("e", b"7")]
    made = sections(data, files)  # type: ignore[arg-type]
    assert [(part.name, part.body) for part in made] == [
        ("a", b"1"), ("b", b"2"), ("a", b"3"), ("c", b"4"), ("c", b"5"), ("d", b"6"), ("e", b"7"),
    ]  # fmt: skip


def test_whether_there_are_parts() -> None:
    assert has_parts({"a": Part("1")})
    assert has_parts([("a", "1"), ("b", ["2", Part("3")])])
    assert not has_parts({"a": "1", "b": ["2"]})


def test_a_part_shows_what_it_is_and_not_what_it_holds() -> None:
    assert repr(Part("hush", filename="a")) == "<Part(str, filename='a', length=None)>"
