from __future__ import annotations

import asyncio
import codecs
import encodings.aliases
import gzip
import json
import pickle
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import brotli
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.content.streams import AsyncByteStream, SyncByteStream
from httpure_core.errors import (
    BodyTooLarge,
    CloseError,
    DecodingError,
    ReadError,
    RequestError,
    ResponseNotRead,
    StreamClosed,
    StreamConsumed,
)
from httpure_core.limits import Limits
from httpure_core.models import contents, stages
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.models.response import Response

REQUEST = Request("GET", "https://example.org/")
GZIP = {"Content-Encoding": "gzip"}


class Pieces(SyncByteStream):
    """A blocking stream that counts what is done to it."""

    def __init__(
        self, *pieces: bytes, error: BaseException | None = None, on_close: Exception | None = None
    ) -> None:
        self.pieces, self.error, self.on_close = pieces, error, on_close
        self.taken = self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.taken += 1
            yield piece
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1
        if self.on_close is not None:
            raise self.on_close


class AsyncPieces(AsyncByteStream):
    """The same, asynchronous."""

    def __init__(
        self, *pieces: bytes, error: BaseException | None = None, on_close: Exception | None = None
    ) -> None:
        self.pieces, self.error, self.on_close = pieces, error, on_close
        self.taken = self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0)
            self.taken += 1
            yield piece
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1
        if self.on_close is not None:
            raise self.on_close


class Reader:
    """One colour: how to make a response and to read it, so that each test is said once."""

    def __init__(self, colour: str) -> None:
        self.blocking = colour == "blocking"

    def stream(self, *pieces: bytes, **how: Any) -> Any:
        return Pieces(*pieces, **how) if self.blocking else AsyncPieces(*pieces, **how)

    def response(self, *pieces: bytes, **arguments: Any) -> Response:
        return Response(200, request=REQUEST, stream=self.stream(*pieces), **arguments)

    def limited(self, limits: Limits, *pieces: bytes, headers: dict[str, str] = GZIP) -> Response:
        """As a client with these limits receives it."""
        response = self.response(*pieces, headers=headers)
        response._limits = limits
        return response

    def list(self, response: Response, name: str, *arguments: Any) -> list[Any]:
        if self.blocking:
            return list(getattr(response, f"iter_{name}")(*arguments))

        async def collect() -> list[Any]:
            return [piece async for piece in getattr(response, f"aiter_{name}")(*arguments)]

        return asyncio.run(collect())

    def read(self, response: Response) -> bytes:
        return response.read() if self.blocking else asyncio.run(response.aread())

    def close(self, response: Response) -> None:
        if self.blocking:
            response.close()
        else:
            asyncio.run(response.aclose())


@pytest.fixture(params=["blocking", "asynchronous"])
def reader(request: pytest.FixtureRequest) -> Reader:
    return Reader(request.param)


