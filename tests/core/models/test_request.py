from __future__ import annotations

import asyncio
import copy
import inspect
import io
import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.content.multipart import MultipartStream
from httpure_core.content.streams import AsyncByteStream, ByteStream, SyncByteStream
from httpure_core.errors import InvalidURL, RequestNotRead, StreamClosed, StreamConsumed
from httpure_core.models.cookies import Cookies
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request, checked_method
from httpure_core.models.url import URL
from httpure_core.warned import QueryDroppedWarning

HOST = (b"Host", b"example.org")


def pieces() -> Iterator[bytes]:
    yield b"one "
    yield b"two"


async def async_pieces() -> AsyncIterator[bytes]:
    yield b"one "
    yield b"two"


def post(**arguments: Any) -> Request:
    return Request("POST", "https://example.org/", **arguments)


class TestMethod:
    @pytest.mark.parametrize("method", ["get", "GET", "Get"])
    def test_is_in_capitals(self, method: str) -> None:
        assert Request(method, "https://example.org/").method == "GET"

    def test_can_be_any_token(self) -> None:
        assert Request("m-search", "https://example.org/").method == "M-SEARCH"

    @pytest.mark.parametrize("method", ["", "GET /", "GET\r\nX: y", "GET\0", "G\u00cbT", "\u00df", "GET\n"])
    def test_is_a_token(self, method: str) -> None:
        with pytest.raises(ValueError, match="no token") as caught:
            Request(method, "https://example.org/")
        assert repr(method) in str(caught.value)

    def test_is_text(self) -> None:
        with pytest.raises(TypeError, match="not bytes"):
            checked_method(b"GET")  # type: ignore[arg-type]

    @settings(max_examples=40)
    @given(st.text(max_size=20))
    def test_never_carries_a_line_break(self, method: str) -> None:
        try:
            checked = checked_method(method)
        except ValueError:
            return
        assert checked.isascii()
        assert checked.isprintable()
        assert " " not in checked


