"""The fast lane and h11 are fed the same bytes, cut anywhere: they must say the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from httpure_core.errors import LocalProtocolError
from httpure_core.http1 import strict
from httpure_core.http1.connection import Http1Connection

HOST = (b"Host", b"example.org")


def outcome(
    fast: bool,
    method: bytes,
    fields: list[tuple[bytes, bytes]],
    body: bytes,
    pieces: list[bytes],
    eof: bool,
) -> tuple[object, ...]:
    connection = Http1Connection(fast=fast)
    try:
        stream = connection.open_stream(method, b"/x?y", fields, body)
    except LocalProtocolError as exc:
        return ("refused", str(exc))
    sent = connection.data_to_send()
    for piece in pieces:
        connection.receive_data(piece)
    if eof:
        connection.receive_eof()
    failure = stream.failure
    return (
        sent,
        stream.status,
        stream.http_version,
        stream.reason,
        stream.fields,
        stream.take(),
        stream.trailers,
        stream.ended,
        type(failure),
        connection.close_reason if stream.ended else None,
        connection.reusable,
        connection.data_to_send(),
    )


def assert_same(
    answer: bytes,
    cuts: list[int],
    method: bytes = b"GET",
    fields: tuple[tuple[bytes, bytes], ...] = (HOST,),
    body: bytes = b"",
    eof: bool = True,
) -> None:
    edges = [0, *sorted({cut % (len(answer) + 1) for cut in cuts}), len(answer)]
    pieces = [answer[a:b] for a, b in pairwise(edges) if a < b]
    by_fast = outcome(True, method, list(fields), body, pieces, eof)
    by_h11 = outcome(False, method, list(fields), body, pieces, eof)
    assert by_fast == by_h11


STATUS_LINES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200 ",
    b"HTTP/1.1 200",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 404 N\xc3\xb6",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 999 Odd",
    b"HTTP/1.1 099 Odd",
    b"HTTP/1.1 20O OK",
    b"HTTP/2.0 200 OK",
    b"http/1.1 200 OK",
    b"ICY 200 OK",
    b" HTTP/1.1 200 OK",
]
FIELD_LINES = [
    b"Content-Length: 5",
    b"content-length:5",
    b"Content-Length: 0",
    b"Content-Length: 05",
    b"Content-Length: +5",
    b"Content-Length: 5, 5",
    b"Content-Length: 5\t ",
    b"Content-Length: 9999999999999999999999",
    b"Content-Length: \xb2",
    b"Content-Length:",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: Chunked ",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Connection: close",
    b"Connection: Keep-Alive, Close",
    b"Connection: keep-alive",
    b"X: y",
    b"X:",
    b"X: \x01",
    b"X: a\x00b",
    b"X: a\x0bb",
    b"X: \xff\xfe",
    b"X y: z",
    b"X : z",
    b" folded",
    b"\tfolded",
    b": empty",
    b"noColon",
]
BODIES = [
    b"",
    b"hello",
    b"hello!",
    b"hell",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\nextra",
    b"05\r\nhello\r\n000\r\n\r\n",
    b"5;ext=1\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
    b"5\r\nhelloXX0\r\n\r\n",
    b"5\r\nhello\rX0\r\n\r\n",
    b"5\nhello\n0\n\n",
    b"-1\r\nhello\r\n0\r\n\r\n",
    b"\r\n",
    b"fffffffffffffffff\r\nx",
    b"fffffffffffffff\r\nx",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n",
]
answers = st.builds(
    lambda line, fields, end, body: b"".join([line, end, *[field + end for field in fields], end, body]),
    st.sampled_from(STATUS_LINES),
    st.lists(st.sampled_from(FIELD_LINES), max_size=4),
    st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"]),
    st.sampled_from(BODIES),
)
cuts = st.lists(st.integers(0, 400), max_size=4)


@settings(max_examples=600)
@given(answers, cuts, st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT"]), st.booleans())
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [45, 47], b"GET", False)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", [], b"GET", False)
def test_same_outcome_for_answers_of_likely_parts(
    answer: bytes, cuts: list[int], method: bytes, eof: bool
) -> None:
    assert_same(answer, cuts, method, eof=eof)


PLAIN = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
]


@example(
    PLAIN[1],
    [(60, b"\0", 0)],
    [71],
)
@settings(max_examples=300)
@given(
    st.sampled_from(PLAIN),
    st.lists(st.tuples(st.integers(0, 90), st.binary(max_size=2), st.integers(0, 2)), max_size=3),
    cuts,
)
def test_same_outcome_for_plain_answers_with_random_damage(
    answer: bytes, damage: list[tuple[int, bytes, int]], cuts: list[int]
) -> None:
    for at, put_in, taken_out in damage:
        answer = answer[:at] + put_in + answer[at + taken_out :]
    assert_same(answer, cuts)


@pytest.mark.parametrize("answer", PLAIN)
def test_same_outcome_cut_at_every_byte(answer: bytes) -> None:
    for cut in range(len(answer) + 1):
        assert_same(answer, [cut])
        assert_same(answer[:cut], [])
        assert_same(answer[:cut], [], eof=False)


names = st.sampled_from(
    [b"Host", b"host", b"X-Y", b"X Y", b"", b"a:b", b"Content-Length", b"Connection", b"Expect"]
)
values = st.one_of(
    st.sampled_from(
        [
            b"",
            b"x",
            b" x",
            b"x ",
            b"a\r\nb: c",
            b"a\x00",
            b"5",
            b"0",
            b"close",
            b"keep-alive",
            b"\xff",
            b"\x01",
        ]
    ),
    st.binary(max_size=3),
)


@settings(max_examples=500)
@given(
    st.sampled_from([b"GET", b"PO ST", b"", b"HEAD", b"CONNECT"]),
    st.lists(st.tuples(names, values), max_size=4),
    st.sampled_from([b"", b"hello"]),
)
def test_same_requests_are_refused_or_sent(
    method: bytes, fields: list[tuple[bytes, bytes]], body: bytes
) -> None:
    for given_fields in (fields, [HOST, *fields]):
        by_fast = outcome(True, method, given_fields, body, [], False)
        assert by_fast == outcome(False, method, given_fields, body, [], False)


def test_the_fast_lane_is_really_taken() -> None:
    connection = Http1Connection()
    connection.open_stream(b"GET", b"/", [HOST], b"")
    connection.receive_data(PLAIN[0])
    connection.open_stream(b"GET", b"/", [HOST], b"")
    connection.receive_data(PLAIN[1])
    assert connection.reusable
    assert connection._h11 is None


def test_an_odd_answer_leaves_only_its_own_exchange_to_h11() -> None:
    connection = Http1Connection()
    odd = connection.open_stream(b"GET", b"/", [HOST], b"")
    connection.receive_data(b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 2\r\n\r\nok")
    assert (odd.take(), odd.ended, connection.reusable) == (b"ok", True, True)
    plain = connection.open_stream(b"GET", b"/", [HOST], b"")
    assert connection._fast
    connection.receive_data(PLAIN[0])
    assert (plain.take(), connection.reusable) == (b"hello", True)


@pytest.mark.parametrize("body", [b"", None])
def test_what_is_sent_after_the_answer_is_dropped(body: bytes | None) -> None:
    """The answer came before the request was whole: the rest of it goes nowhere, and harms nobody."""
    connection = Http1Connection()
    stream = connection.open_stream(
        b"POST", b"/", [HOST, (b"Content-Length", b"5")][: 2 if body is None else 1], body
    )
    connection.receive_data(PLAIN[0])
    connection.data_to_send()
    stream.send_data(b"hello")
    stream.end_data()
    assert connection.data_to_send() == b""


def test_names_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "_MOST_NAMES", len(strict._names))
    fields = [HOST, (b"X-Never-Seen-Before", b"1")]
    assert strict.write_request(b"GET", b"/", fields, b"") is not None
    assert b"X-Never-Seen-Before" not in strict._names