class TestReading:
    def test_read(self, reader: Reader) -> None:
        response = reader.response(b"one ", b"", b"two")
        assert not response.is_stream_consumed
        assert reader.read(response) == b"one two"
        assert response.content == b"one two"
        assert response.is_stream_consumed
        assert response.is_closed
        assert response.num_bytes_downloaded == 7
        assert response.stream.closed == 1  # type: ignore[union-attr]
        assert reader.read(response) == b"one two"

    def test_raw_pieces_as_they_come(self, reader: Reader) -> None:
        response = reader.response(b"one ", b"", b"two", headers=GZIP)
        assert reader.list(response, "raw") == [b"one ", b"two"]
        assert response.is_closed
        with pytest.raises(ResponseNotRead):
            response.content  # noqa: B018

    @pytest.mark.parametrize("name", ["raw", "bytes"])
    def test_bytes_in_chunks(self, reader: Reader, name: str) -> None:
        assert reader.list(reader.response(b"one ", b"two"), name, 3) == [b"one", b" tw", b"o"]

    def test_bytes_decoded(self, reader: Reader) -> None:
        encoded = gzip.compress(b"one two", mtime=0)
        response = reader.response(encoded[:5], encoded[5:], headers=GZIP)
        assert reader.list(response, "bytes", 4) == [b"one ", b"two"]
        assert response.num_bytes_downloaded == len(encoded)

    def test_several_codings(self, reader: Reader) -> None:
        encoded = zlib.compress(gzip.compress(b"one two", mtime=0))
        headers = [("Content-Encoding", "gzip, identity"), ("Content-Encoding", "Deflate")]
        assert reader.read(reader.response(encoded, headers=headers)) == b"one two"

    @pytest.mark.parametrize("coding", ["identity", "unheard-of", ""])
    def test_nothing_to_decode(self, reader: Reader, coding: str) -> None:
        response = reader.response(b"one", b"two", headers={"Content-Encoding": coding})
        assert reader.list(response, "bytes") == [b"one", b"two"]

    def test_text(self, reader: Reader) -> None:
        euro = "a\u20acb".encode()
        assert reader.list(reader.response(euro[:2], euro[2:]), "text") == ["a", "\u20acb"]
        assert reader.list(reader.response(euro[:2], euro[2:]), "text", 2) == ["a\u20ac", "b"]

    def test_text_cut_short(self, reader: Reader) -> None:
        assert reader.list(reader.response(b"a\xe2"), "text") == ["a", "\ufffd"]

    def test_text_of_encoded_bytes_with_a_charset(self, reader: Reader) -> None:
        headers = GZIP | {"Content-Type": "text/plain; charset=latin-1"}
        encoded = gzip.compress(b"\xe9" * 3, mtime=0)
        assert "".join(reader.list(reader.response(encoded, headers=headers), "text")) == "\xe9" * 3

    def test_lines(self, reader: Reader) -> None:
        body = "a\r\nb\u2028c\x0b\x0c\x1c\x85d\re\n\nf".encode()
        expected = ["a", "b\u2028c\x0b\x0c\x1c\x85d", "e", "", "f"]
        for cut in range(len(body)):
            assert reader.list(reader.response(body[:cut], body[cut:]), "lines") == expected
            if not reader.blocking:
                break  # the stages are the same; a loop for each cut takes long

    def test_after_read(self, reader: Reader) -> None:
        response = reader.response(gzip.compress(b"one\ntwo", mtime=0), headers=GZIP)
        reader.read(response)
        for _ in "twice":
            assert reader.list(response, "bytes") == [b"one\ntwo"]
            assert reader.list(response, "bytes", 4) == [b"one\n", b"two"]
            assert reader.list(response, "text") == ["one\ntwo"]
            assert reader.list(response, "lines") == ["one", "two"]
        with pytest.raises(StreamConsumed):
            reader.list(response, "raw")

    @pytest.mark.parametrize("name", ["raw", "bytes", "text", "lines"])
    def test_empty_body_has_no_pieces(self, reader: Reader, name: str) -> None:
        assert reader.list(reader.response(headers=GZIP), name) == []
        response = reader.response()
        if name != "raw":
            reader.read(response)
        assert reader.list(response, name) == []

    def test_chunk_size_is_positive(self) -> None:
        with pytest.raises(ValueError, match="chunk_size"):
            Response(200, stream=Pieces()).iter_bytes(0)

    def test_both_colours_for_what_is_in_memory(self, reader: Reader) -> None:
        response = Response(200, content=b"one")
        assert reader.read(response) == b"one"
        assert reader.list(response, "text") == ["one"]

    @settings(max_examples=30)
    @given(st.lists(st.binary(max_size=20)), st.integers(1, 30))
    def test_chunks_are_the_whole(self, pieces: list[bytes], size: int) -> None:
        chunks = list(Response(200, stream=Pieces(*pieces)).iter_bytes(size))
        assert b"".join(chunks) == b"".join(pieces)
        assert all(len(chunk) == size for chunk in chunks[:-1])


class TestMisuse:
    @pytest.mark.parametrize("name", ["raw", "bytes", "text", "lines"])
    def test_twice(self, reader: Reader, name: str) -> None:
        response = reader.response(b"one")
        reader.list(response, name)
        with pytest.raises(StreamConsumed):
            reader.list(response, name)
        with pytest.raises(StreamConsumed):
            reader.read(response)

    def test_after_close(self, reader: Reader) -> None:
        response = reader.response(b"one")
        reader.close(response)
        assert response.is_closed
        reader.close(response)
        assert response.stream.closed == 1  # type: ignore[union-attr]
        with pytest.raises(StreamClosed):
            reader.read(response)

    @pytest.mark.parametrize("name", ["raw", "bytes", "text", "lines"])
    def test_blocking_on_an_asynchronous_stream(self, name: str) -> None:
        response = Response(200, stream=AsyncPieces(b"one"))
        with pytest.raises(RuntimeError, match=rf"use response\.aiter_{name}\(\)"):
            list(getattr(response, f"iter_{name}")())
        assert not response.is_stream_consumed

    @pytest.mark.parametrize("name", ["raw", "bytes", "text", "lines"])
    def test_asynchronous_on_a_blocking_stream(self, name: str) -> None:
        response = Response(200, stream=Pieces(b"one"))
        with pytest.raises(RuntimeError, match=rf"blocking stream .* use response\.iter_{name}\(\)"):
            Reader("asynchronous").list(response, name)

    def test_other_methods_of_the_wrong_colour(self) -> None:
        blocking, asynchronous = Response(200, stream=Pieces()), Response(200, stream=AsyncPieces())
        with pytest.raises(RuntimeError, match=r"response\.aread\(\)"):
            asynchronous.read()
        with pytest.raises(RuntimeError, match=r"response\.aclose\(\)"):
            asynchronous.close()
        with pytest.raises(RuntimeError, match=r"response\.read\(\)"):
            asyncio.run(blocking.aread())
        with pytest.raises(RuntimeError, match=r"response\.close\(\)"):
            asyncio.run(blocking.aclose())
        assert not blocking.is_closed
        assert not asynchronous.is_closed


