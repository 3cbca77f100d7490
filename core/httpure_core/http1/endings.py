"""How exchanges and connections end, and whether they were whole."""

from __future__ import annotations

import enum

from ..errors import RemoteProtocolError, how_far
from .stream import Http1Stream

__all__ = ["CloseReason", "cut_off", "is_framed"]


class CloseReason(enum.Enum):
    """Why a connection will carry no further request."""

    ABANDONED = "the exchange was given up before its end"
    ANSWERED_EARLY = "the server answered before the request was sent in full"
    DOUBTFUL = "the server announced a body where there can be none"
    FAILED = "the connection failed or the peer broke the rules"
    PEER_CLOSED = "the peer closed the connection"
    PEER_WILL_CLOSE = "one side said that it will close the connection"
    UNSOLICITED = "bytes came that no request had asked for"
    UPGRADED = "the connection left HTTP/1.1"


def is_framed(stream: Http1Stream) -> bool:
    """Whether the response itself tells where it ends: with a length, with its last chunk, or not before its head."""
    if not stream.status or stream.length is not None:
        return True
    return any(name.lower() == b"transfer-encoding" for name, _ in stream.fields)


def cut_off(stream: Http1Stream) -> RemoteProtocolError:
    """Return the error for a response whose connection the server closed before its end."""
    failure = RemoteProtocolError(f"The server closed the connection {_how_far(stream)}")
    failure.reason = "closed"
    return failure


def _how_far(stream: Http1Stream) -> str:
    return how_far(stream.status, stream.received, stream.length)