class TestHeaders:
    def test_host_comes_first(self) -> None:
        request = Request("GET", "https://user:secret@example.org:8443/a", headers={"X-Own": "1"})
        assert request.headers.raw == [(b"Host", b"example.org:8443"), (b"X-Own", b"1")]

    def test_own_host_stays_where_it_is(self) -> None:
        headers = [(b"X-Own", b"1"), (b"HOST", b"other")]
        assert Request("GET", "https://example.org/", headers=headers).headers.raw == headers

    def test_no_host_without_one_in_the_url(self) -> None:
        assert Request("GET", "/path").headers.raw == []

    def test_of_a_body_come_last(self) -> None:
        request = post(headers={"X-Own": "1"}, json={"a": 1})
        assert request.headers.raw == [
            HOST,
            (b"X-Own", b"1"),
            (b"Content-Length", b"7"),
            (b"Content-Type", b"application/json"),
        ]

    def test_own_content_type_wins(self) -> None:
        request = post(headers={"content-type": "application/ld+json"}, json={"a": 1})
        assert request.headers.get_list("content-type") == ["application/ld+json"]

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_missing_body_has_the_length_0(self, method: str) -> None:
        request = Request(method, "https://example.org/", headers={"X-Own": "1"})
        assert request.headers.raw == [HOST, (b"Content-Length", b"0"), (b"X-Own", b"1")]

    @pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
    def test_missing_body_of_others_has_none(self, method: str) -> None:
        assert Request(method, "https://example.org/").headers.raw == [HOST]

    def test_that_were_given_are_not_changed(self) -> None:
        headers = Headers({"X-Own": "1"})
        post(headers=headers, json={}, cookies={"a": "b"})
        assert headers.raw == [(b"X-Own", b"1")]

    def test_keep_their_encoding(self) -> None:
        request = Request("GET", "https://example.org/", headers=Headers({"X-Own": "\u00e9"}, "latin-1"))
        assert request.headers["X-Own"] == "\u00e9"
        assert request.headers.encoding == "latin-1"

    @pytest.mark.parametrize("headers", [{"Content-Type": None}, [("content-type", None)]])
    def test_none_leaves_one_out(self, headers: Any) -> None:
        assert post(json={"a": 1}, headers=headers).headers.raw == [HOST, (b"Content-Length", b"7")]
        assert post(headers=headers).headers.raw == [HOST, (b"Content-Length", b"0")]

    def test_none_leaves_nothing_out_that_frames_the_message(self) -> None:
        headers = {"Host": None, "Content-Length": None, "X-Own": "1"}
        assert post(content=b"abc", headers=headers).headers.raw == [
            *(HOST, (b"X-Own", b"1"), (b"Content-Length", b"3"))
        ]

    def test_cookies_become_one(self) -> None:
        request = Request("GET", "https://example.org/", cookies={"a": "1", "b": "2"})
        assert request.headers["Cookie"] == "a=1; b=2"
        assert Request("GET", "https://example.org/", cookies=Cookies()).headers.raw == [HOST]

    def test_line_breaks_are_refused(self) -> None:
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            Request("GET", "https://example.org/", headers={"X-Own": "1\r\nX-Other: 2"})

    @pytest.mark.parametrize("control", [*map(chr, (1, 8, 11, 12, 0x1B, 0x1F, 0x7F))])
    @pytest.mark.parametrize("body", [{}, {"json": 1}, {"stream": ByteStream(b"")}])
    def test_control_characters_are_refused(self, control: str, body: dict[str, Any]) -> None:
        headers = Headers({"X-Fine": "a\tb\xfc", "X-Own": f"hush{control}"})  # as it may come from a server
        with pytest.raises(ValueError, match=r"'x-own' holds a control character, .*RFC 9110, 5.5") as caught:
            post(headers=headers, **body)
        assert "hush" not in str(caught.value)

    @pytest.mark.parametrize(
        "host",
        [
            *(
                "a b",
                "a,b c",
                "me@example.org",
                "example.org/x",
                "example.org?x",
                "h#",
                "\\h",
                "h<",
                "ex\xe4mple.org",
            ),
            *("a\tb", "[::1]:80 x", b"\xff"),
        ],
    )
    def test_a_host_is_no_more_than_a_host(self, host: str | bytes) -> None:
        with pytest.raises(ValueError, match="The Host header is one host name or address"):
            post(headers=[("Host", host)])
        with pytest.raises(ValueError, match="The Host header is one host name or address"):
            post(headers=[("Host", host)], stream=ByteStream(b""))

    def test_there_is_one_host(self) -> None:
        with pytest.raises(ValueError, match="The Host header is one host name"):
            post(headers=[("Host", "a.example"), ("host", "b.example")])

    @pytest.mark.parametrize(
        "host", ["", "a_b.Example:8080", "[::1]:80", "[fe80::1%25eth0]", "xn--a", " h ", "a;b"]
    )
    def test_hosts(self, host: str) -> None:
        assert post(headers={"Host": host}).headers["Host"] == host


