"""What a body is, as far as Content-Type says: text, JSON, bytes for programs, or nobody knows."""

from __future__ import annotations

import enum

from httpure_core.models.headers import Headers

__all__ = ["Kind", "kind_of", "looks_like_text", "media_type"]


class Kind(enum.Enum):
    """How a body wants to be shown."""

    TEXT = enum.auto()
    #: Text of which each line counts when it comes: shown at once, whatever its colours would be.
    LIVE = enum.auto()
    JSON = enum.auto()
    BINARY = enum.auto()
    UNKNOWN = enum.auto()


_LIVE = frozenset(
    {
        "text/plain",
        "text/event-stream",
        "application/x-ndjson",
        "application/jsonl",
        "application/json-seq",
    }
)
_TEXT = frozenset(
    {
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/sql",
        "application/toml",
        "application/x-javascript",
        "application/x-sh",
        "application/x-www-form-urlencoded",
        "application/x-yaml",
        "application/xml",
        "application/xml-dtd",
        "application/yaml",
        "message/http",
    }
)
_BINARY = frozenset({"application/octet-stream", "application/pdf", "application/zip", "application/gzip"})
_BINARY_FAMILIES = frozenset({"audio", "font", "image", "video"})


def media_type(headers: Headers) -> str:
    """Return the media type in lower case, without its parameters; "" if there is none."""
    value: str = headers.get("content-type", "")
    return value.partition(";")[0].strip().lower()


def kind_of(media: str) -> Kind:
    """Return the kind of a media type that `media_type` gave."""
    family, _, name = media.partition("/")
    if media in _LIVE:
        return Kind.LIVE
    if name == "json" or name.endswith("+json"):
        return Kind.JSON
    if family == "text" or media in _TEXT or name.endswith(("+xml", "+yaml")):
        return Kind.TEXT
    if media in _BINARY or family in _BINARY_FAMILIES:
        return Kind.BINARY
    return Kind.UNKNOWN


def looks_like_text(start: bytes) -> bool:
    """Tell by the first bytes of a body whether it is text in UTF-8; a character may be cut at their end."""
    import codecs

    if b"\0" in start:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True
