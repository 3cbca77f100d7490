"""Why a response will never be whole, in words, as the errors that users see."""

from __future__ import annotations

import re

from ..errors import HeadTooLarge, ReadError, RemoteProtocolError, how_far
from ..layers import in_words, reason_of
from .faults import Code, name_of
from .stream import Http2Stream

__all__ = [
    "broken_off",
    "cut_off",
    "farewell",
    "going_away",
    "lost",
    "malformed",
    "reset_by_peer",
    "unheard",
]

_UNPRINTABLE = re.compile(rb"[^\x20-\x7e]")
#: Bytes of a peer's own words that are passed on.
_MOST_WORDS = 100
_NOT_LOOKED_AT = "it has not looked at the request, which can be sent again"


def farewell(code: int, words: bytes) -> str:
    """Return what a GOAWAY frame said."""
    text = _UNPRINTABLE.sub(b"?", words[:_MOST_WORDS]).decode()
    return f"GOAWAY {name_of(code)}" + (f": {text}" if text else "")


def going_away(stream: Http2Stream, goodbye: str) -> RemoteProtocolError:
    """The peer said goodbye before it came to this stream (RFC 9113 section 6.8)."""
    if not stream.unanswered:  # it says that it has not, and it has
        return RemoteProtocolError(f"The server is closing the connection ({goodbye}) {_how_far(stream)}")
    failure = RemoteProtocolError(f"The server is closing the connection ({goodbye}); {_NOT_LOOKED_AT}")
    failure.unprocessed = True
    return failure


def reset_by_peer(stream: Http2Stream, code: int) -> RemoteProtocolError:
    """The peer reset the stream (RFC 9113 section 6.4)."""
    text = f"The server reset the stream ({name_of(code)})"
    unprocessed = code == Code.REFUSED_STREAM and stream.unanswered
    if unprocessed:
        text += f"; {_NOT_LOOKED_AT}"
    elif code == Code.HTTP_1_1_REQUIRED:
        text += ": it wants this request over HTTP/1.1, so use http2=False"
    else:
        text += f" {_how_far(stream)}"
    failure = RemoteProtocolError(text)
    failure.unprocessed = unprocessed
    return failure


def broken_off(fault: str, limit: str) -> RemoteProtocolError:
    """The peer broke a rule of the connection, or the limit of that name."""
    text = f"The server broke the rules of HTTP/2: {fault}"
    return HeadTooLarge(text, limit=limit) if limit else RemoteProtocolError(text)


def malformed(text: str) -> RemoteProtocolError:
    """The peer broke a rule of this stream."""
    return RemoteProtocolError(text)


def cut_off(stream: Http2Stream, greeted: bool, goodbye: str) -> RemoteProtocolError:
    """The peer closed the connection; `greeted` if it had spoken HTTP/2 at all."""
    if greeted:
        said = f" ({goodbye})" if goodbye else ""
        failure = RemoteProtocolError(f"The server closed the connection{said} {_how_far(stream)}")
    else:
        failure = RemoteProtocolError(
            "The server closed the connection without a word of HTTP/2; perhaps it speaks HTTP/1.1 only"
        )
    failure.reason = "closed"
    return failure


def lost(error: OSError) -> ReadError:
    """The operating system, or TLS, lost the connection."""
    failure = ReadError(f"The connection was lost: {in_words(error)}")
    failure.reason = reason_of(error)
    return failure


def unheard(seconds: float) -> ReadError:
    """The peer has not answered a PING (RFC 9113 section 6.7)."""
    failure = ReadError(f"The connection was lost: the peer did not answer a PING within {seconds:g} s")
    failure.reason = "unreachable"
    return failure


def _how_far(stream: Http2Stream) -> str:
    return how_far(stream.status, stream.received, stream.length)
