"""How large the parts of a message may be that are held until they are whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..contracts import MAX_FIELDS, MAX_TRAILERS, MAX_TRAILERS_SIZE

if TYPE_CHECKING:
    import h11
else:
    from .late import h11

__all__ = ["MAX_HEAD_SIZE", "check_head", "check_trailers"]

#: Bytes of status line and fields of a head.
MAX_HEAD_SIZE = 256 * 1024
#: What a field has besides name and value: colon, space and line end.
_AROUND = 4


def check_head(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raise h11.RemoteProtocolError for a head, which has come in one piece, that is too long."""
    _check(headers, "fields", MAX_FIELDS, MAX_HEAD_SIZE)


def check_trailers(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raise h11.RemoteProtocolError for trailers that are too long."""
    _check(headers, "trailers", MAX_TRAILERS, MAX_TRAILERS_SIZE)


def _check(headers: Sequence[tuple[bytes, bytes]], what: str, most: int, most_bytes: int) -> None:
    size = sum(len(name) + len(value) + _AROUND for name, value in headers)
    if len(headers) > most or size > most_bytes:
        raise h11.RemoteProtocolError(
            f"{len(headers)} {what} of {size} bytes, where {most} of {most_bytes} are allowed"
        )