class TestErrors:
    def test_of_the_stream_close_it_and_name_the_request(self, reader: Reader) -> None:
        response = Response(200, request=REQUEST, stream=reader.stream(b"a", error=ReadError("lost")))
        with pytest.raises(ReadError, match="lost") as caught:
            reader.read(response)
        assert caught.value.request is REQUEST
        assert response.is_closed
        assert response.num_bytes_downloaded == 1

    def test_that_name_a_request_keep_it(self, reader: Reader) -> None:
        other = Request("GET", "https://example.com/")
        stream = reader.stream(error=ReadError("lost", request=other))
        with pytest.raises(ReadError) as caught:
            reader.read(Response(200, request=REQUEST, stream=stream))
        assert caught.value.request is other

    def test_of_other_kinds_pass(self, reader: Reader) -> None:
        response = Response(200, stream=reader.stream(error=ZeroDivisionError("odd")))
        with pytest.raises(ZeroDivisionError):
            reader.list(response, "lines")
        assert response.is_closed

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    @pytest.mark.parametrize("name", ["raw", "bytes", "lines"])
    def test_that_are_no_exceptions(self, reader: Reader, kind: type[BaseException], name: str) -> None:
        """A cancellation, Ctrl-C: the stream is closed as after any other error."""
        response = Response(200, stream=(stream := reader.stream(b"a", error=kind())))
        with pytest.raises(kind):
            reader.list(response, name)
        assert (response.is_closed, stream.closed) == (True, 1)

    def test_of_closing_do_not_hide_the_first(self, reader: Reader) -> None:
        for error in (ReadError("lost"), KeyboardInterrupt()):
            response = Response(200, stream=reader.stream(b"a", error=error, on_close=CloseError("odd")))
            with pytest.raises(type(error)):
                reader.read(response)
            assert response.is_closed

    @pytest.mark.parametrize(
        "body",
        [
            b"no gzip at all",
            gzip.compress(b"one two", mtime=0)[:-4],
            gzip.compress(b"one two", mtime=0)[:-9] + b"123456789",
        ],
    )
    @pytest.mark.parametrize("name", ["bytes", "text", "lines"])
    def test_broken_coding(self, reader: Reader, body: bytes, name: str) -> None:
        response = reader.response(body, headers=GZIP)
        with pytest.raises(DecodingError) as caught:
            reader.list(response, name)
        assert caught.value.request is REQUEST
        assert response.is_closed

    def test_too_many_codings(self, reader: Reader) -> None:
        response = reader.response(b"", headers={"Content-Encoding": ", ".join(["gzip"] * 6)})
        with pytest.raises(DecodingError) as caught:
            reader.read(response)
        assert caught.value.request is REQUEST

    def test_of_closing_name_the_request(self, reader: Reader) -> None:
        response = Response(200, request=REQUEST, stream=reader.stream(b"a", on_close=CloseError("odd")))
        with pytest.raises(CloseError) as caught:
            reader.close(response)
        assert caught.value.request is REQUEST
        assert response.is_closed

    def test_without_a_request(self, reader: Reader) -> None:
        response = Response(200, stream=reader.stream(b"junk"), headers=GZIP)
        with pytest.raises(DecodingError) as caught:
            reader.read(response)
        with pytest.raises(RuntimeError):
            caught.value.request  # noqa: B018

    def test_leaving_early_does_not_close(self) -> None:
        stream = Pieces(b"one", b"two")
        response = Response(200, stream=stream)
        for _ in response.iter_bytes():
            break
        assert not response.is_closed
        assert stream.taken == 1
        response.close()
        assert stream.closed == 1


BOMB = gzip.compress(bytes(17 * 1024 * 1024))


