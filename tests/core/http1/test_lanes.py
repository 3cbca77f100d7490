"""The fast lane and h11 are fed the same bytes, cut anywhere: they must say the same.

`many_lanes.py` does so with a million cases.
"""

from __future__ import annotations

import subprocess
import sys
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
        (connection.idle_limit, connection.requests_left),
        stream.informational,
        stream.raw is None,
        connection.data_to_send(),
    )


def assert_same(
    answer: bytes,
    cuts: list[int],
    method: bytes = b"GET",
    fields: tuple[tuple[bytes, bytes], ...] = (HOST,),
    body: bytes = b"",
    eof: bool = True,
) -> tuple[object, ...]:
    """Feed both; return what both say."""
    edges = [0, *sorted({cut % (len(answer) + 1) for cut in cuts}), len(answer)]
    pieces = [answer[a:b] for a, b in pairwise(edges) if a < b]
    by_fast = outcome(True, method, list(fields), body, pieces, eof)
    by_h11 = outcome(False, method, list(fields), body, pieces, eof)
    assert by_fast == by_h11
    return by_fast


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
    b"HTTP/1.1 200\tOK",
    b"HTTP/1.1  200 OK",
    b"HTTP/1.1 200 a\x00b",
    b"HTTP/1.1 200 a\rb",
    b"HTTP/1.1 200 OK\n",
    b"HTTP/1.1 200 \xff\xfe ",
    b"HTTP/1.1 599 ",
    b"HTTP/1.1 600 Odd",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 205 Reset Content",
    b"HTTP/1.1 301 " + b"a" * 300,
]
#: What comes before the answer: other answers, and what servers put between them by mistake.
BEFORE = [
    b"",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\x00",
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
    b"connection:keep-alive\t",
    b"Connection: Keep-Alive",
    b"Connection: , close ,",
    b"Connection: upgrade",
    b"Proxy-Connection: close",
    b"Keep-Alive: timeout=5, max=100",
    b"Keep-Alive: max=0",
    b"Set-Cookie: a=b; path=/",
    b"Set-Cookie: c=d",
    b"Content-Encoding: gzip",
    b"Content-Length: 5\x0b",
    b"Content-Length : 5",
    b"Content-Length: 5,5",
    b"Content-Length: 6",
    b"Content-Length: -5",
    b"Content-Length: 0x5",
    b"Content-Length: 5 5",
    b"Content-Length: 00000000000000000005",
    b"Content-Length: 999999999999999",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: \tchunked",
    b"Transfer-Encoding: chunked;a=b",
    b"Transfer-Encoding:",
    b"transfer-encoding: chunked",
    b"Trailer: X",
    b"Upgrade: h2c",
    b"X: \t a \t ",
    b"X: a\rb",
    b"X: a\nb",
    b"X: a\r",
    b"X:\ra",
    b"X: " + b"a" * 200,
    b"X: \x7f",
    b"X:: y",
    b"X\x00: y",
    b"\xff: y",
    b"X\t: y",
    b"",
    b" ",
    b"\x00",
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
    b"a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"helloHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nX: y\r\n folded\r\n\r\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\x00\r\n\r\n",
    b"5\r\nhello\r\n0;a=b\r\n\r\n",
    b"5;a\x00\r\nhello\r\n0\r\n\r\n",
    b'5 ;a="b"\r\nhello\r\n0\r\n\r\n',
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r",
    b"5\r\nhello\r\n0\r\n\rX",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r\n\r\n0\r\n\r\n",
    b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"000000000000000005\r\nhello\r\n0\r\n\r\n",
    b"hello\r\n",
    b"0\r\n\r\n",
    b"\x00",
]
ENDS = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\r\n", b"\n\r\n"])
lines = st.one_of(
    st.sampled_from(FIELD_LINES),
    st.sampled_from(FIELD_LINES),
    st.builds(
        lambda name, between, value: name + between + value,
        st.sampled_from([b"X", b"Content-Length", b"Transfer-Encoding", b"Connection", b"cOnTeNt-LeNgTh"]),
        st.sampled_from([b":", b": ", b":\t", b" :", b""]),
        st.one_of(st.binary(max_size=4), st.sampled_from([b"5", b"chunked", b"close", b"5\r\n 5"])),
    ),
)
# As a rule all lines end alike; where each has an end of its own, nearly all of them are good ones.
answers = st.one_of(
    st.builds(
        lambda before, line, fields, end, body: b"".join(
            [before, line, end, *[field + end for field in fields], end, body]
        ),
        st.sampled_from(BEFORE[:1] * 12 + BEFORE),
        st.sampled_from(STATUS_LINES[:1] * 12 + STATUS_LINES),
        st.lists(lines, max_size=5),
        st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r"]),
        st.sampled_from(BODIES),
    ),
    st.builds(
        lambda line, start, fields, end, body: b"".join(
            [line, start, *[field + end for field, end in fields], end, body]
        ),
        st.sampled_from(STATUS_LINES),
        ENDS,
        st.lists(st.tuples(lines, ENDS), max_size=4),
        ENDS,
        st.sampled_from(BODIES),
    ),
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
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\nKeep-Alive: max=1\r\n\r\nhelloX",
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
    assert connection._slow_lane is None


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


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, tuple[bytes, bytes]]:
    """What is remembered of responses; nothing at first, and three lines of each kind at most."""
    lines: dict[bytes, tuple[bytes, bytes]] = {}
    monkeypatch.setattr(strict, "_known_lines", lines)
    monkeypatch.setattr(strict, "_known_starts", {})
    monkeypatch.setattr(strict, "_MOST_LINES", 3)
    return lines


