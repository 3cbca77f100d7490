"""Bodies that go out piece by piece: with the fast lane, the wire and the outcome are those of h11."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from httpure_core.errors import LocalProtocolError
from httpure_core.http1 import slow as module
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.http1.outgoing import OutgoingBody

HOST = (b"Host", b"example.org")
CHUNKED = (b"Transfer-Encoding", b"chunked")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

#: Heads with which a body may follow, or not: plain ones, odd ones, wrong ones.
HEADS: list[list[tuple[bytes, bytes]]] = [
    [HOST, CHUNKED],
    [(b"content-length", b"5"), HOST],
    [HOST, (b"Content-Length", b"0")],
    [HOST, (b"Content-Length", b"012")],
    [HOST, CHUNKED, (b"Connection", b"keep-alive")],
    [HOST, CHUNKED, (b"Connection", b"close")],
    [HOST, (b"Transfer-Encoding", b"Chunked")],
    [HOST, (b"Transfer-Encoding", b"gzip")],
    [HOST, CHUNKED, CHUNKED],
    [HOST, HOST, CHUNKED],
    [HOST, CHUNKED, (b"Content-Length", b"5")],
    [HOST, (b"Content-Length", b"5"), (b"Content-Length", b"5")],
    [HOST, (b"Content-Length", b"5"), CHUNKED],
    [HOST, (b"Content-Length", b"5,5")],
    [HOST, (b"Content-Length", b"-5")],
    [HOST, (b"Content-Length", b"five")],
    [HOST, (b"Content-Length", b"5"), (b"Expect", b"100-continue")],
    [HOST, CHUNKED, (b"Upgrade", b"echo"), (b"Connection", b"Upgrade")],
    [HOST, CHUNKED, (b"X", b"a\r\nb: c")],
    [HOST],
    [CHUNKED],
]
ANSWERS = [
    OK,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
    b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;odd\r\nhi\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    OK + b"more",
    b"HTTP/1.1 2",
    b"no HTTP at all\r\n\r\n",
]

pieces = st.one_of(st.binary(max_size=6), st.sampled_from([b"", b"hello", b"x" * 300]))
#: A piece of the request's body, its end, or some bytes of the answer.
acts = st.lists(st.one_of(pieces, st.none(), st.integers(1, 90)), max_size=7)


def outcome(
    fast: bool, head: list[tuple[bytes, bytes]], acts: list[bytes | int | None], answer: bytes
) -> Any:
    """Take the steps; return what was seen after each of them."""
    connection = Http1Connection(fast=fast)
    log: list[Any] = []
    try:
        stream = connection.open_stream(b"POST", b"/x", list(head), None)
    except LocalProtocolError as exc:
        return str(exc)
    for act in acts:
        try:
            if isinstance(act, int):
                data, answer = answer[:act], answer[act:]
                if data:
                    connection.receive_data(data)
            elif act is None:
                stream.end_data()
            else:
                stream.send_data(memoryview(act))
        except LocalProtocolError as exc:
            # Whoever sends gives the exchange up then.
            return (log, str(exc), connection.close_reason, connection.reusable)
        log.append(
            (
                bytes(connection.data_to_send()),
                stream.status,
                stream.informational,
                stream.take(),
                stream.ended,
                type(stream.failure),
                stream.trailers,
                # What it means for what is left to send: of a response that has ended, nothing asks any more.
                stream.ended or stream.duplex,
                connection.close_reason if stream.ended else None,
                connection.reusable,
            )
        )
    if stream.ended and connection.reusable:  # nothing of the last exchange is left
        connection.open_stream(b"GET", b"/", [HOST], b"")
        log.append((bytes(connection.data_to_send()), connection.close_reason))
    return log


@settings(max_examples=60)
@given(st.sampled_from(HEADS), acts, st.sampled_from(ANSWERS))
@example([HOST, HOST, CHUNKED], [], OK)
@example([HOST, CHUNKED], [b"hello", None, 90], OK)
@example([HOST, CHUNKED], [b"hello", 90, b"more", None], OK)
@example([HOST, CHUNKED], [b"hello", 10, b"more", None, 90], ANSWERS[5])
@example([HOST, CHUNKED], [b"hello", 90, b"more", None], ANSWERS[5])
@example([HOST, CHUNKED], [b"", 30, b"", b"hello", None, 90, b"late"], ANSWERS[6])
@example([HOST, CHUNKED], [None, None, 90], OK)
@example([HOST, CHUNKED], [None, b"late"], OK)
@example([HOST, (b"Content-Length", b"5")], [b"he", 90, b"llo"], ANSWERS[1])
@example([HOST, (b"Content-Length", b"5")], [b"he", 90, b"llo", 90], ANSWERS[8])
@example([HOST, (b"Content-Length", b"5")], [b"hello", 90], ANSWERS[9])
@example([HOST, (b"Content-Length", b"5")], [b"hello", b"!"], OK)
@example([HOST, (b"Content-Length", b"5")], [b"hello!"], OK)
@example([HOST, (b"Content-Length", b"5")], [b"hell", None], OK)
@example([HOST, (b"Content-Length", b"0")], [90], OK)
@example([HOST, (b"Content-Length", b"0")], [None, 90], OK)
@example([HOST, (b"Content-Length", b"0")], [b"", None, 90], ANSWERS[6])
def test_same_wire_and_outcome_as_with_h11(
    head: list[tuple[bytes, bytes]], acts: list[bytes | int | None], answer: bytes
) -> None:
    assert outcome(True, head, acts, answer) == outcome(False, head, acts, answer)


@pytest.mark.parametrize("field", [CHUNKED, (b"Content-Length", b"10")])
def test_h11_is_not_needed_for_what_is_plain(
    field: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "h11", None)
    connection = Http1Connection()
    for _ in range(2):
        stream = connection.open_stream(b"POST", b"/", [HOST, field], None)
        stream.send_data(b"hello")
        stream.send_data(b"there")
        stream.end_data()
        connection.data_to_send()
        connection.receive_data(OK)
        assert stream.take() == b"hi" and connection.reusable


def test_a_large_piece_is_not_copied() -> None:
    connection = Http1Connection()
    stream = connection.open_stream(b"POST", b"/", [HOST, (b"Content-Length", b"9")], None)
    connection.data_to_send()
    view = memoryview(b"some data")
    stream.send_data(view)
    assert connection.data_to_send() is view


def test_an_answer_to_the_last_byte_is_no_early_one() -> None:
    for more, reason in ((b"lo", None), (b"l", CloseReason.ANSWERED_EARLY)):
        connection = Http1Connection()
        stream = connection.open_stream(b"POST", b"/", [HOST, (b"Content-Length", b"5")], None)
        stream.send_data(b"hel")
        stream.send_data(more)
        connection.receive_data(OK)
        assert stream.ended and connection.close_reason is reason


def test_counts_what_is_queued() -> None:
    out: list[bytes | memoryview] = []
    body = OutgoingBody(None)
    assert body.queue(b"0123456789", out) and body.queue(b"", out) and not body.whole
    assert body.queue(None, out) and body.whole and body.queued == 10
    assert b"".join(out) == b"a\r\n0123456789\r\n0\r\n\r\n"
