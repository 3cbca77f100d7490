"""What the views have of their own: small functions and classes with the behaviour that packages expect of them."""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import httpure
from httpure.standin.views import _content, _decoders, _exceptions, _models, _status_codes, _urlparse, _utils


def test_small_functions() -> None:
    assert _utils.to_bytes("ä") == "ä".encode() and _utils.to_bytes(b"x") == b"x"
    assert _utils.to_str("ä".encode("latin-1"), "latin-1") == "ä" and _utils.to_str("x") == "x"
    assert _utils.to_bytes_or_str("x", match_type_of="") == "x"
    assert _utils.to_bytes_or_str("x", match_type_of=b"") == b"x"
    assert [_utils.unquote(text) for text in ('"a"', "a", '"', '"a')] == ["a", "a", '"', '"a']
    assert [_utils.primitive_value_to_str(value) for value in (True, False, None, 1.5, "x")] == [
        *("true", "false", "", "1.5", "x")
    ]
    assert _utils.is_ipv4_hostname("127.0.0.1") and _utils.is_ipv4_hostname("10.0.0.0/8")
    assert not _utils.is_ipv4_hostname("::1") and not _utils.is_ipv4_hostname("example.org")
    assert _utils.is_ipv6_hostname("::1") and not _utils.is_ipv6_hostname("127.0.0.1")


def test_the_length_of_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("rb") as file:
        assert _utils.peek_filelike_length(file) == 3
    memory = io.BytesIO(b"abcd")
    memory.read(1)
    assert (_utils.peek_filelike_length(memory), memory.tell()) == (4, 1)
    without: Any = object()
    assert _utils.peek_filelike_length(without) is None


def test_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy")
    monkeypatch.setenv("NO_PROXY", "example.org")
    assert _utils.get_environment_proxies() == {"http://": "http://proxy", "all://*example.org": None}


def test_iterables_as_streams() -> None:
    stream = _content.IteratorByteStream([b"a", b"b"])
    assert list(stream) == list(stream) == [b"a", b"b"]
    once = _content.IteratorByteStream(iter([b"a"]))
    assert list(once) == [b"a"]
    with pytest.raises(httpure.StreamConsumed):
        list(once)


def test_async_iterables_as_streams() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"

    async def main() -> None:
        once = _content.AsyncIteratorByteStream(pieces())
        assert [piece async for piece in once] == [b"a"]
        with pytest.raises(httpure.StreamConsumed):
            [piece async for piece in once]

    asyncio.run(main())


def test_a_mock_may_be_a_stream_of_both_colours() -> None:
    class Both(_content.AsyncIteratorByteStream, _content.IteratorByteStream):
        def __init__(self, pieces: Any) -> None:
            _content.AsyncIteratorByteStream.__init__(self, pieces)
            _content.IteratorByteStream.__init__(self, pieces)

    assert list(Both([b"a"])) == [b"a"]


def test_bodies_are_encoded() -> None:
    def encoded(result: Any) -> tuple[str, bytes]:
        headers, stream = result
        return headers.get("Content-Type", ""), b"".join(stream)

    assert encoded(_content.encode_content("ä")) == ("", "ä".encode())
    assert encoded(_content.encode_urlencoded_data({"a": "1"})) == (
        "application/x-www-form-urlencoded",
        b"a=1",
    )
    assert encoded(_content.encode_json([1, 2])) == ("application/json", b"[1,2]")
    assert encoded(_content.encode_text("x")) == ("text/plain; charset=utf-8", b"x")
    assert encoded(_content.encode_html("x")) == ("text/html; charset=utf-8", b"x")
    content_type, body = encoded(_content.encode_multipart_data({"a": "1"}, {"f": b"x"}, boundary=b"+++"))
    assert content_type == 'multipart/form-data; boundary="+++"' or content_type.endswith("boundary=+++")
    assert body.startswith(b"--+++\r\n") and body.endswith(b"--+++--\r\n")
    assert encoded(_content.encode_request(data={"a": "1"}, files={"f": b"x"}))[0].startswith(
        "multipart/form-data"
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [("gzip", gzip.compress(b"text", mtime=0)), ("deflate", zlib.compress(b"text")), ("identity", b"text")],
)
def test_decoders_return_bytes(name: str, data: bytes) -> None:
    decoder = _decoders.SUPPORTED_DECODERS[name]()
    assert decoder.decode(data[:3]) + decoder.decode(data[3:]) + decoder.flush() == b"text"


def test_decoders_that_are_supported() -> None:
    assert list(_decoders.SUPPORTED_DECODERS)[:3] == ["identity", "gzip", "deflate"]
    assert _models.SUPPORTED_DECODERS is _decoders.SUPPORTED_DECODERS
    several = _decoders.MultiDecoder([_decoders.DeflateDecoder(), _decoders.GZipDecoder()])
    assert several.decode(gzip.compress(zlib.compress(b"text"))) + several.flush() == b"text"
    with pytest.raises(TypeError):
        _decoders.SUPPORTED_DECODERS["own"] = _decoders.IdentityDecoder  # type: ignore[index]  # nobody would look
    broken = _decoders.GZipDecoder()
    broken.decode(gzip.compress(b"text", mtime=0)[:-4])
    with pytest.raises(httpure.DecodingError):
        broken.flush()


def test_a_decoder_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_decoders, "decoder_for", lambda codings: None)
    with pytest.raises(ImportError, match="No library is installed that can decode 'br'"):
        _decoders.BrotliDecoder()


def test_a_decoder_is_to_be_written() -> None:
    with pytest.raises(NotImplementedError, match="ContentDecoder must implement decode"):
        _decoders.ContentDecoder().decode(b"")
    with pytest.raises(NotImplementedError, match="ContentDecoder must implement flush"):
        _decoders.ContentDecoder().flush()


def test_errors_get_their_request() -> None:
    request = httpure.Request("GET", "http://example.org")
    with pytest.raises(httpure.ConnectError) as caught, _exceptions.request_context(request):
        raise httpure.ConnectError("no")
    assert caught.value.request is request
    with pytest.raises(httpure.ConnectError), _exceptions.request_context():
        raise httpure.ConnectError("no")


def test_the_leftover_of_a_loop() -> None:
    assert _status_codes.code.NOT_FOUND == 404  # as some have it, who took it for the class


def test_urls_taken_apart() -> None:
    parsed = _urlparse.urlparse("https://user@EXAMPLE.org:8443/a b?q#f")
    assert parsed == ("https", "user", "example.org", 8443, "/a%20b", "q", "f")
    assert (parsed.netloc, parsed.authority) == ("example.org:8443", "user@example.org:8443")
    assert str(parsed) == "https://user@example.org:8443/a%20b?q#f"
    with pytest.raises(_urlparse.InvalidURL):
        _urlparse.urlparse("http://[")
