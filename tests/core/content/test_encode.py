from __future__ import annotations

import array
import decimal
import io
import json as jsonlib
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.content import types
from httpure_core.content.encode import encode_request, encode_response
from httpure_core.content.files import AsyncFileStream, FileStream
from httpure_core.content.multipart import AsyncMultipartStream, MultipartStream
from httpure_core.content.parts import Part
from httpure_core.content.streams import (
    AsyncIterableStream,
    ByteStream,
    IterableStream,
    SyncByteStream,
)

CHUNKED = {"Transfer-Encoding": "chunked"}


def encoded(**arguments: Any) -> tuple[dict[str, str], bytes]:
    headers, stream = encode_request(**arguments)
    assert isinstance(stream, SyncByteStream)
    return headers, b"".join(stream)


async def generate() -> AsyncIterator[bytes]:
    yield b"a"


def test_no_body() -> None:
    assert encoded() == ({}, b"")
    assert encoded(data={}, files={}) == ({}, b"")
    assert encoded(json=None) == ({}, b"")
    assert types.RequestContent


@pytest.mark.parametrize("content", [b"", ""])
def test_empty_content_has_no_headers(content: Any) -> None:
    assert encoded(content=content) == ({}, b"")


@pytest.mark.parametrize(
    "content",
    [
        "hé",
        "hé".encode(),
        bytearray("hé".encode()),
        memoryview("hé".encode()),
        array.array("B", "hé".encode()),
    ],
)
def test_content_in_memory(content: Any) -> None:
    assert encoded(content=content) == ({"Content-Length": "3"}, b"h\xc3\xa9")


def test_content_that_is_a_stream_already_is_taken_as_it_is() -> None:
    assert encoded(content=ByteStream(b"abc")) == ({"Content-Length": "3"}, b"abc")
    mine = IterableStream([b"a"])
    assert encode_request(content=mine) == (CHUNKED, mine)


def test_iterables() -> None:
    headers, stream = encode_request(content=[b"a", b"b"])
    assert headers == CHUNKED
    assert isinstance(stream, IterableStream)
    assert list(stream) == [b"a", b"b"]
    headers, stream = encode_request(content=generate())
    assert headers == CHUNKED
    assert isinstance(stream, AsyncIterableStream)


def test_file_at_an_offset() -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    headers, stream = encode_request(content=file)
    assert headers == {"Content-Length": "6"}
    assert isinstance(stream, FileStream)
    assert list(stream) == [b"456789"]


def test_file_that_cannot_seek() -> None:
    class Pipe:
        def read(self, size: int) -> bytes:
            return b""

    headers, stream = encode_request(content=Pipe())  # type: ignore[arg-type]
    assert headers == CHUNKED
    assert isinstance(stream, FileStream)


def test_async_file_in_text_mode() -> None:
    class AsyncTextFile:
        encoding = "utf-8"

        async def read(self, size: int) -> str:
            raise AssertionError

    with pytest.raises(TypeError, match=r"content= .* binary mode .* AsyncTextFile"):
        encode_request(content=AsyncTextFile())  # type: ignore[arg-type]


def test_async_file() -> None:
    class AsyncFile:
        async def read(self, size: int) -> bytes:
            return b""

    headers, stream = encode_request(content=AsyncFile())  # type: ignore[arg-type]
    assert headers == CHUNKED
    assert isinstance(stream, AsyncFileStream)


