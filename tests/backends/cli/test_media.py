"""What Content-Type says of how a body is shown."""

from __future__ import annotations

import pytest

import httpure
from httpure._cli.media import Kind, kind_of, looks_like_text, media_type


@pytest.mark.parametrize(
    ("media", "kind"),
    [
        ("application/json", Kind.JSON),
        ("application/problem+json", Kind.JSON),
        ("text/json", Kind.JSON),
        ("text/html", Kind.TEXT),
        ("application/xml", Kind.TEXT),
        ("image/svg+xml", Kind.TEXT),
        ("application/javascript", Kind.TEXT),
        ("text/plain", Kind.LIVE),
        ("text/event-stream", Kind.LIVE),
        ("application/x-ndjson", Kind.LIVE),
        ("application/octet-stream", Kind.BINARY),
        ("image/png", Kind.BINARY),
        ("application/vnd.something", Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
        ("nonsense", Kind.UNKNOWN),
    ],
)
def test_kind(media: str, kind: Kind) -> None:
    assert kind_of(media) is kind


def test_media_type() -> None:
    assert media_type(httpure.Headers({"Content-Type": " Text/HTML ; charset=x"})) == "text/html"
    assert media_type(httpure.Headers()) == ""


@pytest.mark.parametrize(
    ("start", "is_text"),
    [
        (b"plain", True),
        ("grün".encode(), True),
        ("grü".encode()[:-1], True),  # cut within a character
        (b"\x89PNG", False),
        (b"a\0b", False),
        ("grün".encode("latin-1"), False),
    ],
)
def test_looks_like_text(start: bytes, is_text: bool) -> None:
    assert looks_like_text(start) is is_text
