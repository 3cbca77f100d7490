"""What an ill-meaning server may try, by class (RFC 9112 sections 2 to 7 and 9): a doubt is an error, and no guess.

Each in both lanes, in one piece and byte by byte. What is refused fails its exchange and closes its connection; what is
taken means what is written here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from httpure_core.errors import ReadError, RemoteProtocolError
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.layers import UnannouncedEnd

START = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 5\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


def field(line: bytes) -> bytes:
    return START + line + b"\r\n" + LENGTH + b"\r\nhello"


def length(value: bytes) -> bytes:
    return START + b"Content-Length: " + value + b"\r\n\r\nhello"


def coding(value: bytes) -> bytes:
    return START + b"Transfer-Encoding: " + value + b"\r\n\r\n" + CHUNKS


def start(line: bytes) -> bytes:
    return line + b"\r\n" + LENGTH + b"\r\nhello"


REFUSED = {
    # Lines and fields
    "bare LF behind a status line": b"HTTP/1.1 200 OK\n" + LENGTH + b"\r\nhello",
    "bare LF behind a field": field(b"X: y\nA: b"),
    "bare LF behind a head": START + LENGTH + b"\nhello",
    "bare LF everywhere": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "bare LF that hides a length": field(b"X: y\nContent-Length: 0"),
    "bare CR in a field": field(b"X: y\rA: b"),
    "bare CR behind a field": field(b"X: y\r"),
    "bare CR in a status line": start(b"HTTP/1.1 200 O\rK"),
    "LF before CR": field(b"X: y\n\r"),
    "fold before any field": START + b" X: y\r\n" + LENGTH + b"\r\nhello",
    "fold of a length": START + b"Content-Length:\r\n 5\r\n\r\nhello",
    "fold of a length to another one": START + b"Content-Length: 5\r\n 0\r\n\r\nhello",
    "fold of a coding": START + b"Transfer-Encoding:\r\n\tchunked\r\n\r\n" + CHUNKS,
    "space before colon": field(b"X : y"),
    "tab before colon": field(b"X\t: y"),
    "space before the colon of a length": START + b"Content-Length : 5\r\n\r\nhello",
    "space in a name": field(b"X Y: z"),
    "no name": field(b": y"),
    "no colon": field(b"y"),
    "name beyond ASCII": field(b"X\xc3\xa4: y"),
    "NUL in a value": field(b"X: a\0b"),
    "NUL in a name": field(b"X\0: a"),
    "NUL behind a length": length(b"5\0"),
    "control character in a value": field(b"X: a\x01b"),
    "vertical tab in a value": field(b"X: a\x0bb"),
    "DEL in a value": field(b"X: a\x7fb"),
    # Status lines
    "HTTP/0.9": b"<html>hello</html>\r\n",
    "HTTP/2.0": start(b"HTTP/2.0 200 OK"),
    "HTTP/0.9, said": start(b"HTTP/0.9 200 OK"),
    "HTTP/1.10": start(b"HTTP/1.10 200 OK"),
    "version in small letters": start(b"http/1.1 200 OK"),
    "status 099": start(b"HTTP/1.1 099 OK"),
    "status 1000": start(b"HTTP/1.1 1000 OK"),
    "status 2 00": start(b"HTTP/1.1 2 00 OK"),
    "status in other digits": start("HTTP/1.1 ２００ OK".encode()),
    "status with a sign": start(b"HTTP/1.1 +20 OK"),
    "NUL in a reason": start(b"HTTP/1.1 200 O\0K"),
    "two empty lines before a head": b"\r\n\r\n" + START + LENGTH + b"\r\nhello",
    # Content-Length
    "length +5": length(b"+5"),
    "length -5": length(b"-5"),
    "length 0x5": length(b"0x5"),
    "length 5_0": length(b"5_0"),
    "length 5.0": length(b"5.0"),
    "length 5 5": length(b"5 5"),
    "length 5, 6": length(b"5, 6"),
    "length 5,": length(b"5,"),
    "length in quotes": length(b'"5"'),
    "no length": length(b""),
    "length in other digits": length("５".encode()),
    "length in superscript": length(b"\xb5\xb2"),
    "length of huge digits": length(b"9" * 5000),
    "two lengths": START + LENGTH + b"Content-Length: 6\r\n\r\nhello",
    "two lengths, one in small letters": START + LENGTH + b"content-length: 0\r\n\r\nhello",
    # Transfer-Encoding
    "length with coding": START + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "coding with length": START + b"Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + CHUNKS,
    "length with an empty coding": START + LENGTH + b"Transfer-Encoding:\r\n\r\nhello",
    "chunked, chunked": coding(b"chunked, chunked"),
    "gzip, chunked": coding(b"gzip, chunked"),
    "chunked, gzip": coding(b"chunked, gzip"),
    "xchunked": coding(b"xchunked"),
    "chunked with a parameter": coding(b"chunked;a=b"),
    "chunked in quotes": coding(b'"chunked"'),
    "chunked behind a vertical tab": coding(b"\x0bchunked"),
    "identity": coding(b"identity"),
    "chunked twice": coding(b"chunked\r\nTransfer-Encoding: chunked"),
    "coding in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    # Chunks
    "size with underscore": CHUNKED + b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
    "size +5": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "size -5": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "size 0x5": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "size _": CHUNKED + b"_\r\nhello\r\n0\r\n\r\n",
    "no size": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "size behind a space": CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n",
    "size in other digits": CHUNKED + "５".encode() + b"\r\nhello\r\n0\r\n\r\n",
    "size of 17 digits": CHUNKED + b"1" + b"0" * 16 + b"\r\nhello",
    "size that overflows 64 bits": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "bare LF behind a size": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "bare LF in an extension": CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "bare CR in an extension": CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "NUL in an extension": CHUNKED + b"5;a\0b\r\nhello\r\n0\r\n\r\n",
    "no CRLF behind a chunk": CHUNKED + b"5\r\nhello0\r\n\r\n",
    "two other bytes behind a chunk": CHUNKED + b"5\r\nhelloXX0\r\n\r\n",
    "bare LF behind a chunk": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "bare LF behind the last chunk": CHUNKED + b"5\r\nhello\r\n0\n\n",
    # Trailers
    "length in trailers": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "coding in trailers": CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "bare LF in trailers": CHUNKED + b"0\r\nX: y\nA: b\r\n\r\n",
    "bare LF behind trailers": CHUNKED + b"0\r\nX: y\r\n\n",
    "NUL in trailers": CHUNKED + b"0\r\nX: \0\r\n\r\n",
    "space before colon in trailers": CHUNKED + b"0\r\nX : y\r\n\r\n",
    # Others
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


class Taken(NamedTuple):
    wire: bytes
    body: bytes = b"hello"
    status: int = 200
    reason: CloseReason | None = None
    method: bytes = b"GET"
    value: bytes | None = None  #: of the field X


TAKEN = {
    "the same length twice": Taken(START + LENGTH + LENGTH + b"\r\nhello"),
    "length 5, 5": Taken(length(b"5, 5")),
    "length with zeros": Taken(length(b"005")),
    "folded value": Taken(field(b"X: a\r\n b"), value=b"a b"),
    "white space around a value": Taken(field(b"X: \t a \t "), value=b"a"),
    "bytes beyond ASCII in a value": Taken(field(b"X: \xff"), value=b"\xff"),
    "coding in other letters": Taken(coding(b"Chunked")),
    "no reason": Taken(start(b"HTTP/1.1 200")),
    "status beyond 599": Taken(start(b"HTTP/1.1 799 Odd"), status=799),
    "HTTP/1.2": Taken(start(b"HTTP/1.2 200 OK")),
    "an empty line before a head": Taken(b"\r\n" + START + LENGTH + b"\r\nhello"),
    "size with zeros": Taken(CHUNKED + b"0005\r\nhello\r\n000\r\n\r\n"),
    "size before white space": Taken(CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"),
    "extension": Taken(CHUNKED + b'5;a="b;c"\r\nhello\r\n0;d\r\n\r\n'),
    # The body that is there, or not, is told by the rules, and not by the bytes; what else comes is nobody's answer.
    "bytes behind the response": Taken(
        START + LENGTH + b"\r\nhelloHTTP/1.1 200 OK\r\n", reason=CloseReason.UNSOLICITED
    ),
    "bytes behind chunks": Taken(CHUNKED + CHUNKS + b"\r\n", reason=CloseReason.UNSOLICITED),
    "204 with a body": Taken(b"HTTP/1.1 204 No\r\n\r\nhello", b"", 204, CloseReason.UNSOLICITED),
    "304 with a body": Taken(
        b"HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\nhello", b"", 304, CloseReason.UNSOLICITED
    ),
    "HEAD with a body": Taken(START + LENGTH + b"\r\nhello", b"", 200, CloseReason.UNSOLICITED, b"HEAD"),
    "HEAD with chunks": Taken(CHUNKED + CHUNKS, b"", 200, CloseReason.UNSOLICITED, b"HEAD"),
    "HEAD with the length of a body": Taken(START + LENGTH + b"\r\n", b"", method=b"HEAD"),
    "304 with the length of a body": Taken(b"HTTP/1.1 304 Not\r\n" + LENGTH + b"\r\n", b"", 304),
    # A server that announces a body to 204 may send it later, where it would be taken for the next response.
    "204 with a length": Taken(b"HTTP/1.1 204 No\r\n" + LENGTH + b"\r\n", b"", 204, CloseReason.DOUBTFUL),
    "204 with chunks": Taken(
        b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"", 204, CloseReason.DOUBTFUL
    ),
    "204 with a length of 0": Taken(b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", b"", 204),
    "1xx with a length": Taken(b"HTTP/1.1 103 Early\r\n" + LENGTH + b"\r\n" + START + LENGTH + b"\r\nhello"),
}

each_lane = pytest.mark.parametrize("fast", [True, False], ids=["fast", "h11"])
in_pieces = pytest.mark.parametrize("size", [100_000, 1], ids=["whole", "bytes"])


def heard(wire: bytes, fast: bool, size: int, method: bytes = b"GET") -> tuple[Http1Connection, Any]:
    connection = Http1Connection(fast)
    stream = connection.open_stream(method, b"/", [(b"Host", b"a")], b"")
    for at in range(0, len(wire), size):
        connection.receive_data(wire[at : at + size])
    return connection, stream


@each_lane
@in_pieces
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, size: int, fast: bool) -> None:
    connection, stream = heard(REFUSED[name], fast, size)
    assert type(stream.failure) is RemoteProtocolError, stream.failure
    assert "is not valid HTTP/1.1: " in str(stream.failure)
    assert (stream.ended, connection.reusable, connection.close_reason) == (False, False, CloseReason.FAILED)
    assert b"hello".startswith(stream.take())


@each_lane
@in_pieces
@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str, size: int, fast: bool) -> None:
    case = TAKEN[name]
    connection, stream = heard(case.wire, fast, size, case.method)
    assert stream.failure is None
    assert (stream.ended, stream.status, stream.take()) == (True, case.status, case.body)
    assert (connection.close_reason, connection.reusable) == (case.reason, case.reason is None)
    assert dict(stream.fields).get(b"X") == case.value


@each_lane
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_body_up_to_the_end_needs_a_good_bye_of_tls(version: bytes, fast: bool) -> None:
    wire = b"HTTP/" + version + b" 200 OK\r\n\r\nhello"
    connection, stream = heard(wire, fast, 1)
    connection.receive_eof(UnannouncedEnd())
    assert type(stream.failure) is ReadError and "close_notify" in str(stream.failure)
    connection, stream = heard(wire, fast, 1)
    connection.receive_eof()
    assert stream.ended and stream.take() == b"hello" and not connection.reusable


@each_lane
@pytest.mark.parametrize("name", ["204 with a body", "304 with a body", "HEAD with a body"])
def test_a_body_that_comes_late_is_no_response(name: str, fast: bool) -> None:
    """It comes while the connection is idle: nothing can be sent on it any more."""
    case = TAKEN[name]
    connection, stream = heard(case.wire.removesuffix(b"hello"), fast, 1, case.method)
    assert stream.ended and connection.reusable
    connection.receive_data(b"hello")
    assert connection.close_reason is CloseReason.UNSOLICITED and not connection.reusable
