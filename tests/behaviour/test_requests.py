"""A request goes out whole, and the response comes in whole, in whatever shape either has."""

from __future__ import annotations

import io
import zlib
from contextlib import aclosing

import pytest

import httpure
from tests.peers import CLOSE, RESET, Answer, Call, Site, scripted

from .world import World

BODY = bytes(range(256)) * 400


def echo(call: Call) -> Answer:
    return Answer(200, call.body, [("X-Method", call.method), ("X-Target", call.target)])


async def test_get(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"hello", [("Content-Type", "text/plain")])))
    async with http.client() as client:
        response = await client.get(url + "/path?a=b")
    assert (response.status_code, response.text) == (200, "hello")
    assert response.http_version == "HTTP/1.1"
    assert response.reason_phrase == ""  # as this server gives none
    assert str(response.url) == url + "/path?a=b"
    assert response.elapsed.total_seconds() >= 0


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
async def test_every_method_arrives(http: World, method: str) -> None:
    url = http.serve(Site(echo))
    async with http.client() as client:
        response = await client.request(method, url + "/x?y=z")
    assert response.headers["x-method"] == method
    assert response.headers["x-target"] == "/x?y=z"


async def test_head_has_no_body(http: World) -> None:
    url = http.serve(site := Site(lambda call: Answer(200, b"hello")))
    async with http.client() as client:
        for _ in range(2):
            response = await client.head(url)
            assert (response.content, response.headers["content-length"]) == (b"", "5")
    assert site.connections == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_bodiless_statuses(http: World, status: int) -> None:
    url = http.serve(site := Site(lambda call: Answer(status)))
    async with http.client() as client:
        for _ in range(2):
            response = await client.get(url)
            assert (response.status_code, response.content) == (status, b"")
    assert site.connections == 1


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 1_000_000])
async def test_body_in_memory(http: World, size: int) -> None:
    body = (BODY * (size // len(BODY) + 1))[:size]
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        response = await client.post(url, content=body)
    assert response.content == body
    assert site.calls[0].field("content-length") == str(size)


async def test_body_from_a_generator_is_chunked(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        response = await client.post(url, content=http.body([b"one ", b"", b"two ", b"x" * 70000]))
    assert response.content == b"one two " + b"x" * 70000
    assert site.calls[0].field("transfer-encoding") == "chunked"
    assert site.calls[0].field("content-length") is None


async def test_body_from_a_file(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        response = await client.post(url, content=io.BytesIO(BODY))
    assert response.content == BODY
    assert site.calls[0].field("content-length") == str(len(BODY))


async def test_generator_with_a_declared_length(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        response = await client.post(url, content=http.body([b"12", b"345"]), headers={"Content-Length": "5"})
    assert response.content == b"12345"
    assert site.calls[0].field("transfer-encoding") is None


async def test_an_answer_to_the_last_byte_is_not_early(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        for _ in range(2):
            body = http.body([b"12", b"345", b""], pause=0.02)  # the server answers before the generator ends
            response = await client.post(url, content=body, headers={"Content-Length": "5"})
            assert response.content == b"12345"
        for _ in range(3):
            assert (await client.post(url, content=b"x" * 300_000)).content == b"x" * 300_000
    assert site.connections == 1


@pytest.mark.parametrize(("declared", "word"), [("4", "longer"), ("6", "shorter")])
async def test_generator_with_a_wrong_length(http: World, declared: str, word: str) -> None:
    url = http.serve(Site(echo))
    async with http.client() as client:
        with pytest.raises(httpure.LocalProtocolError, match=word):
            await client.post(url, content=http.body([b"12", b"345"]), headers={"Content-Length": declared})
        assert client.statistics.connections == 0
        assert (await client.post(url, content=b"fine")).content == b"fine"


async def test_failing_generator(http: World) -> None:
    def pieces():
        yield b"one"
        raise ZeroDivisionError("the user's own")

    url = http.serve(Site(echo))
    async with http.client() as client:
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            await client.post(url, content=http.body(pieces()))
        assert client.statistics.connections == 0
        assert (await client.post(url, content=b"fine")).content == b"fine"


async def test_streamed_response(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"a" * 1000] * 50, chunked=True)))
    async with http.client() as client, client.stream("GET", url) as response:
        assert response.status_code == 200
        pieces = [piece async for piece in http.pieces(response)]
    assert b"".join(pieces) == b"a" * 50000
    assert response.num_bytes_downloaded == 50000


async def test_streamed_response_in_chunks_of_a_size(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, BODY)))
    async with http.client() as client, client.stream("GET", url) as response:
        pieces = [piece async for piece in http.pieces(response, "iter_bytes", 1000)]
    assert {len(piece) for piece in pieces[:-1]} == {1000}
    assert b"".join(pieces) == BODY


async def test_streamed_lines(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, "één\r\ntwee\ndrie".encode(), chunked=True)))
    async with http.client() as client, client.stream("GET", url) as response:
        assert [line async for line in http.pieces(response, "iter_lines")] == ["één", "twee", "drie"]


async def test_streamed_piece_comes_before_the_end(http: World) -> None:
    url = http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none", 60.0, b"two"]))
    got = b""
    async with (
        http.client() as client,
        client.stream("GET", url) as response,
        aclosing(http.pieces(response, "iter_raw")) as pieces,
    ):
        async for piece in pieces:
            got += piece
            if got == b"one":
                break
    assert not http.virtual or http.clock() < 1