def test_text_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.touch()
    with path.open() as file, pytest.raises(TypeError, match=r"content= .* binary mode"):
        encode_request(content=file)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="StringIO is in text mode"):
        encode_request(content=io.StringIO("a"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("content", "name"), [(1, "int"), ({"a": "b"}, "dict"), (object(), "object")])
def test_content_of_another_type(content: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"content= takes .* not a value of type {name}\."):
        encode_request(content=content)


@pytest.mark.parametrize(
    ("data", "body"),
    [
        ({"a": "b c", "d": "é&=+/~"}, b"a=b+c&d=%C3%A9%26%3D%2B%2F~"),
        ({"a": True, "b": False, "c": None, "d": 1, "e": 1.5}, b"a=true&b=false&c=&d=1&e=1.5"),
        ({"a": ["x", 1, None], "b": ("y",), "c": []}, b"a=x&a=1&a=&b=y"),
        ({"a": b"\xff", b"b": bytearray(b"x"), 1: decimal.Decimal("1.10")}, b"a=%FF&b=x&1=1.10"),
        ([("a", "1"), ("b", "2"), ("a", "3")], b"a=1&b=2&a=3"),
        ((["a", ["1", "2"]],), b"a=1&a=2"),
        ({"a": []}, b""),
    ],
)
def test_forms(data: Any, body: bytes) -> None:
    headers = {"Content-Length": str(len(body)), "Content-Type": "application/x-www-form-urlencoded"}
    assert encoded(data=data) == (headers, body)
    assert encoded(data=data, files={}) == (headers, body)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_forms_are_what_the_standard_library_writes_and_reads(pairs: list[tuple[str, str]]) -> None:
    _, body = encoded(data=pairs)
    assert body == urlencode(pairs).encode()
    assert parse_qsl(body.decode(), keep_blank_values=True) == pairs


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": {"b": "c"}}, "field 'a' is of type dict"),
        ({"a": ["x", ["y"]]}, "field 'a' is a list of 1 items"),
        ({"a": {"x"}}, "field 'a' is of type set"),
        ({"a": io.BytesIO()}, "field 'a' is of type BytesIO.* files="),
        ([("a", "b"), ("c",)], "one item of the list is a tuple of 1 items"),
        (["ab"], "one item of the list is of type str"),
    ],
)
def test_what_no_form_can_hold(data: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        encode_request(data=data)


@pytest.mark.parametrize("data", [b"raw", "raw", [b"ra", b"w"], io.BytesIO(b"raw")])
def test_raw_data_is_content_with_a_warning(data: Any) -> None:
    with pytest.warns(DeprecationWarning, match="content="):
        _, body = encoded(data=data)
    assert body == b"raw"


def test_multipart() -> None:
    given = "multipart/form-data; boundary=+++"
    headers, stream = encode_request(data={"a": "b"}, files={"f": b"x"}, content_type=given)
    assert isinstance(stream, MultipartStream)
    assert headers == {
        "Content-Length": str(stream.content_length),
        "Content-Type": "multipart/form-data; boundary=+++",
    }
    assert len(b"".join(stream)) == stream.content_length


@pytest.mark.parametrize("data", [{"a": Part("b")}, [("a", ["b", Part("c")])]])
def test_a_part_makes_a_form_multipart(data: Any) -> None:
    headers, stream = encode_request(data=data)
    assert isinstance(stream, MultipartStream)
    assert headers == {"Content-Length": str(stream.content_length), "Content-Type": stream.content_type}


@pytest.mark.parametrize(
    ("given", "multipart"),
    [
        ("multipart/form-data", True),
        (" Multipart/Form-Data; boundary=B", True),
        ("application/x-www-form-urlencoded", False),
        ("application/json", False),
        (None, False),
    ],
)
def test_a_form_without_files_is_multipart_where_its_content_type_says_so(
    given: str | None, multipart: bool
) -> None:
    _, stream = encode_request(data={"a": "b"}, content_type=given)
    assert isinstance(stream, MultipartStream) is multipart
    _, nothing = encode_request(data={}, content_type=given)
    assert isinstance(nothing, ByteStream)


def test_a_form_with_a_part_that_must_be_awaited() -> None:
    headers, stream = encode_request(data={"a": Part(generate())})
    assert isinstance(stream, AsyncMultipartStream)
    assert headers == {**CHUNKED, "Content-Type": stream.content_type}


def test_multipart_of_unknown_length() -> None:
    class Pipe:
        def read(self, size: int) -> bytes:
            return b""

    headers, stream = encode_request(files=[("f", Pipe())])  # type: ignore[list-item]
    assert isinstance(stream, MultipartStream)
    assert headers == {**CHUNKED, "Content-Type": stream.content_type}


def test_json() -> None:
    headers, body = encoded(json={"a": [1, True, None, "é"], "b": {}})
    assert body == '{"a":[1,true,null,"é"],"b":{}}'.encode()
    assert headers == {"Content-Length": str(len(body)), "Content-Type": "application/json"}
    assert encoded(json={"a": 1}, data={}, files=[])[1] == b'{"a":1}'


@pytest.mark.parametrize("value", [0, "", [], {}, False])
def test_json_that_is_false_is_sent(value: Any) -> None:
    assert jsonlib.loads(encoded(json=value)[1]) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800"])
def test_json_that_is_none(value: Any) -> None:
    with pytest.raises(ValueError):
        encode_request(json=value)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"content": b"a", "json": 1}, "content= and json="),
        ({"content": b"", "data": {"a": "b"}}, "content= and data="),
        ({"content": b"a", "files": {"a": b"b"}}, "content= and files="),
        ({"data": {"a": "b"}, "json": 0}, "data= and json="),
        ({"files": {"a": b"b"}, "json": []}, "files= and json="),
        ({"data": {"a": "b"}, "files": {"a": b"b"}, "json": 1}, "data=, files= and json="),
        ({"data": b"raw", "files": {"a": b"b"}}, "data= and files="),
    ],
)
def test_arguments_that_exclude_each_other(arguments: dict[str, Any], names: str) -> None:
    with pytest.raises(TypeError, match=f"Only one of {names} can be the body"):
        encode_request(**arguments)


def test_responses() -> None:
    def response(**arguments: Any) -> tuple[dict[str, str], bytes]:
        headers, stream = encode_response(**arguments)
        assert isinstance(stream, SyncByteStream)
        return headers, b"".join(stream)

    assert response() == ({}, b"")
    assert response(content=b"ab") == ({"Content-Length": "2"}, b"ab")
    assert response(text="é") == (
        {"Content-Length": "2", "Content-Type": "text/plain; charset=utf-8"},
        b"\xc3\xa9",
    )
    assert response(html="") == ({"Content-Length": "0", "Content-Type": "text/html; charset=utf-8"}, b"")
    assert response(json=[]) == ({"Content-Length": "2", "Content-Type": "application/json"}, b"[]")
    with pytest.raises(TypeError, match="text= and json="):
        encode_response(text="a", json={})


@pytest.mark.parametrize("encode", [encode_request, encode_response])
def test_headers_are_the_callers_own(encode: Callable[..., tuple[dict[str, str], object]]) -> None:
    headers, _ = encode(content=[b"a"])
    headers["Transfer-Encoding"] = "mine"
    assert encode(content=[b"a"])[0] == CHUNKED