class TestBombs:
    def test_read_refuses(self, reader: Reader) -> None:
        response = reader.response(BOMB, headers=GZIP)
        with pytest.raises(DecodingError, match="more than 100 to one"):
            reader.read(response)
        assert response.is_closed

    def test_absorb_refuses(self) -> None:
        response = Response.assemble(200, Headers(GZIP), Pieces(), REQUEST, {})
        with pytest.raises(DecodingError, match="iter_bytes") as caught:
            response.absorb(BOMB)
        assert caught.value.request is REQUEST

    def test_iteration_does_not(self) -> None:
        sizes = [len(piece) for piece in Response(200, headers=GZIP, stream=Pieces(BOMB)).iter_bytes()]
        assert sum(sizes) == 17 * 1024 * 1024
        assert max(sizes) <= 65536

    def test_some_bytes_are_free(self, reader: Reader) -> None:
        assert (Limits().free_expansion, Limits().max_expansion) == (16 * 1024 * 1024, 100)
        limits = Limits(free_expansion=10_000)
        assert len(reader.read(reader.limited(limits, gzip.compress(bytes(10_000))))) == 10_000
        with pytest.raises(BodyTooLarge) as caught:
            reader.read(reader.limited(limits, gzip.compress(bytes(10_001))))
        assert caught.value.limit == "max_expansion"
        assert str(caught.value).endswith(
            "beyond 10,000 (free_expansion), more than 100 to one (max_expansion) is refused where it is kept as a "
            "whole, GET https://example.org/; read it piece by piece, with iter_bytes(), or allow more with "
            "Limits(max_expansion=...)"
        )

    def test_more_is_fine_below_the_ratio(self, reader: Reader) -> None:
        body = gzip.compress(bytes(2000))
        assert len(body) > 2000 / 100
        assert len(reader.read(reader.limited(Limits(free_expansion=1000), body))) == 2000

    def test_the_ratio_can_be_another_or_none(self, reader: Reader) -> None:
        body = gzip.compress(bytes(20_000))
        for ratio in (1000, None):
            limits = Limits(free_expansion=0, max_expansion=ratio)
            assert len(reader.read(reader.limited(limits, body))) == 20_000

    def test_a_bomb_of_one_piece_has_no_more_to_itself_than_one_of_many(self, reader: Reader) -> None:
        """What comes behind it does not count for it: much junk would pay for a bomb before that."""
        member = gzip.compress(bytes(7_000_000))
        junk = b"\0" * 200_000  # behind the last member
        with pytest.raises(BodyTooLarge):
            reader.read(reader.limited(Limits(free_expansion=0), member + junk))

    def test_decoding_stops_with_the_reader(self) -> None:
        pieces = Response(200, headers=GZIP, stream=Pieces(BOMB)).iter_bytes()
        assert 0 < len(next(pieces)) <= 65536


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=1, lgwin=24),
    "zstd": zstd.compress,
}
PLACE = ", GET https://example.org/; allow more with Limits(max_body=...)"
#: How a body is read, and by which stage.
WAYS = ["raw", "bytes", "text", "lines"]


@cache
def bomb_of(*codings: str) -> bytes:
    bomb = bytes(3 << 20)
    for coding in codings:
        bomb = ENCODERS[coding](bomb)
    assert len(bomb) < 20_000
    return bomb


class TestBombsOfEachCoding:
    @pytest.mark.parametrize("codings", [*([name] for name in ENCODERS), ["gzip", "br"], ["zstd"] * 5])
    def test_end_early_however_they_are_read(self, reader: Reader, codings: list[str]) -> None:
        headers = {"Content-Encoding": ", ".join(codings)}
        for way, limits in [
            ("read", Limits(free_expansion=1 << 20)),
            ("lines", Limits(free_expansion=1 << 20)),
            *((way, Limits(max_body=1 << 20)) for way in ("read", "bytes", "text", "lines")),
        ]:
            response = reader.limited(limits, bomb_of(*codings), headers=headers)
            with pytest.raises(BodyTooLarge) as caught:
                reader.read(response) if way == "read" else reader.list(response, way)
            assert caught.value.limit == "max_body" if limits.max_body else "max_expansion"

    @pytest.mark.parametrize("codings", [[name] for name in ENCODERS])
    def test_come_in_bounded_pieces(self, reader: Reader, codings: list[str]) -> None:
        response = reader.response(bomb_of(*codings), headers={"Content-Encoding": codings[0]})
        pieces = reader.list(response, "bytes")
        assert (sum(map(len, pieces)), max(map(len, pieces)) <= 65536) == (3 << 20, True)