class TestFraming:
    def test_own_length_keeps_a_stream_from_being_chunked(self) -> None:
        request = post(headers={"Content-Length": "7"}, content=pieces())
        assert request.headers.raw == [HOST, (b"Content-Length", b"7")]

    def test_own_length_of_known_content(self) -> None:
        request = post(headers={"content-length": "3"}, content=b"abc")
        assert request.headers.raw == [HOST, (b"content-length", b"3")]

    def test_own_chunked_keeps_the_length_away(self) -> None:
        request = post(headers={"Transfer-Encoding": " Chunked"}, content=b"abc")
        assert request.headers.raw == [HOST, (b"Transfer-Encoding", b" Chunked")]

    def test_own_chunked_without_a_body(self) -> None:
        request = post(headers={"Transfer-Encoding": "chunked"})
        assert "Content-Length" not in request.headers

    def test_streams_are_chunked(self) -> None:
        assert post(content=pieces()).headers["Transfer-Encoding"] == "chunked"

    @pytest.mark.parametrize(
        "body", [{"content": b"abc"}, {"data": {"a": "b"}}, {"stream": ByteStream(b"abc")}]
    )
    def test_length_of_another_body_is_refused(self, body: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="Content-Length is 4, but the body has 3 bytes"):
            post(headers={"Content-Length": "4"}, **body)

    def test_length_of_a_missing_body_is_refused(self) -> None:
        with pytest.raises(ValueError, match="the body has 0 bytes"):
            Request("GET", "https://example.org/", headers={"Content-Length": "4"})

    def test_length_of_another_multipart_body_is_refused(self) -> None:
        with pytest.raises(ValueError, match="Content-Length is 4"):
            post(headers={"Content-Length": "4"}, files={"a": b"b"})

    @pytest.mark.parametrize("length", ["", "-1", "+3", "3.0", "0x3", "3, 3", "\u0663", "1" * 19])
    def test_length_is_one_number(self, length: str) -> None:
        with pytest.raises(ValueError, match="is not one number"):
            post(headers={"Content-Length": length}, content=pieces())

    @pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "chunked, chunked", "identity", ""])
    def test_transfer_encoding_is_chunked(self, coding: str) -> None:
        with pytest.raises(ValueError, match="only chunked is"):
            post(headers={"Transfer-Encoding": coding})
        with pytest.raises(ValueError, match="only chunked is"):
            post(headers={"Transfer-Encoding": coding}, stream=ByteStream(b""))

    def test_both_at_once_are_refused(self) -> None:
        with pytest.raises(ValueError, match="not both"):
            post(headers={"Transfer-Encoding": "chunked", "Content-Length": "3"}, content=b"abc")


class TestMultipart:
    def test_describes_itself(self) -> None:
        request = post(files={"a": b"b"})
        stream = request.stream
        assert isinstance(stream, MultipartStream)
        assert request.headers["Content-Type"] == stream.content_type
        assert int(request.headers["Content-Length"]) == len(request.read())

    def test_takes_the_boundary_of_the_caller(self) -> None:
        request = post(headers={"Content-Type": "multipart/form-data; boundary=mine"}, files={"a": b"b"})
        assert request.headers["Content-Type"] == "multipart/form-data; boundary=mine"
        assert request.read().startswith(b"--mine\r\n")

    @pytest.mark.parametrize(
        "given", ["multipart/form-data", "Multipart/Form-Data; ", "multipart/mixed; a=b"]
    )
    def test_tells_the_boundary_where_the_caller_does_not(self, given: str) -> None:
        request = post(headers=[("X-Own", "1"), ("Content-Type", given), ("X-Two", "2")], files={"a": b"b"})
        stream = request.stream
        assert isinstance(stream, MultipartStream)
        boundary = stream.boundary.decode()
        assert request.headers["Content-Type"] == f"{given.rstrip('; ')}; boundary={boundary}"
        assert [name for name, _ in request.headers.raw[1:4]] == [b"X-Own", b"Content-Type", b"X-Two"]

    def test_leaves_another_type_alone(self) -> None:
        request = post(headers={"Content-Type": "application/x-odd"}, files={"a": b"b"})
        assert request.headers["Content-Type"] == "application/x-odd"

    def test_leaves_it_out_where_the_caller_wants_none(self) -> None:
        request = post(headers={"Content-Type": None}, files={"a": b"b"})
        assert "Content-Type" not in request.headers

    def test_without_files_where_the_caller_says_so(self) -> None:
        request = post(headers={"Content-Type": "multipart/form-data"}, data={"a": "b"})
        stream = request.stream
        assert isinstance(stream, MultipartStream)
        assert request.headers["Content-Type"] == stream.content_type
        assert int(request.headers["Content-Length"]) == len(request.read())


