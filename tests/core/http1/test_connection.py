"""The HTTP/1.1 machine: bytes in, a response out; each case cut at every byte.

All of it in both lanes: with `fast=False`, h11 reads and writes everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.contracts import READ_AHEAD
from httpure_core.errors import LocalProtocolError, ReadError, RemoteProtocolError
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.http1.stream import Http1Stream
from httpure_core.layers import UnannouncedEnd
from httpure_core.limits import DEFAULT_LIMITS

HOST = (b"Host", b"example.org")
UPGRADE = ((b"Connection", b"upgrade"), (b"Upgrade", b"websocket"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def begin(
    method: bytes = b"GET", *fields: tuple[bytes, bytes], body: bytes | None = b"", fast: bool = True
) -> tuple[Http1Connection, Http1Stream]:
    connection = Http1Connection(fast)
    stream = connection.open_stream(method, b"/", [HOST, *fields], body)
    connection.data_to_send()
    return connection, stream


class Seen(NamedTuple):
    """All that can be told of an exchange from outside. Messages may differ with how the bytes were cut."""

    status: int
    reason: bytes
    version: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes
    trailers: list[tuple[bytes, bytes]]
    ended: bool
    failure: type[Exception] | None
    close_reason: CloseReason | None
    reusable: bool
    news: bool


def feed(connection: Http1Connection, stream: Http1Stream, pieces: Iterable[bytes]) -> Seen:
    """Feed pieces, b"" for the end of file, and take the body as it comes."""
    body = b""
    for piece in pieces:
        if piece:
            connection.receive_data(piece)
        else:
            connection.receive_eof()
        assert stream.buffered >= 0
        body += stream.take()
    return Seen(
        stream.status,
        stream.reason,
        stream.http_version,
        stream.fields,
        body,
        stream.trailers,
        stream.ended,
        None if stream.failure is None else type(stream.failure),
        connection.close_reason,
        connection.reusable,
        stream.signal.ready,
    )


class Case(NamedTuple):
    """A response that is right, and what it means."""

    wire: bytes
    status: int = 200
    body: bytes = b""
    close_reason: CloseReason | None = None
    method: bytes = b"GET"
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    eof: bool = False
    fields: tuple[tuple[bytes, bytes], ...] = ()


CASES = {
    "plain length": Case(OK, body=b"hello"),
    "no body": Case(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404),
    "no reason": Case(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"),
    "the same length twice": Case(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", body=b"hi"
    ),
    "chunked": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\n\r\n",
        body=b"hello, world",
    ),
    "chunked with trailers": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nDigest: abc\r\nX-Last: 1\r\n\r\n",
        body=b"hi",
        trailers=((b"Digest", b"abc"), (b"X-Last", b"1")),
    ),
    "HEAD": Case(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method=b"HEAD"),
    "HEAD of something chunked": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", method=b"HEAD"
    ),
    "204": Case(b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    "304 with a length": Case(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304),
    "1xx before": Case(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK, body=b"hello"
    ),
    "the server will close": Case(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        body=b"hi",
        close_reason=CloseReason.PEER_WILL_CLOSE,
    ),
    "we said that we close": Case(
        OK, body=b"hello", close_reason=CloseReason.PEER_WILL_CLOSE, fields=((b"Connection", b"close"),)
    ),
    "HTTP/1.0": Case(
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        body=b"hi",
        close_reason=CloseReason.PEER_WILL_CLOSE,
    ),
    "until the end of file": Case(
        b"HTTP/1.1 200 OK\r\n\r\nhello", body=b"hello", close_reason=CloseReason.PEER_CLOSED, eof=True
    ),
    "HTTP/1.0 until the end of file": Case(
        b"HTTP/1.0 200 OK\r\n\r\nhello", body=b"hello", close_reason=CloseReason.PEER_WILL_CLOSE, eof=True
    ),
    "an upgrade": Case(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        101,
        close_reason=CloseReason.UPGRADED,
        fields=UPGRADE,
    ),
    "a refused upgrade": Case(OK, body=b"hello", fields=UPGRADE),
    "obsolete folding": Case(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    "an empty line before it": Case(b"\r\n" + OK, body=b"hello"),
}

each_lane = pytest.mark.parametrize("fast", [True, False], ids=["fast", "h11"])
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def exchanged(case: Case, pieces: Iterable[bytes], fast: bool) -> Seen:
    return feed(*begin(case.method, *case.fields, fast=fast), [*pieces, b""] if case.eof else pieces)


@each_case
@each_lane
def test_a_response_means_what_it_says(case: Case, fast: bool) -> None:
    seen = exchanged(case, [case.wire], fast)
    assert (seen.status, seen.body, tuple(seen.trailers)) == (case.status, case.body, case.trailers)
    assert (seen.ended, seen.failure, seen.news) == (True, None, True)
    assert seen.close_reason is case.close_reason
    assert seen.reusable is (case.close_reason is None)


@each_case
@each_lane
def test_a_response_means_the_same_wherever_it_is_cut(case: Case, fast: bool) -> None:
    uncut = exchanged(case, [case.wire], fast)
    for cut in range(1, len(case.wire)):
        assert exchanged(case, [case.wire[:cut], case.wire[cut:]], fast) == uncut, cut
    assert exchanged(case, [case.wire[at : at + 1] for at in range(len(case.wire))], fast) == uncut


@each_case
@each_lane
def test_an_end_of_file_at_any_byte_is_a_failure_and_never_a_short_success(case: Case, fast: bool) -> None:
    head = case.wire.rindex(b"\r\n\r\n") + 4 if case.eof else len(case.wire)
    for cut in range(head):
        seen = feed(*begin(case.method, *case.fields, fast=fast), [case.wire[:cut], b""] if cut else [b""])
        assert (seen.ended, seen.failure) == (False, RemoteProtocolError), cut
        assert seen.close_reason is CloseReason.FAILED
        assert seen.news
        assert case.body.startswith(seen.body)


@each_case
@each_lane
def test_a_loss_of_the_connection_at_any_byte_is_a_failure(case: Case, fast: bool) -> None:
    for cut in range(len(case.wire)):
        connection, stream = begin(case.method, *case.fields, fast=fast)
        if cut:
            connection.receive_data(case.wire[:cut])
        connection.receive_eof(ConnectionResetError(104, "Connection reset by peer"))
        assert isinstance(stream.failure, ReadError)
        assert str(stream.failure) == "The connection was lost: Connection reset by peer"
        assert not (stream.ended or connection.reusable)


@each_case
@each_lane
def test_an_end_without_good_bye_counts_where_nothing_else_tells_the_end(case: Case, fast: bool) -> None:
    """The end of TLS: with a length or chunks, the answer is as short as if the end had been said in order."""
    head = case.wire.rindex(b"\r\n\r\n") + 4 if case.eof else len(case.wire)
    for cut in range(len(case.wire) + 1):
        connection, stream = begin(case.method, *case.fields, fast=fast)
        if cut:
            connection.receive_data(case.wire[:cut])
        whole = stream.ended
        connection.receive_eof(UnannouncedEnd())
        if cut >= head and case.eof:
            assert type(stream.failure) is ReadError
            assert "without the good-bye of TLS (close_notify)" in str(stream.failure)
        elif not whole:
            assert type(stream.failure) is RemoteProtocolError
            assert str(stream.failure).startswith("The server closed the connection before")
        assert stream.ended == whole == (stream.failure is None)
        assert not connection.reusable


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(5, "it broke"), "it broke"),
        (OSError("words"), "words"),
        (ConnectionResetError(), "ConnectionReset"),
    ],
)
def test_a_lost_connection_never_has_an_empty_message(error: OSError, words: str) -> None:
    connection, stream = begin()
    connection.receive_eof(error)
    assert words in str(stream.failure)


@each_case
@each_lane
def test_an_end_of_file_after_the_response_changes_nothing(case: Case, fast: bool) -> None:
    connection, stream = begin(case.method, *case.fields, fast=fast)
    connection.receive_data(case.wire)
    for error in (None, ConnectionResetError(), None):
        connection.receive_eof(error)
    assert (stream.ended, stream.failure, stream.take()) == (True, None, case.body)
    assert connection.close_reason is (case.close_reason or CloseReason.PEER_CLOSED)
    assert not connection.reusable


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

WRONG = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "head"),
    "binary": (bytes(range(32)) + b"\r\n\r\n", "head"),
    "bad status": (b"HTTP/1.1 2000 OK\r\n\r\n", "head"),
    "status 99": (b"HTTP/1.1 099 No\r\n\r\n", "head"),
    "bad field": (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "head"),
    "space before the colon": (
        b"HTTP/1.1 200 OK\r\nSet-Cookie : id=secret\r\n\r\nhello",
        "illegal header line that begins with 'Set-Cookie '",
    ),
    "length and coding": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "both Content-Length and Transfer-Encoding",
    ),
    "coding and length": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nhello",
        "both Content-Length and Transfer-Encoding",
    ),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "conflicting"),
    "two lengths in one field": (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", "conflicting"),
    "negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "bad Content-Length"),
    "hexadecimal length": (b"HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", "bad Content-Length"),
    "endless length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        "bad Content-Length",
    ),
    "unknown coding": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "chunked"),
    "two codings": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "chunked"),
    "bad chunk size": (CHUNKED + b"xyz\r\nhello\r\n", "body"),
    "negative chunk size": (CHUNKED + b"-5\r\nhello\r\n", "body"),
    "endless chunk size": (CHUNKED + b"f" * 21 + b"\r\n", "body"),
    "a chunk longer than it says": (CHUNKED + b"2\r\nhello\r\n0\r\n\r\n", "body"),
    "bad trailer": (CHUNKED + b"0\r\nno colon\r\n\r\n", "body"),
    "an upgrade that nobody asked for": (
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
        "head of the response is not valid HTTP/1.1: 101 Switching Protocols, which nobody asked for",
    ),
}


@pytest.mark.parametrize(("wire", "words"), WRONG.values(), ids=WRONG)
@each_lane
def test_what_is_wrong_is_refused_wherever_it_is_cut(wire: bytes, words: str, fast: bool) -> None:
    connection, stream = begin(fast=fast)
    uncut = feed(connection, stream, [wire])
    assert words in str(stream.failure)
    assert "secret" not in str(stream.failure) and len(str(stream.failure)) < 200
    assert (uncut.ended, uncut.failure) == (False, RemoteProtocolError)
    assert (uncut.close_reason, uncut.reusable, uncut.news) == (CloseReason.FAILED, False, True)
    first_failure = stream.failure
    feed(connection, stream, [OK, b"", b"more", b""])
    assert stream.failure is first_failure, "the first reason is the one to tell"
    for cut in range(1, min(len(wire), 200)):
        seen = feed(*begin(fast=fast), [wire[:cut], wire[cut:], b""])
        assert (seen.status, seen.ended, seen.failure) == (uncut.status, False, RemoteProtocolError), cut


def test_as_many_informational_responses_as_are_accepted() -> None:
    assert (
        feed(*begin(), [b"HTTP/1.1 103 Early Hints\r\n\r\n" * DEFAULT_LIMITS.max_informational + OK]).body
        == b"hello"
    )


def test_an_endless_head_is_refused() -> None:
    connection, stream = begin()
    connection.receive_data(b"HTTP/1.1 200 OK\r\n")
    line = b"X: " + b"x" * 8000 + b"\r\n"
    for _ in range(DEFAULT_LIMITS.max_head_size // len(line) + 2):
        connection.receive_data(line)
    assert isinstance(stream.failure, RemoteProtocolError)
    assert "head" in str(stream.failure)


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (b"", "before its response was there"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "before its response was there"),
        (OK[:-2], "before the response's body was whole: 3 of 5 bytes of it had come"),
        (CHUNKED + b"5\r\nhello\r\n", "body was whole: 5 bytes of it had come"),
        (CHUNKED + b"5;odd\r\nhello\r\n", "body was whole: 5 bytes of it had come"),
    ],
)
def test_who_closes_early_is_told_apart(wire: bytes, words: str) -> None:
    connection, stream = begin()
    feed(connection, stream, [wire, b""] if wire else [b""])
    with pytest.raises(RemoteProtocolError, match=words):
        raise stream.failure  # type: ignore[misc]


# Extra bytes, early answers


def test_bytes_behind_the_response_spoil_the_connection_but_not_the_response() -> None:
    for cut in range(1, len(OK) + 3):
        wire = OK + b"HTTP"
        seen = feed(*begin(), [wire[:cut], wire[cut:]])
        assert (seen.ended, seen.body, seen.close_reason) == (True, b"hello", CloseReason.UNSOLICITED)
        assert not seen.reusable


@each_lane
def test_bytes_behind_a_response_without_a_body_are_none(fast: bool) -> None:
    seen = feed(*begin(fast=fast), [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nextra"])
    assert (seen.ended, seen.body, seen.close_reason) == (True, b"", CloseReason.UNSOLICITED)


def test_bytes_before_any_request_spoil_the_connection() -> None:
    connection = Http1Connection()
    assert connection.wants_data
    connection.receive_data(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert connection.close_reason is CloseReason.UNSOLICITED
    assert not connection.reusable
    assert not connection.wants_data, "nobody will ever read what a server says that does not stop"


def test_an_end_of_file_before_any_request() -> None:
    connection = Http1Connection()
    connection.receive_eof()
    assert connection.close_reason is CloseReason.PEER_CLOSED
    connection.receive_data(b"x")
    assert connection.close_reason is CloseReason.PEER_CLOSED, "the first reason stays"


def test_bytes_behind_an_upgrade_are_not_unsolicited() -> None:
    connection, stream = begin(b"GET", *UPGRADE)
    connection.receive_data(CASES["an upgrade"].wire + b"\x81\x05")
    connection.receive_data(b"hello")
    assert stream.status == 101
    assert connection.close_reason is CloseReason.UPGRADED


def test_an_answer_before_the_request_was_sent() -> None:
    connection, stream = begin(b"POST", (b"Content-Length", b"10"), body=None)
    stream.send_data(b"half.")
    connection.receive_data(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    assert (stream.status, stream.take(), stream.ended) == (413, b"no", True)
    assert connection.close_reason is CloseReason.ANSWERED_EARLY
    assert not connection.reusable


@pytest.mark.parametrize("behind", [b"", b"tunnelled"])
def test_an_accepted_connect_has_no_body(behind: bytes) -> None:
    """RFC 9110 section 9.3.6: what follows belongs to the tunnel."""
    connection, stream = begin(b"CONNECT")
    connection.receive_data(b"HTTP/1.1 200 Connection established\r\n\r\n" + behind)
    assert (stream.status, stream.ended) == (200, True)
    assert not connection.reusable


def test_a_refused_connect_is_a_response_as_any() -> None:
    connection, stream = begin(b"CONNECT")
    connection.receive_data(b"HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno")
    assert (stream.status, stream.take(), stream.ended) == (407, b"no", True)


def test_an_odd_answer_to_a_request_with_a_body() -> None:
    connection, stream = begin(b"POST", (b"Content-Length", b"5"), body=b"hello")
    assert feed(connection, stream, [CASES["chunked"].wire]).body == b"hello, world"
    assert (connection.data_to_send(), connection.reusable) == (b"", True), "nothing is sent a second time"


# One exchange after the other


def test_a_connection_serves_one_exchange_after_the_other() -> None:
    connection = Http1Connection()
    assert connection.reusable
    for number in range(5):
        stream = connection.open_stream(b"GET", b"/%d" % number, [HOST], b"")
        assert not connection.reusable
        assert connection.data_to_send().startswith(b"GET /%d HTTP/1.1\r\nHost: example.org\r\n" % number)
        seen = feed(connection, stream, [OK])
        assert (seen.body, seen.reusable) == (b"hello", True)


def test_a_response_has_its_own_fields_in_their_order_and_case() -> None:
    wire = b"HTTP/1.1 200 Fine Indeed\r\nSet-Cookie: a=1\r\nX-MiXeD: v\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    seen = feed(*begin(), [wire])
    assert (seen.reason, seen.version) == (b"Fine Indeed", b"HTTP/1.1")
    assert seen.fields == [
        (b"Set-Cookie", b"a=1"),
        (b"X-MiXeD", b"v"),
        (b"Set-Cookie", b"b=2"),
        (b"Content-Length", b"0"),
    ]
    assert feed(*begin(), [b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"]).version == b"HTTP/1.0"


# The request on the wire


def test_head_and_small_body_are_one_piece() -> None:
    connection = Http1Connection()
    connection.open_stream(b"POST", b"/x?y", [HOST, (b"Content-Length", b"5")], b"hello")
    assert connection.data_to_send() == (
        b"POST /x?y HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello"
    )
    assert connection.data_to_send() == b""


def test_a_body_in_pieces() -> None:
    connection = Http1Connection()
    stream = connection.open_stream(b"POST", b"/", [HOST, (b"Content-Length", b"5")], None)
    connection.data_to_send()
    stream.send_data(b"he")
    assert connection.data_to_send() == b"he"
    assert connection.data_to_send() == b""
    stream.send_data(b"llo")
    stream.end_data()
    assert connection.data_to_send() == b"llo"


def test_a_chunked_body() -> None:
    connection = Http1Connection()
    stream = connection.open_stream(b"POST", b"/", [HOST, (b"Transfer-Encoding", b"chunked")], None)
    assert connection.data_to_send().endswith(b"\r\n\r\n")
    stream.send_data(b"hello")
    assert connection.data_to_send() == b"5\r\nhello\r\n"
    stream.end_data()
    assert connection.data_to_send() == b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "target", "fields"),
    [
        (b"GET", b"/", []),
        (b"GET", b"/", [HOST, HOST]),
        (b"GET", b"/", [HOST, (b"X", b"a\r\nY: b")]),
        (b"GET", b"/", [HOST, (b"X\n", b"a")]),
        (b"GET", b"/", [HOST, (b"", b"a")]),
        (b"G T", b"/", [HOST]),
        (b"GET", b"/ HTTP/1.1\r\nX: y", [HOST]),
        (b"GET", b"/", [HOST, (b"Content-Length", b"1, 2")]),
        (b"GET", b"/", [HOST, (b"Transfer-Encoding", b"gzip")]),
    ],
)
def test_a_request_that_breaks_the_rules_is_refused_before_anything_is_sent(
    method: bytes, target: bytes, fields: list[tuple[bytes, bytes]]
) -> None:
    connection = Http1Connection()
    with pytest.raises(LocalProtocolError, match=r"cannot be sent over HTTP/1\.1: .+"):
        connection.open_stream(method, target, fields, b"")
    assert connection.data_to_send() == b""
    assert connection.reusable
    connection.open_stream(b"GET", b"/", [HOST], b"")
    assert connection.data_to_send()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("field", "message"),
    [
        ((b"X-Y", b"hush\0"), "the value of 'X-Y' holds a control character"),
        ((b"X-Y", b"hush\x01"), "the value of 'X-Y' holds a control character"),
        ((b"X-Y", b"hush\x7f"), "the value of 'X-Y' holds a control character"),
        ((b"Host", b"hush hush"), "its Host holds characters that no host name"),
    ],
)
def test_what_was_put_into_a_request_after_it_was_made(
    field: tuple[bytes, bytes], message: str, fast: bool
) -> None:
    fields = [field] if field[0] == b"Host" else [HOST, field]
    with pytest.raises(LocalProtocolError, match=message) as caught:
        Http1Connection(fast).open_stream(b"GET", b"/", fields, b"")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("value", [b"hush ", b" hush", b"\thush"])
def test_a_refusal_does_not_show_the_value_of_a_field(value: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="the value of header 'x-y' begins or ends with") as caught:
        Http1Connection().open_stream(b"GET", b"/", [HOST, (b"X-Y", value)], b"")
    assert "hush" not in str(caught.value)


def test_a_request_with_length_and_coding_is_refused() -> None:
    """RFC 9112 section 6.2: it is how requests are smuggled. Fields may be changed after the request was made."""
    fields = [HOST, (b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")]
    with pytest.raises(LocalProtocolError):
        Http1Connection().open_stream(b"POST", b"/", fields, b"hello")


@pytest.mark.parametrize("body", [b"hell", b"hello!"])
def test_a_body_of_another_length_than_was_declared(body: bytes) -> None:
    connection = Http1Connection()
    with pytest.raises(LocalProtocolError, match="longer" if len(body) > 5 else "shorter"):
        connection.open_stream(b"POST", b"/", [HOST, (b"Content-Length", b"5")], body)
    assert not connection.reusable


@pytest.mark.parametrize("body", [b"hell", b"hello!"])
def test_a_body_of_another_length_leaves_nothing_to_send(body: bytes) -> None:
    connection = Http1Connection()
    with pytest.raises(LocalProtocolError):
        connection.open_stream(b"POST", b"/", [HOST, (b"Content-Length", b"5")], body)
    assert connection.data_to_send() == b""


def test_a_longer_body_in_pieces() -> None:
    connection, stream = begin(b"POST", (b"Content-Length", b"5"), body=None)
    stream.send_data(b"hello")
    with pytest.raises(LocalProtocolError, match="body is longer than its Content-Length says"):
        stream.send_data(b"!")
    assert connection.close_reason is CloseReason.ABANDONED


def test_a_shorter_body_in_pieces() -> None:
    connection, stream = begin(b"POST", (b"Content-Length", b"5"), body=None)
    stream.send_data(b"hell")
    with pytest.raises(LocalProtocolError, match="body is shorter than its Content-Length says"):
        stream.end_data()
    assert not connection.reusable


# Reading ahead, and giving up


def test_a_slow_reader_stops_the_link() -> None:
    connection = Http1Connection()
    assert connection.wants_data
    stream = connection.open_stream(b"GET", b"/", [HOST], b"")
    connection.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (READ_AHEAD * 2))
    connection.receive_data(b"x" * (READ_AHEAD - 1))
    assert connection.wants_data
    connection.receive_data(b"x")
    assert (connection.wants_data, stream.buffered) == (False, READ_AHEAD)
    assert len(stream.take()) == READ_AHEAD
    assert (connection.wants_data, stream.buffered, stream.take()) == (True, 0, b"")


@pytest.mark.parametrize("fed", [0, 10, len(OK) - 2])
def test_giving_up_in_the_middle(fed: int) -> None:
    connection, stream = begin()
    if fed:
        connection.receive_data(OK[:fed])
    for _ in range(2):
        stream.discard()
        assert (stream.take(), stream.buffered) == (b"", 0)
        assert connection.close_reason is CloseReason.ABANDONED
    connection.receive_data(OK[fed:])
    connection.receive_eof()
    assert connection.close_reason is CloseReason.ABANDONED
    assert not connection.reusable


def test_giving_up_after_a_failure_keeps_the_reason() -> None:
    connection, stream = begin()
    connection.receive_eof()
    stream.discard()
    assert connection.close_reason is CloseReason.FAILED


def test_giving_up_when_all_is_over_costs_nothing() -> None:
    connection, stream = begin()
    connection.receive_data(OK)
    stream.discard()
    assert connection.reusable
    assert stream.take() == b"hello"


# Any bytes


@settings(max_examples=80)
@given(data=st.data())
def test_any_response_cut_anywhere(data: st.DataObject) -> None:
    """Round trip: what a server meant, framed either way, is what arrives."""
    chunks = data.draw(st.lists(st.binary(min_size=1, max_size=30), max_size=5))
    status = data.draw(st.sampled_from([200, 201, 404, 500]))
    value = data.draw(st.text("abc !~\t", max_size=10)).strip().encode()
    head = b"HTTP/1.1 %d Word\r\nX-Value: %b\r\n" % (status, value)
    if data.draw(st.booleans()):
        body = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        wire = head + b"Transfer-Encoding: chunked\r\n\r\n" + body
    else:
        wire = head + b"Content-Length: %d\r\n\r\n" % sum(map(len, chunks)) + b"".join(chunks)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=6)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    seen = feed(*begin(), pieces)
    assert (seen.status, seen.body, seen.ended, seen.reusable) == (status, b"".join(chunks), True, True)
    assert (b"X-Value", value) in seen.fields


WIRES = st.sampled_from([case.wire for case in CASES.values()] + [wire for wire, _ in WRONG.values()])


@settings(max_examples=80)
@given(
    wire=WIRES,
    at=st.integers(0, 200),
    junk=st.binary(max_size=8),
    dropped=st.integers(0, 8),
    cut=st.integers(1, 250),
)
def test_damaged_responses_never_raise(wire: bytes, at: int, junk: bytes, dropped: int, cut: int) -> None:
    damaged = wire[:at] + junk + wire[at + dropped :]
    check_outcome([piece for piece in (damaged[:cut], damaged[cut:]) if piece])


@settings(max_examples=80)
@given(pieces=st.lists(st.binary(min_size=1), max_size=6))
def test_random_bytes_never_raise(pieces: list[bytes]) -> None:
    check_outcome(pieces)


def check_outcome(pieces: list[bytes]) -> None:
    connection, stream = begin()
    seen = feed(connection, stream, [*pieces, b"", b"late", b""])
    assert seen.ended != (seen.failure is not None), "after the end of file it is one or the other"
    assert not connection.reusable
    if stream.failure is not None:
        assert str(stream.failure)


def test_the_machine_waits_for_nobody() -> None:
    """Rule 5: its methods are plain functions, so that nothing can come between arrival and `receive_data`."""
    names: list[Any] = [
        Http1Connection.receive_data,
        Http1Connection.receive_eof,
        Http1Connection.data_to_send,
    ]
    assert not any(name.__code__.co_flags & (0x20 | 0x80 | 0x200) for name in names)