class TestMaxBody:
    """Bytes of a body, decoded, however it is read."""

    @pytest.mark.parametrize("name", WAYS)
    @pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "identity"}])
    def test_as_many_as_may_be(self, reader: Reader, name: str, headers: dict[str, str]) -> None:
        found = reader.list(reader.limited(Limits(max_body=5), b"he", b"llo", headers=headers), name)
        assert "".join(piece if isinstance(piece, str) else piece.decode() for piece in found) == "hello"
        response = reader.limited(Limits(max_body=5), b"hello", headers=headers)
        assert reader.read(response) == reader.read(response) == b"hello"

    @pytest.mark.parametrize("name", WAYS)
    @pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "identity"}])
    def test_one_more(self, reader: Reader, name: str, headers: dict[str, str]) -> None:
        pieces = [b"he", b"llo", b"!", b"never"]
        response = reader.limited(Limits(max_body=5), *pieces, headers=headers)
        with pytest.raises(BodyTooLarge) as caught:
            reader.list(response, name)
        assert str(caught.value) == "The body has more than 5 bytes (max_body)" + PLACE
        assert (caught.value.limit, caught.value.request) == ("max_body", REQUEST)
        assert caught.value.request_sent is True
        assert (response.is_closed, response.stream.taken) == (True, 3)  # type: ignore[union-attr]
        with pytest.raises(BodyTooLarge):
            reader.read(reader.limited(Limits(max_body=5), *pieces, headers=headers))

    @pytest.mark.parametrize("name", WAYS[1:])
    @pytest.mark.parametrize("coding", ENCODERS)
    def test_of_what_is_decoded(self, reader: Reader, name: str, coding: str) -> None:
        headers = {"Content-Encoding": coding}
        body = ENCODERS[coding](b"x" * 1000)
        assert reader.read(reader.limited(Limits(max_body=1000), body, headers=headers)) == b"x" * 1000
        for read in (reader.read, lambda response: reader.list(response, name)):
            with pytest.raises(BodyTooLarge, match="more than 999 bytes"):
                read(reader.limited(Limits(max_body=999), body, headers=headers))

    def test_nothing_is_given_out_that_is_too_much(self, reader: Reader) -> None:
        response = reader.limited(Limits(max_body=100_000), gzip.compress(bytes(1_000_000)))
        found = []
        with pytest.raises(BodyTooLarge):
            for piece in response.iter_bytes() if reader.blocking else ():
                found.append(len(piece))
            reader.read(response) if not reader.blocking else None
        assert sum(found) <= 100_000

    def test_raw_bytes_are_counted_raw(self, reader: Reader) -> None:
        body = gzip.compress(bytes(1000))
        assert b"".join(reader.list(reader.limited(Limits(max_body=len(body)), body), "raw")) == body
        with pytest.raises(BodyTooLarge):
            reader.list(reader.limited(Limits(max_body=len(body) - 1), body), "raw")

    @pytest.mark.parametrize("name", WAYS[1:])
    def test_raw_bytes_that_become_nothing_do_not_come_for_ever(self, reader: Reader, name: str) -> None:
        junk = [gzip.compress(b"x"), *[bytes(10_000)] * 1000]
        for read in (reader.read, lambda response: reader.list(response, name)):
            response = reader.limited(Limits(max_body=10), *junk)
            with pytest.raises(BodyTooLarge) as caught:
                read(response)
            assert str(caught.value) == (
                "The body has more than 65,556 bytes before it is decoded, and may have no more than 10 when it is "
                "(max_body)" + PLACE
            )
            assert response.stream.taken == 8  # type: ignore[union-attr]

    @pytest.mark.parametrize("name", [*WAYS, "read"])
    def test_a_length_that_is_too_much_is_refused_before_anything_is_read(
        self, reader: Reader, name: str
    ) -> None:
        response = reader.limited(Limits(max_body=5), b"hello!", headers={"Content-Length": "1234567"})
        with pytest.raises(BodyTooLarge) as caught:
            reader.read(response) if name == "read" else reader.list(response, name)
        assert str(caught.value) == (
            "The body has more than 5 bytes (max_body), 1,234,567 as its Content-Length says" + PLACE
        )
        assert (response.is_closed, response.stream.taken) == (True, 0)  # type: ignore[union-attr]
        assert response.stream.closed == 1  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("method", "status", "said"),
        [
            ("HEAD", 200, "1000"),
            ("CONNECT", 200, "1000"),
            ("GET", 304, "1000"),
            ("GET", 204, "1000"),
            ("GET", 200, "no number"),
            ("GET", 200, "\u0661\u0662\u0663"),
            ("GET", 200, "9" * 5000),
            ("GET", 200, "5"),
        ],
    )
    def test_lengths_that_say_nothing(self, reader: Reader, method: str, status: int, said: str) -> None:
        """Who sends more than a body may have is found out by it, whatever he says."""
        headers = Headers([(b"Content-Length", said.encode())])
        request = Request(method, "https://example.org/")
        response = Response(status, headers=headers, stream=reader.stream(b"ok"), request=request)
        response._limits = Limits(max_body=5)
        assert reader.read(response) == b"ok"

    def test_a_length_of_what_is_decoded_is_another(self, reader: Reader) -> None:
        body = gzip.compress(b"x" * 10)
        assert len(body) > 10
        headers = GZIP | {"Content-Length": str(len(body))}
        assert reader.read(reader.limited(Limits(max_body=10), body, headers=headers)) == b"x" * 10
        headers = GZIP | {"Content-Length": "65557"}
        with pytest.raises(BodyTooLarge, match="65,557 as its Content-Length says"):
            reader.read(reader.limited(Limits(max_body=10), body, headers=headers))

    def test_of_no_request(self) -> None:
        response = Response(200, headers={"Content-Length": "6"}, stream=Pieces(b"hello!"))
        response._limits = Limits(max_body=5)
        with pytest.raises(
            BodyTooLarge, match=r"^The body has more than 5 bytes \(max_body\), 6 as .*; allow"
        ):
            response.read()

    @pytest.mark.parametrize("name", [*WAYS[1:], "read"])
    def test_of_content_that_was_there_before(self, reader: Reader, name: str) -> None:
        """As that of a transport that answers by itself."""
        response = Response(200, content=b"hello!", request=REQUEST)
        for most in (None, 6):
            response._limits = Limits(max_body=most)
            assert reader.read(response) == b"hello!"
            assert len(reader.list(response, "bytes")) == 1
        response._limits = Limits(max_body=5)
        with pytest.raises(BodyTooLarge, match="more than 5 bytes"):
            reader.read(response) if name == "read" else reader.list(response, name)

    @pytest.mark.parametrize("body", [b"hello!", gzip.compress(b"hello!", mtime=0)])
    def test_of_a_body_that_is_absorbed(self, body: bytes) -> None:
        headers = {} if body == b"hello!" else GZIP
        for most in (6, 5):
            response = Response.assemble(200, Headers(headers), Pieces(), REQUEST, {})
            response._limits = Limits(max_body=most)
            if most == 6:
                response.absorb(body)
                assert response.content == b"hello!"
            else:
                with pytest.raises(BodyTooLarge, match="more than 5 bytes") as caught:
                    response.absorb(body)
                assert caught.value.request is REQUEST

    def test_none_at_all(self, reader: Reader) -> None:
        assert reader.read(reader.limited(Limits(max_body=0), headers={})) == b""
        with pytest.raises(BodyTooLarge, match="more than 0 bytes"):
            reader.read(reader.limited(Limits(max_body=0), b"x", headers={}))

    def test_of_a_body_that_nobody_will_look_at(self, reader: Reader) -> None:
        """That of a redirect is no reason to stop there."""
        response = reader.limited(Limits(max_body=3), b"he", b"llo", headers={"Content-Length": "5"})
        response.skim(100) if reader.blocking else asyncio.run(response.askim(100))
        assert response.content == b""


