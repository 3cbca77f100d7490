"""Bodies received in place, and gathered until they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from httpure._memory import Basket
from httpure_core.contracts import READ_AHEAD
from httpure_core.http1 import connection as connections
from httpure_core.http1 import place as places
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.http1.place import Place
from httpure_core.http1.stream import Http1Stream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
BODY = bytes(range(40))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Bodies of some bytes are large, so that every cut can be tried."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "LEAST", 8)
        patch.setattr(places, "_FIRST", 4)
        yield


class Clock:
    """Counts how often it was looked at."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def opened(method: bytes = b"GET") -> tuple[Http1Connection, Http1Stream]:
    connection = Http1Connection()
    stream = connection.open_stream(method, b"/", [(b"Host", b"a")], b"")
    connection.data_to_send()
    return connection, stream


def gathering(*pieces: bytes, basket: Basket | None = None) -> tuple[Http1Connection, Http1Stream]:
    """An exchange of which all is wanted, behind these first pieces."""
    connection, stream = opened()
    for piece in pieces:
        connection.receive_data(piece)
    stream.gather(Clock(), Basket() if basket is None else basket)
    stream.signal.ready = False
    return connection, stream


def fill(connection: Http1Connection, data: bytes) -> bytes:
    """Receive as a link does that reads in place; return what there was no room for."""
    while data and connection.room is not None:
        room = connection.room()
        size = min(len(room), len(data))
        room[:size] = data[:size]
        connection.filled(size)
        data = data[size:]
    return data


def feed(connection: Http1Connection, data: bytes, way: str) -> None:
    if way == "in place":
        data = fill(connection, data)
    if way == "as a view":
        buffer = bytearray(data)
        connection.receive_data(memoryview(buffer))
        buffer[:] = b"?" * len(buffer)  # the next arrival, perhaps of another connection
    elif data:
        connection.receive_data(data)


def outcome(pieces: list[tuple[bytes, str]], gather: int | None, eof: bool) -> tuple[object, ...]:
    """What becomes of an answer in these pieces, gathered from this one on, or taken as they come."""
    connection, stream = opened()
    taken = []
    for index, (piece, way) in enumerate(pieces):
        if gather == index and stream.status and not stream.ended:
            stream.gather(Clock(), Basket())
        feed(connection, piece, way)
        if gather is None:
            taken.append(stream.take())
    if eof:
        connection.receive_eof()
    failure = stream.failure
    return (
        stream.status,
        stream.fields,
        b"".join([*taken, stream.take()]),
        stream.trailers,
        stream.ended,
        stream.received,
        str(failure),
        connection.close_reason,
        connection.reusable,
        connection.room,
    )


def chunks(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]) + b"0\r\n\r\n"


ANSWERS = [
    HEAD + BODY,
    HEAD + BODY + b"HTTP/1.1 200 Unsolicited\r\n",
    CHUNKED + chunks(BODY, 40),
    CHUNKED + chunks(BODY, 1),
    CHUNKED + chunks(BODY, 7) + b"more",
    CHUNKED + chunks(BODY, 13).replace(b"\r\n\r\n", b"\r\nTrailer: 1\r\n\r\n"),
    CHUNKED + chunks(BODY, 9)[:30] + b"!" + chunks(BODY, 9)[31:],
    CHUNKED + b"9;odd\r\n" + chunks(BODY, 9)[3:],
    HEAD.replace(b"40", b"2") + b"hi",
    HEAD.replace(b"40", b"40\r\nTransfer-Encoding: chunked") + chunks(BODY, 4),
    HEAD.replace(b"Content-Length: 40", b"X: y") + BODY,  # ends with the connection
    HEAD.replace(b"1.1", b"1.0") + BODY,  # h11 reads it
]
ways = st.lists(st.sampled_from(["in place", "as a view", "as bytes"]), min_size=1, max_size=5)


