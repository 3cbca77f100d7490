"""Terminals get colours and no control characters of others; pipes and files get the text."""

from __future__ import annotations

import io

import pytest

from httpure._cli.printing import Printer, visible


class Screen(io.StringIO):
    """A terminal, as far as Python can tell."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


def test_visible() -> None:
    assert visible("a\tb\r\nc\n") == "a\tb\nc\n"
    assert visible("\x1b[2Jgone\r\x7f\x9b") == r"\x1b[2Jgone\x0d\x7f\x9b"
    assert visible("grüße 世界") == "grüße 世界"


def test_a_pipe_gets_the_text() -> None:
    """Not cut, not padded, not coloured, and with its control characters."""
    stream = io.StringIO()
    printer = Printer(stream)
    assert not printer.interactive
    printer.code("x" * 500, "json")
    printer.line("line")
    printer.failure("ConnectError", "no [bold]luck")
    printer.flow("\x1b[1mflows")
    assert stream.getvalue() == "x" * 500 + "\nline\nConnectError: no [bold]luck\n\x1b[1mflows"


def test_a_terminal_gets_colours() -> None:
    stream = Screen()
    Printer(stream).code('{\n    "a": 1\n}\n', "json")
    coloured = stream.getvalue()
    assert "\x1b[" in coloured
    assert coloured.endswith("\n") and not coloured.endswith("\n\n")
    assert coloured.count("\n") == 3


def test_a_head_ends_in_an_empty_line() -> None:
    stream = io.StringIO()
    Printer(stream).head("HTTP/1.1 200 OK\na: b")
    assert stream.getvalue() == "HTTP/1.1 200 OK\na: b\n\n"


def test_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """https://no-color.org"""
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Screen()
    Printer(stream).code('{"a": 1}', "json")
    assert stream.getvalue() == '{"a": 1}\n'


def test_colours_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    Printer(stream).code('{"a": 1}', "json")
    assert "\x1b[" in stream.getvalue()


def test_a_failure_is_red_and_its_message_is_no_markup() -> None:
    stream = Screen()
    Printer(stream).failure("ConnectError", "no [bold]luck\x1b[2J")
    assert stream.getvalue() == "\x1b[31mConnectError\x1b[0m: no [bold]luck\\x1b[2J\n"


def test_a_server_cannot_write_on_the_terminal() -> None:
    stream = Screen()
    printer = Printer(stream)
    printer.flow("\x1b]0;title\x07")
    assert stream.getvalue() == r"\x1b]0;title\x07"
    printer.code("<p>\x1b[2J</p>", "html")
    assert "\x1b[2J" not in stream.getvalue()


def test_long_lines_are_not_cut_on_a_terminal() -> None:
    """The terminal wraps them, so that they can be copied."""
    stream = Screen()
    Printer(stream).code("x" * 500, "text")
    assert "x" * 500 in stream.getvalue()


def test_what_the_encoding_cannot_write() -> None:
    written = io.BytesIO()
    printer = Printer(io.TextIOWrapper(written, "ascii"))
    printer.line("grün")
    assert written.getvalue() == b"gr\\xfcn\n"