def head_of(*fields: bytes, start: bytes = b"HTTP/1.1 200 OK") -> strict.Head | None:
    return strict.read_head(b"\r\n".join([start, *fields, b"Content-Length: 0", b"\r\n"]), b"GET")


class TestRememberedLines:
    def test_are_read_alike(self, known: dict[bytes, tuple[bytes, bytes]]) -> None:
        first = head_of(b"X:  y\t", b"Connection: keep-alive")
        assert set(known) == {b"X:  y\t", b"Connection: keep-alive"}
        assert first is not None
        assert first == head_of(b"X:  y\t", b"Connection: keep-alive")
        assert first[2] == [(b"X", b"y"), (b"Connection", b"keep-alive"), (b"Content-Length", b"0")]

    def test_are_none_that_frame_or_may_be_secret_or_are_long(
        self, known: dict[bytes, tuple[bytes, bytes]]
    ) -> None:
        for line in (
            b"Connection: close",
            b"Keep-Alive: max=5",
            b"Set-Cookie: a=b",
            b"X-Auth-Token: abc",
            b"X: " + b"a" * 2000,
        ):
            head = head_of(line)
            assert head is not None
            assert line.startswith(head[2][0][0])
        assert known == {}

    def test_make_room_for_others(self, known: dict[bytes, tuple[bytes, bytes]]) -> None:
        for number in range(4):
            head_of(b"X: %d" % number)
        assert set(known) == {b"X: 3"}

    def test_are_bounded_for_statuses_too(self, known: dict[bytes, tuple[bytes, bytes]]) -> None:
        for status in range(200, 210):
            head = head_of(start=b"HTTP/1.1 %d OK" % status)
            assert head is not None
            assert head[:2] == (status, b"OK")
        assert head_of(start=b"HTTP/1.1 200 " + b"a" * 2000) is not None
        assert len(strict._known_starts) == 3


def test_a_head_longer_than_most_is_read() -> None:
    head = head_of(b"X: " + b"a" * 5000)
    assert head is not None
    assert len(head[2][0][1]) == 5000
    assert strict.read_head(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000, b"GET") is None


def test_the_fast_lane_needs_no_h11() -> None:
    """Its import is a third of a first request. (In a process of its own: here it is long since imported.)"""
    code = """if True:
        import sys
        from httpure_core.http1.connection import Http1Connection
        connection = Http1Connection()
        for size in (b"2", b"2"):
            stream = connection.open_stream(b"GET", b"/", [(b"Host", b"example.org")], b"")
            connection.data_to_send()
            connection.receive_data(b"HTTP/1.1 200 OK\\r\\nContent-Length: " + size + b"\\r\\n\\r\\nOK")
            print(stream.status, stream.ended, "h11" in sys.modules)
        connection.open_stream(b"GET", b"/", [(b"Host", b"example.org")], b"")
        connection.receive_data(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: gzip, chunked\\r\\n\\r\\n")
        print("h11" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "200 True False\n" * 2 + "True\n"