class TestLines:
    def test_a_line_without_end_is_a_bomb_too(self, reader: Reader) -> None:
        body = gzip.compress(b"one\n" + bytes(20_000))
        with pytest.raises(
            BodyTooLarge, match=r"A line of the body grows from .* more than 100 to one"
        ) as caught:
            reader.list(reader.limited(Limits(free_expansion=10_000), body), "lines")
        assert caught.value.limit == "max_expansion"

    def test_many_of_them_are_none(self, reader: Reader) -> None:
        body = gzip.compress(b"x\n" * 20_000)
        assert reader.list(reader.limited(Limits(free_expansion=10_000), body), "lines") == ["x"] * 20_000

    def test_what_is_not_decoded_does_not_grow(self, reader: Reader) -> None:
        limits = Limits(free_expansion=0, max_expansion=0.001)
        assert reader.list(reader.limited(limits, b"x" * 1000, headers={}), "lines") == ["x" * 1000]


def test_max_codings_of_the_client(reader: Reader) -> None:
    body = gzip.compress(gzip.compress(b"x"))
    headers = {"Content-Encoding": "gzip, gzip"}
    assert reader.read(reader.limited(Limits(max_codings=2), body, headers=headers)) == b"x"
    with pytest.raises(BodyTooLarge) as caught:
        reader.read(reader.limited(Limits(max_codings=1), body, headers=headers))
    assert caught.value.limit == "max_codings"
    assert str(caught.value) == (
        "The body has 2 content codings, and at most 1 are undone (max_codings), GET https://example.org/; "
        "allow more with Limits(max_codings=...)"
    )


def test_limits_are_not_pickled() -> None:
    response = Response(200, content=b"hello", request=REQUEST)
    response._limits = Limits(max_body=1)
    assert pickle.loads(pickle.dumps(response)).read() == b"hello"


class TestSkim:
    """Of a redirect, for example, that nobody will look at: little is read, and little is kept."""

    def skim(self, reader: Reader, response: Response, size: int) -> Response:
        if reader.blocking:
            response.skim(size)
        else:
            asyncio.run(response.askim(size))
        assert response.is_closed and response.stream.closed == 1  # type: ignore[union-attr]
        return response

    def test_a_short_one_is_read(self, reader: Reader) -> None:
        response = self.skim(reader, reader.response(b"one ", b"two"), 7)
        assert (response.content, response.num_bytes_downloaded) == (b"one two", 7)

    def test_a_long_one_is_given_up(self, reader: Reader) -> None:
        response = self.skim(reader, reader.response(b"one ", b"two ", b"three", b"four"), 7)
        assert response.content == b""
        assert response.stream.taken == 2  # type: ignore[union-attr]

    @pytest.mark.parametrize("body", [gzip.compress(bytes(1024 * 1024 + 1), mtime=0), b"junk"])
    def test_a_bomb_and_a_broken_one_count_as_empty(self, reader: Reader, body: bytes) -> None:
        assert self.skim(reader, reader.response(body, headers=GZIP), 10_000).content == b""

    def test_a_mebibyte_is_kept(self, reader: Reader) -> None:
        body = gzip.compress(bytes(1024 * 1024))
        assert len(self.skim(reader, reader.response(body, headers=GZIP), 10_000).content) == 1024 * 1024

    def test_errors_of_the_stream_come_through(self, reader: Reader) -> None:
        response = Response(200, request=REQUEST, stream=reader.stream(b"x", error=ReadError("gone")))
        with pytest.raises(ReadError, match="gone"):
            self.skim(reader, response, 10)
        assert response.is_closed