class TestURL:
    def test_is_parsed(self) -> None:
        assert Request("GET", "https://example.org/a").url == URL("https://example.org/a")

    @pytest.mark.parametrize(
        ("params", "url"),
        [
            (None, "https://example.org/?a=1"),
            ({"a": 2}, "https://example.org/?a=2"),
            ("a=2&b=3", "https://example.org/?a=2&b=3"),
            ({"a": None}, "https://example.org/?a="),
        ],
    )
    def test_params_replace_its_query(self, params: Any, url: str) -> None:
        assert Request("GET", "https://example.org/?a=1", params=params).url == url

    @pytest.mark.parametrize("params", [{"b": 2}, {}, "b=2", [("b", 2)]])
    def test_what_params_drop_is_warned_of(self, params: Any) -> None:
        with pytest.warns(
            QueryDroppedWarning, match="'a' in it will not be sent. To send both, .*merge"
        ) as told:
            request = Request("GET", "https://example.org/?a=secret", params=params)
        assert request.url == URL("https://example.org/", params=params)
        assert told[0].filename == __file__
        assert "secret" not in str(told[0].message)

    def test_params_without_a_query_of_the_url(self) -> None:
        assert (
            Request("GET", "https://example.org/", params={"a": [1, 2]}).url == "https://example.org/?a=1&a=2"
        )

    def test_many_names_are_not_all_told(self) -> None:
        query = "&".join(f"{'n' * 90}{number}=1" for number in range(7))
        with pytest.warns(QueryDroppedWarning) as told:
            Request("GET", f"https://example.org/?{query}", params={})
        assert str(told[0].message).count("'" + "n" * 80 + "'") == 5
        assert ", ... in it" in str(told[0].message)

    def test_a_url_that_is_replaced_by_hand_is_not_warned_of(self) -> None:
        url = URL("https://example.org/?a=1")
        assert str(url.copy_with(params={"b": 2})) == str(URL(url, params={"b": 2}))

    def test_must_be_one(self) -> None:
        with pytest.raises(InvalidURL):
            Request("GET", "https://[/")


class TestBody:
    @pytest.mark.parametrize(
        ("arguments", "content"),
        [
            ({}, b""),
            ({"content": "\u00e9"}, b"\xc3\xa9"),
            ({"content": b"abc"}, b"abc"),
            ({"data": {"a": ["b", 1]}}, b"a=b&a=1"),
            ({"json": [None]}, b"[null]"),
            ({"stream": ByteStream(b"abc")}, b"abc"),
        ],
    )
    def test_in_memory_is_read_at_once(self, arguments: dict[str, Any], content: bytes) -> None:
        request = post(**arguments)
        assert request.content == content
        assert request.read() == content
        assert isinstance(request.stream, ByteStream)

    def test_stream_has_no_content_before_it_is_read(self) -> None:
        request = post(content=pieces())
        with pytest.raises(RequestNotRead):
            request.content  # noqa: B018
        assert request.read() == b"one two"
        assert request.content == b"one two"
        assert list(request.stream) == [b"one two"]  # type: ignore[arg-type]

    def test_stream_is_left_alone(self) -> None:
        stream = SyncByteStream()
        request = post(stream=stream)
        assert request.stream is stream
        assert request.headers.raw == []

    def test_cannot_be_read_after_it_was_sent(self) -> None:
        request = post(content=pieces())
        list(request.stream)  # type: ignore[arg-type]
        with pytest.raises(StreamConsumed):
            request.read()

    def test_reading_an_asynchronous_one_says_what_to_do(self) -> None:
        with pytest.raises(RuntimeError, match=r"request\.aread\(\)"):
            post(content=async_pieces()).read()

    @pytest.mark.parametrize("body", [pieces, async_pieces])
    def test_aread_reads_either_colour(self, body: Any) -> None:
        async def main() -> None:
            request = post(content=body())
            assert await request.aread() == b"one two"
            assert await request.aread() == b"one two"
            assert isinstance(request.stream, ByteStream)

        asyncio.run(main())

    def test_conflicting_arguments(self) -> None:
        with pytest.raises(TypeError, match="json"):
            post(content=b"a", json=1)

    def test_file(self) -> None:
        request = post(content=io.BytesIO(b"abc"))
        assert request.headers["Content-Length"] == "3"
        assert request.read() == b"abc"


