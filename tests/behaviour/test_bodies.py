"""Bodies in every shape that a caller may have: content, forms, files and parts, known lengths and unknown."""

from __future__ import annotations

import array
import gzip
import io
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from backports import zstd

import httpure
from httpure import Part
from tests.core.content.bodies import AsyncFile, AsyncSeekableFile, Pipe
from tests.peers import Answer, Call, Deaf, Site

from .world import World, needs

BODY = bytes(range(256)) * 1000


def echo(call: Call) -> Answer:
    return Answer(200, call.body)


def parts_of(call: Call) -> list[tuple[str, bytes]]:
    """The heads and contents of a form, as a server finds them with the boundary that it was told."""
    content_type = call.field("content-type") or ""
    assert content_type.startswith("multipart/form-data;"), content_type
    boundary = content_type.partition("boundary=")[2].encode()
    first, *parts, last = (b"\r\n" + call.body).split(b"\r\n--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    found = []
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        found.append((head.decode().removeprefix("Content-Disposition: form-data; "), content))
    return found


def framing(call: Call) -> str | None:
    """The Content-Length, or "chunked"."""
    length, coding = call.field("content-length"), call.field("transfer-encoding")
    assert (length is None) != (coding is None)
    return length or coding


# content=


@pytest.mark.parametrize(
    "content",
    [bytearray(BODY), memoryview(BODY), array.array("B", BODY), memoryview(BODY)[::1].toreadonly()],
    ids=["bytearray", "memoryview", "array", "read-only"],
)
async def test_whatever_has_a_buffer_is_content(http: World, content: Any) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        assert (await client.post(url, content=content)).content == BODY
    assert framing(site.calls[0]) == str(len(BODY))


async def test_a_file_is_sent_from_where_it_stands(http: World) -> None:
    url = http.serve(site := Site(echo))
    file = io.BytesIO(BODY)
    file.seek(1000)
    async with http.client() as client:
        assert (await client.post(url, content=file)).content == BODY[1000:]
    assert framing(site.calls[0]) == str(len(BODY) - 1000)


async def test_a_pipe_is_sent_in_chunks_or_in_the_length_that_the_caller_knows(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        for headers in ({}, {"Content-Length": str(len(BODY))}):
            response = await client.post(url, content=Pipe(BODY), headers=headers)
            assert response.content == BODY
    assert [framing(call) for call in site.calls] == ["chunked", str(len(BODY))]


async def test_blocking_iterables_are_taken_everywhere(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        for content in ([b"one ", b"two"], iter([b"one ", b"two"]), (piece for piece in (b"one ", b"two"))):
            assert (await client.post(url, content=content)).content == b"one two"
    assert {framing(call) for call in site.calls} == {"chunked"}


@pytest.mark.parametrize("argument", ["content", "files", "data"])
@pytest.mark.parametrize(
    ("make", "framed"),
    [(AsyncSeekableFile, "its length"), (AsyncFile, "chunked")],
    ids=["can seek", "cannot seek"],
)
async def test_async_files(http: World, make: type[AsyncFile], framed: str, argument: str) -> None:
    url = http.serve(site := Site(echo))
    file = make(BODY)
    given: Any = {"content": file, "files": {"file": file}, "data": {"file": Part(file, filename="upload")}}
    async with http.client() as client:
        if http.blocking:
            with pytest.raises(RuntimeError, match=r"can only be read asynchronously.* AsyncClient"):
                await client.post(url, **{argument: given[argument]})
            return
        await client.post(url, **{argument: given[argument]})
    (call,) = site.calls
    if argument == "content":
        assert call.body == BODY
    else:
        head = 'name="file"; filename="upload"\r\nContent-Type: application/octet-stream'
        assert parts_of(call) == [(head, BODY)]
    assert framing(call) == ("chunked" if framed == "chunked" else str(len(call.body)))


async def test_lengths_that_contradict_are_found_before_anything_is_sent(http: World) -> None:
    url = http.serve(site := Site(echo))
    wrong = {"Content-Length": "4"}
    async with http.client() as client:
        for body in (
            {"content": b"12345"},
            {"content": io.BytesIO(b"12345")},
            {"data": {"a": "345"}},
            {"json": "345"},
            {"files": {"a": b""}},
        ):
            with pytest.raises(ValueError, match="Content-Length is 4, but the body has"):
                await client.post(url, headers=wrong, **body)
        both = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
        with pytest.raises(ValueError, match="not both"):
            await client.post(url, content=b"12345", headers=both)
        with pytest.raises(ValueError, match=r"The part 'f' has 5 bytes, and not length=4\."):
            await client.post(url, files={"f": Part(b"12345", length=4)})
    assert site.connections == 0


async def test_null_as_json(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        await client.post(url, json=None)
        headers = {"Content-Type": "application/json"}
        assert (await client.post(url, content=b"null", headers=headers)).json() is None
        assert (await client.post(url, json=[None])).content == b"[null]"
    assert [(call.body, call.field("content-type")) for call in site.calls[:2]] == [
        (b"", None),
        (b"null", "application/json"),
    ]


# Forms


async def test_pairs_are_a_form(http: World) -> None:
    url = http.serve(site := Site(echo))
    pairs = [("a", "1"), ("b", True), ("a", None), ("c", ["x", 2.5])]
    async with http.client() as client:
        assert (await client.post(url, data=pairs)).content == b"a=1&b=true&a=&c=x&c=2.5"
    assert site.calls[0].field("content-type") == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("value", [{"nested": "dict"}, {1, 2}, object])
async def test_what_no_form_can_hold_is_refused(http: World, value: Any) -> None:
    if value is object:
        value = io.BytesIO(b"a file")
    async with http.client() as client:
        with pytest.raises(TypeError, match=r"The value of form field 'a' is of type .* use json="):
            await client.post("http://example.org/", data={"a": value})


@pytest.mark.parametrize(
    "bodies",
    [
        {"data": {"a": "1"}, "json": {"b": 2}},
        {"content": b"a", "json": {"b": 2}},
        {"content": b"a", "data": {"a": "1"}},
        {"content": b"", "files": {"a": b"1"}},
        {"files": {"a": b"1"}, "json": 0},
    ],
)
async def test_one_body_is_never_dropped_for_another(http: World, bodies: dict[str, Any]) -> None:
    async with http.client() as client:
        with pytest.raises(TypeError, match=r"Only one of .*= and .*= can be the body"):
            await client.post("http://example.org/", **bodies)


async def test_a_form_without_files_as_multipart(http: World) -> None:
    """By a `Part`, or by the Content-Type that the caller asks for; `files={}` alone changes nothing."""
    url = http.serve(site := Site(echo))
    asked = {"Content-Type": "multipart/form-data"}
    async with http.client() as client:
        await client.post(url, data={"a": "1", "b": Part("é")})
        await client.post(url, data={"a": "1", "b": "é"}, headers=asked)
        await client.post(url, data={"a": "1"}, files={})
    first, second, third = site.calls
    assert parts_of(first) == parts_of(second) == [('name="a"', b"1"), ('name="b"', "é".encode())]
    assert third.body == b"a=1"


async def test_the_boundary_is_the_callers_or_added(http: World) -> None:
    url = http.serve(site := Site(echo))
    files = {"a": (None, b"1")}
    async with http.client(headers={"Content-Type": "multipart/form-data"}) as client:
        await client.post(url, files=files)
        await client.post(url, files=files, headers={"Content-Type": "multipart/form-data; boundary=mine"})
        await client.post(url, files=files, headers={"Content-Type": "multipart/form-data; charset=utf-8"})
    assert [parts_of(call) for call in site.calls] == [[('name="a"', b"1")]] * 3
    assert site.calls[1].field("content-type") == "multipart/form-data; boundary=mine"
    assert (site.calls[2].field("content-type") or "").startswith("multipart/form-data; charset=utf-8;")


async def test_fields_and_files_in_the_order_of_the_caller(http: World) -> None:
    url = http.serve(site := Site(echo))
    fields = [("key", "a.bin"), ("file", Part(io.BytesIO(BODY), filename="a.bin")), ("submit", "Upload")]
    async with http.client() as client:
        await client.post(url, data=fields)
        await client.post(url, files=[(name, (None, v) if isinstance(v, str) else v) for name, v in fields])
    head = 'name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream'
    expected = [('name="key"', b"a.bin"), (head, BODY), ('name="submit"', b"Upload")]
    assert [parts_of(call) for call in site.calls] == [expected, expected]


# Parts


async def test_parts_that_come_piece_by_piece(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        for length in (len(BODY), None):
            pieces = http.body([BODY[:100], b"", BODY[100:]])
            await client.post(url, data={"a": "1", "file": Part(pieces, filename="x", length=length)})
    for call, known in zip(site.calls, (True, False), strict=True):
        assert [content for _, content in parts_of(call)] == [b"1", BODY]
        assert framing(call) == (str(len(call.body)) if known else "chunked")


@pytest.mark.parametrize(
    ("length", "message"),
    [(4, "The part 'f' is longer than its 4 bytes"), (6, "The part 'f' ended after 5 of its 6 bytes")],
)
@pytest.mark.parametrize("known", [True, False])
async def test_parts_that_are_not_as_long_as_they_said(
    http: World, known: bool, length: int, message: str
) -> None:
    url = http.serve(Site(echo))
    async with http.client() as client:
        files = {"f": Part(http.body([b"12", b"345"]), length=length), "g": Part([b"x"], length=1)}
        if not known:
            files["g"] = Part([b"x"])
        with pytest.raises(httpure.LocalProtocolError, match=message) as caught:
            await client.post(url, files=files)
        assert str(caught.value.request.url) == url
        assert client.statistics.connections == 0
        assert (await client.post(url, content=b"fine")).content == b"fine"


async def test_a_part_of_each_kind_in_one_form(http: World) -> None:
    url = http.serve(site := Site(echo))
    fields: dict[str, Any] = {
        "text": "1",
        "bytes": Part(b"2"),
        "file": Part(io.BytesIO(b"3")),
        "pipe": Part(Pipe(b"4"), length=1),
        "list": Part([b"5"], length=1),
        "iterator": Part(http.body([b"6"]), length=1),
    }
    if not http.blocking:
        fields["async file"] = Part(AsyncSeekableFile(b"7"))
    async with http.client() as client:
        await client.post(url, data=fields)
    (call,) = site.calls
    assert [content for _, content in parts_of(call)] == [b"%d" % (i + 1) for i in range(len(fields))]
    assert framing(call) == str(len(call.body))


async def test_a_part_that_fails(http: World) -> None:
    def pieces():
        yield b"one"
        raise ZeroDivisionError("the user's own")

    url = http.serve(Site(echo))
    async with http.client() as client:
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            await client.post(url, files={"f": Part(http.body(pieces()))})
        assert client.statistics.connections == 0
        assert (await client.post(url, content=b"fine")).content == b"fine"


async def test_the_source_of_a_part_is_closed_when_the_server_answers_early(http: World) -> None:
    closed = []

    def pieces():
        try:
            for _ in range(100):
                yield b"x" * 65536
        finally:
            closed.append(True)

    async def async_pieces():
        try:
            for _ in range(100):
                await http.sleep(0.001)
                yield b"x" * 65536
        finally:
            closed.append(True)

    url = http.serve(Site(echo, at_head=lambda call: Answer(413, b"too large", close=True)))
    source = pieces() if http.blocking else async_pieces()
    async with http.client() as client:
        response = await client.post(url, data={"a": "1", "f": Part(source)})
        assert (response.status_code, closed) == (413, [True])


@needs("cancels")
async def test_the_source_of_a_cancelled_upload_is_closed(http: World) -> None:
    closed = []

    async def pieces():
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.append(True)

    url = http.serve(Deaf)
    async with http.client(timeout=None) as client:
        for given in ({"content": pieces()}, {"data": {"f": Part(pieces())}}):
            assert await http.give_up(client.post(url, **given), 0.05)
        assert client.statistics.connections == 0
    assert closed == [True, True]


# Sent again


def sent_twice(call: Call) -> Answer:
    """Redirects, or asks for a password, once."""
    if call.path == "/redirect":
        return Answer(307, b"", [("Location", "/")])
    if call.path == "/auth" and call.field("authorization") is None:
        return Answer(401, b"", [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])
    return Answer(200, call.body)


REPLAYABLE: dict[str, Callable[[], dict[str, Any]]] = {
    "bytes": lambda: {"content": BODY},
    "file": lambda: {"content": io.BytesIO(BODY)},
    "list": lambda: {"content": [BODY]},
    "form": lambda: {"data": {"a": "b"}},
    "files": lambda: {"data": {"a": "b"}, "files": {"f": io.BytesIO(BODY)}},
    "part": lambda: {"data": {"f": Part([BODY])}},
}


@pytest.mark.parametrize("kind", REPLAYABLE)
@pytest.mark.parametrize("why", ["redirect", "auth"])
async def test_bodies_that_can_be_sent_again_are(http: World, why: str, kind: str) -> None:
    url = http.serve(site := Site(sent_twice))
    async with http.client(follow_redirects=True, auth=httpure.DigestAuth("a", "b")) as client:
        response = await client.post(f"{url}/{why}", **REPLAYABLE[kind]())
    first, second = site.calls
    assert first.body == second.body == response.content != b""
    assert framing(first) == framing(second)


@pytest.mark.parametrize("why", ["redirect", "auth"])
async def test_files_are_sought_back_to_where_they_began(http: World, why: str) -> None:
    url = http.serve(site := Site(sent_twice))
    file = io.BytesIO(BODY)
    file.seek(1000)
    async with http.client(follow_redirects=True, auth=httpure.DigestAuth("a", "b")) as client:
        await client.post(f"{url}/{why}", content=file)
        if not http.blocking:
            other = AsyncSeekableFile(BODY)
            other.ordinary.seek(1000)
            await client.post(f"{url}/{why}", content=other)
    assert [call.body == BODY[1000:] for call in site.calls] == [True] * len(site.calls)


ONE_SHOT: dict[str, Callable[[World], dict[str, Any]]] = {
    "generator": lambda http: {"content": http.body([BODY])},
    "iterator": lambda http: {"content": iter([BODY])},
    "pipe": lambda http: {"content": Pipe(BODY)},
    "pipe in a form": lambda http: {"files": {"f": Pipe(BODY)}},
    "part": lambda http: {"data": {"f": Part(http.body([BODY]))}},
}


@pytest.mark.parametrize("kind", ONE_SHOT)
@pytest.mark.parametrize("why", ["redirect", "auth"])
async def test_bodies_that_cannot_be_sent_again_are_an_error_and_never_empty(
    http: World, why: str, kind: str
) -> None:
    url = http.serve(site := Site(sent_twice))
    async with http.client(follow_redirects=True, auth=httpure.DigestAuth("a", "b")) as client:
        with pytest.raises(httpure.StreamConsumed) as caught:
            await client.post(f"{url}/{why}", **ONE_SHOT[kind](http))
        assert "call .read() first" in str(caught.value) or "call request.read()" in str(caught.value)
        assert client.statistics.connections == client.statistics.idle
        assert (await client.post(url, content=b"fine")).content == b"fine"
    assert [call.body for call in site.calls if call.path == "/"] == [b"fine"]


# Decoding


def packed(*pieces: bytes) -> bytes:
    return b"".join(gzip.compress(piece, mtime=0) for piece in pieces)


def bare(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


CODED = {
    "gzip": packed(BODY),
    "x-gzip": packed(BODY),
    "gzip, several members": packed(BODY[:1000], BODY[1000:]),
    "deflate, zlib": zlib.compress(BODY),
    "deflate, bare": bare(BODY),
    "br": brotli.compress(BODY),
    "zstd": zstd.compress(BODY),
    "zstd, several frames": zstd.compress(BODY[:1000]) + zstd.compress(BODY[1000:]),
    "identity": BODY,
}


def coded(body: bytes, *codings: str, **options: Any) -> Callable[[], Any]:
    fields = [("Content-Encoding", coding) for coding in codings]
    return Site(lambda call: Answer(200, body, fields, **options))


@pytest.mark.parametrize("how", CODED)
async def test_content_codings(http: World, how: str) -> None:
    body = CODED[how]
    url = http.serve(coded(body, how.partition(",")[0]))
    async with http.client() as client:
        response = await client.get(url)
        assert response.content == BODY
        assert response.num_bytes_downloaded == len(body)
        async with client.stream("GET", url) as response:
            assert b"".join([piece async for piece in http.pieces(response)]) == BODY
            assert response.num_bytes_downloaded == len(body)
        async with client.stream("GET", url) as response:
            assert b"".join([piece async for piece in http.pieces(response, "iter_raw")]) == body


@pytest.mark.parametrize("fields", [["gzip, br"], ["gzip", "br"]])
async def test_several_codings(http: World, fields: list[str]) -> None:
    url = http.serve(coded(brotli.compress(packed(BODY)), *fields))
    async with http.client() as client:
        assert (await client.get(url)).content == BODY


@pytest.mark.parametrize("how", [how for how in CODED if how != "identity"])
async def test_a_body_that_was_cut_off_is_an_error(http: World, how: str) -> None:
    body = CODED[how]
    url = http.serve(coded(body[:-3], how.partition(",")[0]))
    async with http.client() as client:
        with pytest.raises(httpure.DecodingError, match="ended before its end marker") as caught:
            await client.get(url)
        assert str(caught.value.request.url) == url
        got = b""
        async with client.stream("GET", url) as response:
            with pytest.raises(httpure.DecodingError):
                async for piece in http.pieces(response):
                    got += piece
        assert BODY.startswith(got)
        assert client.statistics == (1, 1, 0)


async def test_too_many_codings_are_refused(http: World) -> None:
    url = http.serve(coded(b"x", "gzip, gzip, gzip", "gzip, gzip, gzip"))
    async with http.client() as client:
        with pytest.raises(httpure.BodyTooLarge, match=r"at most 5 are undone \(max_codings\), GET http://"):
            await client.get(url)


async def test_a_bomb_is_refused_whole_and_comes_in_small_pieces(http: World) -> None:
    bomb = packed(bytes(20_000_000))
    url = http.serve(coded(bomb, "gzip"))
    async with http.client() as client:
        with pytest.raises(httpure.DecodingError, match="more than 100 to one"):
            await client.get(url)
        async with client.stream("GET", url) as response:
            largest = size = 0
            async for piece in http.pieces(response):
                largest, size = max(largest, len(piece)), size + len(piece)
        assert (largest, size) == (65536, 20_000_000)


async def test_default_encoding(http: World) -> None:
    def app(call: Call) -> Answer:
        return Answer(200, "größe".encode("latin-1"), [("Content-Type", f"text/plain{call.path[1:]}")])

    url = http.serve(Site(app))
    async with http.client(default_encoding="latin-1") as client:
        assert (await client.get(url + "/")).text == "größe"
        assert (await client.get(url + "/;charset=unknown")).text == "größe"
        assert (await client.get(url + "/;charset=ascii")).text == "gr��e"
        async with client.stream("GET", url + "/") as response:
            assert "".join([piece async for piece in http.pieces(response, "iter_text")]) == "größe"
    seen: list[bytes] = []

    def detect(content: bytes) -> str:
        seen.append(content)
        return "latin-1"

    async with http.client(default_encoding=detect) as client:
        assert (await client.get(url + "/")).text == "größe"
        assert (await client.get(url + "/;charset=utf-8")).text == "gr��e"
    assert seen == ["größe".encode("latin-1")]