@settings(max_examples=200)
@given(
    st.sampled_from(ANSWERS),
    st.lists(st.integers(0, 150), max_size=6),
    ways,
    st.integers(0, 6),
    st.integers(0, 150),
    st.booleans(),
)
@example(ANSWERS[1], [len(HEAD) + 20], ["in place"], 1, 150, False)
def test_however_it_comes_the_outcome_is_the_same(
    answer: bytes, cuts: list[int], ways: list[str], gather: int, length: int, eof: bool
) -> None:
    """Cut anywhere, and cut short anywhere; gathered from any piece on, or not at all."""
    answer = answer[:length]
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(answer)}), len(answer)]
    pieces = [(answer[a:b], ways[at % len(ways)]) for at, (a, b) in enumerate(pairwise(edges)) if a < b]
    plain = outcome([(piece, "as bytes") for piece, _ in pieces], None, eof)
    assert outcome(pieces, gather, eof) == plain
    assert outcome(pieces, None, eof) == plain


@pytest.mark.parametrize("answer", [ANSWERS[0], ANSWERS[1]])
def test_cut_at_each_byte(answer: bytes) -> None:
    for end in range(len(HEAD), len(answer) + 1):
        for cut in range(len(HEAD), end):
            pieces = [(answer[: cut + 1], "as bytes"), (answer[cut + 1 : end], "in place")]
            plain = [(piece, "as bytes") for piece, _ in pieces if piece]
            assert outcome([each for each in pieces if each[0]], 1, True) == outcome(plain, None, True)


def test_whoever_gathers_hears_of_the_end_only() -> None:
    connection, stream = gathering(HEAD, BODY[:3])
    heard = stream.heard
    connection.receive_data(BODY[3:5])
    assert not stream.signal.ready
    assert stream.heard > heard
    heard = stream.heard
    assert fill(connection, BODY[5:39]) == b""
    assert connection.room is not None
    assert not stream.signal.ready
    assert stream.heard > heard
    assert fill(connection, BODY[39:]) == b""
    assert stream.signal.ready
    assert stream.ended
    assert stream.take() == BODY
    assert connection.reusable


def test_a_failure_is_heard_of() -> None:
    connection, stream = gathering(HEAD, BODY[:3])
    fill(connection, BODY[3:9])
    connection.receive_eof()
    assert stream.signal.ready
    assert "9 of 40 bytes" in str(stream.failure)
    assert connection.room is None


def test_chunks_are_gathered_too() -> None:
    connection, stream = gathering(CHUNKED, b"3\r\nabc")
    assert connection.room is None
    connection.receive_data(b"\r\n2\r\nde\r\n")
    assert not stream.signal.ready
    connection.receive_data(b"0\r\n\r\n")
    assert stream.signal.ready
    assert stream.take() == b"abcde"


def test_without_a_basket_pieces_are_joined() -> None:
    connection, stream = opened()
    connection.receive_data(HEAD)
    stream.gather(Clock(), None)
    connection.receive_data(BODY[:20])
    connection.receive_data(BODY[20:])
    assert connection.room is None
    assert stream.take() == BODY


def test_nothing_is_held_back_from_who_gathers() -> None:
    connection, stream = opened()
    connection.receive_data(HEAD.replace(b"40", b"%d" % (2 * READ_AHEAD)))
    connection.receive_data(bytes(READ_AHEAD))
    assert not connection.wants_data
    stream.gather(Clock(), Basket())
    assert connection.wants_data
    fill(connection, bytes(READ_AHEAD - 1))
    assert connection.wants_data


def test_there_is_no_room_for_what_nobody_gathers_or_is_nearly_there() -> None:
    connection, _ = opened()
    connection.receive_data(HEAD + BODY[:3])
    assert connection.room is None
    connection, stream = gathering(HEAD, BODY[:33])
    assert connection.room is None
    connection.receive_data(BODY[33:])
    assert stream.take() == BODY


