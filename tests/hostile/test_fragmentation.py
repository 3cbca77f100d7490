"""However bytes are cut, hostile ones and others, they mean the same: at the machines themselves, without any I/O.

Each case of the tables is fed in two pieces, cut at each of its bytes, and byte by byte; in the fast lane and without.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from httpure_core.http1.connection import Http1Connection
from httpure_core.http2.connection import Http2Connection
from tests.peers import CLOSE

from . import test_http1_chunks, test_http1_framing, test_http1_heads, test_http2, test_informational
from .cases import Case
from .http2 import HELLO

#: Bytes. Of longer ones, nobody learns more.
LONGEST = 160

TABLES = (
    *test_http1_heads.STATUS_LINES,
    *test_http1_heads.FIELDS,
    *test_http1_framing.LENGTHS,
    *test_http1_framing.CODINGS,
    *test_http1_framing.ENDS,
    *test_http1_chunks.SIZES,
    *test_http1_chunks.LINE_ENDS,
    *test_http1_chunks.EXTENSIONS,
    *test_http1_chunks.TRAILERS,
    *test_informational.CASES,
)
TABLES2 = (
    *test_http2.GREETINGS,
    *test_http2.HEADS,
    *test_http2.MESSAGES,
    *test_http2.FRAMES,
    *test_http2.BLOCKS,
)


def told(case: Any) -> bytes:
    return b"".join(step for step in case.script if isinstance(step, bytes))


def small(cases: Iterable[Any]) -> list[Any]:
    return [case for case in cases if 0 < len(told(case)) <= LONGEST and not case.client]


def pieces(whole: bytes) -> Iterable[list[bytes]]:
    """Yield ways to cut it, the one without a cut first."""
    yield [whole]
    for at in range(1, len(whole)):
        yield [whole[:at], whole[at:]]
    yield [whole[at : at + 1] for at in range(len(whole))]


def told_of(stream: Any, connection: Any) -> tuple[Any, ...]:
    """Return what a client would see of an exchange. The words of an error may depend on how much had come."""
    failure = None if stream.failure is None else type(stream.failure)
    if failure is not None:
        return failure, connection.reusable
    fields = [(name.lower(), value) for name, value in stream.fields]
    trailers = [(name.lower(), value) for name, value in stream.trailers]
    return stream.status, fields, b"".join(taken(stream)), trailers, stream.ended, connection.reusable


def taken(stream: Any) -> Iterable[bytes]:
    while piece := stream.take():
        yield bytes(piece)


def after1(case: Case, parts: list[bytes], fast: bool) -> tuple[Any, ...]:
    connection = Http1Connection(fast)
    fields = [(b"Host", b"a")]
    content = case.request.get("content")
    if content:
        fields.append((b"Content-Length", b"%d" % len(content)))
    stream = connection.open_stream(case.method.encode(), b"/", fields, content or b"")
    connection.data_to_send()
    for part in parts:
        connection.receive_data(part)
    if CLOSE in case.script:
        connection.receive_eof()
    return told_of(stream, connection)


@pytest.mark.parametrize("case", small(TABLES), ids=str)
def test_http1(case: Case) -> None:
    expected = after1(case, [told(case)], True)
    for count, parts in enumerate(pieces(told(case))):
        assert after1(case, parts, True) == expected, parts
        if count % 3 == 0:  # h11 alone looks at it as it would anyway, nearly always
            assert after1(case, parts, False) == expected, parts


def after2(case: Any, parts: list[bytes]) -> tuple[Any, ...]:
    connection = Http2Connection(b"http")
    stream = connection.open_stream(b"GET", b"/", [(b"Host", b"a")], b"")
    connection.data_to_send()
    if case.hello is not HELLO:
        parts = [case.hello, *parts]
    for part in parts:
        connection.receive_data(part)
        connection.data_to_send()
    if CLOSE in case.script:
        connection.receive_eof()
    return told_of(stream, connection)


@pytest.mark.parametrize("case", small(TABLES2), ids=str)
def test_http2_too(case: Any) -> None:
    whole = (b"" if case.hello is not HELLO else HELLO) + told(case)
    expected = after2(case, [whole])
    for parts in pieces(whole):
        assert after2(case, parts) == expected, parts