async def test_read_a_streamed_response(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, BODY)))
    async with http.client() as client, client.stream("GET", url) as response:
        with pytest.raises(httpure.ResponseNotRead):
            _ = response.content
        assert await http.read(response) == BODY
        assert response.content == BODY


async def test_large_response_to_a_slow_reader(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"z" * 3_000_000)))
    size = 0
    async with http.client() as client, client.stream("GET", url) as response:
        await http.sleep(0.02)
        async for piece in http.pieces(response):
            if size == 0:
                await http.sleep(0.02)
            size += len(piece)
    assert size == 3_000_000


async def test_close_delimited_response(http: World) -> None:
    url = http.serve(scripted([b"HTTP/1.0 200 OK\r\n\r\n", b"until the end", CLOSE]))
    async with http.client() as client:
        response = await client.get(url)
        assert (response.http_version, response.content) == ("HTTP/1.0", b"until the end")
        assert client.statistics.connections == 0


async def test_informational_responses_are_passed_over(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, b"final", informational=[100, 103])))
    async with http.client() as client:
        assert (await client.get(url)).content == b"final"


async def test_chunked_with_trailers(http: World) -> None:
    url = http.serve(Site(lambda call: Answer(200, [b"a", b"b"], chunked=True, trailers=[("X-Sum", "2")])))
    async with http.client() as client:
        assert (await client.get(url)).content == b"ab"


async def test_form_and_json(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        assert (await client.post(url, data={"a": "1 2", "b": ["x", "y"]})).content == b"a=1+2&b=x&b=y"
        assert (await client.post(url, json={"a": [1, None]})).json() == {"a": [1, None]}
    assert [call.field("content-type") for call in site.calls] == [
        "application/x-www-form-urlencoded",
        "application/json",
    ]


async def test_multipart(http: World) -> None:
    url = http.serve(site := Site(echo))
    async with http.client() as client:
        response = await client.post(
            url,
            data={"field": "value"},
            files={"file": ("name.txt", io.BytesIO(BODY)), "other": ("o.bin", b"bytes", "application/x-o")},
        )
    call = site.calls[0]
    content_type = call.field("content-type")
    assert content_type is not None and content_type.startswith("multipart/form-data; boundary=")
    boundary = content_type.partition("boundary=")[2].encode()
    assert call.field("content-length") == str(len(call.body))
    assert call.body.count(b"--" + boundary) == 4
    assert b'name="field"\r\n\r\nvalue\r\n' in call.body
    assert BODY in call.body
    assert b'filename="o.bin"\r\nContent-Type: application/x-o\r\n\r\nbytes\r\n' in call.body
    assert response.content == call.body


def _deflated(data: bytes) -> bytes:
    return zlib.compress(data)


def _gzipped(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=31)
    return machine.compress(data) + machine.flush()


@pytest.mark.parametrize(("coding", "encode"), [("gzip", _gzipped), ("deflate", _deflated)])
async def test_content_codings(http: World, coding: str, encode) -> None:
    packed = encode(BODY)
    fields = [("Content-Encoding", coding)]
    url = http.serve(site := Site(lambda call: Answer(200, packed, fields)))
    async with http.client() as client:
        response = await client.get(url)
        assert (response.content, response.num_bytes_downloaded) == (BODY, len(packed))
        async with client.stream("GET", url) as response:
            assert b"".join([piece async for piece in http.pieces(response, "iter_raw")]) == packed
        async with client.stream("GET", url) as response:
            assert b"".join([piece async for piece in http.pieces(response)]) == BODY
    assert coding in (site.calls[0].field("accept-encoding") or "")


def refuse(call: Call) -> Answer | None:
    return Answer(413, b"too large", close=True) if call.method == "POST" else None


async def test_early_answer_ends_an_upload(http: World) -> None:
    taken = []

    def pieces():
        for number in range(100):
            taken.append(number)
            yield b"x" * 65536

    url = http.serve(site := Site(echo, at_head=refuse))
    async with http.client() as client:
        response = await client.post(url, content=http.body(pieces(), pause=0.001))
        assert (response.status_code, response.content) == (413, b"too large")
        assert len(taken) < 100
        assert client.statistics.connections == 0
        assert (await client.put(url, content=b"fine")).content == b"fine"
    assert site.connections == 2


async def test_early_answer_to_a_body_in_memory(http: World) -> None:
    url = http.serve(site := Site(echo, at_head=refuse))
    async with http.client() as client:
        response = await client.post(url, content=b"x" * 8_000_000)
        assert (response.status_code, response.content) == (413, b"too large")
        assert (await client.put(url, content=b"fine")).content == b"fine"
    assert site.connections == 2


async def test_early_answer_and_then_a_reset(http: World) -> None:
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
    url = http.serve(scripted([answer, 0.02, RESET]))
    async with http.client() as client:
        for content in (b"x" * 16_000_000, http.body([b"x" * 65536] * 250)):
            response = await client.post(url, content=content)
            assert (response.status_code, response.content) == (413, b"no")


async def test_early_answer_on_a_connection_that_stays(http: World) -> None:
    url = http.serve(site := Site(echo, at_head=lambda call: Answer(200, b"early")))
    async with http.client() as client:
        for _ in range(3):
            response = await client.post(url, content=http.body([b"a", b"b"], pause=0.01))
            assert response.content == b"early"
    assert 1 <= site.connections <= 3