class TestAbsorb:
    def response(self, **headers: str) -> Response:
        return Response.assemble(200, Headers(headers), Pieces(), REQUEST, {})

    def test_plain(self) -> None:
        response = self.response(**{"Content-Type": "a/b", "x-sixteen-letters": "x", "content-language": "x"})
        body = b"one two"
        response.absorb(body)
        assert response.content is body
        assert response.num_bytes_downloaded == 7
        assert response.is_closed
        assert response.is_stream_consumed
        assert response.stream.closed == 0  # type: ignore[union-attr]

    @pytest.mark.parametrize("looked_at", [False, True])
    def test_decoded(self, looked_at: bool) -> None:
        response = self.response(**{"CONTENT-ENCODING": "gzip"})
        if looked_at:
            assert "content-type" not in response.headers
        encoded = gzip.compress(b"one two", mtime=0)
        response.absorb(encoded)
        assert response.content == b"one two"
        assert response.num_bytes_downloaded == len(encoded)

    def test_empty(self) -> None:
        response = self.response(**GZIP)
        response.absorb(b"")
        assert response.content == b""

    @pytest.mark.parametrize("body", [b"junk", gzip.compress(b"one", mtime=0)[:-1]])
    def test_broken(self, body: bytes) -> None:
        response = self.response(**GZIP)
        with pytest.raises(DecodingError) as caught:
            response.absorb(body)
        assert caught.value.request is REQUEST
        assert response.is_closed

    @pytest.mark.parametrize("encoded", [True, False])
    def test_among_many_fields(self, encoded: bool) -> None:
        fields = {f"X-{number}": "" for number in range(20)} | (GZIP if encoded else {})
        response = self.response(**fields)
        response.absorb(gzip.compress(b"one") if encoded else b"one")
        assert response.content == b"one"

    def test_frames(self) -> None:
        # One call per request: the fewer frames the better.
        response = self.response(**{"Content-Type": "a/b"})
        frames = 0

        def count(frame: Any, event: str, argument: Any) -> None:
            nonlocal frames
            frames += event == "call"

        sys.setprofile(count)
        try:
            response.absorb(b"one")
        finally:
            sys.setprofile(None)
        assert frames <= 2


def typed(content_type: str | None, content: bytes = b"\xe9", **arguments: Any) -> Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Response(200, headers=headers, content=content, **arguments)


class TestText:
    @pytest.mark.parametrize(
        ("content_type", "charset", "encoding"),
        [
            (None, None, "utf-8"),
            ("text/plain", None, "utf-8"),
            ("text/plain; charset=ISO-8859-1", "iso-8859-1", "iso-8859-1"),
            ("text/plain; charset=unheard-of", "unheard-of", "utf-8"),
            ("text/plain; charset=hex", "hex", "utf-8"),
        ],
    )
    def test_encoding(self, content_type: str | None, charset: str | None, encoding: str) -> None:
        response = typed(content_type)
        assert response.charset_encoding == charset
        assert response.encoding == encoding
        assert response.text == ("\xe9" if encoding == "iso-8859-1" else "\ufffd")
        assert response.text is response.text

    def test_encoding_can_be_set_before_text_is_used(self) -> None:
        response = typed("text/plain; charset=utf-8")
        response.encoding = "latin-1"
        assert response.encoding == "latin-1"
        assert response.text == "\xe9"
        with pytest.raises(ValueError, match=r"before \.text"):
            response.encoding = "utf-8"

    def test_encoding_can_be_taken_back(self) -> None:
        response = typed("text/plain; charset=latin-1")
        response.encoding = "ascii"
        response.encoding = None
        assert response.encoding == "latin-1"

    def test_default_encoding(self) -> None:
        assert typed(None, default_encoding="latin-1").text == "\xe9"
        assert typed("text/plain; charset=ascii", default_encoding="latin-1").text == "\ufffd"

    def test_default_encoding_found_in_the_content(self) -> None:
        seen = []

        def detect(content: bytes) -> str:
            seen.append(content)
            return "latin-1"

        response = Response(200, stream=Pieces(b"\xe9"), default_encoding=detect)
        assert response.encoding == "utf-8"
        response.read()
        assert response.encoding == "latin-1"
        assert response.text == "\xe9"
        assert seen == [b"\xe9"]

    def test_detector_that_knows_nothing(self) -> None:
        detect: Callable[[bytes], Any] = lambda content: None  # noqa: E731
        assert typed(None, default_encoding=detect).encoding == "utf-8"

    def test_needs_the_content(self) -> None:
        with pytest.raises(ResponseNotRead):
            Response(200, stream=Pieces()).text  # noqa: B018

    @pytest.mark.parametrize(
        "content", [b"", b"\xff\xfe\x00", bytes(range(256)), b"\\xzz xn--\x80", b"+AGQ-\x80+"]
    )
    def test_no_charset_of_the_server_raises(self, content: bytes) -> None:
        names = {*encodings.aliases.aliases, *encodings.aliases.aliases.values(), "idna", "undefined"}
        for name in sorted(names | {"punycode", "unicode_escape", "raw_unicode_escape", "utf_8_sig"}):
            response = typed(f"text/plain; charset={name}", content)
            assert isinstance(response.text, str), name
            assert isinstance("".join(typed(f"text/plain; charset={name}", content).iter_text()), str)

    @pytest.mark.parametrize("name", ["utf-7", "UTF7", "unicode-1-1-utf-7", "u7"])
    def test_utf_7_is_nobodys(self, name: str) -> None:
        """It hides markup, and takes quadratic time where it comes in pieces."""
        response = typed(f"text/html; charset={name}", b"+ADw-script+AD4-")
        assert (response.text, response.encoding) == ("+ADw-script+AD4-", "utf-8")

    @pytest.mark.parametrize("bom", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
    def test_text_and_iter_text_agree(self, bom: bytes) -> None:
        content = bom + "a\u20ac".encode("utf-16-le" if bom == codecs.BOM_UTF16_LE else "utf-16-be")
        response = typed("text/plain; charset=utf-16", content)
        assert response.text == "".join(response.iter_text()) == "a\u20ac"


@pytest.mark.parametrize("more", ["", "; a=" + "b" * contents.MAX_REMEMBERED])
def test_charsets_are_remembered_of_short_types(more: str) -> None:
    contents._charset_of.cache_clear()
    for _ in range(2):
        assert typed("text/plain; charset=latin-1" + more).text == "é"
    assert contents._charset_of.cache_info().currsize == (not more)


class TestJSON:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-le"])
    def test_utf_of_each_width(self, encoding: str) -> None:
        assert Response(200, content='{"a":"\u20ac"}'.encode(encoding)).json() == {"a": "\u20ac"}

    def test_arguments(self) -> None:
        assert Response(200, content=b"1.5").json(parse_float=str) == "1.5"

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"nul", b'"\xff"'])
    def test_none_at_all(self, content: bytes) -> None:
        with pytest.raises(ValueError):
            Response(200, content=content).json()
        with pytest.raises(json.JSONDecodeError):
            Response(200, content=b"{").json()

    @pytest.mark.parametrize(
        "content",
        [
            b"[" * 1_000_000,
            b'{"a":' * 1_000_000,
            b"[" * 100_000 + b"]" * 100_000,
            b"9" * 1_000_000,
            b"-" + b"9" * 5000,
            b'"\xff"',
            b"\xff\xfe\x00",
            b"\xef\xbb",
            b"\x00\xd8\x00\x00",
            b'"\\ud8',
            b"",
        ],
    )
    def test_only_value_errors(self, content: bytes) -> None:
        with pytest.raises(ValueError):
            Response(200, content=content).json()

    @given(st.binary(max_size=50))
    def test_only_value_errors_of_anything(self, content: bytes) -> None:
        with suppress(ValueError):
            Response(200, content=content).json()

    def test_any_depth(self) -> None:
        with pytest.raises(ValueError, match="nested too deeply"):
            Response(200, content=b"[" * 100_000).json()

    def test_needs_the_content(self) -> None:
        with pytest.raises(ResponseNotRead):
            Response(200, stream=Pieces()).json()


