"""Servers that break the rules: what ends a stream, what ends the connection, and what is a flood."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated
from hyperframe.frame import Frame

from httpure_core.errors import RemoteProtocolError
from httpure_core.http2.connection import CloseReason, Http2Connection
from httpure_core.http2.faults import Code, ConnectionFault, name_of
from httpure_core.http2.limits import Patience

from .pair import HOST, OK, Evil, Pair, greeted

Frames = Callable[[Evil], Iterable[Frame | bytes]]


class TestCodes:
    def test_names(self) -> None:
        for code in ErrorCodes:
            assert name_of(code) == code.name
        assert name_of(14) == "error code 0xe"
        for name, code in vars(Code).items():
            assert name.startswith("_") or name_of(code) == name


#: Faults of one stream, and the words for them.
STREAM_FAULTS: dict[str, tuple[Frames, str]] = {
    "no status": (lambda evil: [evil.headers(1, [(b"a", b"b")])], "does not begin with a :status"),
    "empty head": (lambda evil: [evil.headers(1, [])], "does not begin with a :status"),
    "bad name": (lambda evil: [evil.headers(1, [*OK, (b"A", b"b")])], "name b'A' is not allowed"),
    "hop by hop": (lambda evil: [evil.headers(1, [*OK, (b"connection", b"close")])], "does not allow"),
    "bad length": (lambda evil: [evil.headers(1, [*OK, (b"content-length", b"x")])], "no number"),
    "body before head": (lambda evil: [evil.data(1, b"x")], "body comes before its head"),
    "two heads": (lambda evil: [evil.headers(1), evil.headers(1)], "it has two heads"),
    "bad trailers": (
        lambda evil: [evil.headers(1), evil.headers(1, OK, ended=True)],
        "b':status' is not allowed",
    ),
    "switching": (lambda evil: [evil.headers(1, [(b":status", b"101")])], r"informational response \(101\)"),
    "the end at 100": (
        lambda evil: [evil.headers(1, [(b":status", b"100")], ended=True)],
        r"informational response \(100\)",
    ),
    "no body": (
        lambda evil: [evil.headers(1, [*OK, (b"content-length", b"5")], ended=True)],
        "should have 5 bytes, and 0 came",
    ),
    "too short": (
        lambda evil: [evil.headers(1, [*OK, (b"content-length", b"5")]), evil.data(1, b"abcd", ended=True)],
        "should have 5 bytes, and 4 came",
    ),
    "too short, with trailers": (
        lambda evil: [
            evil.headers(1, [*OK, (b"content-length", b"5")]),
            evil.data(1, b"ab"),
            evil.headers(1, [(b"a", b"b")], ended=True),
        ],
        "should have 5 bytes, and 2 came",
    ),
    "too long": (
        lambda evil: [
            evil.headers(1, [*OK, (b"content-length", b"5")]),
            evil.data(1, b"abcd", padding=9),
            evil.data(1, b"ef", ended=True),
        ],
        "should have 5 bytes, and 6 came",
    ),
    "a body for 204": (
        lambda evil: [evil.headers(1, [(b":status", b"204")]), evil.data(1, b"x")],
        "should have 0 bytes, and 1 came",
    ),
}


@pytest.mark.parametrize("name", STREAM_FAULTS)
def test_a_fault_stays_with_its_stream(name: str) -> None:
    frames, text = STREAM_FAULTS[name]
    pair = Pair()
    stream, other = pair.get(), pair.get()
    evil = Evil()
    pair.tell(*frames(evil))
    with pytest.raises(RemoteProtocolError, match=f"^The response is not valid HTTP/2: .*{text}") as caught:
        raise stream.failure or AssertionError
    assert not caught.value.unprocessed
    assert stream.signal.ready and not stream.open
    pair.pump()
    assert pair.resets() == [(1, "PROTOCOL_ERROR")]
    pair.tell(evil.headers(3, [*OK, (b"x-more", b"1")]), evil.data(3, b"hello", ended=True))
    assert other.take() == b"hello" and other.ended
    assert pair.client.reusable


#: Faults of the connection, with a name of section 7 and the words for them.
CONNECTION_FAULTS: dict[str, tuple[Frames, str, str]] = {
    "push": (
        lambda evil: [b"\0\0\x04\x05\x04\0\0\0\x01\0\0\0\x02"],
        "PROTOCOL_ERROR",
        "it pushed a response",
    ),
    "continues nothing": (lambda evil: [evil.continuation(1)], "PROTOCOL_ERROR", "continues nothing"),
    "interrupted block": (
        lambda evil: [evil.headers(1, whole=False), evil.ping()],
        "PROTOCOL_ERROR",
        "interrupted a header block",
    ),
    "not decodable": (
        lambda evil: [b"\0\0\x01\x01\x04\0\0\0\x01\xff"],
        "COMPRESSION_ERROR",
        "cannot be decoded",
    ),
    "an index that is not there": (
        lambda evil: [b"\0\0\x01\x01\x04\0\0\0\x01\xfe"],
        "COMPRESSION_ERROR",
        "cannot be decoded",
    ),
    "a table that is too large": (
        lambda evil: [b"\0\0\x04\x01\x04\0\0\0\x01\x3f\xe1\xff\x03"],
        "COMPRESSION_ERROR",
        "cannot be decoded",
    ),
    "a long header list": (
        lambda evil: [evil.headers(1, [*OK, (b"a", b"e" * 65_500)])],
        "ENHANCE_YOUR_CALM",
        "a header list of more than 65536 bytes",
    ),
    "a bomb of compression": (
        lambda evil: [evil.headers(1, [*OK, *[(b"a", b"b" * 3000)] * 25])],
        "ENHANCE_YOUR_CALM",
        "a header list of more than 65536 bytes",
    ),
    "too long a frame": (lambda evil: [b"\1\0\1" + bytes(6)], "FRAME_SIZE_ERROR", "a frame of 65537 bytes"),
    "a stream of the server's": (lambda evil: [evil.headers(2)], "PROTOCOL_ERROR", "which only we may do"),
    "a stream that never was": (
        lambda evil: [evil.data(99, b"x")],
        "PROTOCOL_ERROR",
        "stream 99, which is not open",
    ),
    "a head for nobody": (lambda evil: [evil.headers(99)], "PROTOCOL_ERROR", "Invalid stream ID"),
    "a window for nobody": (
        lambda evil: [evil.window(99, 1)],
        "PROTOCOL_ERROR",
        "stream 99, which is not open",
    ),
    "a reset for nobody": (
        lambda evil: [b"\0\0\4\x03\0\0\0\0\x63" + bytes(4)],
        "PROTOCOL_ERROR",
        "reset a stream that was never opened",
    ),
    "a window of nothing": (
        lambda evil: [b"\0\0\4\x08\0\0\0\0\0" + bytes(4)],
        "PROTOCOL_ERROR",
        "non-compliant",
    ),
    "a short ping": (lambda evil: [b"\0\0\1\x06\0\0\0\0\0x"], "FRAME_SIZE_ERROR", "missing or invalid"),
    "a ping on a stream": (
        lambda evil: [b"\0\0\x08\x06\0\0\0\0\1" + bytes(8)],
        "PROTOCOL_ERROR",
        "invalid header",
    ),
    "bad padding": (
        lambda evil: [evil.headers(1), b"\0\0\2\0\x08\0\0\0\1\x09x"],
        "PROTOCOL_ERROR",
        "a DATA frame that is shorter than its padding",
    ),
    "no padding": (
        lambda evil: [evil.headers(1), b"\0\0\0\0\x08\0\0\0\1"],
        "PROTOCOL_ERROR",
        "a DATA frame that is shorter than its padding",
    ),
    "push switched on": (lambda evil: [evil.settings({2: 1})], "PROTOCOL_ERROR", "invalid value 1"),
    "too large a window": (lambda evil: [evil.settings({4: 2**31})], "FLOW_CONTROL_ERROR", "invalid value"),
    "too small a frame": (lambda evil: [evil.settings({5: 100})], "PROTOCOL_ERROR", "invalid value 100"),
    "more than the window": (
        lambda evil: [evil.headers(1), *[evil.data(1, b"x" * 65536)] * 17],
        "FLOW_CONTROL_ERROR",
        "sent more than the window of a stream allows",
    ),
    "a stream that depends on itself": (
        lambda evil: [b"\0\0\5\x02\0\0\0\0\1" + b"\0\0\0\1\0"],
        "PROTOCOL_ERROR",
        "may not depend on itself",
    ),
}


@pytest.mark.parametrize("name", CONNECTION_FAULTS)
def test_a_fault_of_the_connection_ends_all(name: str) -> None:
    frames, code, text = CONNECTION_FAULTS[name]
    pair = Pair()
    stream, other = pair.get(), pair.get()
    pair.tell(*frames(Evil()))
    for each in (stream, other):
        with pytest.raises(RemoteProtocolError, match=f"^The server broke the rules of HTTP/2: .*{text}"):
            raise each.failure or AssertionError
        assert each.signal.ready
    assert stream.failure is not other.failure, "each is raised for a request of its own"
    assert (pair.client.close_reason, pair.client.reusable) == (CloseReason.FAILED, False)
    assert not pair.client.wants_data
    pair.tell(b"whatever comes now is not looked at")
    pair.pump()
    (goodbye,) = pair.heard(ConnectionTerminated)
    assert goodbye.error_code.name == code


def test_a_fault_spares_what_is_whole() -> None:
    pair = Pair()
    done, cut = pair.get(), pair.get()
    evil = Evil()
    frames = [evil.headers(1), evil.data(1, b"hello", ended=True), evil.headers(3), evil.continuation(9)]
    pair.tell(b"".join(frame.serialize() for frame in frames))
    assert done.ended and done.failure is None and done.take() == b"hello"
    assert cut.status == 200 and cut.failure is not None


class TestGreeting:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (Evil.ping().serialize(), "did not begin with its settings"),
            (Evil.goaway(0).serialize(), "did not begin with its settings"),
            (b"\0\0\0\x04\x01\0\0\0\0", "did not begin with its settings"),
            (b"\0\0\0\xee\0\0\0\0\0", "did not begin with its settings"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "answered in HTTP/1.1, so it speaks no HTTP/2"),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "a frame of 5460808 bytes"),
        ],
    )
    def test_something_else(self, data: bytes, text: str) -> None:
        client = Http2Connection()
        stream = client.open_stream(b"GET", b"/", HOST, b"")
        for byte in data:
            client.receive_data(bytes([byte]))
        assert text in str(stream.failure)


class TestFloods:
    @pytest.mark.parametrize(
        "frame",
        [
            Evil.ping(),
            Evil.settings(),
            b"\0\0\0\x04\x01\0\0\0\0",
            Evil.window(0, 1),
            Evil.window(1, 1),
            Evil.data(1),
            Evil.data(1, padding=10),
            b"\0\0\5\x02\0\0\0\0\1" + b"\0\0\0\0\1",
            b"\0\0\0\xee\0\0\0\0\0",
            Evil.goaway(1),
        ],
        ids=lambda frame: "raw" if isinstance(frame, bytes) else type(frame).__name__,
    )
    def test_of_frames_that_bring_nothing(self, frame: Frame | bytes) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil().headers(1))
        data = frame if isinstance(frame, bytes) else frame.serialize()
        pair.tell(data * 1000)
        assert stream.failure is None
        pair.tell(data * 10)
        assert "it sent more than 1000 frames, or 100 resets, which bring no stream forward" in str(
            stream.failure
        )
        pair.server.clear_outbound_data_buffer()
        pair.pump()
        assert pair.heard(ConnectionTerminated)[0].error_code is ErrorCodes.ENHANCE_YOUR_CALM

    def test_of_resets(self) -> None:
        client, tell = greeted()
        last = client.open_stream(b"GET", b"/", HOST, b"")
        for _ in range(110):
            stream = client.open_stream(b"GET", b"/", HOST, b"")
            tell(Evil.reset(stream.stream_id))
        assert last.failure is None, "one at a time: each was a request of ours"
        evil = [client.open_stream(b"GET", b"/", HOST, b"") for _ in range(110)]
        tell(b"".join(Evil.reset(stream.stream_id).serialize() for stream in evil))
        assert "100 resets" in str(last.failure)

    def test_for_streams_that_are_over(self) -> None:
        pair = Pair()
        pair.answer(pair.get(), b"hello")
        stream = pair.get()
        pair.tell(Evil.data(1, b"x").serialize() * 1010)
        assert "bring no stream forward" in str(stream.failure)

    def test_for_a_stream_that_was_given_up(self) -> None:
        pair = Pair()
        given_up, stream = pair.get(), pair.get()
        pair.head(given_up)
        given_up.discard()
        pair.tell(Evil.data(1, b"x").serialize() * 2000)
        assert stream.failure is None
        pair.tell(Evil.data(1).serialize() * 1010)
        assert "bring no stream forward" in str(stream.failure)

    def test_of_heads_for_a_stream_that_was_given_up(self) -> None:
        pair = Pair()
        given_up, stream = pair.get(), pair.get()
        pair.head(given_up)
        given_up.discard()
        pair.tell(Evil().headers(1, [(b"a", b"b")]).serialize() * 1010)
        assert "bring no stream forward" in str(stream.failure)

    def test_of_continuations(self) -> None:
        pair = Pair()
        stream = pair.get()
        pair.tell(Evil().headers(1, whole=False), *[Evil.continuation(1)] * 33)
        assert "a header block of 1 bytes in 34 frames, and 65,536 in 33 are allowed" in str(stream.failure)

    def test_a_quiet_connection_may_live_long(self) -> None:
        client, tell = greeted()
        stream = client.open_stream(b"GET", b"/", HOST, b"")
        for _ in range(5000):
            tell(Evil.ping())
            client.data_to_send()
        assert stream.failure is None

    def test_progress_forgives(self) -> None:
        client, tell = greeted()
        stream = client.open_stream(b"GET", b"/", HOST, b"")
        tell(Evil().headers(1))
        for _ in range(5):
            tell(Evil.ping().serialize() * 900)
            tell(Evil.data(1, b"x"))
        assert stream.failure is None and stream.take() == b"xxxxx"

    def test_our_uploads_forgive(self) -> None:
        """A server may open both windows for each frame it gets, and say so when all has been sent."""
        client, tell = greeted(Evil.settings({4: 2**30}), Evil.window(0, 2**30))
        stream = client.open_stream(b"POST", b"/", HOST, None)
        for _ in range(1000):
            stream.send_data(b"x" * 16384)
            client.data_to_send()
        tell((Evil.window(0, 16384).serialize() + Evil.window(1, 16384).serialize()) * 1000)
        assert stream.failure is None

    def test_patience(self) -> None:
        patience = Patience()
        for _ in range(10):
            patience.arrival()
            patience.progress()
        for _ in range(1000):
            patience.spend()
        patience.arrival()
        for _ in range(4):
            patience.spend()
        with pytest.raises(ConnectionFault):
            patience.spend()