class TestObject:
    def test_repr_shows_no_password(self) -> None:
        request = Request("GET", "https://user:secret@example.org/")
        assert repr(request) == "<Request('GET', 'https://user:[secure]@example.org/')>"

    def test_extensions_are_a_copy(self) -> None:
        extensions = {"timeout": {}}
        request = Request("GET", "https://example.org/", extensions=extensions)
        assert request.extensions == extensions
        assert request.extensions is not extensions
        assert Request("GET", "https://example.org/").extensions == {}

    def test_attributes_can_be_added(self) -> None:
        request = Request("GET", "https://example.org/")
        request.note = "seen"  # type: ignore[attr-defined]
        assert vars(request)["note"] == "seen"

    def test_assemble_takes_the_parts_as_they_are(self) -> None:
        url, headers, stream, extensions = URL("https://example.org/"), Headers(), ByteStream(b""), {"a": 1}
        request = Request.assemble("GET", url, headers, stream, b"", extensions)
        assert request.method == "GET"
        assert request.url is url
        assert request.headers is headers
        assert request.stream is stream
        assert request.extensions is extensions
        assert request.content == b""

    def test_assemble_with_a_stream(self) -> None:
        stream = SyncByteStream()
        request = Request.assemble("PUT", URL("https://example.org/"), Headers(), stream, None, {})
        with pytest.raises(RequestNotRead):
            request.content  # noqa: B018

    def test_pickle_keeps_what_is_in_memory(self) -> None:
        request = post(json={"a": 1}, extensions={"timeout": {}})
        again = pickle.loads(pickle.dumps(request))
        assert (again.method, again.url, again.headers) == (request.method, request.url, request.headers)
        assert again.extensions == {}
        assert again.content == b'{"a":1}'
        assert list(again.stream) == [b'{"a":1}']

    def test_pickle_loses_a_stream(self) -> None:
        again = pickle.loads(pickle.dumps(post(content=pieces())))
        with pytest.raises(RequestNotRead):
            again.content  # noqa: B018
        with pytest.raises(StreamClosed, match=r"call \.read\(\) before"):
            again.read()

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_a_copy_has_its_own_headers_and_the_same_body(self, copied: Any) -> None:
        class Own(Request):
            pass

        request = Own("POST", "https://example.org/", content=pieces(), extensions={"timeout": {}})
        request.name = "mine"  # type: ignore[attr-defined]
        other = copied(request)
        other.headers["X-Other"] = "1"
        other.extensions["other"] = 1
        assert type(other) is Own
        assert other.name == "mine"
        assert other.stream is request.stream
        assert other.url is request.url
        assert "x-other" not in request.headers
        assert request.extensions == {"timeout": {}}
        assert other.read() == b"one two"

    def test_streams_of_both_kinds_are_accepted(self) -> None:
        for stream in (SyncByteStream(), AsyncByteStream()):
            assert post(stream=stream).stream is stream

    def test_signature_is_that_of_httpx(self) -> None:
        parameters = inspect.signature(Request).parameters
        assert list(parameters)[:2] == ["method", "url"]
        assert set(list(parameters)[2:]) == {
            *("params", "headers", "cookies", "content", "data", "files", "json", "stream", "extensions")
        }
        assert {p.kind for p in list(parameters.values())[2:]} == {inspect.Parameter.KEYWORD_ONLY}
