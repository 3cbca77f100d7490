"""How bodies are shown, by what they are."""

from __future__ import annotations

import io

import pytest

import httpure
from httpure._cli import display
from httpure._cli.display import Display, Raw
from httpure._cli.printing import Printer


def shown(pieces: list[bytes], media: str | None, interactive: bool = False) -> str:
    """Show a body that comes in these pieces."""
    stream = io.StringIO()
    printer = Printer(stream)
    printer.interactive = interactive
    headers = {} if media is None else {"Content-Type": media}
    response = httpure.Response(200, headers=headers, stream=httpure.ByteStream(b""))
    receiver = Display(printer)
    receiver.begin(response)
    for piece in pieces:
        receiver.feed(piece)
    receiver.finish()
    return stream.getvalue()


@pytest.mark.parametrize("interactive", [False, True])
@pytest.mark.parametrize(
    ("pieces", "media", "text"),
    [
        ([], "text/plain", ""),
        ([], "application/json", ""),
        ([], "image/png", ""),
        ([], None, ""),
        ([b"hello"], "text/plain", "hello\n"),
        ([b"hello\n"], "text/plain", "hello\n"),
        (["grün".encode()[:3], "grün".encode()[3:]], "text/plain", "grün\n"),
        (["grün".encode("latin-1")], "text/plain; charset=iso-8859-1", "grün\n"),
        ([b"gr\xfcn"], "text/plain; charset=no-such", "gr\ufffdn\n"),
        ([b"cut \xc3"], "text/plain", "cut \ufffd\n"),
        ([b"a"], "application/vnd.unknown", "a\n"),
        ([b"a", b"\0"], None, "a\0\n"),
        (["grün".encode("cp1252")], "application/vnd.unknown; charset=cp1252", "grün\n"),
    ],
)
def test_text(pieces: list[bytes], media: str | None, text: str, interactive: bool) -> None:
    assert shown(pieces, media, interactive) == (text.replace("\0", r"\x00") if interactive else text)


@pytest.mark.parametrize("media", ["application/octet-stream", "image/png", "application/x-unknown", None])
def test_binary_data_is_counted(media: str | None) -> None:
    assert shown([b"\0" * 10, b"\xff" * 3], media) == "<13 bytes of binary data>\n"
    assert "--download" in shown([b"\0" * 10, b"\xff" * 3], media, interactive=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_json(encoding: str) -> None:
    body = '{"Größe":1.10}'.encode(encoding)
    pieces = [body[:7], body[7:]]
    assert shown(pieces, "application/json") == '{\n    "Größe": 1.10\n}\n'
    assert shown(pieces, "application/problem+json; charset=utf-8") == '{\n    "Größe": 1.10\n}\n'


@pytest.mark.parametrize("body", [b"no json", b"{", b"\xff\xfe\x00", b"[" * 5000])
def test_what_calls_itself_json(body: bytes) -> None:
    assert shown([body], "application/json") == body.decode(errors="replace") + "\n"


def test_long_json_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not kept in memory."""
    monkeypatch.setattr(display._Json, "limit", 10)
    assert shown([b'{"a": ', b'"0123', b'456789"', b"}"], "application/json") == '{"a": "0123456789"}\n'
    assert shown([b'{"a": ', b"1}"], "application/json") == '{\n    "a": 1\n}\n'


def test_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    for media, body in (
        ("text/html", b"<p>x</p>"),
        ("application/json", b'{"a": 1}'),
        ("image/svg+xml", b"<svg/>"),
        ("application/atom+xml", b"<a/>"),
        ("text/css", b"p { color: red }"),
    ):
        assert "\x1b[" in shown([body], media, interactive=True), media
    assert shown([b"a,b"], "text/no-such-language", interactive=True) == "a,b\n"


def test_what_would_take_long_to_colour_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(display._Coloured, "limit", 10)
    monkeypatch.setattr(display, "MAX_COLOURED", 10)
    assert shown([b"<p>012345678", b"9</p>"], "text/html", interactive=True) == "<p>0123456789</p>\n"
    assert shown([b'{"a": "0123456789"}'], "application/json", True) == '{\n    "a": "0123456789"\n}\n'


def test_lines_are_shown_when_they_come() -> None:
    stream = io.StringIO()
    receiver = Display(Printer(stream))
    receiver.begin(httpure.Response(200, headers={"Content-Type": "text/event-stream"}))
    receiver.feed(b"data: 1\n\n")
    assert stream.getvalue() == "data: 1\n\n"


def test_raw() -> None:
    stream = io.BytesIO()
    receiver = Raw(stream)
    receiver.begin(httpure.Response(200))
    receiver.feed(b"\0\xff")
    assert stream.getvalue() == b"\0\xff"
    receiver.finish()
    assert stream.getvalue() == b"\0\xff"