class TestStages:
    @pytest.mark.parametrize("cut", range(0, 40, 3))
    def test_lines_of_encoded_text_cut_anywhere(self, cut: int) -> None:
        encoded = gzip.compress("a\u20ac\r\nb\n".encode())
        response = Response(200, headers=GZIP, stream=Pieces(encoded[:cut], encoded[cut:]))
        assert list(response.iter_lines()) == ["a\u20ac", "b"]

    def test_what_the_decoder_holds_back_comes_at_the_end(self) -> None:
        class Late:
            """Gives out everything at the end, as no decoder of ours does."""

            def __init__(self) -> None:
                self.held = b""

            def decode(self, data: bytes) -> Iterator[bytes]:
                self.held += data
                return iter(())

            def flush(self) -> Iterator[bytes]:
                return iter([self.held])

        for stage, expected in (
            (stages.Bytes(Late()), [b"a\nb"]),
            (stages.Whole(Late()), [b"a\nb"]),
            (stages.Text(stages.Bytes(Late()), "utf-8"), ["a\nb"]),
            (stages.Lines(stages.Text(stages.Bytes(Late()), "utf-8")), ["a", "b"]),
        ):
            assert list(stage.feed(b"a\nb")) == []  # type: ignore[attr-defined]
            assert list(stage.finish()) == expected  # type: ignore[attr-defined]


def test_errors_are_of_the_documented_kind() -> None:
    assert issubclass(DecodingError, RequestError)


def test_an_asynchronous_reading_can_be_ended() -> None:
    async def read() -> list[bytes]:
        response = Response(200, content=b"abcd")
        reading: Any = response.aiter_bytes(chunk_size=2)
        first = await anext(reading)
        await reading.aclose()
        return [first, *[piece async for piece in reading]]

    assert asyncio.run(read()) == [b"ab"]


def test_an_asynchronous_reading_that_nobody_steps_any_more() -> None:
    """Its coroutine is closed where it stands, and must not wait for anything."""
    stream = AsyncPieces(b"one")
    response = Response(200, stream=stream)
    reading: Any = anext(response.aiter_raw())
    reading.send(None)
    reading.close()
    assert (stream.taken, stream.closed, response.is_closed) == (0, 0, False)
