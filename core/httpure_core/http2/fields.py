"""Fields as HTTP/2 wants them (RFC 9113 section 8): requests on their way out, responses on their way in.

Names are in lower case, the parts of the request line and the status are pseudo-fields before all others, and what
concerns only the one connection (Connection, Transfer-Encoding, ...) has no place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..contracts import Fields
from ..errors import LocalProtocolError, head_too_large
from ..limits import DEFAULT_LIMITS, Limits
from .faults import StreamFault
from .limits import MAX_HEADER_LIST_SIZE

__all__ = ["Head", "RequestHead", "check_target", "is_secret", "read_head", "read_trailers", "write_head"]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VISIBLE = re.compile(rb"[\x21-\x7e]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_STATUS = re.compile(rb"[1-9][0-9]{2}")
_LENGTH = re.compile(rb"[0-9]{1,15}")

#: What belongs to one connection only (RFC 9113 section 8.2.2). TE may say "trailers", in requests.
_OF_THE_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"http2-settings")
)
_FORBIDDEN = _OF_THE_CONNECTION | {b"te"}
_CREDENTIALS = frozenset((b"authorization", b"proxy-authorization"))
#: Bytes of a cookie below which it could be guessed.
_SHORT_COOKIE = 20

#: Field names that were found to be right, with their lower-case forms; bounded.
_names: dict[bytes, bytes] = {}
_MOST_NAMES = 2000


class RequestHead(NamedTuple):
    """The head of a request, as HPACK gets it."""

    fields: Fields
    length: int | None  #: bytes of body that Content-Length promises


def write_head(scheme: bytes, method: bytes, target: bytes, fields: Fields) -> RequestHead:
    """Return the head of a request (runs once per request). Raises LocalProtocolError."""
    host: bytes | None = None
    length: int | None = None
    nominated: set[bytes] = set()
    regular: Fields = []
    for name, value in fields:
        lower = _names.get(name) or _checked_name(name)
        if not _VALUE.fullmatch(value):
            raise _refused(f"the field {lower.decode()} has a byte that no value may have")
        if lower == b"host":
            if host is not None:
                raise _refused("it has more than one Host")
            host = value
        elif lower in _FORBIDDEN:
            options = [option.strip() for option in value.lower().split(b",")]
            if lower == b"connection":
                nominated.update(options)
            elif lower == b"te" and b"trailers" in options:
                regular.append((lower, b"trailers"))
        else:
            if lower == b"content-length":
                length = _declared_length(length, value)
            regular.append((lower, value))
    if nominated:
        regular = [field for field in regular if field[0] not in nominated]
    return RequestHead([*_pseudo_fields(scheme, method, target, host), *regular], length)


def is_secret(name: bytes, value: bytes) -> bool:
    """Whether the field must stay out of compression, where it could be guessed at (RFC 7541 section 7.1.3)."""
    return name in _CREDENTIALS or (name == b"cookie" and len(value) < _SHORT_COOKIE)


def _pseudo_fields(scheme: bytes, method: bytes, target: bytes, host: bytes | None) -> Fields:
    if not _METHOD.fullmatch(method):
        raise _refused(f"its method {method!r} is no token")
    check_target(target)
    if method == b"CONNECT":
        return [(b":method", method), (b":authority", target)]
    if not host or not _VISIBLE.fullmatch(host):
        raise _refused("its Host is missing or not valid")
    return [(b":method", method), (b":scheme", scheme), (b":authority", host), (b":path", target)]


def check_target(target: bytes) -> None:
    """Raise LocalProtocolError if the target can be none (runs once per request)."""
    if not _VISIBLE.fullmatch(target):
        raise _refused("its target is empty, or has a space or a byte that is not ASCII")


def _declared_length(before: int | None, value: bytes) -> int:
    if not _LENGTH.fullmatch(value) or before not in (None, int(value)):
        raise _refused("its Content-Length is no number, or is there twice")
    return int(value)


def _checked_name(name: bytes) -> bytes:
    lower = name.lower()
    if not _NAME.fullmatch(lower):
        raise _refused(f"the field name {name!r} is no token")
    if len(_names) < _MOST_NAMES:
        _names[name] = lower
    return lower


def _refused(why: str) -> LocalProtocolError:
    return LocalProtocolError(f"The request cannot be sent over HTTP/2: {why}")


class Head(NamedTuple):
    """The head of a response."""

    status: int
    fields: Fields
    length: int | None  #: bytes of body that Content-Length promises; 0 where there can be no body


def read_head(block: Iterable[tuple[bytes, bytes]], method: bytes, limits: Limits = DEFAULT_LIMITS) -> Head:
    """Read the head of a response to a request of this method (runs once per response).

    Raises StreamFault and HeadTooLarge.
    """
    pairs = iter(block)
    name, value = next(pairs, (b"", b""))
    if name != b":status" or not _STATUS.fullmatch(value):
        raise StreamFault("its head does not begin with a :status of three digits")
    status = int(value)
    fields = _read_fields(pairs)
    _measure_head(fields, limits)
    length: int | None = None
    for name, value in fields:
        if name == b"content-length":
            if not _LENGTH.fullmatch(value) or length not in (None, int(value)):
                raise StreamFault("its Content-Length is no number, or two different ones")
            length = int(value)
    if method == b"HEAD" or status in (204, 304):
        length = 0
    elif method == b"CONNECT" and status < 300:
        length = None
    return Head(status, fields, length)


def read_trailers(block: Iterable[tuple[bytes, bytes]], limits: Limits = DEFAULT_LIMITS) -> Fields:
    """Read the fields behind a body. Raises StreamFault and HeadTooLarge."""
    fields = _read_fields(block)
    size = sum(len(name) + len(value) for name, value in fields)
    has = "The trailer section of the response has"
    if len(fields) > limits.max_trailers:
        raise head_too_large(has, len(fields), "fields", limits.max_trailers, "max_trailers")
    if size > limits.max_trailers_size:
        raise head_too_large(has, size, "bytes", limits.max_trailers_size, "max_trailers_size")
    if any(name == b"content-length" for name, _ in fields):
        raise StreamFault("a trailer says how long the body is")
    return fields


def _measure_head(fields: Fields, limits: Limits) -> None:
    """See whether a head is within the limits. That it is within those of HTTP/2, its decoder has seen to."""
    has = "The head of the response has"
    if len(fields) > limits.max_fields:
        raise head_too_large(has, len(fields), "fields", limits.max_fields, "max_fields")
    if min(limits.max_field_size, limits.max_head_size) >= MAX_HEADER_LIST_SIZE:
        return
    sizes = [len(name) + len(value) for name, value in fields]
    longest, size = max(sizes, default=0), sum(sizes)
    if longest > limits.max_field_size:
        has = "A field of the head of the response has"
        raise head_too_large(has, longest, "bytes", limits.max_field_size, "max_field_size")
    if size > limits.max_head_size:
        raise head_too_large(has, size, "bytes", limits.max_head_size, "max_head_size")


def _read_fields(block: Iterable[tuple[bytes, bytes]]) -> Fields:
    fields: Fields = []
    for name, value in block:
        if not _NAME.fullmatch(name):
            raise StreamFault(f"the field name {name[:100]!r} is not allowed")
        if name in _FORBIDDEN:
            raise StreamFault(f"it has the field {name.decode()}, which HTTP/2 does not allow")
        if not _VALUE.fullmatch(value):
            raise StreamFault(f"the field {name.decode()} has a byte that no value may have")
        # White space around it makes a response malformed, but enough servers do it that curl lets it pass, too.
        fields.append((name, value.strip(b" \t")))
    return fields