def test_there_is_none_where_h11_reads() -> None:
    connection, stream = gathering(HEAD.replace(b"1.1", b"1.0"), BODY[:3])
    assert connection.room is None
    connection.receive_data(BODY[3:])
    assert stream.take() == BODY


def test_what_has_come_may_be_taken_before_the_end() -> None:
    connection, stream = gathering(HEAD, BODY[:3])
    fill(connection, BODY[3:9])
    assert stream.take() == BODY[:9]
    assert (stream.buffered, stream.take(), connection.room) == (0, b"", None)
    connection.receive_data(BODY[9:])
    assert stream.take() == BODY[9:]
    assert stream.ended


def test_given_up_while_the_kernel_writes() -> None:
    """Garbage collection may discard the exchange between the offer of room and the news that it was used."""
    connection, stream = gathering(HEAD, BODY[:3])
    assert connection.room is not None
    room = connection.room()
    stream.discard()
    room[:2] = b"xx"
    connection.filled(2)
    assert connection.room is None
    assert (stream.take(), stream.ended) == (b"", False)
    assert connection.close_reason is CloseReason.ABANDONED


def test_bytes_that_come_when_all_is_over_are_nobody_s() -> None:
    connection, _ = gathering(HEAD, BODY[:3])
    assert fill(connection, BODY[3:]) == b""
    connection.filled(1)
    assert connection.reusable


def test_memory_grows_with_what_has_come() -> None:
    """A server that promises much and sends little gets little memory."""
    basket = Basket()
    place = Place(basket, basket.write(b"ab"), 10**15)
    rooms = []
    for _ in range(12):
        room = place.room()
        rooms.append(len(room))
        assert basket.getbuffer().nbytes == 2 + sum(rooms)
        place.fill(len(room))
    assert rooms == [4, 6, 12, 24, 48, 96, 192, 384, 768, 1536, 3072, 6144]


def test_no_copy_is_made_of_what_is_whole() -> None:
    basket = Basket()
    place = Place(basket, 0, 10)
    place.put(memoryview(b"0123456789"))
    taken = place.take()
    assert taken is basket.getvalue()
    assert taken == b"0123456789"


def test_room_is_there_for_one_byte_more_than_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what a server sends unasked would be found only when it is taken for the next answer."""
    monkeypatch.setattr(places, "_FIRST", 1000)
    place = Place(Basket(), 0, 10)
    assert len(place.room()) == 11
    place.fill(7)
    assert len(place.room()) == 4
    assert place.missing == 3
    connection, stream = gathering(HEAD, BODY[:3])
    assert fill(connection, BODY[3:] + b"HT") == b"T"
    assert (stream.take(), stream.ended) == (BODY, True)
    assert connection.close_reason is CloseReason.UNSOLICITED


@pytest.mark.parametrize("early", [0, 1, 6, 7])
@pytest.mark.parametrize("missing", range(1, 24))
def test_no_room_ends_where_the_body_does(early: int, missing: int) -> None:
    """Also where there is memory for just so much: room for the last byte is room for one more."""
    place = Place(Basket(), early, missing)
    while place.missing > 0:
        room = place.room()
        assert len(room) != place.missing
        place.fill(min(len(room), place.missing))
    assert place.missing == 0


def test_a_view_that_somebody_holds_is_not_touched_when_bytes_have_come() -> None:
    """uvloop holds the buffer that it reads into until it has told of the bytes."""
    place = Place(Basket(), 0, 6)
    room = place.room()
    held: Any = memoryview(room)
    place.fill(4)
    held.release()
    assert len(place.room()) == 3


def test_garbage_collection_may_close_a_basket_that_is_looked_at() -> None:
    basket = Basket(bytes(8))
    view = basket.getbuffer()
    basket.close()  # of `io.BytesIO`, that raises BufferError: from 3.13 on it would stand on standard error
    assert bytes(view) == bytes(8)
