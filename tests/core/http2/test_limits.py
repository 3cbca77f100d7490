"""What is taken of a server over HTTP/2 (RFC 9113), and what is not, class by class."""

from __future__ import annotations

import pytest
from h2.settings import SettingCodes

from httpure_core.errors import HeadTooLarge, RemoteProtocolError
from httpure_core.http2.connection import CloseReason, Http2Connection
from httpure_core.http2.limits import MAX_HEADER_LIST_SIZE, MAX_TABLE_SIZE
from httpure_core.limits import Limits

from .pair import OK, Evil, Pair

SMALL = Limits(
    max_head_size=200,
    max_field_size=60,
    max_fields=4,
    max_trailers=2,
    max_trailers_size=40,
    max_informational=2,
)


def fields(count: int, size: int = 2) -> list[tuple[bytes, bytes]]:
    return [(b"x", b"y" * (size - 1))] * count


def pair(limits: Limits = SMALL) -> Pair:
    return Pair(client=Http2Connection(limits=limits))


#: For each limit: heads that come one after the other, just within and just beyond; True for the last one.
EDGES = {
    "max_fields": ([[*OK, *fields(4)]], [[*OK, *fields(5)]]),
    "max_field_size": ([[*OK, *fields(1, 60)]], [[*OK, *fields(1, 61)]]),
    "max_head_size": ([[*OK, *fields(4, 50)]], [[*OK, *fields(3, 50), *fields(1, 51)]]),
    "max_informational": ([[(b":status", b"103")]] * 2 + [OK], [[(b":status", b"103")]] * 3),
    "max_trailers": ([OK, fields(2)], [OK, fields(3)]),
    "max_trailers_size": ([OK, fields(1, 40)], [OK, fields(1, 41)]),
}


@pytest.mark.parametrize("limit", EDGES)
def test_a_limit_ends_its_stream_only(limit: str) -> None:
    within, beyond = EDGES[limit]
    both = pair()
    evil = Evil()
    for heads in (within, beyond):
        stream = both.get()
        for number, head in enumerate(heads, 1):
            both.tell(evil.headers(stream.stream_id, head, ended=number == len(heads)))
        assert stream.ended == (heads is within)
    assert type(stream.failure) is HeadTooLarge and stream.failure.limit == limit
    assert f"{getattr(SMALL, limit):,} are allowed" in str(stream.failure)
    assert f"Limits({limit}=...)" in str(stream.failure)
    both.answer(other := both.get(), b"hello")
    assert other.take() == b"hello" and both.client.close_reason is None


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        (Limits(), MAX_HEADER_LIST_SIZE),
        (Limits(max_head_size=10**9), MAX_HEADER_LIST_SIZE),
        (SMALL, 200),
    ],
)
def test_a_header_list_is_announced(limits: Limits, size: int) -> None:
    """64 KiB, or less, and never more."""
    assert pair(limits).server.remote_settings.max_header_list_size == size


def test_a_longer_header_list_ends_the_connection() -> None:
    """Its block is not decoded to its end, so nothing that comes later can be."""
    both = pair(Limits(max_head_size=10**9))
    stream, other = both.get(), both.get()
    evil = Evil()
    both.tell(evil.headers(1, [*OK, (b"x", b"y" * 4000)]))
    # The entry of 4 KiB is in the table now: 20 bytes mean 80 KiB.
    both.tell(evil.headers(3, [*OK, *[(b"x", b"y" * 4000)] * 20]))
    assert not stream.ended
    assert type(other.failure) is HeadTooLarge and other.failure.limit == "max_head_size"
    assert "a header list of more than 65536 bytes, whatever max_head_size says" in str(other.failure)
    assert both.client.close_reason is CloseReason.FAILED


def test_continuations() -> None:
    """33 frames at most, however little is in each."""
    for count, good in ((32, True), (33, False)):
        both = Pair()
        stream = both.get()
        both.tell(Evil().headers(1, whole=False), *[Evil.continuation(1)] * (count - 1))
        both.tell(Evil.continuation(1, whole=True))
        assert (stream.failure is None) is good
    assert type(stream.failure) is HeadTooLarge and stream.failure.limit == "max_head_size"


MALFORMED = {
    "connection": [*OK, (b"connection", b"close")],
    "keep-alive": [*OK, (b"keep-alive", b"timeout=5")],
    "proxy-connection": [*OK, (b"proxy-connection", b"close")],
    "transfer-encoding": [*OK, (b"transfer-encoding", b"chunked")],
    "upgrade": [*OK, (b"upgrade", b"websocket")],
    "te": [*OK, (b"te", b"trailers")],
    "two statuses": [*OK, *OK],
    "status behind a field": [(b"x", b"y"), *OK],
    "pseudo-field of a request": [*OK, (b":path", b"/")],
    "two authorities": [*OK, (b":authority", b"a"), (b":authority", b"b")],
    "status of two digits": [(b":status", b"20")],
    "status 099": [(b":status", b"099")],
    "101": [(b":status", b"101")],
    "CR in a value": [*OK, (b"x", b"a\rb")],
    "LF in a value": [*OK, (b"x", b"a\nb")],
    "NUL in a value": [*OK, (b"x", b"a\0b")],
    "CRLF in a name": [*OK, (b"x\r\ny", b"z")],
    "upper-case name": [*OK, (b"X", b"y")],
    "empty name": [*OK, (b"", b"y")],
    "space in a name": [*OK, (b"x y", b"z")],
    "name beyond ASCII": [*OK, (b"\xe4", b"z")],
    "length +5": [*OK, (b"content-length", b"+5")],
    "length 5, 5": [*OK, (b"content-length", b"5, 5")],
    "length of huge digits": [*OK, (b"content-length", b"9" * 5000)],
    "two lengths": [*OK, (b"content-length", b"5"), (b"content-length", b"6")],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    both = Pair()
    stream, other = both.get(), both.get()
    evil = Evil()
    both.tell(evil.headers(1, MALFORMED[name]))
    assert type(stream.failure) is RemoteProtocolError
    assert str(stream.failure).startswith("The response is not valid HTTP/2: ")
    both.tell(evil.headers(3, ended=True))
    assert other.ended, "and nobody else is concerned"


@pytest.mark.parametrize("body", [b"hell", b"hello!"])
def test_a_length_that_does_not_match(body: bytes) -> None:
    both = Pair()
    stream = both.get()
    both.tell(Evil().headers(1, [*OK, (b"content-length", b"5")]), Evil.data(1, body, ended=True))
    assert "its body should have 5 bytes" in str(stream.failure)


def test_the_table_of_our_encoder_stays_small() -> None:
    both = Pair({SettingCodes.HEADER_TABLE_SIZE: 2**20})
    assert both.client._h2.encoder.header_table_size == MAX_TABLE_SIZE <= 64 * 1024


def test_a_server_that_answers_before_the_settings() -> None:
    client = Http2Connection()
    stream = client.open_stream(b"GET", b"/", [(b"Host", b"a")], b"")
    client.receive_data(Evil.ping().serialize())
    assert "did not begin with its settings" in str(stream.failure)
